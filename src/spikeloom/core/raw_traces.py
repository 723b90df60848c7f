"""Raw traces on disk: one or several files, one after the other in time.

Values stay as they are in the file until a window of them is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.high_pass import HighPass
from spikeloom.engine.executor import N_THREADS_MAX, map_items, n_usable_cpus
from spikeloom.engine.scratch import scratch_array
from spikeloom.errors import DataError, ParameterError
from spikeloom.kernels.gather import blank_outside, gather_windows
from spikeloom.kernels.jit import takes_dtype
from spikeloom.kernels.windows import cut_filtered_windows
from spikeloom.storage.arrays import read_ahead

_WINDOWS_PER_THREAD_MIN = 32

_N_COPIED = 64
"""Windows that are copied together before they are cut."""

_N_LANES = 128
"""Channels of windows side by side in the filter: it then takes a quarter of the time of a single
window's, and its scratch still fits the processor's second-level cache."""


@dataclass(frozen=True)
class RawTraces:
    """Voltage samples of a set of channels."""

    pieces: tuple[NDArray[Any], ...]
    """Consecutive stretches of the recording, each (n_samples, n_raw_channels): memory maps, or
    what reads rows of a file when it is indexed like one."""
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
        shapes = [piece.shape for piece in self.pieces]
        if any(len(s) != 2 or s[0] == 0 or s[1] != shapes[0][1] for s in shapes):
            msg = (
                f"The raw data have the shapes {', '.join(map(str, shapes))}; each file must be "
                "(n_samples, n_channels), with the same channels and at least one sample."
            )
            raise DataError(msg)
        n_raw_channels = shapes[0][1]
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
        is_spread: bool = True,
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
        is_spread : bool, default True
            Spread the work over threads; not for callers that do so themselves.

        Returns
        -------
        ndarray of shape (n_windows, n_window_samples, n_channels) and dtype float32
        """
        columns = self._columns(channels)
        windows = np.empty((starts.size, n_window_samples, columns.size), np.float32)

        margin = high_pass.margin_samples if high_pass else 0
        if not windows.size:
            return windows
        n_wide_samples = n_window_samples + 2 * margin
        piece_of = self._piece_of(starts - margin, n_wide_samples)
        for k in set(piece_of.tolist()) - {-1}:
            begins = (starts - (margin + self.edges[k]))[piece_of == k]
            read_ahead(self.pieces[k], begins, n_wide_samples)
        n_batch = starts.size
        if is_spread and starts.size > _WINDOWS_PER_THREAD_MIN:
            # Threads take batches as they can: one that wakes up late holds nobody up. Small ones
            # would cost more than they balance, since threads take turns between them.
            n_threads = min(n_usable_cpus(), N_THREADS_MAX)
            n_batch = max(-(-starts.size // (2 * n_threads)), _N_LANES // columns.size, 1)

        def cut(first: int) -> None:
            part = slice(first, first + n_batch)
            self._cut_part(starts[part], piece_of[part], columns, high_pass, windows[part])

        map_items(cut, range(0, starts.size, n_batch))
        if high_pass is None:
            windows -= np.median(windows, axis=1, keepdims=True)
        last_start = self.n_samples - n_window_samples
        if not 0 <= starts.min() <= starts.max() <= last_start:
            blank_outside(windows, starts, self.n_samples)
        return windows

    def _columns(self, channels: Sequence[int] | None) -> NDArray[np.int64]:
        if channels is None:
            return self.channels
        return self.channels[np.asarray(channels, np.int64)]

    def _cut_part(
        self,
        starts: NDArray[np.int64],
        piece_of: NDArray[np.int64],
        columns: NDArray[np.int64],
        high_pass: HighPass | None,
        windows: NDArray[np.float32],
    ) -> None:
        """Cut windows that lie in the pieces `piece_of`, see `_piece_of`."""
        present = set(piece_of.tolist())
        if len(present) > 1:
            for k in present:
                rows = np.flatnonzero(piece_of == k)
                part = np.empty((rows.size, *windows.shape[1:]), np.float32)
                self._cut_part(starts[rows], piece_of[rows], columns, high_pass, part)
                windows[rows] = part
            return
        (k,) = present
        if k < 0:
            self._cut_spanning(starts, columns, high_pass, windows)
        else:
            offsets = starts - self.edges[k] if k else starts
            _cut_whole(self.pieces[k], offsets, columns, high_pass, windows=windows)

    def _piece_of(self, starts: NDArray[np.int64], n_samples: int) -> NDArray[np.int64]:
        """Return the piece that each stretch lies in, -1 where kernels cannot take it from one.

        That is where it spans several, or where they do not know the number type, or where a piece
        is no array but is read when it is indexed. What lies before the first piece or behind the
        last belongs to these.
        """
        if len(self.pieces) == 1 and _is_for_kernels(self.pieces[0]):
            return np.zeros(starts.size, np.int64)
        first_of = np.searchsorted(self.edges[1:-1], starts, side="right")
        last_of = np.searchsorted(self.edges[1:-1], starts + n_samples - 1, side="right")
        is_known = np.array([_is_for_kernels(piece) for piece in self.pieces])
        return np.where((first_of == last_of) & is_known[first_of], first_of, -1)

    def _cut_spanning(
        self,
        starts: NDArray[np.int64],
        columns: NDArray[np.int64],
        high_pass: HighPass | None,
        windows: NDArray[np.float32],
    ) -> None:
        """Cut windows out of copies: of those that span two files, or lie in no memory map."""
        margin = high_pass.margin_samples if high_pass else 0
        n_wide_samples = windows.shape[1] + 2 * margin
        for first in range(0, starts.size, _N_COPIED):
            part = slice(first, first + _N_COPIED)
            samples = starts[part, np.newaxis] + np.arange(-margin, n_wide_samples - margin)
            stretches = self._samples(np.clip(samples, 0, self.n_samples - 1).ravel(), columns)
            offsets = margin + n_wide_samples * np.arange(len(samples))
            every = np.arange(columns.size)
            _cut_whole(stretches, offsets, every, high_pass, windows=windows[part])

    def _samples(
        self, samples: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return single samples (n_samples, n_columns)."""
        found = np.empty((samples.size, columns.size), np.float32)
        positions = np.searchsorted(self.edges, samples, side="right") - 1
        for k, piece in enumerate(self.pieces):
            rows = np.flatnonzero(positions == k)
            if rows.size:
                found[rows] = piece[samples[rows] - self.edges[k]][:, columns]
        return found


def _is_for_kernels(piece: object) -> bool:
    return isinstance(piece, np.ndarray) and takes_dtype(piece.dtype)


def _cut_whole(
    piece: NDArray[Any],
    starts: NDArray[np.int64],
    columns: NDArray[np.int64],
    high_pass: HighPass | None,
    *,
    windows: NDArray[np.float32],
) -> None:
    """Cut windows out of one piece, filtered if there is a filter."""
    if high_pass is None or not windows.size:
        gather_windows(piece, starts, columns, windows)
        return
    # As many windows side by side as have room, and equally many each time.
    n_rounds = -(-starts.size // max(1, _N_LANES // columns.size))
    n_lanes = -(-starts.size // n_rounds) * columns.size
    n_wide_samples = windows.shape[1] + 2 * high_pass.margin_samples
    n_state_rows = 1 + 2 * len(high_pass.ends)
    scratch = scratch_array("lanes", (n_wide_samples + n_state_rows, n_lanes))
    sections, ends, n_level = high_pass.sections, high_pass.ends, high_pass.level_samples
    cut_filtered_windows(piece, starts, columns, sections, ends, n_level, scratch, windows)
