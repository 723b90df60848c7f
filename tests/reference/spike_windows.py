"""Twins of `spikeloom.kernels.spike_windows`."""

import numpy as np


def cut(traces, start, n_window, columns):
    """Return one window, zero outside, of some columns."""
    window = np.zeros((n_window, len(columns)), traces.dtype)
    for t in range(n_window):
        if 0 <= start + t < len(traces):
            window[t] = traces[start + t, columns]
    return window


def windows_of(traces, starts, places, columns_of, shape, dtype):
    """Return windows at their places; `columns_of` are the columns of each."""
    windows = np.zeros(shape, dtype)
    for start, place, columns in zip(starts, places, columns_of, strict=True):
        windows[place, :, : len(columns)] = cut(traces, start, shape[1], columns)
    return windows


def sums_of(traces, starts, units, columns_of, shape, *, power=1):
    """Return sums of windows by unit, or of their squares."""
    sums = np.zeros(shape)
    for start, unit, columns in zip(starts, units, columns_of, strict=True):
        window = cut(traces, start, shape[1], columns).astype(np.float64)
        sums[unit, :, : len(columns)] += window**power
    return sums
