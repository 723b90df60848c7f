"""What becomes of the results of a pipeline, chunk by chunk: arrays in memory, npy files, zarr.

Results are put in the order of chunks. Files appear when all is complete, and not at all if
something fails.
"""

import os
import secrets
import struct
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from spikeloom.engine.folders import get_global_tmp_folder
from spikeloom.errors import ParameterError
from spikeloom.storage.atomic import flush_folder
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.staged_saves import TakenError
from spikeloom.storage.stores import is_url, local_path
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_opening import create_zarr, open_zarr, zarr_location
from spikeloom.storage.zarr_saving import saving_zarr

Outputs = tuple[NDArray[Any], ...]
"""What the nodes of a pipeline made of a chunk, or of all."""

_CONSOLIDATED = ".zmetadata"


class Gathering(Protocol):
    """Takes the results of chunks and returns those of the whole."""

    def put(self, outputs: Outputs) -> None:
        """Take the results of the next chunk."""

    def finish(self) -> Outputs:
        """Return the results of all chunks; there was at least one."""

    def give_up(self) -> None:
        """Remove what is not finished; nothing is fine."""


class MemoryGathering:
    """Keeps results in memory."""

    def __init__(self) -> None:
        self._parts: list[Outputs] = []

    def put(self, outputs: Outputs) -> None:
        """Take the results of the next chunk."""
        self._parts.append(outputs)

    def finish(self) -> Outputs:
        """Return the results of all chunks."""
        return tuple(np.concatenate(parts) for parts in zip(*self._parts, strict=True))

    def give_up(self) -> None:
        """Forget them."""
        self._parts.clear()


class _GrowingFile:
    """Rows of one type and shape that are written to a file one behind the other."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.file = file
        self.n_rows = 0
        self.dtype = np.dtype(np.float64)
        self.row_shape: tuple[int, ...] = ()
        self._name = name

    def put(self, rows: NDArray[Any]) -> None:
        rows = np.ascontiguousarray(rows)
        if self.n_rows == 0:
            self.dtype, self.row_shape = rows.dtype, rows.shape[1:]
        elif len(rows) and (rows.dtype, rows.shape[1:]) != (self.dtype, self.row_shape):
            msg = (
                f"The output {self._name!r} is {self.dtype} with rows of {self.row_shape} for some "
                f"chunks, and {rows.dtype} with rows of {rows.shape[1:]} for others."
            )
            raise ParameterError(msg)
        self.file.write(rows.tobytes())
        self.n_rows += len(rows)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n_rows, *self.row_shape)


class NpyGathering:
    """Writes results to npy files, and maps them into memory at the end.

    Parameters
    ----------
    dest : str, Path or list of them
        A folder, made if need be; or a file for each output.
    names : list of str, optional
        Names of the outputs; those of the files by default.
    npy_header_size : int, default 1024
        Bytes before the values, which are written last.
    exist_ok : bool, default False
        Whether the folder may be there; files of the same name are replaced.

    Raises
    ------
    ParameterError
        If there are no names, or too few.
    WriteError
        If the folder is there.
    """

    def __init__(
        self,
        dest: str | Path | Sequence[str | Path] | None,
        names: Sequence[str] | None = None,
        npy_header_size: int = 1024,
        exist_ok: bool = False,
    ) -> None:
        self._n_header = npy_header_size
        if isinstance(dest, str | PurePath):
            folder = local_path(dest)
            if folder.exists() and not exist_ok:
                raise _taken(folder, "exist_ok")
            self.paths = [folder / f"{name}.npy" for name in names or ()]
        else:
            self.paths = [local_path(one) for one in dest or ()]
            names = names or [path.stem for path in self.paths]
        if not names or len(names) != len(self.paths):
            msg = "gather_mode='npy' needs dest=, a folder with names=, or a file for each output."
            raise ParameterError(msg)
        self._files: list[_GrowingFile] = []
        self._staged: list[Path] = []
        try:
            for path, name in zip(self.paths, names, strict=True):
                path.parent.mkdir(parents=True, exist_ok=True)
                staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
                self._staged.append(staged)
                self._files.append(_GrowingFile(staged.open("xb"), name))
                self._files[-1].file.seek(npy_header_size)
        except BaseException:
            self.give_up()
            raise

    def put(self, outputs: Outputs) -> None:
        """Take the results of the next chunk."""
        _require_as_many(outputs, self.paths)
        for file, rows in zip(self._files, outputs, strict=True):
            file.put(rows)

    def finish(self) -> Outputs:
        """Let the files take their places, and return them as memory maps."""
        for growing in self._files:
            growing.file.seek(0)
            growing.file.write(_npy_header(growing, self._n_header))
            growing.file.flush()
            os.fsync(growing.file.fileno())
            growing.file.close()
        for staged, path in zip(self._staged, self.paths, strict=True):
            staged.replace(path)
        for folder in {path.parent for path in self.paths}:
            flush_folder(folder)
        return tuple(open_records(path, is_mapped=True) for path in self.paths)

    def give_up(self) -> None:
        """Remove what is not finished."""
        for growing in self._files:
            growing.file.close()
        for staged in self._staged:
            staged.unlink(missing_ok=True)


def _npy_header(growing: _GrowingFile, n_bytes: int) -> bytes:
    described = {
        "descr": np.lib.format.dtype_to_descr(growing.dtype),
        "fortran_order": False,
        "shape": growing.shape,
    }
    start = np.lib.format.magic(1, 0) + struct.pack("<H", n_bytes - 10)
    text = repr(described).encode("latin1")
    n_free = n_bytes - len(start) - len(text) - 1
    if n_free < 0:
        msg = f"npy_header_size={n_bytes} is too small; {n_bytes - n_free} bytes are needed."
        raise ParameterError(msg)
    return start + text + b" " * n_free + b"\n"


class ZarrGathering:
    """Writes results to zarr arrays.

    Rows are kept in a temporary file until the last one is there, as their chunks are compressed
    as a whole.

    Parameters
    ----------
    dest : str, Path, or list of str, Path or zarr.Array
        A new store; or for each output a place in a store (``"x.zarr/group/name"``), or an array to
        append to.
    names : list of str, optional
        Names of the outputs; those of the places by default.
    compressor : numcodecs codec, None or "default"
        Of new arrays; Blosc zstd with bit shuffling by default.
    zarr_target_chunk_bytes : int or dict of str to int, default 10 MiB
        About how large a chunk is before it is compressed, for all outputs or by their names.
    overwrite : bool, default False
        Replace a store that is there.

    Raises
    ------
    ParameterError
        If there are no names, or too few, or a place is not in a store.
    """

    def __init__(
        self,
        dest: str | Path | Sequence[Any] | None,
        names: Sequence[str] | None = None,
        compressor: Any = "default",
        zarr_target_chunk_bytes: int | Mapping[str, int] = 10 << 20,
        overwrite: bool = False,
    ) -> None:
        self._store: str | Path | None = None
        self._places: list[Any] = []
        if isinstance(dest, str | Path):
            self._store = dest
        else:
            self._places = list(dest or ())
        given = [_name_of(place) for place in self._places]
        self._names = list(names) if names is not None else given
        if not self._names or (self._places and len(self._places) != len(self._names)):
            msg = "gather_mode='zarr' needs dest=, a store with names=, or a place for each output."
            raise ParameterError(msg)
        self._compressor = default_compressor() if compressor == "default" else compressor
        sizes = zarr_target_chunk_bytes
        self._chunk_bytes: dict[str, int] = (
            dict(sizes) if isinstance(sizes, Mapping) else dict.fromkeys(self._names, sizes)
        )
        absent = [name for name in self._names if name not in self._chunk_bytes]
        if absent:
            msg = f"zarr_target_chunk_bytes says nothing of {', '.join(absent)}."
            raise ParameterError(msg)
        self._overwrite = overwrite
        if self._store is not None and not overwrite and not is_url(self._store):
            place = local_path(zarr_location(self._store))
            if place.exists():
                raise _taken(place, "overwrite")
        folder = get_global_tmp_folder()
        self._files = [
            _GrowingFile(tempfile.TemporaryFile(dir=folder), name)  # noqa: SIM115 - see give_up
            for name in self._names
        ]

    def put(self, outputs: Outputs) -> None:
        """Take the results of the next chunk."""
        _require_as_many(outputs, self._names)
        for file, rows in zip(self._files, outputs, strict=True):
            file.put(rows)

    def finish(self) -> Outputs:
        """Write the arrays and return them, as zarr opens them."""
        import zarr  # noqa: PLC0415 - only here, as it takes a while to import

        if self._store is not None:
            location = zarr_location(self._store)
            with saving_zarr(location, overwrite=self._overwrite, is_consolidated=True) as save:
                for name, growing in zip(self._names, self._files, strict=True):
                    self._write(save.group, name, name, growing)
            opened: list[Any] = [
                zarr.open_array(f"{location}/{name}", mode="r") for name in self._names
            ]
        else:
            opened = [
                self._put_in_place(place, name, growing)
                for place, name, growing in zip(self._places, self._names, self._files, strict=True)
            ]
        self.give_up()
        return tuple(opened)

    def _put_in_place(self, place: Any, name: str, growing: _GrowingFile) -> Any:
        import zarr  # noqa: PLC0415 - only here, as it takes a while to import

        if not isinstance(place, str | PurePath):
            place.append(_values(growing))
            return place
        location, key = _parted(place)
        try:
            root = open_zarr(location, mode="r+")
        except FileNotFoundError:
            root = create_zarr(location)
        is_consolidated = root.store.get(_CONSOLIDATED) is not None
        root.store.delete(_CONSOLIDATED)
        group = root
        for part in key.split("/")[:-1]:
            group = group.group(part) if part in group else group.create_group(part)
        self._write(group, key.rsplit("/", 1)[-1], name, growing)
        if is_consolidated:
            root.consolidate()
        return zarr.open_array(f"{location}/{key}", mode="r")

    def _write(self, group: Any, key: str, name: str, growing: _GrowingFile) -> None:
        row_bytes = int(np.prod(growing.row_shape, dtype=np.int64)) * growing.dtype.itemsize
        n_rows = max(1, self._chunk_bytes[name] // max(1, row_bytes))
        chunks = tuple(max(1, n) for n in (min(n_rows, growing.n_rows), *growing.row_shape))
        group.write_array(key, _values(growing), chunks=chunks, compressor=self._compressor)

    def give_up(self) -> None:
        """Close the temporary files, which removes them."""
        for growing in self._files:
            with suppress(OSError):
                growing.file.close()


def _values(growing: _GrowingFile) -> NDArray[Any]:
    """Return what was written to a temporary file, mapped into memory."""
    growing.file.flush()
    if 0 in growing.shape:
        return np.zeros(growing.shape, growing.dtype)
    return np.memmap(growing.file, growing.dtype, "r", shape=growing.shape)


def _name_of(place: Any) -> str:
    if isinstance(place, str | PurePath):
        return _parted(place)[1].rsplit("/", 1)[-1]
    return str(getattr(place, "basename", "") or getattr(place, "name", "")).rsplit("/", 1)[-1]


def _parted(place: str | PurePath) -> tuple[str, str]:
    """Return a store and a place in it.

    Examples
    --------
    >>> _parted("a/b.zarr/extensions/amplitudes")
    ('a/b.zarr', 'extensions/amplitudes')
    """
    text = str(place) if is_url(str(place)) else PurePath(place).as_posix()
    parts = text.split("/")
    ends = [k for k, part in enumerate(parts) if part.endswith(".zarr")]
    if not ends or ends[0] + 1 == len(parts):
        msg = f"{text} is no place in a zarr store; it looks like 'folder/store.zarr/group/name'."
        raise ParameterError(msg)
    return "/".join(parts[: ends[0] + 1]), "/".join(parts[ends[0] + 1 :])


def _require_as_many(outputs: Outputs, names: Sequence[Any]) -> None:
    if len(outputs) != len(names):
        msg = f"The nodes return {len(outputs)} outputs, but {len(names)} names are given."
        raise ParameterError(msg)


def _taken(place: str | Path, option: str) -> TakenError:
    msg = f"{place} exists already; choose another, or gather_kwargs={{{option!r}: True}}."
    return TakenError(17, msg)


def new_gathering(
    mode: str,
    dest: Any,
    names: Sequence[str] | None,
    options: Mapping[str, Any] | None = None,
) -> Gathering:
    """Return what gathers results: in memory, in npy files or in a zarr store.

    Parameters
    ----------
    mode : {"memory", "npy", "zarr"}
        Where.
    dest, names
        See `NpyGathering` and `ZarrGathering`.
    options : mapping, optional
        More parameters of these.

    Raises
    ------
    ParameterError
        If there is no such mode, or an option is unknown.
    """
    kinds: dict[str, type] = {"npy": NpyGathering, "zarr": ZarrGathering}
    if mode != "memory" and mode not in kinds:
        msg = f"gather_mode must be 'memory', 'npy' or 'zarr'; got {mode!r}."
        raise ParameterError(msg)
    try:
        if mode == "memory":
            return MemoryGathering(**(options or {}))
        gathering: Gathering = kinds[mode](dest, names, **(options or {}))
    except TypeError as error:
        msg = f"gather_kwargs does not fit gather_mode={mode!r}: {error}."
        raise ParameterError(msg) from error
    return gathering
