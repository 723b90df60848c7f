import numpy as np
from hypothesis import given, strategies as st
from scipy import stats

from reference import random_trains as twin
from spikeloom.kernels.exponential_numbers import exponential_pair
from spikeloom.kernels.jit import kernel

words = st.integers(0, 2**32 - 1)


@kernel
def fill_pairs(unit, first, key_0, key_1, values):
    for i in range(values.shape[0]):
        values[i, 0], values[i, 1] = exponential_pair((unit << 32) | (first + i), key_0, key_1)


def numbers(unit, n_pairs, keys, first=0):
    values = np.full((n_pairs, 2), np.nan, np.float32)
    fill_pairs(unit, first, *np.array(keys, np.uint32), values)
    return values.reshape(-1)


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**20), words, words)
def test_numbers_equal_the_twin(unit, first, key_0, key_1):
    keys = (key_0, key_1)
    expected = [twin.exponential_number(unit, 2 * first + i, keys) for i in range(6)]
    np.testing.assert_allclose(numbers(unit, 3, keys, first), expected, rtol=3e-6, atol=2e-7)


def test_numbers_are_exponential_and_independent():
    values = numbers(3, 100_000, (4, 5)).astype(np.float64)
    assert stats.kstest(values, "expon").pvalue > 1e-3
    assert (values >= 0).all()
    for lag in (1, 2, 3):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 4 / np.sqrt(values.size)
    assert abs(np.corrcoef(values, numbers(4, 100_000, (4, 5)))[0, 1]) < 4 / np.sqrt(values.size)
