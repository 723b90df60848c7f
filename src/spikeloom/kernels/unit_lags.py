"""Count how far behind the spikes of some units those of all units are, unit by unit.

Spikes of one unit are looked at one after the other, so that all counts that are written meanwhile
lie in the rows of this unit: they stay in the processor's cache, and threads that work on different
units never write to the same place.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel

_TABLE_SIZE = 1 << 16
"""Lags whose bins are looked up; longer ones are divided."""


@kernel
def count_lags_of_units(
    samples: NDArray[np.int64],
    units: NDArray[np.integer],
    order: NDArray[np.int64],
    starts: NDArray[np.int64],
    chosen: NDArray[np.int64],
    bin_size: int,
    within: NDArray[np.int64],
    at_edge: NDArray[np.int64],
) -> None:
    """Add the lags of pairs, of a spike of a chosen unit and a later one, to the counts.

    `samples` (n_spikes,) do not decrease; ``order[starts[u] : starts[u + 1]]`` are the spikes of
    unit `u`, increasing. ``within[i, b, k]``, of shape (n_chosen, n_units, n_bins), counts lags
    from unit ``chosen[i]`` to unit `b` in ``[k, k + 1) * bin_size`` samples, and
    ``at_edge[i, b, k]``, of shape (n_chosen, n_units, n_bins + 1), those of just ``k * bin_size``.
    """
    n_spikes = samples.size
    limit = within.shape[2] * bin_size
    # A division for each pair would take longer than all the rest.
    bin_of = np.empty(min(limit, _TABLE_SIZE), np.int32)
    for lag in range(bin_of.size):
        bin_of[lag] = lag // bin_size
    for row in range(chosen.size):
        inside = within[row]
        edge = at_edge[row]
        for k in range(starts[chosen[row]], starts[chosen[row] + 1]):
            i = order[k]
            start = samples[i]
            j = i + 1
            while j < n_spikes:
                lag = samples[j] - start
                if lag >= limit:
                    break
                at = bin_of[lag] if lag < _TABLE_SIZE else lag // bin_size
                inside[units[j], at] += 1
                if at * bin_size == lag:
                    edge[units[j], at] += 1
                j += 1
            while j < n_spikes and samples[j] - start == limit:
                edge[units[j], within.shape[2]] += 1
                j += 1
