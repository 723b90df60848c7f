"""Workers inside this process: the calling thread alone, or several threads."""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

from spikeloom.engine.chunks import Chunk
from spikeloom.engine.thread_limits import limit_threads, release_threads
from spikeloom.engine.work import ChunkWork, Outcome, attempt

POLL_S = 0.2
"""Waits are cut into pieces of this length, because Windows reports Ctrl+C only between them."""


class SerialEngine:
    """The calling thread, which works on a chunk when its result is asked for.

    Parameters
    ----------
    work : ChunkWork
        What to do.
    n_threads : int or None
        Threads of linear algebra.
    """

    n_outstanding_max = 1

    def __init__(self, work: ChunkWork, n_threads: int | None) -> None:
        self._work = work
        self._run: Callable[[Chunk], Any] | None = None
        self._submitted: list[tuple[int, Chunk]] = []
        self._n_threads = n_threads
        limit_threads(n_threads)

    def submit(self, index: int, chunk: Chunk) -> None:
        """Take a chunk."""
        self._submitted.append((index, chunk))

    def _run_chunk(self, chunk: Chunk) -> Any:  # noqa: ANN401 - whatever the function gives
        if self._run is None:
            self._run = self._work.start(0)
        return self._run(chunk)

    def collect(self, *, is_waiting: bool) -> Sequence[Outcome]:
        """Work on what was submitted if it is waited for."""
        if not is_waiting:
            return []
        submitted, self._submitted = self._submitted, []
        return [attempt(index, partial(self._run_chunk, chunk)) for index, chunk in submitted]

    def close(self) -> None:
        """Give linear algebra its threads back."""
        release_threads(self._n_threads)


class ThreadEngine:
    """Threads of this process, each with a state of its own.

    Parameters
    ----------
    work : ChunkWork
        What to do; shared by all threads.
    n_workers : int
        Number of threads.
    n_threads : int or None
        Threads of linear algebra, for all together: libraries know no other limit.
    """

    def __init__(self, work: ChunkWork, n_workers: int, n_threads: int | None) -> None:
        self.n_outstanding_max = n_outstanding(n_workers, has_results=work.keeps_results)
        self._work = work
        self._own = threading.local()
        self._worker_indices = count()
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._n_wanted = math.inf
        self._n_threads = n_threads
        limit_threads(n_threads)
        self._pool = ThreadPoolExecutor(n_workers, "spikeloom-chunk")

    def submit(self, index: int, chunk: Chunk) -> None:
        """Put a chunk into the queue of the threads."""
        self._pool.submit(self._work_off, index, chunk)

    def _run_chunk(self, chunk: Chunk) -> Any:  # noqa: ANN401 - whatever the function gives
        run = getattr(self._own, "run", None)
        if run is None:
            run = self._own.run = self._work.start(next(self._worker_indices))
        return run(chunk)

    def _work_off(self, index: int, chunk: Chunk) -> None:
        if index >= self._n_wanted:
            return
        try:
            outcome = attempt(index, partial(self._run_chunk, chunk))
        except BaseException as error:  # noqa: BLE001 - SystemExit belongs to the main thread
            outcome = Outcome(index, None, error)
        if outcome.error is not None:
            self._n_wanted = min(self._n_wanted, index)
        self._done.put(outcome)

    def collect(self, *, is_waiting: bool) -> Sequence[Outcome]:
        """Return what the threads have done since the last call."""
        outcomes: list[Outcome] = []
        while True:
            try:
                wait_s = POLL_S if is_waiting and not outcomes else None
                outcomes.append(self._done.get(block=wait_s is not None, timeout=wait_s))
            except Empty:
                if outcomes or not is_waiting:
                    return outcomes

    def close(self) -> None:
        """Drop what has not begun and wait for what has: a thread cannot be stopped midway."""
        self._n_wanted = 0
        try:
            self._pool.shutdown(wait=True, cancel_futures=True)
        finally:
            release_threads(self._n_threads)


def n_outstanding(n_workers: int, *, has_results: bool) -> int:
    """Return how many chunks may be begun beyond the next one to give.

    Two for each worker keep it busy while another's chunk is late. Without results nothing piles
    up, and workers may run further ahead of a slow chunk.
    """
    return (2 if has_results else 16) * n_workers
