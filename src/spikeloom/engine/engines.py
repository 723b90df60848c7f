"""Which engine does a job."""

from spikeloom.engine.chunks import ChunkSource
from spikeloom.engine.dask_engine import DaskEngine
from spikeloom.engine.options import JobOptions, ensure_n_jobs
from spikeloom.engine.process_engine import ProcessEngine
from spikeloom.engine.processes import choose_start_method
from spikeloom.engine.thread_engine import SerialEngine, ThreadEngine
from spikeloom.engine.work import ChunkWork, Engine


def make_engine(
    work: ChunkWork, *, n_chunks: int, options: JobOptions, source: ChunkSource
) -> Engine:
    """Return fresh workers for a job; never more of them than chunks.

    Parameters
    ----------
    work : ChunkWork
        What they do.
    n_chunks : int
        How much there is to do.
    options : JobOptions
        How it is spread. A single worker is the calling thread.
    source : ChunkSource
        What the chunks are of: it may prefer a way to start processes, or refuse to be sent.

    Raises
    ------
    TransferError
        If the work or the source cannot be sent to the workers.
    WorkerError
        If workers cannot be started.
    """
    if not isinstance(options.pool_engine, str) or options.pool_engine == "dask":
        ensure_n_jobs(source, 2, pool_engine="dask")
        return DaskEngine(work, options.pool_engine)
    n_workers = ensure_n_jobs(object(), options.n_jobs, pool_engine=options.pool_engine)
    n_workers = min(n_workers, n_chunks)
    n_threads = options.max_threads_per_worker
    if n_workers <= 1:
        return SerialEngine(work, n_threads)
    if options.pool_engine == "thread":
        return ThreadEngine(work, n_workers, n_threads)
    preferred_by = getattr(source, "get_preferred_mp_context", None)
    start_method = choose_start_method(
        options.mp_context, None if preferred_by is None else preferred_by()
    )
    if start_method != "fork":  # a fork has everything already
        ensure_n_jobs(source, n_workers)
    return ProcessEngine(work, n_workers, start_method=start_method, n_threads=n_threads)
