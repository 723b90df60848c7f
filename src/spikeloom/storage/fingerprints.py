"""Short names for content, to notice that data changed and to key caches by content."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WHOLE_BYTES_MAX = 1 << 28
"""Files up to this size are hashed whole; of larger ones, sampled blocks and the time stamp."""

_BLOCK_BYTES = 1 << 20
_N_BLOCKS = 64


def fingerprint_array(array: NDArray[np.generic]) -> str:
    """Return a fingerprint of the dtype, shape and values of `array`.

    Examples
    --------
    >>> a = np.arange(3)
    >>> fingerprint_array(a) == fingerprint_array(a.copy())
    True
    >>> fingerprint_array(a) == fingerprint_array(a.astype("i2"))
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    digest.update(flat.data)
    return digest.hexdigest()


def fingerprint_file(path: Path) -> str:
    """Return a fingerprint of the content of `path`.

    Files of up to 256 MiB are read whole. Of larger ones, 64 blocks of 1 MiB spread over the
    file, its size and its modification time stand for the content.
    """
    digest = hashlib.blake2b(digest_size=16)
    size = path.stat().st_size
    digest.update(str(size).encode())
    with path.open("rb") as file:
        if size <= WHOLE_BYTES_MAX:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
        else:
            digest.update(str(path.stat().st_mtime_ns).encode())
            for k in range(_N_BLOCKS):
                file.seek((size - _BLOCK_BYTES) * k // (_N_BLOCKS - 1))
                digest.update(file.read(_BLOCK_BYTES))
    return digest.hexdigest()


def fingerprint_text(text: str) -> str:
    """Return a fingerprint of `text`."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
