"""Run a function over the chunks of a source: `map_chunks` for our own use, and the executor.

`TimeSeriesChunkExecutor` is for functions that were written for SpikeInterface's.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, Generic, TypeVar, overload

from spikeloom.engine.chunks import (
    Chunk,
    ChunkSource,
    checked_chunks,
    divide_time_series_into_chunks,
    ensure_chunk_size,
    plan_chunks,
)
from spikeloom.engine.engines import make_engine
from spikeloom.engine.in_order import run_in_order
from spikeloom.engine.options import JobOptions, checked_job_kwargs, job_options
from spikeloom.engine.progress import show_progress, write_line
from spikeloom.engine.work import ChunkWork

S = TypeVar("S", bound=ChunkSource)
R = TypeVar("R")
T = TypeVar("T")

Slice = Sequence[int]
"""Segment, first sample, one past the last sample."""


def _results(
    work: ChunkWork,
    chunks: Sequence[Chunk],
    *,
    source: ChunkSource,
    options: JobOptions,
    job_name: str,
) -> Generator[Any, None, None]:
    """Yield results in the order of `chunks`; workers start at the first and end with the last."""
    engine = make_engine(work, n_chunks=len(chunks), options=options, source=source)
    results = run_in_order(engine, chunks)
    if options.progress_bar:
        sampling_frequency = float(getattr(source, "sampling_frequency", 0) or 0)
        durations_s = [
            c.n_samples / sampling_frequency if sampling_frequency else 0 for c in chunks
        ]
        results = show_progress(results, durations_s, job_name=job_name)
    with closing(results):
        yield from results


def _begin(
    source: ChunkSource, work: Callable[..., Any], make_state: Callable[..., Any] | None
) -> dict[str, Any]:
    extra = () if make_state is None else (make_state(source),)
    return {"source": source, "work": work, "extra": extra}


def _work_on_source(segment_index: int, start: int, end: int, own: dict[str, Any]) -> Any:  # noqa: ANN401
    return own["work"](own["source"], Chunk(segment_index, start, end), *own["extra"])


@overload
def map_chunks(
    source: S,
    work: Callable[[S, Chunk], R],
    *,
    options: JobOptions | None = None,
    job_name: str = "",
    make_state: None = None,
    chunks: Iterable[Slice] | None = None,
    has_results: bool = True,
) -> Generator[R, None, None]: ...


@overload
def map_chunks(
    source: S,
    work: Callable[[S, Chunk, T], R],
    *,
    options: JobOptions | None = None,
    job_name: str = "",
    make_state: Callable[[S], T],
    chunks: Iterable[Slice] | None = None,
    has_results: bool = True,
) -> Generator[R, None, None]: ...


def map_chunks(
    source: ChunkSource,
    work: Callable[..., Any],
    *,
    options: JobOptions | None = None,
    job_name: str = "",
    make_state: Callable[..., Any] | None = None,
    chunks: Iterable[Slice] | None = None,
    has_results: bool = True,
) -> Generator[Any, None, None]:
    """Call `work` on all chunks of a source; return its results in the order of the chunks.

    Workers start when the first result is asked for, and end with the last one, with an error, or
    when the generator is closed. Close it if not all results are taken (``with closing(...)``).

    Parameters
    ----------
    source : ChunkSource
        What has the chunks. Threads share it; processes have a copy each.
    work : callable
        Called with the source, a `Chunk` and, if there is `make_state`, the worker's state. For
        processes: a function of a module, or a `functools.partial` of one.
    options : JobOptions, optional
        How the work is spread; the global ones by default.
    job_name : str, default ""
        What progress is labelled with.
    make_state : callable, optional
        Called with the source once in each worker; makes its state.
    chunks : iterable of (segment_index, start_sample, end_sample), optional
        Other chunks than those of `spikeloom.engine.chunks.plan_chunks`.
    has_results : bool, default True
        Give None for every chunk if not; results then need not be sent.

    Returns
    -------
    generator
        Of the results.

    Raises
    ------
    ParameterError
        If an option or a chunk makes no sense.
    TransferError, WorkerError
        If workers cannot get their work, or die.

    Examples
    --------
    >>> class Source:
    ...     sampling_frequency = 10.0
    ...
    ...     def get_num_segments(self):
    ...         return 1
    ...
    ...     def get_num_samples(self, segment_index=None):
    ...         return 25
    >>> options = JobOptions(n_jobs=2, chunk_size=10, progress_bar=False)
    >>> list(map_chunks(Source(), lambda source, chunk: chunk.n_samples, options=options))
    [10, 10, 5]
    """
    options = job_options() if options is None else options
    plan = plan_chunks(source, options) if chunks is None else checked_chunks(source, chunks)
    chunk_work = ChunkWork(
        _work_on_source,
        _begin,
        (source, work, make_state),
        keeps_results=has_results,
        arg_names=("the source", "the work", "make_state"),
    )
    return _results(chunk_work, plan, source=source, options=options, job_name=job_name)


class TimeSeriesChunkExecutor(Generic[R]):
    """Run a function over the chunks of a recording, or of anything else in time.

    Parameters
    ----------
    time_series : ChunkSource
        What has the chunks.
    func : callable
        Called with segment index, first sample, one past the last sample, and the worker's
        dictionary.
    init_func : callable or None
        Called with `init_args` once in each worker; returns its dictionary.
    init_args : tuple
        Arguments of `init_func`.
    verbose : bool, default False
        Whether to say how the work is spread.
    progress_bar : bool, default False
        Whether progress is shown.
    handle_returns : bool, default False
        Whether `run` returns the results.
    gather_func : callable, optional
        Called with each result, here and in the order of the chunks.
    pool_engine : {"thread", "process", "dask"} or distributed.Client, default "thread"
        Where the workers are. With one worker it is the calling thread, but for Dask.
    n_jobs : int or float, default 1
        Number of workers; see `spikeloom.engine.options.resolve_n_jobs`.
    total_memory, chunk_size, chunk_memory, chunk_duration : optional
        How large a chunk is, in one of these ways; see `spikeloom.engine.chunks.ensure_chunk_size`.
        By default one worker has a single chunk for each segment.
    mp_context : {"fork", "spawn", "forkserver"}, optional
        How processes are started; see `spikeloom.engine.processes.choose_start_method`.
    job_name : str, default ""
        What progress is labelled with.
    max_threads_per_worker : int or None, default 1
        Threads of linear algebra in a worker; None leaves them alone.
    need_worker_index : bool, default False
        Whether `init_func` gets the number of its worker as one more argument, and the dictionary
        has it as ``"worker_index"``.
    **old_spellings
        ``max_threads_per_process`` for ``max_threads_per_worker``.

    Examples
    --------
    >>> class Source:
    ...     sampling_frequency = 10.0
    ...
    ...     def get_num_segments(self):
    ...         return 1
    ...
    ...     def get_num_samples(self, segment_index=None):
    ...         return 25
    >>> def init_func(factor):
    ...     return {"factor": factor}
    >>> def func(segment_index, start_frame, end_frame, worker_dict):
    ...     return worker_dict["factor"] * (end_frame - start_frame)
    >>> executor = TimeSeriesChunkExecutor(
    ...     Source(), func, init_func, (2,), handle_returns=True, n_jobs=2, chunk_size=10
    ... )
    >>> executor.run()
    [20, 20, 10]
    """

    def __init__(  # noqa: PLR0913 - the signature that functions of others are written for
        self,
        time_series: ChunkSource,
        func: Callable[..., R],
        init_func: Callable[..., Mapping[str, Any]] | None,
        init_args: Iterable[Any],
        *,
        verbose: bool = False,
        progress_bar: bool = False,
        handle_returns: bool = False,
        gather_func: Callable[[R], object] | None = None,
        pool_engine: Any = "thread",  # noqa: ANN401 - a name, or a client of an optional package
        n_jobs: float = 1,
        total_memory: str | float | None = None,
        chunk_size: int | None = None,
        chunk_memory: str | float | None = None,
        chunk_duration: str | float | None = None,
        mp_context: str | None = None,
        job_name: str = "",
        max_threads_per_worker: int | None = 1,
        need_worker_index: bool = False,
        **old_spellings: Any,  # noqa: ANN401 - options of many types
    ) -> None:
        self.time_series = time_series
        self.handle_returns = handle_returns
        self.gather_func = gather_func
        self.verbose = verbose
        self.job_name = job_name
        given = checked_job_kwargs(
            {
                "pool_engine": pool_engine,
                "n_jobs": n_jobs,
                "total_memory": total_memory,
                "chunk_size": chunk_size,
                "chunk_memory": chunk_memory,
                "chunk_duration": chunk_duration,
                "progress_bar": progress_bar,
                "mp_context": mp_context,
                "max_threads_per_worker": max_threads_per_worker,
            }
            | old_spellings
        )
        not_given: dict[str, Any] = {"max_threads_per_worker": None, "chunk_duration": None}
        size = {"chunk_size": ensure_chunk_size(time_series, **given)}
        self.options = JobOptions(**not_given | given | size)
        self._work = ChunkWork(
            func,
            init_func,
            tuple(init_args),
            needs_worker_index=need_worker_index,
            keeps_results=handle_returns or gather_func is not None,
        )

    @property
    def n_jobs(self) -> int:
        """Number of workers that are allowed."""
        return self.options.n_jobs

    @property
    def chunk_size(self) -> int | None:
        """Samples of a chunk."""
        return self.options.chunk_size

    def run(
        self,
        slices: Iterable[Slice] | None = None,
        *,
        recording_slices: Iterable[Slice] | None = None,
    ) -> list[R] | None:
        """Work on all chunks.

        Parameters
        ----------
        slices : iterable of (segment_index, start_frame, end_frame), optional
            Other chunks than those that cover everything.
        recording_slices : iterable, optional
            The older name of `slices`.

        Returns
        -------
        list or None
            The results in the order of the chunks, if they are handled.

        Raises
        ------
        ParameterError
            If a slice is not within the source.
        TransferError, WorkerError
            If workers cannot get their work, or die.
        """
        given = recording_slices if slices is None else slices
        if given is None:
            chunks = divide_time_series_into_chunks(self.time_series, self.chunk_size)
        else:
            chunks = checked_chunks(self.time_series, given)
        if self.verbose:
            write_line(
                f"{self.job_name or 'job'}: {len(chunks)} chunks of {self.chunk_size} samples, "
                f"n_jobs={self.n_jobs}, pool_engine={self.options.pool_engine!r}"
            )
        gathered: list[R] = []
        results = _results(
            self._work,
            chunks,
            source=self.time_series,
            options=self.options,
            job_name=self.job_name,
        )
        with closing(results):
            for result in results:
                if self.gather_func is not None:
                    self.gather_func(result)
                if self.handle_returns:
                    gathered.append(result)
        return gathered if self.handle_returns else None


class ChunkRecordingExecutor(TimeSeriesChunkExecutor[R]):
    """`TimeSeriesChunkExecutor` under its older name.

    Parameters
    ----------
    recording : ChunkSource
        What has the chunks.
    func, init_func, init_args, **options
        As in `TimeSeriesChunkExecutor`.
    """

    def __init__(
        self,
        recording: ChunkSource,
        func: Callable[..., R],
        init_func: Callable[..., Mapping[str, Any]] | None,
        init_args: Iterable[Any],
        **options: Any,  # noqa: ANN401 - options of many types
    ) -> None:
        super().__init__(recording, func, init_func, init_args, **options)

    @property
    def recording(self) -> ChunkSource:
        """The older name of ``time_series``."""
        return self.time_series
