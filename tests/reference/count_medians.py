"""Twins of `spikeloom.kernels.count_medians`."""

import numpy as np


def value_ranges(traces):
    return np.array([[min(column), max(column)] for column in traces.T])


def count_values(traces, lowest, n_values):
    return np.array([
        [np.sum(column == low + v) for v in range(n_values)]
        for column, low in zip(traces.T, lowest, strict=True)
    ])


def median_deviations(traces):
    values = traces.astype(np.float64)
    return np.median(np.abs(values - np.median(values, axis=0)), axis=0)
