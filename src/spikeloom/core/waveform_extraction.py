"""Cut the windows around spikes out of a recording, into memory or files.

Where the workers are threads they write to where the windows stay. Other processes write to the
file, or send what they cut out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from spikeloom.core.recording import BaseRecording
from spikeloom.core.spike_windows import (
    ChunkWindows,
    SpikeWindows,
    UnitChannels,
    check_fields,
    read_windows,
    scaling,
    spike_windows,
    unit_channels,
)
from spikeloom.core.writing import as_dtype
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.chunks import Chunk, plan_chunks
from spikeloom.engine.options import JobOptions, job_options
from spikeloom.errors import ParameterError

BufferMode = Literal["memmap", "shared_memory", "zarr"]
"""A ``.npy`` file, memory, or an array of a zarr store."""


@dataclass(frozen=True)
class WindowTask:
    """What is cut out, and how."""

    windows: SpikeWindows
    channels: UnitChannels
    scale: NDArray[np.float32] | None
    """Gains and offsets, shape (2, n_channels), if they are applied."""
    dtype: np.dtype[Any]
    """Of the windows."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of all windows together."""
        return self.windows.samples.size, self.windows.n_window, self.channels.n_columns_max


def extract_waveforms_to_single_buffer(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    nbefore: int,
    nafter: int,
    mode: BufferMode = "memmap",
    return_in_uV: bool = True,
    file_path: str | Path | None = None,
    dtype: DTypeLike | None = None,
    sparsity_mask: ArrayLike | None = None,
    copy: bool = True,
    job_name: str | None = None,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    zarr_target_chunk_bytes: int = 10 * 1024 * 1024,
    *,
    return_scaled: bool | None = None,
    **job_kwargs: Any,
) -> Any:
    """Cut out the window around each spike, all into one array.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    spikes : ndarray of shape (n_spikes,)
        A spike vector.
    nbefore, nafter : int
        Samples before a spike, and from it on.
    mode : {"memmap", "shared_memory", "zarr"}
        Where to: a ``.npy`` file, memory, or an array of a zarr store.
    return_in_uV : bool, default True
        In microvolts rather than in steps of the file.
    file_path : str or Path, optional
        The file; for zarr the path of the array, of which the part up to ``.zarr`` is the store.
    dtype : dtype, optional
        Of the result; whole numbers are rounded to. By default that of the recording, or float32
        where gains are applied.
    sparsity_mask : ndarray of shape (n_units, n_channels) and dtype bool, optional
        Channels of each unit; all by default.
    copy : bool, default True
        Return memory of this process. Otherwise `mode` "shared_memory" returns memory that others
        can use, too, with what is needed to free it.
    job_name : str, optional
        What the progress bar says.
    verbose : bool
        Without effect.
    zarr_target_chunk_bytes : int
        Size of a chunk of a zarr array before it is compressed.
    return_scaled : bool, optional
        Older spelling of `return_in_uV`.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    waveforms : array of shape (n_spikes, nbefore + nafter, n_channels)
        In the order of `spikes`; zero outside the recording. With a mask, the channels of a spike's
        unit are its first columns, of as many as the unit with most channels has. A memory map for
        "memmap", a zarr array for "zarr".
    info : dict
        ``shm`` (to be held as long as others attach to the memory), ``shm_name`` (what they attach
        to), ``dtype`` and ``shape``; only for "shared_memory" with ``copy=False``.

    Raises
    ------
    ParameterError
        If indices, mask or window make no sense, a file is missing or not wanted, or gains are
        needed and not known.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> recording = NumpyRecording([np.arange(20, dtype="int16").reshape(20, 1)], 30000.0)
    >>> spikes = NumpySorting.from_unit_dict({"a": [0, 7]}, 30000.0).to_spike_vector()
    >>> extract_waveforms_to_single_buffer(
    ...     recording, spikes, 1, 2, "shared_memory", return_in_uV=False, progress_bar=False
    ... )[:, :, 0]
    array([[0, 0, 1], [6, 7, 8]], dtype=int16)
    """
    in_uV = return_in_uV if return_scaled is None else return_scaled
    _check_path(mode, file_path, ("memmap", "shared_memory", "zarr"), "file_path")
    n_units = _n_units(spikes, sparsity_mask)
    task = window_task(recording, spikes, n_units, (nbefore, nafter), sparsity_mask, in_uV, dtype)
    options = job_options(**job_kwargs)
    name = job_name or f"extract waveforms {mode} buffer"
    if mode == "shared_memory":
        windows, info = _new_memory(task.shape, task.dtype, is_shared=not copy)
        _fill(recording, task, windows, None, options=options, job_name=name)
        return windows if copy else (windows, info)
    path = Path(file_path or "")
    if mode == "memmap":
        with _new_file(path, task.shape, task.dtype) as mapped:
            _fill(recording, task, mapped, path, options=options, job_name=name)
        return mapped
    return _fill_zarr(recording, task, path, zarr_target_chunk_bytes, options=options, name=name)


def extract_waveforms_to_buffers(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    unit_ids: ArrayLike,
    nbefore: int,
    nafter: int,
    mode: Literal["memmap", "shared_memory"] = "memmap",
    return_in_uV: bool = True,
    folder: str | Path | None = None,
    dtype: DTypeLike | None = None,
    sparsity_mask: ArrayLike | None = None,
    copy: bool = False,
    *,
    return_scaled: bool | None = None,
    **job_kwargs: Any,
) -> Any:
    """Cut out the window around each spike, into an array for each unit.

    Parameters
    ----------
    unit_ids : array_like of shape (n_units,)
        Ids that the unit indices of `spikes` stand for.
    mode : {"memmap", "shared_memory"}
        Where to: files ``waveforms_{unit_id}.npy`` in `folder`, or memory.
    folder : str or Path, optional
        An existing folder, for "memmap".
    copy : bool, default False
        Return memory of this process, and nothing else.
    recording, spikes, nbefore, nafter, return_in_uV, dtype, sparsity_mask, return_scaled
        See `extract_waveforms_to_single_buffer`.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    waveforms : dict of unit id to array of shape (n_spikes, nbefore + nafter, n_channels)
        In the order of `spikes`, of the unit's own channels only.
    infos : dict of unit id to tuple
        Shared memory (or None), its name, dtype and shape; only for "shared_memory" with
        ``copy=False``.

    Raises
    ------
    ParameterError
        See `extract_waveforms_to_single_buffer`; or if an id cannot be part of a file name.
    """
    in_uV = return_in_uV if return_scaled is None else return_scaled
    _check_path(mode, folder, ("memmap", "shared_memory"), "folder")
    check_fields(spikes)
    ids = np.asarray(unit_ids).tolist()
    task = window_task(recording, spikes, len(ids), (nbefore, nafter), sparsity_mask, in_uV, dtype)
    options = job_options(**job_kwargs)
    name = f"extract waveforms {mode} multi buffer"
    # All windows in one array first, unit by unit: each unit's are a range of it.
    order = np.argsort(spikes["unit_index"], kind="stable")
    place_of = np.empty(order.size, np.int64)
    place_of[order] = np.arange(order.size)
    ends = np.cumsum(np.bincount(spikes["unit_index"], minlength=len(ids)))
    n_columns = np.diff(task.channels.first)
    grouped = _regrouped(task, place_of)
    windows, _ = _new_memory(task.shape, task.dtype, is_shared=False)
    _fill(recording, grouped, windows, None, options=options, job_name=name)
    waveforms: dict[Any, Any] = {}
    infos: dict[Any, Any] = {}
    for unit_id, end, n_own, n_spikes in zip(
        ids, ends, n_columns, np.diff(ends, prepend=0), strict=True
    ):
        own = windows[end - n_spikes : end, :, :n_own]
        if mode == "memmap":
            waveforms[unit_id] = _saved_windows(Path(folder or ""), unit_id, own)
        elif copy:
            waveforms[unit_id] = own
        else:
            shared, info = _new_memory(own.shape, own.dtype, is_shared=True)
            shared[...] = own
            waveforms[unit_id] = shared
            infos[unit_id] = (info["shm"], info["shm_name"], info["dtype"], info["shape"])
    return waveforms if mode == "memmap" or copy else (waveforms, infos)


def _regrouped(task: WindowTask, place_of: NDArray[np.int64]) -> WindowTask:
    """Return the task with windows at other places."""
    given = task.windows
    windows = SpikeWindows(
        given.samples,
        given.units,
        place_of[given.places],
        given.offsets,
        given.nbefore,
        given.nafter,
    )
    return WindowTask(windows, task.channels, task.scale, task.dtype)


def _saved_windows(folder: Path, unit_id: Any, windows: NDArray[Any]) -> NDArray[Any]:
    path = folder / f"waveforms_{unit_id}.npy"
    if path.parent != folder:
        msg = f"The unit id {unit_id!r} cannot be part of the name of a file; rename the unit."
        raise ParameterError(msg)
    with _new_file(path, windows.shape, windows.dtype) as saved:
        saved[...] = windows
    return saved


def _check_path(mode: str, path: str | Path | None, modes: Sequence[str], name: str) -> None:
    if mode not in modes:
        msg = f"mode must be one of {', '.join(modes)}; got {mode!r}."
        raise ParameterError(msg)
    if (path is None) != (mode == "shared_memory"):
        msg = f"mode={mode!r} needs {'no ' if path is not None else ''}{name}."
        raise ParameterError(msg)


def _n_units(spikes: NDArray[np.void], sparsity_mask: ArrayLike | None) -> int:
    if sparsity_mask is not None:
        return len(np.asarray(sparsity_mask))
    check_fields(spikes)
    return int(spikes["unit_index"].max(initial=-1)) + 1


def window_task(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    n_units: int,
    window: tuple[int, int],
    sparsity_mask: ArrayLike | None,
    in_uV: bool,
    dtype: DTypeLike | None,
) -> WindowTask:
    """Return what is to be cut out; raises ParameterError if that makes no sense."""
    scale = scaling(recording, in_uV=in_uV)
    if dtype is None:
        dtype = recording.dtype if scale is None else np.float32
    return WindowTask(
        spike_windows(spikes, n_units, recording.get_num_segments(), *window),
        unit_channels(n_units, recording.get_num_channels(), sparsity_mask),
        scale,
        np.dtype(dtype),
    )


def _new_memory(
    shape: tuple[int, ...], dtype: np.dtype[Any], *, is_shared: bool
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return an array of zeros in memory, and how others find it."""
    info = {"shm": None, "shm_name": None, "dtype": dtype.str, "shape": shape}
    if not is_shared or 0 in shape:
        return np.zeros(shape, dtype), info
    from spikeloom.storage.shared_blocks import make_shared_arrays  # noqa: PLC0415 - rarely needed

    arrays, blocks = make_shared_arrays([shape], dtype)
    arrays[0][...] = 0
    return arrays[0], info | {"shm": blocks[0], "shm_name": blocks[0].name}


@contextmanager
def _new_file(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Give a ``.npy`` file of zeros to write to; what was not finished does not stay."""
    if 0 in shape:  # which cannot be mapped
        empty = np.zeros(shape, dtype)
        np.save(path, empty)
        yield empty
        return
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    try:
        yield mapped
    except BaseException:
        del mapped
        path.unlink(missing_ok=True)
        raise


def _fill(
    recording: BaseRecording,
    task: WindowTask,
    windows: NDArray[Any],
    path: Path | None,
    *,
    options: JobOptions,
    job_name: str,
) -> None:
    """Fill `windows`, which is the content of the file at `path` if there is one."""
    if not windows.size:
        return
    is_here = options.pool_engine == "thread" or (
        options.pool_engine == "process" and options.n_jobs == 1
    )
    run = partial(_run, recording, options=options, job_name=job_name)
    if is_here:
        # As a plain array: compiled kernels do not know memory-map objects.
        run(partial(_cut_into, task=task, windows=windows.view(np.ndarray)), has_results=False)
    elif path is not None and options.pool_engine == "process":
        open_it = partial(_open_file, path=path)
        run(partial(_cut_into_file, task=task), make_state=open_it, has_results=False)
    else:
        for places, block in run(partial(_cut_block, task=task)):
            windows[places] = block


def _run(
    recording: BaseRecording,
    work: Callable[..., Any],
    *,
    options: JobOptions,
    job_name: str,
    make_state: Callable[..., Any] | None = None,
    has_results: bool = True,
) -> Iterable[Any]:
    """Work on all chunks; return results as they come, or when all is done if there are none."""
    results: Iterable[Any] = map_chunks(
        recording,
        work,
        options=options,
        job_name=job_name,
        chunks=plan_chunks(recording, options),
        make_state=make_state,
        has_results=has_results,
    )
    if has_results:
        return (result for result in results if result is not None)
    for _ in results:
        pass
    return ()


def _open_file(_recording: BaseRecording, *, path: Path) -> NDArray[Any]:
    return np.lib.format.open_memmap(path, mode="r+").view(np.ndarray)


def _cut_into_file(
    recording: BaseRecording, chunk: Chunk, windows: NDArray[Any], *, task: WindowTask
) -> None:
    _cut_into(recording, chunk, task=task, windows=windows)


def _cut_into(
    recording: BaseRecording, chunk: Chunk, *, task: WindowTask, windows: NDArray[Any]
) -> None:
    """Write the windows of a chunk to their places."""
    found = read_windows(recording, chunk, task.windows, task.channels)
    if found is not None:
        cut_windows(found, task.windows.places[found.spikes], task, windows)


def _cut_block(
    recording: BaseRecording, chunk: Chunk, *, task: WindowTask
) -> tuple[NDArray[np.int64], NDArray[Any]] | None:
    """Return the windows of a chunk and their places."""
    found = read_windows(recording, chunk, task.windows, task.channels)
    if found is None:
        return None
    places = task.windows.places[found.spikes]
    block = np.zeros((places.size, *task.shape[1:]), task.dtype)
    cut_windows(found, np.arange(places.size), task, block)
    return places, block


def cut_windows(
    found: ChunkWindows, places: NDArray[np.int64], task: WindowTask, windows: NDArray[Any]
) -> None:
    """Copy or scale windows, and turn them into the type that is wanted."""
    from spikeloom.kernels import spike_windows as kernels  # noqa: PLC0415 - imports numba
    from spikeloom.kernels.jit import takes_dtype  # noqa: PLC0415

    source = found.traces.dtype if task.scale is None else np.dtype(np.float32)
    is_direct = takes_dtype(windows.dtype) and (
        windows.dtype == source or (windows.dtype.kind == "f" and source.kind in "fiu")
    )
    if not is_direct:
        # Kernels cut numbers off; here they are rounded, and stop at the ends of their range.
        block = np.zeros((places.size, *windows.shape[1:]), source)
        cut_windows(found, np.arange(places.size), task, block)
        windows[places] = as_dtype(block, windows.dtype)
        return
    of_units = task.channels
    if found.channels is not None:
        of_units = of_units.among(found.channels)
    scale = task.scale
    if scale is not None and found.channels is not None:
        scale = scale[:, found.channels]
    where = (found.traces, found.starts, places)
    if task.channels.is_dense and scale is None:
        kernels.copy_all(*where, windows)
    elif task.channels.is_dense and scale is not None:
        kernels.scale_all(*where, scale, windows)
    else:
        chosen = (task.windows.units[found.spikes], of_units.first, of_units.columns)
        if scale is None:
            kernels.copy_some(*where, *chosen, windows)
        else:
            kernels.scale_some(*where, *chosen, scale, windows)


def _fill_zarr(
    recording: BaseRecording,
    task: WindowTask,
    path: Path,
    chunk_bytes: int,
    *,
    options: JobOptions,
    name: str,
) -> Any:
    """Write windows to an array of a zarr store, whose chunks this process alone writes."""
    from spikeloom.core.zarr_waveforms import (  # noqa: PLC0415 - imports zarr
        create_rows,
        opened_rows,
    )

    rows = create_rows(path, task.shape, task.dtype, chunk_bytes)
    if task.windows.is_in_order:
        for places, block in _run(
            recording, partial(_cut_block, task=task), options=options, job_name=name
        ):
            rows.put(int(places[0]), block)
    else:
        windows = np.zeros(task.shape, task.dtype)
        _fill(recording, task, windows, None, options=options, job_name=name)
        rows.put(0, windows)
    rows.close()
    return opened_rows(path)
