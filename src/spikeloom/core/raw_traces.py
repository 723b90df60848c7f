"""Raw traces on disk: one or several memory maps, one after the other in time.

Values stay as they are in the file until a window of them is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.high_pass import HighPass
from spikeloom.engine.executor import map_slices
from spikeloom.errors import DataError, ParameterError
from spikeloom.kernels.filters import filter_forward_backward
from spikeloom.kernels.gather import blank_outside, gather_windows

_WINDOWS_PER_SLICE_MIN = 32


@dataclass(frozen=True)
class RawTraces:
    """Voltage samples of a set of channels."""

    pieces: tuple[NDArray[Any], ...]
    """Consecutive stretches of the recording, each (n_samples, n_raw_channels)."""
    channels: NDArray[np.int64]
    """Column of each channel in the raw file; shape (n_channels,)."""
    sampling_frequency: float
    """Samples per second and channel, in Hz."""
    sources: tuple[str, ...] = field(default=())
    """Where the pieces come from, for people."""

    def __post_init__(self) -> None:
        if not self.pieces:
            msg = "Raw traces need at least one file."
            raise ParameterError(msg)
        n_raw_channels = self.pieces[0].shape[1]
        if self.channels.size and not 0 <= self.channels.min() <= self.channels.max() < (
            n_raw_channels
        ):
            msg = (
                f"The channel map names raw channel {self.channels.max()}, but the raw data have "
                f"{n_raw_channels} channels (0 to {n_raw_channels - 1}). "
                "Check channel_map.npy and n_channels_dat."
            )
            raise DataError(msg)

    @property
    def n_channels(self) -> int:
        """Number of channels (of those mapped, not of those in the file)."""
        return self.channels.size

    @cached_property
    def edges(self) -> NDArray[np.int64]:
        """First sample of each piece, and the end of the last; shape (n_pieces + 1,)."""
        return np.concatenate(([0], np.cumsum([len(piece) for piece in self.pieces])))

    @property
    def n_samples(self) -> int:
        """Number of samples per channel."""
        return int(self.edges[-1])

    def read(
        self, start_sample: int, end_sample: int, channels: Sequence[int] | None = None
    ) -> NDArray[np.float32]:
        """Return samples ``start_sample`` to ``end_sample`` (excluded) of `channels` (all).

        The interval is cut to the recording. Returns an array of shape (n_samples, n_channels)
        in the units of the file.
        """
        start = min(max(0, start_sample), self.n_samples)
        end = min(max(start, end_sample), self.n_samples)
        columns = self._columns(channels)
        block = np.empty((end - start, columns.size), np.float32)
        for piece, first in zip(self.pieces, self.edges, strict=False):
            low, high = max(start, first), min(end, first + len(piece))
            if low < high:
                rows = np.asarray(piece[low - first : high - first])
                block[low - start : high - start] = rows[:, columns]
        return block

    def cut_windows(
        self,
        starts: NDArray[np.int64],
        n_window_samples: int,
        channels: Sequence[int] | None = None,
        *,
        high_pass: HighPass | None = None,
    ) -> NDArray[np.float32]:
        """Cut windows that begin at `starts`.

        Without a filter, each window and channel is centred on its median. With one, the
        window is read with margins long enough for the filter to settle, filtered forward and
        backward, and cut. Samples outside the recording are zero.

        Parameters
        ----------
        starts : ndarray of shape (n_windows,) and dtype int64
            First sample of each window; may lie outside the recording.
        n_window_samples : int
            Length of a window.
        channels : sequence of int, optional
            Channels, as positions in the channel map. All by default.
        high_pass : HighPass, optional
            The filter.

        Returns
        -------
        ndarray of shape (n_windows, n_window_samples, n_channels) and dtype float32
        """
        columns = self._columns(channels)
        windows = np.empty((starts.size, n_window_samples, columns.size), np.float32)

        def cut(part: slice) -> None:
            self._cut_part(starts[part], columns, high_pass, windows[part])

        map_slices(cut, starts.size, min_items=_WINDOWS_PER_SLICE_MIN)
        return windows

    def _columns(self, channels: Sequence[int] | None) -> NDArray[np.int64]:
        if channels is None:
            return self.channels
        return self.channels[np.asarray(channels, np.int64)]

    def _cut_part(
        self,
        starts: NDArray[np.int64],
        columns: NDArray[np.int64],
        high_pass: HighPass | None,
        windows: NDArray[np.float32],
    ) -> None:
        margin = high_pass.margin_samples if high_pass else 0
        n_window_samples = windows.shape[1]
        # One window at a time keeps the scratch in the processor's cache.
        wide = np.empty((1, n_window_samples + 2 * margin, columns.size), np.float32)
        state = np.empty((2, columns.size), np.float32)
        for i, start in enumerate(starts):
            self._gather(start - margin, columns, wide)
            if high_pass:
                filter_forward_backward(wide[0], high_pass.sections, high_pass.steady, state)
            else:
                wide[0] -= np.median(wide[0], axis=0)
            windows[i] = wide[0, margin : margin + n_window_samples]
        blank_outside(windows, starts, self.n_samples)

    def _gather(self, start: int, columns: NDArray[np.int64], wide: NDArray[np.float32]) -> None:
        """Fill `wide` (1, n_samples, n_channels) from `start` on; repeat samples at the ends."""
        end = start + wide.shape[1]
        k = int(np.searchsorted(self.edges, max(start, 0), side="right")) - 1
        k = min(k, len(self.pieces) - 1)
        is_first, is_last = k == 0, k == len(self.pieces) - 1
        if (start >= self.edges[k] or is_first) and (end <= self.edges[k + 1] or is_last):
            offset = np.array([start - self.edges[k]], np.int64)
            gather_windows(self.pieces[k], offset, columns, wide)
            return
        # The window spans two files: the slow way, for the few spikes that do.
        samples = np.clip(np.arange(start, end), 0, self.n_samples - 1)
        positions = np.searchsorted(self.edges, samples, side="right") - 1
        for t, (sample, piece) in enumerate(zip(samples, positions, strict=True)):
            wide[0, t] = self.pieces[piece][sample - self.edges[piece], columns]
