"""Count the time differences between spikes of one or several units."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel

_TABLE_SIZE = 1 << 16
"""Lags whose bins are looked up; longer ones are divided."""


@kernel
def count_lags(
    samples: NDArray[np.int64],
    units: NDArray[np.int32],
    bin_size: int,
    n_half_bins: int,
    counts: NDArray[np.int64],
) -> None:
    """Add the lag of every pair of spikes to `counts` (n_units, n_units, n_half_bins + 1).

    `samples` (n_spikes,) do not decrease. ``counts[a, b, k]`` counts the pairs where a spike
    of `b` follows a spike of `a` by a lag in ``[k, k + 1) * bin_size`` samples. Spikes of two
    units at the same sample follow each other both ways, so that the order of equal times does
    not matter.
    """
    n_spikes = samples.size
    limit = (n_half_bins + 1) * bin_size
    # A division for each pair would take longer than all the rest.
    bin_of = np.empty(min(limit, _TABLE_SIZE), np.int32)
    for lag in range(bin_of.size):
        bin_of[lag] = lag // bin_size
    for i in range(n_spikes):
        start = samples[i]
        unit = units[i]
        j = i + 1
        while j < n_spikes:
            lag = samples[j] - start
            if lag >= limit:
                break
            k = bin_of[lag] if lag < _TABLE_SIZE else lag // bin_size
            counts[unit, units[j], k] += 1
            if lag == 0 and units[j] != unit:
                counts[units[j], unit, 0] += 1
            j += 1
