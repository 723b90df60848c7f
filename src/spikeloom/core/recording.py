"""Recordings: traces of channels over time, in one or several segments, read when asked for."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core import times as clock
from spikeloom.core.base import BaseExtractor
from spikeloom.core.recording_segment import BaseRecordingSegment
from spikeloom.core.recording_snippets import BaseRecordingSnippets
from spikeloom.core.times import RegularTimes
from spikeloom.errors import ParameterError

__all__ = ["BaseRecording", "BaseRecordingSegment", "checked_frames", "copy_times"]


class BaseRecording(BaseRecordingSnippets):
    """Traces of channels over time; see the modules of the room for what can be done with them.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    channel_ids : array_like of shape (n_channels,)
        Whole numbers or strings.
    dtype : dtype
        Of the traces.
    """

    _main_annotations: ClassVar[list[str]] = ["name", "is_filtered"]
    _main_properties: ClassVar[list[str]] = [
        *("group", "gain_to_uV", "offset_to_uV"),
        *("gain_to_physical_unit", "offset_to_physical_unit", "physical_unit"),
    ]
    _skip_properties: ClassVar[list[str]] = [
        f"noise_level_{method}_{scale}"
        for method in ("std", "mad", "rms")
        for scale in ("raw", "scaled")
    ]

    def __init__(self, sampling_frequency: float, channel_ids: ArrayLike, dtype: DTypeLike) -> None:
        super().__init__(sampling_frequency, channel_ids, dtype)
        self.annotate(is_filtered=False)

    def add_recording_segment(self, recording_segment: BaseRecordingSegment) -> None:
        """Append a segment."""
        self.add_segment(recording_segment)

    # -- how much there is -------------------------------------------------------------------

    def get_num_samples(self, segment_index: int | None = None) -> int:
        """Return the samples of each channel in a segment."""
        return int(self._segments[self._check_segment_index(segment_index)].get_num_samples())

    def get_num_frames(self, segment_index: int | None = None) -> int:
        """Return the samples of each channel in a segment."""
        return self.get_num_samples(segment_index)

    def get_total_samples(self) -> int:
        """Return the samples of each channel in all segments."""
        return sum(self.get_num_samples(k) for k in range(self.get_num_segments()))

    def get_shape(self, segment_index: int | None = None) -> tuple[int, int]:
        """Return (n_samples, n_channels) of a segment."""
        return self.get_num_samples(segment_index), self.get_num_channels()

    def get_duration(self, segment_index: int | None = None) -> float:
        """Return how long a segment is, in seconds: its last sample counts a whole period."""
        segment_index = self._check_segment_index(segment_index)
        if self.get_num_samples(segment_index) == 0:
            return 0.0
        first_s, last_s = self.get_start_time(segment_index), self.get_end_time(segment_index)
        return last_s - first_s + 1 / self.sampling_frequency

    def get_total_duration(self) -> float:
        """Return how long all segments are together, in seconds."""
        return sum(self.get_duration(k) for k in range(self.get_num_segments()))

    def get_sample_size_in_bytes(self, dtype: DTypeLike | None = None) -> int:
        """Return the bytes of one sample of all channels."""
        itemsize = np.dtype(self.dtype if dtype is None else dtype).itemsize
        return self.get_num_channels() * itemsize

    def get_memory_size(self, segment_index: int | None = None) -> int:
        """Return the bytes of all traces of a segment."""
        return self.get_num_samples(segment_index) * self.get_sample_size_in_bytes()

    def get_total_memory_size(self) -> int:
        """Return the bytes of all traces."""
        return self.get_total_samples() * self.get_sample_size_in_bytes()

    # -- traces ------------------------------------------------------------------------------

    def get_traces(
        self,
        segment_index: int | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_ids: Iterable[Any] | None = None,
        order: Literal["C", "F"] | None = None,
        return_in_uV: bool = False,
        *,
        return_scaled: bool | None = None,
    ) -> NDArray[Any]:
        """Read traces.

        Parameters
        ----------
        segment_index : int, optional
            Needed if there are several segments.
        start_frame, end_frame : int, optional
            First sample, and the one after the last; all by default. An end behind the recording
            is its end.
        channel_ids : list, optional
            Channels in this order; all by default.
        order : {"C", "F"}, optional
            Layout in memory.
        return_in_uV : bool, default False
            Return microvolts (float32) rather than what is in the file.
        return_scaled : bool, optional
            The same, as it was spelled before.

        Returns
        -------
        ndarray of shape (n_samples, n_channels)
            Possibly a view of the file: not to be written to.

        Raises
        ------
        ParameterError
            If frames are negative or the wrong way round, if a channel or segment is unknown, or
            if microvolts are asked for and gains are not known.

        Examples
        --------
        >>> from spikeloom.core.numpy_recording import NumpyRecording
        >>> recording = NumpyRecording(
        ...     [np.arange(6).reshape(3, 2)], 30000.0, channel_ids=["a", "b"]
        ... )
        >>> recording.get_traces(start_frame=1, channel_ids=["b"])
        array([[3],
               [5]])
        """
        segment_index = self._check_segment_index(segment_index)
        segment: BaseRecordingSegment = self._segments[segment_index]
        start, end = checked_frames(start_frame, end_frame, segment.get_num_samples())
        indices = self.ids_to_indices(channel_ids, prefer_slice=True)
        traces = segment.get_traces(start, end, indices)
        if order is not None:
            if order not in {"C", "F"}:
                msg = f"order must be 'C' or 'F'; got {order!r}."
                raise ParameterError(msg)
            traces = np.asanyarray(traces, order=order)
        if return_in_uV if return_scaled is None else return_scaled:
            traces = self._in_uV(traces, indices)
        return traces

    def get_data(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        segment_index: int | None = None,
        **kwargs: Any,
    ) -> NDArray[Any]:
        """Read traces; the same as `get_traces` for code that handles any series over time."""
        return self.get_traces(segment_index, start_frame, end_frame, **kwargs)

    # -- times -------------------------------------------------------------------------------

    def get_time_info(self, segment_index: int | None = None) -> dict[str, Any]:
        """Return sampling_frequency, t_start and time_vector of a segment."""
        segment = self._segments[self._check_segment_index(segment_index)]
        return {
            "sampling_frequency": segment.sampling_frequency,
            "t_start": segment.t_start,
            "time_vector": segment.time_vector,
        }

    def get_times(
        self,
        segment_index: int | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
    ) -> NDArray[np.float64]:
        """Return the times of samples of a segment in seconds (all of them by default)."""
        segment = self._segments[self._check_segment_index(segment_index)]
        start, end = checked_frames(start_frame, end_frame, segment.get_num_samples())
        times_s: NDArray[np.float64] = segment.times.between(start, end)
        return times_s

    def get_start_time(self, segment_index: int | None = None) -> float:
        """Return the time of the first sample of a segment in seconds."""
        return float(self._segments[self._check_segment_index(segment_index)].get_start_time())

    def get_end_time(self, segment_index: int | None = None) -> float:
        """Return the time of the last sample of a segment in seconds."""
        return float(self._segments[self._check_segment_index(segment_index)].get_end_time())

    def get_segment_t_starts(self) -> list[float | None] | None:
        """Return the start times of the segments as they were set, None if none was."""
        starts = [segment.t_start for segment in self._segments]
        return None if all(start is None for start in starts) else starts

    def has_time_vector(self, segment_index: int | None = None) -> bool:
        """Return whether a segment has a time for each sample, rather than a regular clock."""
        segment = self._segments[self._check_segment_index(segment_index)]
        return segment.time_vector is not None

    def has_any_time_vector(self) -> bool:
        """Return whether some segment has a time for each sample."""
        return any(segment.time_vector is not None for segment in self._segments)

    def set_times(
        self,
        times: ArrayLike,
        segment_index: int | None = None,
        with_warning: bool | None = None,  # noqa: ARG002 - SpikeInterface's, which once warned
    ) -> None:
        """Give the time of each sample of a segment.

        Parameters
        ----------
        times : array_like of shape (n_samples,)
            Seconds, increasing. The array is used as it is, not copied.
        segment_index : int, optional
            Needed if there are several segments.
        with_warning : bool, optional
            Without effect.

        Raises
        ------
        ParameterError
            If there is not one time for each sample.
        """
        segment = self._segments[self._check_segment_index(segment_index)]
        segment.times = clock.given_times(times, segment.get_num_samples())
        segment.are_times_set = True

    def reset_times(self) -> None:
        """Let the samples of each segment count from 0 s again."""
        for segment in self._segments:
            if clock.is_set(segment.times):
                segment.times = RegularTimes(self.sampling_frequency)
                segment.are_times_set = True

    def shift_times(self, shift: float, segment_index: int | None = None) -> None:
        """Make a segment (by default all) later by `shift` seconds."""
        indices = range(self.get_num_segments())
        if segment_index is not None:
            indices = range(k := self._check_segment_index(segment_index), k + 1)
        for k in indices:
            segment = self._segments[k]
            segment.times = segment.times.shifted(float(shift))
            segment.are_times_set = True

    def sample_index_to_time(self, sample_ind: ArrayLike, segment_index: int | None = None) -> Any:
        """Return the time of samples (one or many) in seconds."""
        return self._segments[self._check_segment_index(segment_index)].sample_index_to_time(
            sample_ind
        )

    def time_to_sample_index(self, time_s: ArrayLike, segment_index: int | None = None) -> Any:
        """Return the sample at a time (one or many) in seconds."""
        return self._segments[self._check_segment_index(segment_index)].time_to_sample_index(time_s)

    def _extra_metadata_to_dict(self, description: dict[str, Any]) -> None:
        super()._extra_metadata_to_dict(description)
        if any(segment.are_times_set for segment in self._segments):
            description["times_kwargs"] = [
                {
                    "sampling_frequency": self.sampling_frequency,
                    "t_start": segment.t_start,
                    "time_vector": _vector_of(segment),
                }
                for segment in self._segments
            ]

    def _extra_metadata_from_dict(self, description: Mapping[str, Any]) -> None:
        super()._extra_metadata_from_dict(description)
        for segment, kwargs in zip(
            self._segments, description.get("times_kwargs") or (), strict=False
        ):
            vector = kwargs.get("time_vector")
            if vector is not None:
                segment.times = clock.given_times(vector, segment.get_num_samples())
            else:
                segment.times = RegularTimes(self.sampling_frequency, kwargs.get("t_start"))
            segment.are_times_set = True

    # -- views -------------------------------------------------------------------------------

    def select_channels(self, channel_ids: Iterable[Any]) -> Any:
        """Return a view of some channels, in the order given."""
        from spikeloom.core.channel_slices import ChannelSliceRecording  # noqa: PLC0415

        return ChannelSliceRecording(self, channel_ids=channel_ids)

    def rename_channels(self, new_channel_ids: ArrayLike) -> Any:
        """Return a view whose channels have other ids; raises ParameterError for a wrong number."""
        from spikeloom.core.channel_slices import ChannelSliceRecording  # noqa: PLC0415

        return ChannelSliceRecording(self, renamed_channel_ids=new_channel_ids)

    def frame_slice(self, start_frame: int | None, end_frame: int | None) -> Any:
        """Return a view of the samples `start_frame` to `end_frame` (excluded)."""
        from spikeloom.core.frame_slices import FrameSliceRecording  # noqa: PLC0415

        return FrameSliceRecording(self, start_frame=start_frame, end_frame=end_frame)

    def time_slice(self, start_time: float | None, end_time: float | None) -> Any:
        """Return a view of the samples from `start_time` to before `end_time`, in seconds.

        Raises
        ------
        ParameterError
            If there are several segments, or if the times lie outside the recording.
        """
        from spikeloom.core.frame_slices import time_slice  # noqa: PLC0415

        return time_slice(self, start_time, end_time)

    def select_segments(self, segment_indices: int | Iterable[int]) -> Any:
        """Return a view of some segments."""
        from spikeloom.core.segments import select_segment_recording  # noqa: PLC0415

        return select_segment_recording(self, segment_indices)

    def astype(self, dtype: DTypeLike, round: bool | None = None) -> Any:
        """Return a view with values of another type, rounded if it is of whole numbers."""
        from spikeloom.core.operations import AsTypeRecording  # noqa: PLC0415

        return AsTypeRecording(self, dtype=np.dtype(dtype), round=round)

    def __add__(self, other: Self) -> Any:
        from spikeloom.core.operations import AddRecordings  # noqa: PLC0415

        return AddRecordings(self, other)

    def __sub__(self, other: Self) -> Any:
        from spikeloom.core.operations import SubtractRecordings  # noqa: PLC0415

        return SubtractRecordings(self, other)

    # -- files -------------------------------------------------------------------------------

    def is_binary_compatible(self) -> bool:
        """Return whether the traces lie in flat files, which sorters can read as they are."""
        return False

    def get_binary_description(self) -> dict[str, Any]:
        """Return file_paths, dtype, num_channels, time_axis and file_offset of flat files."""
        name = type(self).__name__
        msg = f"A {name} is not in flat binary files; save(format='binary') makes it so."
        raise ParameterError(msg)

    def binary_compatible_with(
        self,
        dtype: DTypeLike | None = None,
        time_axis: int | None = None,
        file_paths_length: int | None = None,
        file_offset: int | None = None,
        file_suffix: str | None = None,
    ) -> bool:
        """Return whether the traces lie in flat files of just this layout."""
        if not self.is_binary_compatible():
            return False
        known = self.get_binary_description()
        paths = known["file_paths"]
        checks = (
            dtype is None or np.dtype(dtype) == np.dtype(known["dtype"]),
            time_axis is None or time_axis == known["time_axis"],
            file_paths_length is None or file_paths_length == len(paths),
            file_offset is None or file_offset == known["file_offset"],
            file_suffix is None or all(str(path).endswith(file_suffix) for path in paths),
        )
        return all(checks)


def checked_frames(
    start_frame: int | None, end_frame: int | None, n_samples: int
) -> tuple[int, int]:
    """Return first frame and end of a stretch, with defaults filled in and cut to `n_samples`.

    Raises
    ------
    ParameterError
        If a frame is negative or not whole, or if the start is behind the end.
    """
    start = 0 if start_frame is None else _whole(start_frame, "start_frame")
    end = n_samples if end_frame is None else _whole(end_frame, "end_frame")
    if start < 0 or end < 0:
        msg = (
            f"Frames count from 0; got start_frame={start_frame}, end_frame={end_frame}. "
            f"The last frame is {n_samples - 1}."
        )
        raise ParameterError(msg)
    if start > end:
        msg = f"start_frame={start} is behind end_frame={end}."
        raise ParameterError(msg)
    return min(start, n_samples), min(end, n_samples)


def _whole(frame: Any, name: str) -> int:
    if isinstance(frame, int | np.integer):
        return int(frame)
    if isinstance(frame, float | np.floating) and float(frame).is_integer():
        return int(frame)
    msg = f"{name} must be a whole number; got {frame!r}."
    raise ParameterError(msg)


def _vector_of(segment: BaseRecordingSegment) -> Any:
    """Return the time of each sample if numbers cannot say it in fewer."""
    if segment.time_vector is not None:
        return segment.time_vector
    if isinstance(segment.times, RegularTimes):
        return None
    return segment.get_times()


def copy_times(source: BaseExtractor, target: BaseExtractor) -> None:
    """Give the segments of `target` the times of those of `source`."""
    for theirs, ours in zip(source.segments, target.segments, strict=True):
        # What is in the file of the one is not in the file of the other.
        ours.are_times_set = theirs.are_times_set or clock.is_set(theirs.times)
        ours.times = theirs.times
