"""Twin of the lags of units: every pair of spikes is looked at."""

from itertools import combinations

import numpy as np


def count_lags_of_units(samples, units, n_units, chosen, bin_size, n_bins):
    within = np.zeros((len(chosen), n_units, n_bins), np.int64)
    at_edge = np.zeros((len(chosen), n_units, n_bins + 1), np.int64)
    rows = {unit: row for row, unit in enumerate(chosen)}
    for i, j in combinations(range(len(samples)), 2):
        if units[i] not in rows:
            continue
        lag = int(samples[j]) - int(samples[i])
        row = rows[units[i]]
        if lag < n_bins * bin_size:
            within[row, units[j], lag // bin_size] += 1
        if lag % bin_size == 0 and lag <= n_bins * bin_size:
            at_edge[row, units[j], lag // bin_size] += 1
    return within, at_edge


def correlograms(samples, units, n_units, bin_size, n_half_bins):
    """Count ``samples[i] - samples[j]`` of all ordered pairs, bins closed on the left."""
    counts = np.zeros((n_units, n_units, 2 * n_half_bins), np.int64)
    for i in range(len(samples)):
        for j in range(len(samples)):
            k = (int(samples[i]) - int(samples[j])) // bin_size + n_half_bins
            if i != j and 0 <= k < 2 * n_half_bins:
                counts[units[i], units[j], k] += 1
    return counts
