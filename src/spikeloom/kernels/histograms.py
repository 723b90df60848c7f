"""Count values into equal bins."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def count_intervals(
    samples: NDArray[np.int64],
    spikes: NDArray[np.integer],
    low: float,
    bin_size: float,
    counts: NDArray[np.int64],
) -> None:
    """Count the intervals between the successive `spikes` of one unit into `counts` (n_bins,).

    Intervals are in samples; those outside ``[low, low + n_bins * bin_size)`` are left out.
    """
    n_bins = counts.size
    for i in range(1, spikes.size):
        position = (samples[spikes[i]] - samples[spikes[i - 1]] - low) / bin_size
        if 0 <= position < n_bins:
            counts[int(position)] += 1


@kernel
def count_times(
    samples: NDArray[np.int64],
    spikes: NDArray[np.integer],
    low: float,
    bin_size: float,
    counts: NDArray[np.int64],
) -> None:
    """Count the times of `spikes` (in samples) into `counts` (n_bins,), bins from `low` on."""
    n_bins = counts.size
    for i in range(spikes.size):
        position = (samples[spikes[i]] - low) / bin_size
        if 0 <= position < n_bins:
            counts[int(position)] += 1


@kernel
def count_values(
    values: NDArray[np.floating], low: float, high: float, counts: NDArray[np.integer]
) -> None:
    """Count `values` into `counts` (n_bins,), equal bins from `low` to `high`, both included.

    Values outside, and those that are no numbers, are left out.
    """
    n_bins = counts.size
    bin_size = (high - low) / n_bins
    for i in range(values.size):
        if low <= values[i] <= high:
            counts[min(int((values[i] - low) / bin_size), n_bins - 1)] += 1
