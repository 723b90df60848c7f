"""Arrays in HDF5 files that may be damaged: sizes are checked before anything is allocated.

Arrays stay in the file. What lies there in one piece becomes a memory map; what is in chunks, or
compressed, becomes a `ChunkedArray`.
"""

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_chunks import ChunkedArray
from spikeloom.extractors.hdf5_guard import REFERENCE, check_references
from spikeloom.extractors.hdf5_nodes import is_plain, text_of
from spikeloom.extractors.hdf5_sources import Place, n_bytes_of, opened_source

_COMPRESSION_MAX = 1100
"""More than deflate can shrink data by: an array that claims more is not in the file."""

_SMALL_BYTES = 1 << 20

_N_CHUNKS_SMALL = 1024

_CHUNK_ENTRY_BYTES = 8
"""Fewer than a chunk takes in the file, with its place in the index."""

_N_CHARACTERS_MAX = 1 << 26
"""An array of texts has as many characters for each as the longest has."""


def checked_shape(path: Place, dataset: h5py.Dataset) -> tuple[int, ...]:
    """Return the shape of a dataset.

    Raises
    ------
    DataError
        If so many values cannot be in the file, or if they are in others.
    """
    if dataset.external or dataset.is_virtual:
        msg = f"{path}: the values of {dataset.name} are in other files: open those."
        raise DataError(msg)
    shape = tuple(int(n) for n in dataset.shape or ())
    n_bytes = math.prod(shape) * dataset.dtype.itemsize
    n_file_bytes = n_bytes_of(path)
    # The index of an array has an entry for each chunk; missing ones are looked up one by one.
    chunks = dataset.chunks or shape
    n_chunks = math.prod(-(-n // max(1, c)) for n, c in zip(shape, chunks, strict=True))
    is_too_large = n_bytes > max(_SMALL_BYTES, n_file_bytes * _COMPRESSION_MAX)
    if is_too_large or n_chunks > max(_N_CHUNKS_SMALL, n_file_bytes // _CHUNK_ENTRY_BYTES):
        msg = (
            f"{path}: {dataset.name} says that it is of shape {shape} and {dataset.dtype}, which "
            f"are {n_bytes} bytes in {n_chunks} chunks, but the whole file has {n_file_bytes} "
            "bytes. It is damaged."
        )
        raise DataError(msg)
    return shape


def open_array(path: Place, dataset: h5py.Dataset) -> "NDArray[Any] | ChunkedArray":
    """Return the values of a dataset without reading them.

    Parameters
    ----------
    path : Path or FarSource
        The file that it is in.
    dataset : h5py.Dataset
        The dataset.

    Returns
    -------
    ndarray or ChunkedArray
        A read-only memory map where the values lie in one piece.

    Raises
    ------
    DataError
        If so many values cannot be in the file, or if they are no numbers.
    """
    shape, dtype = checked_shape(path, dataset), dataset.dtype
    if dtype.kind not in "iufb" or not shape:
        msg = f"{path}: {dataset.name} holds {dtype} of shape {shape}; numbers are expected."
        raise DataError(msg)
    offset = dataset.id.get_offset()
    is_whole = dataset.chunks is None and math.prod(shape) > 0
    if not is_whole or offset is None or not isinstance(path, Path):
        return ChunkedArray(path, str(dataset.name), shape, dtype)
    if offset + math.prod(shape) * dtype.itemsize > n_bytes_of(path):
        msg = (
            f"{path} is cut off: {dataset.name} of shape {shape} and {dtype} begins at byte "
            f"{offset}, but the file has {n_bytes_of(path)} bytes only."
        )
        raise DataError(msg)
    mapped = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
    # As a plain array: compiled kernels take those much faster than memory-map objects.
    return np.asarray(mapped)


def read_array(path: Place, dataset: h5py.Dataset) -> NDArray[Any]:
    """Read all values of a dataset into memory.

    Raises
    ------
    DataError
        If so many values cannot be in the file, or if they are lists of variable length.
    """
    checked_shape(path, dataset)
    if not is_plain(dataset.dtype):
        msg = f"{path}: {dataset.name} holds {dataset.dtype}; numbers or texts are expected."
        raise DataError(msg)
    # What was never written is read as zeros, however much it is said to be.
    n_bytes, n_stored = dataset.nbytes, dataset.id.get_storage_size()
    is_packed = dataset.id.get_create_plist().get_nfilters() > 0
    if n_bytes > max(_SMALL_BYTES, n_stored * (_COMPRESSION_MAX if is_packed else 1)):
        msg = (
            f"{path}: {dataset.name} says that it is of shape {dataset.shape} and {dataset.dtype}, "
            f"which are {n_bytes} bytes, but only {n_stored} bytes are stored. It is damaged."
        )
        raise DataError(msg)
    if dataset.dtype.hasobject:
        _check_texts(path, dataset)
    return np.asarray(dataset[()])


def _check_texts(path: Place, dataset: h5py.Dataset) -> None:
    """Raise if texts of variable length say that they are longer than can be."""
    if h5py.check_string_dtype(dataset.dtype) is None:
        return  # references to nodes
    # The library reads as many as the shape says, also where fewer bytes are said to be stored.
    if dataset.chunks is None:
        places = [(dataset.id.get_offset(), dataset.size * REFERENCE.itemsize)]
    elif dataset.id.get_create_plist().get_nfilters():
        return  # what unpacks them finds damage
    else:
        chunks = [dataset.id.get_chunk_info(k) for k in range(dataset.id.get_num_chunks())]
        places = [
            (one.byte_offset, math.prod(dataset.chunks) * REFERENCE.itemsize) for one in chunks
        ]
    with opened_source(path) as source:
        for position, n_bytes in places:
            if position is not None and position + n_bytes <= source.n_bytes:
                values = bytearray(n_bytes)
                source.read_into(position, memoryview(values))
                check_references(values, source, str(dataset.name))


def read_texts(path: Place, dataset: h5py.Dataset) -> NDArray[np.str_]:
    """Read all texts of a dataset into memory, without the zeros that pad them.

    Raises
    ------
    DataError
        If they are no texts, or if they are more than the file can hold.
    """
    if h5py.check_string_dtype(dataset.dtype) is None:
        msg = f"{path}: {dataset.name} holds {dataset.dtype}; texts are expected."
        raise DataError(msg)
    values = read_array(path, dataset)
    texts = [str(text_of(value)) for value in values.reshape(-1).tolist()]
    longest = max(map(len, texts), default=0)
    if longest * len(texts) > _N_CHARACTERS_MAX:
        msg = (
            f"{path}: {dataset.name} has {len(texts)} texts, the longest of {longest} characters: "
            f"as an array they are more than {_N_CHARACTERS_MAX} characters."
        )
        raise DataError(msg)
    return np.array(texts, np.str_).reshape(values.shape)


def read_vector(path: Place, dataset: h5py.Dataset, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Read a list of numbers into memory.

    Parameters
    ----------
    path : Path or FarSource
        The file that it is in.
    dataset : h5py.Dataset
        The list; axes of length one are dropped.
    dtype : dtype, optional
        What to convert it to; its own by default.

    Raises
    ------
    DataError
        If it is no list of numbers, or if it is larger than the file can hold.
    """
    values = read_array(path, dataset)
    values = values.reshape(-1) if values.size == max((1, *values.shape)) else values
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        msg = (
            f"{path}: {dataset.name} is an array of {values.dtype} of shape {values.shape}; a list "
            "of numbers is expected."
        )
        raise DataError(msg)
    return values if dtype is None else values.astype(dtype)
