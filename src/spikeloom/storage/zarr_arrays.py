"""Chunked, compressed arrays in zarr format 2, read and written chunk by chunk.

The chunks are encoded and kept here, without zarr-python: its layer of coroutines costs more than
the compression itself, its event loop does not survive a fork, and it refuses arrays of objects
that zarr-python 2 wrote. Threads may read and write at the same time, as long as each chunk has
one writer; the costly part of both, compression, releases the interpreter lock.
"""

import itertools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numcodecs.abc import Codec
from numpy.typing import NDArray

from spikeloom.errors import ParameterError, ReadError
from spikeloom.storage.chunk_cache import ChunkCache
from spikeloom.storage.stores import Store
from spikeloom.storage.zarr_codecs import make_codec
from spikeloom.storage.zarr_metadata import ArrayMetadata

Columns = slice | Sequence[int] | NDArray[np.integer[Any]] | None

CACHE_BYTES = 64 << 20
"""Default bound of the decoded chunks that an array keeps for reads of parts of chunks."""

_FETCH_BYTES = 128 << 20
"""Of a remote store, chunks of about this size (decoded) are fetched together."""


@dataclass(frozen=True)
class _Span:
    """One chunk's part of a selection along one axis."""

    chunk: int
    inside: slice | NDArray[np.intp]
    """Where in the chunk."""
    outside: slice | NDArray[np.intp]
    """Where in the result."""
    n: int
    is_whole: bool
    """Whether it is the whole chunk, in order."""


def split_slice(start: int, stop: int, size: int) -> list[_Span]:
    """Return the parts that chunks of `size` have in a range of an axis."""
    spans = []
    for chunk in range(start // size, -(-stop // size) if stop > start else start // size):
        first, last = max(start, chunk * size), min(stop, (chunk + 1) * size)
        inside = slice(first - chunk * size, last - chunk * size)
        n = last - first
        spans.append(_Span(chunk, inside, slice(first - start, last - start), n, n == size))
    return spans


def split_indices(indices: NDArray[np.intp], size: int) -> list[_Span]:
    """Return the parts that chunks of `size` have in a list of indices, in any order."""
    owner = indices // size
    spans = []
    for chunk in np.unique(owner):
        places = np.flatnonzero(owner == chunk)
        spans.append(
            _Span(int(chunk), indices[places] - chunk * size, places, len(places), is_whole=False)
        )
    return spans


def column_indices(columns: Columns, n: int) -> slice | NDArray[np.intp]:
    """Return a selection of columns as a slice of step 1, or as valid indices.

    Raises
    ------
    ParameterError
        If an index is not a column.
    """
    if columns is None:
        return slice(0, n)
    if isinstance(columns, slice):
        start, stop, step = columns.indices(n)
        if step == 1:
            return slice(start, max(start, stop))
        return np.arange(start, stop, step)
    indices = np.asarray(columns)
    if indices.dtype == bool and indices.shape == (n,):
        return np.flatnonzero(indices)
    if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
        msg = f"Columns are a slice or a list of integers, not {columns!r}."
        raise ParameterError(msg)
    indices = indices.astype(np.intp)
    if indices.size and (indices.min() < -n or indices.max() >= n):
        msg = f"Columns {indices.min()} to {indices.max()} were asked for; there are {n}."
        raise ParameterError(msg)
    indices = np.where(indices < 0, indices + n, indices)
    if len(indices) and np.array_equal(indices, np.arange(indices[0], indices[0] + len(indices))):
        return slice(int(indices[0]), int(indices[0]) + len(indices))
    return indices


class ZarrArray:
    """An array in zarr format 2.

    Parameters
    ----------
    store : Store
        Where its chunks are.
    path : str
        Its key in the store.
    metadata : ArrayMetadata
        Its layout.
    cache_bytes : int
        Bound of the decoded chunks kept for reads of parts of chunks.

    Examples
    --------
    >>> import numpy as np
    >>> from spikeloom.storage.zarr_opening import create_zarr
    >>> group = create_zarr("memory://doc-arrays.zarr", overwrite=True)
    >>> array = group.create_array("traces", (10, 4), "int16", chunks=(4, 2))
    >>> _ = array.write(0, np.ones((8, 4), "int16"))
    >>> array.read(slice(6, 10), [3, 0]).tolist()
    [[1, 1], [1, 1], [0, 0], [0, 0]]
    """

    format = 2

    def __init__(
        self, store: Store, path: str, metadata: ArrayMetadata, *, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.store = store
        self.path = path
        self.metadata = metadata
        self.shape = metadata.shape
        self.dtype = metadata.dtype
        self.chunks = metadata.chunks
        """Shape of what is decoded at once."""
        self.block_rows = metadata.chunks[0] if metadata.chunks else 1
        """Blocks that are written begin at multiples of so many rows."""
        self.cache = ChunkCache(cache_bytes)
        where = f"{store.location}/{path}"
        self.where = where
        """Where it is, for messages."""
        self._filters: list[Codec] = [make_codec(config, where) for config in metadata.filters]
        self._compressor = make_codec(metadata.compressor, where) if metadata.compressor else None
        if metadata.is_object:
            msg = f"{where} holds Python objects; read it with read_object."
            raise ReadError(0, msg)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.store, self.path, self.metadata, self.cache.n_bytes_max)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def n_bytes(self) -> int:
        """Size of the values, in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    def n_stored_bytes(self) -> int:
        """Return how many bytes the array takes up where it is kept."""
        return self.store.n_bytes(self.path)

    # Reading

    def read(self, rows: slice = slice(None), columns: Columns = None) -> NDArray[Any]:
        """Return rows of the array, of all or some columns.

        Only the chunks that hold what is asked for are fetched and decoded. Those that are
        needed in part are kept for the next read.

        Parameters
        ----------
        rows : slice
            Of the first axis, with step 1.
        columns : slice or sequence of int, optional
            Of the second axis, in any order.

        Returns
        -------
        ndarray
            Of shape (n_rows, n_columns, ...), C-contiguous, owned by the caller.

        Raises
        ------
        ParameterError
            If a column does not exist or the rows have another step.
        ReadError
            If a chunk cannot be read or decoded.
        """
        if self.ndim == 0:
            return self._chunk((), keep=True).copy()
        start, stop, step = rows.indices(self.shape[0])
        if step != 1:
            msg = f"Rows are read in order, one by one; step {step} is not possible."
            raise ParameterError(msg)
        axes = [split_slice(start, stop, self.chunks[0])]
        result_shape = [max(0, stop - start), *self.shape[1:]]
        if self.ndim > 1:
            chosen = column_indices(columns, self.shape[1])
            if isinstance(chosen, slice):
                axes.append(split_slice(chosen.start, chosen.stop, self.chunks[1]))
                result_shape[1] = chosen.stop - chosen.start
            else:
                axes.append(split_indices(chosen, self.chunks[1]))
                result_shape[1] = len(chosen)
        elif columns is not None:
            msg = f"{self.where} has one axis, so no columns."
            raise ParameterError(msg)
        for n, size in zip(self.shape[2:], self.chunks[2:], strict=True):
            axes.append(split_slice(0, n, size))
        result = np.empty(result_shape, self.dtype)
        if result.size:
            self._fill(result, list(itertools.product(*axes)))
        return result

    def _fill(self, result: NDArray[Any], parts: list[tuple[_Span, ...]]) -> None:
        n_together = 1
        if self.store.is_remote:
            n_together = max(1, _FETCH_BYTES // max(1, self.metadata.chunk_n_bytes))
        for first in range(0, len(parts), n_together):
            batch = parts[first : first + n_together]
            fetched: dict[str, bytes | None] = {}
            if self.store.is_remote:
                keys = [self._key([span.chunk for span in part]) for part in batch]
                fetched = self.store.get_many(k for k in keys if self.cache.get(k) is None)
            for part in batch:
                self._fill_part(result, part, fetched)

    def _fill_part(
        self, result: NDArray[Any], part: tuple[_Span, ...], fetched: dict[str, bytes | None]
    ) -> None:
        index = tuple(span.chunk for span in part)
        is_whole = all(span.is_whole for span in part)
        outside = tuple(span.outside for span in part)
        if is_whole and all(isinstance(each, slice) for each in outside):
            view = result[outside]
            if not self._decode_into(view, index, fetched):
                view[...] = self._chunk(index, fetched, keep=False)
            return
        # What is left of an edge chunk's padding is not "a part": nobody asks for the rest.
        is_all = all(
            span.n == min(size, n - span.chunk * size) and isinstance(span.inside, slice)
            for span, size, n in zip(part, self.chunks, self.shape, strict=True)
        )
        chunk = self._chunk(index, fetched, keep=not is_all)
        for axis, span in enumerate(part):
            if not isinstance(span.inside, slice):
                chunk = np.take(chunk, span.inside, axis=axis)
            else:
                chunk = chunk[(slice(None),) * axis + (span.inside,)]
        result[outside] = chunk

    def _decode_into(
        self, view: NDArray[Any], index: tuple[int, ...], fetched: dict[str, bytes | None]
    ) -> bool:
        """Decode a whole chunk right into the result, where the layout and the codec allow it."""
        if self.metadata.order != "C" or not view.flags.c_contiguous or self._filters:
            return False
        if self._compressor is None or self._compressor.codec_id != "blosc":
            return False
        key = self._key(index)
        if self.cache.get(key) is not None:
            return False
        encoded = fetched[key] if key in fetched else self.store.get(key)
        if encoded is None:
            fetched[key] = None
            return False
        try:
            self._compressor.decode(encoded, out=view.reshape(-1).view(np.uint8))
        except Exception as error:
            raise self._damaged(key, error) from error
        return True

    def _chunk(
        self,
        index: tuple[int, ...],
        fetched: dict[str, bytes | None] | None = None,
        *,
        keep: bool,
    ) -> NDArray[Any]:
        """Return a decoded chunk with its padding; not to be written to."""
        key = self._key(index)
        chunk = self.cache.get(key)
        if chunk is not None:
            return chunk
        encoded = fetched[key] if fetched and key in fetched else self.store.get(key)
        chunk = self.metadata.empty_chunk() if encoded is None else self._decode(key, encoded)
        if keep:
            self.cache.put(key, chunk)
        return chunk

    def _decode(self, key: str, encoded: bytes) -> NDArray[Any]:
        try:
            value: Any = encoded
            if self._compressor is not None:
                value = self._compressor.decode(value)
            for codec in reversed(self._filters):
                value = codec.decode(value)
            flat = value.reshape(-1, order="A") if isinstance(value, np.ndarray) else value
            if not isinstance(flat, np.ndarray) or flat.dtype != self.dtype:
                flat = np.frombuffer(flat, self.dtype)
            chunk = flat.reshape(self.chunks, order=self.metadata.order)  # type: ignore[call-overload]
        except Exception as error:
            raise self._damaged(key, error) from error
        return np.asarray(chunk)

    def _damaged(self, key: str, error: Exception) -> ReadError:
        msg = (
            f"The chunk {self.store.location}/{key} is damaged or cut short "
            f"({type(error).__name__}: {error})."
        )
        return ReadError(0, msg)

    # Writing

    def write(self, row_start: int, block: NDArray[Any]) -> int:
        """Write whole rows, in whole chunks.

        Threads and processes may write different blocks at the same time.

        Parameters
        ----------
        row_start : int
            First row: a multiple of `block_rows`.
        block : ndarray
            Of shape (n_rows, ...): n_rows is a multiple of `block_rows`, unless the block ends
            with the array.

        Returns
        -------
        int
            A check sum of the bytes that were written, as `checksum` computes it.

        Raises
        ------
        ParameterError
            If the block is not aligned to the chunks or has another shape.
        WriteError
            If the bytes cannot be written.
        """
        block = self._as_block(row_start, block)
        crc = 0
        for index in self._block_chunks(row_start, len(block)):
            encoded = self._encode(index, row_start, block)
            key = self._key(index)
            self.cache.forget(key)
            self.store.put(key, encoded)
            crc = zlib.crc32(encoded, crc)
        return crc

    def write_all(self, values: NDArray[Any]) -> None:
        """Write the whole array."""
        if self.ndim:
            self.write(0, values)
        else:
            self.store.put(self._key(()), self._encode_chunk(np.asarray(values, self.dtype)))

    def checksum(self, row_start: int, row_stop: int) -> int | None:
        """Return the check sum of the encoded chunks of some rows; None if one is missing."""
        crc = 0
        for index in self._block_chunks(row_start, row_stop - row_start):
            encoded = self.store.get(self._key(index))
            if encoded is None:
                return None
            crc = zlib.crc32(encoded, crc)
        return crc

    def _as_block(self, row_start: int, block: NDArray[Any]) -> NDArray[Any]:
        block = np.asarray(block)
        stop = row_start + len(block)
        if block.shape[1:] != self.shape[1:] or row_start < 0 or stop > self.shape[0]:
            msg = (
                f"A block of shape {block.shape} at row {row_start} does not fit into "
                f"{self.where} of shape {self.shape}."
            )
            raise ParameterError(msg)
        if row_start % self.block_rows or (stop % self.block_rows and stop != self.shape[0]):
            msg = (
                f"Rows {row_start} to {stop} cut through chunks; blocks begin and end at multiples "
                f"of {self.block_rows} rows (or at the end, {self.shape[0]})."
            )
            raise ParameterError(msg)
        if block.dtype == self.dtype:
            return block
        if not np.can_cast(block.dtype, self.dtype, "same_kind"):
            msg = f"Values of dtype {block.dtype} do not fit into {self.where} of {self.dtype}."
            raise ParameterError(msg)
        return block.astype(self.dtype)

    def _block_chunks(self, row_start: int, n_rows: int) -> Iterator[tuple[int, ...]]:
        first, last = row_start // self.block_rows, -(-(row_start + n_rows) // self.block_rows)
        others = (range(n) for n in self.metadata.chunk_grid[1:])
        return itertools.product(range(first, last), *others)

    def _encode(self, index: tuple[int, ...], row_start: int, block: NDArray[Any]) -> Any:  # noqa: ANN401 - bytes of some kind
        first = index[0] * self.chunks[0] - row_start
        where = [slice(first, first + self.chunks[0])]
        where += [
            slice(k * size, (k + 1) * size)
            for k, size in zip(index[1:], self.chunks[1:], strict=True)
        ]
        part = block[tuple(where)]
        if part.shape != self.chunks:
            padded = self.metadata.empty_chunk()
            padded[tuple(slice(0, n) for n in part.shape)] = part
            part = padded
        return self._encode_chunk(part)

    def _encode_chunk(self, chunk: NDArray[Any]) -> Any:  # noqa: ANN401 - bytes of some kind
        # With all its axes: codecs for sound, such as WavPack, want to know the channels.
        value: Any = np.asarray(chunk, order="C" if self.metadata.order == "C" else "F")
        for codec in self._filters:
            value = codec.encode(value)
        if self._compressor is not None:
            if isinstance(value, np.ndarray) and value.dtype.kind in "USV":
                value = value.reshape(-1, order="A").view(np.uint8)
            value = self._compressor.encode(value)
        if isinstance(value, np.ndarray):
            value = value.tobytes(order="A")
        return value

    def _key(self, index: Sequence[int]) -> str:
        return f"{self.path}/{self.metadata.chunk_key(index)}"


def _reopen(store: Store, path: str, metadata: ArrayMetadata, cache_bytes: int) -> ZarrArray:
    return ZarrArray(store, path, metadata, cache_bytes=cache_bytes)
