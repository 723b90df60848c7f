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

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` on its first call."""
    compiled: Any = numba.njit(nogil=True, cache=True, error_model="numpy")(function)
    return cast("Callable[P, R]", compiled)
