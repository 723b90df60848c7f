"""Twin of the envelope: least and greatest of each stretch."""

from itertools import pairwise

import numpy as np


def envelope(block, edges):
    """Return the extremes (n_channels, n_columns, 2) of the stretches between `edges`."""
    stretches = [block[a:b] for a, b in pairwise(edges)]
    extremes = [[part.min(axis=0), part.max(axis=0)] for part in stretches]
    return np.array(extremes).transpose(2, 0, 1)
