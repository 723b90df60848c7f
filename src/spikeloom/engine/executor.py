"""Spread independent pieces of work over threads, results in order."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from typing import TypeVar

R = TypeVar("R")
T = TypeVar("T")

N_THREADS_MAX = 8
"""More threads than this never helped the short tasks of a click."""


def n_usable_cpus() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(N_THREADS_MAX, n_usable_cpus()), "spikeloom-kernel")


def map_items(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Call `work` on each of `items`; return results in order.

    A shared pool of threads helps the calling one: each takes the next item when it is done with
    its last, so a thread that wakes up late costs little. `work` should spend its time in code
    that releases the interpreter lock, write only to what belongs to its item (which makes the
    result independent of the number of threads), and not spread work itself.

    Parameters
    ----------
    work : callable
        Takes an item.
    items : sequence
        The items.

    Examples
    --------
    >>> map_items(abs, [-1, 2, -3])
    [1, 2, 3]
    """
    n_threads = min(N_THREADS_MAX, n_usable_cpus(), len(items))
    if n_threads <= 1:
        return [work(item) for item in items]
    results: dict[int, R] = {}
    numbers = count()  # its next() is one step of the interpreter, so threads can share it

    def work_off() -> None:
        while (k := next(numbers)) < len(items):
            results[k] = work(items[k])

    futures = [_pool().submit(work_off) for _ in range(n_threads - 1)]
    try:
        work_off()
    finally:
        # A thread that has not even woken up yet is not waited for.
        begun = [future for future in futures if not future.cancel()]
        failures = [future.exception() for future in begun]
    for failure in failures:
        if failure is not None:
            raise failure
    return [results[k] for k in range(len(items))]
