"""Arrays made row by row are indexed as numpy's are."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.extractors.lazy_rows import LazyRows

VALUES = np.arange(60).reshape(12, 5)


class Known(LazyRows):
    def __init__(self):
        super().__init__(VALUES.shape, VALUES.dtype)

    def read_rows(self, rows):
        if isinstance(rows, slice):
            assert rows.step is None
            assert 0 <= rows.start <= rows.stop <= len(VALUES)
        else:
            assert rows.size == 0 or (rows.min() >= 0 and rows.max() < len(VALUES))
        return VALUES[rows]


bounds = st.none() | st.integers(-15, 15)
rows = st.one_of(
    st.integers(-12, 11),
    st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, 5, -1, -3])),
    st.lists(st.integers(-12, 11), max_size=8),
    st.lists(st.booleans(), min_size=12, max_size=12).map(np.array),
    st.just(Ellipsis),
)
columns = st.none() | st.integers(-5, 4) | st.builds(slice, bounds, bounds)


@given(rows, columns)
def test_an_index_gives_what_it_gives_of_an_array(row, column):
    if isinstance(row, list):
        row = np.array(row, np.int64)
    item = row if column is None else (row, column)
    np.testing.assert_array_equal(Known()[item], VALUES[item])


def test_it_looks_like_an_array():
    known = Known()
    assert (known.shape, known.ndim, known.size, len(known)) == ((12, 5), 2, 60, 12)
    np.testing.assert_array_equal(np.asarray(known), VALUES)
    assert np.asarray(known, np.float32).dtype == np.float32
    assert "(12, 5)" in repr(known)
    with pytest.raises(ValueError, match="copy"):
        np.asarray(known, copy=False)


@pytest.mark.parametrize("wrong", [12, -13, [0, 12], [0.5], [[0, 1]], "a"])
def test_rows_that_are_not_there_are_refused(wrong):
    with pytest.raises((IndexError, TypeError)):
        Known()[wrong]
