"""Recordings and sortings in memory that several processes see without a copy."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.numpy_recording import NumpyRecordingSegment, checked_t_starts
from spikeloom.core.recording import BaseRecording, copy_times
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_spike_vector
from spikeloom.core.spike_vector import SpikeTable, minimum_spike_dtype
from spikeloom.errors import ParameterError
from spikeloom.storage.shared_blocks import SharedBlock, attach_block, create_block, n_bytes_of


@stored_as("spikeinterface.core.numpyextractors.SharedMemoryRecording")
class SharedMemoryRecording(BaseRecording):
    """A recording in shared memory; see `SharedMemoryRecording.from_recording`.

    Sent to another process it is not copied. Its memory is freed when the process that made it has
    no use for it any more.

    Parameters
    ----------
    shm_names : list of str
        Name of the block of shared memory of each segment.
    shape_list : list of (int, int)
        Samples and channels of each segment.
    dtype : dtype
        Of the traces.
    sampling_frequency : float
        In Hz.
    channel_ids : array_like of shape (n_channels,), optional
        0, 1, 2, … by default.
    t_starts : list of float, optional
        Time of the first sample of each segment in seconds.
    main_shm_owner : bool, default True
        Whether this process frees the memory at the end.

    Raises
    ------
    MissingFileError
        If the memory has been freed.
    ParameterError
        If names, shapes and ids do not fit each other.
    """

    def __init__(
        self,
        shm_names: Sequence[str],
        shape_list: Sequence[Sequence[int]],
        dtype: DTypeLike,
        sampling_frequency: float,
        channel_ids: ArrayLike | None = None,
        t_starts: Sequence[float | None] | None = None,
        main_shm_owner: bool = True,
    ) -> None:
        shapes = [tuple(int(n) for n in shape) for shape in shape_list]
        n_channels = {shape[1] for shape in shapes if len(shape) == 2}
        if len(shapes) != len(shm_names) or len(n_channels) != 1:
            msg = (
                "Each block needs a shape (n_samples, n_channels), with as many channels in each; "
                f"got {len(shm_names)} names and the shapes {shapes}."
            )
            raise ParameterError(msg)
        ids = np.arange(n_channels.pop()) if channel_ids is None else np.asarray(channel_ids)
        if len(ids) != shapes[0][1]:
            msg = f"{len(ids)} channel ids do not fit traces of {shapes[0][1]} channels."
            raise ParameterError(msg)
        super().__init__(sampling_frequency, ids, dtype)
        self._serializability.update(json=False, pickle=False)
        starts = checked_t_starts(t_starts, len(shapes))
        self.main_shm_owner = main_shm_owner
        self.shms: list[SharedBlock] = []
        for name, shape, t_start in zip(shm_names, shapes, starts, strict=True):
            block = attach_block(name, n_bytes_of(shape, dtype), is_owner=main_shm_owner)
            self.shms.append(block)
            traces = block.array(shape, dtype)
            self.add_recording_segment(
                NumpyRecordingSegment(traces, self.sampling_frequency, t_start)
            )
        self._kwargs = {
            "shm_names": list(shm_names),
            "shape_list": shapes,
            "dtype": np.dtype(dtype).str,
            "sampling_frequency": self.sampling_frequency,
            "channel_ids": self.channel_ids,
            "t_starts": None if t_starts is None else starts,
            "main_shm_owner": False,  # of what is made from this description
        }

    @classmethod
    def from_recording(
        cls,
        source_recording: BaseRecording,
        with_metadata: bool = True,
        with_time_vector: bool = False,
        **job_kwargs: Any,
    ) -> Self:
        """Read all traces of a recording into shared memory.

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

        Raises
        ------
        WriteError
            If there is no room for the traces.
        """
        from spikeloom.core.writing import write_memory_recording  # noqa: PLC0415 - it knows this

        arrays, blocks = write_memory_recording(
            source_recording, buffer_type="sharedmem", **job_kwargs
        )
        shared = cls(
            [block.name for block in blocks],
            [array.shape for array in arrays],
            source_recording.dtype,
            source_recording.sampling_frequency,
            channel_ids=source_recording.channel_ids,
            t_starts=source_recording.get_segment_t_starts(),
        )
        if with_metadata:
            source_recording.copy_metadata(shared)
        if with_time_vector:
            copy_times(source_recording, shared)
        return shared


@stored_as("spikeinterface.core.numpyextractors.SharedMemorySorting")
class SharedMemorySorting(BaseSorting):
    """A sorting in shared memory; see `BaseSorting.to_shared_memory_sorting`.

    Sent to another process it is not copied. Its memory is freed when the process that made it has
    no use for it any more.

    Parameters
    ----------
    shm_name : str
        Name of the block of shared memory that holds the spike vector.
    shape : (int,)
        Number of spikes.
    sampling_frequency : float
        In Hz.
    unit_ids : array_like of shape (n_units,)
        Ids of the units, in the order of their indices.
    dtype : dtype
        Of the spike vector.
    main_shm_owner : bool, default True
        Whether this process frees the memory at the end.
    num_segments : int, optional
        Number of segments; by default up to the last one that has a spike.

    Raises
    ------
    MissingFileError
        If the memory has been freed.
    """

    def __init__(
        self,
        shm_name: str,
        shape: Sequence[int],
        sampling_frequency: float,
        unit_ids: ArrayLike,
        dtype: DTypeLike = minimum_spike_dtype,
        main_shm_owner: bool = True,
        *,
        num_segments: int | None = None,
    ) -> None:
        super().__init__(sampling_frequency, unit_ids)
        self._serializability.update(json=False, pickle=False)
        self.main_shm_owner = main_shm_owner
        self.shm = attach_block(shm_name, n_bytes_of(shape, dtype), is_owner=main_shm_owner)
        self.shm_spikes: NDArray[np.void] = self.shm.array(shape, dtype)
        if num_segments is None:
            last = self.shm_spikes["segment_index"].max(initial=0)
            num_segments = int(last) + 1
        for k in range(num_segments):
            self.add_sorting_segment(TableSortingSegment(self, k, None))
        self._kwargs = {
            "shm_name": shm_name,
            "shape": tuple(int(n) for n in shape),
            "sampling_frequency": self.sampling_frequency,
            "unit_ids": self.unit_ids,
            "dtype": np.dtype(dtype),
            "main_shm_owner": False,  # of what is made from this description
            "num_segments": num_segments,
        }

    def _make_spike_table(self) -> SpikeTable:
        return table_from_spike_vector(
            self.shm_spikes, n_units=self.get_num_units(), n_segments=self.get_num_segments()
        )

    @classmethod
    def from_sorting(cls, source_sorting: BaseSorting, with_metadata: bool = False) -> Self:
        """Copy all spikes of a sorting into shared memory.

        Parameters
        ----------
        source_sorting : BaseSorting
            The sorting.
        with_metadata : bool, default False
            Copy properties and annotations.

        Raises
        ------
        WriteError
            If there is no room for the spikes.
        """
        table = source_sorting.spike_table()
        shape = (table.n_spikes,)
        block = create_block(n_bytes_of(shape, minimum_spike_dtype))
        vector = block.array(shape, minimum_spike_dtype, is_writable=True)
        vector["sample_index"] = table.sample_index
        vector["unit_index"] = table.unit_index
        for k in range(table.n_segments):
            vector["segment_index"][table.segment_slice(k)] = k
        shared = cls(
            block.name,
            shape,
            source_sorting.sampling_frequency,
            source_sorting.unit_ids,
            num_segments=table.n_segments,
        )
        source_sorting.copy_time_info(shared)
        if with_metadata:
            source_sorting.copy_metadata(shared)
        return shared
