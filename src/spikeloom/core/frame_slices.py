"""Views of a stretch of a recording, given in frames or in seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.matching import as_recording
from spikeloom.core.old_arguments import one_of, with_new_names
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment, checked_frames
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.core.frameslicerecording.FrameSliceRecording")
class FrameSliceRecording(BaseRecording):
    """A stretch of a recording of one segment; see `BaseRecording.frame_slice`.

    Parameters
    ----------
    recording : BaseRecording
        The recording; also spelled ``parent_recording``.
    start_frame : int, optional
        Its first frame to show; 0 by default.
    end_frame : int, optional
        The one after the last; the end of the recording by default. A stretch may be empty.

    Raises
    ------
    ParameterError
        If there are several segments, or if the frames are not within the recording.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.arange(5)[:, None]], sampling_frequency=10.0)
    >>> part = FrameSliceRecording(recording, 2, 4)
    >>> part.get_traces().ravel(), part.get_times()
    (array([2, 3]), array([0.2, 0.3]))
    """

    def __init__(
        self,
        recording: BaseRecording | None = None,
        start_frame: int | None = None,
        end_frame: int | None = None,
        *,
        parent_recording: BaseRecording | None = None,
    ) -> None:
        parent = as_recording(one_of(recording, parent_recording, "recording", "parent_recording"))
        segment = only_segment(parent, "frame_slice")
        start, end = frames_within(start_frame, end_frame, segment.get_num_samples())
        super().__init__(parent.sampling_frequency, parent.channel_ids, parent.dtype)
        self.add_recording_segment(FrameSliceRecordingSegment(segment, start, end))
        parent.copy_metadata(self)
        self._parent = parent
        self._kwargs = {"recording": parent, "start_frame": start, "end_frame": end}

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - inherited
    ) -> dict[str, Any]:
        return with_new_names(old_kwargs, parent_recording="recording")

    def is_binary_compatible(self) -> bool:
        """Return whether the traces lie in a flat file.

        They do if the stretch goes on to the end of the recording, for a description of a file says
        where its traces begin, not where they end.
        """
        parent: BaseRecording = self._kwargs["recording"]
        start, end = self._kwargs["start_frame"], self._kwargs["end_frame"]
        if end != parent.get_num_samples() or not parent.is_binary_compatible():
            return False
        return bool(start == 0 or parent.get_binary_description()["time_axis"] == 0)

    def get_binary_description(self) -> dict[str, Any]:
        """Return file_paths, dtype, num_channels, time_axis and file_offset of flat files."""
        if not self.is_binary_compatible():
            return super().get_binary_description()
        parent: BaseRecording = self._kwargs["recording"]
        description = parent.get_binary_description()
        n_sample_bytes = np.dtype(description["dtype"]).itemsize * description["num_channels"]
        n_skipped_bytes = self._kwargs["start_frame"] * n_sample_bytes
        return {**description, "file_offset": description["file_offset"] + n_skipped_bytes}


class FrameSliceRecordingSegment(BaseRecordingSegment):
    """The frames `start_frame` to `end_frame` (excluded) of a segment."""

    def __init__(self, segment: BaseRecordingSegment, start_frame: int, end_frame: int) -> None:
        super().__init__(times=segment.times.sliced(start_frame, end_frame))
        # A slice of a slice is one of what that is a slice of.
        self._source, self._start = segment, start_frame
        if type(segment) is FrameSliceRecordingSegment:
            self._source, self._start = segment._source, segment._start + start_frame
        self._n_samples = end_frame - start_frame

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._n_samples

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (end_frame - start_frame, n_channels)."""
        start = 0 if start_frame is None else start_frame
        end = self._n_samples if end_frame is None else end_frame
        return self._source.get_traces(self._start + start, self._start + end, channel_indices)


def time_slice(
    recording: BaseRecording, start_time: float | None, end_time: float | None
) -> FrameSliceRecording:
    """Return a view of the samples from `start_time` to before `end_time`.

    Times between two samples mean the nearer one; times in a pause, the first sample after it.

    Parameters
    ----------
    recording : BaseRecording
        A recording of one segment.
    start_time, end_time : float or None
        In seconds; None is the start, or the end, of the recording.

    Raises
    ------
    ParameterError
        If there are several segments, or if the times lie outside the recording.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((100, 1))], 10.0, t_starts=[5.0])
    >>> time_slice(recording, 6.0, 15.0).get_num_samples()
    90
    """
    segment = only_segment(recording, "time_slice")
    if start_time is not None and end_time is not None and start_time > end_time:
        msg = f"start_time={start_time} is behind end_time={end_time}."
        raise ParameterError(msg)
    period_s = 1 / recording.sampling_frequency
    return FrameSliceRecording(
        recording,
        None if start_time is None else _frame_near(segment, start_time, "start_time", period_s),
        None if end_time is None else _frame_near(segment, end_time, "end_time", period_s),
    )


def _frame_near(segment: BaseRecordingSegment, time_s: float, name: str, period_s: float) -> int:
    """Return the frame nearest to a time, or the end; the next one if there is a pause."""
    n_samples = segment.get_num_samples()
    start_s, last_s = segment.get_start_time(), segment.get_end_time()
    if start_s - period_s / 2 <= time_s <= last_s + 1.5 * period_s:
        frame = int(segment.times.frames_at(time_s))
        # Clocks that round have done so; lists of times name the frame before.
        if frame < 0 or (
            frame < n_samples and time_s - float(segment.times.of_frames(frame)) > period_s / 2
        ):
            frame += 1
        return min(frame, n_samples)
    msg = (
        f"{name}={time_s} s is not within the recording, which goes from {start_s} s to "
        f"{last_s + period_s} s."
    )
    raise ParameterError(msg)


def only_segment(recording: BaseRecording, what: str) -> BaseRecordingSegment:
    """Return the segment of a recording that has one.

    Raises
    ------
    ParameterError
        If there are several, or none.
    """
    n_segments = recording.get_num_segments()
    if n_segments != 1:
        msg = (
            f"{what} works on a recording of one segment; this one has {n_segments}. Take one with "
            "select_segments(0), or make them one with concatenate_recordings([recording])."
        )
        raise ParameterError(msg)
    segment: BaseRecordingSegment = recording.segments[0]
    return segment


def frames_within(
    start_frame: int | None, end_frame: int | None, n_samples: int
) -> tuple[int, int]:
    """Return first frame and end of a stretch, with defaults filled in.

    Raises
    ------
    ParameterError
        If they are not within `n_samples`, or the wrong way round.
    """
    start, end = checked_frames(start_frame, end_frame, n_samples)
    for name, frame in (("start_frame", start_frame), ("end_frame", end_frame)):
        if frame is not None and frame > n_samples:
            msg = f"{name}={frame} is behind the end of the recording, {n_samples}."
            raise ParameterError(msg)
    return start, end
