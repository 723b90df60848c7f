"""JSON headers of foreign files: read with a limit, checked field by field."""

import json
import math
from pathlib import Path
from typing import Any

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage.json_fields import as_object

N_BYTES_MAX = 64 << 20
"""A header larger than this is none."""


def read_text(path: Path, n_bytes_max: int = N_BYTES_MAX) -> str:
    """Return a text file.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent or cannot be read.
    DataError
        If it is larger than any such file.
    """
    try:
        n_bytes = path.stat().st_size
        if n_bytes > n_bytes_max:
            msg = f"{path} has {n_bytes} bytes; such a file has at most {n_bytes_max}."
            raise DataError(msg)
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError as error:
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg) from error
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent or cannot be read.
    DataError
        If it holds something else.
    """
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{path} is no JSON: {error}."
        raise DataError(msg) from error
    return as_object(content, path)


def number_in(content: dict[str, Any], name: str, path: Path, *, low: float = 0.0) -> float:
    """Return a number above `low` that a header gives; raises DataError if it does not."""
    value = content.get(name)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number <= low or isinstance(value, bool):
        msg = f"{path}: {name} must be a number above {low:g}; got {value!r}."
        raise DataError(msg)
    return number


def count_in(content: dict[str, Any], name: str, path: Path, *, most: int = 1 << 20) -> int:
    """Return a whole number from 1 to `most` that a header gives; raises DataError if not."""
    number = number_in(content, name, path)
    if not number.is_integer() or number > most:
        msg = f"{path}: {name} must be a whole number up to {most}; got {content.get(name)!r}."
        raise DataError(msg)
    return int(number)
