"""Recordings worked out of others value by value: another type, sum, difference."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core import times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.matching import as_recording, as_recordings, check_equal
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.errors import ParameterError

_WHOLE = "iu"


@stored_as("spikeinterface.preprocessing.astype.AstypeRecording", "AsTypeRecording")
class AsTypeRecording(BaseRecording):
    """A recording whose values are of another type; see `BaseRecording.astype`.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    dtype : dtype, optional
        The type; that of the recording by default.
    round : bool, optional
        Round to whole numbers; by default if the type is one of whole numbers. Numbers that the
        type cannot hold become the nearest that it can, and NaN becomes 0.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.array([[1.6, -0.4, 1e9]])], 30000.0)
    >>> AsTypeRecording(recording, "int16").get_traces()
    array([[    2,     0, 32767]], dtype=int16)
    """

    def __init__(
        self,
        recording: BaseRecording,
        dtype: DTypeLike | None = None,
        round: bool | None = None,
    ) -> None:
        parent = as_recording(recording)
        new_dtype = parent.dtype if dtype is None else np.dtype(dtype)
        is_rounded = new_dtype.kind in _WHOLE if round is None else bool(round)
        super().__init__(parent.sampling_frequency, parent.channel_ids, new_dtype)
        for segment in parent.segments:
            self.add_recording_segment(AsTypeRecordingSegment(segment, new_dtype, is_rounded))
        parent.copy_metadata(self)
        self._parent = parent
        self._kwargs = {"recording": parent, "dtype": new_dtype.str, "round": is_rounded}


class AsTypeRecordingSegment(BaseRecordingSegment):
    """A segment whose values are of another type, rounded if `is_rounded`."""

    def __init__(
        self, segment: BaseRecordingSegment, dtype: np.dtype[Any], is_rounded: bool
    ) -> None:
        super().__init__(times=segment.times)
        self._source = segment
        self._dtype = dtype
        self._is_rounded = is_rounded

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
        traces = self._source.get_traces(start_frame, end_frame, channel_indices)
        return converted(traces, self._dtype, is_rounded=self._is_rounded)


def converted(values: NDArray[Any], dtype: np.dtype[Any], *, is_rounded: bool) -> NDArray[Any]:
    """Return values of another type; the given array is left as it is.

    Parameters
    ----------
    values : ndarray
        Whole numbers or floats.
    dtype : dtype
        The type. Floats that it cannot hold become the nearest that it can, NaN becomes 0; whole
        numbers wrap around, as numpy does it.
    is_rounded : bool
        Round floats to the nearest whole number, halves to even ones.
    """
    if values.dtype.kind != "f":
        return values.astype(dtype, copy=False)
    if dtype.kind not in _WHOLE:
        return (np.rint(values) if is_rounded else values).astype(dtype, copy=False)
    values = values.astype(np.promote_types(values.dtype, np.float32), copy=False)
    whole: NDArray[Any] = np.rint(values) if is_rounded else np.trunc(values)
    low, high = _bounds(dtype, whole.dtype)
    # What numpy makes of a float that is too large differs between processors.
    np.clip(whole, low, high, out=whole)
    np.nan_to_num(whole, copy=False, nan=0.0)
    return whole.astype(dtype)


def _bounds(dtype: np.dtype[Any], float_dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the smallest and the largest float that fit into a type of whole numbers."""
    limits = np.iinfo(dtype)
    high = float_dtype.type(limits.max)
    if int(high) > limits.max:  # rounded up, for floats of this type are far apart here
        high = np.nextafter(high, float_dtype.type(0))
    return float_dtype.type(limits.min), high


class OperationRecording(BaseRecording):
    """Two recordings taken together value by value.

    The result has the properties, annotations and probe of the first. Where the steps of both are
    the same microvolts, those of the result are right, too; where they differ, it has none.

    Parameters
    ----------
    recording1, recording2 : BaseRecording
        Recordings with the same channels, type, sampling frequency, length and times. Whole numbers
        too large for their type wrap around, as numpy's do; use ``astype`` before where they might.

    Raises
    ------
    ParameterError
        If they do not fit each other; the message tells in what.
    """

    _operation: ClassVar[np.ufunc]

    def __init__(self, recording1: BaseRecording, recording2: BaseRecording) -> None:
        _check_alike(as_recordings([recording1, recording2]))
        super().__init__(recording1.sampling_frequency, recording1.channel_ids, recording1.dtype)
        for first, second in zip(recording1.segments, recording2.segments, strict=True):
            self.add_recording_segment(OperationRecordingSegment(first, second, self._operation))
        recording1.copy_metadata(self)
        self.annotate(is_filtered=recording1.is_filtered() and recording2.is_filtered())
        self._combine_scales(recording1, recording2)
        self._kwargs = {"recording1": recording1, "recording2": recording2}

    def _combine_scales(self, recording1: BaseRecording, recording2: BaseRecording) -> None:
        """Say what a step of the result means in microvolts."""
        if not (recording1.has_scaleable_traces() and recording2.has_scaleable_traces()):
            return
        first, second = recording1._properties, recording2._properties
        if np.array_equal(first["gain_to_uV"], second["gain_to_uV"], equal_nan=True):
            offsets = self._operation(first["offset_to_uV"], second["offset_to_uV"])
            self.set_property("offset_to_uV", offsets)
        else:
            self.set_property("gain_to_uV", None)
            self.set_property("offset_to_uV", None)

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - inherited
    ) -> dict[str, Any]:
        # SpikeInterface writes the operator down, too, and takes none.
        return {key: value for key, value in old_kwargs.items() if key != "operator"}


@stored_as("spikeinterface.core.operatorrecordings.AddRecordings")
class AddRecordings(OperationRecording):
    """The sum of two recordings; ``recording1 + recording2``.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.array([[1, 2]])], 30000.0)
    >>> AddRecordings(recording, recording).get_traces()
    array([[2, 4]])
    """

    _operation = np.add


@stored_as("spikeinterface.core.operatorrecordings.SubtractRecordings")
class SubtractRecordings(OperationRecording):
    """The difference of two recordings; ``recording1 - recording2``."""

    _operation = np.subtract


class OperationRecordingSegment(BaseRecordingSegment):
    """Two segments of the same length taken together value by value."""

    def __init__(
        self, first: BaseRecordingSegment, second: BaseRecordingSegment, operation: np.ufunc
    ) -> None:
        super().__init__(times=first.times)
        self._first = first
        self._second = second
        self._operation = operation

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._first.get_num_samples())

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces of shape (end_frame - start_frame, n_channels)."""
        traces: NDArray[Any] = self._operation(
            self._first.get_traces(start_frame, end_frame, channel_indices),
            self._second.get_traces(start_frame, end_frame, channel_indices),
        )
        return traces


def _check_alike(recordings: Sequence[BaseRecording]) -> None:
    check_equal("sampling frequency", [one.sampling_frequency for one in recordings])
    check_equal("dtype", [one.dtype for one in recordings])
    check_equal("channel ids", [one.channel_ids for one in recordings])
    check_equal("number of segments", [one.get_num_segments() for one in recordings])
    first, second = recordings
    for k in range(first.get_num_segments()):
        n_samples = [one.get_num_samples(k) for one in recordings]
        check_equal(f"number of samples (in segment {k})", n_samples)
        if not clock.are_same(first.segments[k].times, second.segments[k].times, n_samples[0]):
            msg = (
                f"The recordings have different times in segment {k}. Make them the same with "
                "reset_times() or set_times(...)."
            )
            raise ParameterError(msg)


AstypeRecording = AsTypeRecording
"""The same, as SpikeInterface spells it."""
