"""Smooth a series of numbers by a recursion on its own past."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def leak_twice(values: NDArray[np.float64], first: float, second: float) -> None:
    """Add to each of `values` (n_values,) its two predecessors' results, weighted; in place.

    ``y[n] = x[n] + first * y[n - 1] + second * y[n - 2]``, from rest.
    """
    before, earlier = 0.0, 0.0
    for n in range(values.size):
        values[n] += first * before + second * earlier
        earlier = before
        before = values[n]
