import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from spikeloom.kernels.sparse_rows import gather_columns


@given(
    arrays(np.float32, (6, 3, 4), elements=st.integers(-9, 9)),
    st.lists(st.integers(0, 5), max_size=8),
    st.data(),
)
def test_columns_are_picked_row_by_row_and_absent_ones_are_nan(values, rows, data):
    columns = data.draw(arrays(np.int64, (len(rows), 3), elements=st.integers(-1, 3)))
    picked = np.zeros((len(rows), 3, 3), np.float32)
    gather_columns(values, np.array(rows, np.int64), columns, picked)
    for i, row in enumerate(rows):
        for p, column in enumerate(columns[i]):
            expected = values[row, :, column] if column >= 0 else np.full(3, np.nan)
            np.testing.assert_array_equal(picked[i, :, p], expected)
