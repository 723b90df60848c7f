"""Read HDF5 files that may be damaged: sizes are checked before anything is allocated.

Arrays stay in the file. What lies there in one piece becomes a memory map; what is in chunks, or
compressed, becomes a `ChunkedArray`, which opens the file for each read and so keeps no handle.
"""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, MissingFileError, ReadError, SpikeloomError
from spikeloom.extractors.hdf5_heaps import check_heaps
from spikeloom.extractors.lazy_rows import LazyRows

_COMPRESSION_MAX = 1100
"""More than deflate can shrink data by: an array that claims more is not in the file."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
"""What klusta writes; other spellings would not be found again."""

_SMALL_BYTES = 1 << 20

_N_CHUNKS_SMALL = 1024

_CHUNK_ENTRY_BYTES = 8
"""Fewer than a chunk takes in the file, with its place in the index."""

_N_ATTRIBUTE_VALUES_MAX = 1 << 20

_GAP_ROWS = 64
"""Rows that are read along rather than skipped."""

# What h5py raises for damaged files, depending on where the damage is.
_DAMAGE = (
    *(OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError),
    *(OverflowError, UnicodeError, MemoryError, IndexError),
)


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn what h5py raises for damaged files into an error that names the file."""
    try:
        yield
    except SpikeloomError:
        raise
    except _DAMAGE as error:
        msg = f"{path} is damaged, or not what it seems to be: {error}."
        raise ReadError(getattr(error, "errno", None) or 0, msg) from error


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no HDF5 file, if another program has it open for writing, or if it turns out to
        be damaged while it is open.
    """
    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
    with damage_told(path):
        if not h5py.is_hdf5(path):
            with path.open("rb") as file:
                head = file.read(8)
            msg = f"{path} is no HDF5 file: it begins with {head!r}, expected {_SIGNATURE!r}."
            raise ReadError(0, msg)
        # File systems without locks are common in clusters.
        with h5py.File(path, "r", locking="best-effort") as file:
            yield file


def child(node: h5py.Group | None, name: str) -> Any:
    """Return what is in a group under `name`, or None."""
    return node.get(name) if isinstance(node, h5py.Group) else None


def group_at(node: h5py.Group | None, name: str) -> h5py.Group | None:
    """Return the group of that name in a group, or None if there is none."""
    found = child(node, name)
    return found if isinstance(found, h5py.Group) else None


def dataset_at(node: h5py.Group | None, name: str) -> h5py.Dataset | None:
    """Return the dataset of that name in a group, or None if there is none."""
    found = child(node, name)
    return found if isinstance(found, h5py.Dataset) else None


def names_in(group: h5py.Group | None) -> list[str]:
    """Return the names in a group, sorted; those that are no text are left out."""
    if group is None:
        return []
    return sorted(name for name in group if isinstance(name, str) and name.isprintable())


def numbered_children(group: h5py.Group | None) -> list[int]:
    """Return the names in a group that are whole numbers, increasing."""
    return sorted(int(name) for name in names_in(group) if _NUMBER.fullmatch(name))


def plain(value: Any) -> Any:
    r"""Return the value of an attribute as Python has it.

    Strings lose the zeros that pad them. An array of one string is a string, numbers of no
    dimension are Python's, and an attribute without a value is None.

    Examples
    --------
    >>> plain(np.array([b"klusta\0\0"])), plain(np.float64(2.5)), plain(np.array([b"a", b"b"]))
    ('klusta', 2.5, ['a', 'b'])
    """
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray) and value.dtype.kind in "SOU":
        texts = [_text(each) for each in value.reshape(-1).tolist()]
        return texts[0] if len(texts) == 1 else texts
    return value


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").replace("\0", "")
    return str(value).replace("\0", "")


def attributes(node: h5py.Group | h5py.Dataset | None) -> dict[str, Any]:
    """Return the attributes of a node by name; those that cannot be read are left out."""
    if node is None:
        return {}
    found = {}
    for name in sorted(name for name in node.attrs if isinstance(name, str)):
        try:
            attribute = node.attrs.get_id(name)
            is_small = math.prod(attribute.shape or ()) <= _N_ATTRIBUTE_VALUES_MAX
            has_pointers = attribute.dtype.hasobject
        except _DAMAGE:  # KlustaViewa left some that no library reads
            continue
        if has_pointers:
            check_heaps(Path(node.file.filename))
        with suppress(*_DAMAGE):
            if is_small:
                found[name] = plain(node.attrs[name])
    return found


def number_in(known: Mapping[str, Any], *names: str) -> float | None:
    """Return the first attribute of these names that is a finite number, or None.

    Examples
    --------
    >>> number_in({"nchannels": np.array([32])}, "n_channels", "nchannels")
    32.0
    """
    for name in names:
        value = known.get(name)
        if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iufb":
            value = value.reshape(()).item()
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    return None


def read_vector(path: Path, dataset: h5py.Dataset, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Read a list of numbers into memory.

    Parameters
    ----------
    path : Path
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
    checked_shape(path, dataset)
    values = np.asarray(dataset[()])
    values = values.reshape(-1) if values.size == max((1, *values.shape)) else values
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        msg = (
            f"{path}: {dataset.name} is an array of {values.dtype} of shape {values.shape}; a list "
            "of numbers is expected."
        )
        raise DataError(msg)
    return values if dtype is None else values.astype(dtype)


def checked_shape(path: Path, dataset: h5py.Dataset) -> tuple[int, ...]:
    """Return the shape of a dataset.

    Raises
    ------
    DataError
        If so many values cannot be in the file.
    ReadError
        If its values of variable length are damaged.
    """
    if dataset.dtype.hasobject:
        check_heaps(path)
    shape = tuple(int(n) for n in dataset.shape or ())
    n_bytes = math.prod(shape) * dataset.dtype.itemsize
    n_file_bytes = path.stat().st_size
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


class ChunkedArray(LazyRows):
    """An array in an HDF5 file that is not in one piece; each read opens the file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Path of the array in it.
    shape : tuple of int
    dtype : dtype
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        super().__init__(shape, dtype)
        self.path = path
        self.name = name

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Read consecutive rows, or rows by their index."""
        with open_hdf5(self.path) as file:
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


def open_array(path: Path, dataset: h5py.Dataset) -> "NDArray[Any] | ChunkedArray":
    """Return the values of a dataset without reading them.

    Parameters
    ----------
    path : Path
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
    is_whole = dataset.chunks is None and not dataset.external and math.prod(shape) > 0
    if not is_whole or offset is None:
        return ChunkedArray(path, str(dataset.name), shape, dtype)
    if offset + math.prod(shape) * dtype.itemsize > path.stat().st_size:
        msg = (
            f"{path} is cut off: {dataset.name} of shape {shape} and {dtype} begins at byte "
            f"{offset}, but the file has {path.stat().st_size} bytes only."
        )
        raise DataError(msg)
    mapped = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
    # As a plain array: compiled kernels take those much faster than memory-map objects.
    return np.asarray(mapped)
