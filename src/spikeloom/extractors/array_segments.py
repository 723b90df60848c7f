"""Segments of recordings over arrays that lie in files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.binary import BinaryRecordingSegment
from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecordingSegment
from spikeloom.core.recording_segment import picked
from spikeloom.storage.raw_files import open_raw


class Rows(Protocol):
    """What is sliced like an array of shape (n_samples, n_channels)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_samples, n_channels)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""

    def __getitem__(self, key: Any, /) -> Any: ...


class ArraySegment(BaseRecordingSegment):
    """A segment of anything that is sliced like an array.

    Parameters
    ----------
    traces : array-like of shape (n_samples, n_channels)
        A memory map, or anything that reads the rows that it is asked for.
    sampling_frequency : float
        In Hz.
    t_start : float, optional
        Time of the first sample in seconds.
    """

    def __init__(
        self, traces: Rows, sampling_frequency: float, t_start: float | None = None
    ) -> None:
        super().__init__(sampling_frequency, t_start)
        self._traces = traces

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return int(self._traces.shape[0])

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return a view where the array gives one, else a copy."""
        return picked(self._traces[start_frame:end_frame], channel_indices)


class FlatColumnsSegment(BinaryRecordingSegment):
    """Some channels of a flat binary file.

    Parameters
    ----------
    path : Path
        The file.
    sampling_frequency : float
        In Hz.
    t_start : float, optional
        Time of the first sample in seconds.
    n_columns : int
        Channels in the file.
    columns : slice or list of int
        Those of this recording.
    dtype : dtype, default "<i2"
        Of the values.
    n_samples_max : int, optional
        Samples after these are left out.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or cannot be read.
    """

    def __init__(
        self,
        path: Path,
        sampling_frequency: float,
        t_start: float | None,
        *,
        n_columns: int,
        columns: slice | Sequence[int],
        dtype: DTypeLike = "<i2",
        n_samples_max: int | None = None,
    ) -> None:
        traces = open_raw(path, dtype=dtype, n_channels=n_columns)[:n_samples_max]
        super().__init__(traces, sampling_frequency, t_start, path=path, file_offset=0, time_axis=0)
        self._columns = np.arange(n_columns)[columns]

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return a view of the file, or a copy where channels are picked one by one."""
        columns = self._columns
        if channel_indices is not None:
            columns = columns[channel_indices]
        is_run = columns.size > 0 and bool((np.diff(columns) == 1).all())
        # Neighbours are a view of the file.
        indices = slice(int(columns[0]), int(columns[-1]) + 1) if is_run else columns
        return super().get_traces(start_frame, end_frame, indices)
