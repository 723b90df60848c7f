"""Sortings of arrays in memory."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import spike_building
from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting, BaseSortingSegment, TableSortingSegment
from spikeloom.core.spike_vector import SpikeTable, cut_train
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.core.numpyextractors.NumpySorting")
class NumpySorting(BaseSorting):
    """A sorting of arrays in memory.

    Parameters
    ----------
    spikes : ndarray of shape (n_spikes,), list of them, or SpikeTable
        A spike vector: fields sample_index, unit_index and segment_index. It is used as it is if
        its spikes are in order of segment and sample; else they are sorted.
    sampling_frequency : float
        In Hz.
    unit_ids : array_like of shape (n_units,)
        Ids of the units, in the order of their indices.
    num_segments : int, optional
        Number of segments; by default up to the last one that has a spike.
    t_starts : list of float, optional
        Time of sample 0 of each segment in seconds.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 30000.0)
    >>> sorting.get_unit_spike_train("a")
    array([10, 30])
    """

    def __init__(
        self,
        spikes: NDArray[np.void] | Sequence[NDArray[np.void]] | SpikeTable,
        sampling_frequency: float,
        unit_ids: ArrayLike,
        num_segments: int | None = None,
        t_starts: Sequence[float | None] | None = None,
    ) -> None:
        super().__init__(sampling_frequency, unit_ids)
        table = spikes
        if not isinstance(table, SpikeTable):
            table = spike_building.table_from_spike_vector(
                table, n_units=self.get_num_units(), n_segments=num_segments, sort_ties=True
            )
        if table.n_segments == 0:
            table = SpikeTable(table.sample_index, table.unit_index, np.zeros(2, np.int64))
        starts = [None] * table.n_segments if t_starts is None else list(t_starts)
        if len(starts) != table.n_segments:
            msg = f"t_starts has {len(starts)} times for {table.n_segments} segments."
            raise ParameterError(msg)
        self._table = table
        self._serializability.update(json=False, pickle=False)
        for k, t_start in enumerate(starts):
            self.add_sorting_segment(TableSortingSegment(self, k, t_start))
        self._kwargs = {
            "spikes": table,
            "sampling_frequency": self.sampling_frequency,
            "unit_ids": self.unit_ids,
            "num_segments": table.n_segments,
            "t_starts": t_starts if t_starts is None else starts,
        }

    def _make_spike_table(self) -> SpikeTable:
        return self._table

    def __reduce__(self) -> tuple[Any, ...]:
        make, (description,) = super().__reduce__()
        if self._table.vector is not None:  # the columns are views of it: they travel once
            description["kwargs"] = description["kwargs"] | {"spikes": self._table.vector}
        return make, (description,)

    @classmethod
    def from_sorting(
        cls,
        source_sorting: BaseSorting,
        with_metadata: bool = False,
        copy_spike_vector: bool = False,
        *,
        propagate_cache: bool = False,
    ) -> Self:
        """Make a sorting of all spikes of another.

        Parameters
        ----------
        source_sorting : BaseSorting
            The other.
        with_metadata : bool, default False
            Copy properties and annotations.
        copy_spike_vector : bool, default False
            Copy the spikes, instead of sharing them.
        propagate_cache : bool, default False
            Share what was worked out of them, too.
        """
        table = source_sorting.spike_table()
        if copy_spike_vector:
            table = SpikeTable(
                table.sample_index.copy(), table.unit_index.copy(), table.segment_offsets
            )
        copied = cls(table, source_sorting.sampling_frequency, source_sorting.unit_ids)
        source_sorting.copy_time_info(copied)
        if with_metadata:
            source_sorting.copy_metadata(copied)
        if propagate_cache and not copy_spike_vector:
            copied._cached_trains = source_sorting._cached_trains
            copied._cached_orders = dict(source_sorting._cached_orders)
            copied._cached_spike_vector = source_sorting._cached_spike_vector
        return copied

    @classmethod
    def from_samples_and_labels(
        cls,
        samples_list: Any,
        labels_list: Any,
        sampling_frequency: float,
        unit_ids: ArrayLike | None = None,
    ) -> Self:
        """Make a sorting of samples and unit labels, in any order.

        Parameters
        ----------
        samples_list : array_like of shape (n_spikes,), or list of one for each segment
            Sample of each spike.
        labels_list : array_like of shape (n_spikes,), or list of one for each segment
            Unit of each spike.
        sampling_frequency : float
            In Hz.
        unit_ids : array_like of shape (n_units,), optional
            All units in their order; by default those that have spikes, sorted.

        Raises
        ------
        DataError
            If samples and labels differ in number, or a label is not among `unit_ids`.
        """
        samples, labels = as_segments(samples_list), as_segments(labels_list)
        table, ids = spike_building.table_from_samples_and_labels(samples, labels, unit_ids)
        return cls(table, sampling_frequency, ids)

    @classmethod
    def from_times_and_labels(
        cls,
        times_list: Any,
        labels_list: Any,
        sampling_frequency: float,
        unit_ids: ArrayLike | None = None,
    ) -> Self:
        """Make a sorting of times in seconds, rounded to the next sample, and unit labels."""
        samples = [
            np.round(np.asarray(times_s, np.float64) * sampling_frequency).astype(np.int64)
            for times_s in as_segments(times_list)
        ]
        return cls.from_samples_and_labels(
            samples, as_segments(labels_list), sampling_frequency, unit_ids
        )

    @classmethod
    def from_times_labels(
        cls,
        times_list: Any = None,
        labels_list: Any = None,
        sampling_frequency: float | None = None,
        unit_ids: ArrayLike | None = None,
        *,
        times: Any = None,
        labels: Any = None,
        samples_list: Any = None,
    ) -> Self:
        """Make a sorting of samples and labels; older name of `from_samples_and_labels`.

        The "times" are samples, as they always were; for seconds see `from_times_and_labels`.
        """
        samples = next((one for one in (times_list, times, samples_list) if one is not None), None)
        given = labels_list if labels_list is not None else labels
        if samples is None or given is None or sampling_frequency is None:
            msg = "from_times_labels needs times, labels and sampling_frequency."
            raise ParameterError(msg)
        return cls.from_samples_and_labels(samples, given, sampling_frequency, unit_ids)

    @classmethod
    def from_unit_dict(
        cls,
        units_dict_list: Mapping[Any, ArrayLike] | Sequence[Mapping[Any, ArrayLike]],
        sampling_frequency: float,
    ) -> Self:
        """Make a sorting of the samples of each unit, by unit id, for one segment or a list."""
        dicts = [units_dict_list] if isinstance(units_dict_list, Mapping) else list(units_dict_list)
        table, ids = spike_building.table_from_unit_dicts(dicts)
        return cls(table, sampling_frequency, ids)

    @classmethod
    def from_neo_spiketrain_list(
        cls,
        neo_spiketrains: Any,
        sampling_frequency: float,
        unit_ids: ArrayLike | None = None,
    ) -> Self:
        """Make a sorting of spike trains of the neo package, one for each unit, for one segment
        or a list; times are rounded to the next sample.
        """  # noqa: D205
        trains = list(neo_spiketrains)
        if not trains or not isinstance(trains[0], list | tuple):
            trains = [trains]
        ids = (
            list(range(len(trains[0]))) if unit_ids is None else list(np.asarray(unit_ids).tolist())
        )
        dicts = []
        for segment_trains in trains:
            if len(segment_trains) != len(ids):
                msg = f"{len(segment_trains)} spike trains do not fit {len(ids)} unit ids."
                raise ParameterError(msg)
            samples = [
                np.round(_seconds(train) * sampling_frequency).astype(np.int64)
                for train in segment_trains
            ]
            dicts.append(dict(zip(ids, samples, strict=True)))
        return cls.from_unit_dict(dicts, sampling_frequency)

    @classmethod
    def from_peaks(
        cls, peaks: NDArray[np.void], sampling_frequency: float, unit_ids: ArrayLike
    ) -> Self:
        """Make a sorting of detected peaks: each channel is a unit; `unit_ids` are of channels."""
        table = spike_building.table_from_peaks(peaks, unit_ids)
        return cls(table, sampling_frequency, unit_ids)


class SpikeVectorSortingSegment(BaseSortingSegment):
    """A segment that picks a unit's spikes out of a spike vector.

    Parameters
    ----------
    spikes : ndarray of shape (n_spikes,)
        A spike vector of all segments.
    segment_index : int
        Which one this is.
    unit_ids : array_like of shape (n_units,)
        Ids of the units, in the order of their indices.
    """

    def __init__(self, spikes: NDArray[np.void], segment_index: int, unit_ids: ArrayLike) -> None:
        super().__init__()
        self.spikes = spikes
        self.segment_index = segment_index
        self.unit_ids = np.asarray(unit_ids).tolist()

    def get_unit_spike_train(
        self, unit_id: Any, start_frame: int | None = None, end_frame: int | None = None
    ) -> NDArray[np.int64]:
        """Return the samples of the spikes of a unit from `start_frame` to before `end_frame`."""
        first, last = np.searchsorted(
            self.spikes["segment_index"], [self.segment_index, self.segment_index + 1]
        )
        spikes = self.spikes[first:last]
        samples = spikes["sample_index"][spikes["unit_index"] == self.unit_ids.index(unit_id)]
        start, end = cut_train(samples, start_frame, end_frame)
        train: NDArray[np.int64] = samples[start:end]
        return train


def as_segments(values: Any) -> list[Any]:
    """Return one array for each segment, of an array or of a list of arrays.

    A list of numbers or names is one segment, as is an array of one dimension.

    Examples
    --------
    >>> as_segments([1, 2]), as_segments([[1, 2], [3]])
    ([[1, 2]], [[1, 2], [3]])
    """
    if isinstance(values, np.ndarray):
        return [values] if values.ndim == 1 and values.dtype != object else list(values)
    listed = list(values)
    if listed and all(
        isinstance(one, np.ndarray | list | tuple) and np.ndim(one) == 1 for one in listed
    ):
        return listed
    return [listed]


def _seconds(train: Any) -> NDArray[np.float64]:
    return np.asarray(train.rescale("s").magnitude if hasattr(train, "rescale") else train, float)
