"""Whether several recordings fit each other; if not, which of them does not, and in what."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from spikeloom.core.recording import BaseRecording
from spikeloom.errors import ParameterError

_MS_PER_DAY = 24 * 3_600_000


def as_recordings(recordings: object) -> list[BaseRecording]:
    """Return a list of recordings.

    Raises
    ------
    ParameterError
        If it is empty, or if something in it is no recording.
    """
    listed: list[Any] = []
    if isinstance(recordings, Iterable) and not isinstance(recordings, str):
        listed = list(recordings)
    if not listed or not all(isinstance(one, BaseRecording) for one in listed):
        got = ", ".join(type(one).__name__ for one in listed) or type(recordings).__name__
        msg = f"A list of recordings is needed, with at least one; got {got}."
        raise ParameterError(msg)
    return listed


def as_recording(recording: Any) -> BaseRecording:
    """Return `recording`; raises ParameterError if it is none."""
    if not isinstance(recording, BaseRecording):
        msg = f"A recording is needed; got {type(recording).__name__}."
        raise ParameterError(msg)
    return recording


def check_equal(what: str, values: Sequence[Any], names: Sequence[object] | None = None) -> None:
    """Raise if values that belong to several recordings are not all the same.

    Parameters
    ----------
    what : str
        What the values are, for the message: ``"dtype"``.
    values : list
        One for each recording.
    names : list, optional
        What the recordings are called; 0, 1, 2, … by default.

    Raises
    ------
    ParameterError
        If a value differs from the first.

    Examples
    --------
    >>> check_equal("sampling frequency", [30000.0, 25000.0])
    Traceback (most recent call last):
    spikeloom.errors.ParameterError: Recording 1 has the sampling frequency 25000.0, but recording
    0 has 30000.0: it must be the same.
    """
    called = range(len(values)) if names is None else names
    for name, value in zip(called, values, strict=True):
        if not np.array_equal(value, values[0]):
            msg = (
                f"Recording {name!r} has the {what} {_shown(value)}, but recording "
                f"{next(iter(called))!r} has {_shown(values[0])}: it must be the same."
            )
            raise ParameterError(msg)


def check_sampling_frequencies(
    sampling_frequencies: Sequence[float], sampling_frequency_max_diff: float
) -> None:
    """Raise if sampling frequencies differ by more than allowed; warn if they differ by less.

    Parameters
    ----------
    sampling_frequencies : list of float
        In Hz.
    sampling_frequency_max_diff : float
        How much they may differ from the first, in Hz.

    Raises
    ------
    ParameterError
        If they differ by more, or if the allowed difference is negative.
    """
    if not sampling_frequency_max_diff >= 0:
        msg = f"sampling_frequency_max_diff must not be negative; got {sampling_frequency_max_diff}"
        raise ParameterError(msg)
    first = sampling_frequencies[0]
    differences = [abs(frequency - first) for frequency in sampling_frequencies]
    largest = max(differences)
    k = differences.index(largest)
    if largest > sampling_frequency_max_diff:
        msg = (
            f"The sampling frequencies differ by more than {sampling_frequency_max_diff} Hz: "
            f"number {k} has {sampling_frequencies[k]} Hz, number 0 has {first} Hz. If that is "
            f"fine, allow it with sampling_frequency_max_diff={largest}."
        )
        raise ParameterError(msg)
    if largest > 0:
        warnings.warn(
            f"The sampling frequencies differ (number {k} has {sampling_frequencies[k]} Hz, number "
            f"0 has {first} Hz); the first is used for all. That is a shift of about "
            f"{_MS_PER_DAY * largest / first:.5g} ms in 24 hours.",
            stacklevel=4,
        )


def same_scale(recordings: Sequence[BaseRecording]) -> bool:
    """Return whether steps mean the same microvolts in all recordings that say what they mean."""
    for key in ("gain_to_uV", "offset_to_uV"):
        known = [v for one in recordings if (v := one.get_property(key)) is not None]
        if any(not np.array_equal(values, known[0], equal_nan=True) for values in known[1:]):
            return False
    return True


def _shown(value: Any) -> str:
    values = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(values, list) and len(values) > 8:
        return f"[{', '.join(map(repr, values[:8]))}, …] ({len(values)})"
    return str(values)
