"""One array in a tar file, with the names of its axes and labels of what lies along them.

The first member, ``format.ini``, says what the other members are: flat binary files with the rows
of the array, one after the other::

    # This tar file holds one array; ... (see the link)
    [array]
    dtype = <i2
    shape = 1000, 32
    order = C
    files = data_0.bin, data_1.bin

    [labels]
    axes = ["sample", "channel"]
    axis_1 = ["ch0", "ch1", ...]

`dtype` is numpy's, with the byte order. `files` defaults to all other members; each of several
holds whole rows. With ``order = F``, of which there is one file, the first axis varies fastest. The
section ``labels`` may be absent; its values are JSON lists. The values are read through memory
maps, so the tar file is not compressed.
"""

import configparser
import io
import json
import math
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.lazy_rows import LazyRows
from spikeloom.storage.atomic import write_atomic

FORMAT_NAME = "format.ini"
"""Name of the first member."""

_COMMENT = (
    "# This tar file holds one array. This file describes it; the others are its values.\n"
    '# The format is described under "The tar container" in docs/experiment.md of spikeloom.\n'
)
_KINDS = "biufcSU"
_N_INI_BYTES_MAX = 16 << 20
_N_HEADER_BYTES_MAX = 1 << 20
_N_MEMBERS_MAX = 10_000
_N_BLOCK_BYTES = 16 << 20
_N_AXES_MAX = 32
_RECORD = 512

_FAULTS = (ValueError, TypeError, KeyError, OverflowError, SyntaxError, RecursionError)
"""What numpy, json and int raise on damaged descriptions."""

Labels = Mapping[int, Sequence[Any]]


@dataclass(frozen=True, eq=False)
class TarArray:
    """An array and what its axes are."""

    values: Any
    """A read-only memory map, or something indexed like an array where there are several files."""
    axes: tuple[str, ...] = ()
    """Name of each axis; none if they have no names."""
    labels: Labels = field(default_factory=dict)
    """Labels of what lies along an axis, by its index."""


class _TarRows(LazyRows):
    """Rows that lie in several files, one after the other."""

    def __init__(
        self, pieces: Sequence[NDArray[Any]], shape: tuple[int, ...], dtype: DTypeLike
    ) -> None:
        super().__init__(shape, dtype)
        self._pieces = tuple(pieces)
        self._edges = np.cumsum([0, *(len(piece) for piece in pieces)])

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        wanted = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        values = np.empty((wanted.size, *self.shape[1:]), self.dtype)
        holder = np.searchsorted(self._edges, wanted, side="right") - 1
        for k, piece in enumerate(self._pieces):
            is_here = holder == k
            if is_here.any():
                values[is_here] = piece[wanted[is_here] - self._edges[k]]
        return values


@dataclass(frozen=True)
class _Member:
    name: str
    offset: int
    n_bytes: int


@dataclass(frozen=True)
class _Description:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: str
    files: tuple[str, ...]
    axes: tuple[str, ...]
    labels: Labels

    @property
    def n_row_bytes(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_tar_array(path: str | Path) -> TarArray:
    """Open the array in a tar file; its values are not read yet.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no uncompressed tar file.
    DataError
        If its description is damaged, or does not fit its files.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "waveforms.tar"
    >>> write_tar_array(path, np.arange(6).reshape(3, 2), axes=("spike", "channel"))
    >>> found = read_tar_array(path)
    >>> found.values[1].tolist(), found.axes
    ([2, 3], ('spike', 'channel'))
    """
    path = Path(path)
    members = _members_of(path)
    if not members or members[0].name != FORMAT_NAME:
        first = members[0].name if members else "nothing"
        msg = f"{path} begins with {first} where {FORMAT_NAME} is expected: it holds no array."
        raise DataError(msg)
    description = _read_description(path, members)
    by_name = {member.name: member for member in members[1:]}
    found = [by_name[name] for name in description.files if name in by_name]
    if len(found) < len(description.files):
        missing = next(name for name in description.files if name not in by_name)
        msg = f"{path}: {FORMAT_NAME} names the file {missing}, which is not there."
        raise DataError(msg)
    values = _values_of(path, description, found)
    return TarArray(values, description.axes, description.labels)


class _Guarded(io.BufferedReader):
    """A file of which only small parts are read at once: a damaged header may ask for all."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= _N_HEADER_BYTES_MAX:
            msg = f"a header of {size} bytes"
            raise tarfile.ReadError(msg)
        return super().read(size)


def _members_of(path: Path) -> list[_Member]:
    try:
        n_file_bytes = path.stat().st_size
        with _Guarded(io.FileIO(path)) as file, tarfile.open(fileobj=file, mode="r:") as archive:
            members: list[_Member] = []
            for info in archive:
                if not info.isreg() or info.issparse():
                    msg = f"{info.name!r} is no plain file"
                    raise tarfile.ReadError(msg)
                if info.offset_data + info.size > n_file_bytes or info.size < 0:
                    msg = f"it is cut short within {info.name!r}"
                    raise tarfile.ReadError(msg)
                members.append(_Member(info.name, info.offset_data, info.size))
                if len(members) > _N_MEMBERS_MAX:
                    msg = f"it has more than {_N_MEMBERS_MAX} files"
                    raise tarfile.ReadError(msg)
    except FileNotFoundError as error:
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg) from error
    except (tarfile.TarError, OSError, ValueError, OverflowError, EOFError) as error:
        msg = f"{path} is not an uncompressed tar file of plain files: {error}."
        raise ReadError(0, msg) from error
    if len({member.name for member in members}) < len(members):
        msg = f"{path} has two files of the same name."
        raise DataError(msg)
    return members


def _read_description(path: Path, members: Sequence[_Member]) -> _Description:
    member = members[0]
    if member.n_bytes > _N_INI_BYTES_MAX:
        msg = f"{path}: {FORMAT_NAME} has {member.n_bytes} bytes; {_N_INI_BYTES_MAX} are allowed."
        raise DataError(msg)
    with path.open("rb") as file:
        file.seek(member.offset)
        content = file.read(member.n_bytes)
    try:
        return _interpreted(content.decode(), [member.name for member in members[1:]])
    except (configparser.Error, *_FAULTS) as error:
        msg = f"{path}: {FORMAT_NAME} (byte {member.offset}) does not describe an array: {error}."
        raise DataError(msg) from error


def _interpreted(text: str, names: Sequence[str]) -> _Description:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    if "array" not in parser:
        msg = "the section [array] is missing"
        raise ValueError(msg)
    array = parser["array"]
    missing = [key for key in ("dtype", "shape") if key not in array]
    if missing:
        msg = f"{missing[0]} is missing in the section [array]"
        raise ValueError(msg)
    dtype = np.dtype(array["dtype"])
    if dtype.kind not in _KINDS or dtype.subdtype is not None or not dtype.itemsize:
        msg = f"dtype={array['dtype']} is neither of numbers nor of texts"
        raise ValueError(msg)
    shape = tuple(int(part) for part in array["shape"].replace(",", " ").split())
    order = array.get("order", "C").upper()
    files = tuple(part.strip() for part in array["files"].split(",")) if "files" in array else ()
    files = files or tuple(names)
    is_sound = len(shape) <= _N_AXES_MAX and all(0 <= n < 1 << 48 for n in shape)
    if not is_sound or order not in {"C", "F"} or not files:
        msg = f"shape={shape}, order={order}, files={', '.join(files) or 'none'} make no sense"
        raise ValueError(msg)
    if len(files) > 1 and (order == "F" or not shape or len(set(files)) < len(files)):
        msg = "several different files hold the rows of an array of order C"
        raise ValueError(msg)
    axes, labels = _read_labels(dict(parser["labels"]) if "labels" in parser else {}, shape)
    return _Description(dtype, shape, order, files, axes, labels)


def _read_labels(
    section: Mapping[str, str], shape: tuple[int, ...]
) -> tuple[tuple[str, ...], dict[int, list[Any]]]:
    axes: tuple[str, ...] = ()
    labels = {}
    for key, text in section.items():
        listed = json.loads(text)
        if not isinstance(listed, list):
            msg = f"{key}={text[:60]} is no list"
            raise TypeError(msg)
        if key == "axes":
            axes = tuple(map(str, listed))
            if len(axes) != len(shape):
                msg = f"there are {len(axes)} names of axes for {len(shape)} axes"
                raise ValueError(msg)
            continue
        axis = int(key.removeprefix("axis_"))
        if not 0 <= axis < len(shape) or len(listed) != shape[axis]:
            msg = f"{key} has {len(listed)} labels, which do not fit the shape {shape}"
            raise ValueError(msg)
        labels[axis] = listed
    return axes, labels


def _values_of(path: Path, description: _Description, members: Sequence[_Member]) -> Any:
    n_stored = sum(member.n_bytes for member in members)
    if n_stored != description.n_bytes:
        msg = (
            f"{path}: {', '.join(member.name for member in members[:3])} hold {n_stored} bytes; "
            f"{description.shape} of {description.dtype} are {description.n_bytes}."
        )
        raise DataError(msg)
    dtype, shape, order = description.dtype, description.shape, description.order
    if not description.n_bytes:
        return np.empty(shape, dtype)
    if len(members) == 1:
        return _mapped(path, dtype, shape, members[0].offset, order)
    pieces = []
    for member in members:
        n_rows, n_rest = divmod(member.n_bytes, description.n_row_bytes)
        if n_rest:
            msg = (
                f"{path}: {member.name} (byte {member.offset}) has {member.n_bytes} bytes, which "
                f"are not whole rows of {description.n_row_bytes} bytes."
            )
            raise DataError(msg)
        if n_rows:
            pieces.append(_mapped(path, dtype, (n_rows, *shape[1:]), member.offset, "C"))
    return _TarRows(pieces, shape, dtype)


def _mapped(
    path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, order: Any
) -> NDArray[Any]:
    array = np.memmap(path, dtype, mode="r", offset=offset, shape=shape or (1,), order=order)
    return np.asarray(array).reshape(shape) if not shape else np.asarray(array)


def write_tar_array(
    path: str | Path,
    array: Any,
    *,
    axes: Sequence[str] = (),
    labels: Labels | None = None,
    n_file_rows: int | None = None,
) -> None:
    """Write an array as a tar file, in one step.

    Parameters
    ----------
    path : str or Path
        The file; its folder must exist.
    array : array_like
        Numbers or texts. What is not in memory is read block by block.
    axes : sequence of str, optional
        Name of each axis.
    labels : mapping of int to sequence, optional
        Labels of what lies along an axis, by its index.
    n_file_rows : int, optional
        Rows in each flat binary file; all in one by default.

    Raises
    ------
    ParameterError
        If the array cannot be written so, or names do not fit it.
    WriteError
        If the file cannot be written; what was there is untouched.
    """
    values = array if hasattr(array, "read_rows") else np.asarray(array)
    dtype, shape = np.dtype(values.dtype), tuple(values.shape)
    if dtype.kind not in _KINDS or not dtype.itemsize:
        msg = f"An array of {dtype} is neither of numbers nor of texts."
        raise ParameterError(msg)
    n_rows = shape[0] if shape else 1
    step = n_rows if n_file_rows is None else n_file_rows
    if step < 1 and n_rows:
        msg = f"n_file_rows={n_file_rows} is not a positive number of rows."
        raise ParameterError(msg)
    edges = [*range(0, n_rows, max(step, 1)), n_rows] if n_rows else [0, 0]
    files = [f"data_{k}.bin" for k in range(len(edges) - 1)]
    section = {"axes": list(axes)} if axes else {}
    section |= {f"axis_{axis}": list(named) for axis, named in (labels or {}).items()}
    try:
        texts = {key: json.dumps(value) for key, value in section.items()}
        _read_labels(texts, shape)
    except (TypeError, ValueError) as error:
        msg = f"Names of axes or labels do not fit the array of shape {shape}: {error}."
        raise ParameterError(msg) from error
    content = _ini_text(dtype, shape, files, texts).encode()
    n_row_bytes = math.prod(shape[1:]) * dtype.itemsize

    def write(file: BinaryIO) -> None:
        _write_member(file, FORMAT_NAME, len(content), [content])
        for name, start, stop in zip(files, edges[:-1], edges[1:], strict=True):
            blocks = _blocks(values, start, stop, n_row_bytes)
            _write_member(file, name, (stop - start) * n_row_bytes, blocks)
        file.write(bytes(2 * _RECORD))

    write_atomic(Path(path), write)


def _ini_text(
    dtype: np.dtype[Any], shape: tuple[int, ...], files: Sequence[str], labels: Mapping[str, str]
) -> str:
    lines = [
        "[array]",
        f"dtype = {dtype.str}",
        f"shape = {', '.join(map(str, shape))}",
        "order = C",
        f"files = {', '.join(files)}",
    ]
    if labels:
        lines += ["", "[labels]", *(f"{key} = {text}" for key, text in labels.items())]
    return _COMMENT + "\n".join(lines) + "\n"


def _blocks(values: Any, start: int, stop: int, n_row_bytes: int) -> Iterator[bytes]:
    if not values.shape:
        yield values.tobytes()
        return
    n_rows = max(1, _N_BLOCK_BYTES // max(1, n_row_bytes))
    for first in range(start, stop, n_rows):
        yield np.ascontiguousarray(values[first : min(first + n_rows, stop)]).tobytes()


def _write_member(
    file: BinaryIO, name: str, n_bytes: int, blocks: Sequence[bytes] | Iterator[bytes]
) -> None:
    info = tarfile.TarInfo(name)
    info.size = n_bytes
    file.write(info.tobuf(tarfile.PAX_FORMAT))
    for block in blocks:
        file.write(block)
    file.write(bytes(-n_bytes % _RECORD))
