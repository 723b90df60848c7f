"""Segments of recordings in HDF5 files that keep the samples of each channel together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecordingSegment
from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_arrays import open_array
from spikeloom.extractors.hdf5_files import open_hdf5


class ChannelRows:
    """An array of shape (n_channels, n_samples) in an HDF5 file, none of which is read yet.

    Parameters
    ----------
    path : Path
        The file.
    dataset : h5py.Dataset or None
        The array.
    name : str
        Its name, for messages.

    Raises
    ------
    DataError
        If it is absent, not of two axes, no numbers, or larger than the file can hold.
    """

    def __init__(self, path: Path, dataset: h5py.Dataset | None, name: str) -> None:
        if dataset is None or len(dataset.shape or ()) != 2:
            msg = f"{path} has no {name} of shape (n_channels, n_samples)."
            raise DataError(msg)
        self._path = path
        self._name = str(dataset.name)
        self._values = open_array(path, dataset)
        self.n_channels: int = self._values.shape[0]
        self.n_samples: int = self._values.shape[1]
        self.dtype: np.dtype[Any] = self._values.dtype

    def read(self, rows: slice, samples: slice) -> NDArray[Any]:
        """Return values of neighbouring channels, (n_channels, n_samples)."""
        if isinstance(self._values, np.ndarray):
            return self._values[rows, samples]
        with open_hdf5(self._path) as file:
            return np.asarray(file[self._name][rows, samples])


class ChannelRowsSegment(BaseRecordingSegment):
    """A segment, or a stretch, of an array with a row for each channel.

    Parameters
    ----------
    values : ChannelRows
        The array.
    sampling_frequency : float
        In Hz.
    t_start : float, optional
        Time of the first sample in seconds.
    rows : ndarray of int, shape (n_channels,), optional
        Row of each channel; all in their order by default.
    start, end : int, optional
        Samples of the array that it begins with and ends before.
    """

    def __init__(
        self,
        values: ChannelRows,
        sampling_frequency: float,
        t_start: float | None = None,
        *,
        rows: NDArray[np.int64] | None = None,
        start: int = 0,
        end: int | None = None,
    ) -> None:
        super().__init__(sampling_frequency, t_start)
        self._values = values
        self._rows = np.arange(values.n_channels) if rows is None else rows
        self._start = start
        self._n_samples = (values.n_samples if end is None else end) - start

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self._n_samples

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces; rows between the first and the last of the channels are read."""
        start, end, _ = slice(start_frame, end_frame).indices(self._n_samples)
        samples = slice(self._start + start, self._start + max(start, end))
        rows = self._rows if channel_indices is None else self._rows[channel_indices]
        if not rows.size:
            return np.zeros((samples.stop - samples.start, 0), self._values.dtype)
        first, last = int(rows.min()), int(rows.max())
        read = self._values.read(slice(first, last + 1), samples)
        return np.take(read, rows - first, axis=0).T
