"""Spikes of several units at the very same sample."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.metrics.spikes import MetricSpikes

_SIZES = (2, 4, 8)


class Synchrony(NamedTuple):
    """What `synchrony` returns: parts of each unit's spikes that are in events of a size."""

    sync_spike_2: NDArray[np.float64]
    """In events of two spikes or more; (n_units,)."""
    sync_spike_4: NDArray[np.float64]
    """In events of four spikes or more; (n_units,)."""
    sync_spike_8: NDArray[np.float64]
    """In events of eight spikes or more; (n_units,)."""


def synchrony(spikes: MetricSpikes) -> Synchrony:
    r"""Return which part of each unit's spikes is at the same sample as others.

    An event is all spikes at one sample. Several spikes of a unit in an event count as one of the
    unit, but each to the size of the event. High values hint at artefacts, or at one neuron that
    was given to several units.

    .. math:: \frac{1}{n} \sum_e [c_e \geq size]

    over the events e that a unit of n spikes is in, of :math:`c_e` spikes of all units.

    Parameters
    ----------
    spikes : MetricSpikes
        The spikes of all units.

    Returns
    -------
    Synchrony
        From 0 to 1, without a unit; -1 for units without spikes.

    References
    ----------
    Grün et al. 1999, Detecting unitary events without discretization of time, J Neurosci Methods
    94(1), 67-79.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.metrics.spikes import spikes_of_sorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [30]}, 1000.0)
    >>> synchrony(spikes_of_sorting(sorting, [100])).sync_spike_2
    array([0.5, 1. ])
    """
    counts = spikes.counts
    units, sizes = _in_events(spikes)
    parts = []
    for size in _SIZES:
        in_events = np.bincount(units[sizes >= size], minlength=spikes.n_units)
        part = np.full(spikes.n_units, -1.0)
        np.divide(in_events, counts, out=part, where=counts > 0)
        parts.append(part)
    return Synchrony(*parts)


def _in_events(spikes: MetricSpikes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return unit and size of the event of each spike in one, once for each unit and event."""
    # In the order of the spike vector: by segment, then by sample.
    in_time = np.argsort(spikes.order, kind="stable")
    samples, units = spikes.samples[in_time], spikes.unit_of_spikes()[in_time]
    lengths = np.diff(spikes.slices, axis=2)[:, :, 0].ravel()
    trains = np.tile(np.arange(spikes.n_segments), spikes.n_units)
    segments = np.repeat(trains, lengths)[in_time]
    is_first = np.ones(samples.size, bool)
    is_first[1:] = (np.diff(samples) != 0) | (np.diff(segments) != 0)
    event = np.cumsum(is_first) - 1
    size = np.bincount(event)[event] if event.size else event
    together = size > 1
    keys = np.unique(event[together] * spikes.n_units + units[together])
    first_of_event = np.flatnonzero(is_first)
    return keys % max(spikes.n_units, 1), size[first_of_event[keys // max(spikes.n_units, 1)]]
