"""Windows of spikes as an array of a zarr store, written from first to last."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_groups import AnyArray
from spikeloom.storage.zarr_opening import create_zarr, open_zarr


def store_and_name(path: Path) -> tuple[Path, str]:
    """Part the path of an array into that of its store, which ends in ``.zarr``, and its name.

    Raises
    ------
    ParameterError
        If no part ends so, or nothing comes after it.

    Examples
    --------
    >>> store, name = store_and_name(Path("data/a.zarr/extensions/waveforms"))
    >>> store.as_posix(), name
    ('data/a.zarr', 'extensions/waveforms')
    """
    parts = path.parts
    for k, part in enumerate(parts):
        if part.endswith(".zarr") and k + 1 < len(parts):
            return Path(*parts[: k + 1]), "/".join(parts[k + 1 :])
    msg = f"{path} is no array of a zarr store; give the path of one, like data.zarr/waveforms."
    raise ParameterError(msg)


class RowWriter:
    """Rows of a zarr array, written in order and in whole chunks; gaps are zeros.

    Parameters
    ----------
    array : ZarrArray or ZarrArray3
        A new array.
    """

    def __init__(self, array: AnyArray) -> None:
        self._array = array
        self._n_held = 0
        self._first_held = 0
        n_rows = max(1, array.block_rows)
        self._held: NDArray[Any] = np.zeros((n_rows, *array.shape[1:]), array.dtype)

    def put(self, first: int, rows: NDArray[Any]) -> None:
        """Add rows, of which the first is row `first` of the array, behind those before."""
        position = self._first_held + self._n_held
        while position < first:
            n_gap = min(first - position, 4 * len(self._held))
            self._append(np.zeros((n_gap, *rows.shape[1:]), rows.dtype))
            position += n_gap
        self._append(rows)

    def close(self) -> None:
        """Write what is left; rows at the end that nobody added are zeros."""
        n_rows = self._array.shape[0]
        missing = n_rows - self._first_held - self._n_held
        if missing:
            self.put(n_rows, self._held[:0])
        if self._n_held:
            self._array.write(self._first_held, self._held[: self._n_held])
            self._first_held, self._n_held = n_rows, 0

    def _append(self, rows: NDArray[Any]) -> None:
        n_done = 0
        while n_done < len(rows):
            n_taken = min(len(rows) - n_done, len(self._held) - self._n_held)
            self._held[self._n_held : self._n_held + n_taken] = rows[n_done : n_done + n_taken]
            self._n_held += n_taken
            n_done += n_taken
            if self._n_held == len(self._held):
                self._array.write(self._first_held, self._held)
                self._first_held += self._n_held
                self._n_held = 0


def create_rows(
    path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], chunk_bytes: int
) -> RowWriter:
    """Make an array of windows in a zarr store, which is made, too, if it is not there.

    Parameters
    ----------
    path : Path
        Of the array; see `store_and_name`.
    shape : tuple of int
        (n_windows, n_samples, n_channels).
    dtype : dtype
        Of the values.
    chunk_bytes : int
        Size of a chunk, about.
    """
    store, name = store_and_name(path)
    group = open_zarr(store, mode="r+") if store.is_dir() else create_zarr(store)
    group.delete(name)
    row_bytes = max(1, shape[1] * shape[2] * dtype.itemsize)
    n_rows = min(max(1, chunk_bytes // row_bytes), max(1, shape[0]))
    array = group.create_array(
        name,
        shape,
        dtype,
        chunks=(n_rows, max(1, shape[1]), max(1, shape[2])),
        compressor=default_compressor(),
    )
    return RowWriter(array)


def opened_rows(path: Path) -> Any:
    """Return the array at a path for reading, as the zarr package opens it."""
    import zarr  # noqa: PLC0415 - takes a while to import

    store, name = store_and_name(path)
    return zarr.open_array(str(store), path=name, mode="r")
