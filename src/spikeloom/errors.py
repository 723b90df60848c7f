"""The errors that spikeloom raises, in one tree.

Each error also derives from the builtin that a Python user would expect, so that both
``except SpikeloomError`` and ``except ValueError`` work::

    SpikeloomError
    ├── ParameterError          (ValueError)         an argument is outside what is allowed
    │   ├── FilterSyntaxError                        a filter expression cannot be read
    │   └── MissingExtensionError (AssertionError)   an analyzer lacks what something is made of
    ├── UnknownNameError        (KeyError)           a registry does not know this name
    ├── DuplicateNameError      (ValueError)         a registry knows this name already
    ├── MissingDependencyError  (ImportError)        an optional package is not installed
    ├── DataError               (ValueError)         a file was read but makes no sense
    ├── ReadError               (OSError)            a file cannot be read
    │   └── MissingFileError    (FileNotFoundError)  a required file is absent
    ├── WriteError              (OSError)            a file cannot be written
    ├── CurationError           (ValueError)         an edit makes no sense for these clusters
    ├── JournalError            (OSError)            a journal cannot be read or appended to
    │   └── LockedError         (BlockingIOError)    another process is curating this dataset
    ├── ChangedOnDiskError      (RuntimeError)       files changed under an open session
    ├── WorkerError             (RuntimeError)       a worker of a parallel job died
    ├── TransferError           (RuntimeError)       something cannot be sent to another process
    └── Cancelled               (RuntimeError)       the caller no longer wants the result

A message says what was got, what is allowed and what to do.
"""


class SpikeloomError(Exception):
    """Root of all errors raised on purpose by spikeloom."""


class ParameterError(SpikeloomError, ValueError):
    """An argument is outside what is allowed."""


class FilterSyntaxError(ParameterError):
    """A filter expression cannot be read.

    Parameters
    ----------
    message : str
        What is wrong.
    position : int
        Index of the offending character in the expression.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class MissingExtensionError(ParameterError, AssertionError):
    """An analyzer lacks an extension, or the recording, that something is made of."""


class UnknownNameError(SpikeloomError, KeyError):
    """A registry does not know this name; the message lists the known ones."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which puts quotes around a sentence.
        return str(self.args[0]) if self.args else ""


class DuplicateNameError(SpikeloomError, ValueError):
    """A registry knows this name already."""


class MissingDependencyError(SpikeloomError, ImportError):
    """An optional package is needed for what was asked and is not installed."""


class DataError(SpikeloomError, ValueError):
    """A file was read, but what it says contradicts itself or another file."""


class _FileError(SpikeloomError, OSError):
    """Root of the errors about files, whose text is the sentence that they were given."""

    def __str__(self) -> str:
        # OSError puts "[Errno …]" before the sentence.
        return self.strerror or super().__str__()


class ReadError(_FileError):
    """A file cannot be read."""


class MissingFileError(ReadError, FileNotFoundError):
    """A file that is required is absent."""


class WriteError(_FileError):
    """A file cannot be written."""


class CurationError(SpikeloomError, ValueError):
    """An edit makes no sense for these clusters; nothing was changed."""


class JournalError(_FileError):
    """A curation journal cannot be read or appended to."""


class LockedError(JournalError, BlockingIOError):
    """Another process is curating the same dataset."""


class ChangedOnDiskError(SpikeloomError, RuntimeError):
    """Files of an open dataset were changed by someone else."""


class WorkerError(SpikeloomError, RuntimeError):
    """A worker of a parallel job died, or could not be started."""


class TransferError(SpikeloomError, RuntimeError):
    """Something that a job needs or gives cannot be sent to another process."""


class Cancelled(SpikeloomError, RuntimeError):  # noqa: N818 - an outcome, not a fault
    """The caller no longer wants the result."""
