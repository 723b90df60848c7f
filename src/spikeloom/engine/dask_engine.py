"""Workers on a Dask cluster: any machines that ``dask.distributed`` reaches.

The work travels once to each worker and keeps a state for each of its threads. Everything that
the work names has to exist there: spikeloom in the same version, and files under the same paths.
"""

import itertools
import threading
import uuid
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from spikeloom.engine.chunks import Chunk
from spikeloom.engine.work import ChunkWork, Outcome
from spikeloom.errors import ParameterError, TransferError, WorkerError
from spikeloom.optional import require

_N_OUTSTANDING_WITHOUT_WORKERS = 8


class CrewMember:
    """The work on one machine of the cluster, with the states of the threads that do it.

    Parameters
    ----------
    work : ChunkWork
        What to do.
    """

    def __init__(self, work: ChunkWork) -> None:
        self.work = work
        self._own = threading.local()
        self._indices = itertools.count()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # States stay where they were made.
        return CrewMember, (self.work,)

    def run(self, chunk: Chunk) -> Any:  # noqa: ANN401 - whatever the function gives
        """Work on a chunk with this thread's state."""
        run = getattr(self._own, "run", None)
        if run is None:
            run = self._own.run = self.work.start(next(self._indices))
        return run(chunk)


def _run_chunk(member: CrewMember, chunk: tuple[int, int, int]) -> Any:  # noqa: ANN401
    return member.run(Chunk(*chunk))


def find_client(pool_engine: Any) -> Any:  # noqa: ANN401 - distributed is optional
    """Return the Dask client that a job is to use.

    Parameters
    ----------
    pool_engine : "dask" or distributed.Client
        A client, or the word for the current one.

    Raises
    ------
    MissingDependencyError
        If dask.distributed is not installed.
    ParameterError
        If there is no current client.
    """
    distributed = require("distributed", feature="pool_engine='dask'", extra="dask")
    if not isinstance(pool_engine, str):
        return pool_engine
    try:
        return distributed.Client.current()
    except ValueError as error:
        msg = (
            "pool_engine='dask' needs a client. Make one before, for example with "
            "client = distributed.Client('tcp://scheduler:8786'), or distributed.Client() for "
            "workers on this machine; or pass the client itself as pool_engine."
        )
        raise ParameterError(msg) from error


class DaskEngine:
    """The workers of a Dask cluster, each thread of them with a state of its own.

    Parameters
    ----------
    work : ChunkWork
        What to do.
    pool_engine : "dask" or distributed.Client
        See `find_client`.
    """

    def __init__(self, work: ChunkWork, pool_engine: Any) -> None:  # noqa: ANN401
        if work.needs_worker_index:
            msg = "On a Dask cluster workers come and go, so need_worker_index cannot be had."
            raise ParameterError(msg)
        self._client = find_client(pool_engine)
        self._distributed: Any = import_module("distributed")
        self._name = f"spikeloom-{uuid.uuid4().hex[:12]}"
        self._indices: dict[Any, int] = {}
        self._done = self._distributed.as_completed(loop=self._client.loop)
        try:
            # A task, and not data that is scattered: what dies with a worker is made again.
            self._member = self._client.submit(CrewMember, work, key=self._name, pure=False)
        except Exception as error:
            msg = f"The work cannot be sent to a Dask cluster: {error}"
            raise TransferError(msg) from error
        # Chunks go where the work is, so it has to be everywhere from the start.
        with self._client.as_current():
            self._distributed.wait(self._member)
        if self._member.status == "finished":
            self._client.replicate([self._member])

    @property
    def n_outstanding_max(self) -> int:
        """Two chunks for each thread that the cluster has at the moment."""
        n_threads = sum(self._client.nthreads().values())
        return 2 * n_threads or _N_OUTSTANDING_WITHOUT_WORKERS

    def submit(self, index: int, chunk: Chunk) -> None:
        """Give a chunk to the scheduler."""
        future = self._client.submit(
            _run_chunk, self._member, tuple(chunk), key=f"{self._name}-{index}", pure=False
        )
        self._indices[future] = index
        self._done.add(future)

    def collect(self, *, is_waiting: bool) -> Sequence[Outcome]:
        """Return what the cluster has done since the last call."""
        if not is_waiting and self._done.is_empty():
            return []
        futures = [next(self._done)] if is_waiting else []
        futures += self._done.next_batch(block=False)
        return [self._outcome_of(future) for future in futures]

    def _outcome_of(self, future: Any) -> Outcome:  # noqa: ANN401 - distributed is optional
        index = self._indices.pop(future)
        if future.status == "finished":
            return Outcome(index, future.result())
        error = future.exception() if future.status == "error" else None
        if error is None or type(error).__name__ == "KilledWorker":
            cause = error
            error = WorkerError(
                f"The Dask cluster gave up: {cause or future.status}. Workers that die again and "
                "again mostly lack memory: use smaller chunks (chunk_duration, chunk_memory) or "
                "fewer threads in a worker. The worker's log says more."
            )
            error.__cause__ = cause
        return Outcome(index, None, error)

    def close(self) -> None:
        """Take back what has not begun; a chunk that runs on the cluster ends by itself."""
        futures = [*self._indices, self._member]
        self._indices.clear()
        self._client.cancel(futures, force=True)
        self._done.clear()
