"""Twins of `spikeloom.kernels.gather`."""

import numpy as np


def gather_scaled(values, items, factor, divisor):
    return [values[item] * factor / divisor for item in items]


def gather_windows(raw, starts, channels, n_window_samples):
    rows = np.arange(n_window_samples)
    return np.array([
        raw[np.clip(start + rows, 0, len(raw) - 1)][:, channels] for start in starts
    ]).reshape(len(starts), n_window_samples, len(channels))


def blank_outside(windows, starts, n_samples):
    blanked = windows.copy()
    for i, start in enumerate(starts):
        for t in range(windows.shape[1]):
            if start + t < 0 or start + t >= n_samples:
                blanked[i, t] = 0
    return blanked
