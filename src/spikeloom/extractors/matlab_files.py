"""Read numbers out of MATLAB's files, of version 5 to 7.2 and of 7.3, which are HDF5."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.extractors.hdf5_sources import is_hdf5
from spikeloom.extractors.matlab_version_5 import MatlabStruct, read_version_5


def read_matlab_fields(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read some variables of a MATLAB file.

    Parameters
    ----------
    path : Path
        The file.
    names : list of str
        Variables, or fields of structures such as ``"par/sr"``.

    Returns
    -------
    dict of ndarray
        By name, each of two dimensions or more as MATLAB has it. What is not there is left out.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no MATLAB file, or damaged.
    """
    return _read_hdf5(path, names) if is_hdf5(path) else _read_version_5(path, names)


def _read_version_5(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    wanted = list(names)
    content = read_version_5(path, {name.partition("/")[0] for name in wanted})
    found = {name: field_of(content, name) for name in wanted}
    return {name: values for name, values in found.items() if isinstance(values, np.ndarray)}


def field_of(content: dict[str, Any], name: str) -> Any:
    """Return a variable, or a field of the first of an array of structures, or None.

    Parameters
    ----------
    content : dict
        As `read_version_5` returns it.
    name : str
        Such as ``"par/sr"``.
    """
    first, *fields = name.split("/")
    value = content.get(first)
    for field in fields:
        if not isinstance(value, MatlabStruct) or not value.fields.get(field):
            return None
        value = value.fields[field][0]
    return value


def _read_hdf5(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    from spikeloom.extractors.hdf5_arrays import read_array  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
    from spikeloom.extractors.hdf5_nodes import dataset_at  # noqa: PLC0415 - imports h5py

    with open_hdf5(path) as file:
        found = {name: dataset_at(file, name) for name in names}
        # MATLAB counts dimensions from the other end.
        return {name: read_array(path, one).T for name, one in found.items() if one is not None}
