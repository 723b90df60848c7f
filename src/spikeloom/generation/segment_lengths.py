"""Lengths of made-up segments, from durations in seconds."""

import math
from collections.abc import Sequence

from spikeloom.errors import ParameterError


def segment_lengths(durations_s: Sequence[float], sampling_frequency: float) -> list[int]:
    """Return the number of whole samples in each segment.

    Raises
    ------
    ParameterError
        If there is no segment, or if a duration or the sampling frequency makes no sense.

    Examples
    --------
    >>> segment_lengths([5.0, 2.5], 30_000.0)
    [150000, 75000]
    """
    if not (sampling_frequency > 0 and math.isfinite(sampling_frequency)):
        msg = f"sampling_frequency={sampling_frequency} must be a positive number of Hz."
        raise ParameterError(msg)
    lengths = list(durations_s)
    if not lengths or not all(duration_s >= 0 for duration_s in lengths):
        msg = f"durations must be a list of seconds, one for each segment; got {lengths}."
        raise ParameterError(msg)
    return [int(duration_s * sampling_frequency) for duration_s in lengths]
