"""Sortings to which spikes and units were added, and which know which ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_vector import (
    SpikeTable,
    check_unit_range,
    minimum_spike_dtype,
    offsets_of,
    ties_are_in_order,
    uses_kernels,
)
from spikeloom.errors import ParameterError

_ORIGINAL, _ADDED, _NEW = 0, 1, 2
_N_KEY_BITS = 63


@stored_as("spikeinterface.core.generate.TransformSorting")
class TransformSorting(BaseSorting):
    """A sorting to which spikes were added, to its own units or as new ones.

    Parameters
    ----------
    sorting : BaseSorting
        What spikes are added to.
    added_spikes_existing_units : ndarray of shape (n_added,), optional
        Spike vector of the spikes to add to units of `sorting`.
    added_spikes_new_units : ndarray of shape (n_new,), optional
        Spike vector of the spikes of new units, whose indices go on after those of `sorting`.
    new_unit_ids : list, optional
        Ids of the new units, of the same type as those of `sorting`.
    refractory_period_ms : float, optional
        If given, spikes are not added to existing units within this time of another spike of the
        unit.

    Raises
    ------
    ParameterError
        If new ids are there already or of another type, or if spikes are of no unit or segment.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 500]}, 10_000.0)
    >>> more = TransformSorting.add_from_unit_dict(sorting, {"a": [15, 300]}, 1.0)
    >>> more.get_unit_spike_train("a"), more.get_added_spikes_indices()
    (array([ 10, 300, 500]), array([1]))
    """

    def __init__(
        self,
        sorting: BaseSorting,
        added_spikes_existing_units: ArrayLike | None = None,
        added_spikes_new_units: ArrayLike | None = None,
        new_unit_ids: Sequence[Any] | None = None,
        refractory_period_ms: float | None = None,
    ) -> None:
        new_ids = _checked_new_ids(sorting, new_unit_ids)
        super().__init__(sorting.sampling_frequency, [*sorting.unit_ids.tolist(), *new_ids])
        self._parent = sorting
        self.parent_unit_ids = sorting.unit_ids
        self.refractory_period_ms = refractory_period_ms
        n_known = sorting.get_num_units()
        original = sorting.spike_table()
        added = as_spike_vector(added_spikes_existing_units)
        new = as_spike_vector(added_spikes_new_units)
        for vector, n_units in ((added, n_known), (new, n_known + len(new_ids))):
            check_unit_range(vector["unit_index"], n_units)
            _check_segments(vector["segment_index"], original.n_segments)
        if refractory_period_ms is not None:
            period = int(refractory_period_ms * self.sampling_frequency / 1000)
            added = added[_can_be_added(original, added, period)]
        self._table, source = _merged(original, added, new)
        self.added_spikes_from_existing_mask: NDArray[np.bool_] = source == _ADDED
        """Which spikes of the spike vector were added to units of the sorting."""
        self.added_spikes_from_new_mask: NDArray[np.bool_] = source == _NEW
        """Which spikes of the spike vector are of new units."""
        for k in range(original.n_segments):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        sorting.copy_time_info(self)
        self._kwargs = {
            "sorting": sorting,
            "added_spikes_existing_units": added,
            "added_spikes_new_units": new,
            "new_unit_ids": new_ids,
            "refractory_period_ms": refractory_period_ms,
        }

    def _make_spike_table(self) -> SpikeTable:
        return self._table

    @property
    def added_spikes_mask(self) -> NDArray[np.bool_]:
        """Which spikes of the spike vector were added; shape (n_spikes,)."""
        return self.added_spikes_from_existing_mask | self.added_spikes_from_new_mask

    def get_added_spikes_indices(self) -> NDArray[np.int64]:
        """Return the positions of the added spikes in the spike vector."""
        return np.flatnonzero(self.added_spikes_mask)

    def get_added_spikes_from_existing_indices(self) -> NDArray[np.int64]:
        """Return the positions of spikes that were added to units of the sorting."""
        return np.flatnonzero(self.added_spikes_from_existing_mask)

    def get_added_spikes_from_new_indices(self) -> NDArray[np.int64]:
        """Return the positions of the spikes of new units."""
        return np.flatnonzero(self.added_spikes_from_new_mask)

    def get_added_units_inds(self) -> NDArray[Any]:
        """Return the ids of the new units."""
        return self.unit_ids[len(self.parent_unit_ids) :]

    @staticmethod
    def add_from_sorting(
        sorting1: BaseSorting, sorting2: BaseSorting, refractory_period_ms: float | None = None
    ) -> "TransformSorting":
        """Add the spikes of a sorting to another: units of the same id are joined.

        Parameters
        ----------
        sorting1 : BaseSorting
            What is added to.
        sorting2 : BaseSorting
            What is added: the spikes of its units, and those units that `sorting1` does not have.
        refractory_period_ms : float, optional
            See `TransformSorting`.

        Raises
        ------
        ParameterError
            If sampling frequencies or numbers of segments differ, or types of ids.
        """
        ours = (sorting1.sampling_frequency, sorting1.get_num_segments())
        theirs = (sorting2.sampling_frequency, sorting2.get_num_segments())
        # A sorting of spikes alone does not know of segments behind its last spike.
        if ours[0] != theirs[0] or theirs[1] > ours[1]:
            msg = (
                "Sampling frequencies must be the same, and the added sorting must not have more "
                f"segments: they are {ours} and {theirs}."
            )
            raise ParameterError(msg)
        known = {unit_id: k for k, unit_id in enumerate(sorting1.unit_ids.tolist())}
        new_ids = [unit_id for unit_id in sorting2.unit_ids.tolist() if unit_id not in known]
        index_of = {**known, **{unit_id: len(known) + k for k, unit_id in enumerate(new_ids)}}
        theirs_in_order = [index_of[unit_id] for unit_id in sorting2.unit_ids.tolist()]
        new_index = np.array(theirs_in_order, np.int64)
        vector = np.array(sorting2.to_spike_vector())
        vector["unit_index"] = new_index[vector["unit_index"]]
        is_new = vector["unit_index"] >= len(known)
        return TransformSorting(
            sorting1, vector[~is_new], vector[is_new], new_ids, refractory_period_ms
        )

    @staticmethod
    def add_from_unit_dict(
        sorting1: BaseSorting,
        units_dict_list: Sequence[Mapping[Any, ArrayLike]] | Mapping[Any, ArrayLike],
        refractory_period_ms: float | None = None,
    ) -> "TransformSorting":
        """Add the samples of units by id, for one segment or a list; see `add_from_sorting`."""
        added = NumpySorting.from_unit_dict(units_dict_list, sorting1.sampling_frequency)
        return TransformSorting.add_from_sorting(sorting1, added, refractory_period_ms)

    @staticmethod
    def from_samples_and_labels(
        sorting1: BaseSorting,
        times_list: Any,
        labels_list: Any,
        sampling_frequency: float,
        unit_ids: ArrayLike | None = None,
        refractory_period_ms: float | None = None,
    ) -> "TransformSorting":
        """Add samples with labels, for one segment or a list; see `add_from_sorting`."""
        added = NumpySorting.from_samples_and_labels(
            times_list, labels_list, sampling_frequency, unit_ids
        )
        return TransformSorting.add_from_sorting(sorting1, added, refractory_period_ms)


def as_spike_vector(spikes: ArrayLike | None) -> NDArray[np.void]:
    """Return a spike vector of a structured array, or of rows of sample, unit and segment.

    Raises
    ------
    ParameterError
        If it is neither.

    Examples
    --------
    >>> as_spike_vector([[5, 0, 0], [9, 1, 0]])["sample_index"]
    array([5, 9])
    """
    if spikes is None:
        return np.zeros(0, minimum_spike_dtype)
    array = np.asarray(spikes)
    names = minimum_spike_dtype.names or ()
    vector = np.zeros(len(array), minimum_spike_dtype)
    is_structured = set(names) <= set(array.dtype.names or ())
    are_rows = array.ndim == 2 and array.shape[1] == len(names) and array.dtype.kind in "iu"
    if array.size and not is_structured and not are_rows:
        msg = (
            f"A spike vector has the fields {', '.join(names)}; got {array.dtype} of shape "
            f"{array.shape}."
        )
        raise ParameterError(msg)
    for k, name in enumerate(names if array.size else ()):
        vector[name] = array[name] if is_structured else array[:, k]
    return vector


def _checked_new_ids(sorting: BaseSorting, new_unit_ids: Iterable[Any] | None) -> list[Any]:
    new_ids = np.asarray([] if new_unit_ids is None else list(new_unit_ids)).tolist()
    known = sorting.unit_ids.tolist()
    there = [unit_id for unit_id in new_ids if unit_id in set(known)]
    if there:
        msg = (
            f"The unit ids {there[:8]} are in the sorting already: add to them by "
            "added_spikes_existing_units, or choose other ids."
        )
        raise ParameterError(msg)
    if new_ids and known and type(new_ids[0]) is not type(known[0]):
        wanted, got = type(known[0]).__name__, type(new_ids[0]).__name__
        msg = f"Unit ids of the sorting are of type {wanted}; the new ones are of type {got}."
        raise ParameterError(msg)
    return list(new_ids)


def _check_segments(segment_index: NDArray[np.int64], n_segments: int) -> None:
    if segment_index.size and not (0 <= segment_index.min() <= segment_index.max() < n_segments):
        msg = f"Some spikes are of segment {segment_index.max()}; there are {n_segments}."
        raise ParameterError(msg)


def _merged(
    original: SpikeTable, added: NDArray[np.void], new: NDArray[np.void]
) -> tuple[SpikeTable, NDArray[np.int8]]:
    """Return all spikes in order, and where each is from."""
    n_all = original.n_spikes + added.size + new.size
    sample_index, unit_index = np.empty(n_all, np.int64), np.empty(n_all, np.int32)
    source = np.full(n_all, _ORIGINAL, np.int8)
    columns = {
        name: np.concatenate([added[name], new[name]])
        for name in ("sample_index", "unit_index", "segment_index")
    }
    more_source = np.repeat(np.array([_ADDED, _NEW], np.int8), [added.size, new.size])
    end = 0
    counts = []
    for segment in range(original.n_segments):
        spikes = original.segment_slice(segment)
        here: Any = slice(None)
        if original.n_segments > 1:
            here = columns["segment_index"] == segment
        samples, units = original.sample_index[spikes], original.unit_index[spikes]
        more_samples, more_units = columns["sample_index"][here], columns["unit_index"][here]
        begin, end = end, end + samples.size + more_samples.size
        _merge_segment(
            (samples, units),
            (more_samples, more_units.astype(np.int32)),
            more_source[here],
            (sample_index[begin:end], unit_index[begin:end], source[begin:end]),
        )
        counts.append(end - begin)
    return SpikeTable(sample_index, unit_index, offsets_of(counts)), source


def _merge_segment(
    there: tuple[NDArray[np.int64], NDArray[np.integer]],
    more: tuple[NDArray[np.int64], NDArray[np.int32]],
    more_source: NDArray[np.int8],
    merged: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int8]],
) -> None:
    """Write samples, units and sources of the spikes of one segment, in order of all three."""
    samples, units = there
    more_samples, more_units = more
    if uses_kernels(merged[0].size) and _inserted_compiled(there, more, more_source, merged):
        return
    highest = max(int(each.max(initial=0)) for each in (samples, more_samples))
    lowest = min(int(each.min(initial=0)) for each in (samples, more_samples))
    n_bits = int(max(units.max(initial=0), more_units.max(initial=0))).bit_length()
    is_short = (highest - lowest).bit_length() + n_bits <= _N_KEY_BITS
    if not is_short or not ties_are_in_order(samples, units):
        columns = (
            np.concatenate([samples, more_samples]),
            np.concatenate([units, more_units]),
            np.concatenate([np.full(samples.size, _ORIGINAL, np.int8), more_source]),
        )
        order = np.lexsort(columns[::-1])
        merged[0][:], merged[1][:], merged[2][:] = (column[order] for column in columns)
        return
    # Both parts in order by one number each: what is added is put between what is there.
    keys = ((samples - lowest) << n_bits) | units
    more_keys = ((more_samples - lowest) << n_bits) | more_units
    order = np.argsort(more_keys, kind="stable")
    places = np.searchsorted(keys, more_keys[order], side="right") + np.arange(order.size)
    is_there = np.ones(merged[0].size, np.bool_)
    is_there[places] = False
    merged[0][is_there], merged[1][is_there] = there
    merged[0][places], merged[1][places] = more_samples[order], more_units[order]
    merged[2][places] = more_source[order]


def _inserted_compiled(
    there: tuple[NDArray[np.int64], NDArray[np.integer]],
    more: tuple[NDArray[np.int64], NDArray[np.int32]],
    more_source: NDArray[np.int8],
    merged: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int8]],
) -> bool:
    """Do what `_merge_segment` does; False if units do not increase within a sample."""
    # Late: numba is slow to import.
    from spikeloom.kernels.insert_spikes import insert_spikes  # noqa: PLC0415

    order = np.lexsort(more[::-1])
    places = np.empty(order.size, np.int64)
    are_in_order = insert_spikes(
        np.ascontiguousarray(there[0], np.int64),
        np.ascontiguousarray(there[1], np.int32),
        more[0][order],
        more[1][order],
        merged[0],
        merged[1],
        places,
    )
    if are_in_order:
        merged[2][places] = more_source[order]
    return are_in_order


def _can_be_added(original: SpikeTable, added: NDArray[np.void], period: int) -> NDArray[np.bool_]:
    """Tell which spikes are farther than `period` samples from all others of their unit.

    Of several added ones that are too close to each other the first stays, unless it is too close
    to one of the original spikes.
    """
    is_free = np.ones(added.size, bool)
    for unit, segment in np.unique(added[["unit_index", "segment_index"]]).tolist():
        own = np.flatnonzero((added["unit_index"] == unit) & (added["segment_index"] == segment))
        own = own[np.argsort(added["sample_index"][own], kind="stable")]
        samples = added["sample_index"][own]
        spikes = original.segment_slice(segment)
        train = original.sample_index[spikes][original.unit_index[spikes] == unit]
        is_far = distance_to_nearest(samples, train) > period
        is_far[1:] &= np.diff(samples) > period
        is_free[own] = is_far
    return is_free


def distance_to_nearest(samples: NDArray[np.int64], train: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how far each of some samples is from the nearest spike of a train.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
        In any order.
    train : ndarray of shape (n_spikes,)
        Increasing.

    Returns
    -------
    ndarray of shape (n_samples,) and dtype int64
        In samples; as large as can be if there is no spike.

    Examples
    --------
    >>> distance_to_nearest(np.array([0, 7, 30]), np.array([5, 20]))
    array([ 5,  2, 10])
    """
    far = np.iinfo(np.int64).max
    if not train.size:
        return np.full(samples.size, far)
    behind = np.searchsorted(train, samples)
    before = np.where(behind > 0, samples - train[np.maximum(behind - 1, 0)], far)
    after = np.where(behind < train.size, train[np.minimum(behind, train.size - 1)] - samples, far)
    return np.minimum(before, after)
