"""Files that mtscomp compressed: ``.cbin`` with chunks, and ``.ch`` with JSON that tells of them.

Each chunk is a stretch of samples of all channels, of which differences in time, between channels
or both were taken before zlib. Chunks are inflated by several threads, and the last ones kept.
"""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.engine.executor import map_items
from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.extractors.json_files import count_in, number_in, read_json_object
from spikeloom.extractors.lazy_rows import LazyRows
from spikeloom.storage.chunk_cache import ChunkCache
from spikeloom.storage.dtype_names import named_dtype

_N_CACHE_BYTES = 128 << 20

_INFLATION_MAX = 1040
"""zlib cannot make more bytes than this of one; a header that wants more is wrong."""


@dataclass(frozen=True)
class ChunkTable:
    """What a ``.ch`` file says.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    n_channels : int
        Number of channels.
    dtype : dtype
        Of the values.
    bounds : ndarray of shape (n_chunks + 1,) and dtype int64
        First sample of each chunk, and the number of samples.
    offsets : ndarray of shape (n_chunks + 1,) and dtype int64
        First byte of each chunk, and the size of the file.
    is_time_diff, is_spatial_diff : bool
        Which differences were taken.
    order : {"C", "F"}
        Whether channels or samples lie together.
    """

    sampling_frequency: float
    n_channels: int
    dtype: np.dtype[Any]
    bounds: NDArray[np.int64]
    offsets: NDArray[np.int64]
    is_time_diff: bool
    is_spatial_diff: bool
    order: str


def read_chunk_table(path: Path, n_data_bytes: int) -> ChunkTable:
    """Read a ``.ch`` file and check it.

    Parameters
    ----------
    path : Path
        The file.
    n_data_bytes : int
        Size of the ``.cbin`` file.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent or cannot be read.
    DataError
        If it is no such file, contradicts itself, or does not fit the size of the data.
    """
    content = read_json_object(path)
    if content.get("algorithm", "zlib") != "zlib":
        msg = f"{path}: the algorithm {content['algorithm']!r} is unknown; mtscomp uses zlib."
        raise DataError(msg)
    order = content.get("chunk_order", "C")
    if order not in ("C", "F"):  # what a file holds may have no hash
        msg = f"{path}: chunk_order must be C or F; got {order!r}."
        raise DataError(msg)
    try:
        dtype = named_dtype(content.get("dtype", "int16"))
    except TypeError as error:
        msg = f"{path}: {content.get('dtype')!r} is no dtype."
        raise DataError(msg) from error
    if dtype.kind not in "iuf":
        msg = f"{path}: traces are numbers, not {dtype}."
        raise DataError(msg)
    n_channels = count_in(content, "n_channels", path)
    bounds = _increasing(content.get("chunk_bounds"), "chunk_bounds", path)
    offsets = _increasing(content.get("chunk_offsets"), "chunk_offsets", path)
    if len(bounds) != len(offsets):
        msg = f"{path} has {len(bounds)} bounds and {len(offsets)} offsets of chunks."
        raise DataError(msg)
    if int(offsets[-1]) > n_data_bytes:
        msg = (
            f"{path}: chunks end at byte {offsets[-1]}, and the .cbin file has {n_data_bytes} "
            "bytes: it is cut short."
        )
        raise DataError(msg)
    row = n_channels * dtype.itemsize
    for k, (n, length) in enumerate(zip(np.diff(bounds).tolist(), np.diff(offsets).tolist())):  # noqa: B905
        if n * row > length * _INFLATION_MAX:
            msg = f"{path}: chunk {k} of {length} bytes cannot hold {n} samples."
            raise DataError(msg)
    return ChunkTable(
        sampling_frequency=number_in(content, "sample_rate", path),
        n_channels=n_channels,
        dtype=dtype,
        bounds=bounds,
        offsets=offsets,
        is_time_diff=bool(content.get("do_time_diff", True)),
        is_spatial_diff=bool(content.get("do_spatial_diff", False)),
        order=order,
    )


class CompressedTraces(LazyRows):
    """The traces of a ``.cbin`` file, inflated where they are looked at.

    Parameters
    ----------
    path : Path
        The ``.cbin`` file.
    table_path : Path, optional
        The ``.ch`` file; by default that of the same name.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If a file is damaged; damaged chunks are found when they are read.
    """

    def __init__(self, path: Path, table_path: Path | None = None) -> None:
        if not path.is_file():
            msg = f"There is no file {path}."
            raise MissingFileError(2, msg)
        self.path = path
        beside = path.with_suffix(".ch") if table_path is None else table_path
        self.table = read_chunk_table(beside, path.stat().st_size)
        shape = (int(self.table.bounds[-1]), self.table.n_channels)
        super().__init__(shape, self.table.dtype)
        self._cache = ChunkCache(_N_CACHE_BYTES)

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Return samples, shape (n_samples, n_channels); a read-only view where it can be."""
        if isinstance(rows, slice):
            return self._stretch(rows.start, rows.stop)
        found = np.empty((rows.size, self.shape[1]), self.dtype)
        chunk_of = np.searchsorted(self.table.bounds, rows, side="right") - 1

        def fill(k: int) -> None:
            own = chunk_of == k
            found[own] = self._chunk(k)[rows[own] - self.table.bounds[k]]

        map_items(fill, np.unique(chunk_of).tolist())
        return found

    def _stretch(self, start: int, stop: int) -> NDArray[Any]:
        if stop <= start:
            return np.empty((0, self.shape[1]), self.dtype)
        bounds = self.table.bounds
        first = int(np.searchsorted(bounds, start, side="right")) - 1
        last = int(np.searchsorted(bounds, stop, side="left"))
        if last - first == 1:
            chunk = self._chunk(first)
            return chunk[start - int(bounds[first]) : stop - int(bounds[first])]
        out = np.empty((stop - start, self.shape[1]), self.dtype)

        def fill(k: int) -> None:
            low, high = max(start, int(bounds[k])), min(stop, int(bounds[k + 1]))
            offset = int(bounds[k])
            out[low - start : high - start] = self._chunk(k)[low - offset : high - offset]

        map_items(fill, range(first, last))
        return out

    def _chunk(self, k: int) -> NDArray[Any]:
        kept = self._cache.get(str(k))
        if kept is None:
            kept = self._inflate(k)
            kept.flags.writeable = False
            self._cache.put(str(k), kept)
        return kept

    def _inflate(self, k: int) -> NDArray[Any]:
        table = self.table
        offset, end = table.offsets[k : k + 2].tolist()
        n_samples = int(table.bounds[k + 1] - table.bounds[k])
        n_bytes = n_samples * table.n_channels * table.dtype.itemsize
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(offset)
                packed = file.read(end - offset)
        except OSError as error:
            msg = f"{self.path} cannot be read: {error.strerror or error}."
            raise ReadError(error.errno or 0, msg) from error
        where = f"{self.path}: chunk {k} at byte {offset}"
        try:
            raw = zlib.decompressobj().decompress(packed or b"", n_bytes + 1)
        except zlib.error as error:
            msg = f"{where} is damaged: {error}."
            raise DataError(msg) from error
        if len(raw) != n_bytes:
            many = "more" if len(raw) > n_bytes else str(len(raw))
            msg = f"{where} should have {n_bytes} bytes of {n_samples} samples, and has {many}."
            raise DataError(msg)
        values = np.frombuffer(raw, table.dtype)
        chunk = values.reshape((n_samples, table.n_channels), order=_order(table.order))
        if table.is_spatial_diff:
            chunk = np.cumsum(chunk, axis=1, dtype=table.dtype)
        if table.is_time_diff:
            chunk = np.cumsum(chunk, axis=0, dtype=table.dtype)
        return np.array(chunk, order="C", copy=None if chunk.flags.writeable else True)


def _order(order: str) -> Any:
    return order


def _increasing(values: Any, name: str, path: Path) -> NDArray[np.int64]:
    is_list = isinstance(values, Sequence) and not isinstance(values, str)
    if not is_list or not all(type(value) is int for value in values) or len(values) < 2:
        msg = f"{path}: {name} must be a list of two whole numbers or more."
        raise DataError(msg)
    if values[0] != 0 or not 0 <= values[-1] < math.inf or max(values) >= 1 << 62:
        msg = f"{path}: {name} must begin at 0; got {values[0]} to {values[-1]}."
        raise DataError(msg)
    array = np.asarray(values, np.int64)
    if (np.diff(array) <= 0).any():
        k = int(np.argmax(np.diff(array) <= 0))
        msg = f"{path}: {name} must increase; {array[k]} is followed by {array[k + 1]}."
        raise DataError(msg)
    return array
