"""Numbers that files tell, checked."""

from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.errors import DataError


def first_number(value: Any) -> float:
    """Return the first of a value as a number; NaN if it is none.

    Examples
    --------
    >>> first_number([30000]), first_number("fast"), first_number([])
    (30000.0, nan, nan)
    """
    try:
        return float(np.asarray(value).reshape(-1)[0])
    except (TypeError, ValueError, IndexError):
        return float("nan")


def finite_number(where: str | Path, value: Any, name: str) -> float:
    """Return the first of a value that a file tells as a number.

    Parameters
    ----------
    where : str or Path
        The file.
    value : scalar or array_like
        What it tells.
    name : str
        What that is called there.

    Raises
    ------
    DataError
        If it is no finite number.

    Examples
    --------
    >>> finite_number("a.nwb", [30000], "rate")
    30000.0
    """
    number = first_number(value)
    if not np.isfinite(number):
        msg = f"{where}: {name} must be a number; got {value!r}."
        raise DataError(msg)
    return number


def finite_gain(where: str | Path, value: Any, name: str) -> float:
    """Return a gain that a file tells, which traces of 32 bits can have.

    Parameters
    ----------
    where, value, name
        As for `finite_number`.

    Raises
    ------
    DataError
        If it is no finite number, or too large.
    """
    gain = finite_number(where, value, name)
    if abs(gain) > float(np.finfo(np.float32).max):
        msg = f"{where}: {name} is {gain}, which is beyond all gains."
        raise DataError(msg)
    return gain
