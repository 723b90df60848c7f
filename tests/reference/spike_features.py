"""Slow, obvious twins of what is computed of spikes."""

import numpy as np
from scipy.optimize import nnls


def window(traces, scale, row, nbefore, nafter):
    """Return scaled traces around a row, zero beyond the first and the last."""
    found = np.zeros((nbefore + nafter, traces.shape[1]))
    for t in range(nbefore + nafter):
        if 0 <= row - nbefore + t < len(traces):
            source = traces[row - nbefore + t].astype(np.float32)
            found[t] = source * scale[0] + scale[1]
    return found


FEATURES = [
    lambda w, _: np.ptp(w, axis=0),
    lambda w, _: w.mean(axis=0),
    lambda w, _: np.sqrt((w**2).sum(axis=0)),
    lambda w, nbefore: w[nbefore],
]


def quantile_weighted_center(likeness, positions, depths, fraction):
    """Return the average of points (n_depths, n_points), weighted by the highest likeness."""
    likeness = likeness.astype(np.float32)
    valid = likeness[likeness >= 0]
    if not valid.size or not valid.any():
        return np.zeros(3)
    threshold = np.float32(np.quantile(valid.astype("f8"), fraction))
    weights = np.where((likeness >= threshold) & (likeness > 0), likeness, 0).astype("f8")
    z = (weights.sum(axis=1) * depths).sum()
    return np.array([*(weights.sum(axis=0) @ positions), z]) / weights.sum()


def scaling(traces, scale, spike, others, templates, mask, nbefore):
    """Return how much larger than its template a spike (row, unit) is, fitted with others."""
    together = [spike, *others]
    n_window = templates.shape[2]
    first = min(row for row, _ in together) - nbefore
    last = max(row for row, _ in together) - nbefore + n_window
    channels = np.any([mask[unit] for _, unit in together], axis=0)
    seen = window(traces, scale, first, 0, last - first)[:, channels]
    columns = []
    for row, unit in together:
        column = np.zeros((last - first, traces.shape[1]))
        column[row - nbefore - first :][:n_window] = templates[unit].T
        columns.append(column[:, channels].ravel())
    columns = np.array(columns).T
    columns = columns - columns.mean(axis=0)
    right = seen.ravel() - seen.mean()
    if len(together) > 1:
        return nnls(columns, right)[0][0]
    power = columns[:, 0] @ columns[:, 0]
    return columns[:, 0] @ right / power if power else 0.0
