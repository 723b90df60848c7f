"""Values of chosen items, each times the factor of its group."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def gather_products(
    values: NDArray[np.floating],
    groups: NDArray[np.integer],
    factors: NDArray[np.float32],
    items: NDArray[np.integer],
    products: NDArray[np.float64],
) -> None:
    """Write ``values[item] * factors[groups[item]]`` for each of `items` into `products`.

    A group beyond the last of `factors` has none; the product is not a number then.
    """
    n_groups = factors.size
    for k in range(items.size):
        item = items[k]
        group = groups[item]
        factor = factors[group] if group < n_groups else np.float32(np.nan)
        products[k] = values[item] * factor
