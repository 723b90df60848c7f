"""Spikes by label: one array of spike indices in which each label owns a range.

The layout is that of a compressed sparse row matrix. `order` lists all spikes, first those of
the first label, then those of the second; `offsets` tells where each label begins. Within a
label spikes stay in time order. It is built by two linear passes and may be a memory map.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError
from spikeloom.kernels.spike_order import count_labels, fill_order

_DENSE_LABELS_PER_SPIKE = 4
_DENSE_LABELS_MIN = 1 << 20


@dataclass(frozen=True, slots=True)
class SpikeGroups:
    """Spikes grouped by an integer label."""

    labels: NDArray[np.int64]
    """The labels that occur, increasing; shape (n_labels,)."""
    offsets: NDArray[np.int64]
    """Start of each label's range in `order`, and its end; shape (n_labels + 1,)."""
    order: NDArray[np.integer]
    """Spike indices, grouped by label, increasing within one; shape (n_spikes,)."""

    def spikes_of(self, label: int) -> NDArray[np.integer]:
        """Return the spikes of `label`, a view; empty for a label that does not occur."""
        position = int(np.searchsorted(self.labels, label))
        if position == self.labels.size or self.labels[position] != label:
            return self.order[:0]
        return self.order[self.offsets[position] : self.offsets[position + 1]]

    def counts(self) -> NDArray[np.int64]:
        """Return how many spikes each of `labels` has; shape (n_labels,)."""
        return np.diff(self.offsets)


def count_by_label(
    spike_labels: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.integer]]:
    """Return the labels that occur, their counts, and each spike's position among the labels.

    Raises
    ------
    DataError
        If a label is negative.
    """
    n_spikes = spike_labels.size
    if n_spikes == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), spike_labels
    low, high = int(spike_labels.min()), int(spike_labels.max())
    if low < 0:
        msg = f"A cluster id is {low}; cluster ids are not negative."
        raise DataError(msg)
    if high >= max(_DENSE_LABELS_MIN, _DENSE_LABELS_PER_SPIKE * n_spikes):
        # A few huge ids: counting into a table as long as the largest would waste memory.
        labels, positions, counts = np.unique(spike_labels, return_inverse=True, return_counts=True)
        return labels.astype(np.int64), counts.astype(np.int64), positions.reshape(-1)
    table = np.zeros(high + 1, np.int64)  # (max_label + 1,)
    count_labels(spike_labels, table)
    labels = np.flatnonzero(table)
    if labels.size == table.size:
        return labels, table, spike_labels
    position_of = np.zeros(high + 1, np.int32)
    position_of[labels] = np.arange(labels.size)
    return labels, table[labels], position_of[spike_labels]


def group_spikes(spike_labels: NDArray[np.integer]) -> SpikeGroups:
    """Group spikes by label.

    Parameters
    ----------
    spike_labels : ndarray of shape (n_spikes,) and an integer dtype
        Label of each spike, not negative.

    Raises
    ------
    DataError
        If a label is negative.

    Examples
    --------
    >>> groups = group_spikes(np.array([2, 5, 2, 2]))
    >>> groups.labels, groups.spikes_of(2), groups.spikes_of(3)
    (array([2, 5]), array([0, 2, 3], dtype=int32), array([], dtype=int32))
    """
    spike_labels = np.asarray(spike_labels)
    labels, counts, positions = count_by_label(spike_labels)
    offsets = np.concatenate(([0], np.cumsum(counts)))  # (n_labels + 1,)
    dtype = np.int32 if spike_labels.size <= np.iinfo(np.int32).max else np.int64
    order: NDArray[np.integer] = np.empty(spike_labels.size, dtype)  # (n_spikes,)
    fill_order(positions, offsets[:-1].copy(), order)
    return SpikeGroups(labels, offsets, order)
