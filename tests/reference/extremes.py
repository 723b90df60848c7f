"""Twin of `spikeloom.kernels.extremes`: sort everything."""

import math


def find_extremes(values, n_kept):
    """Return the smallest values rising and the largest falling, and how many are finite."""
    ordered = sorted(value for value in values if math.isfinite(value))
    smallest = (ordered + [math.inf] * n_kept)[:n_kept]
    largest = (ordered[::-1] + [-math.inf] * n_kept)[:n_kept]
    return smallest, largest, len(ordered)
