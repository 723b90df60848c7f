"""Read and write ``.npy`` files and flat binary files as memory maps."""

import contextlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage.atomic import Writer

_EMPTY_BYTES_MAX = 4096


def open_npy(path: Path) -> NDArray[Any]:
    """Open a ``.npy`` file as a read-only memory map; object arrays are refused.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is not a ``.npy`` file, is cut short, or holds Python objects.
    """
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
    try:
        # As a plain array: compiled kernels take those much faster than memory-map objects.
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        size = path.stat().st_size
        with contextlib.suppress(ValueError, EOFError, OSError):
            # An array without elements cannot be mapped, but is a fine array.
            array = np.load(path, allow_pickle=False) if size < _EMPTY_BYTES_MAX else None
            if array is not None and array.size == 0:
                return np.asarray(array)
        msg = f"{path} ({size} bytes) is not a complete .npy file of numbers: {error}."
        raise ReadError(0, msg) from error


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
    sample_bytes = dtype.itemsize * n_channels
    n_samples = (path.stat().st_size - offset_bytes) // sample_bytes
    if n_samples < 1:
        msg = (
            f"{path} has {path.stat().st_size} bytes: too few for one sample of {n_channels} "
            f"channels of {dtype} after an offset of {offset_bytes} bytes. "
            "Check n_channels_dat, dtype and offset."
        )
        raise DataError(msg)
    shape = (n_samples, n_channels)
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", offset=offset_bytes, shape=shape))
