"""Workers in processes of their own, for work that holds the interpreter lock."""

import os
import signal
from collections import deque
from collections.abc import Sequence
from multiprocessing.connection import wait

from spikeloom.engine.chunks import Chunk
from spikeloom.engine.processes import Worker, end_workers, start_workers
from spikeloom.engine.thread_engine import POLL_S, n_outstanding
from spikeloom.engine.work import ChunkWork, Outcome
from spikeloom.errors import WorkerError


class ProcessEngine:
    """Processes, each with a state of its own.

    Parameters
    ----------
    work : ChunkWork
        What to do.
    n_workers : int
        Number of processes.
    start_method : str
        ``"fork"``, ``"spawn"`` or ``"forkserver"``.
    n_threads : int or None
        Threads of linear algebra in each of them.
    """

    def __init__(
        self, work: ChunkWork, n_workers: int, *, start_method: str, n_threads: int | None
    ) -> None:
        self.n_outstanding_max = n_outstanding(n_workers, has_results=work.keeps_results)
        self._start_method = start_method
        self._waiting: deque[tuple[int, Chunk]] = deque()
        self._workers: list[Worker] = start_workers(
            work, n_workers, start_method=start_method, n_threads=n_threads
        )
        self._alive = list(self._workers)

    def submit(self, index: int, chunk: Chunk) -> None:
        """Give a chunk to an idle worker, or keep it until there is one."""
        self._waiting.append((index, chunk))
        self._hand_out()

    def _hand_out(self) -> None:
        for worker in self._alive:
            if self._waiting and worker.index is None:
                worker.send(*self._waiting.popleft())

    def collect(self, *, is_waiting: bool) -> Sequence[Outcome]:
        """Return what the workers have answered, and the deaths of those that will not answer."""
        outcomes: list[Outcome] = []
        while True:
            watched: list[object] = [worker.connection for worker in self._alive]
            if os.name != "nt":  # which cannot wait for so many; there, a pipe tells a death, too
                watched += [worker.process.sentinel for worker in self._alive]
            ready = set(wait(watched, POLL_S if is_waiting else 0))  # type: ignore[arg-type]
            for worker in list(self._alive):
                if worker.connection in ready or worker.process.sentinel in ready:
                    outcomes += self._outcome_of(worker)
            for outcome in outcomes:
                if outcome.error is not None:
                    self._drop_after(outcome.position)
            self._hand_out()
            if outcomes or not is_waiting:
                return outcomes

    def _drop_after(self, position: int) -> None:
        """Begin none of the chunks after one that failed."""
        self._waiting = deque(item for item in self._waiting if item[0] < position)

    def _outcome_of(self, worker: Worker) -> list[Outcome]:
        # Of a worker that has ended, an answer may still be in the pipe.
        is_answer = worker.connection.poll()
        outcome = worker.receive() if is_answer else None
        if outcome is not None:
            return [outcome]
        if is_answer or not worker.process.is_alive():
            return self._bury(worker)
        return []

    def _bury(self, worker: Worker) -> list[Outcome]:
        """Return the end of a worker as that of its chunk; raise if no worker is left."""
        self._alive.remove(worker)
        worker.process.join(1.0)
        error = WorkerError(self._obituary(worker))
        if worker.index is not None:
            return [Outcome(worker.index, None, error, is_fatal=True)]
        if not self._alive:
            raise error
        return []

    def _obituary(self, worker: Worker) -> str:
        n_workers = len(self._workers)
        code = worker.process.exitcode
        doing = "it was idle" if worker.chunk is None else f"it worked on {worker.chunk}"
        text = f"Worker process {worker.number} of {n_workers} {_how_it_ended(code)} while {doing}."
        if code is not None and code < 0:
            return (
                f"{text} The system does this when memory runs out: use fewer workers (n_jobs is "
                f"{n_workers} here) or smaller chunks (chunk_duration, chunk_memory)."
            )
        if worker.n_done == 0 and self._start_method != "fork":
            return (
                f"{text} It had not done anything yet; its own message is above. A script that "
                'starts processes must be a file, and needs if __name__ == "__main__": around '
                "what it does; or use pool_engine='thread'."
            )
        return f"{text} Look at what the function and the libraries it calls do there."

    def close(self) -> None:
        """End all workers; those with a chunk are stopped midway."""
        self._waiting.clear()
        end_workers(self._workers)


def _how_it_ended(code: int | None) -> str:
    if code is None:
        return "closed its pipe"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
