from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from reference import normal_numbers as twin
from spikeloom.kernels.normal_numbers import fill_normal, random_words

words = st.integers(0, 2**32 - 1)
indices = st.integers(0, 2**62)


def fill(first, n_numbers, keys=(1, 2)):
    numbers = np.full(n_numbers, np.nan, np.float32)
    fill_normal(numbers, first, *np.array(keys, np.uint32))
    return numbers


@pytest.mark.parametrize(
    ("index", "keys", "expected"),
    [
        # The vectors that come with the Random123 library.
        (0, (0, 0), (0x6B200159, 0x99BA4EFE)),
        (-1, (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        (
            (0x85A308D3 - 2**32 << 32) + 0x243F6A88,
            (0x13198A2E, 0x03707344),
            (0xC4923A9C, 0x483DF7A0),
        ),
    ],
)
def test_words_are_those_of_threefry(index, keys, expected):
    assert random_words(index, *np.array(keys, np.uint32)) == expected


@given(indices, words, words)
def test_words_equal_the_twin(index, key_0, key_1):
    ours = random_words(index, np.uint32(key_0), np.uint32(key_1))
    assert ours == twin.random_words(index, key_0, key_1)


@given(indices, st.integers(0, 40), words, words)
def test_numbers_equal_the_twin(first, n_numbers, key_0, key_1):
    expected = twin.normal_numbers(first, n_numbers, key_0, key_1)
    np.testing.assert_allclose(
        fill(first, n_numbers, (key_0, key_1)), expected, rtol=3e-5, atol=3e-6
    )


@given(st.integers(0, 1000), st.lists(st.integers(0, 70), max_size=5))
def test_a_number_is_the_same_in_whichever_stretch_it_lies(first, lengths):
    whole = fill(first, sum(lengths))
    edges = np.cumsum([first, *lengths])
    parts = [fill(start, end - start) for start, end in pairwise(edges)]
    np.testing.assert_array_equal(np.concatenate([whole[:0], *parts]), whole)


def test_stretches_go_on_over_32_bits():
    first = 2 * (2**32 - 5)
    whole = fill(first, 20)
    np.testing.assert_array_equal(fill(first + 10, 10), whole[10:])
    assert not np.isin(fill(0, 10), whole).any()


def test_numbers_are_normal_and_independent():
    numbers = fill(12345, 1 << 20).astype(float)
    assert stats.kstest(numbers, "norm").pvalue > 1e-3
    assert abs(stats.kurtosis(numbers)) < 0.03
    assert 4.4 < np.abs(numbers).max() < 6.7
    for lag in (1, 2, 3, 32, 64, 384):
        assert abs(np.corrcoef(numbers[:-lag], numbers[lag:])[0, 1]) < 5e-3
        assert abs(np.corrcoef(numbers[:-lag] ** 2, numbers[lag:] ** 2)[0, 1]) < 5e-3


def test_keys_give_different_numbers():
    streams = [fill(0, 100_000, keys) for keys in ((0, 0), (0, 1), (1, 0), (1, 1))]
    correlations = np.corrcoef(streams)[np.triu_indices(4, k=1)]
    assert np.abs(correlations).max() < 0.015
