"""What a worker does with a chunk, whichever engine it runs on, and what comes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from spikeloom.engine.chunks import Chunk


@dataclass(frozen=True, slots=True)
class ChunkWork:
    """A function of chunks with what its workers need; sent to the workers as it is."""

    func: Callable[..., Any]
    """Called with segment, first sample, one past the last sample, and the worker's state."""
    init_func: Callable[..., Any] | None
    """Makes the state of a worker."""
    init_args: tuple[Any, ...]
    """Arguments of `init_func`."""
    needs_worker_index: bool = False
    """Whether `init_func` also gets the worker's number, and the state has it."""
    keeps_results: bool = True
    """Whether results travel back."""
    arg_names: tuple[str, ...] = ()
    """What to call `init_args` in messages; by number where this is empty."""

    def start(self, worker_index: int) -> Callable[[Chunk], Any]:
        """Make the state of a worker; return what works on a chunk."""
        index = (worker_index,) if self.needs_worker_index else ()
        state = {} if self.init_func is None else self.init_func(*self.init_args, *index)
        if self.needs_worker_index:
            state["worker_index"] = worker_index

        def run(chunk: Chunk) -> Any:  # noqa: ANN401 - whatever the function gives
            result = self.func(*chunk, state)
            return result if self.keeps_results else None

        return run


class Outcome(NamedTuple):
    """How a chunk ended."""

    position: int
    """Position of the chunk in the plan."""
    value: Any
    """What the function returned."""
    error: BaseException | None = None
    """What it raised instead."""
    is_fatal: bool = False
    """Whether the job ends at once, without a look at the chunks before this one."""


class Engine(Protocol):
    """Workers behind one interface; `spikeloom.engine.in_order.run_in_order` drives it.

    Making an engine may start workers, and `close` ends them all, whatever happened.
    """

    @property
    def n_outstanding_max(self) -> int:
        """How many chunks may be begun beyond the next one to give."""
        ...

    def submit(self, position: int, chunk: Chunk) -> None:
        """Have a chunk worked on, soon; does not wait."""
        ...

    def collect(self, *, is_waiting: bool) -> Sequence[Outcome]:
        """Return what has ended since the last call; at least one outcome if `is_waiting`."""
        ...

    def close(self) -> None:
        """Drop what was submitted and not collected, and end the workers."""
        ...


def attempt(position: int, work: Callable[[], Any]) -> Outcome:
    """Return how a piece of work ends; only what is meant to end the process passes."""
    try:
        return Outcome(position, work())
    except Exception as error:  # noqa: BLE001 - it is raised where results are collected
        return Outcome(position, None, error)
