"""Windows of traces around spikes: copied into one array, or added up by unit without copying.

Windows are given by `starts`, the row of `traces` (n_samples, n_channels) where each begins, maybe
before the first or so late that it ends beyond the last: what lies outside is left as it is.
The channels of unit `u` are ``columns[first[u] : first[u + 1]]``; they fill the first places of its
windows. Kernels called ``..._all`` take all channels, of which a row can be read at once.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def copy_all(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    windows: NDArray[np.generic],
) -> None:
    """Copy each window to ``windows[place]``; `windows` is (n_windows, n_window, n_channels)."""
    n_samples, n_channels = traces.shape
    n_window = windows.shape[1]
    for i in range(starts.size):
        window = windows[places[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = window[t]
            for c in range(n_channels):
                target[c] = source[c]


@kernel
def copy_some(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    units: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    windows: NDArray[np.generic],
) -> None:
    """Copy the channels of its unit from each window to ``windows[place]``."""
    n_samples = traces.shape[0]
    n_window = windows.shape[1]
    for i in range(starts.size):
        chosen = columns[first[units[i]] : first[units[i] + 1]]
        window = windows[places[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = window[t]
            for c in range(chosen.size):
                target[c] = source[chosen[c]]


@kernel
def scale_all(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    scale: NDArray[np.float32],
    windows: NDArray[np.floating],
) -> None:
    """Write ``traces * scale[0] + scale[1]`` (float32, by channel) of each window to its place."""
    n_samples, n_channels = traces.shape
    gains, offsets = scale[0], scale[1]
    n_window = windows.shape[1]
    for i in range(starts.size):
        window = windows[places[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = window[t]
            for c in range(n_channels):
                target[c] = np.float32(source[c]) * gains[c] + offsets[c]


@kernel
def scale_some(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    places: NDArray[np.int64],
    units: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    scale: NDArray[np.float32],
    windows: NDArray[np.floating],
) -> None:
    """Write the scaled channels of its unit from each window to its place."""
    gains, offsets = scale[0], scale[1]
    n_samples = traces.shape[0]
    n_window = windows.shape[1]
    for i in range(starts.size):
        chosen = columns[first[units[i]] : first[units[i] + 1]]
        window = windows[places[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = window[t]
            for c in range(chosen.size):
                channel = chosen[c]
                target[c] = np.float32(source[channel]) * gains[channel] + offsets[channel]


@kernel
def add_all(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    units: NDArray[np.int64],
    rounder: float,
    sums: NDArray[np.float64],
) -> None:
    """Add each window to ``sums[unit]``; `sums` is (n_units, n_window, n_channels).

    To add `rounder`, 1.5 * 2**52 times a power of two, and take it away again rounds a number to a
    multiple of that power, so that sums are exact and their order does not matter; 0 rounds
    nothing.
    """
    n_samples, n_channels = traces.shape
    n_window = sums.shape[1]
    for i in range(starts.size):
        total = sums[units[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = total[t]
            for c in range(n_channels):
                target[c] += (np.float64(source[c]) + rounder) - rounder


@kernel
def add_some(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    units: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    rounder: float,
    sums: NDArray[np.float64],
) -> None:
    """Add the channels of its unit from each window to ``sums[unit]``, rounded like `add_all`."""
    n_samples = traces.shape[0]
    n_window = sums.shape[1]
    for i in range(starts.size):
        chosen = columns[first[units[i]] : first[units[i] + 1]]
        total = sums[units[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = total[t]
            for c in range(chosen.size):
                target[c] += (np.float64(source[chosen[c]]) + rounder) - rounder


@kernel
def add_squares_all(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    units: NDArray[np.int64],
    rounder: float,
    squares: NDArray[np.float64],
) -> None:
    """Add the squares of each window to ``squares[unit]``, rounded like `add_all`."""
    n_samples, n_channels = traces.shape
    n_window = squares.shape[1]
    for i in range(starts.size):
        total = squares[units[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = total[t]
            for c in range(n_channels):
                value = np.float64(source[c])
                target[c] += (value * value + rounder) - rounder


@kernel
def add_squares_some(
    traces: NDArray[np.generic],
    starts: NDArray[np.int64],
    units: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    rounder: float,
    squares: NDArray[np.float64],
) -> None:
    """Add the squares of the channels of its unit from each window to ``squares[unit]``."""
    n_samples = traces.shape[0]
    n_window = squares.shape[1]
    for i in range(starts.size):
        chosen = columns[first[units[i]] : first[units[i] + 1]]
        total = squares[units[i]]
        for t in range(max(0, -starts[i]), min(n_window, n_samples - starts[i])):
            source = traces[starts[i] + t]
            target = total[t]
            for c in range(chosen.size):
                value = np.float64(source[chosen[c]])
                target[c] += (value * value + rounder) - rounder
