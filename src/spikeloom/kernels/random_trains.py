"""Random spike trains of many units: exponential rests between spikes, put in a row."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.exponential_numbers import N_TOGETHER, fill_exponential
from spikeloom.kernels.jit import kernel, kernel_part
from spikeloom.kernels.normal_numbers import random_words

FIXED_POINT = 2.0**32
"""Steps of the unit in which rests are summed: sums of whole numbers never depend on the order."""

SHUFFLE_PERIODS = 20.0
"""How many refractory periods later spikes are at most that were moved."""

_PER_WORD = 2.0**-32
_WORD_BITS = np.uint64(32)
_N_PURPOSES = 4  # of the numbers of a shuffled train: still, moved, how far, left out
_BEHIND_ALL = np.int64(1 << 62)


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


@kernel_part
def _fill_even(
    samples: NDArray[np.int64],
    unit: int,
    refractory: int,
    n_free: int,
    rests: NDArray[np.float32],
    key_0: np.uint32,
    key_1: np.uint32,
) -> None:
    """Write one train of `fill_even_trains`, from the numbers of `unit`."""
    total = np.int64(0)
    for first in range(0, samples.size + 1, rests.size):
        fill_exponential(rests, unit, first, key_0, key_1)
        for i in range(min(rests.size, samples.size + 1 - first)):
            total += np.int64(np.float64(rests[i]) * FIXED_POINT)
            if first + i < samples.size:
                samples[first + i] = total
    whole, room = np.float64(total), np.float64(n_free)
    for i in range(samples.size):
        sample = np.int64(np.float64(samples[i]) / whole * room)
        samples[i] = min(int(sample), n_free - 1) + i * refractory


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
    for k in range(units.size):
        train = samples[starts[k] : starts[k + 1]]
        _fill_even(train, units[k], refractory[k], n_free[k], rests, keys[0], keys[1])


@kernel_part
def _move(
    moved: NDArray[np.int64],
    unit: int,
    period: int,
    key_0: np.uint32,
    key_1: np.uint32,
) -> None:
    """Put spikes 1 to `SHUFFLE_PERIODS` periods later, mostly few, and in order again."""
    words = np.empty(N_TOGETHER, np.uint32)
    for first in range(0, moved.size, words.size):
        first_pair = (unit << 32) | (first >> 1)
        for pair in range(words.size >> 1):
            words[2 * pair], words[2 * pair + 1] = random_words(first_pair + pair, key_0, key_1)
        for i in range(min(words.size, moved.size - first)):
            share = np.float64(words[i]) * _PER_WORD
            later = np.float64(period) * (1.0 + (SHUFFLE_PERIODS - 1.0) * (share * share))
            moved[first + i] += np.int64(later)
    # Hardly any spike overtakes another one.
    for i in range(1, moved.size):
        sample = moved[i]
        place = i
        while place > 0 and moved[place - 1] > sample:
            moved[place] = moved[place - 1]
            place -= 1
        moved[place] = sample


@kernel_part
def _leave_out(
    samples: NDArray[np.int64],
    n_spikes: int,
    n_out: int,
    unit: int,
    key_0: np.uint32,
    key_1: np.uint32,
) -> None:
    """Remove `n_out` of the first `n_spikes`, drawn one by one from the words of `unit`."""
    is_out = np.zeros(n_spikes, np.bool_)
    first_out, n_left, pair = n_spikes, n_out, 0
    while n_left > 0:
        words = random_words((unit << 32) | pair, key_0, key_1)
        pair += 1
        for which in range(2):
            drawn = int(np.int64((np.uint64(words[which]) * np.uint64(n_spikes)) >> _WORD_BITS))
            if n_left > 0 and not is_out[drawn]:
                is_out[drawn] = True
                first_out = min(first_out, drawn)
                n_left -= 1
    place = first_out
    for i in range(first_out, n_spikes):
        samples[place] = samples[i]
        place += not is_out[i]


@kernel
def fill_shuffled_trains(
    units: NDArray[np.int64],
    n_wanted: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_samples: int,
    keys: NDArray[np.uint32],
    starts: NDArray[np.int64],
    samples: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Write trains spread evenly, of which half of the spikes were moved to behind others.

    For train ``k``, of unit ``units[k]``, ``starts[k + 1] - starts[k]`` spikes are drawn. Half of
    them are put 1 to `SHUFFLE_PERIODS` refractory periods later. Those that then follow another
    one within the period are removed, and of the others as many as are more than ``n_wanted[k]``;
    `counts` (n_trains,) is how many are left, from ``samples[starts[k]]`` on.
    """
    rests = np.empty(N_TOGETHER, np.float32)
    key_0, key_1 = keys[0], keys[1]
    n_free = max(1, n_samples)
    for k in range(units.size):
        train = samples[starts[k] : starts[k + 1]]
        stream = units[k] * _N_PURPOSES
        n_moved = train.size >> 1
        n_still = train.size - n_moved
        still, moved = np.empty(n_still + 1, np.int64), np.empty(n_moved + 1, np.int64)
        _fill_even(still[:n_still], stream, 0, n_free, rests, key_0, key_1)
        _fill_even(moved[:n_moved], stream + 1, 0, n_free, rests, key_0, key_1)
        _move(moved[:n_moved], stream + 2, refractory[k], key_0, key_1)
        still[n_still] = moved[n_moved] = _BEHIND_ALL
        least = max(refractory[k], 1)
        last = -_BEHIND_ALL
        i, j, place = 0, 0, 0
        for _ in range(train.size):
            from_still, from_moved = still[i], moved[j]
            is_still = from_still <= from_moved
            sample = from_still if is_still else from_moved
            i += is_still
            j += not is_still
            # Each is written, and written over if it is too close to the one before it.
            train[place] = sample
            place += (sample - last >= least) & (sample < n_samples)
            last = sample
        counts[k] = min(place, n_wanted[k])
        if place > n_wanted[k]:
            _leave_out(train, place, place - n_wanted[k], stream + 3, key_0, key_1)
