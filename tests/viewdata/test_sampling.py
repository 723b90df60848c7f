import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.viewdata.sampling import allocate, even_sample, random_sample, spread_sample


@pytest.mark.parametrize(
    ("n_max", "expected"),
    [
        (3, [0, 4, 9]),
        (4, [0, 3, 6, 9]),
        (1, [0]),
        (0, []),
        (-3, []),
        (10, list(range(10))),
        (99, list(range(10))),
        (None, list(range(10))),
    ],
)
def test_an_even_sample_has_the_first_and_the_last_spike(n_max, expected):
    spikes = np.arange(10)
    assert even_sample(spikes, n_max).tolist() == expected
    assert even_sample(spikes, n_max).tolist() == expected


@given(st.integers(2, 500), st.integers(2, 500))
def test_an_even_sample_is_spread_evenly_and_takes_no_spike_twice(n_spikes, n_max):
    sample = even_sample(np.arange(n_spikes), n_max)
    assert sample.size == min(n_spikes, n_max)
    assert sample[0] == 0
    assert sample[-1] == n_spikes - 1
    steps = np.diff(sample)
    assert np.all(steps >= 1)
    assert steps.max() - steps.min() <= 1


@given(st.integers(0, 200), st.integers(-5, 250), st.integers(0, 99))
def test_a_random_sample_is_the_same_for_the_same_seed(n_spikes, n_max, seed):
    spikes = np.arange(0, 3 * n_spikes, 3)
    sample = random_sample(spikes, n_max, seed)
    assert sample.size == min(n_spikes, max(n_max, 0))
    assert np.all(np.diff(sample) > 0)
    assert np.isin(sample, spikes).all()
    np.testing.assert_array_equal(sample, random_sample(spikes, n_max, seed))


@given(st.integers(0, 200), st.integers(-5, 250), st.integers(0, 99))
def test_a_spread_sample_has_one_of_each_stretch(n_spikes, n_max, seed):
    spikes = np.arange(0, 3 * n_spikes, 3)
    sample = spread_sample(spikes, n_max, seed)
    assert sample.size == min(n_spikes, max(n_max, 0))
    assert np.isin(sample, spikes).all()
    edges = np.arange(sample.size + 1) * n_spikes // max(1, sample.size)
    assert np.all((sample >= 3 * edges[:-1]) & (sample < 3 * edges[1:]))
    np.testing.assert_array_equal(sample, spread_sample(spikes, n_max, seed))


def test_a_spread_sample_takes_all_spikes_alike_often():
    counts = np.zeros(10, int)
    for seed in range(3000):
        counts[spread_sample(np.arange(10), 3, seed)] += 1
    expected = [1 / 3] * 6 + [1 / 4] * 4  # in stretches of three, three and four
    np.testing.assert_allclose(counts / 3000, expected, atol=0.04)


def test_another_seed_gives_another_sample():
    spikes = np.arange(1000)
    assert random_sample(spikes, 100, 1).tolist() != random_sample(spikes, 100, 2).tolist()
    assert random_sample(spikes, None, 1) is spikes
    assert spread_sample(spikes, 100, 1).tolist() != spread_sample(spikes, 100, 2).tolist()
    assert spread_sample(spikes, None, 1) is spikes


@pytest.mark.parametrize(
    ("available", "n_each", "n_total", "expected"),
    [
        ([0, 1, 100], 10, 7, [0, 1, 6]),
        ([100] * 3, 10, 8, [3, 3, 2]),
        ([100, 2], 10, None, [10, 2]),
        ([5, 5, 5], 99, 7, [3, 2, 2]),
        ([], 10, 5, []),
        ([3, 3], 10, 0, [0, 0]),
    ],
)
def test_a_budget_is_shared_fairly(available, n_each, n_total, expected):
    assert allocate(available, n_each, n_total) == expected


@given(
    st.lists(st.integers(0, 60), max_size=8), st.integers(0, 50), st.none() | st.integers(0, 200)
)
def test_nobody_gets_more_than_it_has_and_nothing_is_left_while_somebody_is_hungry(
    available, n_each, n_total
):
    given_out = allocate(available, n_each, n_total)
    capacity = [min(n, n_each) for n in available]
    assert all(0 <= n <= most for n, most in zip(given_out, capacity, strict=True))
    assert sum(given_out) == min(sum(capacity), sum(capacity) if n_total is None else n_total)
    # Whoever got less than it could have differs from the best served by at most one.
    hungry = [n for n, most in zip(given_out, capacity, strict=True) if n < most]
    assert not hungry or max(given_out) - min(hungry) <= 1
