"""Reduce long traces to their extremes per pixel column."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def fill_envelope(
    block: NDArray[np.float32], edges: NDArray[np.int64], envelope: NDArray[np.float32]
) -> None:
    """Write the least and greatest value of each column into `envelope`.

    `block` is (n_samples, n_channels); column `k` covers the samples
    ``edges[k]:edges[k + 1]`` (at least one); `envelope` is (n_channels, n_columns, 2).
    """
    n_columns = edges.size - 1
    n_channels = block.shape[1]
    for k in range(n_columns):
        first = edges[k]
        for c in range(n_channels):
            envelope[c, k, 0] = block[first, c]
            envelope[c, k, 1] = block[first, c]
        for t in range(first + 1, edges[k + 1]):
            for c in range(n_channels):
                value = block[t, c]
                envelope[c, k, 0] = min(envelope[c, k, 0], value)
                envelope[c, k, 1] = max(envelope[c, k, 1], value)
