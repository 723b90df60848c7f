"""Amounts of memory and of time as people write them: ``"500MiB"``, ``"1G"``, ``"250ms"``."""

import math
import re
from numbers import Real

from spikeloom.errors import ParameterError

_PREFIXES = "kmgtp"

_TIME_UNITS_S = {"": 1.0, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}

_AMOUNT = re.compile(r"\s*([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.)\s*([^\W\d]*)\s*")


def _number_and_unit(amount: str) -> tuple[float, str] | None:
    match = _AMOUNT.fullmatch(amount)
    return (float(match[1]), match[2]) if match else None


def _bytes_of_unit(unit: str) -> int | None:
    """Return how many bytes a unit is, e.g. ``"k"``, ``"Gi"``, ``"MB"``, ``"TiB"``."""
    stem = unit.lower().removesuffix("b")
    if not stem:
        return 1
    base = 1024 if stem.endswith("i") else 1000
    prefix = stem.removesuffix("i")
    if len(prefix) != 1 or prefix not in _PREFIXES:
        return None
    return int(base ** (_PREFIXES.index(prefix) + 1))


def bytes_of(memory: str | float) -> int:
    """Return an amount of memory in bytes.

    Parameters
    ----------
    memory : str, int or float
        Bytes, or a number with one of k, M, G, T, P (powers of 1000) or Ki, Mi, Gi, Ti, Pi (powers
        of 1024), each with or without a B.

    Raises
    ------
    ParameterError
        If it is none of these, or not above zero.

    Examples
    --------
    >>> bytes_of("1G"), bytes_of("1.5 Ki"), bytes_of("500MiB"), bytes_of(1000)
    (1000000000, 1536, 524288000, 1000)
    """
    if isinstance(memory, str):
        parsed = _number_and_unit(memory)
        unit = _bytes_of_unit(parsed[1]) if parsed else None
        value = parsed[0] * unit if parsed and unit else math.nan
    else:
        value = float(memory) if _is_number(memory) else math.nan
    if not 1 <= value < math.inf:
        msg = (
            f"{memory!r} is no amount of memory. Write a number of bytes or, for example, '500M', "
            "'2G' (powers of 1000), '500Mi', '2GiB' (powers of 1024)."
        )
        raise ParameterError(msg)
    return int(value)


def seconds_of(duration: str | float) -> float:
    """Return a duration in seconds.

    Parameters
    ----------
    duration : str, int or float
        Seconds, or a number with one of us, ms, s, min, h.

    Raises
    ------
    ParameterError
        If it is none of these, or not above zero.

    Examples
    --------
    >>> seconds_of("500ms"), seconds_of("1 min"), seconds_of(2)
    (0.5, 60.0, 2.0)
    """
    if isinstance(duration, str):
        parsed = _number_and_unit(duration)
        unit_s = _TIME_UNITS_S.get(parsed[1]) if parsed else None
        value_s = parsed[0] * unit_s if parsed and unit_s else math.nan
    else:
        value_s = float(duration) if _is_number(duration) else math.nan
    if not 0 < value_s < math.inf:
        msg = (
            f"{duration!r} is no duration. Write a number of seconds above zero or, for example, "
            "'1s', '500ms', '2min'."
        )
        raise ParameterError(msg)
    return value_s


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def bytes_text(n_bytes: float) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> bytes_text(999), bytes_text(30_720_000), bytes_text(2 << 30)
    ('999 B', '29.3 MiB', '2.0 GiB')
    """
    value = float(n_bytes)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} PiB"
