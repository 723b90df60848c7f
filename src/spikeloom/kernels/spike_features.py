"""Numbers that tell where a spike comes from, straight from the traces around it.

Spikes are given by `rows`, the row of the traces at which each is, and `channels`, from which each
is looked at.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel, kernel_part

PTP, MEAN, ENERGY, AT_SPIKE = 0, 1, 2, 3
"""Highest less lowest value, mean, root of the sum of squares, value at the spike."""


class Around(NamedTuple):
    """Traces, and which channels are around each."""

    traces: NDArray[np.generic]
    """Shape (n_rows, n_channels); zero beyond."""
    scale: NDArray[np.float32]
    """Gains and offsets; shape (2, n_channels)."""
    first: NDArray[np.int64]
    """Where the channels around each begin in `columns`, and the end; shape (n_channels + 1,)."""
    columns: NDArray[np.int64]
    """Positions of channels."""


@kernel_part
def _fill_range(
    around: Around, chosen: NDArray[np.int64], begin: int, end: int, values: NDArray[np.float64]
) -> None:
    """Fill `values` with the highest less the lowest value on each chosen channel."""
    low, high = np.full(chosen.size, np.float32(np.inf)), np.full(chosen.size, np.float32(-np.inf))
    for t in range(max(0, begin), min(around.traces.shape[0], end)):
        source = around.traces[t]
        for k in range(chosen.size):
            c = chosen[k]
            value = np.float32(source[c]) * around.scale[0, c] + around.scale[1, c]
            low[k] = min(low[k], value)
            high[k] = max(high[k], value)
    if begin < 0 or end > around.traces.shape[0]:
        for k in range(chosen.size):
            low[k], high[k] = min(low[k], np.float32(0)), max(high[k], np.float32(0))
    for k in range(chosen.size):
        values[k] = np.float64(high[k]) - np.float64(low[k])


@kernel_part
def _fill_sums(
    around: Around,
    chosen: NDArray[np.int64],
    begin: int,
    end: int,
    power: int,
    values: NDArray[np.float64],
) -> None:
    """Add the values, or for a power of 2 their squares, on each chosen channel to `values`."""
    for t in range(max(0, begin), min(around.traces.shape[0], end)):
        source = around.traces[t]
        for k in range(chosen.size):
            c = chosen[k]
            value = np.float64(np.float32(source[c]) * around.scale[0, c] + around.scale[1, c])
            values[k] += value * value if power == 2 else value


@kernel
def neighbour_features(
    around: Around,
    rows: NDArray[np.int64],
    channels: NDArray[np.int64],
    window: tuple[int, int],
    feature: int,
    features: NDArray[np.float64],
) -> None:
    """Fill `features` (n_spikes, n_around_max), zeros, for the channels around each spike's.

    `window` has the samples before a spike, and those from it on.
    """
    for i in range(rows.size):
        chosen = around.columns[around.first[channels[i]] : around.first[channels[i] + 1]]
        values = features[i, : chosen.size]
        begin, end = rows[i] - window[0], rows[i] + window[1]
        if feature == PTP:
            _fill_range(around, chosen, begin, end, values)
        elif feature == AT_SPIKE:
            _fill_sums(around, chosen, rows[i], rows[i] + 1, 1, values)
        else:
            power = 2 if feature == ENERGY else 1
            _fill_sums(around, chosen, begin, end, power, values)
            for k in range(values.size):
                values[k] = np.sqrt(values[k]) if power == 2 else values[k] / (end - begin)


@kernel
def neighbour_products(
    around: Around,
    rows: NDArray[np.int64],
    channels: NDArray[np.int64],
    nbefore: int,
    shape: NDArray[np.float64],
    products: NDArray[np.float64],
) -> None:
    """Add windows times a waveform of shape (n_window,), summed over time.

    `products` is (n_spikes, n_around_max), of the channels around each spike's.
    """
    n_rows = around.traces.shape[0]
    for i in range(rows.size):
        chosen = around.columns[around.first[channels[i]] : around.first[channels[i] + 1]]
        start = rows[i] - nbefore
        for t in range(max(0, -start), min(shape.size, n_rows - start)):
            source = around.traces[start + t]
            for k in range(chosen.size):
                c = chosen[k]
                value = np.float32(source[c]) * around.scale[0, c] + around.scale[1, c]
                products[i, k] += np.float64(value) * shape[t]


@kernel
def strongest_channels(
    around: Around,
    rows: NDArray[np.int64],
    channels: NDArray[np.int64],
    sign: int,
    strongest: NDArray[np.int64],
) -> None:
    """Fill `strongest` with the channel around each spike's that has its farthest value.

    `sign` is -1 for the lowest value, 1 for the highest, 0 for either.
    """
    for i in range(rows.size):
        strongest[i] = channels[i]
        best = -np.inf
        for c in around.columns[around.first[channels[i]] : around.first[channels[i] + 1]]:
            value = np.float64(
                np.float32(around.traces[rows[i], c]) * around.scale[0, c] + around.scale[1, c]
            )
            height = abs(value) if sign == 0 else sign * value
            if height > best:
                best = height
                strongest[i] = c


@kernel
def weighted_centers(
    features: NDArray[np.float64],
    channels: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    locations: NDArray[np.float64],
    centers: NDArray[np.float64],
) -> None:
    """Fill `centers` (n_spikes, 2): positions of channels, averaged with `features` as weights.

    Nan where the weights add up to zero.
    """
    for i in range(channels.size):
        chosen = columns[first[channels[i]] : first[channels[i] + 1]]
        x = y = total = 0.0
        for k in range(chosen.size):
            weight = features[i, k]
            total += weight
            x += weight * locations[chosen[k], 0]
            y += weight * locations[chosen[k], 1]
        centers[i, 0] = x / total if total != 0 else np.nan
        centers[i, 1] = y / total if total != 0 else np.nan


@kernel_part
def _fill_likeness(
    products: NDArray[np.float64], weights: NDArray[np.float32], alike: NDArray[np.float32]
) -> None:
    """Fill `alike` (n_depths, n_points) with the products of a spike, weighted."""
    n_depths, n_channels, n_points = weights.shape
    row = np.empty(n_points)
    for d in range(n_depths):
        row[:] = 0.0
        for c in range(n_channels):
            product = products[c]
            source = weights[d, c]
            for p in range(n_points):
                row[p] += product * source[p]
        for p in range(n_points):
            alike[d, p] = row[p]


@kernel_part
def _quantile(alike: NDArray[np.float32], fraction: float) -> np.float32:
    """Return the quantile of what is not negative, between two values as numpy does it."""
    valid = np.empty(alike.size, np.float32)
    n_valid = 0
    for value in alike.flat:
        if value >= 0:
            valid[n_valid] = value
            n_valid += 1
    if n_valid == 0:
        return np.float32(0)
    place = fraction * (n_valid - 1)
    below = int(place)
    # What is above the smaller of the two stands behind it.
    parted = np.partition(valid[:n_valid], below)
    a = np.float64(parted[below])
    b = a if below + 1 == n_valid else np.float64(parted[below + 1 :].min())
    return np.float32(a + (b - a) * (place - below))


@kernel
def grid_centers(
    products: NDArray[np.float64],
    weights: NDArray[np.float32],
    positions: NDArray[np.float64],
    depths: NDArray[np.float64],
    fraction: float,
    centers: NDArray[np.float64],
) -> None:
    """Fill `centers` (n_spikes, 3): the average of the points of a grid that are most alike.

    `products` is (n_spikes, n_channels), `weights` (n_depths, n_channels, n_points). Of what is
    alike, the part `fraction` that is least alike does not count. Zero where nothing is alike.
    """
    n_depths, _, n_points = weights.shape
    alike = np.empty((n_depths, n_points), np.float32)
    for i in range(products.shape[0]):
        _fill_likeness(products[i], weights, alike)
        threshold = _quantile(alike, fraction)
        x = y = z = total = 0.0
        for d in range(n_depths):
            for p in range(n_points):
                if alike[d, p] >= threshold and alike[d, p] > 0:
                    weight = np.float64(alike[d, p])
                    total += weight
                    x += weight * positions[p, 0]
                    y += weight * positions[p, 1]
                    z += weight * depths[d]
        centers[i, 0] = x / total if total > 0 else 0.0
        centers[i, 1] = y / total if total > 0 else 0.0
        centers[i, 2] = z / total if total > 0 else 0.0
