"""Arrays of a Kwik dataset that are made when somebody asks for rows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_chunks import ChunkedArray
from spikeloom.extractors.kwik_traces import Traces
from spikeloom.extractors.lazy_rows import LazyRows

_N_BATCH_VALUES = 1 << 22
"""Values of raw data that are filtered at once."""


class ConcatenatedTraces(LazyRows):
    """The raw data of all recordings, one after the other.

    Parameters
    ----------
    pieces : sequence of array
        Raw data of each recording, (n_samples, n_raw_channels).
    channels : ndarray of shape (n_channels,), optional
        Columns to show, in this order; all by default.
    """

    def __init__(self, pieces: Sequence[Traces], channels: NDArray[np.int64] | None = None) -> None:
        n_channels = pieces[0].shape[1] if channels is None else channels.size
        self.pieces = tuple(pieces)
        """Raw data of each recording."""
        self.channels = channels
        """Columns that are shown, or None for all."""
        lengths = [piece.shape[0] for piece in pieces]
        self.edges = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        """First sample of each recording, and the end of the last; shape (n_pieces + 1,)."""
        super().__init__((int(self.edges[-1]), n_channels), pieces[0].dtype)

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Read consecutive samples, or samples by their index."""
        if isinstance(rows, slice):
            parts = [
                self._columns(piece[max(rows.start - first, 0) : max(rows.stop - first, 0)])
                for piece, first in zip(self.pieces, self.edges, strict=False)
            ]
            found = [part for part in parts if len(part)]
            return found[0] if len(found) == 1 else np.concatenate(found or parts[:1])
        picked = np.empty((rows.size, self.shape[1]), self.dtype)
        which = np.searchsorted(self.edges, rows, side="right") - 1
        for k, piece in enumerate(self.pieces):
            here = np.flatnonzero(which == k)
            if here.size:
                picked[here] = self._columns(piece[rows[here] - self.edges[k]])
        return picked

    def _columns(self, block: NDArray[Any]) -> NDArray[Any]:
        return block if self.channels is None else block[:, self.channels]

    def windows(self, starts: NDArray[np.int64], n_samples: int) -> NDArray[np.float64]:
        """Return stretches that begin at `starts`, zero outside the recording.

        Returns
        -------
        ndarray of shape (n_starts, n_samples, n_channels) and dtype float64
        """
        rows = starts[:, np.newaxis] + np.arange(n_samples)
        is_inside = (rows >= 0) & (rows < len(self))
        cut = np.zeros((*rows.shape, self.shape[1]))
        cut[is_inside] = self.read_rows(rows[is_inside])
        return cut


class FeatureRows(LazyRows):
    """Features, or masks, of an array that is read chunk by chunk.

    Parameters
    ----------
    stored : ChunkedArray
        As in the file.
    columns : slice
        Columns that are used.
    layer : int, optional
        Which of the last axis is used: 0 for features, 1 for masks.
    shape : tuple of int
        Shape of the rows that are returned, without the number of rows.
    """

    def __init__(
        self, stored: ChunkedArray, columns: slice, layer: int | None, shape: tuple[int, ...]
    ) -> None:
        super().__init__((len(stored), *shape), stored.dtype)
        self._stored, self._columns, self._layer = stored, columns, layer

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[Any]:
        """Read rows of the file."""
        block = self._stored.read_rows(rows)[:, self._columns]
        picked = block if self._layer is None else block[:, :, self._layer]
        return picked.reshape(len(picked), *self.shape[1:])


@dataclass(frozen=True)
class WaveformFilter:
    """The band-pass filter that klusta looks at waveforms through, forward and backward."""

    sampling_frequency: float
    """In Hz."""
    low_hz: float
    """Lower cut-off."""
    high_hz: float
    """Upper cut-off."""
    order: int
    """Order of the Butterworth filter, of one pass."""

    @property
    def margin_samples(self) -> tuple[int, int]:
        """Samples that are read before a waveform, and after it.

        Three times the order together, as klusta and phy take it, so that waveforms equal theirs to
        the last digit. The filter has not quite settled then at the edges of a waveform.
        """
        before = 3 * self.order // 2
        return before, 3 * self.order - before

    @cached_property
    def coefficients(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Numerator and denominator.

        Raises
        ------
        DataError
            If there is no such filter.
        """
        from scipy.signal import butter  # noqa: PLC0415 - takes a while to import

        nyquist_hz = self.sampling_frequency / 2
        if not (0 < self.low_hz < self.high_hz < nyquist_hz and 1 <= self.order <= 16):
            msg = (
                f"The file asks for a filter of order {self.order} from {self.low_hz} to "
                f"{self.high_hz} Hz; the order goes from 1 to 16, and frequencies lie between 0 "
                f"and {nyquist_hz} Hz. Check filter_low, filter_high_factor, filter_butter_order."
            )
            raise DataError(msg)
        numerator, denominator = butter(
            self.order, (self.low_hz / nyquist_hz, self.high_hz / nyquist_hz), "bandpass"
        )
        return np.asarray(numerator), np.asarray(denominator)

    def apply(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Filter windows (n_windows, n_samples, n_channels) along time."""
        from scipy.signal import filtfilt  # noqa: PLC0415 - takes a while to import

        numerator, denominator = self.coefficients
        n_padding = min(3 * max(numerator.size, denominator.size), windows.shape[1] - 1)
        return np.asarray(filtfilt(numerator, denominator, windows, axis=1, padlen=n_padding))


class WaveformRows(LazyRows):
    """Waveforms of spikes, cut out of the raw data and filtered when they are asked for.

    Parameters
    ----------
    traces : ConcatenatedTraces
        Raw data of the channels that waveforms show.
    spike_samples : ndarray of shape (n_spikes,) and dtype int64
        When the spikes are.
    window : tuple of int
        Samples before a spike, and from it on.
    waveform_filter : WaveformFilter, optional
        What they are filtered by; nothing by default.
    """

    def __init__(
        self,
        traces: ConcatenatedTraces,
        spike_samples: NDArray[np.int64],
        window: tuple[int, int],
        waveform_filter: WaveformFilter | None = None,
    ) -> None:
        super().__init__((spike_samples.size, sum(window), traces.shape[1]), np.float32)
        self._traces, self._spike_samples, self._filter = traces, spike_samples, waveform_filter
        self._n_before = window[0]

    def read_rows(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32]:
        """Cut and filter the waveforms of spikes."""
        samples = self._spike_samples[rows]
        before, after = (0, 0) if self._filter is None else self._filter.margin_samples
        n_wide = before + self.shape[1] + after
        waveforms = np.empty((samples.size, *self.shape[1:]), np.float32)
        n_batch = max(1, _N_BATCH_VALUES // max(1, n_wide * self.shape[2]))
        for first in range(0, samples.size, n_batch):
            batch = slice(first, first + n_batch)
            windows = self._traces.windows(samples[batch] - (self._n_before + before), n_wide)
            if self._filter is not None:
                windows = self._filter.apply(windows)[:, before : n_wide - after]
            waveforms[batch] = windows
        return waveforms
