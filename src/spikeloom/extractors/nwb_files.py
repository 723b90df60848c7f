"""NWB files as trees of arrays with attributes, in HDF5 or zarr, read without pynwb.

Nothing but the arrays that are asked for is read, and traces stay in the file.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError, MissingFileError
from spikeloom.extractors.array_segments import Rows
from spikeloom.extractors.hdf5_arrays import open_array, read_array, read_texts
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import attributes, child, names_in
from spikeloom.extractors.hdf5_sources import Place
from spikeloom.extractors.nwb_places import NwbPlace, nwb_place
from spikeloom.storage.zarr_groups import AnyArray, ZarrGroup
from spikeloom.storage.zarr_opening import open_zarr

_SKIPPED = frozenset({"specifications", "general", "units", "intervals", "file_create_date"})

_N_NODES_MAX = 20_000

_DEPTH_MAX = 8


class NwbTree(ABC):
    """Groups and arrays of an NWB file, by their path in it."""

    where: str
    """The file, for messages."""

    @abstractmethod
    def groups(self, path: str) -> list[str]:
        """Return the names of the groups in a group."""

    @abstractmethod
    def attributes(self, path: str) -> dict[str, Any]:
        """Return the attributes of a group or array, of what is not there none."""

    @abstractmethod
    def shape(self, path: str) -> tuple[int, ...] | None:
        """Return the shape of an array, None if there is none."""

    @abstractmethod
    def values(self, path: str) -> NDArray[Any]:
        """Read a whole array, of numbers or text."""

    @abstractmethod
    def rows(self, path: str) -> Rows:
        """Return an array of numbers that is read where it is looked at."""

    def of_type(self, neurodata_type: str) -> list[str]:
        """Return the paths of all groups of a type, such as ``ElectricalSeries``."""
        found: list[str] = []
        todo = [("", 0)]
        n_seen = 0
        while todo:
            path, depth = todo.pop()
            n_seen += 1
            if n_seen > _N_NODES_MAX:
                msg = f"{self.where} has more than {_N_NODES_MAX} groups; no NWB file has."
                raise DataError(msg)
            if path and self.attributes(path).get("neurodata_type") == neurodata_type:
                found.append(path)
                continue
            if depth < _DEPTH_MAX:
                names = [name for name in self.groups(path) if depth or name not in _SKIPPED]
                todo += [(f"{path}/{name}".lstrip("/"), depth + 1) for name in names]
        return sorted(found)


class Hdf5Tree(NwbTree):
    """An NWB file in HDF5.

    Parameters
    ----------
    path : Path or FarSource
        The file.
    file : h5py.File
        The same, open.
    """

    def __init__(self, path: Place, file: h5py.File) -> None:
        self.where = str(path)
        self._path = path
        self._nodes: dict[str, Any] = {"": file}
        """What is at the paths that were asked for; None where there is nothing."""

    def _node(self, path: str) -> Any:
        if path not in self._nodes:
            above, _, name = path.rpartition("/")
            self._nodes[path] = child(self._node(above), name)
        return self._nodes[path]

    def groups(self, path: str) -> list[str]:
        """Return the names of the groups in a group."""
        node = self._node(path)
        if not isinstance(node, h5py.Group):
            return []
        inner = {name: self._node(f"{path}/{name}" if path else name) for name in names_in(node)}
        return [name for name, one in inner.items() if isinstance(one, h5py.Group)]

    def attributes(self, path: str) -> dict[str, Any]:
        """Return the attributes of a group or array, of what is not there none."""
        return attributes(self._node(path))

    def shape(self, path: str) -> tuple[int, ...] | None:
        """Return the shape of an array, None if there is none."""
        node = self._node(path)
        return tuple(int(n) for n in node.shape or ()) if isinstance(node, h5py.Dataset) else None

    def _dataset(self, path: str) -> h5py.Dataset:
        node = self._node(path)
        if not isinstance(node, h5py.Dataset):
            msg = f"{self.where} has no array {path}."
            raise DataError(msg)
        return node

    def values(self, path: str) -> NDArray[Any]:
        """Read a whole array, of numbers or text."""
        dataset = self._dataset(path)
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return np.atleast_1d(read_texts(self._path, dataset))
        values = read_array(self._path, dataset)
        if values.dtype.kind == "O":
            msg = f"{self.where}: {path} refers to other places of the file, and holds no values."
            raise DataError(msg)
        return values

    def rows(self, path: str) -> Rows:
        """Return an array of numbers that is read where it is looked at."""
        return open_array(self._path, self._dataset(path))


class ZarrTree(NwbTree):
    """An NWB file in zarr.

    Parameters
    ----------
    where : str
        Folder or URL.
    root : ZarrGroup
        The same, open.
    """

    def __init__(self, where: str, root: ZarrGroup) -> None:
        self.where = where
        self._root = root

    def _group(self, path: str) -> ZarrGroup | None:
        try:
            return self._root.group(path) if path else self._root
        except MissingFileError:
            return None

    def groups(self, path: str) -> list[str]:
        """Return the names of the groups in a group."""
        group = self._group(path)
        return [] if group is None else group.group_names()

    def attributes(self, path: str) -> dict[str, Any]:
        """Return the attributes of a group or array, of what is not there none."""
        group = self._group(path)
        if group is not None:
            return group.attributes
        parent, _, name = path.rpartition("/")
        above = self._group(parent)
        if above is None or name not in above.array_names(skip_refused=False):
            return {}
        return above.array_attributes(name)

    def shape(self, path: str) -> tuple[int, ...] | None:
        """Return the shape of an array, None if there is none."""
        parent, _, name = path.rpartition("/")
        above = self._group(parent)
        if above is None or name not in above.array_names():
            return None
        return tuple(above.array(name).shape)

    def values(self, path: str) -> NDArray[Any]:
        """Read a whole array, of numbers or text."""
        parent, _, name = path.rpartition("/")
        above = self._group(parent)
        if above is None:
            msg = f"{self.where} has no array {path}."
            raise DataError(msg)
        if name in above.array_names():
            return above.read_array(name)
        return np.asarray(above.read_object(name), dtype=str)

    def rows(self, path: str) -> Rows:
        """Return an array of numbers that is read where it is looked at."""
        return ZarrRows(self._root.array(path))


class ZarrRows:
    """Rows of an array in a zarr store, read where they are looked at."""

    def __init__(self, array: AnyArray) -> None:
        self._array = array
        self.shape = tuple(array.shape)
        self.dtype = array.dtype

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._array.read(key)
        k = range(len(self))[key]
        return self._array.read(slice(k, k + 1))[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._array.read(), dtype)


@contextmanager
def open_nwb(
    location: str | Path | NwbPlace, storage_options: dict[str, Any] | None = None
) -> Iterator[NwbTree]:
    """Open an NWB file to look into it.

    Parameters
    ----------
    location : str, Path or NwbPlace
        An HDF5 file, a zarr folder, or a URL of either.
    storage_options : dict, optional
        How to reach a URL, as fsspec takes it.

    Raises
    ------
    MissingFileError, ReadError
        If it is absent, neither HDF5 nor zarr, or damaged.
    """
    place = nwb_place(location, storage_options=storage_options)
    file_place: Place | None = place.far_file()
    if isinstance(place.location, Path) and not place.location.is_dir():
        file_place = place.location
    if file_place is not None:
        with open_hdf5(file_place) as file:
            yield Hdf5Tree(file_place, file)
    else:
        root = open_zarr(place.location, storage_options=place.storage_options)
        yield ZarrTree(str(place.location), root)
