"""Twin of the projections of windows: one window and one channel at a time."""

import numpy as np


def project(traces, starts, units, columns, weights, offsets, n_columns):
    """Project scaled traces; weights (n_channels, n_window, n_components)."""
    n_window, n_components = weights.shape[1:]
    projections = np.zeros((len(starts), n_components, n_columns))
    for i, (start, unit) in enumerate(zip(starts, units, strict=True)):
        window = np.zeros((n_window, traces.shape[1]))
        for t in range(n_window):
            if 0 <= start + t < len(traces):
                window[t] = traces[start + t]
        for channel in np.flatnonzero(columns[unit] >= 0):
            projected = window[:, channel] @ weights[channel] + offsets[channel]
            projections[i, :, columns[unit, channel]] = projected
    return projections
