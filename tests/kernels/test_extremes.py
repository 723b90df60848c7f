import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import extremes as twin
from spikeloom.kernels.extremes import find_extremes

numbers = st.one_of(st.integers(-5, 5).map(float), st.sampled_from([np.nan, np.inf, -np.inf]))


@given(st.lists(numbers, max_size=30), st.integers(1, 6))
def test_equals_the_ends_of_all_values_in_order(values, n_kept):
    smallest, largest = np.empty(n_kept), np.empty(n_kept)
    n_finite = find_extremes(np.array(values, float), smallest, largest)
    assert (smallest.tolist(), largest.tolist(), n_finite) == twin.find_extremes(values, n_kept)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_many_values(dtype):
    values = np.random.default_rng(0).normal(size=10_000).astype(dtype)
    smallest, largest = np.empty(12), np.empty(12)
    assert find_extremes(values, smallest, largest) == values.size
    np.testing.assert_array_equal(smallest, np.sort(values)[:12])
    np.testing.assert_array_equal(largest, np.sort(values)[:-13:-1])
