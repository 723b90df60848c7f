"""Read numbers out of MATLAB's files, of version 5 to 7.2 and of 7.3, which are HDF5."""

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import MissingFileError, ReadError


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
    return _read_hdf5(path, names) if is_hdf5(path) else read_matlab_variables(path, names)


def read_matlab_variables(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read some variables of a MATLAB file of version 5 to 7.2; see `read_matlab_fields`."""
    from scipy.io import loadmat  # noqa: PLC0415 - takes a while to import
    from scipy.io.matlab import MatReadError  # noqa: PLC0415 - the same

    wanted = list(names)
    variables = sorted({name.partition("/")[0] for name in wanted})
    faults = (
        *(ValueError, TypeError, KeyError, IndexError, OSError, EOFError, MemoryError),
        *(NotImplementedError, NameError, zlib.error, MatReadError),
    )  # NameError is a slip of scipy's for some damaged files
    try:
        content = loadmat(path, variable_names=variables)
    except faults as error:
        msg = f"{path} cannot be read as a MATLAB file: {error}."
        raise ReadError(0, msg) from error
    found = {name: _field(content, name.split("/")) for name in wanted}
    return {name: values for name, values in found.items() if values is not None}


def _field(content: Any, names: list[str]) -> NDArray[Any] | None:
    value = content.get(names[0])
    for name in names[1:]:
        if value is None or name not in (value.dtype.names or ()) or not value.size:
            return None
        value = value[name].flat[0]
    return None if value is None else np.asarray(value)


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
