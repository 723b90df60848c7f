"""How kernels are compiled: every numba flag is decided here, once.

* ``nogil``: kernels run on threads beside the server's event loop.
* ``cache``: compiled code is kept on disk, so that only the first run ever compiles.
* no ``fastmath``: results must not depend on the processor or on the number of threads.
* no ``parallel``: numba's default threading layer is not safe when several Python threads
  call it at once (a web server does); work is spread by `spikeloom.engine` instead.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on its first call."""
    compiled: Any = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)


def kernel_part(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` into each kernel that calls it, as if its lines stood there.

    A loop that calls another kernel works on one number at a time; with parts it works on several.
    """
    compiled: Any = numba.njit(nogil=True, error_model="numpy", inline="always")(function)
    return cast("Callable[P, R]", compiled)


def takes_dtype(dtype: np.dtype[Any]) -> bool:
    """Tell whether kernels take arrays of a number type: not of another byte order, no halves.

    Examples
    --------
    >>> [takes_dtype(np.dtype(name)) for name in ("i2", "f4", "f8", ">i2", "f2", "?")]
    [True, True, True, False, False, False]
    """
    is_real = dtype.kind == "f" and dtype.itemsize in {4, 8}
    return dtype.isnative and (dtype.kind in "iu" or is_real)
