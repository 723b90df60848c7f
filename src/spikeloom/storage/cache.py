"""Arrays that were computed from others, kept in the user's cache folder by content.

An entry is a ``.npy`` file named after the fingerprint of what it was computed from, so it can
never be stale; the least recently used entries go when the folder grows over its budget.
Failing to write the cache is never an error: the value was computed anyway.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ReadError, WriteError
from spikeloom.storage.arrays import npy_writer, open_npy
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.places import cache_folder

BUDGET_BYTES = 4 << 30

_log = logging.getLogger(__name__)


def cached_array(kind: str, fingerprint: str, compute: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return a cached array as a read-only memory map, computing it first if it is not there.

    Parameters
    ----------
    kind : str
        What it is, with a version ("spike-order-1"): part of the file name.
    fingerprint : str
        Of everything that the value depends on.
    compute : callable
        Makes the value.
    """
    path = cache_folder() / f"{kind}-{fingerprint}.npy"
    try:
        array = open_npy(path)
        os.utime(path)
    except (ReadError, OSError):
        array = compute()
        array.setflags(write=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, npy_writer(array))
            trim_cache()
        except (WriteError, OSError) as error:
            _log.info("The cache was not written: %s", error)
    return np.asarray(array)


def trim_cache(budget_bytes: int = BUDGET_BYTES) -> None:
    """Delete the least recently used entries until the cache fits `budget_bytes`."""
    entries = []
    for path in cache_folder().glob("*.npy"):
        with contextlib.suppress(OSError):
            status = path.stat()
            entries.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= budget_bytes:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size


def clear_cache() -> None:
    """Delete the whole cache."""
    shutil.rmtree(cache_folder(), ignore_errors=True)
