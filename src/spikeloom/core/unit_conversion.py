"""Durations in milliseconds as samples, and back."""

SAMPLE_MAX = 1 << 53
"""No recording is as long, and beyond it floats of 64 bits skip samples."""


def ms_to_samples(ms: float, sampling_frequency: float) -> int:
    """Return a duration in milliseconds as the nearest number of samples.

    Examples
    --------
    >>> ms_to_samples(1.5, 30000.0)
    45
    """
    return round(ms * sampling_frequency / 1000.0)


def samples_to_ms(samples: float, sampling_frequency: float) -> float:
    """Return a number of samples as a duration in milliseconds.

    Examples
    --------
    >>> samples_to_ms(45, 30000.0)
    1.5
    """
    return samples / sampling_frequency * 1000.0
