"""Blosc's headers, checked before its library believes them.

The library takes how long a frame is from the frame itself, and reads on behind the end of one that
was cut short or tells too much.

Source: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst (the header).
"""

import struct
from typing import Any

from spikeloom.errors import DataError

_HEADER = struct.Struct("<4B3I")
"""Versions, flags, size of an item; how many bytes there are unpacked, in a block, and packed."""


def check_blosc(frame: Any) -> None:  # noqa: ANN401 - anything with bytes in a row
    """Check that a frame of Blosc is as long as its header tells.

    Parameters
    ----------
    frame : bytes-like
        The compressed bytes.

    Raises
    ------
    DataError
        If it is not.

    Examples
    --------
    >>> check_blosc(b"too short")
    Traceback (most recent call last):
    spikeloom.errors.DataError: A frame of Blosc has at least 16 bytes, this one has 9.
    """
    n_there = memoryview(frame).nbytes
    if n_there < _HEADER.size:
        msg = f"A frame of Blosc has at least {_HEADER.size} bytes, this one has {n_there}."
        raise DataError(msg)
    *_, n_bytes, n_block_bytes, n_packed_bytes = _HEADER.unpack_from(frame)
    if not _HEADER.size <= n_packed_bytes <= n_there:
        msg = f"A frame of Blosc tells {n_packed_bytes} bytes and has {n_there}."
        raise DataError(msg)
    if n_bytes and not 0 < n_block_bytes <= max(n_bytes, _HEADER.size):
        msg = f"A frame of Blosc tells blocks of {n_block_bytes} bytes, and {n_bytes} in all."
        raise DataError(msg)
