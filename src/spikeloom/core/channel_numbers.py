"""Gains, offsets and positions of channels: what numbers they can be."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import DataError, ParameterError

_LARGEST = 1e30
"""Larger numbers are damage, and beyond what float32 can multiply."""


def as_channel_numbers(key: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return values of a property of channels as numbers; NaN is what nobody knows.

    Raises
    ------
    ParameterError
        If they are no numbers, or not finite.

    Examples
    --------
    >>> as_channel_numbers("gain_to_uV", [0.195, 1])
    array([0.195, 1.   ])
    """
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        numbers = np.array([np.inf])
    if (np.abs(numbers) > _LARGEST).any():
        msg = f"{key} must be finite numbers; got {values!r:.100}."
        raise ParameterError(msg)
    return numbers


def check_stored_numbers(properties: Mapping[str, NDArray[Any]]) -> None:
    """Raise DataError if gains, offsets or positions that a file told make no sense."""
    for key in ("gain_to_uV", "offset_to_uV", "location"):
        values = properties.get(key)
        if values is None:
            continue
        is_number = values.dtype.kind in "iuf"
        if not is_number or (np.abs(values.astype(np.float64)) > _LARGEST).any():
            msg = f"The stored property {key} must be finite numbers; it holds {values!r:.100}."
            raise DataError(msg)
        if (values.ndim == 1) is (key == "location"):
            msg = f"The stored property {key} has the shape {values.shape}."
            raise DataError(msg)
