"""One pass over a recording for all that wants to see its traces.

Each chunk is read once, with a margin wide enough for everyone, and scaled once; then each task
works on it. Results are handed over in the order of chunks, so that they do not depend on how the
work is spread.
"""

from collections.abc import Sequence
from contextlib import closing
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.recording import BaseRecording
from spikeloom.core.spike_windows import as_kernels_take, scaling
from spikeloom.engine.chunk_executor import map_chunks
from spikeloom.engine.chunks import Chunk, plan_chunks
from spikeloom.engine.options import JobOptions, job_options

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer
    from spikeloom.analyzer.extension import AnalyzerExtension

_N_COPIES = 3
"""Traces as read, scaled, and what tasks make of them."""


class TraceBlock:
    """A chunk of a recording with margins, read when it is first looked at, and only once.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    chunk : Chunk
        The chunk itself, without margins.
    margin : int
        Samples before the chunk, and as many behind it.
    scale : ndarray of shape (2, n_channels) and dtype float32, or None
        Gains and offsets, if tasks work in microvolts.
    """

    def __init__(
        self,
        recording: BaseRecording,
        chunk: Chunk,
        margin: int,
        scale: NDArray[np.float32] | None,
    ) -> None:
        self.chunk = chunk
        self.margin = margin
        self.scale = scale
        self._recording = recording

    @property
    def n_samples(self) -> int:
        """Samples of the segment."""
        return self._recording.get_num_samples(self.chunk.segment_index)

    @property
    def first_sample(self) -> int:
        """Sample of the first row of `raw`."""
        return max(0, self.chunk.start_sample - self.margin)

    @cached_property
    def raw(self) -> NDArray[Any]:
        """Traces as they are in the file, of a type that kernels take, without what lies outside
        the recording; shape (n_samples_inside, n_channels).
        """  # noqa: D205
        last = min(self.n_samples, self.chunk.end_sample + self.margin)
        segment = self._recording.segments[self.chunk.segment_index]
        return as_kernels_take(segment.get_traces(self.first_sample, last, slice(None)))

    def raw_with_margin(self, margin: int) -> NDArray[Any]:
        """Return traces as they are in the file, zero outside the recording; shape
        (margin + n_samples_of_chunk + margin, n_channels).
        """  # noqa: D205
        start, end = self.chunk.start_sample - margin, self.chunk.end_sample + margin
        first = self.first_sample
        inner = self.raw[max(start, first) - first : max(0, end - first)]
        n_before = max(0, first - start)
        n_behind = end - start - n_before - len(inner)
        if n_before or n_behind:
            inner = np.pad(inner, ((n_before, n_behind), (0, 0)))
        return inner

    @cached_property
    def traces(self) -> NDArray[Any]:
        """Traces, scaled if that is wanted, zero outside the recording; shape
        (n_samples_of_chunk + 2 * margin, n_channels).
        """  # noqa: D205
        traces = self.raw
        if self.scale is not None:
            traces = traces.astype(np.float32)
            traces *= self.scale[0]
            traces += self.scale[1]
        n_before = self.first_sample - (self.chunk.start_sample - self.margin)
        n_behind = self.chunk.n_samples + 2 * self.margin - n_before - len(traces)
        if n_before or n_behind:
            traces = np.pad(traces, ((n_before, n_behind), (0, 0)))
        return traces


class ChunkTask(Protocol):
    """What one extension does in the pass."""

    margin: int
    """Samples that it needs on either side of a chunk."""

    def compute(self, block: TraceBlock) -> Any:
        """Return its result for a chunk; called by several threads or processes."""

    def put(self, chunk: Chunk, result: Any) -> None:
        """Take the result of a chunk; called in the order of chunks, by one thread."""

    def finish(self) -> Any:
        """Return what came out of all chunks."""


def run_chunk_tasks(
    recording: BaseRecording,
    tasks: Sequence[ChunkTask],
    *,
    in_uV: bool,
    options: JobOptions,
    job_name: str,
) -> list[Any]:
    """Let tasks work on all chunks of a recording, and return what each made.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    tasks : sequence of ChunkTask
        What is to be done.
    in_uV : bool
        Whether traces are in microvolts rather than in steps of the file.
    options : JobOptions
        How the work is spread.
    job_name : str
        What the progress bar says.
    """
    if not tasks:
        return []
    margin = max(task.margin for task in tasks)
    plan = plan_chunks(recording, options, n_copies=_N_COPIES)
    scale = scaling(recording, in_uV=in_uV)
    work = partial(_compute, tasks=tuple(tasks), margin=margin, scale=scale)
    results = map_chunks(recording, work, options=options, job_name=job_name, chunks=plan)
    with closing(results):  # workers end at once if a task cannot take a result
        for chunk, parts in zip(plan, results, strict=True):
            for task, part in zip(tasks, parts, strict=True):
                task.put(chunk, part)
    return [task.finish() for task in tasks]


def _compute(
    recording: BaseRecording,
    chunk: Chunk,
    *,
    tasks: tuple[ChunkTask, ...],
    margin: int,
    scale: NDArray[np.float32] | None,
) -> list[Any]:
    block = TraceBlock(recording, chunk, margin, scale)
    return [task.compute(block) for task in tasks]


def run_extensions(
    analyzer: "SortingAnalyzer",
    extensions: Sequence["AnalyzerExtension"],
    *,
    verbose: bool = False,  # noqa: ARG001 - SpikeInterface's; the progress bar says it
    **job_kwargs: Any,
) -> None:
    """Compute extensions that share one pass over the recording."""
    tasks = [extension._get_chunk_tasks() for extension in extensions]
    if not any(tasks):  # all that they need is there, maybe without a recording
        for extension in extensions:
            extension._finish_chunk_tasks([])
        return
    names = ", ".join(extension.extension_name for extension in extensions)
    results = run_chunk_tasks(
        analyzer.recording,
        [task for of_one in tasks for task in of_one],
        in_uV=analyzer.return_in_uV,
        options=job_options(**job_kwargs),
        job_name=f"compute {names}",
    )
    for extension, of_one in zip(extensions, tasks, strict=True):
        extension._finish_chunk_tasks(results[: len(of_one)])
        results = results[len(of_one) :]
