"""Give the HDF5 library only such structures of a file as it can stand.

Values of variable length, such as most texts, lie in global heaps: blocks ("collections") of
objects, each with the distance to the next. What refers to them states their length again. The
library (up to 2.0 at least) trusts these numbers: where they are damaged it goes on for ever, or
beyond its memory, which ends the whole process, or takes gigabytes. So it reads through a
`GuardedFile`, which looks at each collection and at each header of an object before the library
does. Names of groups lie in local heaps, whose list of free space may go round in circles, too.
The library reads every structure by itself and from its first byte on, so that they show by
how they begin; nothing is read but what the library asks for, and the rest of that structure.

Source: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (III.D, local heap;
III.E, global heap; IV.A.1, object header; IV.A.2.f, fill value; IV.A.2.m, attribute).
"""

import io
import os
import struct
from typing import Any

import numpy as np

from spikeloom.errors import ReadError
from spikeloom.extractors.hdf5_sources import SIGNATURE, Source

_SIGNATURE = b"GCOL"
_LOCAL_SIGNATURE = b"HEAP"
_VERSION = 1
_HEAD = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HH4xQ")

_LOCAL = struct.Struct("<4sB3xQQQ")
_FREE = struct.Struct("<QQ")
_NO_MORE_FREE = 1

_HEADER = struct.Struct("<BBHIII")
_MESSAGE = struct.Struct("<HHB3x")
_ATTRIBUTE = struct.Struct("<BBHHH")
REFERENCE = np.dtype({"names": ["length"], "formats": ["<u4"], "itemsize": 16})
"""What refers to a value of variable length: its length, collection and object."""

_IS_CONTINUATION, _IS_ATTRIBUTE, _IS_DTYPE, _IS_OLD_FILL, _IS_FILL = 0x10, 0x0C, 0x03, 0x04, 0x05
"""Kinds of messages in headers."""

_IS_SHARED = 2
"""Flag of a message that tells only where the one it stands for is."""

_FILL_VERSION_3 = bytes([3])
_HAS_FILL = 1 << 5
"""Flag of fill values of version 3 that have a size and a value."""

_NO_FILL = (-1, 0)
"""Sizes of values of what was never written, where there are none."""

_IS_VARIABLE = 9
"""Class of types of variable length."""

_IS_TEXT = 1
"""Kind of such a type, the other being lists."""

_PART_SIZE = slice(12, 16)
"""Where its description says how large each part is."""

_PART_BYTES_MAX = 1 << 16

_HEADER_BYTES_MAX = 1 << 20

_COLLECTION_BYTES_MAX = 1 << 28
"""The library takes a whole collection into memory. One holds 4 kB, or a single larger value."""


class GuardedFile(io.RawIOBase):
    """A file as h5py takes it, for reading, which refuses what the library would not survive.

    Parameters
    ----------
    source : Source
        Where the bytes are.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0
        self._base = 0
        """Where the HDF5 part begins, which addresses count from."""
        self._continuations: set[int] = set()
        """Where more of the headers that were seen is."""

    def __repr__(self) -> str:
        # What h5py takes for the name of the file.
        return self._source.name

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and return it."""
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._source.n_bytes}
        self._position = starts[whence] + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the present place on.

        Raises
        ------
        ReadError
            If the file ends before, or if a structure begins here that is damaged.
        """
        block = memoryview(buffer).cast("B")
        self._fill(self._position, block)
        if block[: len(_SIGNATURE)] == _SIGNATURE:
            self._check_collection(self._position, block)
        elif block[: len(_LOCAL_SIGNATURE)] == _LOCAL_SIGNATURE:
            self._check_local_heap(self._position, block)
        elif block[: len(SIGNATURE)] == SIGNATURE:
            self._base = self._position
        elif self._position in self._continuations:
            self._check_messages(self._position, block)
        elif len(block) >= _HEADER.size:
            self._check_header(self._position, block)
        self._position += len(block)
        return len(block)

    def _fill(self, position: int, block: memoryview) -> None:
        n_read = self._source.read_into(position, block)
        if n_read != len(block):
            end = position + len(block)
            msg = (
                f"{self._source.name} is damaged or cut off: something is expected at bytes "
                f"{position} to {end}, but there are {self._source.n_bytes} only."
            )
            raise ReadError(0, msg)

    def _check_collection(self, start: int, block: memoryview) -> None:
        if len(block) < _HEAD.size:
            return
        _, version, n_bytes = _HEAD.unpack_from(block)
        if version != _VERSION:
            return  # the library refuses it, or it only looks like a heap
        room = min(self._source.n_bytes - start, _COLLECTION_BYTES_MAX)
        if not _HEAD.size <= n_bytes <= room:
            self._refuse(f"collection at byte {start}", n_bytes, room)
        if n_bytes > len(block):
            whole = memoryview(bytearray(n_bytes))
            self._fill(start, whole)
            block = whole
        position = _HEAD.size
        while position + _OBJECT.size <= n_bytes:
            index, _, length = _OBJECT.unpack_from(block, position)
            # The size of free space, number 0, counts its head; that of an object does not.
            step = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
            if not _OBJECT.size <= step <= n_bytes - position:
                self._refuse(f"object at byte {start + position}", step, n_bytes - position)
            position += step

    def _check_local_heap(self, start: int, block: memoryview) -> None:
        if len(block) < _LOCAL.size:
            return
        _, version, n_bytes, free, address = _LOCAL.unpack_from(block)
        data_start = self._base + address
        if version != 0 or data_start + n_bytes > self._source.n_bytes:
            return  # the library refuses it, or it only looks like a heap
        found = memoryview(bytearray(_FREE.size))
        for _ in range(1 + n_bytes // _FREE.size):
            if free == _NO_MORE_FREE or free + _FREE.size > n_bytes:
                return
            self._fill(data_start + free, found)
            free, _ = _FREE.unpack(found)
        msg = (
            f"{self._source.name} is damaged: the list of free space of the local heap at byte "
            f"{start} has no end."
        )
        raise ReadError(0, msg)

    def _check_header(self, start: int, block: memoryview) -> None:
        """Look at the header of an object, if it is one; those of version 2 have checksums."""
        version, reserved, _, _, n_bytes, padding = _HEADER.unpack_from(block)
        is_header = (version, reserved, padding) == (1, 0, 0) and n_bytes <= _HEADER_BYTES_MAX
        if not is_header or start + _HEADER.size + n_bytes > self._source.n_bytes:
            return  # something else, or the library refuses it
        whole = memoryview(bytearray(n_bytes))
        self._fill(start + _HEADER.size, whole)
        self._check_messages(start + _HEADER.size, whole)

    def _check_messages(self, start: int, block: memoryview) -> None:
        position = 0
        n_value_bytes = None
        while position + _MESSAGE.size <= len(block):
            kind, n_bytes, flags = _MESSAGE.unpack_from(block, position)
            position += _MESSAGE.size
            message = block[position : position + n_bytes]
            if kind == _IS_CONTINUATION and len(message) >= 8:
                self._continuations.add(int.from_bytes(message[:8], "little") + self._base)
            elif kind == _IS_ATTRIBUTE and len(message) >= _ATTRIBUTE.size:
                self._check_attribute(start + position, message)
            elif kind == _IS_DTYPE and len(message) >= 8 and not flags & _IS_SHARED:
                n_value_bytes = int.from_bytes(message[4:8], "little")
                self._check_type(start + position, message)
            elif kind in {_IS_OLD_FILL, _IS_FILL} and not flags & _IS_SHARED:
                self._check_fill_value(start + position, kind, message, n_value_bytes)
            position += n_bytes

    def _check_type(self, start: int, described: memoryview) -> None:
        """Refuse lists whose parts are larger than any: the library takes room for all at once."""
        if described[0] & 15 != _IS_VARIABLE or len(described) < _PART_SIZE.stop:
            return
        n_max = 1 if described[1] & 15 == _IS_TEXT else _PART_BYTES_MAX
        n_bytes = int.from_bytes(described[_PART_SIZE], "little")
        if n_bytes > n_max:
            msg = (
                f"{self._source.name} is damaged: parts of the values of variable length that byte "
                f"{start} describes are said to have {n_bytes} bytes; {n_max} at most are expected."
            )
            raise ReadError(0, msg)

    def _check_fill_value(
        self, start: int, kind: int, message: memoryview, n_value_bytes: int | None
    ) -> None:
        """Refuse a value that is shorter than those of the array, behind which others would be."""
        place = 0 if kind == _IS_OLD_FILL else 2 if bytes(message[:1]) == _FILL_VERSION_3 else 4
        if len(message) < place + 4 or (place == 2 and not message[1] & _HAS_FILL):
            return
        size = int.from_bytes(message[place : place + 4], "little", signed=True)
        if size not in _NO_FILL and (size < 0 or size != (n_value_bytes or size)):
            msg = (
                f"{self._source.name} is damaged: the fill value at byte {start} says that it has "
                f"{size} bytes, where a value has {n_value_bytes}."
            )
            raise ReadError(0, msg)

    def _check_attribute(self, start: int, message: memoryview) -> None:
        version, _, *sizes = _ATTRIBUTE.unpack_from(message)
        if version == 1:  # which pads its parts
            sizes = [-(-n // 8) * 8 for n in sizes]
        name, dtype, space = sizes
        dtype_start = _ATTRIBUTE.size + name + (version >= 3)  # where texts have an encoding
        described, values = message[dtype_start:], message[dtype_start + dtype + space :]
        if len(described) and described[0] & 15 == _IS_VARIABLE:
            self._check_type(start + dtype_start, described)
            check_references(values, self._source, f"the attribute at byte {start}")

    def _refuse(self, what: str, n_bytes: int, room: int) -> None:
        msg = (
            f"{self._source.name} is damaged: the global heap {what} says that it has {n_bytes} "
            f"bytes; {_HEAD.size} to {room} are expected."
        )
        raise ReadError(0, msg)


def check_references(values: bytearray | memoryview, source: Source, what: str) -> None:
    """Raise if what refers to values of variable length says that they are longer than can be.

    Parameters
    ----------
    values : bytes
        What is stored: for each value its length, and where it is.
    source : Source
        The file.
    what : str
        What has these values, for messages.

    Raises
    ------
    ReadError
        If the values have more bytes than the file, or one more than any has.
    """
    whole = memoryview(values)[: len(values) // REFERENCE.itemsize * REFERENCE.itemsize]
    lengths = np.frombuffer(whole, REFERENCE)["length"]
    n_bytes = int(lengths.sum(dtype=np.int64))
    if n_bytes > source.n_bytes or np.any(lengths > _COLLECTION_BYTES_MAX):
        msg = (
            f"{source.name} is damaged: {what} says that its values have {n_bytes} bytes, where "
            f"each can have {_COLLECTION_BYTES_MAX}, and the whole file has {source.n_bytes}."
        )
        raise ReadError(0, msg)
