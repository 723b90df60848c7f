"""Spread independent slices of work over threads, results in order."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

R = TypeVar("R")

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


def map_slices(work: Callable[[slice], R], n_items: int, *, min_items: int = 1) -> list[R]:
    """Call `work` on slices that together cover ``range(n_items)``; return results in order.

    The slices are handed to a shared pool of threads, so `work` should spend its time in code
    that releases the interpreter lock. It must write only to its own slice, which makes the
    result independent of the number of threads.

    Parameters
    ----------
    work : callable
        Takes a slice.
    n_items : int
        Length of what is sliced.
    min_items : int, default 1
        Slices are not made smaller than this.

    Examples
    --------
    >>> map_slices(lambda part: (part.start, part.stop), 3, min_items=5)
    [(0, 3)]
    """
    n_slices = max(1, min(N_THREADS_MAX, n_usable_cpus(), n_items // max(1, min_items)))
    if n_slices == 1:
        return [work(slice(0, n_items))]
    edges = [round(n_items * k / n_slices) for k in range(n_slices + 1)]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    # The last slice runs on the calling thread: one hand-over less to wait for.
    futures = [_pool().submit(work, part) for part in parts[:-1]]
    last = work(parts[-1])
    return [*(future.result() for future in futures), last]
