import numpy as np
from hypothesis import given, strategies as st

from reference import random_trains as twin
from spikeloom.generation.exponential_draws import exponential_numbers
from spikeloom.kernels.exponential_numbers import exponential_pair
from spikeloom.kernels.jit import kernel

words = st.integers(0, 2**32 - 1)


@kernel
def fill_compiled(unit, key_0, key_1, values):
    for i in range(values.shape[0]):
        values[i, 0], values[i, 1] = exponential_pair((unit << 32) | i, key_0, key_1)


@given(st.lists(st.integers(0, 2**31 - 1), max_size=4), st.integers(0, 20), words, words)
def test_numbers_equal_the_twin(units, n_pairs, key_0, key_1):
    keys = np.array([key_0, key_1], np.uint32)
    numbers = exponential_numbers(np.array(units, np.int64), 2 * n_pairs, keys)
    assert numbers.shape == (len(units), 2 * n_pairs)
    for unit, own in zip(units, numbers, strict=True):
        expected = [twin.exponential_number(unit, i, (key_0, key_1)) for i in range(2 * n_pairs)]
        np.testing.assert_allclose(own, expected, rtol=3e-6, atol=2e-7)


def test_numbers_are_those_of_the_compiled_kernel_to_the_bit():
    units, keys = np.array([0, 7, 2**31 - 1]), np.array([123, 2**32 - 1], np.uint32)
    numbers = exponential_numbers(units, 100_000, keys)
    for unit, own in zip(units, numbers, strict=True):
        compiled = np.empty((50_000, 2), np.float32)
        fill_compiled(unit, *keys, compiled)
        np.testing.assert_array_equal(own, compiled.reshape(-1))
