"""Read and write ``.npy`` files and flat binary files as memory maps."""

import contextlib
import mmap
import time
import tokenize
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, ReadError
from spikeloom.storage.atomic import Writer
from spikeloom.storage.stores import require_file

_EMPTY_BYTES_MAX = 4096

_NUMBERS = "biuf"
"""Kinds of dtype that are numbers or truth values."""

_N_PROBES = 4
"""Ranges that are looked at to find out whether an array is in memory."""

_COLD_S = 50e-6
"""A byte that takes longer than this comes from a disk, or from another machine's."""

_GAP_PAGES = 8
"""Ranges with fewer pages between them are asked for as one."""

_FAULTS = (
    *(ValueError, TypeError, LookupError, EOFError, OSError, ArithmeticError, SyntaxError),
    *(tokenize.TokenError, MemoryError, RecursionError),
)
"""What numpy raises on damaged files: the header is the source of a Python dictionary."""


def open_npy(path: Path) -> NDArray[Any]:
    """Open a ``.npy`` file of numbers as a read-only memory map.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is not a ``.npy`` file, is cut short, or holds text or Python objects.
    """
    require_file(path)
    try:
        array = _map_npy(path)
    except _FAULTS as error:
        size = path.stat().st_size
        msg = f"{path} ({size} bytes) is not a complete .npy file of numbers: {error}."
        raise ReadError(0, msg) from error
    if array.dtype.kind not in _NUMBERS:
        msg = f"{path} holds {array.dtype} where numbers are expected."
        raise ReadError(0, msg)
    return array


@np.errstate(all="raise")  # of shapes whose product is no number
def _map_npy(path: Path) -> NDArray[Any]:
    # Not numpy.load, which also opens archives.
    try:
        # As a plain array: compiled kernels take those much faster than memory-map objects.
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))
    except _FAULTS:
        # An array without elements cannot be mapped, but is a fine array.
        with contextlib.suppress(*_FAULTS):
            if path.stat().st_size < _EMPTY_BYTES_MAX:
                with path.open("rb") as file:
                    array = np.lib.format.read_array(file, allow_pickle=False)
                if array.size == 0:
                    return array
        raise


def npy_writer(array: NDArray[Any]) -> Writer:
    """Return a writer of `array` in ``.npy`` format, for `storage.atomic`."""

    def write(file: BinaryIO) -> None:
        np.lib.format.write_array(file, np.asanyarray(array), allow_pickle=False)

    return write


def open_flat(
    path: Path, *, dtype: DTypeLike, n_channels: int, offset_bytes: int = 0
) -> NDArray[Any]:
    """Open a flat binary file as a read-only memory map of shape (n_samples, n_channels).

    Bytes after the last whole sample are left out, as phy does.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DataError
        If the file does not hold one whole sample after the offset.
    """
    require_file(path)
    dtype = np.dtype(dtype)
    n_bytes = path.stat().st_size
    n_samples = 0
    if n_channels > 0 and offset_bytes >= 0 and dtype.itemsize > 0:
        n_samples = (n_bytes - offset_bytes) // (dtype.itemsize * n_channels)
    if n_samples < 1:
        msg = (
            f"{path} has {n_bytes} bytes, which do not make one sample of {n_channels} channels "
            f"of {dtype} after an offset of {offset_bytes} bytes. "
            "Check n_channels_dat, dtype and offset."
        )
        raise DataError(msg)
    shape = (n_samples, n_channels)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=offset_bytes, shape=shape))


def read_ahead(array: NDArray[Any], starts: NDArray[np.integer], n_rows: int) -> int:
    """Have the system fetch rows of a memory map that will be read next, all at once.

    Read one after the other, each range waits for the disk; asked for together they keep it busy,
    which is an order of magnitude faster. Nothing is asked if a few of the ranges turn out to be in
    memory already. Only a hint: what is read later does not depend on it.

    Parameters
    ----------
    array : ndarray
        A memory map, whole or a stretch of its rows; of any other array nothing happens, nor on
        systems where one cannot ask.
    starts : ndarray of shape (n_ranges,) and an integer dtype
        First row of each range; may lie outside of the array.
    n_rows : int
        Length of a range.

    Returns
    -------
    int
        Number of pages asked for; 0 where there was no need, or no way.

    Examples
    --------
    >>> read_ahead(np.zeros((100, 4)), np.array([0, 50]), 10)
    0
    """
    mapping = _mapping_of(array)
    if mapping is None or starts.size == 0 or n_rows < 1 or not array.size:
        return 0
    firsts = np.clip(starts, 0, len(array) - 1)
    if not _is_cold(array, firsts):
        return 0
    origin = _address(array) - _address(np.frombuffer(mapping, np.uint8))
    lasts = np.clip(np.asarray(starts) + (n_rows - 1), 0, len(array) - 1)
    first_pages = (origin + firsts * array.strides[0]) // mmap.PAGESIZE
    end_pages = (origin + (lasts + 1) * array.strides[0] - 1) // mmap.PAGESIZE + 1
    order = np.argsort(first_pages, kind="stable")
    first_pages, end_pages = first_pages[order], np.maximum.accumulate(end_pages[order])
    is_apart = first_pages[1:] > end_pages[:-1] + _GAP_PAGES
    firsts = first_pages[np.append(True, is_apart)]
    ends = end_pages[np.append(is_apart, True)]
    with contextlib.suppress(OSError):  # a file system that cannot
        for first, end in zip(firsts.tolist(), ends.tolist(), strict=True):
            start = first * mmap.PAGESIZE
            mapping.madvise(mmap.MADV_WILLNEED, start, (end - first) * mmap.PAGESIZE)
    return int((ends - firsts).sum())


def _mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    """Return the memory map that an array is a view of, if the system takes hints about it."""
    if not (hasattr(mmap, "MADV_WILLNEED") and array.flags.c_contiguous and array.ndim):
        return None
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def _address(array: NDArray[Any]) -> int:
    return int(array.__array_interface__["data"][0])


def _is_cold(array: NDArray[Any], rows: NDArray[np.integer]) -> bool:
    """Tell whether one of a few rows takes long to read."""
    column = (0,) * (array.ndim - 1)
    before = time.perf_counter()
    for row in rows[:: max(1, rows.size // _N_PROBES)].tolist():
        array[(row, *column)]
        now = time.perf_counter()
        if now - before > _COLD_S:
            return True
        before = now
    return False
