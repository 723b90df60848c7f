"""Pick columns of sparse rows, where each row lists the channels that its columns stand for."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def gather_columns(
    values: NDArray[np.floating],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    picked: NDArray[np.float32],
) -> None:
    """Copy chosen columns of chosen rows into `picked` (n_rows, n_components, n_picked).

    `values` is (n_all_rows, n_components, n_columns) as a sorter writes it; `columns`
    (n_rows, n_picked) holds the column of each wanted channel in that row, -1 where the row has
    none; the result there is not a number.
    """
    n_components = values.shape[1]
    for i in range(rows.size):
        for p in range(columns.shape[1]):
            column = columns[i, p]
            for k in range(n_components):
                if column < 0:
                    picked[i, k, p] = np.nan
                else:
                    picked[i, k, p] = values[rows[i], k, column]
