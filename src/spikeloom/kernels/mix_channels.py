"""Weighted sums of independent channels, which makes them depend on each other."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def mix_channels(values: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
    """Replace `values` (n_samples, n_channels) by ``values @ weights[:n_channels]``.

    `weights` are zero below the diagonal, with rows of zeros after the last channel:
    (n_rows, n_channels), n_rows a multiple of 8. A channel is made of itself and those
    before it. Products are added in the order of channels, so that a sample comes out the same in
    whichever stretch it lies, which a library's matrix product does not promise.
    """
    n_samples, n_channels = values.shape
    row = np.zeros(weights.shape[0], values.dtype)
    for t in range(n_samples):
        mixed = values[t]
        row[:n_channels] = mixed
        mixed[:] = 0
        for k in range(0, row.size, 8):
            r0, r1, r2, r3 = row[k], row[k + 1], row[k + 2], row[k + 3]
            r4, r5, r6, r7 = row[k + 4], row[k + 5], row[k + 6], row[k + 7]
            w = weights[k : k + 8]
            w0, w1, w2, w3, w4, w5, w6, w7 = w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
            for c in range(k, n_channels):
                total = mixed[c] + r0 * w0[c] + r1 * w1[c] + r2 * w2[c] + r3 * w3[c]
                mixed[c] = total + r4 * w4[c] + r5 * w5[c] + r6 * w6[c] + r7 * w7[c]
