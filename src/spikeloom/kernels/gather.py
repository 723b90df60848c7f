"""Copy what belongs to given spikes: values of each, and short windows of raw traces."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def gather_items(
    values: NDArray[np.integer], items: NDArray[np.integer], gathered: NDArray[np.integer]
) -> None:
    """Copy the value of each of `items` into `gathered`, faster than numpy's indexing."""
    for k in range(items.size):
        gathered[k] = values[items[k]]


@kernel
def gather_scaled(
    values: NDArray[np.generic],
    items: NDArray[np.integer],
    factor: float,
    divisor: float,
    scaled: NDArray[np.floating],
) -> None:
    """Write ``values[item] * factor / divisor`` for each of `items` into `scaled`."""
    for k in range(items.size):
        scaled[k] = values[items[k]] * factor / divisor


@kernel
def gather_windows(
    raw: NDArray[np.generic],
    starts: NDArray[np.int64],
    channels: NDArray[np.int64],
    windows: NDArray[np.float32],
) -> None:
    """Copy the window that begins at each of `starts` into `windows`.

    `raw` is (n_samples, n_raw_channels) of any number type, `windows` is
    (n_windows, n_window_samples, n_channels). Outside the recording the nearest sample is
    repeated, so that a filter sees no step there.
    """
    n_samples = raw.shape[0]
    n_window_samples = windows.shape[1]
    n_channels = channels.size
    for i in range(starts.size):
        for t in range(n_window_samples):
            sample = starts[i] + t
            sample = min(max(sample, 0), n_samples - 1)
            for c in range(n_channels):
                windows[i, t, c] = raw[sample, channels[c]]


@kernel
def blank_outside(windows: NDArray[np.float32], starts: NDArray[np.int64], n_samples: int) -> None:
    """Set to zero what lies outside ``[0, n_samples)`` in `windows` that begin at `starts`."""
    n_window_samples = windows.shape[1]
    for i in range(starts.size):
        for t in range(n_window_samples):
            if not 0 <= starts[i] + t < n_samples:
                windows[i, t, :] = 0


@kernel
def mean_by_channel(windows: NDArray[np.float32], mean: NDArray[np.float64]) -> None:
    """Average `windows` (n_windows, n_samples, n_channels) over windows into `mean`."""
    n_windows = windows.shape[0]
    mean[:] = 0
    for i in range(n_windows):
        for t in range(windows.shape[1]):
            for c in range(windows.shape[2]):
                mean[t, c] += windows[i, t, c]
    if n_windows > 0:
        mean /= n_windows
