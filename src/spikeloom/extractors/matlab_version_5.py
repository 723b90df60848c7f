"""MATLAB's files of version 5 to 7.2, with a check of every size before it is believed.

scipy reads them as well, but a damaged file can make it crash the process.

Source: MAT-File Format, The MathWorks (Level 5).
"""

import math
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, ReadError

_N_HEADER_BYTES = 128

_MATRIX, _COMPRESSED = 14, 15

_TYPES = {
    **dict(enumerate(("i1", "u1", "i2", "u2", "i4", "u4", "f4"), start=1)),
    **dict(enumerate(("i8", "u8"), start=12)),
    **dict(enumerate(("u1", "u2", "u4"), start=16)),
    9: "f8",
}
"""Types of what is stored; 16 to 18 are text in UTF-8, 16 and 32."""

_CLASSES = dict(enumerate(("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"), start=6))
"""Types of arrays, whatever their values are stored as."""

_CELL, _STRUCT, _CHAR = 1, 2, 4

_IS_COMPLEX, _IS_LOGICAL = 0x0800, 0x0200

_DEPTH_MAX = 32

_N_ENTRIES_MAX = 1 << 21

_N_DIMENSIONS_MAX = 32

_N_BYTES_MAX = 1 << 31
"""What a variable of such a file can hold."""

_COMPRESSION_MAX = 1100
"""More than deflate can shrink data by."""

_N_NAME_BYTES = 1 << 12
"""Of a compressed variable, how much is unpacked to find its name."""


@dataclass(frozen=True)
class MatlabStruct:
    """An array of structures: the values of each field, one for each structure."""

    fields: dict[str, list[Any]]
    n_structs: int


class _Reader:
    """Elements of one stretch of bytes."""

    def __init__(self, where: str, content: bytes, order: str) -> None:
        self.where = where
        self._content = memoryview(content)
        self._order = order
        self._n_entries = 0
        self.n_bytes = len(self._content)
        """How many bytes there are."""

    def fault(self, position: int, expected: str) -> DataError:
        """Return the error of a wrong element."""
        return DataError(f"{self.where}: {expected} expected at byte {position}.")

    def tag(self, position: int, end: int) -> tuple[int, int, int, int]:
        """Return type, begin and end of the data of an element, and where the next one begins."""
        if position < 0 or position + 8 > end:
            raise self.fault(position, "another element is")
        kind, n_bytes = struct.unpack_from(f"{self._order}II", self._content, position)
        if kind >> 16:  # a small one has its data in its tag
            kind, n_bytes = kind & 0xFFFF, kind >> 16
            if n_bytes > 4:
                raise self.fault(position, "an element of up to 4 bytes is")
            return kind, position + 4, position + 4 + n_bytes, position + 8
        begin = position + 8
        if begin + n_bytes > end:
            raise self.fault(position, f"an element of at most {end - begin} bytes is")
        padded = n_bytes if kind == _COMPRESSED else -(-n_bytes // 8) * 8
        return kind, begin, begin + n_bytes, begin + padded

    def unpacked(self, begin: int, end: int, n_bytes_max: int) -> "_Reader":
        """Return a reader of a compressed stretch, of so many bytes at most."""
        try:
            content = zlib.decompressobj().decompress(self._content[begin:end], n_bytes_max)
        except zlib.error as error:
            raise self.fault(begin, f"compressed data ({error}) are") from error
        return _Reader(f"{self.where}, unpacked from byte {begin}", content, self._order)

    def numbers(self, position: int, end: int) -> tuple[NDArray[Any], int]:
        """Return the numbers of an element, and where the next one begins."""
        kind, begin, stop, following = self.tag(position, end)
        if kind not in _TYPES:
            raise self.fault(position, "an element of numbers or text is")
        dtype = np.dtype(self._order + _TYPES[kind])
        if (stop - begin) % dtype.itemsize:
            raise self.fault(position, f"whole numbers of {dtype.itemsize} bytes are")
        return np.frombuffer(self._content[begin:stop], dtype), following

    def head(self, begin: int, end: int) -> tuple[int, tuple[int, ...], str, int]:
        """Return flags, shape and name of a matrix, and where its content begins."""
        flags, position = self.numbers(begin, end)
        shape, position = self.numbers(position, end)
        name, position = self.numbers(position, end)
        is_shape = 1 <= shape.size <= _N_DIMENSIONS_MAX and shape.dtype.kind in "iu"
        if flags.size < 1 or flags.dtype.kind not in "iu" or not is_shape or (shape < 0).any():
            raise self.fault(begin, "flags and dimensions of an array are")
        text = name.tobytes().decode("utf-8", "replace").rstrip("\0")
        return int(flags[0]), tuple(int(n) for n in shape), text, position

    def matrix(self, begin: int, end: int, depth: int = 0) -> Any:
        """Return a matrix: an array, a cell array (of objects), structures, or None."""
        self._n_entries += 1
        if depth > _DEPTH_MAX or self._n_entries > _N_ENTRIES_MAX:
            raise self.fault(begin, "fewer arrays in arrays are")
        if begin == end:
            return np.zeros((0, 0))
        flags, shape, _, position = self.head(begin, end)
        kind, n_values = flags & 0xFF, math.prod(shape)
        if kind == _CELL:
            self._check_count(n_values, position, end)
            return self._cells(position, end, n_values, depth)
        if kind == _STRUCT:
            return self._structs(position, end, n_values, depth)
        if kind == _CHAR:
            values, _ = self.numbers(position, end)
            return np.array(_text(values))
        if kind not in _CLASSES:
            return None  # sparse arrays, objects, functions
        values = self._values(position, end, n_values)
        if flags & _IS_COMPLEX:
            _, _, _, following = self.tag(position, end)
            values = values + 1j * self._values(following, end, n_values)
        else:
            with np.errstate(all="ignore"):  # whoever asks for the values looks at them
                values = values.astype(bool if flags & _IS_LOGICAL else _CLASSES[kind])
        return values.reshape(shape, order="F")

    def _values(self, position: int, end: int, n_values: int) -> NDArray[Any]:
        values, _ = self.numbers(position, end)
        if values.size != n_values:
            raise self.fault(position, f"{n_values} values are")
        return values

    def _check_count(self, n_values: int, position: int, end: int) -> None:
        if n_values * 8 > end - position:
            raise self.fault(position, f"fewer than {n_values} arrays are")

    def _inner(self, position: int, end: int, depth: int) -> tuple[Any, int]:
        kind, begin, stop, following = self.tag(position, end)
        if kind != _MATRIX:
            raise self.fault(position, "an array is")
        return self.matrix(begin, stop, depth + 1), following

    def _cells(self, position: int, end: int, n_values: int, depth: int) -> NDArray[Any]:
        cells = np.empty(n_values, object)
        for k in range(n_values):
            cells[k], position = self._inner(position, end, depth)
        return cells

    def _structs(self, position: int, end: int, n_values: int, depth: int) -> MatlabStruct:
        width, position = self.numbers(position, end)
        names, position = self.numbers(position, end)
        if width.size != 1 or int(width[0]) < 1 or names.nbytes % int(width[0]):
            raise self.fault(position, "names of fields are")
        n = int(width[0])
        raw = names.tobytes()
        listed = [
            raw[k : k + n].partition(b"\0")[0].decode("utf-8", "replace")
            for k in range(0, len(raw), n)
        ]
        self._check_count(n_values * max(1, len(listed)), position, end)
        fields: dict[str, list[Any]] = {name: [] for name in listed}
        for _ in range(n_values):
            for name in listed:
                value, position = self._inner(position, end, depth)
                fields[name].append(value)
        return MatlabStruct(fields, n_values)


def read_version_5(path: Path, wanted: Collection[str]) -> dict[str, Any]:
    """Read some variables of a file of version 5 to 7.2.

    Parameters
    ----------
    path : Path
        The file.
    wanted : collection of str
        Names of variables; those that are not there are left out.

    Returns
    -------
    dict
        Arrays in MATLAB's dimensions, texts as arrays of no dimension, cell arrays as lists of
        objects, `MatlabStruct`; None for what is not read: sparse arrays, objects, functions.

    Raises
    ------
    ReadError
        If it is no such file, or cannot be read.
    DataError
        If an element is not what is expected; the message says at which byte.
    """
    found = {}
    for one in _variables(path):
        if one.name in wanted and one.name not in found:
            found[one.name] = one.read()
    return found


def version_5_names(path: Path) -> list[str]:
    """Return the names of the variables of a file of version 5 to 7.2; see `read_version_5`."""
    return [one.name for one in _variables(path)]


@dataclass(frozen=True)
class _Variable:
    """Where a variable lies in a file."""

    name: str
    reader: _Reader
    begin: int
    end: int
    is_compressed: bool

    def read(self) -> Any:
        """Return what it holds."""
        if not self.is_compressed:
            return self.reader.matrix(self.begin, self.end)
        n_bytes_max = min(_N_BYTES_MAX, (self.end - self.begin) * _COMPRESSION_MAX + _N_NAME_BYTES)
        whole = self.reader.unpacked(self.begin, self.end, n_bytes_max)
        kind, begin, end, _ = whole.tag(0, whole.n_bytes)
        if kind != _MATRIX:
            raise whole.fault(0, "a compressed array is")
        return whole.matrix(begin, end)


def _variables(path: Path) -> Iterator[_Variable]:
    """Go through the variables of a file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        msg = (
            f"{path} cannot be read as a MATLAB file: IM or MI is expected at byte 126, got "
            f"{content[126:128]!r}."
        )
        raise ReadError(0, msg)
    reader = _Reader(str(path), content, order)
    position = _N_HEADER_BYTES
    while position + 8 <= reader.n_bytes:
        kind, begin, end, following = reader.tag(position, reader.n_bytes)
        if kind == _COMPRESSED:
            beginning = reader.unpacked(begin, end, _N_NAME_BYTES)
            name = beginning.head(8, beginning.n_bytes)[2]
            yield _Variable(name, reader, begin, end, is_compressed=True)
        elif kind == _MATRIX and end > begin:
            yield _Variable(reader.head(begin, end)[2], reader, begin, end, is_compressed=False)
        position = following


def _text(values: NDArray[Any]) -> str:
    if values.dtype.itemsize == 1:
        return values.tobytes().decode("utf-8", "replace")
    codec = {2: "utf-16", 4: "utf-32"}.get(values.dtype.itemsize, "latin-1")
    little = values.astype(values.dtype.newbyteorder("<"))
    return little.tobytes().decode(f"{codec}-le" if codec != "latin-1" else codec, "replace")
