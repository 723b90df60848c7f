"""Write recordings into zarr stores, chunk by chunk and in parallel."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from spikeloom.core import times as clock
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.writing import chunk_traces, write_each_chunk
from spikeloom.core.zarr_metadata import write_zarr_metadata
from spikeloom.core.zarr_recording import ZarrRecordingExtractor
from spikeloom.engine.chunks import Chunk, ensure_chunk_size
from spikeloom.engine.options import JobOptions, job_options
from spikeloom.errors import ParameterError
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_groups import AnyArray, ZarrGroup
from spikeloom.storage.zarr_saving import ZarrSave

_DEFAULT_CHUNK_S = 1.0

_N_TIMES_PER_CHUNK = 1 << 20


@dataclass(frozen=True)
class ZarrOptions:
    """How traces and times are laid out and compressed in a zarr store."""

    compressor: Any = None
    """A codec of numcodecs; Blosc zstd with bit shuffling by default."""
    filters: Any = None
    """Codecs of numcodecs that come before it."""
    compressor_by_dataset: Mapping[str, Any] = field(default_factory=dict)
    """Another compressor for "traces" or "times"."""
    filters_by_dataset: Mapping[str, Any] = field(default_factory=dict)
    """Other filters for "traces" or "times"."""
    channel_chunk_size: int | None = None
    """Channels in a chunk; all by default."""
    shard_duration_s: float | None = None
    """In zarr format 3, put the chunks of so many seconds into one file."""

    def compressor_for(self, dataset: str) -> Any:
        """Return the compressor of "traces" or "times"."""
        given = self.compressor_by_dataset.get(dataset, self.compressor)
        return default_compressor() if given is None else given

    def filters_for(self, dataset: str) -> Any:
        """Return the filters of "traces" or "times"."""
        return self.filters_by_dataset.get(dataset, self.filters if dataset == "traces" else None)


def write_zarr_recording(
    recording: BaseRecording,
    save: ZarrSave,
    *,
    dtype: DTypeLike | None = None,
    options: JobOptions,
    layout: ZarrOptions | None = None,
    resume: bool = False,
) -> None:
    """Write a recording, with all that belongs to it, into a zarr store that is being saved."""
    layout = ZarrOptions() if layout is None else layout
    group = save.group
    wanted = recording.dtype if dtype is None else np.dtype(dtype)
    arrays = create_traces(recording, group, wanted, options=options, layout=layout)
    group.write_array("channel_ids", recording.channel_ids)
    write_times(recording, group, layout)
    write: Callable[[BaseRecording, Chunk], None] = partial(_write_block, arrays=arrays)
    if resume:
        # What is written is noted in this process, by threads.
        write = partial(_write_missing, arrays=arrays, save=save)
        options = replace(options, pool_engine="thread")
    write_each_chunk(
        recording,
        write,
        options=options,
        job_name="write_zarr_recording",
        chunks=_aligned_chunks(arrays),
    )
    write_zarr_metadata(recording, group, recording, ZarrRecordingExtractor)
    group.set_attributes({**group.attributes, "sampling_frequency": recording.sampling_frequency})


def create_traces(
    recording: BaseRecording,
    group: ZarrGroup,
    dtype: np.dtype[Any],
    *,
    options: JobOptions,
    layout: ZarrOptions,
    names: Sequence[str] | None = None,
) -> list[AnyArray]:
    """Make an array for the traces of each segment."""
    n_chunk = ensure_chunk_size(
        recording,
        options.total_memory,
        options.chunk_size,
        options.chunk_memory,
        chunk_duration=options.chunk_duration or _DEFAULT_CHUNK_S,
        n_jobs=options.n_jobs,
    )
    arrays = []
    for k in range(recording.get_num_segments()):
        n_samples, n_channels = recording.get_shape(k)
        rows = max(1, min(n_chunk or n_samples, n_samples))
        columns = max(1, min(layout.channel_chunk_size or n_channels, n_channels))
        shards = None
        if layout.shard_duration_s is not None:
            n_rows = layout.shard_duration_s * recording.sampling_frequency
            n_chunks = max(1, -(-n_channels // columns))
            shards = (max(1, round(n_rows / rows)) * rows, n_chunks * columns)
        arrays.append(
            group.create_array(
                f"traces_seg{k}" if names is None else names[k],
                (n_samples, n_channels),
                dtype,
                chunks=(rows, columns),
                shards=shards,
                compressor=layout.compressor_for("traces"),
                filters=layout.filters_for("traces"),
            )
        )
    return arrays


def write_times(recording: BaseRecording, group: ZarrGroup, layout: ZarrOptions) -> None:
    """Write the times of the segments: starts, and vectors where there are any."""
    starts = [segment.t_start for segment in recording.segments]
    if any(start is not None for start in starts):
        numbers = [np.nan if start is None else start for start in starts]
        group.write_array("t_starts", np.array(numbers, np.float64))
    for k, segment in enumerate(recording.segments):
        if clock.is_set(segment.times) and segment.t_start is None:
            _write_vector(segment, group, f"times_seg{k}", layout)


def _write_vector(
    segment: BaseRecordingSegment, group: ZarrGroup, name: str, layout: ZarrOptions
) -> None:
    """Write the time of each sample of a segment, of which few are in memory at once."""
    n_samples = segment.get_num_samples()
    array = group.create_array(
        name,
        (n_samples,),
        np.float64,
        chunks=(max(1, min(n_samples, _N_TIMES_PER_CHUNK)),),
        compressor=layout.compressor_for("times"),
        filters=layout.filters_for("times"),
    )
    for first in range(0, n_samples, array.block_rows):
        times_s = segment.times.between(first, min(first + array.block_rows, n_samples))
        array.write(first, times_s)


def _aligned_chunks(arrays: Sequence[AnyArray]) -> list[Chunk]:
    """Return chunks that each fill whole blocks of the arrays, so that no two writers meet."""
    return [
        Chunk(k, first, min(first + array.block_rows, array.shape[0]))
        for k, array in enumerate(arrays)
        for first in range(0, array.shape[0], array.block_rows)
    ]


def _write_missing(
    recording: BaseRecording, chunk: Chunk, *, arrays: Sequence[AnyArray], save: ZarrSave
) -> None:
    array = arrays[chunk.segment_index]
    save.write_missing(
        array, chunk.start_sample, lambda: chunk_traces(recording, chunk, array.dtype)
    )


def _write_block(recording: BaseRecording, chunk: Chunk, *, arrays: Sequence[AnyArray]) -> None:
    array = arrays[chunk.segment_index]
    array.write(chunk.start_sample, chunk_traces(recording, chunk, array.dtype))


def write_recording_to_zarr(
    recording: BaseRecording,
    zarr_group: ZarrGroup,
    dataset_paths: Sequence[str],
    dataset_timestamps_paths: Sequence[str] | None = None,
    extra_chunks: Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
    compressor_data: Any = None,
    filters_data: Any = None,
    compressor_times: Any = None,
    filters_times: Any = None,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    **job_kwargs: Any,
) -> None:
    """Write the traces of a recording as arrays of a zarr group.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    zarr_group : ZarrGroup
        A group of ours, open for writing (`spikeloom.storage.zarr_opening.create_zarr`).
    dataset_paths : list of str
        Names of the arrays of traces, one for each segment.
    dataset_timestamps_paths : list of str, optional
        Names of arrays for the times of all samples.
    extra_chunks : tuple of int, optional
        Channels in a chunk.
    dtype : dtype, optional
        Of the values; that of the recording by default.
    compressor_data, filters_data, compressor_times, filters_times : optional
        Codecs of numcodecs.
    verbose : bool
        Without effect.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.
    """
    if len(dataset_paths) != recording.get_num_segments():
        n_segments = recording.get_num_segments()
        msg = f"dataset_paths has {len(dataset_paths)} names for {n_segments} segments."
        raise ParameterError(msg)
    options = job_options(**job_kwargs)
    layout = ZarrOptions(
        compressor=compressor_data,
        filters=filters_data,
        compressor_by_dataset={} if compressor_times is None else {"times": compressor_times},
        filters_by_dataset={} if filters_times is None else {"times": filters_times},
        channel_chunk_size=extra_chunks[0] if extra_chunks else None,
    )
    wanted = recording.dtype if dtype is None else np.dtype(dtype)
    arrays = create_traces(
        recording, zarr_group, wanted, options=options, layout=layout, names=dataset_paths
    )
    write_each_chunk(
        recording,
        partial(_write_block, arrays=arrays),
        options=options,
        job_name="write_recording_to_zarr",
        chunks=_aligned_chunks(arrays),
    )
    for segment, name in zip(recording.segments, dataset_timestamps_paths or (), strict=False):
        _write_vector(segment, zarr_group, name, layout)
