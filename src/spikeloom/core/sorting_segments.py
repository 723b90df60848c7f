"""Segments of sortings: appended, made one, split, selected."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.matching import as_recordings, check_sampling_frequencies
from spikeloom.core.recording import BaseRecording
from spikeloom.core.segments import (
    ConcatenateSegmentRecording,
    IgnoreTimes,
    SelectSegmentRecording,
    segment_positions,
)
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import (
    appended_recording,
    as_sorting,
    as_sortings,
    check_same_units,
    only_segment_of,
)
from spikeloom.core.spike_building import sort_spikes
from spikeloom.core.spike_trains import UnitTrains
from spikeloom.core.spike_vector import SpikeTable, offsets_of, read_only
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.core.segmentutils.AppendSegmentSorting")
class AppendSegmentSorting(BaseSorting):
    """The segments of several sortings, one after the other; see `append_sortings`."""

    def __init__(
        self, sorting_list: Sequence[BaseSorting], sampling_frequency_max_diff: float = 0
    ) -> None:
        sortings = _appendable(sorting_list, sampling_frequency_max_diff)
        first = sortings[0]
        super().__init__(first.sampling_frequency, first.unit_ids)
        first.copy_metadata(self)
        self.sorting_list = sortings
        for segment in (segment for sorting in sortings for segment in sorting.segments):
            _add_view(self, segment)
        recordings = [one._recording for one in sortings if one._recording is not None]
        if len(recordings) == len(sortings):
            self._recording = appended_recording(recordings)
        self._kwargs = {
            "sorting_list": sortings,
            "sampling_frequency_max_diff": sampling_frequency_max_diff,
        }

    def _make_spike_table(self) -> SpikeTable:
        tables = [one.spike_table() for one in self.sorting_list]
        if len(tables) == 1:
            return tables[0]
        samples = np.concatenate([table.sample_index for table in tables])
        units = np.concatenate([table.unit_index for table in tables])
        counts = np.concatenate([np.diff(table.segment_offsets) for table in tables])
        return SpikeTable(read_only(samples), read_only(units), offsets_of(counts))


@stored_as("spikeinterface.core.segmentutils.ConcatenateSegmentSorting")
class ConcatenateSegmentSorting(BaseSorting):
    """All segments of several sortings as a single one; see `concatenate_sortings`."""

    def __init__(
        self,
        sorting_list: Sequence[BaseSorting],
        total_samples_list: Iterable[int] | None = None,
        ignore_times: IgnoreTimes = None,
        sampling_frequency_max_diff: float = 0,
    ) -> None:
        sortings = _appendable(sorting_list, sampling_frequency_max_diff)
        totals = None if total_samples_list is None else [int(n) for n in total_samples_list]
        first = sortings[0]
        super().__init__(first.sampling_frequency, first.unit_ids)
        first.copy_metadata(self)
        self.sorting_list = sortings
        self.parent_num_samples = _num_samples_of(sortings, totals, ignore_times)
        _check_fit(sortings, self.parent_num_samples)
        self.add_sorting_segment(TableSortingSegment(self, 0, None))
        recordings = [one._recording for one in sortings if one._recording is not None]
        if len(recordings) == len(sortings):
            self._recording = ConcatenateSegmentRecording(
                recordings, ignore_times, sampling_frequency_max_diff
            )
            self._segments[0]._t_start = self._recording.get_start_time(0)
        self._kwargs = {
            "sorting_list": sortings,
            # Always: recordings are not known any more to what is made from this description.
            "total_samples_list": self.parent_num_samples,
            # In words, for SpikeInterface refuses times unless this is true of its kind.
            "ignore_times": True if ignore_times is True else "if_needed",
            "sampling_frequency_max_diff": sampling_frequency_max_diff,
        }

    def get_num_samples(self, segment_index: int | None = None) -> int:
        """Return the samples of all segments together, known also without a recording."""
        self._check_segment_index(segment_index)
        return sum(self.parent_num_samples)

    def get_total_samples(self) -> int:
        """Return the samples of all segments together, known also without a recording."""
        return sum(self.parent_num_samples)

    def _make_spike_table(self) -> SpikeTable:
        samples, units = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        firsts = iter(offsets_of(self.parent_num_samples).tolist())
        for table in (one.spike_table() for one in self.sorting_list):
            for k in range(table.n_segments):
                spikes = table.segment_slice(k)
                samples.append(table.sample_index[spikes] + next(firsts))
                units.append(table.unit_index[spikes].astype(np.int32))
        joined, unit_index = np.concatenate(samples), np.concatenate(units)
        sort_spikes(joined, unit_index)  # nothing to do unless samples are negative
        offsets = np.array([0, joined.size])
        return SpikeTable(read_only(joined), read_only(unit_index), offsets)


@stored_as("spikeinterface.core.segmentutils.SplitSegmentSorting")
class SplitSegmentSorting(BaseSorting):
    """A sorting of one segment as one of several; see `split_sorting`."""

    def __init__(
        self,
        parent_sorting: BaseSorting,
        recording_or_recording_list: BaseRecording | Sequence[BaseRecording] | None = None,
    ) -> None:
        parent = as_sorting(parent_sorting)
        only_segment_of(parent, "split_sorting")
        recordings = _recordings_of(parent, recording_or_recording_list)
        super().__init__(parent.sampling_frequency, parent.unit_ids)
        parent.copy_metadata(self)
        self._parent = parent
        shift_s = parent.segments[0].shift_s
        pieces = [segment for recording in recordings for segment in recording.segments]
        for piece in pieces:
            self.add_sorting_segment(
                TableSortingSegment(self, self.get_num_segments(), piece.get_start_time())
            )
            self._segments[-1].shift_s = shift_s
        self._edges = offsets_of([piece.get_num_samples() for piece in pieces])
        self._recording = appended_recording(recordings)
        self._kwargs = {
            "parent_sorting": parent,
            "recording_or_recording_list": recordings,
        }

    def _make_spike_table(self) -> SpikeTable:
        table = self._parent.spike_table()  # type: ignore[union-attr]  # a sorting
        offsets = np.searchsorted(table.sample_index, self._edges).astype(np.int64)
        spikes = slice(int(offsets[0]), int(offsets[-1]))
        counts = np.diff(offsets)
        samples = table.sample_index[spikes] - np.repeat(self._edges[:-1], counts)
        return SpikeTable(read_only(samples), table.unit_index[spikes], offsets_of(counts))


@stored_as("spikeinterface.core.segmentutils.SelectSegmentSorting")
class SelectSegmentSorting(BaseSorting):
    """Some segments of a sorting; see `BaseSorting.select_segments`.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    segment_indices : int or list of int
        The segments to show, in this order.

    Raises
    ------
    ParameterError
        If there is no such segment.
    """

    def __init__(
        self, sorting: BaseSorting, segment_indices: int | Iterable[int] | NDArray[Any]
    ) -> None:
        parent = as_sorting(sorting)
        indices = segment_positions(parent, segment_indices)
        super().__init__(parent.sampling_frequency, parent.unit_ids)
        parent.copy_metadata(self)
        for k in indices:
            _add_view(self, parent.segments[k])
        if parent._recording is not None:
            self._recording = SelectSegmentRecording(parent._recording, indices)
        self._parent = parent
        self._source = parent
        if indices == list(range(parent.get_num_segments())):
            self._same_spikes = parent
        self._kwargs = {"sorting": parent, "segment_indices": indices}

    def _make_spike_table(self) -> SpikeTable:
        table = self._source.spike_table()
        parts = [table.segment_slice(k) for k in self._kwargs["segment_indices"]]
        offsets = offsets_of([part.stop - part.start for part in parts])
        if len(parts) == 1:
            return SpikeTable(table.sample_index[parts[0]], table.unit_index[parts[0]], offsets)
        none = [slice(0, 0)]
        samples = np.concatenate([table.sample_index[part] for part in parts or none])
        units = np.concatenate([table.unit_index[part] for part in parts or none])
        return SpikeTable(read_only(samples), read_only(units), offsets)

    def _make_trains(self) -> UnitTrains:
        trains = self._source._trains()
        return UnitTrains(trains.samples, trains.slices[:, self._kwargs["segment_indices"]])


def append_sortings(
    sorting_list: Sequence[BaseSorting], sampling_frequency_max_diff: float = 0
) -> AppendSegmentSorting:
    """Return a sorting with the segments of several, one after the other.

    Parameters
    ----------
    sorting_list : list of BaseSorting
        Sortings with the same units. Properties and annotations are those of the first; each
        segment keeps its times.
    sampling_frequency_max_diff : float, default 0
        How much the sampling frequencies may differ, in Hz.

    Raises
    ------
    ParameterError
        If sortings do not fit each other; the message tells which one does not, and in what.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict([{"a": [10, 30]}, {"a": [20]}], 30000.0)
    >>> append_sortings([sorting, sorting]).get_num_segments()
    4
    """
    return AppendSegmentSorting(sorting_list, sampling_frequency_max_diff)


def concatenate_sortings(
    sorting_list: Sequence[BaseSorting],
    total_samples_list: Iterable[int] | None = None,
    ignore_times: IgnoreTimes = None,
    sampling_frequency_max_diff: float = 0,
) -> ConcatenateSegmentSorting:
    """Return a sorting of one segment, made of all segments of several sortings.

    Parameters
    ----------
    sorting_list : list of BaseSorting
        Sortings with the same units. Properties and annotations are those of the first.
    total_samples_list : list of int, optional
        How long the segments are; needed where no recording is registered.
    ignore_times : bool or "if_needed", optional
        What becomes of the times of the recordings, as in `concatenate_recordings`. Without
        recordings the times of the result count from 0, which False refuses if times were set.
    sampling_frequency_max_diff : float, default 0
        How much the sampling frequencies may differ, in Hz.

    Raises
    ------
    ParameterError
        If sortings do not fit each other, if it is unknown how long one of them is, or if spikes
        lie behind the end of a segment.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30]}, 30000.0)
    >>> both = concatenate_sortings([sorting, sorting], total_samples_list=[100, 100])
    >>> both.get_unit_spike_train("a")
    array([ 10, 30, 110, 130])
    """
    return ConcatenateSegmentSorting(
        sorting_list, total_samples_list, ignore_times, sampling_frequency_max_diff
    )


def split_sorting(
    parent_sorting: BaseSorting,
    recording_or_recording_list: BaseRecording | Sequence[BaseRecording] | None = None,
) -> SplitSegmentSorting:
    """Return a sorting of one segment as one with a segment for each of several recordings.

    Parameters
    ----------
    parent_sorting : BaseSorting
        A sorting of one segment, such as that of concatenated recordings.
    recording_or_recording_list : list of BaseRecording, or ConcatenateSegmentRecording, optional
        The recordings, in order, or what was made of them; by default the registered recording.
        Each segment gets the length and the times of a recording's segment.

    Raises
    ------
    ParameterError
        If the sorting has several segments, or if no recordings are known.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> recording = NumpyRecording([np.zeros((20, 1)), np.zeros((90, 1))], 30000.0)
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30]}, 30000.0)
    >>> parts = split_sorting(sorting, [recording])
    >>> parts.get_unit_spike_train("a", 0), parts.get_unit_spike_train("a", 1)
    (array([10]), array([10]))
    """
    return SplitSegmentSorting(parent_sorting, recording_or_recording_list)


def select_segment_sorting(
    sorting: BaseSorting, segment_indices: int | Iterable[int] | NDArray[Any]
) -> SelectSegmentSorting:
    """Return a view of some segments of a sorting; see `SelectSegmentSorting`."""
    return SelectSegmentSorting(sorting, segment_indices)


def _add_view(sorting: BaseSorting, segment: Any) -> None:
    """Add a segment with the times of another; what is set for the one stays with the one."""
    view = TableSortingSegment(sorting, sorting.get_num_segments(), segment._t_start)
    view.shift_s = segment.shift_s
    sorting.add_sorting_segment(view)


def _appendable(
    sorting_list: Sequence[BaseSorting], sampling_frequency_max_diff: float
) -> list[BaseSorting]:
    """Return sortings that can follow each other."""
    sortings = as_sortings(sorting_list)
    check_same_units(sortings)
    check_sampling_frequencies(
        [one.sampling_frequency for one in sortings], sampling_frequency_max_diff
    )
    return sortings


def _num_samples_of(
    sortings: Sequence[BaseSorting], totals: list[int] | None, ignore_times: IgnoreTimes
) -> list[int]:
    """Return how long the segments are, of all sortings together."""
    has_recording = [one.has_recording() for one in sortings]
    if all(has_recording):
        known = [one.get_num_samples(k) for one in sortings for k in range(one.get_num_segments())]
        if totals not in (None, known):
            msg = (
                f"The recordings of the sortings have {known} samples, total_samples_list says "
                f"{totals}: leave it out."
            )
            raise ParameterError(msg)
        return known
    if totals is None:
        msg = (
            f"How long sorting {has_recording.index(False)} is, is not known: call its "
            "register_recording(recording), or give total_samples_list."
        )
        raise ParameterError(msg)
    n_segments = [one.get_num_segments() for one in sortings]
    if len(totals) != sum(n_segments):
        msg = (
            f"total_samples_list needs one length for each segment; got {len(totals)} lengths for "
            f"sortings of {n_segments} segments."
        )
        raise ParameterError(msg)
    if ignore_times is False and any(one.segments[0]._t_start is not None for one in sortings):
        msg = (
            "Times of sortings cannot be kept without their recordings: register them, or use "
            "ignore_times=True."
        )
        raise ParameterError(msg)
    return totals


def _check_fit(sortings: Sequence[BaseSorting], num_samples: Sequence[int]) -> None:
    """Raise if spikes lie behind the end of their segment."""
    lengths = iter(num_samples)
    for i, sorting in enumerate(sortings):
        table = sorting.spike_table()
        for k in range(table.n_segments):
            n_samples, spikes = next(lengths), table.segment_slice(k)
            if spikes.stop > spikes.start and table.last_spike_frame(k) >= n_samples:
                msg = (
                    f"Sorting {i} has spikes up to sample {table.last_spike_frame(k)} in segment "
                    f"{k}, which has {n_samples} samples. Remove them with "
                    "remove_excess_spikes(sorting, recording), or correct total_samples_list."
                )
                raise ParameterError(msg)


def _recordings_of(
    sorting: BaseSorting, given: BaseRecording | Sequence[BaseRecording] | None
) -> list[BaseRecording]:
    """Return the recordings that a sorting of one segment is split by."""
    if given is None:
        if sorting._recording is None:
            msg = (
                "Where to split is not known: give recording_or_recording_list, or call "
                "register_recording(recording) first."
            )
            raise ParameterError(msg)
        given = sorting._recording
        if not isinstance(given, ConcatenateSegmentRecording):
            return [given]
    if isinstance(given, ConcatenateSegmentRecording):
        return given.recording_list
    if isinstance(given, BaseRecording) and given.get_num_segments() > 1:
        return [given]
    if isinstance(given, BaseRecording):
        msg = (
            "A list of recordings, or one that concatenate_recordings(...) made, is needed; got a "
            f"{type(given).__name__} of one segment."
        )
        raise ParameterError(msg)
    return as_recordings(given)
