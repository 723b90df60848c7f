"""Recently decoded chunks, kept so that small reads nearby cost no second decoding."""

import threading
from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray


class ChunkCache:
    """The chunks that were used last, up to a number of bytes. Threads may share it.

    Parameters
    ----------
    n_bytes_max : int
        How much may be kept. A chunk larger than that is never kept.

    Examples
    --------
    >>> import numpy as np
    >>> cache = ChunkCache(1000)
    >>> cache.put("0.0", np.zeros(100))
    >>> cache.put("1.0", np.ones(100))
    >>> cache.get("0.0") is None, cache.get("1.0") is None
    (True, False)
    """

    def __init__(self, n_bytes_max: int) -> None:
        self.n_bytes_max = n_bytes_max
        self.n_bytes = 0
        """How much is kept."""
        self._chunks: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> NDArray[Any] | None:
        """Return a chunk, now the most recently used; None if it is not kept."""
        with self._lock:
            chunk = self._chunks.get(key)
            if chunk is not None:
                self._chunks.move_to_end(key)
            return chunk

    def put(self, key: str, chunk: NDArray[Any]) -> None:
        """Keep a chunk, letting go of those not used for longest."""
        if chunk.nbytes > self.n_bytes_max:
            return
        with self._lock:
            old = self._chunks.pop(key, None)
            if old is not None:
                self.n_bytes -= old.nbytes
            self._chunks[key] = chunk
            self.n_bytes += chunk.nbytes
            while self.n_bytes > self.n_bytes_max:
                self.n_bytes -= self._chunks.popitem(last=False)[1].nbytes

    def forget(self, key: str) -> None:
        """Let go of a chunk that was written anew."""
        with self._lock:
            old = self._chunks.pop(key, None)
            if old is not None:
                self.n_bytes -= old.nbytes
