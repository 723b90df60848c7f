"""Arrays in chunks of an HDF5 file, which are unpacked by several threads.

The HDF5 library unpacks one chunk after the other, and threads wait for each other in it. It is
asked once where the chunks are; their bytes are then read and unpacked here. What is packed in ways
that only the library knows is left to it.

Source: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (filter pipeline).
"""

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numcodecs import Fletcher32, Shuffle
from numpy.typing import DTypeLike, NDArray

from spikeloom.engine.executor import map_items
from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_sources import Place, opened_source
from spikeloom.extractors.lazy_rows import LazyRows
from spikeloom.storage.chunk_cache import ChunkCache

_FLETCHER32 = 3

_UNPACKED = frozenset({h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, _FLETCHER32})
"""Filters that are undone here."""

_N_CACHE_BYTES = 1 << 25

_GAP_ROWS = 64
"""Rows that are read along rather than skipped."""


@dataclass(frozen=True)
class ChunkPlace:
    """Where a chunk is in the file."""

    offset: int
    """Its first byte."""
    n_bytes: int
    """How many it has, packed."""
    skipped: int
    """Bits of the filters that were not applied to it."""


@dataclass(frozen=True)
class ChunkIndex:
    """Where the chunks of an array are, and how they were packed."""

    name: str
    """Of the array, for messages."""
    shape: tuple[int, ...]
    """Of a chunk."""
    dtype: np.dtype[Any]
    """Of the values."""
    filters: tuple[int, ...]
    """Numbers of the filters, in the order in which they were applied."""
    fill: Any
    """The value of chunks that were never written."""
    places: dict[tuple[int, ...], ChunkPlace]
    """The chunks that were, by where they are among the others."""
    unpacked: ChunkCache = field(default_factory=lambda: ChunkCache(_N_CACHE_BYTES))
    """Those that were used last."""

    @property
    def n_bytes(self) -> int:
        """Size of an unpacked chunk."""
        return math.prod(self.shape) * self.dtype.itemsize

    def ranges(self, keys: Iterable[tuple[int, ...]]) -> list[tuple[int, int]]:
        """Return where some chunks are in the file: first byte and number of bytes of each."""
        found = (self.places.get(key) for key in keys)
        return [(one.offset, one.n_bytes) for one in found if one is not None]


def chunk_index(dataset: h5py.Dataset) -> ChunkIndex | None:
    """Return where the chunks of an array are; None if only the library can unpack them.

    Parameters
    ----------
    dataset : h5py.Dataset
        An array of numbers, in chunks.
    """
    settings = dataset.id.get_create_plist()
    filters = tuple(int(settings.get_filter(k)[0]) for k in range(settings.get_nfilters()))
    if dataset.chunks is None or not _UNPACKED.issuperset(filters):
        return None
    shape = tuple(int(n) for n in dataset.chunks)
    places = {}

    def note(chunk: Any) -> None:
        key = tuple(int(n) // step for n, step in zip(chunk.chunk_offset, shape, strict=True))
        places[key] = ChunkPlace(int(chunk.byte_offset), int(chunk.size), int(chunk.filter_mask))

    dataset.id.chunk_iter(note)
    has_fill = settings.fill_value_defined() != h5py.h5d.FILL_VALUE_UNDEFINED
    fill = dataset.fillvalue if has_fill else dataset.dtype.type()
    return ChunkIndex(str(dataset.name), shape, dataset.dtype, filters, fill, places)


def read_chunk(place: Place, index: ChunkIndex, key: tuple[int, ...]) -> NDArray[Any]:
    """Read and unpack a chunk; it may not be written to.

    Raises
    ------
    DataError
        If it is damaged; the message names its place in the file.
    """
    found = index.places.get(key)
    if found is None:
        return np.broadcast_to(np.asarray(index.fill, index.dtype), index.shape)
    where = f"{place}: the chunk {key} of {index.name} at byte {found.offset}"
    with opened_source(place) as source:
        if found.n_bytes > source.n_bytes - found.offset:
            msg = f"{where} is cut off: it has {found.n_bytes} bytes, the file {source.n_bytes}."
            raise DataError(msg)
        packed = bytearray(found.n_bytes)
        source.read_into(found.offset, memoryview(packed))
    try:
        values = _unpacked(packed, index, found.skipped)
    except (zlib.error, RuntimeError, ValueError) as error:
        msg = f"{where} is damaged: {error}."
        raise DataError(msg) from error
    if len(values) != index.n_bytes:
        msg = f"{where} is damaged: it has {len(values)} bytes of {index.n_bytes}, unpacked."
        raise DataError(msg)
    return np.frombuffer(values, index.dtype).reshape(index.shape)


def _unpacked(packed: Any, index: ChunkIndex, skipped: int) -> memoryview:
    values = memoryview(packed)
    for k in reversed(range(len(index.filters))):
        if skipped >> k & 1:
            continue
        match index.filters[k]:
            case h5py.h5z.FILTER_DEFLATE:
                # A damaged one could become gigabytes; a checksum may have been packed with it.
                values = memoryview(zlib.decompressobj().decompress(values, index.n_bytes + 4))
            case h5py.h5z.FILTER_SHUFFLE:
                values = memoryview(Shuffle(index.dtype.itemsize).decode(values)).cast("B")
            case _:
                values = memoryview(Fletcher32().decode(values)).cast("B")
    return values


class ChunkedArray(LazyRows):
    """An array in an HDF5 file that is not in one piece; no handle of the file is kept.

    Parameters
    ----------
    place : Path or FarSource
        The file.
    name : str
        Path of the array in it.
    shape : tuple of int
    dtype : dtype
    """

    def __init__(self, place: Place, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        super().__init__(shape, dtype)
        self.place = place
        self.name = name
        self._index: tuple[object, ChunkIndex | None] | None = None

    def __reduce__(self) -> tuple[type["ChunkedArray"], tuple[Any, ...]]:
        return ChunkedArray, (self.place, self.name, self.shape, self.dtype)

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Read consecutive rows, or rows by their index; chunks used last are kept.

        Raises
        ------
        MissingFileError, ReadError
            If the file is gone, or damaged.
        DataError
            If a chunk is damaged.
        """
        index = self._current_index()
        if index is None:
            return self._read_by_library(rows)
        parts = rows_of_chunks(rows, index.shape[0])
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else rows.size
        found = np.empty((n_rows, *self.shape[1:]), self.dtype)
        across = [
            range(-(-n // step)) for n, step in zip(self.shape[1:], index.shape[1:], strict=True)
        ]
        keys = [*product(parts, *across)]
        if not isinstance(self.place, Path):
            self.place.fetch_ahead(index.ranges(keys))

        def fill(key: tuple[int, ...]) -> None:
            own, inside = parts[key[0]]
            corner = [k * step for k, step in zip(key[1:], index.shape[1:], strict=True)]
            # What is beyond the end of the array is cut by the slices.
            there = [slice(k, k + step) for k, step in zip(corner, index.shape[1:], strict=True)]
            here = [slice(n - k) for k, n in zip(corner, self.shape[1:], strict=True)]
            found[own, *there] = self._chunk(index, key)[inside, *here]

        map_items(fill, keys)
        return found

    def _current_index(self) -> ChunkIndex | None:
        """Return where the chunks are, found anew if the file is another one by now."""
        state = _state_of(self.place)
        if self._index is None or self._index[0] != state:
            with open_hdf5(self.place) as file:
                self._index = state, chunk_index(file[self.name])
        return self._index[1]

    def _chunk(self, index: ChunkIndex, key: tuple[int, ...]) -> NDArray[Any]:
        chunk = index.unpacked.get(str(key))
        if chunk is None:
            chunk = read_chunk(self.place, index, key)
            index.unpacked.put(str(key), chunk)
        return chunk

    def _read_by_library(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        with open_hdf5(self.place) as file:
            dataset = file[self.name]
            if isinstance(rows, slice):
                return np.asarray(dataset[rows])
            wanted, positions = np.unique(rows, return_inverse=True)
            picked = np.empty((wanted.size, *self.shape[1:]), self.dtype)
            # Rows that are neighbours are read at once: each read unpacks whole chunks.
            breaks = np.flatnonzero(np.diff(wanted) > _GAP_ROWS) + 1
            edges = [0, *breaks.tolist(), wanted.size]
            for first, last in pairwise(edges):
                if first < last:
                    low, high = int(wanted[first]), int(wanted[last - 1]) + 1
                    picked[first:last] = dataset[low:high][wanted[first:last] - low]
        return picked[positions.reshape(-1)]


def rows_of_chunks(rows: slice | NDArray[np.int64], n: int) -> dict[int, tuple[Any, Any]]:
    """Return which of some rows are in each chunk of `n` rows, and where in it.

    Examples
    --------
    >>> rows_of_chunks(slice(3, 9), 5)
    {0: (slice(0, 2, None), slice(3, 5, None)), 1: (slice(2, 6, None), slice(0, 4, None))}
    >>> rows_of_chunks(np.array([7, 1, 8]), 5)
    {0: (array([1]), array([1])), 1: (array([0, 2]), array([2, 3]))}
    """
    if isinstance(rows, slice):
        parts = {}
        for k in range(rows.start // n, -(-rows.stop // n)):
            low, high = max(rows.start, k * n), min(rows.stop, k * n + n)
            parts[k] = slice(low - rows.start, high - rows.start), slice(low - k * n, high - k * n)
        return parts
    order = np.argsort(rows // n, kind="stable")
    chunks, firsts = np.unique(rows[order] // n, return_index=True)
    groups = np.split(order, firsts[1:])
    return {k: (own, rows[own] - k * n) for k, own in zip(chunks.tolist(), groups, strict=False)}


def _state_of(place: Place) -> object:
    """Return what is another when a file is."""
    if not isinstance(place, Path):
        return place.name
    try:
        status = place.stat()
    except OSError:
        return None  # whoever opens it says what is wrong
    return status.st_ino, status.st_size, status.st_mtime_ns
