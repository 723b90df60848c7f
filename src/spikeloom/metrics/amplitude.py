"""The distribution of a unit's spike amplitudes: its middle, and what is missing of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.spikes import MetricSpikes

_LARGEST_CUTOFF = 0.5
"""More than half of the spikes cannot be told to be missing: the peak itself is cut off."""


class NoiseCutoffs(NamedTuple):
    """What `noise_cutoffs` returns."""

    noise_cutoff: NDArray[np.float64]
    """How far low bins are above high ones, in standard deviations of those; (n_units,)."""
    noise_ratio: NDArray[np.float64]
    """Spikes in the low bins relative to the fullest bin; (n_units,)."""


def amplitude_medians(spikes: MetricSpikes, spike_amplitudes: ArrayLike) -> NDArray[np.float64]:
    r"""Return the median amplitude of each unit's spikes.

    .. math:: \operatorname{median}_s\, a_s \quad \text{over the spikes s of a unit}

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    spike_amplitudes : array_like of shape (n_spikes,)
        In microvolts, in the order of the spike vector.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In the unit of the amplitudes, with their sign; NaN for a unit without spikes.

    References
    ----------
    International Brain Laboratory et al. 2022, Spike sorting pipeline for the International Brain
    Laboratory, doi:10.6084/m9.figshare.19705522.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30, 50], "b": [20]}, 1000.0)
    >>> amplitude_medians(spikes_of_sorting(sorting, [100]), [-50.0, -9.0, -70.0, -60.0])
    array([-60., -9.])
    """
    medians = np.full(spikes.n_units, np.nan)
    for unit, values in _finite_by_unit(spikes, spike_amplitudes):
        if values.size:
            medians[unit] = np.median(values)
    return medians


def amplitude_cutoffs(
    spikes: MetricSpikes,
    spike_amplitudes: ArrayLike,
    *,
    num_histogram_bins: int = 100,
    histogram_smoothing_value: float = 3,
    amplitudes_bins_min_ratio: float = 5,
) -> NDArray[np.float64]:
    r"""Estimate which part of each unit's spikes was too small to be detected.

    If the histogram of amplitudes (smoothed by a Gaussian of `histogram_smoothing_value` bins)
    is symmetric, what is missing on the low side is what stands on the high side behind the last
    bin that is as high as the lowest bin: :math:`m = \sum_{b > G} h_b`, and the result is
    :math:`m / (n + m)`, at most 0.5. Drift makes histograms wide, and the result wrong.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    spike_amplitudes : array_like of shape (n_spikes,)
        Amplitudes, or scalings of the templates, in the order of the spike vector. Those of units
        whose median is negative are turned around.
    num_histogram_bins : int, default 100
        Bins from the smallest to the largest amplitude.
    histogram_smoothing_value : float, default 3
        Standard deviation of the Gaussian, in bins.
    amplitudes_bins_min_ratio : float, default 5
        Units with fewer spikes per bin get NaN.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        A part of the spikes, from 0 to 0.5; NaN for units with too few spikes.

    Raises
    ------
    ParameterError
        If there are no bins.

    Notes
    -----
    Smoothed counts stay fractions. SpikeInterface truncates them to whole numbers since 0.104, so
    that its result depends on how many spikes there are.

    References
    ----------
    Hill, Mehta, Kleinfeld 2011, Quality metrics to accompany spike sorting of extracellular
    signals, J Neurosci 31(24), 8699-8705.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.arange(2000)}, 1000.0)
    >>> amplitudes = np.random.default_rng(0).normal(-100, 20, 2000)
    >>> amplitudes[amplitudes > -80] = -125  # 16 % of them were too small
    >>> amplitude_cutoffs(spikes_of_sorting(sorting, [2000]), amplitudes)
    array([0.1])
    """
    from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 - scipy is slow to import

    if num_histogram_bins < 1:
        msg = f"num_histogram_bins has to be at least 1; got {num_histogram_bins}."
        raise ParameterError(msg)
    cutoffs = np.full(spikes.n_units, np.nan)
    for unit, values in _finite_by_unit(spikes, spike_amplitudes):
        if not values.size or values.size < amplitudes_bins_min_ratio * num_histogram_bins:
            continue
        histogram = np.histogram(_upright(values), num_histogram_bins)[0].astype(np.float64)
        smooth = gaussian_filter1d(histogram, histogram_smoothing_value, mode="nearest")
        last = np.flatnonzero(smooth >= smooth[0])[-1]
        n_missing = smooth[last + 1 :].sum()
        cutoffs[unit] = min(n_missing / (values.size + n_missing), _LARGEST_CUTOFF)
    return cutoffs


def noise_cutoffs(
    spikes: MetricSpikes,
    spike_amplitudes: ArrayLike,
    *,
    high_quantile: float = 0.25,
    low_quantile: float = 0.1,
    n_bins: int = 100,
) -> NoiseCutoffs:
    r"""Compare the lowest bins of each unit's histogram of amplitudes with the highest.

    .. math:: cutoff = \frac{\bar h_{low} - \bar h_{high}}{\sigma(h_{high})}, \quad
              ratio = \frac{\bar h_{low}}{\max h}

    Low bins end at the quantile `low_quantile` of the amplitudes or before, high ones begin at
    ``1 - high_quantile`` or after.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    spike_amplitudes : array_like of shape (n_spikes,)
        In the order of the spike vector. Those of units whose median is negative are turned around.
    high_quantile : float, default 0.25
        Part of the amplitudes that are the reference.
    low_quantile : float, default 0.1
        Part of the amplitudes that are tested.
    n_bins : int, default 100
        Bins from the smallest to the largest amplitude.

    Returns
    -------
    NoiseCutoffs
        ``noise_cutoff`` (any number; above about 5 much is missing) and ``noise_ratio`` (0 to 1),
        without units; NaN where there are too few bins, or no spikes.

    References
    ----------
    International Brain Laboratory et al. 2024, Spike sorting pipeline for the International Brain
    Laboratory, version 4, doi:10.6084/m9.figshare.19705522.v4.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.arange(2000)}, 1000.0)
    >>> amplitudes = np.random.default_rng(0).normal(100, 10, 2000)
    >>> noise_cutoffs(spikes_of_sorting(sorting, [2000]), amplitudes).noise_ratio
    array([0.1])
    """
    values_of_units = np.full((2, spikes.n_units), np.nan)
    for unit, values in _finite_by_unit(spikes, spike_amplitudes):
        if values.size:
            values_of_units[:, unit] = _noise_cutoff(
                _upright(values), high_quantile, low_quantile, n_bins
            )
    return NoiseCutoffs(*values_of_units)


def _noise_cutoff(
    values: NDArray[Any], high_quantile: float, low_quantile: float, n_bins: int
) -> tuple[float, float]:
    counts, edges = np.histogram(values, bins=n_bins)
    low, high = np.quantile(values, [low_quantile, 1 - high_quantile])
    low_counts, high_counts = counts[edges[1:] <= low], counts[edges[:-1] >= high]
    if not low_counts.size:
        return np.nan, np.nan
    ratio = float(low_counts.mean() / counts.max())
    # A single bin, or bins of one height, have no spread to measure with.
    if high_counts.size < 2 or np.ptp(high_counts) == 0:
        return np.nan, ratio
    return float((low_counts.mean() - high_counts.mean()) / high_counts.std()), ratio


def _upright(values: NDArray[Any]) -> NDArray[Any]:
    """Turn amplitudes around if their median is negative."""
    return -values if np.median(values) < 0 else values


def _finite_by_unit(
    spikes: MetricSpikes, spike_amplitudes: ArrayLike
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield each unit's amplitudes, without those that are not numbers."""
    for unit, values in enumerate(spikes.values_by_unit(spike_amplitudes)):
        yield unit, values[np.isfinite(values)]
