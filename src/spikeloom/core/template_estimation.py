"""Average the windows around the spikes of each unit, without keeping any of them.

Windows are added up in float64, and in such a way that no sum is ever rounded: whole numbers as
they are, others after rounding each to a billionth of the largest. So it does not matter in which
order they are added, in how many chunks, and by how many workers, each of which has its own sums.
"""

import math
import queue
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.recording import BaseRecording
from spikeloom.core.spike_windows import (
    SpikeWindows,
    UnitChannels,
    read_windows,
    scaling,
    spike_windows,
    unit_channels,
)
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.chunks import Chunk
from spikeloom.engine.options import JobOptions, job_options
from spikeloom.errors import ParameterError

_SUMS_BYTES_MAX = 1 << 30
"""Memory for the sums of all workers together; those that get none wait for another's."""

_N_SPIKES_LOOKED_AT = 32
"""Spikes whose windows tell how large values are."""


@dataclass(frozen=True)
class _Sums:
    """Sums of windows, or of their squares, of each unit."""

    sums: NDArray[np.float64]
    """Shape (n_units, n_window, n_columns)."""
    squares: NDArray[np.float64] | None
    """The same of squares, if they are wanted."""

    @classmethod
    def zeros(cls, shape: Sequence[int], *, with_squares: bool) -> "_Sums":
        """Return sums of nothing."""
        return cls(np.zeros(shape), np.zeros(shape) if with_squares else None)

    def add(self, other: "_Sums", units: NDArray[np.int64] | slice = slice(None)) -> None:
        """Add the sums of another, of some units."""
        self.sums[units] += other.sums
        if self.squares is not None and other.squares is not None:
            self.squares[units] += other.squares


@dataclass(frozen=True)
class _Task:
    """What is added up, and how."""

    windows: SpikeWindows
    channels: UnitChannels
    rounder: float
    """See `spikeloom.kernels.spike_windows.add_all`."""
    square_rounder: float
    """The same for squares."""
    with_squares: bool

    def shape(self, n_units: int) -> tuple[int, int, int]:
        """Return the shape of sums of so many units."""
        return n_units, self.windows.n_window, self.channels.n_columns_max


@overload
def estimate_templates_with_accumulator(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    unit_ids: ArrayLike,
    nbefore: int,
    nafter: int,
    return_in_uV: bool = True,
    sparsity_mask: ArrayLike | None = None,
    job_name: str | None = None,
    return_std: Literal[False] = False,
    verbose: bool = False,
    *,
    return_scaled: bool | None = None,
    **job_kwargs: Any,
) -> NDArray[np.float32]: ...


@overload
def estimate_templates_with_accumulator(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    unit_ids: ArrayLike,
    nbefore: int,
    nafter: int,
    return_in_uV: bool = True,
    sparsity_mask: ArrayLike | None = None,
    job_name: str | None = None,
    *,
    return_std: Literal[True],
    verbose: bool = False,
    return_scaled: bool | None = None,
    **job_kwargs: Any,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...


def estimate_templates_with_accumulator(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    unit_ids: ArrayLike,
    nbefore: int,
    nafter: int,
    return_in_uV: bool = True,
    sparsity_mask: ArrayLike | None = None,
    job_name: str | None = None,
    return_std: bool = False,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    *,
    return_scaled: bool | None = None,
    **job_kwargs: Any,
) -> Any:
    """Average the windows around the spikes of each unit, in one pass over the recording.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    spikes : ndarray of shape (n_spikes,)
        A spike vector. What a window has outside its segment counts as zero; spikes outside the
        recording do not count.
    unit_ids : array_like of shape (n_units,)
        Ids that the unit indices of `spikes` stand for.
    nbefore, nafter : int
        Samples before a spike, and from it on.
    return_in_uV : bool, default True
        In microvolts rather than in steps of the file.
    sparsity_mask : ndarray of shape (n_units, n_channels) and dtype bool, optional
        Channels of each unit; all by default.
    job_name : str, optional
        What the progress bar says.
    return_std : bool, default False
        Also return standard deviations.
    verbose : bool
        Without effect.
    return_scaled : bool, optional
        Older spelling of `return_in_uV`.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    averages : ndarray of shape (n_units, nbefore + nafter, n_channels) and dtype float32
        Zero for units without spikes. With a mask, the channels of a unit are its first columns,
        of as many as the unit with most channels has.
    deviations : ndarray of the same shape and dtype
        If `return_std`.

    Raises
    ------
    ParameterError
        If indices, mask or window make no sense, or gains are needed and not known.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> recording = NumpyRecording([np.arange(20, dtype="int16").reshape(20, 1)], 30000.0)
    >>> spikes = NumpySorting.from_unit_dict({"a": [5, 7]}, 30000.0).to_spike_vector()
    >>> estimate_templates_with_accumulator(
    ...     recording, spikes, ["a"], 1, 2, return_in_uV=False, progress_bar=False
    ... )[0, :, 0]
    array([5., 6., 7.], dtype=float32)
    """
    in_uV = return_in_uV if return_scaled is None else return_scaled
    n_units = len(np.asarray(unit_ids))
    n_segments = recording.get_num_segments()
    windows = _inside(recording, spike_windows(spikes, n_units, n_segments, nbefore, nafter))
    channels = unit_channels(n_units, recording.get_num_channels(), sparsity_mask)
    scale = scaling(recording, in_uV=in_uV)
    task = _task(recording, windows, channels, with_squares=return_std)
    sums = _add_up(
        recording,
        task,
        options=job_options(**job_kwargs),
        job_name=job_name or "estimate_templates_with_accumulator",
    )
    averages, deviations = _finish(recording, task, sums, scale)
    return (averages, deviations) if return_std else averages


def estimate_templates(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    unit_ids: ArrayLike,
    nbefore: int,
    nafter: int,
    operator: Literal["average", "median"] = "average",
    return_in_uV: bool = True,
    sparsity_mask: ArrayLike | None = None,
    job_name: str | None = None,
    *,
    return_scaled: bool | None = None,
    **job_kwargs: Any,
) -> NDArray[np.float32]:
    """Return average or median of the windows around the spikes of each unit.

    Parameters
    ----------
    operator : {"average", "median"}
        The average needs little memory; for the median, the windows of some units at a time are
        held in memory.
    recording, spikes, unit_ids, nbefore, nafter, return_in_uV, sparsity_mask, job_name
        See `estimate_templates_with_accumulator`.
    return_scaled : bool, optional
        Older spelling of `return_in_uV`.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    ndarray of shape (n_units, nbefore + nafter, n_channels) and dtype float32

    Raises
    ------
    ParameterError
        If the operator is another one; and see `estimate_templates_with_accumulator`.
    """
    in_uV = return_in_uV if return_scaled is None else return_scaled
    name = job_name or "estimate_templates"
    if operator == "average":
        averages: NDArray[np.float32] = estimate_templates_with_accumulator(
            recording, spikes, unit_ids, nbefore, nafter, in_uV, sparsity_mask, name, **job_kwargs
        )
        return averages
    if operator != "median":
        msg = f"operator must be 'average' or 'median'; got {operator!r}."
        raise ParameterError(msg)
    n_units = len(np.asarray(unit_ids))
    channels = unit_channels(n_units, recording.get_num_channels(), sparsity_mask)
    medians = np.zeros((n_units, nbefore + nafter, channels.n_columns_max), np.float32)
    n_bytes = nbefore + nafter
    n_bytes *= channels.n_columns_max * medians.itemsize
    for chosen in _unit_batches(spikes, n_units, n_bytes):
        _fill_medians(
            recording,
            spikes[np.isin(spikes["unit_index"], chosen)],
            medians,
            window=(nbefore, nafter),
            options={
                "return_in_uV": in_uV,
                "sparsity_mask": sparsity_mask,
                "job_name": name,
                **job_kwargs,
            },
        )
    return medians


def _unit_batches(
    spikes: NDArray[np.void], n_units: int, window_bytes: int
) -> Iterable[NDArray[np.int64]]:
    """Yield units with spikes in groups whose windows fit into memory, one unit at least."""
    counts = np.bincount(spikes["unit_index"], minlength=n_units)
    with_spikes = np.flatnonzero(counts)
    ends = np.cumsum(counts[with_spikes]) * max(1, window_bytes)
    groups = ends // (2 * _SUMS_BYTES_MAX)
    for group in np.unique(groups):
        yield with_spikes[groups == group]


def _fill_medians(
    recording: BaseRecording,
    spikes: NDArray[np.void],
    medians: NDArray[np.float32],
    *,
    window: tuple[int, int],
    options: dict[str, Any],
) -> None:
    from spikeloom.core.waveform_extraction import (  # noqa: PLC0415 - medians only
        extract_waveforms_to_single_buffer,
    )

    waveforms = extract_waveforms_to_single_buffer(
        recording, spikes, *window, mode="shared_memory", dtype=np.float32, **options
    )
    for unit in np.unique(spikes["unit_index"]).tolist():
        medians[unit] = np.median(waveforms[spikes["unit_index"] == unit], axis=0)


def _inside(recording: BaseRecording, windows: SpikeWindows) -> SpikeWindows:
    """Return the windows of spikes inside the recording: no chunk has others."""
    lengths = [recording.get_num_samples(k) for k in range(recording.get_num_segments())]
    ends = np.repeat(np.asarray(lengths, np.int64), np.diff(windows.offsets))
    is_outside = (windows.samples < 0) | (windows.samples >= ends)
    return windows.without(is_outside) if is_outside.any() else windows


def _task(
    recording: BaseRecording,
    windows: SpikeWindows,
    channels: UnitChannels,
    *,
    with_squares: bool,
) -> _Task:
    """Choose what values are rounded to, so that sums are exact."""
    dtype = recording.dtype
    is_small = dtype.kind in "iu" and dtype.itemsize <= 2
    exponent = 0 if is_small else _exponent(recording, windows)
    middle = 1.5 * 2.0**52
    rounder = 0.0 if dtype.kind in "iu" else middle * 2.0 ** (exponent - 30)
    square_rounder = 0.0 if is_small else middle * 2.0 ** (2 * exponent - 36)
    return _Task(windows, channels, rounder, square_rounder, with_squares)


def _exponent(recording: BaseRecording, windows: SpikeWindows) -> int:
    """Return the power of two above the values around some spikes, the same ones every time."""
    n_spikes = windows.samples.size
    largest = 0.0
    n_looked_at = min(n_spikes, _N_SPIKES_LOOKED_AT)
    for k in np.linspace(0, n_spikes - 1, n_looked_at).astype(np.int64).tolist():
        segment_index = int(np.searchsorted(windows.offsets, k, side="right")) - 1
        sample, n_samples = int(windows.samples[k]), recording.get_num_samples(segment_index)
        first, last = max(0, sample - windows.nbefore), min(n_samples, sample + windows.nafter)
        values = np.abs(recording.get_traces(segment_index, first, last).astype(np.float64))
        finite = values[np.isfinite(values)]
        largest = max(largest, float(finite.max(initial=0.0)))
    return math.frexp(largest)[1]


def _add_up(recording: BaseRecording, task: _Task, *, options: JobOptions, job_name: str) -> _Sums:
    """Add up the windows of all chunks."""
    shape = task.shape(task.channels.n_units)
    if not task.windows.samples.size or not math.prod(shape):
        return _Sums.zeros(shape, with_squares=task.with_squares)
    is_here = options.pool_engine == "thread" or (
        options.pool_engine == "process" and options.n_jobs == 1
    )
    if not is_here:
        total = _Sums.zeros(shape, with_squares=task.with_squares)
        work = partial(_sums_of_chunk, task=task)
        for found in map_chunks(recording, work, options=options, job_name=job_name):
            if found is not None:
                total.add(found[1], found[0])
        return total
    n_bytes = math.prod(shape) * 8 * (2 if task.with_squares else 1)
    n_pools = max(1, min(options.n_jobs, _SUMS_BYTES_MAX // n_bytes))
    pools = [_Sums.zeros(shape, with_squares=task.with_squares) for _ in range(n_pools)]
    free: queue.SimpleQueue[_Sums] = queue.SimpleQueue()
    for pool in pools:
        free.put(pool)
    shared = partial(_add_chunk, task=task, free=free)
    for _ in map_chunks(recording, shared, options=options, job_name=job_name, has_results=False):
        pass
    for pool in pools[1:]:
        pools[0].add(pool)
    return pools[0]


def _add_chunk(
    recording: BaseRecording, chunk: Chunk, *, task: _Task, free: "queue.SimpleQueue[_Sums]"
) -> None:
    """Add the windows of a chunk to sums that nobody else is using."""
    found = read_windows(recording, chunk, task.windows, task.channels)
    if found is None:
        return
    units = task.windows.units[found.spikes]
    sums = free.get()
    try:
        _add(found.traces, found.starts, units, found.channels, task=task, sums=sums)
    finally:
        free.put(sums)


def _sums_of_chunk(
    recording: BaseRecording, chunk: Chunk, *, task: _Task
) -> tuple[NDArray[np.int64], _Sums] | None:
    """Return the units with spikes in a chunk and their sums, to be sent."""
    found = read_windows(recording, chunk, task.windows, task.channels)
    if found is None:
        return None
    with_spikes, units = np.unique(task.windows.units[found.spikes], return_inverse=True)
    sums = _Sums.zeros(task.shape(with_spikes.size), with_squares=task.with_squares)
    _add(
        found.traces,
        found.starts,
        units.reshape(-1),
        found.channels,
        task=task,
        sums=sums,
        unit_of=with_spikes,
    )
    return with_spikes, sums


def _add(
    traces: NDArray[Any],
    starts: NDArray[np.int64],
    units: NDArray[np.int64],
    channels: NDArray[np.int64] | None,
    *,
    task: _Task,
    sums: _Sums,
    unit_of: NDArray[np.int64] | None = None,
) -> None:
    """Add windows to sums; `units` are places in the sums, of units `unit_of` if they differ."""
    from spikeloom.kernels.spike_windows import (  # noqa: PLC0415 - numba takes a while to import
        add_all,
        add_some,
        add_squares_all,
        add_squares_some,
    )

    # Unit by unit, so that the sums of one stay in the cache.
    order = np.argsort(units, kind="stable")
    starts, units = starts[order], units[order]
    of_units = task.channels if channels is None else task.channels.among(channels)
    first, columns = of_units.first, of_units.columns
    if unit_of is not None:
        parts = [columns[first[unit] : first[unit + 1]] for unit in unit_of.tolist()]
        first = np.concatenate([[0], np.cumsum([part.size for part in parts])]).astype(np.int64)
        columns = np.concatenate(parts)
    if task.channels.is_dense:
        add_all(traces, starts, units, task.rounder, sums.sums)
        if sums.squares is not None:
            add_squares_all(traces, starts, units, task.square_rounder, sums.squares)
        return
    where = (traces, starts, units, first, columns)
    add_some(*where, task.rounder, sums.sums)
    if sums.squares is not None:
        add_squares_some(*where, task.square_rounder, sums.squares)


def _finish(
    recording: BaseRecording,
    task: _Task,
    sums: _Sums,
    scale: NDArray[np.float32] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Turn sums into averages and standard deviations, in the unit wanted."""
    n_units = task.channels.n_units
    counts = np.bincount(task.windows.units, minlength=n_units).astype(np.float64)
    divisors = np.maximum(counts, 1)[:, np.newaxis, np.newaxis]
    # Part of the spikes that have each sample of their window inside the recording.
    inside = _counts_inside(recording, task.windows, n_units)[:, :, np.newaxis] / divisors
    gains, offsets = _of_units(task.channels, scale)
    means = sums.sums / divisors
    averages = (means * gains + inside * offsets).astype(np.float32)
    if sums.squares is None:
        return averages, None
    variances = sums.squares / divisors - means * means
    variances *= gains * gains
    # Outside the recording there is zero, also where zero steps are some microvolts.
    variances += (1 - inside) * (2 * gains * offsets * means + offsets * offsets * inside)
    np.maximum(variances, 0, out=variances)
    return averages, np.sqrt(variances).astype(np.float32)


def _of_units(channels: UnitChannels, scale: NDArray[np.float32] | None) -> tuple[Any, Any]:
    """Return gains and offsets as factors of sums, shape (n_units or 1, 1, n_columns)."""
    if scale is None:
        return 1.0, 0.0
    gains, offsets = (values.astype(np.float64) for values in scale)
    if channels.is_dense:
        return gains[np.newaxis, np.newaxis], offsets[np.newaxis, np.newaxis]
    shape = (channels.n_units, 1, channels.n_columns_max)
    by_unit = np.zeros(shape), np.zeros(shape)
    for unit in range(channels.n_units):
        columns = channels.columns[channels.first[unit] : channels.first[unit + 1]]
        by_unit[0][unit, 0, : columns.size] = gains[columns]
        by_unit[1][unit, 0, : columns.size] = offsets[columns]
    return by_unit


def _counts_inside(
    recording: BaseRecording, windows: SpikeWindows, n_units: int
) -> NDArray[np.float64]:
    """Count the spikes of each unit that have a sample of their window inside the recording."""
    counts = np.bincount(windows.units, minlength=n_units).astype(np.float64)
    inside = np.repeat(counts[:, np.newaxis], windows.n_window, axis=1)
    within = np.arange(windows.n_window)
    for segment_index in range(recording.get_num_segments()):
        begin, end = windows.offsets[segment_index : segment_index + 2]
        starts = windows.samples[begin:end] - windows.nbefore
        n_samples = recording.get_num_samples(segment_index)
        at_border = np.flatnonzero((starts < 0) | (starts + windows.n_window > n_samples))
        for k in at_border.tolist():
            samples = starts[k] + within
            inside[windows.units[begin + k]] -= (samples < 0) | (samples >= n_samples)
    return inside
