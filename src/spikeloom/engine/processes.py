"""Worker processes: how they are started, what they do, how they are talked to and ended.

A worker reads ``(index, chunk)`` from its pipe, works, answers ``(index, value, error)``, and ends
at ``None``. It has one chunk at a time, so when it dies the chunk that killed it is known. It never
outlives the process that started it: a thread of it waits for that process to end.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from spikeloom.engine.chunks import Chunk
from spikeloom.engine.thread_limits import limit_threads, set_thread_variables, thread_variables
from spikeloom.engine.work import ChunkWork, Outcome, attempt
from spikeloom.errors import TransferError, WorkerError

_starting = threading.Lock()
"""Held while processes start, so that none inherits the ends of another's pipe by chance."""


def choose_start_method(asked: str | None = None, preferred: str | None = None) -> str:
    """Return how worker processes are started.

    Parameters
    ----------
    asked : str, optional
        ``mp_context`` of the job.
    preferred : str, optional
        What the source says that it needs; it wins.

    Returns
    -------
    str
        By default ``"fork"`` on Linux while this process has a single Python thread: nothing has
        to be sent, and scripts need no ``if __name__ == "__main__":``. A fork copies locks that
        other threads hold, so with threads it is ``"forkserver"``, and elsewhere ``"spawn"``.

    Warns
    -----
    UserWarning
        If the source needs something other than what is asked for.

    Examples
    --------
    >>> choose_start_method("spawn")
    'spawn'
    """
    if preferred is not None:
        if asked not in {None, preferred}:
            msg = f"mp_context={asked!r} does not suit this source; {preferred!r} is used instead."
            warnings.warn(msg, stacklevel=2)
        return preferred
    if asked is not None:
        return asked
    if not sys.platform.startswith("linux"):
        return "spawn"
    return "fork" if threading.active_count() == 1 else "forkserver"


@dataclass(slots=True)
class Worker:
    """A worker process as seen from the one that started it."""

    process: BaseProcess
    connection: "Connection[Any, Any]"
    number: int
    """Counted from 1."""
    index: int | None = None
    """Position in the plan of the chunk that it works on."""
    chunk: Chunk | None = None
    """That chunk."""
    n_done: int = 0
    """Chunks that it has answered."""

    def send(self, index: int, chunk: Chunk) -> None:
        """Hand over a chunk; a worker that died is noticed where answers are awaited."""
        self.index, self.chunk = index, chunk
        with contextlib.suppress(OSError):
            self.connection.send((index, tuple(chunk)))

    def receive(self) -> Outcome | None:
        """Return the answer that is there, or None if there will be none."""
        try:
            outcome = Outcome(*self.connection.recv())
        except (EOFError, OSError):
            return None
        except Exception as error:  # noqa: BLE001 - reading back may run any code of a result
            msg = f"A result or error cannot be read back from a worker: {error}"
            outcome = Outcome(self.index or 0, None, TransferError(msg))
        self.index = self.chunk = None
        self.n_done += 1
        return outcome


def start_workers(
    work: ChunkWork, n_workers: int, *, start_method: str, n_threads: int | None
) -> list[Worker]:
    """Start worker processes.

    Parameters
    ----------
    work : ChunkWork
        What they do; sent once to each, but for forks, which have it already.
    n_workers : int
        How many.
    start_method : str
        See `choose_start_method`.
    n_threads : int or None
        Threads of linear algebra in each.

    Raises
    ------
    TransferError
        If the work cannot be sent.
    WorkerError
        If the system refuses a process.
    """
    if multiprocessing.current_process().daemon:
        msg = "A worker process cannot start workers of its own; use pool_engine='thread' in it."
        raise WorkerError(msg)
    context: Any = multiprocessing.get_context(start_method)
    payload = work if start_method == "fork" else _packed(work)
    workers: list[Worker] = []
    try:
        with _starting, thread_variables(n_threads), _interrupts_blocked():
            for number in range(1, n_workers + 1):
                ours, theirs = context.Pipe(duplex=True)
                inherited = [w.connection for w in workers] + [ours]
                process = context.Process(
                    target=_work_off,
                    args=(theirs, payload, number - 1, n_threads),
                    kwargs={"inherited": inherited if start_method == "fork" else ()},
                    name=f"spikeloom-worker-{number}",
                    daemon=True,
                )
                workers.append(Worker(process, ours, number))
                process.start()
                theirs.close()
    except BaseException as error:
        end_workers(workers)
        if isinstance(error, OSError):
            msg = f"Worker {len(workers)} of {n_workers} could not be started: {error}"
            raise WorkerError(msg) from error
        raise
    return workers


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl+C from processes until they are ready to leave it to the one that started them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _packed(work: ChunkWork) -> bytes:
    """Return work as bytes; name what cannot be sent."""
    try:
        return bytes(ForkingPickler.dumps(work))
    except Exception as error:
        names = work.arg_names or [f"init_args[{k}]" for k in range(len(work.init_args))]
        parts: dict[str, Any] = {"func": work.func, "init_func": work.init_func}
        parts |= dict(zip(names, work.init_args, strict=True))
        faulty = [name for name, part in parts.items() if not _is_sendable(part)]
        msg = (
            f"{' and '.join(faulty) or 'The work'} cannot be sent to another process: {error}. "
            "Use functions of a module and data that can be pickled, or pool_engine='thread'."
        )
        raise TransferError(msg) from error


def _is_sendable(thing: object) -> bool:
    try:
        ForkingPickler.dumps(thing)
    except Exception:  # noqa: BLE001 - pickling runs code of whatever is pickled
        return False
    return True


def end_workers(workers: Sequence[Worker], patience_s: float = 10.0) -> None:
    """End workers: let the idle ones finish, stop those with a chunk, wait for all.

    Parameters
    ----------
    workers : sequence of Worker
        The workers.
    patience_s : float, default 10
        How long they may take until they are killed.
    """
    started = [worker for worker in workers if worker.process.pid is not None]
    for worker in started:
        if worker.index is None:
            with contextlib.suppress(OSError):
                worker.connection.send(None)
        else:
            worker.process.terminate()
    # Whoever is interrupted here a second time still leaves no process behind.
    try:
        for worker in started:
            worker.process.join(patience_s)
    finally:
        for worker in started:
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        for worker in workers:
            worker.connection.close()


def _work_off(
    connection: "Connection[Any, Any]",
    payload: ChunkWork | bytes,
    worker_index: int,
    n_threads: int | None,
    *,
    inherited: "Sequence[Connection[Any, Any]]" = (),
) -> None:
    """Be a worker: answer chunks until told to end."""
    _leave_interrupts_to_the_parent()
    for other in inherited:
        other.close()
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    if n_threads is not None:
        set_thread_variables(n_threads)
        limit_threads(n_threads)
    run: Callable[[Chunk], Any] | None = None

    def run_chunk(chunk: Chunk) -> Any:  # noqa: ANN401 - whatever the function gives
        nonlocal run
        if run is None:
            run = _unpacked(payload).start(worker_index)
        return run(chunk)

    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            return
        if message is None:
            return
        index, chunk = message
        _answer(connection, attempt(index, partial(run_chunk, Chunk(*chunk))))


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl+C in a terminal reaches all processes; the first one decides and ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _unpacked(payload: ChunkWork | bytes) -> ChunkWork:
    if isinstance(payload, ChunkWork):
        return payload
    try:
        work: ChunkWork = ForkingPickler.loads(payload)
    except Exception as error:
        msg = (
            f"A worker cannot read its work: {error}. Functions that were made at a prompt or in a "
            "notebook are known there only: put them into a module, or use pool_engine='thread'."
        )
        raise TransferError(msg) from error
    return work


def _answer(connection: "Connection[Any, Any]", outcome: Outcome) -> None:
    """Send what came of a chunk, or else why that cannot be sent."""
    if outcome.error is not None:
        outcome = Outcome(outcome.position, None, _sendable_error(outcome.error))
    try:
        connection.send(tuple(outcome))
    except OSError:
        os._exit(1)  # nobody listens any more
    except Exception as error:  # noqa: BLE001 - pickling runs code of whatever is pickled
        msg = f"A result cannot be sent back from a worker process: {error}"
        connection.send((outcome.position, None, TransferError(msg)))


def _sendable_error(error: BaseException) -> BaseException:
    """Return an error with its traceback as a note, or one that stands for it."""
    text = "".join(traceback.format_exception(error)).rstrip()
    try:
        copy: Any = ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:  # noqa: BLE001 - pickling runs code of whatever is pickled
        copy = None
    sendable = (
        copy if isinstance(copy, BaseException) else WorkerError(f"{type(error).__name__}: {error}")
    )
    sendable.add_note(f"In a worker process:\n{text}")
    return sendable
