"""What a sampling frequency can be."""

from typing import Any

from spikeloom.errors import ParameterError

_LEAST_HZ, _MOST_HZ = 1e-9, 1e12
"""Beyond these, times of samples in seconds could no longer be told."""


def checked_sampling_frequency(value: Any) -> float:
    """Return a sampling frequency in Hz as a plain number.

    Raises
    ------
    ParameterError
        If it is no number, not above 0, or beyond all converters.

    Examples
    --------
    >>> checked_sampling_frequency(30000)
    30000.0
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = 0.0
    if not _LEAST_HZ <= number <= _MOST_HZ:
        msg = f"The sampling frequency must be a positive number of Hz; got {value!r:.100}."
        raise ParameterError(msg)
    return number
