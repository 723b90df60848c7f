"""Put spikes between others, both in order of sample, then unit: one look at each."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def insert_spikes(
    samples: NDArray[np.int64],
    units: NDArray[np.int32],
    more_samples: NDArray[np.int64],
    more_units: NDArray[np.int32],
    merged_samples: NDArray[np.int64],
    merged_units: NDArray[np.int32],
    places: NDArray[np.int64],
) -> bool:
    """Write both in order, and where each of the second ones went into `places` (n_more,).

    The first ones, increasing by sample, come first where both are equal. Returns False, with
    nothing worth keeping written, if units of the first ones do not increase within a sample.
    """
    n_there = samples.size
    i = 0
    are_in_order = True
    for k in range(more_samples.size + 1):
        # What lies before the next spike to put in is a stretch to copy.
        begin = i
        if k < more_samples.size:
            sample, unit = more_samples[k], more_units[k]
            while i < n_there and samples[i] < sample:
                i += 1
            while i < n_there and samples[i] == sample and units[i] <= unit:
                i += 1
        else:
            i = n_there
        for there in range(begin, i):
            merged_samples[there + k] = samples[there]
            merged_units[there + k] = units[there]
        if k < more_samples.size:
            merged_samples[i + k], merged_units[i + k] = sample, unit
            places[k] = i + k
    for there in range(1, n_there):
        are_in_order &= (samples[there] != samples[there - 1]) | (units[there] >= units[there - 1])
    return are_in_order
