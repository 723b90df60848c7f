"""Segments of recordings in files that mtscomp compressed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.ids import Indices
from spikeloom.core.recording import BaseRecordingSegment
from spikeloom.core.recording_segment import picked
from spikeloom.errors import DataError
from spikeloom.extractors.mtscomp_files import CompressedTraces


class CompressedSegment(BaseRecordingSegment):
    """Neighbouring channels of a ``.cbin`` file.

    Parameters
    ----------
    path : Path
        The file, with its ``.ch`` file beside it.
    sampling_frequency : float, optional
        In Hz; by default what the ``.ch`` file says.
    t_start : float, optional
        Time of the first sample in seconds.
    n_columns : int, optional
        Channels that the file should have.
    columns : slice
        Those of this recording.
    table_path : Path, optional
        The ``.ch`` file.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or cannot be read.
    DataError
        If a file is damaged, or has another number of channels.
    """

    def __init__(
        self,
        path: Path,
        sampling_frequency: float | None = None,
        t_start: float | None = None,
        *,
        n_columns: int | None = None,
        columns: slice = slice(None),
        table_path: Path | None = None,
    ) -> None:
        self.traces = CompressedTraces(path, table_path)
        table = self.traces.table
        super().__init__(sampling_frequency or table.sampling_frequency, t_start)
        if n_columns is not None and table.n_channels != n_columns:
            msg = f"{path} has {table.n_channels} channels; its .meta file speaks of {n_columns}."
            raise DataError(msg)
        self._columns = columns

    def get_num_samples(self) -> int:
        """Return the number of samples of each channel."""
        return self.traces.shape[0]

    def get_traces(
        self,
        start_frame: int | None = None,
        end_frame: int | None = None,
        channel_indices: Indices | Sequence[int] | None = None,
    ) -> NDArray[Any]:
        """Return traces; chunks that they lie in are inflated, and the last ones kept."""
        traces = self.traces[slice(start_frame, end_frame)]
        return picked(np.asarray(traces[:, self._columns]), channel_indices)
