"""Read waveforms off a fine grid, later on some channels than on others, and scale them."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def write_delayed(
    grid: NDArray[np.floating],
    first: NDArray[np.int64],
    shares: NDArray[np.floating],
    gains: NDArray[np.floating],
    n_steps: int,
    templates: NDArray[np.floating],
) -> None:
    """Write waveforms (n_units, n_samples, n_channels) between two values of `grid` each.

    `grid` is (n_units, n_values), the others (n_units, n_channels): sample ``t`` of channel ``c``
    lies at value ``first[c] + t * n_steps``, plus the share of a step that is ``shares[c]``.
    """
    n_units, n_samples, n_channels = templates.shape
    for unit in range(n_units):
        values, template = grid[unit], templates[unit]
        for c in range(n_channels):
            share, gain = shares[unit, c], gains[unit, c]
            place = first[unit, c]
            for t in range(n_samples):
                earlier = values[place]
                later = values[place + 1]
                template[t, c] = (earlier + (later - earlier) * share) * gain
                place += n_steps
