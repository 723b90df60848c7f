"""Periods of units: cutting recordings into them, joining them, and how good spikes are in them.

Periods are structured arrays of dtype `unit_period_dtype`, of half-open ranges of samples.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.joined_periods import (
    Periods,
    joined_periods,
    periods_of_rows,
    rows_of_periods,
)
from spikeloom.curation.contamination import contamination_by_pairs
from spikeloom.errors import ParameterError

_LARGEST_CUTOFF = 0.5
"""More than half of the spikes cannot be told to be missing: the peak itself is cut off."""


def common_periods(first: Periods, second: Periods) -> Periods:
    """Return the samples of units that are in periods of both, as joined periods."""
    found = []
    others = rows_of_periods(joined_periods(second))
    for segment, start, end, unit in rows_of_periods(joined_periods(first)):
        for other_segment, other_start, other_end, other_unit in others:
            if (segment, unit) == (other_segment, other_unit):
                low, high = max(start, other_start), min(end, other_end)
                if low < high:
                    found.append((segment, low, high, unit))
    return joined_periods(periods_of_rows(found))


def long_periods(periods: Periods, n_samples: int) -> Periods:
    """Return the periods of at least `n_samples`."""
    is_long = periods["end_sample_index"] - periods["start_sample_index"] >= n_samples
    kept: Periods = periods[is_long]
    return kept


def cut_into_periods(
    n_samples: Sequence[int],
    sizes: NDArray[np.int64],
    relative_margin_size: float = 1.0,
    *,
    unit_indices: NDArray[np.int64],
    min_num_periods: int = 1,
) -> tuple[Periods, Periods]:
    """Cut all segments into periods for each unit.

    Parameters
    ----------
    n_samples : sequence of int
        Samples of each segment.
    sizes : ndarray of shape (n_units,)
        Samples of a period of each unit; the last one of a segment may be shorter.
    relative_margin_size : float, default 1
        How far periods with margins go beyond, in periods, within the segment.
    unit_indices : ndarray of shape (n_units,)
        The units.
    min_num_periods : int, default 1
        Periods are shorter where a segment would have fewer.

    Returns
    -------
    periods, periods_with_margins : ndarray of shape (n_periods,) and dtype unit_period_dtype
        In order of segment, unit and first sample.

    Raises
    ------
    ParameterError
        If a period has no samples.

    Examples
    --------
    >>> periods, wide = cut_into_periods([100], np.array([40]), 0.5, unit_indices=np.array([0]))
    >>> periods["end_sample_index"], wide["start_sample_index"], wide["end_sample_index"]
    (array([ 40,  80, 100]), array([ 0, 20, 60]), array([ 60, 100, 100]))
    """
    plain: list[tuple[int, int, int, int]] = []
    wide: list[tuple[int, int, int, int]] = []
    for segment, n in enumerate(n_samples):
        for unit, asked in zip(unit_indices.tolist(), sizes.tolist(), strict=True):
            size = asked
            if asked > 0 and round(n / asked) < min_num_periods:
                size = max(n // min_num_periods, 1)
            if size < 1:
                msg = "A period has no sample: periods have to be longer."
                raise ParameterError(msg)
            margin = round(relative_margin_size * size)
            for start in range(0, n, size):
                end = min(start + size, n)
                plain.append((segment, start, end, unit))
                wide.append((segment, max(0, start - margin), min(n, end + margin), unit))
    return periods_of_rows(plain), periods_of_rows(wide)


def contaminations(
    train: NDArray[np.int64],
    periods: Periods,
    *,
    refractory: int,
    censored: int,
    min_num_spikes: int = 2,
) -> NDArray[np.float64]:
    """Estimate which part of a unit's spikes in periods is of other neurons.

    See `spikeloom.curation.contamination.contamination_by_pairs`.

    Parameters
    ----------
    train : ndarray of shape (n_spikes,)
        Samples of a unit's spikes in a segment.
    periods : ndarray of shape (n_periods,)
        Of this unit and segment.
    refractory, censored : int
        :math:`t_r` and :math:`t_c` in samples.
    min_num_spikes : int, default 2
        Periods with fewer get nan.

    Returns
    -------
    ndarray of shape (n_periods,) and dtype float64
        From 0 to 1; nan for periods with too few spikes.

    References
    ----------
    Llobet, Wyngaard, Barbour 2022, Automatic post-processing and merging of multiple spike-sorting
    analyses with Lussac, bioRxiv 2022.02.08.479192.

    Examples
    --------
    >>> from spikeloom.core.spike_vector import unit_period_dtype
    >>> periods = np.array([(0, 0, 1000, 0)], unit_period_dtype)
    >>> contaminations(np.array([0, 400, 410, 900]), periods, refractory=20, censored=0)
    array([1.])
    """
    last = np.searchsorted(train, train + refractory, side="right")
    starts, ends = np.searchsorted(
        train, [periods["start_sample_index"], periods["end_sample_index"]]
    )
    found = np.full(len(periods), np.nan)
    lengths = periods["end_sample_index"] - periods["start_sample_index"]
    for k, (begin, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        n = end - begin
        if n < max(min_num_spikes, 2):
            continue
        n_pairs = int((np.minimum(last[begin:end], end) - np.arange(begin, end) - 1).sum())
        found[k] = contamination_by_pairs(
            n_pairs, n, lengths[k], refractory=refractory, censored=censored
        )
    return found


def missing_parts(
    train: NDArray[np.int64],
    amplitudes: NDArray[np.floating],
    periods: Periods,
    *,
    n_bins: int,
    smoothing: float,
    min_ratio: float,
    min_num_spikes: int = 1,
) -> NDArray[np.float64]:
    """Estimate which part of a unit's spikes in periods was too small to be detected.

    If the smoothed histogram of amplitudes is symmetric, what is missing on the low side is what
    stands behind the last bin that is as high as the lowest one.

    Parameters
    ----------
    train : ndarray of shape (n_spikes,)
        Samples of a unit's spikes in a segment.
    amplitudes : ndarray of shape (n_spikes,)
        Turned around if their median is negative.
    periods : ndarray of shape (n_periods,)
        Of this unit and segment.
    n_bins : int
        Bins of the histogram.
    smoothing : float
        Standard deviation of a Gaussian, in bins.
    min_ratio : float
        Periods with fewer spikes per bin get nan.
    min_num_spikes : int, default 1
        As do those with fewer spikes.

    Returns
    -------
    ndarray of shape (n_periods,) and dtype float64
        From 0 to 0.5; nan for periods with too few spikes.

    References
    ----------
    Hill, Mehta, Kleinfeld 2011, Quality metrics to accompany spike sorting of extracellular
    signals, J Neurosci 31(24), 8699-8705.
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 - scipy is slow to import

    upright = -amplitudes if len(amplitudes) and np.median(amplitudes) < 0 else amplitudes
    starts, ends = np.searchsorted(
        train, [periods["start_sample_index"], periods["end_sample_index"]]
    )
    found = np.full(len(periods), np.nan)
    for k, (begin, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        n = end - begin
        if n < max(min_ratio * n_bins, min_num_spikes, 1):
            continue
        histogram = np.histogram(upright[begin:end], n_bins)[0].astype(np.float64)
        smooth = gaussian_filter1d(histogram, smoothing, mode="nearest")
        behind = np.flatnonzero(smooth >= smooth[0])[-1] + 1
        n_missing = smooth[behind:].sum()
        found[k] = min(n_missing / (n + n_missing), _LARGEST_CUTOFF)
    return found
