import numpy as np
from hypothesis import given, strategies as st

from reference import spike_vector as twin
from spikeloom.kernels.radix_sort import sort_by_digit

keys_lists = st.lists(st.integers(0, 2**62), max_size=60)


@given(keys_lists, st.integers(0, 50), st.integers(1, 11))
def test_keys_are_sorted_by_one_digit_and_keep_their_order_else(keys, shift, n_bits):
    given_keys = np.array(keys, np.int64)
    sorted_keys = np.full_like(given_keys, -1)
    sort_by_digit(given_keys, shift, n_bits, sorted_keys)
    assert sorted_keys.tolist() == twin.sort_by_digit(keys, shift, n_bits)
    assert given_keys.tolist() == keys
