"""Write the traces of recordings, chunk by chunk and in parallel, to files and memory."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.operations import converted
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.chunks import Chunk, plan_chunks
from spikeloom.engine.options import JobOptions, job_options
from spikeloom.errors import ParameterError
from spikeloom.storage.disk_space import require_disk_space
from spikeloom.storage.raw_files import RawFileWriter
from spikeloom.storage.staged_saves import Staging, part_name, staged_save

Paths = str | Path | Sequence[str | Path]

_BINARY_SUFFIXES = (".raw", ".bin", ".dat")

_N_TIMES = 1 << 20
"""How many times are in memory at once."""

N_COPIES_WRITING = 2
"""What writing holds of a chunk: what was read, and what is written if the type differs."""


def chunk_traces(
    recording: BaseRecording, chunk: Chunk, dtype: np.dtype[Any], *, in_uV: bool = False
) -> NDArray[Any]:
    """Return the traces of a chunk as `dtype`, rounded if it is of whole numbers."""
    traces = recording.get_traces(
        chunk.segment_index, chunk.start_sample, chunk.end_sample, return_in_uV=in_uV
    )
    return as_dtype(traces, dtype)


def as_dtype(traces: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return traces as `dtype`: floats are rounded to whole numbers, and stop at their range.

    Examples
    --------
    >>> as_dtype(np.array([0.6, -1e9]), np.dtype("int16"))
    array([     1, -32768], dtype=int16)
    """
    if traces.dtype == dtype:
        return traces
    return converted(traces, dtype, is_rounded=dtype.kind in "iu")


def write_each_chunk(
    recording: BaseRecording,
    write: Callable[[BaseRecording, Chunk], Any],
    *,
    options: JobOptions,
    job_name: str,
    chunks: Sequence[Chunk] | None = None,
    then: Callable[[Chunk, Any], None] | None = None,
) -> None:
    """Call `write` on every chunk of a recording.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    write : callable
        Writes one chunk, in a thread or process of its own; must be picklable for processes.
    options : JobOptions
        How the work is spread.
    job_name : str
        What the progress bar says.
    chunks : sequence of Chunk, optional
        Those to write; all by default.
    then : callable, optional
        Takes each chunk, in order, and what `write` returned, in the calling thread.
    """
    plan = plan_chunks(recording, options, n_copies=N_COPIES_WRITING) if chunks is None else chunks
    results = map_chunks(
        recording,
        write,
        options=options,
        job_name=job_name,
        chunks=plan,
        has_results=then is not None,
    )
    for chunk, result in zip(plan, results, strict=True):
        if then is not None:
            then(chunk, result)


def write_into_array(
    recording: BaseRecording,
    segment_index: int,
    array: Any,
    *,
    options: JobOptions,
    time_axis: int = 0,
    in_uV: bool = False,
) -> None:
    """Write the traces of a segment into an array that is there, chunk by chunk.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    segment_index : int
        The segment.
    array : ndarray, h5py.Dataset or the like
        Of shape (n_samples, n_channels), or (n_samples,) for one channel.
    options : JobOptions
        How reading is spread; one thread writes.
    time_axis : {0, 1}, default 0
        Axis of the array that is time.
    in_uV : bool, default False
        Write microvolts.
    """

    def put(chunk: Chunk, traces: NDArray[Any]) -> None:
        frames = slice(chunk.start_sample, chunk.end_sample)
        if array.ndim == 1:
            array[frames] = traces[:, 0]
        elif time_axis == 0:
            array[frames] = traces
        else:
            array[:, frames] = traces.T

    plan = [
        chunk
        for chunk in plan_chunks(recording, options, n_copies=N_COPIES_WRITING)
        if chunk.segment_index == segment_index
    ]
    read = partial(chunk_traces, dtype=array.dtype, in_uV=in_uV)
    write_each_chunk(
        recording, read, options=options, job_name="write traces", chunks=plan, then=put
    )


class FlatSource(NamedTuple):
    """A flat file that has the traces of a segment."""

    path: Path
    first_byte: int
    row_bytes: int


def flat_sources(recording: BaseRecording, dtype: np.dtype[Any]) -> list[FlatSource] | None:
    """Return the files that traces could be copied from byte by byte; None if there are none."""
    if not recording.binary_compatible_with(dtype=dtype, time_axis=0):
        return None
    known = recording.get_binary_description()
    row_bytes = recording.get_num_channels() * dtype.itemsize
    paths = [Path(path) for path in known["file_paths"]]
    if len(paths) != recording.get_num_segments() or not all(path.is_file() for path in paths):
        return None
    return [FlatSource(path, int(known["file_offset"]), row_bytes) for path in paths]


def write_to_raw(
    recording: BaseRecording,
    chunk: Chunk,
    *,
    files: Sequence[RawFileWriter],
    has_checksum: bool = False,
    sources: "Sequence[FlatSource] | None" = None,
) -> int:
    """Write a chunk into the file of its segment; return a check sum, if it is wanted.

    With `sources`, which hold the very same bytes, they are copied if the system can do that.
    """
    file = files[chunk.segment_index]
    if sources is not None:
        source = sources[chunk.segment_index]
        position = source.first_byte + chunk.start_sample * source.row_bytes
        if file.copy(chunk.start_sample, chunk.n_samples, source.path, position):
            return 0
    traces = chunk_traces(recording, chunk, file.dtype)
    return file.write(chunk.start_sample, traces, has_checksum=has_checksum)


def write_binary_recording(
    recording: BaseRecording,
    file_paths: Paths,
    file_timestamps_paths: Paths | None = None,
    dtype: DTypeLike | None = None,
    add_file_extension: bool = True,
    byte_offset: int = 0,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    **job_kwargs: Any,
) -> None:
    """Write the traces to flat binary files, one for each segment.

    Each file appears under its name when it is complete.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    file_paths : str, Path or list of them
        A file for each segment; existing ones are replaced.
    file_timestamps_paths : str, Path or list of them, optional
        Files for the times of all samples, float64 in seconds.
    dtype : dtype, optional
        Of the values; that of the recording by default.
    add_file_extension : bool, default True
        Append ``.raw`` to names that end neither in it nor in ``.bin`` or ``.dat``.
    byte_offset : int, default 0
        Zero bytes before the values.
    verbose : bool
        Without effect.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Raises
    ------
    ParameterError
        If there is not one file for each segment.
    WriteError
        If a file cannot be written, or the disk is too small.
    """
    paths = _checked_paths(recording, file_paths, "file_paths")
    if add_file_extension:
        paths = [_with_suffix(path) for path in paths]
    stamps: list[Path] = []
    if file_timestamps_paths is not None:
        stamps = _checked_paths(recording, file_timestamps_paths, "file_timestamps_paths")
    wanted = recording.dtype if dtype is None else np.dtype(dtype)
    options = job_options(**job_kwargs)
    n_bytes = recording.get_total_samples() * recording.get_sample_size_in_bytes(wanted)
    require_disk_space(paths[0].parent, n_bytes)
    _write_staged(recording, paths, wanted, options, byte_offset=byte_offset)
    for segment, path in zip(recording.segments, stamps, strict=False):
        with staged_save(path, overwrite=True) as staging, staging.path.open("wb") as file:
            write_times(segment, file)


def write_times(segment: BaseRecordingSegment, file: BinaryIO) -> None:
    """Write the time of each sample of a segment, in seconds, as float64."""
    n_samples = segment.get_num_samples()
    for first in range(0, n_samples, _N_TIMES):
        times_s = segment.times.between(first, min(first + _N_TIMES, n_samples))
        file.write(np.ascontiguousarray(times_s, "<f8").data)


def _write_staged(
    recording: BaseRecording,
    paths: list[Path],
    dtype: np.dtype[Any],
    options: JobOptions,
    *,
    byte_offset: int,
) -> None:
    from contextlib import ExitStack  # noqa: PLC0415 - only here

    with ExitStack() as stack:
        stagings = [stack.enter_context(staged_save(path, overwrite=True)) for path in paths]
        files = [
            stack.enter_context(
                RawFileWriter(
                    staging.path,
                    (recording.get_num_samples(k), recording.get_num_channels()),
                    dtype,
                    file_offset=byte_offset,
                )
            )
            for k, staging in enumerate(stagings)
        ]
        write_each_chunk(
            recording,
            partial(write_to_raw, files=files, sources=flat_sources(recording, dtype)),
            options=options,
            job_name="write_binary_recording",
        )


def _checked_paths(recording: BaseRecording, paths: Paths, name: str) -> list[Path]:
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    if len(listed) != recording.get_num_segments():
        msg = (
            f"{name} needs one file for each of the {recording.get_num_segments()} segments; got "
            f"{len(listed)}."
        )
        raise ParameterError(msg)
    return [Path(path).absolute() for path in listed]


def _with_suffix(path: Path) -> Path:
    if path.suffix in _BINARY_SUFFIXES:
        return path
    return path.with_name(f"{path.name}.raw")


def write_memory_recording(
    recording: BaseRecording,
    dtype: DTypeLike | None = None,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    buffer_type: Literal["auto", "numpy", "sharedmem"] = "auto",
    job_name: str = "write_memory_recording",
    **job_kwargs: Any,
) -> tuple[list[NDArray[Any]], list[Any]]:
    """Read all traces into memory.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    dtype : dtype, optional
        Of the values; that of the recording by default.
    verbose : bool
        Without effect.
    buffer_type : {"auto", "numpy", "sharedmem"}
        Where to: arrays, or memory that processes share; which by default depends on who writes.
    job_name : str
        What the progress bar says.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    arrays : list of ndarray, each of shape (n_samples, n_channels)
        Traces of each segment.
    shms : list
        The blocks of shared memory, to be kept as long as the arrays; None for plain arrays.
    """
    options = job_options(**job_kwargs)
    wanted = recording.dtype if dtype is None else np.dtype(dtype)
    if buffer_type not in {"auto", "numpy", "sharedmem"}:
        msg = f"buffer_type must be 'auto', 'numpy' or 'sharedmem'; got {buffer_type!r}."
        raise ParameterError(msg)
    is_shared = buffer_type == "sharedmem" or (
        buffer_type == "auto" and options.n_jobs > 1 and options.pool_engine == "process"
    )
    shapes = [recording.get_shape(k) for k in range(recording.get_num_segments())]
    shms: list[Any] = [None] * len(shapes)
    if is_shared:
        from spikeloom.storage.shared_blocks import make_shared_arrays  # noqa: PLC0415 - rarely needed

        arrays, shms = make_shared_arrays(shapes, wanted)
    else:
        arrays = [np.empty(shape, wanted) for shape in shapes]
    if is_shared or options.pool_engine == "thread" or options.n_jobs == 1:
        _fill(recording, arrays, shms, options=options, job_name=job_name)
    else:
        _gather(recording, arrays, options=options, job_name=job_name)
    return arrays, shms


def _fill(
    recording: BaseRecording,
    arrays: list[NDArray[Any]],
    shms: list[Any],
    *,
    options: JobOptions,
    job_name: str,
) -> None:
    write: Callable[[BaseRecording, Chunk], Any] = partial(_write_to_arrays, arrays=arrays)
    if options.pool_engine == "process" and options.n_jobs > 1:
        layout = [
            (shm.name, array.shape, array.dtype.str)
            for shm, array in zip(shms, arrays, strict=True)
        ]
        write = partial(_write_to_shared, layout=layout)
    write_each_chunk(recording, write, options=options, job_name=job_name)


def _write_to_shared(
    recording: BaseRecording, chunk: Chunk, *, layout: Sequence[tuple[str, Sequence[int], str]]
) -> None:
    """Write the traces of a chunk into shared memory that another process made.

    Parameters
    ----------
    recording : BaseRecording
        What is read.
    chunk : Chunk
        The samples to read.
    layout : list
        Where the traces of each segment are.
    """
    from spikeloom.storage.shared_blocks import (  # noqa: PLC0415 - rarely needed
        attach_block,
        n_bytes_of,
    )

    name, shape, dtype = layout[chunk.segment_index]
    block = attach_block(name, n_bytes_of(shape, dtype))
    traces = block.array(shape, dtype, is_writable=True)
    traces[chunk.start_sample : chunk.end_sample] = chunk_traces(recording, chunk, traces.dtype)


def _write_to_arrays(recording: BaseRecording, chunk: Chunk, *, arrays: list[NDArray[Any]]) -> None:
    array = arrays[chunk.segment_index]
    array[chunk.start_sample : chunk.end_sample] = chunk_traces(recording, chunk, array.dtype)


def _gather(
    recording: BaseRecording, arrays: list[NDArray[Any]], *, options: JobOptions, job_name: str
) -> None:
    """Let workers elsewhere read, and put what they send into place."""

    def put(chunk: Chunk, traces: NDArray[Any]) -> None:
        arrays[chunk.segment_index][chunk.start_sample : chunk.end_sample] = traces

    read = partial(chunk_traces, dtype=arrays[0].dtype)
    write_each_chunk(recording, read, options=options, job_name=job_name, then=put)


def write_folder_traces(
    recording: BaseRecording,
    staging: Staging,
    dtype: np.dtype[Any],
    options: JobOptions,
    *,
    resume: bool,
) -> list[str]:
    """Write the traces of each segment to a file of a folder that is being saved.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    staging : Staging
        The folder.
    dtype : dtype
        Of the values.
    options : JobOptions
        How the work is spread.
    resume : bool
        Note what is finished, and leave out what a process before finished.

    Returns
    -------
    list of str
        Names of the files.
    """
    names = [f"traces_cached_seg{k}.raw" for k in range(recording.get_num_segments())]
    files = [
        RawFileWriter(staging.path / name, recording.get_shape(k), dtype)
        for k, name in enumerate(names)
    ]
    plan: list[Chunk] = plan_chunks(recording, options, n_copies=N_COPIES_WRITING)
    then = None
    if resume:
        plan = [chunk for chunk in plan if not _is_done(staging, files, chunk)]

        def then(chunk: Chunk, checksum: int) -> None:
            staging.mark(_part(names[chunk.segment_index], chunk), checksum)

    try:
        write_each_chunk(
            recording,
            partial(write_to_raw, files=files, has_checksum=resume),
            options=options,
            job_name="write_binary_recording",
            chunks=plan,
            then=then,
        )
    finally:
        for file in files:
            file.close()
    return names


def _part(name: str, chunk: Chunk) -> str:
    return part_name(name, chunk.start_sample, chunk.end_sample)


def _is_done(staging: Staging, files: Sequence[RawFileWriter], chunk: Chunk) -> bool:
    file = files[chunk.segment_index]
    return staging.is_done(
        _part(file.path.name, chunk), lambda: file.checksum(chunk.start_sample, chunk.end_sample)
    )
