"""Linear algebra on one thread, where many small products are spread over threads already."""

from collections.abc import Iterator
from contextlib import contextmanager

from spikeloom.engine.thread_limits import limit_threads, release_threads


@contextmanager
def algebra_on_one_thread() -> Iterator[None]:
    """Keep linear algebra from starting threads meanwhile.

    Its threads wait for each other in loops: on a busy machine, small products then take ten times
    as long.

    Examples
    --------
    >>> import numpy as np
    >>> with algebra_on_one_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    limit_threads(1)
    try:
        yield
    finally:
        release_threads(1)
