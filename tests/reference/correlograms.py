"""Twins of the correlograms: every pair of spikes is looked at."""

from itertools import combinations

import numpy as np


def count_lags(samples, units, n_units, bin_size, n_half_bins):
    """Count lags of all pairs; a pair at the same sample has no order and counts both ways."""
    counts = np.zeros((n_units, n_units, n_half_bins + 1), np.int64)
    for i, j in combinations(range(len(samples)), 2):
        lag = int(samples[j]) - int(samples[i])
        if lag // bin_size <= n_half_bins:
            counts[units[i], units[j], lag // bin_size] += 1
            if lag == 0 and units[i] != units[j]:
                counts[units[j], units[i], 0] += 1
    return counts


def correlogram(first, second, bin_size, n_half_bins, *, is_same):
    """Count the lags from spikes of `first` to those of `second`, bin by bin from the left.

    The centre bin is the larger one of the counts of lags in ``[0, bin_size)`` taken either way.
    """
    ahead = [0] * (n_half_bins + 1)
    behind = [0] * (n_half_bins + 1)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            lag = int(b) - int(a)
            # A spike makes no pair with itself; two of one train at one sample are one pair.
            if abs(lag) // bin_size > n_half_bins or (is_same and lag == 0 and i >= j):
                continue
            if lag >= 0:
                ahead[lag // bin_size] += 1
            if lag <= 0:
                behind[-lag // bin_size] += 1
    return [*behind[:0:-1], max(ahead[0], behind[0]), *ahead[1:]]
