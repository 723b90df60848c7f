"""Count the time differences between spikes of one or several units."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


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
    of `b` follows a spike of `a` by a lag in ``[k, k + 1) * bin_size`` samples. A pair of equal
    times counts once, for ``[a, b]`` with `a` the earlier in the arrays; the caller
    symmetrises, so that the order of equal times does not matter.
    """
    n_spikes = samples.size
    limit = (n_half_bins + 1) * bin_size
    for i in range(n_spikes):
        start = samples[i]
        unit = units[i]
        j = i + 1
        while j < n_spikes:
            lag = samples[j] - start
            if lag >= limit:
                break
            counts[unit, units[j], lag // bin_size] += 1
            j += 1
