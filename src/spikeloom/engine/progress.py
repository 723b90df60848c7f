"""Show how far a job is: a bar in a terminal, one line in a notebook, a few lines in a log file.

Everything goes to the standard error stream. Nothing here runs on a thread of its own, so that
worker processes can still be forked, and nothing is done more often than people can read.
"""

import sys
import time
from collections.abc import Generator, Iterable, Sequence
from importlib import import_module
from typing import Any, Protocol, TypeVar

R = TypeVar("R")

REFRESH_S = 0.1
"""Time between two pictures of a bar."""

LINE_EVERY_S = 10.0
"""Time between two lines of a log."""


class _Meter(Protocol):
    """What shows progress, from its ``__enter__`` to its ``__exit__``."""

    refresh_s: float

    def show(self, n_done: int, n_chunks: int, text: str) -> None: ...

    def close(self) -> None: ...


class _BarMeter:
    """A bar of rich, in a terminal."""

    refresh_s = REFRESH_S

    def __init__(self, job_name: str) -> None:
        rich = import_module("rich.progress")
        console = import_module("rich.console").Console(stderr=True)
        self._bar: Any = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(),
            rich.MofNCompleteColumn(),
            rich.TextColumn("{task.fields[text]}"),
            rich.TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
        )
        self._task = self._bar.add_task(job_name, total=None, text="")
        self._bar.start()

    def show(self, n_done: int, n_chunks: int, text: str) -> None:
        self._bar.update(self._task, completed=n_done, total=n_chunks, text=text)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.stop()


class _LineMeter:
    """Lines of text: one that is written over again and again in a notebook, else new ones."""

    def __init__(self, job_name: str, *, is_overwriting: bool) -> None:
        self.refresh_s = REFRESH_S if is_overwriting else LINE_EVERY_S
        self._job_name = job_name
        self._is_overwriting = is_overwriting

    def show(self, n_done: int, n_chunks: int, text: str) -> None:
        start, end = ("\r", "") if self._is_overwriting else ("", "\n")
        sys.stderr.write(f"{start}{self._job_name}: {n_done} of {n_chunks} chunks {text}{end}")
        sys.stderr.flush()

    def close(self) -> None:
        if self._is_overwriting:
            sys.stderr.write("\n")


def _meter(job_name: str) -> _Meter:
    if "ipykernel" in sys.modules:  # where rich would need widgets
        return _LineMeter(job_name, is_overwriting=True)
    if sys.stderr is not None and sys.stderr.isatty():
        return _BarMeter(job_name)
    return _LineMeter(job_name, is_overwriting=False)


def show_progress(
    results: Generator[R, None, None] | Iterable[R],
    durations_s: Sequence[float],
    *,
    job_name: str = "",
) -> Generator[R, None, None]:
    """Yield results as they come and show how many have come.

    Parameters
    ----------
    results : iterable
        One result for each chunk; closed in the end if it can be.
    durations_s : sequence of float
        How much recorded time each chunk has; for the speed, in multiples of real time.
    job_name : str, default ""
        What is being done.

    Yields
    ------
    object
        Each of `results`.

    Examples
    --------
    >>> list(show_progress(iter("ab"), [1.0, 1.0], job_name="letters"))
    ['a', 'b']
    """
    if sys.stderr is None:  # a program without a console
        yield from results
        return
    meter = _meter(job_name or "job")
    began_s = shown_s = time.monotonic()
    n_done, done_s = 0, 0.0
    try:
        for result in results:
            done_s += durations_s[n_done]
            n_done += 1
            now_s = time.monotonic()
            is_last = n_done == len(durations_s)
            if is_last or now_s - shown_s >= meter.refresh_s:
                shown_s = now_s
                meter.show(n_done, len(durations_s), _speed_text(done_s, now_s - began_s))
            yield result
            del result
    finally:
        meter.close()
        if isinstance(results, Generator):
            results.close()


def write_line(text: str) -> None:
    """Tell the user something about a job.

    Examples
    --------
    >>> write_line("")
    """
    if text and sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def _speed_text(done_s: float, elapsed_s: float) -> str:
    """Write what was done in how much time."""
    speed = f", {done_s / elapsed_s:.3g}x real time" if elapsed_s > 0 and done_s > 0 else ""
    return f"in {elapsed_s:.1f} s{speed}"
