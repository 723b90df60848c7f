"""MDA files, the arrays of MountainSort.

A file begins with int32 values: a code of the type; bytes of a value; the number of dimensions,
negative if they are int64 rather than int32; the dimensions. Values follow with the first
dimension changing fastest. In old files the number of dimensions stands first.
"""

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.extractors.peeking import read_head

_DTYPES = {
    -1: "<c8",
    -2: "u1",
    -3: "<f4",
    -4: "<i2",
    -5: "<i4",
    -6: "<u2",
    -7: "<f8",
    -8: "<u4",
}

_N_DIMENSIONS_MAX = 16

_N_VALUES_MAX = 1 << 58


@dataclass(frozen=True)
class MdaHeader:
    """What the header of a file says.

    Parameters
    ----------
    dtype : dtype
        Of the values.
    shape : tuple of int
        Dimensions, the first one changing fastest.
    n_header_bytes : int
        Bytes before the values.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    n_header_bytes: int


def parse_mda_header(head: bytes, n_file_bytes: int, name: str) -> MdaHeader:
    """Return what the first bytes of a file say.

    Parameters
    ----------
    head : bytes
        At least the first 140 bytes, or the whole file.
    n_file_bytes : int
        Size of the file.
    name : str
        For messages.

    Raises
    ------
    DataError
        If it is no MDA file, or shorter than its header says.

    Examples
    --------
    >>> head = struct.pack("<5i", -4, 2, 2, 4, 10)
    >>> parse_mda_header(head, 100, "raw.mda")
    MdaHeader(dtype=dtype('int16'), shape=(4, 10), n_header_bytes=20)
    """
    (code,) = _unpack("<i", head, 0, name)
    if code > 0:  # an old file, of complex numbers, without code and size
        dtype, n_dimensions, offset = np.dtype("<c8"), code, 4
    else:
        if code not in _DTYPES:
            msg = f"{name}: at byte 0, {code} is no type of MDA files; those are -1 to -8."
            raise DataError(msg)
        dtype = np.dtype(_DTYPES[code])
        n_bytes, n_dimensions = _unpack("<2i", head, 4, name)
        offset = 12
        if n_bytes != dtype.itemsize:
            msg = (
                f"{name}: at byte 4, values of {dtype} have {dtype.itemsize} bytes, not {n_bytes}."
            )
            raise DataError(msg)
    kind = "q" if n_dimensions < 0 else "i"
    n_dimensions = abs(n_dimensions)
    if not 1 <= n_dimensions <= _N_DIMENSIONS_MAX:
        msg = f"{name}: before byte {offset}, {n_dimensions} is no number of dimensions."
        raise DataError(msg)
    shape = _unpack(f"<{n_dimensions}{kind}", head, offset, name)
    offset += struct.calcsize(f"<{n_dimensions}{kind}")
    needed = math.prod(shape) * dtype.itemsize
    # numpy multiplies the others even if one of them is 0.
    is_absurd = math.prod(max(1, abs(n)) for n in shape) > _N_VALUES_MAX
    if min(shape) < 0 or is_absurd or offset + needed > n_file_bytes:
        msg = (
            f"{name}: its header speaks of {shape} values of {dtype} ({needed} bytes), but only "
            f"{n_file_bytes - offset} bytes follow."
        )
        raise DataError(msg)
    return MdaHeader(dtype, tuple(int(n) for n in shape), offset)


def open_mda(path: Path) -> NDArray[Any]:
    """Open an MDA file as a read-only memory map, first dimension first.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent or cannot be read.
    DataError
        If it is no MDA file, or cut short.
    """
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
    header = parse_mda_header(read_head(path, 256), path.stat().st_size, str(path))
    if math.prod(header.shape) == 0:
        return np.zeros(header.shape, header.dtype, order="F")
    try:
        mapped = np.memmap(path, header.dtype, "r", header.n_header_bytes, header.shape, order="F")
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be mapped: {error}."
        raise ReadError(0, msg) from error
    return np.asarray(mapped)


def _unpack(layout: str, head: bytes, offset: int, name: str) -> tuple[Any, ...]:
    needed = struct.calcsize(layout)
    if len(head) < offset + needed:
        msg = f"{name}: {needed} bytes of an MDA header are expected at byte {offset}, but it ends."
        raise DataError(msg)
    return struct.unpack_from(layout, head, offset)
