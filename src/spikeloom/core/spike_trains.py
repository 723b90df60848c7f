"""Spikes by unit: which spikes a unit has, and its train, as slices of one array.

One linear counting pass groups the spikes of all units. Groups are ranges of a single array,
so the trains of 500 units cost one array and no copies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_vector import (
    SpikeTable,
    blocks,
    check_unit_range,
    cut_train,
    offsets_of,
    read_only,
    uses_kernels,
)
from spikeloom.errors import ParameterError

Major = Literal["unit", "segment"]
"""What groups stand in order of first: all segments of one unit, or all units of one segment."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitOrder:
    """Spikes of a table, grouped by unit and segment."""

    order: NDArray[np.int64]
    """Places in the spike vector, group by group, increasing within one; shape (n_spikes,)."""
    slices: NDArray[np.int64]
    """First place of each group in `order`, and its end; shape (n_units, n_segments, 2), or
    (n_segments, n_units, 2) for groups in order of segments first."""
    major: Major
    """What groups stand in order of first."""

    def spikes_of(self, unit_index: int, segment_index: int | None = None) -> NDArray[np.int64]:
        """Return the places of a unit's spikes in the spike vector, increasing.

        A view of `order`; without a segment, of all segments, which is a view only if groups
        stand in order of units first.
        """
        by_unit = self.slices if self.major == "unit" else self.slices.swapaxes(0, 1)
        groups = by_unit[unit_index]  # (n_segments, 2)
        if segment_index is not None:
            begin, end = groups[segment_index]
            return self.order[begin:end]
        if groups.shape[0] == 0:
            return self.order[:0]
        if self.major == "unit":
            return self.order[groups[0, 0] : groups[-1, 1]]
        return np.concatenate([self.order[begin:end] for begin, end in groups])


@dataclass(frozen=True, slots=True, eq=False)
class UnitTrains:
    """Samples of the spikes of a table, grouped by unit and segment."""

    samples: NDArray[np.int64]
    """Samples, unit by unit and segment by segment, increasing within one; (n_spikes,)."""
    slices: NDArray[np.int64]
    """Where each train begins in `samples`, and ends; shape (n_units, n_segments, 2)."""

    def train(
        self,
        unit_index: int,
        segment_index: int,
        start_frame: int | None = None,
        end_frame: int | None = None,
    ) -> NDArray[np.int64]:
        """Return the samples of a unit's spikes in ``[start_frame, end_frame)``, a view."""
        begin, end = self.slices[unit_index, segment_index]
        samples = self.samples[begin:end]
        first, last = cut_train(samples, start_frame, end_frame)
        return samples[first:last]


def count_spikes(table: SpikeTable, n_units: int) -> NDArray[np.int64]:
    """Count the spikes of each unit in each segment.

    Returns
    -------
    ndarray of shape (n_units, n_segments)

    Raises
    ------
    DataError
        If a unit index is out of range.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 9, 4]), np.array([1, 0, 1]), np.array([0, 2, 3]))
    >>> count_spikes(table, 3)
    array([[1, 0], [1, 1], [0, 0]])
    """
    check_unit_range(table.unit_index, n_units)
    counts = np.zeros((n_units, table.n_segments), np.int64)
    for segment_index in range(table.n_segments):
        spikes = table.segment_slice(segment_index)
        # In blocks: bincount makes a copy with 8 bytes a spike.
        for block in blocks(spikes):
            counts[:, segment_index] += np.bincount(table.unit_index[block], minlength=n_units)
    return counts


def group_by_unit(table: SpikeTable, n_units: int, *, major: Major = "unit") -> UnitOrder:
    """Group the spikes by unit and segment, in linear time.

    Parameters
    ----------
    table : SpikeTable
    n_units : int
    major : {"unit", "segment"}
        What groups stand in order of first.

    Raises
    ------
    DataError
        If a unit index is out of range.
    ParameterError
        If `major` is something else.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 9, 4]), np.array([1, 0, 1]), np.array([0, 2, 3]))
    >>> groups = group_by_unit(table, 2)
    >>> groups.order, groups.spikes_of(1), groups.spikes_of(1, segment_index=1)
    (array([1, 0, 2]), array([0, 2]), array([2]))
    """
    slices = _slices(table, n_units, major)
    order = np.empty(table.n_spikes, np.int64)
    if not uses_kernels(table.n_spikes):
        _group_plain(table, slices, major, order)
    else:
        _group_compiled(table, slices, major, order)
    return UnitOrder(read_only(order), read_only(slices), major)


def trains_by_unit(table: SpikeTable, n_units: int) -> UnitTrains:
    """Make the trains of all units and segments, in linear time.

    Raises
    ------
    DataError
        If a unit index is out of range.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 9, 4]), np.array([1, 0, 1]), np.array([0, 2, 3]))
    >>> trains = trains_by_unit(table, 2)
    >>> trains.train(1, 0), trains.train(1, 1), trains.train(0, 0, end_frame=9)
    (array([3]), array([4]), array([], dtype=int64))
    """
    slices = _slices(table, n_units, "unit")
    samples = np.empty(table.n_spikes, np.int64)
    if not uses_kernels(table.n_spikes):
        _group_plain(table, slices, "unit", samples)
        samples = np.asarray(table.sample_index[samples])
    else:
        _group_compiled(table, slices, "unit", samples, of_samples=True)
    return UnitTrains(read_only(samples), read_only(slices))


def spike_vector_to_spike_trains(
    spike_vector: Sequence[NDArray[np.void]], unit_ids: ArrayLike
) -> dict[int, dict[Any, NDArray[np.int64]]]:
    """Return the trains of all units, segment by segment.

    Parameters
    ----------
    spike_vector : list of ndarray
        The spike vector of each segment, in order of time.
    unit_ids : array_like of shape (n_units,)

    Returns
    -------
    dict of segment index to dict of unit id to ndarray of shape (n_spikes,)
        Samples, views of one array.

    Raises
    ------
    DataError
        If a unit index has no unit id.

    Examples
    --------
    >>> from spikeloom.core.spike_vector import minimum_spike_dtype
    >>> spikes = np.array([(2, 1, 0), (5, 0, 0), (7, 1, 0)], minimum_spike_dtype)
    >>> spike_vector_to_spike_trains([spikes], ["a", "b"])
    {0: {np.str_('a'): array([5]), np.str_('b'): array([2, 7])}}
    """
    ids = np.asarray(unit_ids)
    trains = trains_by_unit(_table_of_list(spike_vector), ids.size)
    return {
        segment_index: {ids[i]: trains.train(i, segment_index) for i in range(ids.size)}
        for segment_index in range(len(spike_vector))
    }


def spike_vector_to_indices(
    spike_vector: Sequence[NDArray[np.void]],
    unit_ids: ArrayLike,
    absolute_index: bool = False,
) -> dict[int, dict[Any, NDArray[np.int64]]]:
    """Return where each unit's spikes stand, segment by segment.

    Parameters
    ----------
    spike_vector : list of ndarray
        The spike vector of each segment.
    unit_ids : array_like of shape (n_units,)
    absolute_index : bool
        Whether places are counted from the first spike of all segments, not of their own.

    Returns
    -------
    dict of segment index to dict of unit id to ndarray of shape (n_spikes,)

    Raises
    ------
    DataError
        If a unit index has no unit id.

    Examples
    --------
    >>> from spikeloom.core.spike_vector import minimum_spike_dtype
    >>> spikes = np.array([(2, 1, 0), (5, 0, 0), (7, 1, 0)], minimum_spike_dtype)
    >>> spike_vector_to_indices([spikes[:2], spikes[2:]], [10, 20], absolute_index=True)
    {0: {np.int64(10): array([1]), np.int64(20): array([0])},
     1: {np.int64(10): array([], dtype=int64), np.int64(20): array([2])}}
    """
    ids = np.asarray(unit_ids)
    table = _table_of_list(spike_vector)
    groups = group_by_unit(table, ids.size, major="segment")
    first = np.zeros(table.n_segments, np.int64) if absolute_index else table.segment_offsets[:-1]
    return {
        segment_index: {
            ids[i]: groups.spikes_of(i, segment_index) - first[segment_index]
            for i in range(ids.size)
        }
        for segment_index in range(table.n_segments)
    }


def _table_of_list(spike_vector: Sequence[NDArray[np.void]]) -> SpikeTable:
    """Return a table over the spike vectors of all segments, one after the other."""
    offsets = offsets_of([part.size for part in spike_vector])
    if len(spike_vector) == 1:
        samples, units = spike_vector[0]["sample_index"], spike_vector[0]["unit_index"]
    else:
        none = [np.zeros(0, np.int64)]
        samples = np.concatenate([part["sample_index"] for part in spike_vector] or none)
        units = np.concatenate([part["unit_index"] for part in spike_vector] or none)
    return SpikeTable(samples, units, offsets)


def _slices(table: SpikeTable, n_units: int, major: Major) -> NDArray[np.int64]:
    """Return where the group of each unit and segment begins and ends."""
    if major not in {"unit", "segment"}:
        msg = f"Groups are in order of 'unit' or 'segment' first; got major={major!r}."
        raise ParameterError(msg)
    counts = count_spikes(table, n_units)
    counts = counts if major == "unit" else counts.T
    offsets = offsets_of(counts.ravel())
    return np.stack([offsets[:-1], offsets[1:]], axis=-1).reshape(*counts.shape, 2)


def _starts(slices: NDArray[np.int64], major: Major, segment_index: int) -> NDArray[np.int64]:
    """Return where the groups of all units of a segment begin, a new array (n_units,)."""
    starts = slices[:, segment_index, 0] if major == "unit" else slices[segment_index, :, 0]
    return starts.copy()


def _group_plain(
    table: SpikeTable, slices: NDArray[np.int64], major: Major, order: NDArray[np.int64]
) -> None:
    """Fill `order` by numpy's stable sort."""
    n_units = slices.shape[0 if major == "unit" else 1]
    # numpy sorts numbers of 16 bits by a radix sort.
    dtype = np.uint16 if n_units <= 1 << 16 else np.int64
    for segment_index in range(table.n_segments):
        spikes = table.segment_slice(segment_index)
        units = table.unit_index[spikes].astype(dtype)
        grouped = np.argsort(units, kind="stable")
        in_order = units[grouped]
        # A spike's place: where its group begins, and how many of the group stand before it.
        group_begins = np.searchsorted(in_order, np.arange(n_units))
        shift = _starts(slices, major, segment_index) - group_begins
        order[np.arange(grouped.size) + shift[in_order]] = grouped + spikes.start


def _group_compiled(
    table: SpikeTable,
    slices: NDArray[np.int64],
    major: Major,
    filled: NDArray[np.int64],
    *,
    of_samples: bool = False,
) -> None:
    """Fill the groups with the spikes' places, or their samples, by one pass over the spikes."""
    # Late: numba is slow to import.
    from spikeloom.kernels.spike_order import fill_spikes, fill_trains  # noqa: PLC0415

    for segment_index in range(table.n_segments):
        next_slot = _starts(slices, major, segment_index)
        for block in blocks(table.segment_slice(segment_index)):
            # Plain arrays of one kind: each other kind, such as a field of a spike vector or an
            # array that is read only, would be compiled for separately.
            units = table.unit_index[block].astype(np.int32)
            if of_samples:
                samples = table.sample_index[block].astype(np.int64)
                fill_trains(units, samples, next_slot, filled)
            else:
                fill_spikes(units, block.start, next_slot, filled)
