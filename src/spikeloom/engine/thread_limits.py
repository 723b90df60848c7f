"""How many threads linear algebra uses while workers run beside each other.

The number belongs to the whole process, so jobs that overlap share one limit: the lowest asked
for while any of them runs, and what was there before when the last one has ended.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)
"""What libraries for linear algebra look at when they are loaded."""

_lock = threading.Lock()
_asked: list[int] = []
_applied: list[Any] = []

if hasattr(os, "register_at_fork"):
    # A process that is forked while another thread holds the lock would wait for ever.
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


def _apply() -> None:
    """Put the lowest limit asked for into force; without threadpoolctl there is no way to."""
    while _applied:
        _applied.pop().restore_original_limits()
    if _asked:
        try:
            threadpoolctl = import_module("threadpoolctl")
        except ImportError:
            return
        _applied.append(threadpoolctl.threadpool_limits(limits=min(_asked)))


def limit_threads(n_threads: int | None) -> None:
    """Limit the threads of linear algebra in this process until `release_threads`.

    Parameters
    ----------
    n_threads : int or None
        How many at most; None asks for nothing.
    """
    if n_threads is not None:
        with _lock:
            _asked.append(n_threads)
            _apply()


def release_threads(n_threads: int | None) -> None:
    """Take back one call of `limit_threads` with the same number."""
    if n_threads is not None:
        with _lock:
            _asked.remove(n_threads)
            _apply()


@contextmanager
def thread_variables(n_threads: int | None) -> Iterator[None]:
    """Have new processes that are started meanwhile use so many threads for linear algebra.

    Examples
    --------
    >>> with thread_variables(3):
    ...     os.environ["OPENBLAS_NUM_THREADS"]
    '3'
    """
    if n_threads is None:
        yield
        return
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    set_thread_variables(n_threads)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def set_thread_variables(n_threads: int) -> None:
    """Have libraries that are loaded from now on use so many threads for linear algebra."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(n_threads)))
