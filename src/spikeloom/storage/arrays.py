"""Read and write ``.npy`` files and flat binary files as memory maps."""

import contextlib
import tokenize
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage.atomic import Writer

_EMPTY_BYTES_MAX = 4096

_NUMBERS = "biuf"
"""Kinds of dtype that are numbers or truth values."""

_FAULTS = (
    *(ValueError, TypeError, EOFError, OSError, ArithmeticError, SyntaxError),
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
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
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
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
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
