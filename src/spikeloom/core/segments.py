"""Segments of recordings: appended, made one, split, selected."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.core import times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.matching import (
    as_recording,
    as_recordings,
    check_equal,
    check_sampling_frequencies,
    same_scale,
)
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.times import RegularTimes, Times
from spikeloom.errors import ParameterError

IgnoreTimes = bool | Literal["if_needed"] | None


class SegmentView(BaseRecordingSegment):
    """A segment as part of another recording: the same traces, and times of its own from now on."""

    def __init__(self, segment: BaseRecordingSegment) -> None:
        super().__init__(times=segment.times)
        self._source: BaseRecordingSegment = (
            segment._source if type(segment) is SegmentView else segment
        )

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._source.get_num_samples())

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (end_frame - start_frame, n_channels)."""
        return self._source.get_traces(start_frame, end_frame, channel_indices)


@stored_as("spikeinterface.core.segmentutils.AppendSegmentRecording")
class AppendSegmentRecording(BaseRecording):
    """The segments of several recordings, one after the other; see `append_recordings`."""

    def __init__(
        self, recording_list: Sequence[BaseRecording], sampling_frequency_max_diff: float = 0
    ) -> None:
        recordings = as_recordings(recording_list)
        check_appendable(recordings, sampling_frequency_max_diff)
        first = recordings[0]
        super().__init__(first.sampling_frequency, first.channel_ids, first.dtype)
        first.copy_metadata(self)
        self.recording_list = recordings
        for recording in recordings:
            for segment in recording.segments:
                self.add_recording_segment(SegmentView(segment))
        self._kwargs = {
            "recording_list": recordings,
            "sampling_frequency_max_diff": sampling_frequency_max_diff,
        }

    def is_binary_compatible(self) -> bool:
        """Return whether the traces lie in flat files, all of the same layout."""
        if not all(one.is_binary_compatible() for one in self.recording_list):
            return False
        layouts = [_layout(one.get_binary_description()) for one in self.recording_list]
        return all(layout == layouts[0] for layout in layouts)

    def get_binary_description(self) -> dict[str, Any]:
        """Return file_paths, dtype, num_channels, time_axis and file_offset of flat files."""
        if not self.is_binary_compatible():
            return super().get_binary_description()
        descriptions = [one.get_binary_description() for one in self.recording_list]
        paths = [path for description in descriptions for path in description["file_paths"]]
        return {**descriptions[0], "file_paths": paths}


@stored_as("spikeinterface.core.segmentutils.ConcatenateSegmentRecording")
class ConcatenateSegmentRecording(BaseRecording):
    """All segments of several recordings as a single one; see `concatenate_recordings`."""

    def __init__(
        self,
        recording_list: Sequence[BaseRecording],
        ignore_times: IgnoreTimes = None,
        sampling_frequency_max_diff: float = 0,
    ) -> None:
        recordings = as_recordings(recording_list)
        check_appendable(recordings, sampling_frequency_max_diff)
        first = recordings[0]
        super().__init__(first.sampling_frequency, first.channel_ids, first.dtype)
        first.copy_metadata(self)
        self.recording_list = recordings
        segments = [segment for recording in recordings for segment in recording.segments]
        if not segments:
            msg = "There are no segments to concatenate."
            raise ParameterError(msg)
        times = concatenated_times(
            [segment.times for segment in segments],
            [segment.get_num_samples() for segment in segments],
            sampling_frequency=first.sampling_frequency,
            ignore_times=ignore_times,
        )
        self.add_recording_segment(
            ConcatenatedRecordingSegment(segments, self.get_num_channels(), self.dtype, times)
        )
        self._kwargs = {
            "recording_list": recordings,
            # In words, for SpikeInterface refuses times unless this is true of its kind.
            "ignore_times": True if ignore_times is True else "if_needed",
            "sampling_frequency_max_diff": sampling_frequency_max_diff,
        }


class ConcatenatedRecordingSegment(BaseRecordingSegment):
    """Several segments, one after the other, as a single one.

    Parameters
    ----------
    segments : list of BaseRecordingSegment
        The segments.
    n_channels : int
        Number of channels, the same in all.
    dtype : dtype
        Of their traces.
    times : Times
        Times of the result.
    """

    def __init__(
        self,
        segments: Sequence[BaseRecordingSegment],
        n_channels: int,
        dtype: np.dtype[Any],
        times: Times,
    ) -> None:
        super().__init__(times=times)
        self._sources = list(_pieces(segments))
        n_samples = [segment.get_num_samples() for segment in self._sources]
        self._edges = np.concatenate(([0], np.cumsum(n_samples))).astype(np.int64)
        self._n_channels = n_channels
        self._dtype = dtype

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._edges[-1])

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (end_frame - start_frame, n_channels)."""
        start = 0 if start_frame is None else start_frame
        end = self.get_num_samples() if end_frame is None else end_frame
        # The last segment that begins at or before `start`, the first that ends at or after `end`.
        first = int(np.searchsorted(self._edges, start, side="right")) - 1
        last = int(np.searchsorted(self._edges, end, side="left")) - 1
        if start < end and first == last:
            edge = int(self._edges[first])
            return self._sources[first].get_traces(start - edge, end - edge, channel_indices)
        indices = slice(None) if channel_indices is None else channel_indices
        n_columns = np.empty((0, self._n_channels), self._dtype)[:, indices].shape[1]
        traces = np.empty((max(end - start, 0), n_columns), self._dtype)
        for k in range(first, last + 1):
            low, high = max(start, int(self._edges[k])), min(end, int(self._edges[k + 1]))
            if low < high:
                edge = int(self._edges[k])
                traces[low - start : high - start] = self._sources[k].get_traces(
                    low - edge, high - edge, channel_indices
                )
        return traces


def _pieces(segments: Iterable[BaseRecordingSegment]) -> Iterable[BaseRecordingSegment]:
    """Yield the segments, and instead of concatenated ones what they are made of."""
    for segment in segments:
        if type(segment) is SegmentView:
            yield from _pieces([segment._source])
        elif type(segment) is ConcatenatedRecordingSegment:
            yield from segment._sources
        else:
            yield segment


@stored_as("spikeinterface.core.segmentutils.SelectSegmentRecording")
class SelectSegmentRecording(BaseRecording):
    """Some segments of a recording; see `BaseRecording.select_segments`.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    segment_indices : int or list of int
        The segments to show, in this order.

    Raises
    ------
    ParameterError
        If there is no such segment.
    """

    def __init__(
        self, recording: BaseRecording, segment_indices: int | Iterable[int] | NDArray[Any]
    ) -> None:
        parent = as_recording(recording)
        super().__init__(parent.sampling_frequency, parent.channel_ids, parent.dtype)
        indices = segment_positions(parent, segment_indices)
        parent.copy_metadata(self)
        for k in indices:
            self.add_recording_segment(SegmentView(parent.segments[k]))
        self._parent = parent
        self._kwargs = {"recording": parent, "segment_indices": indices}

    def is_binary_compatible(self) -> bool:
        """Return whether the traces lie in flat files."""
        return bool(self._segments) and self._kwargs["recording"].is_binary_compatible()

    def get_binary_description(self) -> dict[str, Any]:
        """Return file_paths, dtype, num_channels, time_axis and file_offset of flat files."""
        if not self.is_binary_compatible():
            return super().get_binary_description()
        description = self._kwargs["recording"].get_binary_description()
        paths = [description["file_paths"][k] for k in self._kwargs["segment_indices"]]
        return {**description, "file_paths": paths}


def append_recordings(
    recording_list: Sequence[BaseRecording], sampling_frequency_max_diff: float = 0
) -> AppendSegmentRecording:
    """Return a recording with the segments of several, one after the other.

    Parameters
    ----------
    recording_list : list of BaseRecording
        Recordings with the same channels and type. Properties, annotations and probe are those of
        the first; each segment keeps its times.
    sampling_frequency_max_diff : float, default 0
        How much the sampling frequencies may differ, in Hz.

    Raises
    ------
    ParameterError
        If recordings do not fit each other; the message tells which one does not, and in what.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((5, 2)), np.zeros((3, 2))], 30000.0)
    >>> append_recordings([recording, recording]).get_num_segments()
    4
    """
    return AppendSegmentRecording(recording_list, sampling_frequency_max_diff)


def concatenate_recordings(
    recording_list: Sequence[BaseRecording],
    ignore_times: IgnoreTimes = None,
    sampling_frequency_max_diff: float = 0,
) -> ConcatenateSegmentRecording:
    """Return a recording of one segment, made of all segments of several recordings.

    Parameters
    ----------
    recording_list : list of BaseRecording
        Recordings with the same channels and type. Properties, annotations and probe are those of
        the first.
    ignore_times : bool or "if_needed", optional
        By default (None or ``"if_needed"``) segments keep their times, with the pauses between
        them, if times were set for all of them and each begins after the one before has ended; else
        the times of the result count from 0. True lets them count from 0 in any case. False refuses
        segments whose times cannot be kept.
    sampling_frequency_max_diff : float, default 0
        How much the sampling frequencies may differ, in Hz.

    Raises
    ------
    ParameterError
        If recordings do not fit each other, or if times cannot be kept and must be.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((2, 1)), np.zeros((2, 1))], 1.0, t_starts=[10, 50])
    >>> concatenate_recordings([recording]).get_times()
    array([10., 11., 50., 51.])
    """
    return ConcatenateSegmentRecording(recording_list, ignore_times, sampling_frequency_max_diff)


def select_segment_recording(
    recording: BaseRecording, segment_indices: int | Iterable[int] | NDArray[Any]
) -> SelectSegmentRecording:
    """Return a view of some segments of a recording; see `SelectSegmentRecording`."""
    return SelectSegmentRecording(recording, segment_indices)


def split_recording(recording: BaseRecording) -> list[SelectSegmentRecording]:
    """Return a recording of one segment for each segment of a recording.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((5, 2)), np.zeros((3, 2))], 30000.0)
    >>> [part.get_num_samples() for part in split_recording(recording)]
    [5, 3]
    """
    indices = range(as_recording(recording).get_num_segments())
    return [SelectSegmentRecording(recording, [k]) for k in indices]


def concatenated_times(
    pieces: Sequence[Times],
    n_samples: Sequence[int],
    *,
    sampling_frequency: float,
    ignore_times: IgnoreTimes,
) -> Times:
    """Return the times of segments that become one; see `concatenate_recordings`.

    Raises
    ------
    ParameterError
        If `ignore_times` is False and times that were set cannot be kept, or if it is unknown.
    """
    if ignore_times not in {None, True, False, "if_needed"}:
        msg = f"ignore_times must be True, False, None or 'if_needed'; got {ignore_times!r}."
        raise ParameterError(msg)
    from_zero = RegularTimes(sampling_frequency)
    filled = [(piece, n) for piece, n in zip(pieces, n_samples, strict=True) if n > 0]
    are_set = [clock.is_set(piece) for piece, _ in filled]
    if ignore_times is True or not any(are_set):
        return from_zero
    are_increasing = clock.are_increasing(pieces, n_samples)
    if all(are_set) and are_increasing:
        return clock.joined(pieces, n_samples)
    if ignore_times is False:
        reason = (
            "a segment begins before the one ahead of it has ended"
            if all(are_set)
            else f"none were set for segment {are_set.index(False)}"
        )
        msg = (
            f"The times of these recordings cannot be kept: {reason}. Correct them with "
            "set_times(...) or shift_times(...), or use ignore_times=True."
        )
        raise ParameterError(msg)
    return from_zero


def segment_positions(extractor: Any, segment_indices: Any) -> list[int]:
    """Return positions of segments, counted from 0.

    Parameters
    ----------
    extractor : BaseExtractor
        A recording, sorting or snippets.
    segment_indices : int or list of int
        One or many; -1 is the last.

    Raises
    ------
    ParameterError
        If there is no such segment.
    """
    is_many = isinstance(segment_indices, Iterable) and not isinstance(segment_indices, str)
    if isinstance(segment_indices, np.ndarray) and segment_indices.ndim == 0:
        is_many, segment_indices = False, segment_indices[()]
    listed = list(segment_indices) if is_many else [segment_indices]
    if None in listed:
        msg = "segment_indices must be a whole number or a list of them; got None."
        raise ParameterError(msg)
    return [extractor._check_segment_index(k) for k in listed]


def check_appendable(
    recordings: Sequence[BaseRecording], sampling_frequency_max_diff: float
) -> None:
    """Raise if recordings cannot follow each other; warn if their values mean different things.

    Raises
    ------
    ParameterError
        If they differ in type, channels or, by more than allowed, in sampling frequency.
    """
    check_equal("dtype", [one.dtype for one in recordings])
    check_equal("channel ids", [one.channel_ids for one in recordings])
    check_sampling_frequencies(
        [one.sampling_frequency for one in recordings], sampling_frequency_max_diff
    )
    if not same_scale(recordings):
        warnings.warn(
            "The recordings differ in gain_to_uV or offset_to_uV; those of the first are used, so "
            "that microvolts of the others are wrong. Scale them to the same microvolts before.",
            stacklevel=4,
        )


def _layout(description: dict[str, Any]) -> dict[str, Any]:
    return {
        key: np.dtype(value) if key == "dtype" else value
        for key, value in description.items()
        if key != "file_paths"
    }
