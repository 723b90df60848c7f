"""Arrays in files, of which the ending of the name says the format.

``.npy``
    numpy's own; read through a memory map.
``.txt``
    One row a line, values divided by spaces, tabs or commas. What we write begins with a line that
    tells dtype and shape, so that it is read as it was.
``.tar``
    The container of `spikeloom.extractors.tar_arrays`; read through memory maps.
``.dat``, ``.bin``, ``.raw`` and the like
    Flat binary files of which the caller says what is in them; read through a memory map.
anything else
    Raw data of a format that a reader knows: samples of all channels, read when they are asked for.

Only the first three are written.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.lazy_rows import LazyRows
from spikeloom.extractors.tar_arrays import read_tar_array, write_tar_array
from spikeloom.extractors.text_tables import parse_numbers
from spikeloom.extractors.trace_files import FLAT_SUFFIXES, FlatLayout, read_traces
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.dtype_names import named_dtype
from spikeloom.storage.numpy_files import open_records

WRITABLE_SUFFIXES = (".npy", ".txt", ".tar")
"""Endings of array files that can be written."""

_N_TEXT_BYTES_MAX = 256 << 20
_HEADER = re.compile(r"^# dtype: (\S+), shape: ([\d ]*)$")
_TEXT_KINDS = "biuf"
_N_TEXT_AXES_MAX = 2


class TraceRows(LazyRows):
    """Samples of a recording as an array of shape (n_samples, n_channels), in steps of the file.

    Parameters
    ----------
    recording : BaseRecording
        A recording of one segment.
    """

    def __init__(self, recording: BaseRecording) -> None:
        super().__init__(
            (recording.get_num_samples(0), recording.get_num_channels()), recording.get_dtype()
        )
        self.recording = recording
        """Where the samples come from, with channel ids, gains and times."""
        self._segment: BaseRecordingSegment = recording.segments[0]

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Return rows: consecutive ones, or those at indices in any order."""
        if isinstance(rows, slice):
            return self._segment.get_traces(rows.start, rows.stop)
        if not rows.size:
            return self._segment.get_traces(0, 0)
        first = int(rows.min())
        return self._segment.get_traces(first, int(rows.max()) + 1)[rows - first]


def read_array_file(path: str | Path, layout: FlatLayout | None = None, **flat: Any) -> Any:
    """Open an array in a file; its values are not read yet where they can be mapped.

    Parameters
    ----------
    path : str or Path
        The file.
    layout : FlatLayout, optional
        What is in a flat binary file.
    **flat
        ``offset`` in bytes and ``fortran`` of a flat binary file, as for `spikeloom.read_traces`.

    Returns
    -------
    ndarray or LazyRows
        Read-only where it is a memory map.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or cannot be read.
    DataError
        If what it says makes no sense.
    ParameterError
        If nothing says what is in a flat binary file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spike_times.txt"
    >>> write_array_file(path, [35, 795, 812])
    >>> read_array_file(path)
    array([ 35, 795, 812])
    """
    path = Path(path)
    if not path.exists():
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)
    match path.suffix.lower():
        case ".npy":
            return open_records(path)
        case ".txt":
            return _read_text(path)
        case ".tar":
            return read_tar_array(path).values
    return TraceRows(_open_traces(path, layout or FlatLayout(), flat))


def _open_traces(path: Path, layout: FlatLayout, flat: dict[str, Any]) -> BaseRecording:
    kwargs: dict[str, Any] = {}
    if path.suffix.lower() in FLAT_SUFFIXES:
        kwargs = {"n_channels": layout.n_channels, "dtype": layout.dtype, **flat}
        # Without a rate the values can be read all the same.
        kwargs["sample_rate"] = layout.sample_rate or 1.0
    return read_traces(path, **kwargs)


def write_array_file(path: str | Path, array: ArrayLike) -> None:
    """Write an array as the ending of the file's name says, in one step.

    Parameters
    ----------
    path : str or Path
        A ``.npy``, ``.txt`` or ``.tar`` file; its folder must exist.
    array : array_like
        Numbers; of ``.npy`` and ``.tar`` files also texts.

    Raises
    ------
    ParameterError
        If there is no such format to write, or it cannot hold the array.
    WriteError
        If the file cannot be written; what was there is untouched.
    """
    path = Path(path)
    values = np.asarray(array)
    if values.dtype.hasobject:
        msg = f"{path.name}: the array holds Python objects, or rows of different lengths."
        raise ParameterError(msg)
    match path.suffix.lower():
        case ".npy":
            write_atomic(path, npy_writer(values))
        case ".txt":
            write_atomic(path, _as_text(path, values).encode())
        case ".tar":
            write_tar_array(path, values)
        case suffix:
            msg = (
                f"{path.name}: arrays are written as {', '.join(WRITABLE_SUFFIXES)} files; got "
                f"{suffix or 'no ending'!r}."
            )
            raise ParameterError(msg)


def _as_text(path: Path, values: NDArray[Any]) -> str:
    if values.dtype.kind not in _TEXT_KINDS or values.ndim not in {1, _N_TEXT_AXES_MAX}:
        msg = (
            f"{path.name}: text files hold numbers with one or two axes; this array has dtype "
            f"{values.dtype} and shape {values.shape}. Use a .npy or .tar file."
        )
        raise ParameterError(msg)
    stored = values.astype(np.uint8) if values.dtype.kind == "b" else values
    rows = stored.reshape(len(stored), -1).tolist() if stored.size else []
    lines = ["\t".join(map(repr, row)) for row in rows]
    shape = " ".join(map(str, values.shape))
    return "\n".join([f"# dtype: {values.dtype.name}, shape: {shape}", *lines, ""])


def _read_text(path: Path) -> NDArray[Any]:
    n_bytes = path.stat().st_size
    if n_bytes > _N_TEXT_BYTES_MAX:
        msg = f"{path} has {n_bytes:,} bytes, too many for a text file; use a .npy or .tar file."
        raise ReadError(0, msg)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path} cannot be read as text: {error}."
        raise ReadError(0, msg) from error
    lines = text.splitlines()
    head = _HEADER.match(lines[0]) if lines else None
    try:
        return _parsed(lines) if head is None else _as_written(lines[1:], head[1], head[2])
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        msg = f"{path} is not a table of numbers: {error}."
        raise DataError(msg) from error


def _as_written(lines: list[str], dtype_name: str, shape_text: str) -> NDArray[Any]:
    dtype = named_dtype(dtype_name)
    shape = tuple(int(part) for part in shape_text.split())
    if dtype.kind not in _TEXT_KINDS:
        msg = f"dtype {dtype_name!r} of the first line is none of numbers"
        raise ValueError(msg)
    kind = np.uint8 if dtype.kind == "b" else dtype
    values = parse_numbers(lines, kind)
    if values.size == 0:
        values = np.zeros(0, kind)
    if int(np.prod(shape, dtype=object)) != values.size or not shape:
        msg = f"it has {values.size} values where the first line tells the shape {shape}"
        raise ValueError(msg)
    return values.reshape(shape).astype(dtype)


def _parsed(lines: list[str]) -> NDArray[Any]:
    try:
        table = parse_numbers(lines, np.int64)
    except ValueError:
        table = parse_numbers(lines, np.float64)
    return table[:, 0] if table.shape[1] == 1 else table
