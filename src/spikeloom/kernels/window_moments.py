"""Sums over windows that were cut out already."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def add_up(
    windows: NDArray[np.generic],
    rows: NDArray[np.int64],
    base: NDArray[np.float64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    """Add ``windows[row] - base`` to `sums`, and its square to `squares`.

    `windows` is (n_windows, n_window, n_columns or more), the others are (n_window, n_columns);
    `base` is close to the mean, so that nothing is lost in the difference of large numbers.
    """
    n_window, n_columns = sums.shape
    for i in range(rows.size):
        window = windows[rows[i]]
        for t in range(n_window):
            source, zero = window[t], base[t]
            total, square = sums[t], squares[t]
            for c in range(n_columns):
                value = np.float64(source[c]) - zero[c]
                total[c] += value
                square[c] += value * value
