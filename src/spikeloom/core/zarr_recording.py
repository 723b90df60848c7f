"""Recordings in zarr stores: compressed chunks in a folder, or at a URL."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core import probes, times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.ids import Indices
from spikeloom.core.numpy_recording import checked_t_starts
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.zarr_metadata import read_zarr_metadata, resolved_location
from spikeloom.errors import DataError
from spikeloom.storage.json_fields import as_object, count_in
from spikeloom.storage.zarr_groups import AnyArray, ZarrGroup
from spikeloom.storage.zarr_opening import open_store, open_zarr


@stored_as("spikeinterface.core.zarrextractors.ZarrRecordingExtractor")
class ZarrRecordingExtractor(BaseRecording):
    """A recording in a zarr store that ``recording.save(format="zarr")`` made.

    Parameters
    ----------
    folder_path : str or Path
        A folder, or a URL (``s3://bucket/recording.zarr``).
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.
    load_compression_ratio : bool, default False
        Find out how much smaller it is than the traces, into the annotations
        ``compression_ratio`` and ``compression_ratio_segments``.
    root_path : str or Path, optional
        Older name of `folder_path`.
    group : ZarrGroup, optional
        The root of the store, if it is open already.

    Raises
    ------
    ReadError
        If there is no zarr store.
    DataError
        If it holds no recording.
    """

    def __init__(
        self,
        folder_path: str | Path | None = None,
        storage_options: dict[str, Any] | None = None,
        load_compression_ratio: bool = False,
        *,
        root_path: str | Path | None = None,
        group: ZarrGroup | None = None,
    ) -> None:
        location = resolved_location(folder_path if folder_path is not None else root_path)
        if group is None:
            group = open_zarr(location, storage_options=storage_options)
        attributes = group.attributes
        names = set(group.array_names())
        if "channel_ids" not in names or attributes.get("num_segments") is None:
            msg = f"{location} holds no recording: it has no channel_ids or no num_segments."
            raise DataError(msg)
        n_segments = count_in(attributes, "num_segments", location)
        traces = [group.array(f"traces_seg{k}") for k in range(n_segments)]
        dtype = traces[0].dtype if traces else np.dtype("float32")
        rate = attributes.get("sampling_frequency")
        super().__init__(rate, group.read_array("channel_ids"), dtype)  # type: ignore[arg-type]
        _check_traces(traces, self.get_num_channels(), location)
        told = group.read_array("t_starts").tolist() if "t_starts" in names else None
        starts = checked_t_starts(told, n_segments)
        for array, t_start in zip(traces, starts, strict=True):
            segment = ZarrRecordingSegment(array, self.sampling_frequency, t_start)
            times_name = f"times_seg{len(self._segments)}"
            if times_name in names:
                vector = TimeVector(group.array(times_name))
                segment.times = clock.given_times(vector, segment.get_num_samples())
            self.add_recording_segment(segment)
        read_zarr_metadata(self, group)
        described = attributes.get("probegroup") or attributes.get("probe")
        if described is not None:
            is_new = bool(attributes.get("probegroup"))
            make = probes.probegroup_of_dict if is_new else probes.in_order_of_channels
            self._restore_probegroup(make(as_object(described, f"{location}: the probe")))
        else:
            self._handle_extractor_backward_compatibility()
        if load_compression_ratio:
            self._annotate_compression(traces)
        self._kwargs = {
            "folder_path": str(location),
            "storage_options": storage_options,
        }
        if load_compression_ratio:  # an argument that older versions do not take
            self._kwargs["load_compression_ratio"] = True

    def _annotate_compression(self, traces: Sequence[AnyArray]) -> None:
        stored = [array.n_stored_bytes() for array in traces]
        ratios = [
            array.n_bytes / n_bytes if array.n_bytes and n_bytes else 1.0
            for array, n_bytes in zip(traces, stored, strict=True)
        ]
        whole = sum(array.n_bytes for array in traces) / max(1, sum(stored))
        self.annotate(compression_ratio=whole, compression_ratio_segments=ratios)


def _check_traces(traces: Sequence[AnyArray], n_channels: int, location: str | Path) -> None:
    for k, array in enumerate(traces):
        is_same = array.dtype == traces[0].dtype and array.dtype.kind in "biuf"
        if len(array.shape) != 2 or array.shape[1] != n_channels or not is_same:
            msg = (
                f"{location}: traces_seg{k} holds {array.dtype} of shape {array.shape}; numbers of "
                f"shape (n_samples, {n_channels}) are expected, of one type in all segments."
            )
            raise DataError(msg)


class ZarrRecordingSegment(BaseRecordingSegment):
    """A segment in an array of a zarr store, shape (n_samples, n_channels)."""

    def __init__(self, traces: AnyArray, sampling_frequency: float, t_start: float | None) -> None:
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
        """Return traces; chunks of other channels are not read."""
        traces: NDArray[Any] = self._traces.read(slice(start_frame, end_frame), channel_indices)
        return traces


class TimeVector:
    """The time of each sample in an array of a zarr store, read where it is looked at."""

    def __init__(self, array: AnyArray) -> None:
        self._array = array
        self.shape = array.shape
        self.dtype = array.dtype

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._array.read(index)
        index = range(len(self))[index]
        return self._array.read(slice(index, index + 1))[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values: NDArray[Any] = np.asarray(self._array.read(), dtype)
        return values


@stored_as("spikeinterface.core.zarrextractors.ZarrArrayRecordingExtractor")
class ZarrArrayRecordingExtractor(BaseRecording):
    """A recording in a bare zarr array; see `read_zarr_array`."""

    def __init__(
        self,
        file_path: str | Path,
        sampling_frequency: float,
        gain_to_uV: ArrayLike | None = None,
        offset_to_uV: ArrayLike | None = None,
        is_filtered: bool | None = None,
        storage_options: dict[str, Any] | None = None,
        **of_older_files: Any,
    ) -> None:
        location = resolved_location(file_path)
        array = _array_at(location, storage_options)
        if len(array.shape) != 2:
            msg = f"{location} has the shape {array.shape}; traces are (n_samples, n_channels)."
            raise DataError(msg)
        ids = of_older_files.get("channel_ids")
        ids = np.arange(array.shape[1]) if ids is None else ids
        super().__init__(sampling_frequency, ids, array.dtype)
        self.add_recording_segment(ZarrRecordingSegment(array, self.sampling_frequency, None))
        if is_filtered is not None:
            self.annotate(is_filtered=bool(is_filtered))
        if gain_to_uV is not None:
            self.set_channel_gains(gain_to_uV)
        if offset_to_uV is not None:
            self.set_channel_offsets(offset_to_uV)
        self._kwargs = {
            "file_path": str(location),
            "sampling_frequency": self.sampling_frequency,
            "gain_to_uV": gain_to_uV,
            "offset_to_uV": offset_to_uV,
            "is_filtered": is_filtered,
            "storage_options": storage_options,
        }


def _array_at(location: str | Path, storage_options: dict[str, Any] | None) -> AnyArray:
    """Open the array at a location, whether or not it lies in a group."""
    parent, _, name = str(location).rstrip("/").rpartition("/")
    store = open_store(parent, storage_options=storage_options)
    is_format3 = store.get(f"{name}/zarr.json") is not None
    return ZarrGroup(store, "", 3 if is_format3 else 2, is_writable=False).array(name)


def read_zarr_recording(
    folder_path: str | Path, storage_options: dict[str, Any] | None = None
) -> ZarrRecordingExtractor:
    """Open a recording in a zarr store; see `ZarrRecordingExtractor`."""
    return ZarrRecordingExtractor(folder_path, storage_options)


def read_zarr_array(
    file_path: str | Path,
    sampling_frequency: float,
    gain_to_uV: ArrayLike | None = None,
    offset_to_uV: ArrayLike | None = None,
    is_filtered: bool | None = None,
    storage_options: dict[str, Any] | None = None,
) -> ZarrArrayRecordingExtractor:
    """Open a bare zarr array of shape (n_samples, n_channels) as a recording.

    Parameters
    ----------
    file_path : str or Path
        The array: a folder or a URL.
    sampling_frequency : float
        In Hz.
    gain_to_uV, offset_to_uV : float or array_like of shape (n_channels,), optional
        Microvolts per step, and of step 0.
    is_filtered : bool, optional
        Whether the traces are filtered already.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.
    """
    return ZarrArrayRecordingExtractor(
        file_path, sampling_frequency, gain_to_uV, offset_to_uV, is_filtered, storage_options
    )
