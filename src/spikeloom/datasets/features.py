"""Principal-component features as sorters store them: sparse in channels, maybe in spikes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.kernels.sparse_rows import gather_columns


@dataclass(frozen=True)
class SparseFeatures:
    """Features of (some of) the spikes on (some of) the channels."""

    stored: NDArray[Any]
    """As on disk; shape (n_stored_spikes, n_components, n_stored_channels)."""
    channel_ids: NDArray[np.int64] | None
    """Channels of a template's stored columns (n_templates, n_stored_channels), -1 for none.

    None when every column is a channel.
    """
    spike_ids: NDArray[np.int64] | None
    """Spike of each stored row, or None when every spike has a row."""
    spike_templates: NDArray[np.int32]
    """Template of each spike of the dataset; shape (n_spikes,)."""
    n_channels: int
    """Channels of the dataset."""

    @property
    def n_components(self) -> int:
        """Number of principal components per channel."""
        return int(self.stored.shape[1])

    @property
    def n_stored_spikes(self) -> int:
        """Number of spikes that have features."""
        return int(self.stored.shape[0])

    def get(
        self,
        spikes: NDArray[np.integer],
        channel_ids: Sequence[int],
        *,
        template: int | None = None,
    ) -> NDArray[np.float32]:
        """Return the features of `spikes` on `channel_ids`; nan where there are none.

        If they are known to have one `template`, it need not be looked up for each.

        Returns
        -------
        ndarray of shape (n_spikes, n_components, n_channels) and dtype float32

        Raises
        ------
        ParameterError
            If a channel does not exist.
        """
        rows = self.rows_of(spikes)
        templates = self.spike_templates[spikes] if template is None else np.array([template])
        columns = self.columns_of(templates, channel_ids)
        if template is not None:
            columns = np.broadcast_to(columns, (rows.size, columns.shape[1])).copy()
        if self.spike_ids is not None:
            columns[rows < 0] = -1
            rows = np.maximum(rows, 0)
        picked = np.empty((rows.size, self.n_components, columns.shape[1]), np.float32)
        gather_columns(self.stored, rows, columns, picked)
        return picked

    def columns_of(
        self, templates: NDArray[np.integer], channel_ids: Sequence[int]
    ) -> NDArray[np.int64]:
        """Return the stored column of each channel for spikes of `templates`, -1 for none.

        Returns
        -------
        ndarray of shape (n_templates, n_channels) and dtype int64

        Raises
        ------
        ParameterError
            If a channel does not exist.
        """
        wanted = np.asarray(channel_ids, np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < self.n_channels:
            msg = f"There are channels 0 to {self.n_channels - 1}; {list(channel_ids)} were asked."
            raise ParameterError(msg)
        if self._column_of is None:
            return np.broadcast_to(wanted, (templates.size, wanted.size)).copy()
        return np.asarray(self._column_of[np.ix_(templates, wanted)])

    def rows_of(self, spikes: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the stored row of each spike, -1 for a spike without features."""
        if self.spike_ids is None:
            return np.asarray(spikes, np.int64)
        ids, order = self._sorted_ids
        if ids.size == 0:
            return np.full(spikes.size, -1)
        positions = np.minimum(np.searchsorted(ids, spikes), ids.size - 1)
        return np.where(ids[positions] == spikes, order[positions], -1)

    @cached_property
    def _sorted_ids(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        ids = np.zeros(0, np.int64) if self.spike_ids is None else self.spike_ids
        order = np.argsort(ids, kind="stable")
        return ids[order], order

    @cached_property
    def _column_of(self) -> NDArray[np.int64] | None:
        """Column of each channel in each template's rows (n_templates, n_channels), -1: none."""
        if self.channel_ids is None:
            return None
        n_templates = max(len(self.channel_ids), int(self.spike_templates.max(initial=0)) + 1)
        table = np.full((n_templates, self.n_channels), -1, np.int64)
        # From the last column to the first: a channel listed twice is read from its first column.
        for column in reversed(range(self.channel_ids.shape[1])):
            listed = self.channel_ids[:, column]
            templates = np.flatnonzero((listed >= 0) & (listed < self.n_channels))
            table[templates, listed[templates]] = column
        return table
