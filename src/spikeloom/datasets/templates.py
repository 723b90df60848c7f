"""Templates of a spike sorter: stored dense or sparse, whitened or not.

A sorter works on whitened data, so its templates are unwhitened here (multiplied by the inverse
whitening matrix) to be in the units of the raw data. The main channel of a template is the one
with the largest peak-to-peak amplitude.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

N_CLOSEST_CHANNELS = 12
"""phy's default for the channels on which a template of a dense file is shown."""

SIGNAL_MAX = 1e9
"""Larger numbers in templates and whitening matrices are damage; of them 0 is made."""

_NO_SIGNAL = 1e-6
"""A sparse channel below this share of the template's largest value carries no signal."""


@dataclass(frozen=True, slots=True)
class Template:
    """One template on its best channels, the largest amplitude first."""

    channel_ids: NDArray[np.int64]
    """Channels, by falling amplitude; shape (n_channels,)."""
    waveform: NDArray[np.float32]
    """Unwhitened; shape (n_samples, n_channels)."""
    amplitudes: NDArray[np.float32]
    """Peak-to-peak amplitude on each of `channel_ids`."""


@dataclass(frozen=True)
class TemplateSet:
    """All templates of a dataset."""

    stored: NDArray[Any]
    """As on disk; shape (n_templates, n_samples, n_stored_channels)."""
    stored_channels: NDArray[np.int64] | None
    """Channels of each stored column, -1 for none; None when every column is a channel."""
    unwhitening: NDArray[np.float64] | None
    """Inverse whitening matrix (n_channels, n_channels), or None where data were not whitened."""
    channel_positions: NDArray[np.float64]
    """In um; shape (n_channels, 2)."""
    channel_shanks: NDArray[np.int64]
    """Shank of each channel."""
    scaling: float = 1.0
    """Factor from stored to raw units."""
    n_closest_channels: int = N_CLOSEST_CHANNELS
    """Channels nearest to the main one that count as best (dense templates)."""
    amplitude_threshold: float = 0.0
    """Least share of the main channel's amplitude for a best channel (dense templates)."""

    @property
    def n_templates(self) -> int:
        """Number of templates."""
        return int(self.stored.shape[0])

    @property
    def n_samples(self) -> int:
        """Length of a template in samples."""
        return int(self.stored.shape[1])

    @property
    def n_channels(self) -> int:
        """Number of channels of the dataset."""
        return len(self.channel_positions)

    def get(self, template_id: int) -> Template | None:
        """Return a template on its best channels; None for one that is absent or all zero."""
        unwhitened = self._unwhitened(template_id)
        if unwhitened is None:
            return None
        channels, waveform = unwhitened
        amplitudes = np.ptp(waveform, axis=0)
        main = int(np.argmax(amplitudes))
        if amplitudes[main] == 0:
            return None
        kept = np.arange(channels.size)
        if self.stored_channels is None:
            kept = np.flatnonzero(self._is_best(channels, amplitudes, main))
        order = kept[np.argsort(-amplitudes[kept], kind="stable")]
        return Template(channels[order], waveform[:, order], amplitudes[order])

    def dense(self, template_id: int, channel_ids: Sequence[int]) -> NDArray[np.float32]:
        """Return a template on given channels, zero where it has none; (n_samples, n_given)."""
        out = np.zeros((self.n_samples, len(channel_ids)), np.float32)
        unwhitened = self._unwhitened(template_id)
        if unwhitened is None:
            return out
        channels, waveform = unwhitened
        column_of = {int(channel): column for column, channel in enumerate(channels)}
        for position, channel in enumerate(channel_ids):
            if channel in column_of:
                out[:, position] = waveform[:, column_of[channel]]
        return out

    @cached_property
    def main_channels(self) -> NDArray[np.int64]:
        """Main channel of each template, -1 for an empty one; shape (n_templates,)."""
        return self._mains[0]

    @cached_property
    def main_amplitudes(self) -> NDArray[np.float32]:
        """Peak-to-peak amplitude of each template on its main channel; shape (n_templates,)."""
        return self._mains[1]

    @cached_property
    def main_magnitudes(self) -> NDArray[np.float32]:
        """Largest magnitude of each template on its main channel; shape (n_templates,)."""
        return self._mains[2]

    @cached_property
    def _mains(self) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
        channels = np.full(self.n_templates, -1, np.int64)
        amplitudes = np.zeros(self.n_templates, np.float32)
        magnitudes = np.zeros(self.n_templates, np.float32)
        for template_id in range(self.n_templates):
            unwhitened = self._unwhitened(template_id)
            if unwhitened is None:
                continue
            ptp = np.ptp(unwhitened[1], axis=0)
            main = int(np.argmax(ptp))
            if ptp[main] > 0:
                channels[template_id] = unwhitened[0][main]
                amplitudes[template_id] = ptp[main]
                magnitudes[template_id] = np.abs(unwhitened[1][:, main]).max()
        return channels, amplitudes, magnitudes

    def _unwhitened(self, template_id: int) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
        """Return channels and waveform (n_samples, n_channels); None without any channel."""
        if not 0 <= template_id < self.n_templates:
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # of longer floats
            told = np.asarray(self.stored[template_id], np.float64)
        # Compared so that NaN, which is no signal either, becomes 0, too.
        stored: NDArray[Any] = np.where(np.abs(told) < SIGNAL_MAX, told, 0).astype(np.float32)
        if self.stored_channels is None:
            channels = np.arange(self.n_channels)
            matrix = self.unwhitening
        else:
            channels = self.stored_channels[template_id]
            peak = np.abs(stored).max(axis=0)
            has_signal = (channels >= 0) & (peak > _NO_SIGNAL * peak.max())
            channels, stored = channels[has_signal], stored[:, has_signal]
            matrix = self.unwhitening
            if matrix is not None:
                matrix = matrix[np.ix_(channels, channels)]
        if channels.size == 0:
            return None
        if matrix is not None:
            stored = stored @ matrix.astype(np.float32)
        return channels, stored * np.float32(self.scaling)

    def _is_best(
        self, channels: NDArray[np.int64], amplitudes: NDArray[np.float32], main: int
    ) -> NDArray[np.bool_]:
        """Tell which channels are near enough to the main one, on its shank, and large enough."""
        offsets = self.channel_positions[channels] - self.channel_positions[channels[main]]
        distances = np.hypot(offsets[:, 0], offsets[:, 1])
        rank = np.empty(channels.size, np.int64)
        rank[np.argsort(distances, kind="stable")] = np.arange(channels.size)
        shanks = self.channel_shanks[channels]
        return np.asarray(
            (rank < self.n_closest_channels)
            & (shanks == shanks[main])
            & (amplitudes >= self.amplitude_threshold * amplitudes[main])
        )


def cosine_similarity(templates: TemplateSet) -> NDArray[np.float32]:
    """Return the cosine between all pairs of templates, negative values cut to zero.

    For sorters that do not write ``similar_templates.npy``. Shape (n_templates, n_templates).
    """
    every_channel = range(templates.n_channels)
    flat = np.zeros((templates.n_templates, templates.n_samples * templates.n_channels), np.float32)
    for template_id in range(templates.n_templates):
        flat[template_id] = templates.dense(template_id, every_channel).reshape(-1)
    return cosine(flat)


def cosine(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the cosine between all pairs of rows, negative values and those of zeros as zero.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_values) and dtype float32
        What is compared.

    Returns
    -------
    ndarray of shape (n_rows, n_rows) and dtype float32
        From 0 to 1.

    Examples
    --------
    >>> cosine(np.array([[2.0, 0.0], [3.0, 3.0], [-1.0, 0.0]], np.float32)).round(2)
    array([[1.  , 0.71, 0.  ],
           [0.71, 1.  , 0.  ],
           [0.  , 0.  , 1.  ]], dtype=float32)
    """
    # Squares of large values are beyond float32.
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))[:, np.newaxis]
    unit = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 0)
    return np.asarray(np.clip(unit @ unit.T, 0, 1), np.float32)
