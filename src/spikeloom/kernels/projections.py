"""Projections of the windows around spikes, straight from the traces."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel, kernel_part


class Axes(NamedTuple):
    """What windows are projected on, laid out for each set of channels that a unit has."""

    set_of: NDArray[np.int64]
    """Set of channels of each unit; shape (n_units,)."""
    first: NDArray[np.int64]
    """Where the channels of each set begin, and the end; shape (n_sets + 1,)."""
    channels: NDArray[np.int64]
    """Channels of one set after the other."""
    weights: NDArray[np.floating]
    """Of one set after the other, (n_window, n_components, n_channels_of_set) each; flat."""
    offsets: NDArray[np.floating]
    """Added to projections, (n_components, n_channels_of_set) each; flat."""
    columns: NDArray[np.int64]
    """Where projections of units on channels go; shape (n_units, n_channels)."""


@kernel_part
def _add_weighted(
    values: NDArray[np.floating],
    weights: NDArray[np.floating],
    n: int,
    sums: NDArray[np.floating],
) -> None:
    """Add the values of n channels to the sums of all components."""
    for p in range(sums.shape[0]):
        for k in range(n):
            sums[p, k] += values[k] * weights[p * n + k]


@kernel
def project_windows(
    traces: NDArray[np.generic],
    scale: NDArray[np.float32],
    starts: NDArray[np.int64],
    units: NDArray[np.int64],
    n_window: int,
    axes: Axes,
    projections: NDArray[np.floating],
) -> None:
    """Fill `projections` (n_spikes, n_components, n_columns) for windows that begin at `starts`.

    `traces` is (n_rows, n_channels), zero beyond; `scale` (2, n_channels) has gains and offsets.
    """
    n_components, n_most = projections.shape[1], axes.columns.shape[1]
    values = np.empty((n_window, n_most), axes.weights.dtype)
    sums = np.empty((n_components, n_most), axes.weights.dtype)
    for i in range(starts.size):
        one = axes.set_of[units[i]]
        begin, n = axes.first[one], axes.first[one + 1] - axes.first[one]
        channels = axes.channels[begin : begin + n]
        for p in range(n_components):
            for k in range(n):
                sums[p, k] = axes.offsets[n_components * begin + p * n + k]
        since, last = max(0, -starts[i]), min(n_window, traces.shape[0] - starts[i])
        # All values before all sums: what was just written is slow to be read.
        for t in range(since, last):
            source = traces[starts[i] + t]
            for k in range(n):
                c = channels[k]
                values[t, k] = np.float32(source[c]) * scale[0, c] + scale[1, c]
        for t in range(since, last):
            place = n_components * (n_window * begin + t * n)
            _add_weighted(values[t], axes.weights[place : place + n_components * n], n, sums)
        for p in range(n_components):
            for k in range(n):
                projections[i, p, axes.columns[units[i], channels[k]]] = sums[p, k]
