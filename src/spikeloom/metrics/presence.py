"""Whether a unit is there all the time, and how much its firing rate varies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.spikes import MetricSpikes
from spikeloom.metrics.time_bins import bins_of_units


def presence_ratios(
    spikes: MetricSpikes, *, bin_duration_s: float = 60.0, mean_fr_ratio_thresh: float = 0.0
) -> NDArray[np.float64]:
    r"""Return in which part of the time each unit is active.

    .. math:: \frac{1}{n_{bins}} \sum_b [n_b > \lfloor r \, T_{bin} \, \bar f \rfloor]

    where :math:`n_b` are the spikes in bin b, :math:`\bar f` is the mean firing rate and r
    `mean_fr_ratio_thresh`. Segments and periods are cut into whole bins.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    bin_duration_s : float, default 60
        Length of a bin in seconds.
    mean_fr_ratio_thresh : float, default 0
        A unit is active in a bin if its rate there is above this part of its mean rate.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From 0 (absent) to 1; no unit. NaN for a unit without spikes, and where no segment or
        period is as long as a bin.

    Raises
    ------
    ParameterError
        If `mean_fr_ratio_thresh` is negative, or a bin has no samples.

    References
    ----------
    Siegle et al. 2021, Survey of spiking in the mouse visual system reveals functional
    hierarchy, Nature 592, 86-92.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [10, 1030]}, 1000.0)
    >>> presence_ratios(spikes_of_sorting(sorting, [2000]), bin_duration_s=1.0)
    array([0.5, 1. ])
    """
    if mean_fr_ratio_thresh < 0:
        msg = f"mean_fr_ratio_thresh is a part of the mean rate; got {mean_fr_ratio_thresh}."
        raise ParameterError(msg)
    ratios = np.full(spikes.n_units, np.nan)
    n_spikes, durations_s = spikes.counts, spikes.durations_s
    for unit, bins in enumerate(bins_of_units(spikes, bin_duration_s)):
        if not n_spikes[unit] or not bins.start.size:
            continue
        rate_hz = n_spikes[unit] / durations_s[unit]
        n_least = np.floor(rate_hz * bin_duration_s * mean_fr_ratio_thresh)
        ratios[unit] = np.mean(bins.counts(spikes, unit) > n_least)
    return ratios


def firing_ranges(
    spikes: MetricSpikes,
    *,
    bin_size_s: float = 5,
    percentiles: Sequence[float] = (5, 95),
) -> NDArray[np.float64]:
    """Return the range of each unit's firing rate: between two percentiles of that in bins.

    .. math:: P_{high}(n_b / t_b) - P_{low}(n_b / t_b)

    for percentiles P over bins b with :math:`n_b` spikes in a time :math:`t_b`.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    bin_size_s : float, default 5
        Length of a bin in seconds. Segments and periods are cut into whole bins.
    percentiles : (float, float), default (5, 95)
        The lower and the upper percentile.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In Hz, not negative. NaN for a unit without spikes, and where no segment or period is as
        long as a bin.

    Raises
    ------
    ParameterError
        If a bin has no samples.

    References
    ----------
    Designed by Simon Musall for SpikeInterface (Buccino et al. 2020, eLife 9:e61834).

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30, 1010]}, 1000.0)
    >>> firing_ranges(spikes_of_sorting(sorting, [2000]), bin_size_s=1, percentiles=(0, 100))
    array([1.])
    """
    ranges = np.full(spikes.n_units, np.nan)
    n_spikes = spikes.counts
    for unit, bins in enumerate(bins_of_units(spikes, bin_size_s)):
        if n_spikes[unit] and bins.start.size:
            rates_hz = bins.counts(spikes, unit) / bin_size_s
            low, high = np.percentile(rates_hz, percentiles)
            ranges[unit] = high - low
    return ranges
