"""Provenance and metadata dictionaries as JSON, as SpikeInterface writes and reads it.

NaN and infinities stand bare in the text, which Python's own reader takes.
"""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from spikeloom.errors import MissingFileError, ParameterError, ReadError
from spikeloom.storage.atomic import write_atomic

Plain = Any
"""None, bool, int, float, str, and lists and dictionaries (with string keys) of them."""


def to_plain(
    value: object, *, default: Callable[[object], object] | None = None, where: str = "value"
) -> Plain:
    """Return `value` with only the types that JSON has.

    Dates become ISO text, numpy scalars (also as keys) plain numbers and strings, dtypes and
    numpy's scalar types their names, arrays lists, paths text, tuples and sets lists.

    Parameters
    ----------
    value : object
        What to convert.
    default : callable, optional
        Is given what is none of these, and returns something that is.
    where : str
        What to call `value` in a message.

    Raises
    ------
    ParameterError
        If something in it cannot be converted; the message names the way to it.

    Examples
    --------
    >>> to_plain({np.int64(3): np.arange(2), "path": Path("a"), "dtype": np.dtype("i2")})
    {'3': [0, 1], 'path': 'a', 'dtype': 'int16'}
    """
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if isinstance(value, Mapping):
        return {
            _key(key, where): to_plain(each, default=default, where=f"{where}[{key!r}]")
            for key, each in value.items()
        }
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biufU":
            return value.tolist()
        if value.dtype.names is not None:
            return [list(to_plain(row, default=default, where=where)) for row in value.tolist()]
        return to_plain(value.tolist(), default=default, where=where)
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [
            to_plain(each, default=default, where=f"{where}[{k}]") for k, each in enumerate(items)
        ]
    scalar = _scalar(value)
    if scalar is not None:
        return scalar
    if default is not None:
        return to_plain(default(value), where=where)
    msg = (
        f"{where} is a {type(value).__name__}, which JSON cannot hold; "
        "use numbers, text, lists, dictionaries, arrays, paths or dates."
    )
    raise ParameterError(msg)


def _scalar(value: object) -> object:
    """Return a single value as JSON has it; None if it is of no known type."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return str(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        return value.item()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, np.dtype):
        return value.name if value.names is None else str(value.descr)
    if isinstance(value, type) and issubclass(value, np.generic):
        return np.dtype(value).name
    for kind in (bool, int, float, str):  # enumerations and other subclasses
        if isinstance(value, kind):
            return kind(value)
    return None


def _key(key: object, where: str) -> str:
    if isinstance(key, str):
        return str(key)
    if isinstance(key, np.generic):
        key = key.item()
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        # As json.dumps turns keys into text.
        return str(json.dumps(key))
    plain = _scalar(key)
    if isinstance(plain, str):
        return plain
    msg = f"{where} has the key {key!r}; keys are text or numbers."
    raise ParameterError(msg)


def encode_json(
    value: object, *, default: Callable[[object], object] | None = None, indent: int | None = 4
) -> bytes:
    """Return the JSON text of `value`, converted with `to_plain`.

    Raises
    ------
    ParameterError
        If something in it cannot be converted.

    Examples
    --------
    >>> encode_json({"a": float("nan")}, indent=None)
    b'{"a": NaN}'
    """
    return json.dumps(to_plain(value, default=default), indent=indent).encode()


def decode_json(content: bytes | str, where: str) -> Plain:
    """Return the value of a JSON text, in which NaN and infinities may stand bare.

    Raises
    ------
    ReadError
        If it is not JSON.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = f"{where} cannot be read as JSON: {error}."
        raise ReadError(0, msg) from error


def read_provenance(path: Path) -> Plain:
    """Read a JSON file, in which NaN and infinities may stand bare.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it cannot be read or is not JSON.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
    return decode_json(content, str(path))


def write_provenance(
    path: Path, value: object, *, default: Callable[[object], object] | None = None
) -> None:
    """Write `value` as JSON in one step, making the folder if need be.

    Raises
    ------
    ParameterError
        If something in it cannot be converted; nothing is written then.
    WriteError
        If the file cannot be written.
    """
    content = encode_json(value, default=default)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
