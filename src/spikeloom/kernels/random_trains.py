"""Random spike trains of many units: exponential rests between spikes, put in a row."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.exponential_numbers import N_TOGETHER, fill_exponential
from spikeloom.kernels.jit import kernel

FIXED_POINT = 2.0**32
"""Steps of the unit in which rests are summed: sums of whole numbers never depend on the order."""


@kernel
def fill_renewal_trains(
    units: NDArray[np.int64],
    refractory: NDArray[np.int64],
    scales: NDArray[np.float64],
    n_samples: int,
    keys: NDArray[np.uint32],
    starts: NDArray[np.int64],
    samples: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> bool:
    """Write trains in which each interval is a refractory period and a random rest.

    Train ``k``, of unit ``units[k]``, is written from ``samples[starts[k]]`` on and has room up to
    ``starts[k + 1]``; `counts` (n_trains,) is how many of its spikes lie before `n_samples`. Rests
    are exponential numbers times ``scales[k]``, rounded down. Returns whether there was room.
    """
    rests = np.empty(N_TOGETHER, np.float32)
    key_0, key_1 = keys[0], keys[1]
    for k in range(units.size):
        place, end = starts[k], starts[k + 1]
        period, scale = refractory[k], scales[k]
        sample = -period
        n_drawn = 0
        while sample < n_samples:
            fill_exponential(rests, units[k], n_drawn, key_0, key_1)
            n_drawn += rests.size
            for i in range(rests.size):
                sample += period + np.int64(np.float64(rests[i]) * scale)
                if sample >= n_samples:
                    break
                if place == end:
                    return False
                samples[place] = sample
                place += 1
        counts[k] = place - starts[k]
    return True


@kernel
def fill_even_trains(
    units: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_free: NDArray[np.int64],
    keys: NDArray[np.uint32],
    starts: NDArray[np.int64],
    samples: NDArray[np.int64],
) -> None:
    """Write trains whose spikes are spread evenly, but for a refractory period between them.

    Train ``k``, of unit ``units[k]``, is ``samples[starts[k]:starts[k + 1]]``. Without the periods
    its spikes lie anywhere in ``n_free[k]`` samples: sums of exponential numbers over the sum of
    one more of them are even random numbers in order.
    """
    rests = np.empty(N_TOGETHER, np.float32)
    key_0, key_1 = keys[0], keys[1]
    for k in range(units.size):
        begin, end = starts[k], starts[k + 1]
        total = np.int64(0)
        for first in range(0, end - begin + 1, rests.size):
            fill_exponential(rests, units[k], first, key_0, key_1)
            for i in range(min(rests.size, end - begin + 1 - first)):
                total += np.int64(np.float64(rests[i]) * FIXED_POINT)
                if begin + first + i < end:
                    samples[begin + first + i] = total
        whole, room = np.float64(total), np.float64(n_free[k])
        for i in range(end - begin):
            sample = np.int64(np.float64(samples[begin + i]) / whole * room)
            samples[begin + i] = min(sample, n_free[k] - 1) + i * refractory[k]
