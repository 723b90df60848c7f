"""Sums and sums of squares of traces, by channel."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def add_moments(
    traces: NDArray[np.generic],
    centres: NDArray[np.float64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    """Add distances from `centres`, and their squares, of all samples of each channel.

    `traces` is (n_samples, n_channels). A centre amid the values keeps what is small beside them.
    """
    n_samples, n_channels = traces.shape
    for t in range(n_samples):
        row = traces[t]
        for c in range(n_channels):
            value = np.float64(row[c]) - centres[c]
            sums[c] += value
            squares[c] += value * value
