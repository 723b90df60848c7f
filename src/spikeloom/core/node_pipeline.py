"""Run nodes over the chunks of a recording: each chunk is read once, for all of them."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.chunk_margins import get_chunk_with_margin
from spikeloom.core.node_gathering import Outputs, new_gathering
from spikeloom.core.peak_retrieval import PeakRetriever, SpikeRetriever
from spikeloom.core.pipeline_nodes import (
    PeakDetector,
    PeakSource,
    PipelineNode,
    check_graph,
    find_parents_of_type,
)
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.chunks import Chunk, checked_chunks, plan_chunks
from spikeloom.engine.options import job_options
from spikeloom.engine.progress import write_line
from spikeloom.errors import ParameterError

_N_COPIES = 3
"""Traces as read, with margins, and what nodes make of them."""


def run_node_pipeline(
    time_series: Any,
    nodes: Sequence[PipelineNode],
    job_kwargs: Mapping[str, Any] | None = None,
    job_name: str = "pipeline",
    gather_mode: Literal["memory", "npy", "zarr"] = "memory",
    gather_kwargs: Mapping[str, Any] | None = None,
    squeeze_output: bool = True,
    dest: Any = None,
    names: Sequence[str] | None = None,
    verbose: bool = False,
    skip_after_n_peaks: int | None = None,
    slices: Iterable[Sequence[int]] | None = None,
    check_for_peak_source: bool = False,
    folder: str | Path | None = None,
) -> Any:
    """Run nodes over a recording, and return what they make of it.

    The results do not depend on the number of workers, nor on the size of chunks where the nodes
    look no further than their margin.

    Parameters
    ----------
    time_series : BaseRecording
        What is read.
    nodes : list of PipelineNode
        Parents before their children.
    job_kwargs : dict, optional
        How the work is spread; see `spikeloom.set_global_job_kwargs`.
    job_name : str, default "pipeline"
        What progress is labelled with.
    gather_mode : {"memory", "npy", "zarr"}, default "memory"
        Where results go.
    gather_kwargs : dict, optional
        More of that: ``exist_ok`` and ``npy_header_size`` for npy; ``overwrite``, ``compressor``
        and ``zarr_target_chunk_bytes`` for zarr.
    squeeze_output : bool, default True
        Return a single result as it is, not in a tuple.
    dest : str, Path or list, optional
        For npy a folder, or a file for each result; for zarr a new store, or for each result a
        place in a store (``"x.zarr/name"``) or a zarr.Array to append to.
    names : list of str, optional
        Names of the results in a folder or store.
    verbose : bool, default False
        Say how the work is spread.
    skip_after_n_peaks : int, optional
        Stop after so many peaks of the first source: the first ones in time, exactly.
    slices : list of (segment_index, start_frame, end_frame), optional
        Parts of the recording to run over; all by default.
    check_for_peak_source : bool, default False
        Whether the first node must be a source of peaks.
    folder : str or Path, optional
        Older name of `dest`.

    Returns
    -------
    ndarray or tuple of ndarray
        What the nodes with ``return_output=True`` made of all chunks, in order. Where there were
        no peaks they are empty, but of the right type.

    Raises
    ------
    ParameterError
        If the nodes are not in order, or an option makes no sense.
    WriteError
        If something is at `dest` already, or it cannot be written.

    Examples
    --------
    >>> import spikeloom as si
    >>> recording, sorting = si.generate_ground_truth_recording(durations=[2.0], seed=0)
    >>> peaks = si.sorting_to_peaks(sorting, np.zeros(sorting.get_num_units(), int))
    >>> source = si.PeakRetriever(recording, peaks)
    >>> waveforms = si.ExtractDenseWaveforms(
    ...     recording, ms_before=1.0, ms_after=2.0, parents=[source], return_output=True
    ... )
    >>> found = run_node_pipeline(recording, [source, waveforms], {"progress_bar": False})
    >>> found.shape == (peaks.size, 75, recording.get_num_channels())
    True
    """
    check_graph(nodes, check_for_peak_source=check_for_peak_source)
    if folder is not None:
        warnings.warn("folder= is the older name of dest=.", FutureWarning, stacklevel=2)
        dest = folder if dest is None else dest
    options = job_options(**(job_kwargs or {}))
    if slices is None:
        plan = plan_chunks(time_series, options, n_copies=_N_COPIES)
    else:
        plan = checked_chunks(time_series, slices)
    for source in find_parents_of_type(nodes, PeakSource):
        source.first_call()
    if verbose:
        write_line(f"{job_name}: {len(plan)} chunks, n_jobs={options.n_jobs}")
    gathering = new_gathering(gather_mode, dest, names, gather_kwargs)
    work = partial(_compute_chunk, nodes=tuple(nodes), margin=margin_of(nodes))
    try:
        results = map_chunks(time_series, work, options=options, job_name=job_name, chunks=plan)
        with closing(results):  # workers end at once if no more peaks are wanted
            n_put = 0
            for outputs in _first_peaks(results, skip_after_n_peaks):
                gathering.put(outputs)
                n_put += 1
        if n_put == 0:
            gathering.put(empty_outputs(time_series, nodes))
        outs = gathering.finish()
    except BaseException:
        gathering.give_up()
        raise
    return outs[0] if squeeze_output and len(outs) == 1 else outs


def margin_of(nodes: Iterable[PipelineNode]) -> int:
    """Return the samples that nodes need on either side of a chunk."""
    return max((int(node.get_margin()) for node in nodes), default=0)


def _compute_chunk(
    time_series: Any, chunk: Chunk, *, nodes: Sequence[PipelineNode], margin: int
) -> tuple[Outputs, int] | None:
    if not has_peaks(nodes, chunk, margin):
        return None
    segment = time_series.segments[chunk.segment_index]
    traces, _, _ = get_chunk_with_margin(
        segment, chunk.start_sample, chunk.end_sample, None, margin, add_zeros=True
    )
    return compute_nodes(nodes, traces, chunk, margin)


def has_peaks(nodes: Sequence[PipelineNode], chunk: Chunk, margin: int) -> bool:
    """Return whether there is something to do in a chunk: False if all peaks are known elsewhere.

    Parameters
    ----------
    nodes : sequence of PipelineNode
        The nodes.
    chunk : Chunk
        The chunk, without margins.
    margin : int
        Samples on either side of it.
    """
    retrievers = _retrievers(nodes)
    slices = [node.get_peak_slice(*chunk, margin) for node in retrievers]
    return not retrievers or any(first < last for first, last in slices)


def _retrievers(nodes: Iterable[PipelineNode]) -> list[PeakSource]:
    return [node for node in nodes if isinstance(node, PeakRetriever | SpikeRetriever)]


def compute_nodes(
    nodes: Sequence[PipelineNode], traces: NDArray[Any], chunk: Chunk, margin: int
) -> tuple[Outputs, int]:
    """Return what nodes make of a chunk, and how many peaks the first source of peaks has in it.

    Parameters
    ----------
    nodes : sequence of PipelineNode
        Parents before their children.
    traces : ndarray of shape (margin + n_samples + margin, n_channels)
        The chunk with margins.
    chunk : Chunk
        Where it is, without margins.
    margin : int
        Samples on either side of it.
    """
    made: dict[int, Outputs] = {}
    for node in nodes:
        inputs = [one for parent in node.parents or () for one in made[id(parent)]]
        made[id(node)] = _computed(node, traces, chunk, margin, inputs)
    sources = find_parents_of_type(nodes, PeakSource)
    n_peaks = len(made[id(sources[0])][0]) if sources else 0
    for node in sources:
        # Counted from the first row of the traces up to here, from now on from that of the segment.
        peaks = made[id(node)][0].copy()
        peaks["sample_index"] += chunk.start_sample - margin
        made[id(node)] = (peaks, *made[id(node)][1:])
    return _returned(nodes, made), n_peaks


def _computed(
    node: Any, traces: NDArray[Any], chunk: Chunk, margin: int, inputs: Sequence[Any]
) -> Outputs:
    segment_index, start, end = chunk
    if isinstance(node, PeakDetector):
        extra = margin - int(node.get_margin())
        inner = traces[extra : len(traces) - extra]
        found = node.compute(inner, start, end, segment_index, margin)
        peaks, *others = found if isinstance(found, tuple) else (found,)
        if extra:
            peaks = peaks.copy()
            peaks["sample_index"] += extra
        return (peaks, *others)
    if isinstance(node, PeakRetriever | SpikeRetriever):
        peak_slice = node.get_peak_slice(segment_index, start, end, margin)
        return node.compute(traces, start, end, segment_index, margin, peak_slice)
    if node._compute_has_extended_signature:
        made = node.compute(traces, start, end, segment_index, margin, *inputs)
    else:
        made = node.compute(traces, *inputs)
    return made if isinstance(made, tuple) else (made,)


def _returned(nodes: Sequence[PipelineNode], made: Mapping[int, Outputs]) -> Outputs:
    outputs: list[NDArray[Any]] = []
    for node in nodes:
        parts, wanted = made[id(node)], node.return_output
        flags = tuple(wanted) if isinstance(wanted, tuple | list) else (wanted,) * len(parts)
        if len(flags) != len(parts):
            msg = (
                f"{type(node).__name__} makes {len(parts)} things, but its return_output says "
                f"something of {len(flags)}: {wanted!r}."
            )
            raise ParameterError(msg)
        outputs += [one for one, flag in zip(parts, flags, strict=True) if flag]
    return tuple(outputs)


def _first_peaks(
    results: Iterable[tuple[Outputs, int] | None], n_peaks_max: int | None
) -> Iterator[Outputs]:
    """Yield what was made of chunks, until there are so many peaks."""
    n_left = n_peaks_max
    if n_left is not None and n_left < 0:
        msg = f"skip_after_n_peaks is a number of peaks; got {n_left}."
        raise ParameterError(msg)
    for result in results:
        if result is None:
            continue
        outputs, n_peaks = result
        if n_left is None:
            yield outputs
            continue
        yield _first_rows(outputs, n_peaks, n_left)
        n_left -= n_peaks
        if n_left <= 0:
            return


def _first_rows(outputs: Outputs, n_peaks: int, n_left: int) -> Outputs:
    """Return results of some peaks, where they have a row for each."""
    return tuple(one[:n_left] if len(one) == n_peaks else one for one in outputs)


def empty_outputs(time_series: Any, nodes: Sequence[PipelineNode]) -> Outputs:
    """Return what nodes make where there are no peaks: empty arrays of the right types.

    Parameters
    ----------
    time_series : BaseRecording
        What the nodes are for.
    nodes : sequence of PipelineNode
        Parents before their children.
    """
    margin = margin_of(nodes)
    segment = time_series.segments[0]
    traces, _, _ = get_chunk_with_margin(segment, 0, 0, None, margin, add_zeros=True)
    made: dict[int, Outputs] = {}
    for node in nodes:
        inputs = [one for parent in node.parents or () for one in made[id(parent)]]
        if isinstance(node, PeakDetector):
            n_others = len(node.return_output) - 1 if isinstance(node.return_output, tuple) else 0
            others = (np.zeros(0),) * n_others
            made[id(node)] = (np.zeros(0, np.dtype(node.get_dtype())), *others)
            continue
        try:
            made[id(node)] = _computed(node, traces, Chunk(0, 0, 0), margin, inputs)
        except (ValueError, IndexError, ZeroDivisionError):  # it was not made for no peaks
            made[id(node)] = (np.zeros(0, np.dtype(_dtype_of(node))),)
    return tuple(one[:0] for one in _returned(nodes, made))


def _dtype_of(node: PipelineNode) -> Any:
    try:
        return node.get_dtype()
    except NotImplementedError:
        return np.float64
