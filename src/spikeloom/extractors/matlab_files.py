"""Read numbers out of MATLAB's files, of version 5 to 7.2 and of 7.3, which are HDF5."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import MissingFileError, ReadError
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
    from h5py import is_hdf5  # noqa: PLC0415 - takes a while to import

    if not path.is_file():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
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
    import h5py  # noqa: PLC0415 - takes a while to import

    found = {}
    try:
        with h5py.File(path, "r") as file:
            for name in names:
                dataset = file.get(name)
                if isinstance(dataset, h5py.Dataset):
                    # MATLAB counts dimensions from the other end.
                    found[name] = np.asarray(dataset[()]).T
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        msg = f"{path} cannot be read as a MATLAB file of version 7.3: {error}."
        raise ReadError(0, msg) from error
    return found
