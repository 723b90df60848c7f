"""The smallest and the largest of many values, in order."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def find_extremes(
    values: NDArray[np.floating], smallest: NDArray[np.float64], largest: NDArray[np.float64]
) -> int:
    """Write the smallest values in rising and the largest in falling order; return their number.

    `values` that are not finite are left out and not counted. `smallest` and `largest` (n_kept,)
    have one place each at least; where there are fewer values, infinities remain at the end.
    Quick if few are kept: most values are looked at once and are neither.
    """
    n_kept = smallest.size
    smallest[:] = np.inf
    largest[:] = -np.inf
    n_finite = 0
    for i in range(values.size):
        value = values[i]
        if not np.isfinite(value):
            continue
        n_finite += 1
        if value < smallest[n_kept - 1]:
            place = n_kept - 1
            while place > 0 and value < smallest[place - 1]:
                smallest[place] = smallest[place - 1]
                place -= 1
            smallest[place] = value
        if value > largest[n_kept - 1]:
            place = n_kept - 1
            while place > 0 and value > largest[place - 1]:
                largest[place] = largest[place - 1]
                place -= 1
            largest[place] = value
    return n_finite
