"""Arguments that had another name before, in scripts and in files."""

from collections.abc import Mapping
from typing import Any, TypeVar

from spikeloom.errors import ParameterError

T = TypeVar("T")


def one_of(value: T | None, older: T | None, name: str, older_name: str) -> T:
    """Return the one of two spellings of an argument that was given.

    Raises
    ------
    ParameterError
        If none was given, or both.

    Examples
    --------
    >>> one_of(None, "recording", "recording", "parent_recording")
    'recording'
    """
    if value is not None and older is not None:
        msg = f"{name} and {older_name} are the same argument: give one of them."
        raise ParameterError(msg)
    given = older if value is None else value
    if given is None:
        msg = f"The argument {name} is missing."
        raise ParameterError(msg)
    return given


def with_new_names(kwargs: Mapping[str, Any], **new_names: str) -> dict[str, Any]:
    """Return arguments from a file, under the names that they have today.

    Examples
    --------
    >>> with_new_names({"parent_recording": 1, "ids": 2}, parent_recording="recording")
    {'recording': 1, 'ids': 2}
    """
    return {new_names.get(key, key): value for key, value in kwargs.items()}
