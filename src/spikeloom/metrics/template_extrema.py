"""The main trough of a template, and the peaks before and after it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOWHERE = -1
"""Position of what is not there."""


@dataclass(frozen=True, slots=True, eq=False)
class Extremum:
    """A trough or a peak; positions are samples of the template."""

    index: int
    """Where it is; -1 if there is none."""
    width: float
    """Width in samples at half of its prominence; NaN if it is not prominent."""
    width_left: int
    """Where this width begins, rounded; -1 if it is not prominent."""
    width_right: int
    """Where this width ends, rounded; -1 if it is not prominent."""
    half_width_left: int
    """Last sample before it that is not beyond half of its value; -1 if there is none."""
    half_width_right: int
    """Last sample after it that still is beyond half of its value; -1 if there is none."""
    sample_indices: NDArray[np.int64]
    """All extrema of this kind that are prominent enough; (n_extrema,)."""

    @property
    def exists(self) -> bool:
        """Whether there is one."""
        return self.index != NOWHERE

    @property
    def half_width(self) -> float:
        """Samples between the crossings of half of its value; NaN if there are not two."""
        if NOWHERE in {self.half_width_left, self.half_width_right}:
            return np.nan
        return float(self.half_width_right - self.half_width_left)


@dataclass(frozen=True, slots=True, eq=False)
class Extrema:
    """Trough and peaks of a template."""

    trough: Extremum
    """The main trough."""
    peak_before: Extremum
    """The main peak before it."""
    peak_after: Extremum
    """The main peak after it."""


def template_extrema(
    template: NDArray[np.floating],
    sampling_frequency: float,
    *,
    min_thresh_detect_peaks_troughs: float = 0.3,
    edge_exclusion_ms: float = 0.09,
    min_peak_trough_distance_ratio: float = 0.2,
    min_extremum_distance_samples: int = 3,
) -> Extrema:
    """Find the main trough of a template, and the main peaks before and after it.

    The main one of several is the most prominent. If none is as prominent as asked for, half of
    that is tried, and then the lowest or highest sample is taken.

    Parameters
    ----------
    template : ndarray of shape (n_samples,)
        On one channel, perhaps upsampled.
    sampling_frequency : float
        Of the template, in Hz.
    min_thresh_detect_peaks_troughs : float, default 0.3
        Least prominence, relative to the largest absolute value.
    edge_exclusion_ms : float, default 0.09
        Nothing is looked for so near to the ends.
    min_peak_trough_distance_ratio : float, default 0.2
        Least distance of peaks from the trough, relative to its half width.
    min_extremum_distance_samples : int, default 3
        Least distance of peaks from the trough.

    Returns
    -------
    Extrema
        Those that are not there, as in a flat template, have the index -1.

    Examples
    --------
    >>> times = np.arange(60)
    >>> template = 20 * np.exp(-(((times - 40) / 6.0) ** 2)) - 90 * np.exp(
    ...     -(((times - 20) / 3.0) ** 2)
    ... )
    >>> found = template_extrema(template, 30000.0)
    >>> found.trough.index, found.peak_after.index, found.trough.half_width
    (20, 40, 5.0)
    """
    largest = np.abs(template).max(initial=0.0)
    prominence = min_thresh_detect_peaks_troughs * largest
    edge = int(max(edge_exclusion_ms, 0) / 1000 * sampling_frequency)
    first, last = edge, template.size - edge
    if not largest > 0:
        nothing = _nothing()
        return Extrema(nothing, nothing, nothing)
    trough = _main_peak(-template, first, last, prominence)
    if not trough.exists:
        return Extrema(trough, _nothing(), _nothing())
    distance = min_extremum_distance_samples
    if np.isfinite(trough.half_width):
        distance = max(distance, int(min_peak_trough_distance_ratio * trough.half_width))
    before = _main_peak(template, first, trough.index - distance, prominence)
    after = _main_peak(template, trough.index + distance, last, prominence)
    return Extrema(trough, before, after)


def _main_peak(values: NDArray[np.floating], first: int, last: int, prominence: float) -> Extremum:
    """Return the main peak in a range of samples, and how many others there are."""
    if not 0 < first < last:
        return _nothing()
    places, shapes = _prominent(values[first:last], prominence)
    all_places = places + first
    if not places.size:
        places, shapes = _prominent(values[first:last], prominence / 2)
    width, left, right = np.nan, NOWHERE, NOWHERE
    if places.size:
        main = int(np.argmax(shapes["prominences"]))
        index = first + int(places[main])
        width = float(shapes["widths"][main])
        left, right = (first + int(np.round(shapes[ip][main])) for ip in ("left_ips", "right_ips"))
    else:
        index = first + int(np.argmax(values[first:last]))
    return Extremum(index, width, left, right, *_half_crossings(values, index), all_places)


def _prominent(
    values: NDArray[np.floating], prominence: float
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    from scipy.signal import find_peaks  # noqa: PLC0415 - scipy is slow to import

    shapes: dict[str, Any]
    places, shapes = find_peaks(values, prominence=prominence, width=0)  # type: ignore[assignment]
    return np.asarray(places, np.int64), shapes


def _half_crossings(values: NDArray[np.floating], index: int) -> tuple[int, int]:
    """Return the samples before which values cross half of a peak's value, on both sides of it."""
    crossings = np.flatnonzero(np.diff(values >= 0.5 * values[index]))
    place = int(np.searchsorted(crossings, index))
    if place in {0, crossings.size}:
        return NOWHERE, NOWHERE
    return int(crossings[place - 1]), int(crossings[place])


def _nothing() -> Extremum:
    none = np.zeros(0, np.int64)
    return Extremum(NOWHERE, np.nan, NOWHERE, NOWHERE, NOWHERE, NOWHERE, none)
