"""Find damage in HDF5 files that would make the HDF5 library hang.

Values of variable length, such as most texts, lie in global heaps: lists of objects, each with the
distance to the next. In a damaged list the distance may be zero, and the library (up to 2.0 at
least) then reads the same object for ever, where nobody can interrupt it. So the lists are walked
here, as the library does it, before such a value is read.

Source: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.E, global heap).
"""

import mmap
import struct
from functools import lru_cache
from pathlib import Path

from spikeloom.errors import ReadError

_SIGNATURE = b"GCOL"
_VERSION = 1
_HEAD = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HH4xQ")


def check_heaps(path: Path) -> None:
    """Raise if the library would hang at a value of variable length.

    Parameters
    ----------
    path : Path
        An HDF5 file.

    Raises
    ------
    ReadError
        If a list of objects does not end; the message tells where.
    """
    status = path.stat()
    where = _endless_heap(path, status.st_ino, status.st_size, status.st_mtime_ns)
    if where is not None:
        msg = (
            f"{path} is damaged: the global heap object at byte {where} has size 0, where the "
            "distance to the next object is expected."
        )
        raise ReadError(0, msg)


@lru_cache(maxsize=64)
def _endless_heap(
    path: Path,
    inode: int,  # noqa: ARG001 - this and the next tell one content from another
    n_bytes: int,
    changed_ns: int,  # noqa: ARG001
) -> int | None:
    """Return where a list of objects does not go on; None if all end."""
    if n_bytes < _HEAD.size:
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content.find(_SIGNATURE)
        while start >= 0:
            stuck = _stuck_at(content, start)
            if stuck is not None:
                return stuck
            start = content.find(_SIGNATURE, start + len(_SIGNATURE))
    return None


def _stuck_at(content: mmap.mmap, start: int) -> int | None:
    if start + _HEAD.size > len(content):
        return None
    _, version, size = _HEAD.unpack_from(content, start)
    end = start + size
    if version != _VERSION or end > len(content):
        return None  # the library refuses it, or it only looks like a heap
    position = start + _HEAD.size
    while position + _OBJECT.size <= end:
        index, _, length = _OBJECT.unpack_from(content, position)
        # The size of free space, which has index 0, counts its head; that of an object does not.
        step = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if step == 0:
            return position
        position += step
    return None
