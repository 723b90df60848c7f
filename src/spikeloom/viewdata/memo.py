"""What was worked out for single clusters, kept to be put together anew.

A frame shows several clusters, and the next selection mostly shares some of them: going through
pairs, the first cluster stays. A cluster's spikes never change while its id exists, so what was
read for it once holds.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from numpy.typing import NDArray

BUDGET_BYTES = 256 << 20

Arrays = tuple[NDArray[Any], ...]
A = TypeVar("A", bound=Arrays)


class Memo:
    """Tuples of arrays by key, the ones used last, up to a number of bytes.

    Parameters
    ----------
    budget_bytes : int
        Arrays used longest ago go when there are more.

    Examples
    --------
    >>> import numpy as np
    >>> memo = Memo()
    >>> memo.get("squares", lambda: (np.arange(3) ** 2,))
    (array([0, 1, 4]),)
    >>> memo.get("squares", lambda: (np.zeros(0),))
    (array([0, 1, 4]),)
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget_bytes = budget_bytes
        self._n_bytes = 0
        self._kept: OrderedDict[Hashable, Arrays] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], A]) -> A:
        """Return what is kept under `key`, made now if it is not there; read-only arrays."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found  # type: ignore[return-value] # made by the same function before
        made = make()
        for array in made:
            array.setflags(write=False)
        with self._lock:
            self._n_bytes += _n_bytes(made) - _n_bytes(self._kept.pop(key, ()))
            self._kept[key] = made
            while self._n_bytes > self._budget_bytes and len(self._kept) > 1:
                self._n_bytes -= _n_bytes(self._kept.popitem(last=False)[1])
        return made


def _n_bytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays)
