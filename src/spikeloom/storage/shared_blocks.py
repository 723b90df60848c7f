"""Memory that several processes see, by name.

A block has one owner: the process that made it, or that said it would own it. Its name goes when
the owner's last use of it ends, at the latest when the owner ends; should the owner be killed,
Python's resource tracker does it. Neither forked children nor other processes that attach to the
block ever remove it, and what they have mapped stays readable.

The standard `SharedMemory` serves less well: before Python 3.13 every process that attaches to a
block tells the tracker that the block is its own, and an array that outlives the object makes it
complain at the end.
"""

import contextlib
import mmap
import os
import secrets
import weakref
from collections.abc import Sequence
from multiprocessing import resource_tracker
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, MissingFileError, WriteError

_IS_WINDOWS = os.name == "nt"

if not _IS_WINDOWS:
    import _posixshmem  # type: ignore[import-not-found]


class SharedBlock:
    """A block of shared memory; see `create_block` and `attach_block`.

    Its memory stays mapped as long as the block or one of its arrays is there.
    """

    def __init__(self, name: str, mapping: mmap.mmap) -> None:
        self.name = name
        """The name that other processes attach to, as `multiprocessing.shared_memory` takes it."""
        self._mapping = mapping
        self._end_of_ownership: weakref.finalize[..., SharedBlock] | None = None

    @property
    def is_owner(self) -> bool:
        """Whether the block goes when this process has no use for it any more."""
        end = self._end_of_ownership
        return end is not None and end.alive and _owner_of(end) == os.getpid()

    def array(
        self, shape: Sequence[int], dtype: DTypeLike, *, is_writable: bool = False
    ) -> NDArray[Any]:
        """Return the block, from its start on, as an array; it is not copied.

        Raises
        ------
        DataError
            If the block is smaller than that.
        """
        n_bytes = n_bytes_of(shape, dtype)
        if n_bytes > len(self._mapping):
            msg = f"The shared memory {self.name} has {len(self._mapping)} of {n_bytes} bytes."
            raise DataError(msg)
        array = np.frombuffer(self._mapping, np.uint8, count=n_bytes).view(np.dtype(dtype))
        array = array.reshape(tuple(int(n) for n in shape))
        array.flags.writeable = is_writable
        return array

    def own(self) -> None:
        """Let this process be the owner of the block."""
        if self.is_owner or _IS_WINDOWS:  # Windows counts who uses it
            return
        resource_tracker.register(f"/{self.name}", "shared_memory")
        self._end_of_ownership = weakref.finalize(self, _remove, self.name, os.getpid())


_blocks: "weakref.WeakValueDictionary[str, SharedBlock]" = weakref.WeakValueDictionary()
"""The blocks that this process uses: all its objects on one block have one owner."""


def create_block(n_bytes: int) -> SharedBlock:
    """Make a block of shared memory, owned by this process.

    Raises
    ------
    WriteError
        If there is no room for it.

    Examples
    --------
    >>> block = create_block(16)
    >>> block.array([2], "int64", is_writable=True)[:] = [3, 4]
    >>> attach_block(block.name, 16).array([2], "int64")
    array([3, 4])
    """
    name = f"sl_{secrets.token_hex(8)}"  # macOS takes 31 characters at most
    size = max(int(n_bytes), 1)
    try:
        if _IS_WINDOWS:
            block = SharedBlock(name, _named_mapping(name, size))
        else:
            # First, so that the block goes should this process be killed right now.
            resource_tracker.register(f"/{name}", "shared_memory")
            try:
                block = SharedBlock(name, _new_mapping(name, size))
            except OSError:
                _remove(name, os.getpid())
                raise
    except OSError as error:
        msg = (
            f"There is no room for {size / 1e6:.1f} MB of shared memory: "
            f"{error.strerror or error}. Use threads or one worker, which need none, or give the "
            "system more (in a container: its option for the size of /dev/shm)."
        )
        raise WriteError(error.errno or 0, msg) from error
    block.own()
    _blocks[name] = block
    return block


def attach_block(name: str, n_bytes: int, *, is_owner: bool = False) -> SharedBlock:
    """Return a block of shared memory that exists.

    Parameters
    ----------
    name : str
        Its name.
    n_bytes : int
        How much of it is needed.
    is_owner : bool, default False
        Let this process be its owner.

    Raises
    ------
    MissingFileError
        If there is none of this name (any more).
    """
    block = _blocks.get(name)
    if block is None:
        try:
            block = SharedBlock(name, _known_mapping(name, max(int(n_bytes), 1)))
        except (FileNotFoundError, ValueError) as error:
            msg = (
                f"There is no shared memory {name} of {n_bytes} bytes any more: keep the object "
                "that made it as long as others use it."
            )
            raise MissingFileError(2, msg) from error
        _blocks[name] = block
    if is_owner:
        block.own()
    return block


def n_bytes_of(shape: Sequence[int], dtype: DTypeLike) -> int:
    """Return how many bytes an array has.

    Examples
    --------
    >>> n_bytes_of((3, 2), "int16")
    12
    """
    n_bytes = np.dtype(dtype).itemsize
    for n in shape:
        n_bytes *= int(n)
    return n_bytes


def _owner_of(end: "weakref.finalize[..., SharedBlock]") -> int:
    peeked = end.peek()
    return int(peeked[2][1]) if peeked is not None else -1


def _remove(name: str, owner: int) -> None:
    """Remove a block, unless this process is a fork of its owner."""
    if os.getpid() != owner:
        return
    with contextlib.suppress(FileNotFoundError):
        _posixshmem.shm_unlink(f"/{name}")
    resource_tracker.unregister(f"/{name}", "shared_memory")


def _new_mapping(name: str, size: int) -> mmap.mmap:
    """Make a block under a new name."""
    descriptor = _posixshmem.shm_open(f"/{name}", os.O_RDWR | os.O_CREAT | os.O_EXCL, mode=0o600)
    try:
        os.ftruncate(descriptor, size)
        if hasattr(os, "posix_fallocate"):
            # Else the process would be killed when it writes to memory that is not there.
            os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _known_mapping(name: str, size: int) -> mmap.mmap:
    """Map a block that exists; raises ValueError if it is smaller."""
    if _IS_WINDOWS:
        from multiprocessing.shared_memory import SharedMemory  # noqa: PLC0415 - Windows only

        known = SharedMemory(name)  # raises if there is none, where mmap would make a new one
        try:
            return _named_mapping(name, size)
        finally:
            known.close()
    descriptor = _posixshmem.shm_open(f"/{name}", os.O_RDWR, mode=0o600)
    try:
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def _named_mapping(name: str, size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, tagname=name)  # type: ignore[call-arg]  # of Windows alone


def make_shared_arrays(
    shapes: Sequence[Sequence[int]], dtype: DTypeLike
) -> tuple[list[NDArray[Any]], list[SharedBlock]]:
    """Make arrays in shared memory.

    Parameters
    ----------
    shapes : list of tuple of int
        Shape of each array.
    dtype : dtype
        Of all of them.

    Returns
    -------
    arrays : list of ndarray
        Filled with zeros.
    blocks : list of SharedBlock
        Where they are: to be kept as long as other processes attach to them.

    Raises
    ------
    WriteError
        If there is no room for them.
    """
    blocks = [create_block(n_bytes_of(shape, dtype)) for shape in shapes]
    arrays = [
        block.array(shape, dtype, is_writable=True)
        for block, shape in zip(blocks, shapes, strict=True)
    ]
    return arrays, blocks
