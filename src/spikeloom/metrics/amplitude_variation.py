"""How much a unit's spike amplitudes vary: from spike to spike, and compared with the noise."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.metrics.spikes import MetricSpikes
from spikeloom.metrics.time_bins import bins_of_unit


class AmplitudeCv(NamedTuple):
    """What `amplitude_cvs` returns."""

    amplitude_cv_median: NDArray[np.float64]
    """Median of the coefficients of variation in bins; (n_units,)."""
    amplitude_cv_range: NDArray[np.float64]
    """Range between two of their percentiles; (n_units,)."""


def amplitude_cvs(
    spikes: MetricSpikes,
    spike_amplitudes: ArrayLike,
    *,
    average_num_spikes_per_bin: float = 50,
    percentiles: Sequence[float] = (5, 95),
    min_num_bins: int = 10,
) -> AmplitudeCv:
    r"""Return median and range of the coefficient of variation of amplitudes in bins of time.

    .. math:: CV_b = \sigma(a_i \in b) / |\bar a|

    with the mean of all amplitudes of the unit in the segment. Bins are as long as it takes the
    unit to fire `average_num_spikes_per_bin` spikes. A bin in which it is silent has no variation
    and is left out.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    spike_amplitudes : array_like of shape (n_spikes,)
        Amplitudes, or scalings of the templates, in the order of the spike vector.
    average_num_spikes_per_bin : float, default 50
        Says how long bins are.
    percentiles : (float, float), default (5, 95)
        The lower and the upper percentile for the range.
    min_num_bins : int, default 10
        Units with fewer bins get NaN.

    Returns
    -------
    AmplitudeCv
        ``amplitude_cv_median`` and ``amplitude_cv_range``, from 0 up, without a unit.

    References
    ----------
    Designed by Simon Musall and Alessio Buccino for SpikeInterface (Buccino et al. 2020, eLife
    9:e61834).

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.arange(0, 2000, 2)}, 1000.0)
    >>> amplitudes = np.tile([-90.0, -110.0], 500)
    >>> amplitude_cvs(spikes_of_sorting(sorting, [2000]), amplitudes).amplitude_cv_median
    array([0.1])
    """
    results = np.full((2, spikes.n_units), np.nan)
    counts, durations_s, offsets = spikes.counts, spikes.durations_s, spikes.unit_offsets
    for unit, values in enumerate(spikes.values_by_unit(spike_amplitudes)):
        if not values.size:
            continue
        bin_s = average_num_spikes_per_bin / (counts[unit] / durations_s[unit])
        size = max(int(bin_s * spikes.sampling_frequency), 1)
        bins = bins_of_unit(spikes, unit, size)
        ranges = bins.spike_ranges(spikes, unit) - offsets[unit]
        has_spikes = ranges[:, 1] > ranges[:, 0]
        ranges, segments = ranges[has_spikes], bins.segment_index[has_spikes]
        if len(ranges) < max(min_num_bins, 1):
            continue
        means = _segment_means(spikes, unit, values)[segments]
        with np.errstate(divide="ignore", invalid="ignore"):
            variations = _deviations(values, ranges) / np.abs(means)
        low, high = np.percentile(variations, percentiles)
        results[:, unit] = np.median(variations), high - low
    return AmplitudeCv(*results)


def sd_ratios(
    spikes: MetricSpikes,
    spike_amplitudes: ArrayLike,
    noise_std: ArrayLike,
    main_channels: ArrayLike,
    templates: NDArray[np.floating] | None = None,
    *,
    censored_period_ms: float = 4.0,
    correct_for_drift: bool = True,
    correct_for_template_itself: bool = True,
) -> NDArray[np.float64]:
    r"""Return how much each unit's amplitudes vary, relative to the noise on its main channel.

    .. math:: ratio = \frac{\sigma(\Delta a) / \sqrt 2}{\sqrt{\sigma_{noise}^2 - v_{template}}},
              \quad v_{template} = p \overline{t^2} - p^2 \bar t^2, \quad p = n_t n / T

    for differences between successive amplitudes (which a slow drift does not change), and the
    variance that n spikes with a template t of :math:`n_t` samples bring into a trace of T samples.
    About 1 for a pure unit: only noise makes its amplitudes vary.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    spike_amplitudes : array_like of shape (n_spikes,)
        In the order of the spike vector.
    noise_std : array_like of shape (n_channels,)
        Standard deviation of the traces, in the unit of the amplitudes.
    main_channels : array_like of shape (n_units,)
        Position of each unit's main channel.
    templates : ndarray of shape (n_units, n_samples, n_channels), optional
        In the unit of the amplitudes; needed for `correct_for_template_itself`.
    censored_period_ms : float, default 4
        Spikes at most so soon after one of the same unit are left out: in bursts they shrink.
    correct_for_drift : bool, default True
        Take differences between successive amplitudes.
    correct_for_template_itself : bool, default True
        Subtract the variance that the spikes themselves bring into the trace.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From 0 up, no unit. NaN for a unit without spikes, or whose template has more variance than
        the trace; 0 for a unit with one spike.

    References
    ----------
    Pouzat, Mazor, Laurent 2002, Using noise signature to optimize spike-sorting and to assess
    neuronal classification quality, J Neurosci Methods 122(1), 43-57.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.arange(0, 20000, 10)}, 1000.0)
    >>> amplitudes = np.random.default_rng(0).normal(-100, 5, 2000)
    >>> spikes = spikes_of_sorting(sorting, [20000])
    >>> sd_ratios(spikes, amplitudes, [5.0], [0], correct_for_template_itself=False)
    array([1.0])
    """
    channels = np.asarray(main_channels, np.int64)
    variances = np.asarray(noise_std, np.float64)[channels] ** 2
    if correct_for_template_itself and templates is not None:
        shapes = templates[np.arange(len(channels)), :, channels].astype(np.float64)
        part = shapes.shape[1] * spikes.counts / np.maximum(spikes.total_samples, 1)
        variances -= part * (shapes**2).mean(axis=1) - part**2 * shapes.mean(axis=1) ** 2
    is_kept = _uncensored(spikes, round(censored_period_ms * 1e-3 * spikes.sampling_frequency))
    deviations = np.full(spikes.n_units, np.nan)
    offsets = spikes.unit_offsets
    for unit, every in enumerate(spikes.values_by_unit(spike_amplitudes)):
        values = every[is_kept[offsets[unit] : offsets[unit + 1]]].astype(np.float64)
        if values.size == 1:
            deviations[unit] = 0.0
        elif values.size and correct_for_drift:
            deviations[unit] = np.diff(values).std() / np.sqrt(2)
        elif values.size:
            deviations[unit] = values.std()
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = deviations / np.sqrt(variances)
    ratios[deviations == 0] = 0.0
    return ratios


def _segment_means(
    spikes: MetricSpikes, unit_index: int, values: NDArray[np.generic]
) -> NDArray[np.float64]:
    """Return the mean of a unit's values in each segment, NaN in one without spikes."""
    counts = np.diff(spikes.slices[unit_index], axis=1)[:, 0]
    segments = np.repeat(np.arange(spikes.n_segments), counts)
    sums = np.bincount(segments, values.astype(np.float64), spikes.n_segments)
    means = np.full(spikes.n_segments, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _deviations(values: NDArray[np.generic], ranges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the standard deviation of the values in each range, none of them empty."""
    # Around their mean, so that squares are small and their differences precise.
    centred = values.astype(np.float64)
    centred -= centred.mean()
    sums = np.concatenate(([0.0], np.cumsum(centred)))[ranges]
    squares = np.concatenate(([0.0], np.cumsum(centred**2)))[ranges]
    counts = ranges[:, 1] - ranges[:, 0]
    means = (sums[:, 1] - sums[:, 0]) / counts
    variances = (squares[:, 1] - squares[:, 0]) / counts - means**2
    deviations: NDArray[np.float64] = np.sqrt(np.maximum(variances, 0))
    deviations[counts == 1] = 0.0
    return deviations


def _uncensored(spikes: MetricSpikes, censored_period: int) -> NDArray[np.bool_]:
    """Tell which spikes remain if each that remains removes those right after it; (n_spikes,)."""
    keys = spikes.keys(gap=censored_period)
    alive = np.arange(keys.size)
    while alive.size > 1:
        # A spike that is not close to the one before it is certain to remain, and removes the next
        # one if that is close. One round for each spike of the longest burst.
        is_close = np.concatenate(([False], np.diff(keys[alive]) <= censored_period))
        is_removed = np.concatenate(([False], is_close[1:] & ~is_close[:-1]))
        if not is_removed.any():
            break
        alive = alive[~is_removed]
    is_kept = np.zeros(keys.size, bool)
    is_kept[alive] = True
    return is_kept
