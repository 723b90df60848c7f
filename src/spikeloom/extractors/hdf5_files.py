"""Open HDF5 files that may be damaged, and tell of the damage."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from spikeloom.errors import ReadError, SpikeloomError
from spikeloom.extractors.hdf5_guard import GuardedFile
from spikeloom.extractors.hdf5_sources import (
    SIGNATURE,
    Place,
    has_signature,
    opened_source,
)
from spikeloom.storage.locks import is_locked

# What h5py raises for damaged files, depending on where the damage is.
DAMAGE = (
    *(OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError),
    *(OverflowError, UnicodeError, MemoryError, IndexError),
)


@contextmanager
def damage_told(place: Place) -> Iterator[None]:
    """Turn what h5py raises for damaged files into an error that names the file."""
    try:
        yield
    except SpikeloomError:
        raise
    except DAMAGE as error:
        msg = f"{place} is damaged, or not what it seems to be: {error}."
        raise ReadError(getattr(error, "errno", None) or 0, msg) from error


@contextmanager
def open_hdf5(place: Place) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; damage that the library would not survive is an error.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no HDF5 file, if another program has it open for writing, or if it turns out to
        be damaged while it is open.
    """
    with opened_source(place) as source, damage_told(place):
        if not has_signature(source):
            head = bytearray(min(8, source.n_bytes))
            source.read_into(0, memoryview(head))
            msg = f"{place} is no HDF5 file: it begins with {bytes(head)!r}, not {SIGNATURE!r}."
            raise ReadError(0, msg)
        if isinstance(place, Path) and _is_written(place):
            msg = f"{place} is open in another program, which writes into it."
            raise ReadError(11, msg)
        with h5py.File(GuardedFile(source), "r") as file:
            yield file


def _is_written(path: Path) -> bool:
    with suppress(OSError):  # file systems without locks are common in clusters
        return is_locked(path)
    return False
