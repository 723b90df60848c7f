"""Recordings in flat binary files: one file for each segment, as acquisition systems write them."""

import mmap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core import times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.numpy_recording import checked_t_starts
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.recording_segment import picked
from spikeloom.errors import ParameterError
from spikeloom.storage.raw_files import open_raw

Paths = str | Path | Sequence[str | Path]

_N_MAPPED_BYTES_MIN = 1 << 20
"""Larger reads get a map of their own, which leaves memory with the array; for smaller ones making
it would cost more than reading."""


@stored_as(
    "spikeinterface.core.binaryrecordingextractor.BinaryRecordingExtractor",
    "BinDatRecordingExtractor",
)
class BinaryRecordingExtractor(BaseRecording):
    """A recording in flat binary files.

    Parameters
    ----------
    file_paths : str, Path or list of them
        A file for each segment. Bytes behind the last whole sample are left out.
    sampling_frequency : float
        In Hz.
    dtype : dtype
        Of the values, with their byte order: ``"int16"``, ``">f4"``.
    num_channels : int
        Number of channels in the file.
    t_starts : list of float, optional
        Time of the first sample of each segment in seconds.
    channel_ids : array_like of shape (n_channels,), optional
        0, 1, 2, … by default.
    time_axis : {0, 1}, default 0
        0 if the channels of one sample lie together, 1 if the samples of one channel do.
    file_offset : int, default 0
        Bytes before the values.
    gain_to_uV, offset_to_uV : float or array_like of shape (n_channels,), optional
        Microvolts per step, and of step 0.
    is_filtered : bool, optional
        Whether the traces are filtered already.
    file_timestamps_paths : str, Path or list of them, optional
        Files of float64 with the time of each sample in seconds, one for each segment; None in the
        list for a segment without.
    num_chan : int, optional
        Older name of `num_channels`.
    num_samples : list of int, optional
        Samples of each segment; looked at only if there are no channels, so that files cannot say.

    Raises
    ------
    ParameterError
        If the number of channels is not given, or numbers do not fit together.
    MissingFileError
        If a file is absent.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "traces.raw"
    >>> np.arange(6, dtype="int16").tofile(path)
    >>> recording = BinaryRecordingExtractor(path, 30000.0, "int16", num_channels=2)
    >>> recording.get_traces(start_frame=1)
    array([[2, 3], [4, 5]], dtype=int16)
    """

    def __init__(
        self,
        file_paths: Paths,
        sampling_frequency: float,
        dtype: DTypeLike,
        num_channels: int | None = None,
        t_starts: Sequence[float | None] | None = None,
        channel_ids: ArrayLike | None = None,
        time_axis: int = 0,
        file_offset: int = 0,
        gain_to_uV: ArrayLike | None = None,
        offset_to_uV: ArrayLike | None = None,
        is_filtered: bool | None = None,
        file_timestamps_paths: Paths | Sequence[str | Path | None] | None = None,
        *,
        num_chan: int | None = None,
        num_samples: Sequence[int] | None = None,
    ) -> None:
        given = num_channels if num_channels is not None else num_chan
        ids = _checked_ids(given, channel_ids)
        n_channels = len(ids)
        super().__init__(sampling_frequency, ids, dtype)
        paths = _as_paths(file_paths)
        starts = checked_t_starts(t_starts, len(paths))
        stamps = _as_timestamp_paths(file_timestamps_paths, len(paths))
        lengths = [0] * len(paths) if num_samples is None else num_samples
        for k, (path, t_start, stamp_path) in enumerate(zip(paths, starts, stamps, strict=True)):
            if n_channels:
                traces = open_raw(
                    path,
                    dtype=self.dtype,
                    n_channels=n_channels,
                    file_offset=file_offset,
                    time_axis=time_axis,
                )
            else:
                traces = np.empty((lengths[k], 0), self.dtype)
            segment = BinaryRecordingSegment(
                traces,
                self.sampling_frequency,
                t_start,
                path=path,
                file_offset=file_offset,
                time_axis=time_axis,
            )
            if stamp_path is not None:
                vector = open_raw(stamp_path, dtype="<f8", n_channels=1)[:, 0]
                segment.times = clock.given_times(vector, segment.get_num_samples())
            self.add_recording_segment(segment)
        if is_filtered is not None:
            self.annotate(is_filtered=bool(is_filtered))
        if gain_to_uV is not None:
            self.set_channel_gains(gain_to_uV)
        if offset_to_uV is not None:
            self.set_channel_offsets(offset_to_uV)
        has_stamps = any(stamp is not None for stamp in stamps)
        self._kwargs = {
            "file_paths": [str(path) for path in paths],
            "sampling_frequency": self.sampling_frequency,
            "t_starts": None if t_starts is None else starts,
            "num_channels": int(n_channels),
            "dtype": self.dtype.str,
            "channel_ids": self.channel_ids,
            "time_axis": int(time_axis),
            "file_offset": int(file_offset),
            "gain_to_uV": gain_to_uV,
            "offset_to_uV": offset_to_uV,
            "is_filtered": is_filtered,
        }
        if has_stamps:  # which older versions of SpikeInterface do not know
            self._kwargs["file_timestamps_paths"] = [
                None if stamp is None else str(stamp) for stamp in stamps
            ]

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Mapping[str, Any],  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        kwargs = dict(old_kwargs)
        if "num_chan" in kwargs:
            kwargs.setdefault("num_channels", kwargs.pop("num_chan"))
        if "files_path" in kwargs:
            kwargs["file_paths"] = kwargs.pop("files_path")
        return kwargs

    def is_binary_compatible(self) -> bool:
        """Return True: the traces lie in flat files."""
        return True

    def get_binary_description(self) -> dict[str, Any]:
        """Return file_paths, dtype, num_channels, time_axis and file_offset of the files."""
        return {
            "file_paths": [str(segment.path) for segment in self._segments],
            "dtype": self.dtype,
            "num_channels": self.get_num_channels(),
            "time_axis": self._segments[0].time_axis,
            "file_offset": self._segments[0].file_offset,
        }

    @staticmethod
    def write_recording(
        recording: BaseRecording,
        file_paths: Paths,
        dtype: DTypeLike | None = None,
        **job_kwargs: Any,
    ) -> None:
        """Write a recording to flat files; see `spikeloom.write_binary_recording`."""
        from spikeloom.core.writing import write_binary_recording  # noqa: PLC0415 - it knows this

        write_binary_recording(recording, file_paths, dtype=dtype, **job_kwargs)


class BinaryRecordingSegment(BaseRecordingSegment):
    """A segment in a flat file, read through a memory map.

    Parameters
    ----------
    traces : ndarray of shape (n_samples, n_channels)
        Map of the whole file.
    sampling_frequency : float
        In Hz.
    t_start : float, optional
        Time of the first sample in seconds.
    path : Path
        The file.
    file_offset : int
        Bytes before the values.
    time_axis : {0, 1}
        Axis of the file that is time.
    """

    def __init__(
        self,
        traces: NDArray[Any],
        sampling_frequency: float,
        t_start: float | None,
        *,
        path: Path,
        file_offset: int,
        time_axis: int,
    ) -> None:
        super().__init__(sampling_frequency, t_start)
        self._traces = traces
        self.path = path
        self.file_offset = file_offset
        self.time_axis = time_axis

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._traces.shape[0])

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return a view of the file, or a copy where channels are picked one by one."""
        start = 0 if start_frame is None else start_frame
        end = self.get_num_samples() if end_frame is None else end_frame
        n_bytes = (end - start) * self._traces.shape[1] * self._traces.dtype.itemsize
        if self.time_axis == 0 and n_bytes >= _N_MAPPED_BYTES_MIN:
            traces = self._map(start, end)
        else:
            traces = self._traces[start:end]
        return picked(traces, channel_indices)

    def _map(self, start: int, end: int) -> NDArray[Any]:
        """Return a stretch through a map of its own, whose pages go when the array does."""
        n_channels, dtype = self._traces.shape[1], self._traces.dtype
        n_row_bytes = n_channels * dtype.itemsize
        first = self.file_offset + start * n_row_bytes
        page = first % mmap.ALLOCATIONGRANULARITY
        with self.path.open("rb") as file:
            length = page + (end - start) * n_row_bytes
            mapped = mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ, offset=first - page)
        flat = np.frombuffer(mapped, dtype, (end - start) * n_channels, page)
        return flat.reshape(end - start, n_channels)


def read_binary(
    file_paths: Paths,
    sampling_frequency: float,
    dtype: DTypeLike,
    num_channels: int | None = None,
    t_starts: Sequence[float | None] | None = None,
    channel_ids: ArrayLike | None = None,
    time_axis: int = 0,
    file_offset: int = 0,
    gain_to_uV: ArrayLike | None = None,
    offset_to_uV: ArrayLike | None = None,
    is_filtered: bool | None = None,
    file_timestamps_paths: Paths | None = None,
) -> BinaryRecordingExtractor:
    """Open flat binary files as a recording; see `BinaryRecordingExtractor` for the parameters."""
    return BinaryRecordingExtractor(
        file_paths,
        sampling_frequency,
        dtype,
        num_channels,
        t_starts,
        channel_ids,
        time_axis,
        file_offset,
        gain_to_uV,
        offset_to_uV,
        is_filtered,
        file_timestamps_paths,
    )


def _checked_ids(num_channels: int | None, channel_ids: ArrayLike | None) -> NDArray[Any]:
    """Return the id of each channel, of which the file does not say how many there are."""
    if channel_ids is None:
        if num_channels is None:
            msg = "A flat binary file does not say how many channels it has: give num_channels."
            raise ParameterError(msg)
        return np.arange(num_channels)
    ids = np.asarray(channel_ids)
    if num_channels is not None and len(ids) != num_channels:
        msg = f"{len(ids)} channel ids do not fit num_channels={num_channels}."
        raise ParameterError(msg)
    return ids


def _as_paths(paths: Paths) -> list[Path]:
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if not listed:
        msg = "At least one file is needed."
        raise ParameterError(msg)
    return [Path(path).absolute() for path in listed]


def _as_timestamp_paths(
    paths: Paths | Sequence[str | Path | None] | None, n_segments: int
) -> list[Path | None]:
    if paths is None:
        return [None] * n_segments
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if len(listed) != n_segments:
        msg = f"file_timestamps_paths has {len(listed)} files for {n_segments} segments."
        raise ParameterError(msg)
    return [None if path is None else Path(path).absolute() for path in listed]
