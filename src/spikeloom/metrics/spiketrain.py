"""How many spikes a unit has, and how often it fires."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.metrics.spikes import MetricSpikes


def num_spikes(spikes: MetricSpikes) -> NDArray[np.int64]:
    r"""Count the spikes of each unit in all segments.

    .. math:: n = \sum_{segments} n_{segment}

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.

    Returns
    -------
    ndarray of shape (n_units,) and dtype int64
        From 0 on; no unit.

    References
    ----------
    Buccino et al. 2020, SpikeInterface, a unified framework for spike sorting, eLife 9, e61834.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": []}, 1000.0)
    >>> num_spikes(spikes_of_sorting(sorting, [4000]))
    array([2, 0])
    """
    return spikes.counts


def firing_rates(spikes: MetricSpikes) -> NDArray[np.float64]:
    r"""Return how often each unit fires: spikes over the duration of all segments.

    .. math:: n / T \quad \text{for n spikes in a duration T}

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        In Hz, above 0; NaN for a unit without spikes.

    References
    ----------
    Buccino et al. 2020, SpikeInterface, a unified framework for spike sorting, eLife 9, e61834.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": []}, 1000.0)
    >>> firing_rates(spikes_of_sorting(sorting, [4000]))
    array([0.5, nan])
    """
    counts = spikes.counts
    rates = np.full(counts.size, np.nan)
    np.divide(counts, spikes.durations_s, out=rates, where=counts > 0)
    return rates
