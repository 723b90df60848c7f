"""Chunked, compressed arrays in zarr format 3, with or without shards, through zarr-python."""

import json
import math
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec, numcodecs as wrapped
from zarr.storage import FsspecStore, LocalStore as ZarrLocalStore, MemoryStore, StorePath

from spikeloom.errors import ParameterError, ReadError, WriteError
from spikeloom.storage.disk_space import write_error
from spikeloom.storage.remote import RemoteStore
from spikeloom.storage.stores import LocalStore, Store
from spikeloom.storage.zarr_arrays import Columns, column_indices
from spikeloom.storage.zarr_codecs3 import checked_array
from spikeloom.storage.zarr_metadata import SIZE_MAX
from spikeloom.storage.zarr_nodes import node_kind

_SHUFFLES: dict[int, Any] = {0: "noshuffle", 1: "shuffle", 2: "bitshuffle", -1: "bitshuffle"}


@contextmanager
def _quiet() -> Iterator[None]:
    """Let pass that text and structured arrays have no settled place in format 3 yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _zarr_store(store: Store, path: str) -> StorePath:
    inner = getattr(store, "inner", store)
    if isinstance(inner, LocalStore):
        return StorePath(ZarrLocalStore(Path(inner.folder)), path)
    if isinstance(inner, RemoteStore):
        options = inner.storage_options
        return StorePath(FsspecStore.from_url(inner.location, storage_options=options), path)
    msg = f"Format 3 is not read from a {type(store).__name__}."
    raise ReadError(0, msg)


def _compressors(config: Mapping[str, Any] | None, dtype: np.dtype[Any]) -> list[Any]:
    if config is None:
        return []
    name = config["id"]
    if name == "blosc":
        return [
            BloscCodec(
                typesize=max(1, min(255, dtype.itemsize)),
                cname=config["cname"],
                clevel=config["clevel"],
                shuffle=_SHUFFLES[config.get("shuffle", 1)],
                blocksize=config.get("blocksize", 0),
            )
        ]
    if name == "zstd":
        return [ZstdCodec(level=config.get("level", 0))]
    if name == "gzip":
        return [GzipCodec(level=config.get("level", 5))]
    return [_wrapped(config)]


def _wrapped(config: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a codec of zarr-python
    rest = {key: value for key, value in config.items() if key != "id"}
    for codec in vars(wrapped).values():
        if getattr(codec, "codec_name", "") == f"numcodecs.{config['id']}":
            return codec(**rest)
    msg = f"The codec {config['id']!r} has no place in zarr format 3; use zarr_format=2 for it."
    raise ParameterError(msg)


def create_array3(
    store: Store,
    path: str,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    *,
    chunks: Sequence[int],
    shards: Sequence[int] | None,
    compressor: Mapping[str, Any] | None,
    filters: Sequence[Mapping[str, Any]],
) -> "ZarrArray3":
    """Make an array in format 3; see `ZarrGroup.create_array`.

    Raises
    ------
    ParameterError
        If zarr-python refuses the layout or the codecs.
    WriteError
        If it cannot be written.
    """
    try:
        with _quiet():
            # In memory first: made in place, the groups above would be made, too, and a root that
            # is there says that a store is complete.
            documents: dict[str, Any] = {}
            zarr.create_array(
                MemoryStore(documents),
                shape=tuple(shape),
                dtype=dtype,
                chunks=tuple(max(1, n) for n in chunks),
                shards=tuple(shards) if shards is not None else None,
                compressors=_compressors(compressor, dtype) or None,
                filters=[_wrapped(config) for config in filters] or None,
                zarr_format=3,
            )
    except (ValueError, TypeError, NotImplementedError) as error:
        msg = f"{store.location}/{path} cannot be made in zarr format 3: {error}."
        raise ParameterError(msg) from error
    store.delete(path)
    store.put(f"{path}/zarr.json", documents["zarr.json"].to_bytes())
    return open_array3(store, path)


def require_array3(
    store: Store,
    path: str,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    *,
    chunks: Sequence[int],
    shards: Sequence[int] | None,
    compressor: Mapping[str, Any] | None,
    filters: Sequence[Mapping[str, Any]],
) -> "ZarrArray3":
    """Return the array that is there if it has this layout, or make it; see `create_array3`."""
    if node_kind(store, path, 3) == "array":
        array = open_array3(store, path)
        layout = (tuple(shape), dtype, tuple(chunks), tuple(shards or chunks))
        if (array.shape, array.dtype, array.chunks, array.files) == layout:
            return array
    return create_array3(
        store,
        path,
        shape,
        dtype,
        chunks=chunks,
        shards=shards,
        compressor=compressor,
        filters=filters,
    )


def open_array3(store: Store, path: str) -> "ZarrArray3":
    """Open an array in format 3.

    Raises
    ------
    ReadError
        If zarr-python cannot open it.
    """
    try:
        with _quiet():
            # Opened by its metadata rather than by zarr.open_array, which forgets the config.
            metadata = json.loads(store.get(f"{path}/zarr.json") or b"")
            # A chunk that happens to be all zeros is a finished one, too.
            config = {"write_empty_chunks": True}
            array = checked_array(metadata, _zarr_store(store, path), config)
    except Exception as error:
        msg = f"{store.location}/{path} cannot be opened: {type(error).__name__}: {error}."
        raise ReadError(0, msg) from error
    chunks = (*array.chunks, *(array.shards or ()))
    if 0 in chunks or max((*array.shape, *chunks), default=0) > SIZE_MAX:
        msg = f"{store.location}/{path} is damaged: {array.shape} in chunks of {array.chunks}."
        raise ReadError(0, msg)
    return ZarrArray3(store, path, array)


class ZarrArray3:
    """An array in zarr format 3; reads and writes as `ZarrArray` does."""

    format = 3

    def __init__(self, store: Store, path: str, array: Any) -> None:  # noqa: ANN401 - zarr.Array
        self.store = store
        self.path = path
        self.shape: tuple[int, ...] = tuple(array.shape)
        self.dtype: np.dtype[Any] = np.dtype(array.dtype)
        self.chunks: tuple[int, ...] = tuple(array.chunks)
        """Shape of what is decoded at once."""
        self.files: tuple[int, ...] = tuple(array.shards or array.chunks)
        """Shape of what is kept under one key: a shard, or a chunk."""
        self.block_rows = self.files[0] if self.files else 1
        """Blocks that are written begin at multiples of so many rows."""
        self._array = array
        self.where = f"{store.location}/{path}"
        """Where it is, for messages."""

    def __reduce__(self) -> tuple[Any, ...]:
        return open_array3, (self.store, self.path)

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

    def read(self, rows: slice = slice(None), columns: Columns = None) -> NDArray[Any]:
        """Return rows of the array, of all or some columns; see `ZarrArray.read`."""
        start, stop, step = rows.indices(self.shape[0]) if self.ndim else (0, 0, 1)
        if step != 1:
            msg = f"Rows are read in order, one by one; step {step} is not possible."
            raise ParameterError(msg)
        if self.ndim < 2 and columns is not None:
            msg = f"{self.where} has fewer than two axes, so no columns."
            raise ParameterError(msg)
        chosen = column_indices(columns, self.shape[1]) if self.ndim > 1 else slice(0, 0)
        try:
            return self._read(slice(start, max(start, stop)), chosen)
        except Exception as error:
            msg = f"{self.where} is damaged or cut short ({type(error).__name__}: {error})."
            raise ReadError(0, msg) from error

    def _read(self, rows: slice, columns: slice | NDArray[np.intp]) -> NDArray[Any]:
        if self.ndim == 0:
            return np.asarray(self._array[()])
        if self.ndim == 1:
            return np.asarray(self._array[rows])
        if isinstance(columns, slice):
            return np.asarray(self._array[rows, columns])
        if len(columns) == 0:
            return np.asarray(self._array[rows, 0:0])
        # zarr-python wants rising indices, each once, to be quick.
        unique, inverse = np.unique(columns, return_inverse=True)
        values = np.asarray(self._array.oindex[rows, unique])
        return np.ascontiguousarray(np.take(values, inverse, axis=1))

    def write(self, row_start: int, block: NDArray[Any]) -> int:
        """Write whole rows, in whole chunks or shards; see `ZarrArray.write`."""
        block = np.asarray(block)
        stop = row_start + len(block)
        if block.shape[1:] != self.shape[1:] or row_start < 0 or stop > self.shape[0]:
            msg = f"A block of shape {block.shape} at row {row_start} does not fit {self.shape}."
            raise ParameterError(msg)
        if row_start % self.block_rows or (stop % self.block_rows and stop != self.shape[0]):
            msg = (
                f"Rows {row_start} to {stop} cut through chunks or shards; blocks begin and end at "
                f"multiples of {self.block_rows} rows (or at the end, {self.shape[0]})."
            )
            raise ParameterError(msg)
        try:
            self._array[row_start:stop] = block.astype(self.dtype, casting="same_kind", copy=False)
        except TypeError as error:
            msg = f"Values of dtype {block.dtype} do not fit into {self.where} of {self.dtype}."
            raise ParameterError(msg) from error
        except OSError as error:
            raise write_error(self.where, error) from error
        return self.checksum(row_start, stop) or 0

    def write_all(self, values: NDArray[Any]) -> None:
        """Write the whole array."""
        try:
            self._array[...] = values
        except OSError as error:
            raise write_error(self.where, error) from error
        except Exception as error:
            msg = f"{self.where} cannot be written: {error}."
            raise WriteError(0, msg) from error

    def checksum(self, row_start: int, row_stop: int) -> int | None:
        """Return the check sum of the files with some rows; None if one is missing."""
        first, last = row_start // self.block_rows, -(-row_stop // self.block_rows)
        others = (
            range(-(-n // size)) for n, size in zip(self.shape[1:], self.files[1:], strict=True)
        )
        crc = 0
        for index in product(range(first, last), *others):
            key = self._array.metadata.encode_chunk_key(index)
            encoded = self.store.get(f"{self.path}/{key}")
            if encoded is None:
                return None
            crc = zlib.crc32(encoded, crc)
        return crc
