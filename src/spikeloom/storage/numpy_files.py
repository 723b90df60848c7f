"""``.npy`` files of records and text, and ``.npz`` archives; never of pickled objects."""

import sys
import tokenize
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError, ReadError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.stores import require_file

_FAULTS = (
    *(ValueError, TypeError, LookupError, EOFError, OSError, ArithmeticError, SyntaxError),
    *(MemoryError, zipfile.BadZipFile, tokenize.TokenError),
    RuntimeError,  # of zipfile, if a part is encrypted
)
"""What numpy and zipfile raise on damaged files."""


def open_records(path: Path, *, is_mapped: bool = True) -> NDArray[Any]:
    """Open a ``.npy`` file of any dtype without objects: numbers, text, records.

    Parameters
    ----------
    path : Path
        The file.
    is_mapped : bool, default: True
        Whether to give a read-only memory map rather than a copy in memory.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is not a ``.npy`` file, is cut short, or holds pickled objects.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "snippets.npy"
    >>> np.save(path, np.zeros(2, [("frame", "i8"), ("snippet", "f4", (3, 1))]))
    >>> open_records(path)["snippet"].shape
    (2, 3, 1)
    """
    require_file(path)
    try:
        found = _read_or_map(path, is_mapped=is_mapped)
        check_characters(found)
    except _FAULTS as error:
        msg = f"{path} is not a complete .npy file without Python objects: {error}."
        raise ReadError(0, msg) from error
    return found


def _read_or_map(path: Path, *, is_mapped: bool) -> NDArray[Any]:
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        has_elements = True
        if read is not None:
            shape, _, dtype = read(file)
            has_elements = 0 not in shape and dtype.itemsize > 0
        if not is_mapped or not has_elements:
            file.seek(0)
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    with np.errstate(all="raise"):  # of shapes whose product is no number
        return np.asarray(np.lib.format.open_memmap(path, mode="r"))


def check_characters(values: NDArray[Any]) -> None:
    """Raise ValueError if texts have characters that there are not."""
    for name in values.dtype.names or ():
        check_characters(values[name])
    if values.dtype.kind == "U" and values.size:
        code = np.dtype(np.uint32).newbyteorder(values.dtype.byteorder)
        if np.ascontiguousarray(values).view(code).max() > sys.maxunicode:
            msg = "its texts have characters that do not exist"
            raise ValueError(msg)


def read_npz(path: Path, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays from a ``.npz`` archive.

    Parameters
    ----------
    path : Path
        The archive.
    names : iterable of str, optional
        Which to read; by default all.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError
        If it is no archive, lacks one of `names`, or one of them holds pickled objects.
    """
    require_file(path)
    name = ""
    try:
        # numpy does not close what turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                msg = "it holds one array, not several"
                raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
            arrays = {}
            for name in archive.files if names is None else names:
                arrays[name] = archive[name]
                if not isinstance(arrays[name], np.ndarray):
                    msg = "it is no array"
                    raise ValueError(msg)  # noqa: TRY004 - of the file, not of an argument
                check_characters(arrays[name])
            return arrays
    except _FAULTS as error:
        part = f"The array {name!r} of {path}" if name else str(path)
        msg = f"{part} cannot be read: {error}."
        raise ReadError(0, msg) from error


def npz_names(path: Path) -> list[str]:
    """Return the names of the arrays in a ``.npz`` archive; raises ReadError if it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except _FAULTS as error:
        msg = f"{path} cannot be read as an archive: {error}."
        raise ReadError(0, msg) from error


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a ``.npz`` archive in one step.

    Raises
    ------
    ParameterError
        If an array holds Python objects.
    WriteError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "sorting.npz"
    >>> write_npz(path, {"unit_ids": np.array(["a", "b"])})
    >>> read_npz(path)["unit_ids"].tolist()
    ['a', 'b']
    """
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            msg = f"The array {name!r} holds Python objects, which are not written to .npz files."
            raise ParameterError(msg)

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    npy_writer(np.asarray(array))(member)  # type: ignore[arg-type]

    write_atomic(path, write)
