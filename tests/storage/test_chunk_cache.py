"""The chunks used last are kept, up to the bound."""

import numpy as np
from hypothesis import given, strategies as st

from spikeloom.storage.chunk_cache import ChunkCache


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 60)), max_size=40))
def test_never_more_than_allowed_and_the_latest_stays(uses):
    cache = ChunkCache(100)
    for name, size in uses:
        chunk = np.zeros(size, "u1")
        cache.put(str(name), chunk)
        assert cache.get(str(name)) is chunk
        assert cache.n_bytes <= 100
    total = sum(c.nbytes for k in range(6) if (c := cache.get(str(k))) is not None)
    assert total == cache.n_bytes
    for k in range(6):
        cache.forget(str(k))
    assert cache.n_bytes == 0


def test_what_is_too_large_is_not_kept():
    cache = ChunkCache(10)
    cache.put("a", np.zeros(11, "u1"))
    assert cache.get("a") is None
