"""Memory for passing results, kept by each thread from one call to the next.

Fresh memory of some hundred kilobytes comes from the system page by page, each with a fault that
costs more than the arithmetic done on it; memory that was used a moment ago costs nothing.
"""

import math
import threading

import numpy as np
from numpy.typing import NDArray

_kept = threading.local()


def scratch_array(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return an array of float32 with whatever was in it before.

    It is this thread's own until the next call with the same name, and must not be returned to
    others or kept.

    Parameters
    ----------
    name : str
        What it is for; arrays of different names are apart.
    shape : tuple of int
        Its shape.

    Examples
    --------
    >>> first = scratch_array("example", (2, 3))
    >>> np.shares_memory(first, scratch_array("example", (3, 1)))
    True
    """
    size = math.prod(shape)
    pools: dict[str, NDArray[np.float32]] | None = getattr(_kept, "pools", None)
    if pools is None:
        pools = _kept.pools = {}
    pool = pools.get(name)
    if pool is None or pool.size < size:
        pool = pools[name] = np.zeros(size, np.float32)
    return pool[:size].reshape(shape)
