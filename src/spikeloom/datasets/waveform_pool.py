"""Waveforms of a subset of spikes, saved beside a dataset whose raw data stay elsewhere.

The three files ``_phy_spikes_subset.{waveforms,channels,spikes}.npy`` of phy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WaveformPool:
    """Waveforms of some spikes on some channels each."""

    spike_ids: NDArray[np.int64]
    """The spikes, increasing; shape (n_stored,)."""
    rows: NDArray[np.int64]
    """Stored row of each of `spike_ids`."""
    stored: NDArray[Any]
    """Shape (n_stored, n_samples, n_stored_channels)."""
    channel_ids: NDArray[np.int64]
    """Channel of each stored column, -1 for none; shape (n_stored, n_stored_channels)."""

    def select(self, spikes: NDArray[np.integer]) -> NDArray[np.integer]:
        """Return those of `spikes` (increasing) that are in the pool."""
        return spikes[np.isin(spikes, self.spike_ids, assume_unique=True)]

    def get(self, spikes: NDArray[np.integer], channel_ids: Sequence[int]) -> NDArray[np.float32]:
        """Return waveforms (n_spikes, n_samples, n_channels) of `spikes`, all in the pool."""
        rows = self.rows[np.searchsorted(self.spike_ids, spikes)]
        out = np.zeros((rows.size, self.stored.shape[1], len(channel_ids)), np.float32)
        for position, channel in enumerate(channel_ids):
            spike, column = np.nonzero(self.channel_ids[rows] == channel)
            out[spike, :, position] = self.stored[rows[spike], :, column]
        return out


def make_pool(
    spike_ids: NDArray[Any], stored: NDArray[Any], channel_ids: NDArray[np.int64]
) -> WaveformPool:
    """Make a pool from arrays in any order of spikes."""
    order = np.argsort(spike_ids, kind="stable").astype(np.int64)
    return WaveformPool(spike_ids[order].astype(np.int64), order, stored, channel_ids)
