"""Recordings of arrays in memory."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment, copy_times
from spikeloom.core.recording_segment import copy_windows, picked
from spikeloom.errors import ParameterError


@stored_as("spikeinterface.core.numpyextractors.NumpyRecording")
class NumpyRecording(BaseRecording):
    """A recording of arrays in memory, which are used as they are.

    Parameters
    ----------
    traces_list : ndarray or list of ndarray, each of shape (n_samples, n_channels)
        Traces of each segment, all of the same type and number of channels.
    sampling_frequency : float
        In Hz.
    t_starts : list of float, optional
        Time of the first sample of each segment in seconds.
    channel_ids : array_like of shape (n_channels,), optional
        0, 1, 2, … by default.

    Examples
    --------
    >>> recording = NumpyRecording([np.zeros((30000, 4), np.int16)], sampling_frequency=30000.0)
    >>> recording.get_num_channels(), recording.get_total_duration()
    (4, 1.0)
    """

    def __init__(
        self,
        traces_list: ArrayLike | Sequence[ArrayLike],
        sampling_frequency: float | None = None,
        t_starts: Sequence[float | None] | None = None,
        channel_ids: ArrayLike | None = None,
    ) -> None:
        if sampling_frequency is None:
            msg = "NumpyRecording needs sampling_frequency=..., in Hz."
            raise ParameterError(msg)
        arrays = as_traces_list(traces_list)
        n_channels = arrays[0].shape[1]
        ids = np.arange(n_channels) if channel_ids is None else np.asarray(channel_ids)
        if len(ids) != n_channels:
            msg = f"{len(ids)} channel ids do not fit traces of {n_channels} channels."
            raise ParameterError(msg)
        starts = checked_t_starts(t_starts, len(arrays))
        super().__init__(sampling_frequency, ids, arrays[0].dtype)
        self._serializability.update(json=False, pickle=False)
        for array, t_start in zip(arrays, starts, strict=True):
            self.add_recording_segment(
                NumpyRecordingSegment(array, self.sampling_frequency, t_start)
            )
        self._kwargs = {
            "traces_list": arrays,
            "sampling_frequency": self.sampling_frequency,
            "t_starts": None if t_starts is None else starts,
            "channel_ids": self.channel_ids,
        }

    @classmethod
    def from_recording(
        cls,
        source_recording: BaseRecording,
        with_metadata: bool = True,
        with_time_vector: bool = False,
        **job_kwargs: Any,
    ) -> Self:
        """Read all traces of a recording into memory.

        Parameters
        ----------
        source_recording : BaseRecording
            The recording.
        with_metadata : bool, default True
            Copy properties, annotations and probe.
        with_time_vector : bool, default False
            Copy times that were given one by one; regular ones always are.
        **job_kwargs
            See `spikeloom.set_global_job_kwargs`.
        """
        from spikeloom.core.writing import write_memory_recording  # noqa: PLC0415 - it knows this

        arrays, _ = write_memory_recording(source_recording, buffer_type="numpy", **job_kwargs)
        copied = cls(
            arrays,
            source_recording.sampling_frequency,
            t_starts=source_recording.get_segment_t_starts(),
            channel_ids=source_recording.channel_ids,
        )
        if with_metadata:
            source_recording.copy_metadata(copied)
        if with_time_vector:
            copy_times(source_recording, copied)
        return copied


class NumpyRecordingSegment(BaseRecordingSegment):
    """A segment of an array in memory, shape (n_samples, n_channels)."""

    def __init__(
        self, traces: NDArray[Any], sampling_frequency: float, t_start: float | None
    ) -> None:
        super().__init__(sampling_frequency, t_start)
        self._traces = traces

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._traces.shape[0])

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return a view of the array, or a copy where channels are picked one by one."""
        return picked(self._traces[start_frame:end_frame], channel_indices)

    def cut_windows(self, starts: NDArray[np.int64], windows: NDArray[Any]) -> bool:
        """Copy windows out of the array."""
        copy_windows(self._traces, starts, windows)
        return True


def as_traces_list(traces_list: ArrayLike | Sequence[ArrayLike]) -> list[NDArray[Any]]:
    """Return traces of each segment as arrays of shape (n_samples, n_channels).

    Raises
    ------
    ParameterError
        If they are not, or differ in type or number of channels.
    """
    if isinstance(traces_list, np.ndarray) and traces_list.ndim == 2:
        traces_list = [traces_list]
    arrays = [np.asarray(traces) for traces in traces_list]  # type: ignore[union-attr]
    if not arrays or any(array.ndim != 2 for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays) or "none"
        msg = f"Traces must be a list of arrays of shape (n_samples, n_channels); got {shapes}."
        raise ParameterError(msg)
    if len({(array.shape[1], array.dtype) for array in arrays}) > 1:
        kinds = ", ".join(f"{array.shape[1]} channels of {array.dtype}" for array in arrays)
        msg = f"All segments need the same number of channels and type; got {kinds}."
        raise ParameterError(msg)
    return arrays


def checked_t_starts(
    t_starts: Sequence[float | None] | None, n_segments: int
) -> list[float | None]:
    """Return one start time for each segment, None where nobody set it.

    Raises
    ------
    ParameterError
        If there is not one for each segment.
    """
    if t_starts is None:
        return [None] * n_segments
    # Files may tell anything.
    if not hasattr(t_starts, "__len__") or len(t_starts) != n_segments:
        got = len(t_starts) if hasattr(t_starts, "__len__") else f"{t_starts!r:.80}"
        msg = f"t_starts needs one time for each of the {n_segments} segments; got {got}."
        raise ParameterError(msg)
    try:
        starts = [None if start is None else float(start) for start in t_starts]
    except (TypeError, ValueError, OverflowError):
        starts = [np.inf]
    if any(start is not None and np.isinf(start) for start in starts):
        msg = f"t_starts are times in seconds, None where there is none; got {t_starts!r:.100}."
        raise ParameterError(msg)
    return [None if start is None or np.isnan(start) else start for start in starts]
