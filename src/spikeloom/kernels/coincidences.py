"""Find spikes of two sortings that coincide: that are at most so many samples apart."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def count_coincidences(
    samples1: NDArray[np.int64],
    units1: NDArray[np.int32],
    samples2: NDArray[np.int64],
    units2: NDArray[np.int32],
    delta: int,
    last: NDArray[np.integer],
    seen: NDArray[np.integer],
    counts: NDArray[np.int64],
) -> None:
    """Add the coincidences of all pairs of units to `counts` (n_units1, n_units2).

    Samples do not decrease. For each pair of units, a spike of the first takes the first spike of
    the second within `delta` samples that is not the one which was taken last. So each spike of the
    first counts once at most; one of the second may count again in a burst of the first.

    `last` (n_units1, n_units2) and `seen` (n_units2,) are scratch, filled with -1: the spike that a
    pair took last, and the last spike of list 1 that took one of a unit. Of list 2 only the spikes
    around each spike of list 1 are looked at. A matrix in place of `seen` would not stay in the
    nearest cache: SpikeInterface has one and takes 3.3 times as long at 500 units.
    """
    n_spikes2 = samples2.size
    begin = 0
    for i in range(samples1.size):
        sample = samples1[i]
        unit1 = units1[i]
        while begin < n_spikes2 and samples2[begin] < sample - delta:
            begin += 1
        j = begin
        while j < n_spikes2 and samples2[j] <= sample + delta:
            unit2 = units2[j]
            if seen[unit2] != i and last[unit1, unit2] != j:
                seen[unit2] = i
                last[unit1, unit2] = j
                counts[unit1, unit2] += 1
            j += 1


@kernel
def sum_overlaps(
    samples1: NDArray[np.int64],
    units1: NDArray[np.int32],
    samples2: NDArray[np.int64],
    units2: NDArray[np.int32],
    delta: int,
    sums: NDArray[np.int64],
) -> None:
    """Add what spikes of each pair of units have in common to `sums` (n_units1, n_units2).

    Each spike is a box `delta` samples wide; two of them have ``delta - lag`` samples in common.
    """
    n_spikes2 = samples2.size
    begin = 0
    for i in range(samples1.size):
        sample = samples1[i]
        unit1 = units1[i]
        while begin < n_spikes2 and samples2[begin] < sample - delta:
            begin += 1
        j = begin
        while j < n_spikes2 and samples2[j] <= sample + delta:
            sums[unit1, units2[j]] += delta - abs(samples2[j] - sample)
            j += 1


@kernel
def sum_own_overlaps(
    samples: NDArray[np.int64], units: NDArray[np.int32], delta: int, sums: NDArray[np.int64]
) -> None:
    """Like `sum_overlaps` of a list with itself, for each unit with itself only; (n_units,)."""
    n_spikes = samples.size
    for i in range(n_spikes):
        unit = units[i]
        sums[unit] += delta
        j = i + 1
        while j < n_spikes and samples[j] <= samples[i] + delta:
            if units[j] == unit:
                sums[unit] += 2 * (delta - (samples[j] - samples[i]))
            j += 1


@kernel
def pair_up(
    samples1: NDArray[np.int64],
    samples2: NDArray[np.int64],
    delta: int,
    is_paired1: NDArray[np.bool_],
    is_paired2: NDArray[np.bool_],
) -> None:
    """Pair spikes of two trains, each with one at most, and mark those that have a partner.

    The earliest spikes that fit are paired first, which gives as many pairs as there can be.
    """
    i = 0
    j = 0
    while i < samples1.size and j < samples2.size:
        lag = samples2[j] - samples1[i]
        if lag < -delta:
            j += 1
        elif lag > delta:
            i += 1
        else:
            is_paired1[i] = True
            is_paired2[j] = True
            i += 1
            j += 1
