"""Structures and cells in MATLAB's files, of version 5 to 7.2 and of 7.3, as lists of arrays."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_sources import is_hdf5
from spikeloom.extractors.matlab_files import field_of
from spikeloom.extractors.matlab_version_5 import MatlabStruct, read_version_5

_N_ENTRIES_MAX = 1 << 20


def read_matlab_cells(path: Path, name: str) -> list[NDArray[Any]] | None:
    """Read a cell array of numbers.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        A variable, or a field of a structure such as ``"spikes/times"``.

    Returns
    -------
    list of ndarray, or None
        What is in each cell, as a list of numbers; None if there is no such variable.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If a cell holds something else, or there are too many.
    """
    if is_hdf5(path):
        return _cells_of_hdf5(path, name)
    value = field_of(read_version_5(path, {name.partition("/")[0]}), name)
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        msg = f"{path}: {name} is an array of structures, and no list of numbers."
        raise DataError(msg)
    cells = list(value) if value.dtype == object else [value]
    return [_numbers(path, name, cell) for cell in cells]


def read_matlab_structs(
    path: Path, name: str, fields: Iterable[str]
) -> list[dict[str, NDArray[Any]]] | None:
    """Read some fields of an array of structures, or of a cell array of them.

    Returns
    -------
    list of dict, or None
        Arrays by field of each structure, as MATLAB has them; None if there is no such variable.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If there are too many.
    """
    wanted = list(fields)
    if is_hdf5(path):
        return _structs_of_hdf5(path, name, wanted)
    value = read_version_5(path, {name}).get(name)
    if value is None:
        return None
    listed = list(value) if isinstance(value, np.ndarray) and value.dtype == object else [value]
    found = []
    for one in listed:
        if not isinstance(one, MatlabStruct):
            msg = f"{path}: {name} is no array of structures."
            raise DataError(msg)
        found += [
            {
                field: one.fields[field][k]
                for field in wanted
                if field in one.fields and isinstance(one.fields[field][k], np.ndarray)
            }
            for k in range(one.n_structs)
        ]
    return found


def _cells_of_hdf5(path: Path, name: str) -> list[NDArray[Any]] | None:
    from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at  # noqa: PLC0415 - imports h5py

    with open_hdf5(path) as file:
        dataset = dataset_at(file, name)
        if dataset is None:
            return None
        if dataset.dtype != object:
            return [_read(path, dataset).reshape(-1)]
        return [
            _numbers(path, name, _read(path, file[reference]))
            for reference in _references(path, dataset)
        ]


def _structs_of_hdf5(
    path: Path, name: str, fields: list[str]
) -> list[dict[str, NDArray[Any]]] | None:
    from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at, group_at  # noqa: PLC0415 - imports h5py

    with open_hdf5(path) as file:
        group, cells = group_at(file, name), dataset_at(file, name)
        if cells is not None:  # a cell of structures: references to groups
            groups = [file[reference] for reference in _references(path, cells)]
            return [
                {field: _read(path, one[field]).T for field in fields if dataset_at(one, field)}
                for one in groups
            ]
        if group is None:
            return None
        columns = {}
        for field in fields:
            dataset = dataset_at(group, field)
            if dataset is None:
                continue
            if dataset.dtype == object:
                found = [file[reference] for reference in _references(path, dataset)]
                columns[field] = [_read(path, one).T for one in found]
            else:  # a single structure has its values at once
                columns[field] = [_read(path, dataset).T]
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            msg = f"{path}: fields of {name} have {sorted(lengths)} values; one each is expected."
            raise DataError(msg)
        return [
            {field: column[k] for field, column in columns.items()}
            for k in range(lengths.pop() if lengths else 0)
        ]


def _references(path: Path, dataset: Any) -> list[Any]:
    from spikeloom.extractors.hdf5_arrays import read_array  # noqa: PLC0415 - imports h5py

    if dataset.size > _N_ENTRIES_MAX:
        msg = f"{path}: {dataset.name} has {dataset.shape} cells; no list of units has so many."
        raise DataError(msg)
    return list(read_array(path, dataset).reshape(-1))


def _read(path: Path, dataset: Any) -> NDArray[Any]:
    from spikeloom.extractors.hdf5_arrays import read_array  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import attributes  # noqa: PLC0415 - imports h5py

    if attributes(dataset).get("MATLAB_empty", 0):
        return np.zeros((0, 0))  # what is stored is its shape
    if dataset.dtype.kind not in "iufb":
        msg = f"{path}: {dataset.name} holds {dataset.dtype}, and no numbers."
        raise DataError(msg)
    return read_array(path, dataset)


def _numbers(path: Path, name: str, values: Any) -> NDArray[Any]:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "iufb":
        msg = f"{path}: a cell of {name} holds no numbers."
        raise DataError(msg)
    return np.asarray(values).reshape(-1)
