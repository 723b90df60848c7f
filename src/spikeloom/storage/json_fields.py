"""What JSON files of our own folders and stores tell, checked field by field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spikeloom.errors import DataError, SpikeloomError
from spikeloom.storage.provenance_json import read_provenance

N_SEGMENTS_MAX = 1 << 16
"""More segments than any recording has; a file that tells more is wrong."""

_FAULTS = (
    *(TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError),
    SyntaxError,  # of numpy, for texts that are no dtype
)
"""What code raises that is given values of other types and shapes than it takes."""


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent, cannot be read or is no JSON.
    DataError
        If it holds something else.
    """
    return as_object(read_provenance(path), path)


def as_object(value: object, where: object) -> dict[str, Any]:
    """Return a JSON value that must be an object, `where` being what to call it in a message.

    Raises
    ------
    DataError
        If it is something else.

    Examples
    --------
    >>> as_object([1], "a.json")
    Traceback (most recent call last):
    spikeloom.errors.DataError: a.json holds a list where an object with names is expected.
    """
    if not isinstance(value, Mapping):
        msg = f"{where} holds a {type(value).__name__} where an object with names is expected."
        raise DataError(msg)
    return dict(value)


def object_in(content: Mapping[str, Any], name: str, where: object) -> dict[str, Any]:
    """Return an object that a file holds under a name; empty if it is absent or null.

    Raises
    ------
    DataError
        If it is something else.
    """
    value = content.get(name)
    return {} if value is None else as_object(value, f"{where}: {name}")


def count_in(
    content: Mapping[str, Any], name: str, where: object, *, most: int = N_SEGMENTS_MAX
) -> int:
    """Return a whole number from 0 to `most` that a file holds under a name.

    Raises
    ------
    DataError
        If it is absent, something else, or larger.

    Examples
    --------
    >>> count_in({"num_segments": 2}, "num_segments", "info.json")
    2
    """
    value = content.get(name)
    if type(value) is not int or not 0 <= value <= most:
        msg = f"{where}: {name} must be a whole number from 0 to {most}; got {value!r:.100}."
        raise DataError(msg)
    return value


@contextmanager
def arguments_from(where: object) -> Iterator[None]:
    """Blame a file for what goes wrong while something is made of arguments that it tells.

    Parameters
    ----------
    where : object
        The file, and what in it.

    Raises
    ------
    DataError
        Instead of what Python raises of values that a function does not take.
    """
    try:
        yield
    except SpikeloomError:
        raise
    except _FAULTS as error:
        msg = f"{where} makes no sense: {type(error).__name__}: {error!s:.300}."
        raise DataError(msg) from error
