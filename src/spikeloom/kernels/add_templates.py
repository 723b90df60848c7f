"""Add the waveforms of spikes to traces."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def add_templates(
    block: NDArray[np.float32],
    starts: NDArray[np.int64],
    units: NDArray[np.int32],
    scales: NDArray[np.float32],
    templates: NDArray[np.float32],
) -> None:
    """Add the scaled template of each spike to `block` (n_samples, n_channels).

    `starts` (n_spikes,) is the sample of the block where each template begins, maybe before the
    block or beyond its end: what lies outside is left out. `templates` is
    (n_units, n_window_samples, n_channels). Spikes are added in the order they are given, so
    that a sample comes out the same in whichever block it lies.
    """
    n_samples, n_channels = block.shape
    n_window_samples = templates.shape[1]
    for i in range(starts.size):
        unit = units[i]
        scale = scales[i]
        first = max(0, -starts[i])
        last = min(n_window_samples, n_samples - starts[i])
        for t in range(first, last):
            for c in range(n_channels):
                block[starts[i] + t, c] += scale * templates[unit, t, c]
