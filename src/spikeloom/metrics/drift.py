"""How far units move, by the locations of their spikes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.spikes import MetricSpikes
from spikeloom.metrics.time_bins import TimeBins, bins_of_units

_DIRECTIONS = "xyz"


class Drift(NamedTuple):
    """What `drift` returns, in micrometres."""

    drift_ptp: NDArray[np.float64]
    """From the lowest to the highest median position; (n_units,)."""
    drift_std: NDArray[np.float64]
    """Standard deviation of the median positions; (n_units,)."""
    drift_mad: NDArray[np.float64]
    """Median absolute deviation of the median positions; (n_units,)."""


def drift(
    spikes: MetricSpikes,
    spike_locations: ArrayLike,
    *,
    interval_s: float = 60,
    min_spikes_per_interval: int = 100,
    direction: str = "y",
    min_fraction_valid_intervals: float = 0.5,
    min_num_bins: int = 2,
) -> Drift:
    r"""Return how far each unit moves: the spread of its median positions in intervals.

    .. math:: ptp = \max_i p_i - \min_i p_i, \quad std = \operatorname{std}_i\, p_i, \quad
              mad = \operatorname{median}_i |p_i - \operatorname{median}_j\, p_j|

    for the median positions :math:`p_i` in the intervals i.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes.
    spike_locations : array_like of shape (n_spikes, n_dimensions), or structured with x, y (and z)
        In micrometres, in the order of the spike vector.
    interval_s : float, default 60
        Segments and periods are cut into whole intervals of this length in seconds.
    min_spikes_per_interval : int, default 100
        Intervals with fewer spikes are left out.
    direction : {"x", "y", "z"}, default "y"
        Along which axis.
    min_fraction_valid_intervals : float, default 0.5
        If less than this part of the intervals has enough spikes the result is NaN.
    min_num_bins : int, default 2
        If a segment has fewer intervals the result is NaN.

    Returns
    -------
    Drift
        ``drift_ptp``, ``drift_std`` and ``drift_mad`` in micrometres, from 0 up; NaN where
        there are too few spikes or intervals.

    Raises
    ------
    ParameterError
        If locations have no such direction.

    References
    ----------
    Siegle et al. 2021, Survey of spiking in the mouse visual system reveals functional
    hierarchy, Nature 592, 86-92.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.arange(0, 2000, 10)}, 1000.0)
    >>> locations = np.zeros((200, 2))
    >>> locations[100:, 1] = 5
    >>> drift(spikes_of_sorting(sorting, [2000]), locations, interval_s=1).drift_ptp
    array([5.])
    """
    positions = [
        one.astype(np.float64) for one in spikes.values_by_unit(_along(spike_locations, direction))
    ]
    values = np.full((3, spikes.n_units), np.nan)
    offsets = spikes.unit_offsets
    for unit, bins in enumerate(bins_of_units(spikes, interval_s)):
        if not positions[unit].size or not _has_enough_bins(spikes, bins, min_num_bins):
            continue
        medians = np.full(bins.start.size, np.nan)
        for k, (begin, end) in enumerate(bins.spike_ranges(spikes, unit) - offsets[unit]):
            if end - begin >= max(min_spikes_per_interval, 1):
                medians[k] = np.median(positions[unit][begin:end])
        is_valid = np.isfinite(medians)
        n_invalid = medians.size - np.count_nonzero(is_valid)
        if not is_valid.any() or n_invalid > min_fraction_valid_intervals * medians.size:
            continue
        valid = medians[is_valid]
        values[:, unit] = np.ptp(valid), valid.std(), np.median(np.abs(valid - np.median(valid)))
    return Drift(*values)


def _along(spike_locations: ArrayLike, direction: str) -> NDArray[np.float64]:
    """Return the coordinate of each spike along an axis."""
    locations = np.asarray(spike_locations)
    names = locations.dtype.names or tuple(_DIRECTIONS[: locations.shape[1]])
    if direction not in names:
        msg = f"Spike locations have the directions {', '.join(names)}; got {direction!r}."
        raise ParameterError(msg)
    if locations.dtype.names is None:
        return np.asarray(locations[:, names.index(direction)], np.float64)
    return np.asarray(locations[direction], np.float64)


def _has_enough_bins(spikes: MetricSpikes, bins: TimeBins, min_num_bins: int) -> bool:
    n_bins = np.bincount(bins.segment_index, minlength=spikes.n_segments)
    return bool((n_bins >= min_num_bins).all())
