"""Twin of `spikeloom.kernels.mix_channels`."""

import numpy as np


def mix_channels(values, weights):
    n_samples, n_channels = values.shape
    mixed = np.zeros((n_samples, n_channels))
    for t in range(n_samples):
        for c in range(n_channels):
            mixed[t, c] = sum(float(values[t, k]) * float(weights[k, c]) for k in range(c + 1))
    return mixed
