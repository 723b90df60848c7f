import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import random_trains as twin
from spikeloom.kernels.random_trains import (
    fill_even_trains,
    fill_renewal_trains,
    fill_shuffled_trains,
)

keys_lists = st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2)


def renewal(units, refractory, scales, n_samples, keys, n_room=400):
    starts = n_room * np.arange(len(units) + 1)
    samples, counts = np.full(starts[-1], -1), np.zeros(len(units), np.int64)
    have_room = fill_renewal_trains(
        np.array(units),
        np.array(refractory),
        np.array(scales, np.float64),
        n_samples,
        np.array(keys, np.uint32),
        starts,
        samples,
        counts,
    )
    return have_room, [samples[a : a + n].tolist() for a, n in zip(starts, counts, strict=False)]


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=3), keys_lists, st.floats(3, 60))
def test_renewal_trains_equal_the_twin(units, keys, scale):
    refractory, scales = list(range(len(units))), [scale + k for k in range(len(units))]
    have_room, trains = renewal(units, refractory, scales, 300, keys)
    assert have_room
    for unit, train, period, own_scale in zip(units, trains, refractory, scales, strict=True):
        expected = twin.renewal_train(unit, period, own_scale, 300, keys)
        # Logarithms of 32 bits are off by so little that a rest is rounded otherwise very rarely;
        # from then on all spikes are a sample off.
        assert len(train) == pytest.approx(len(expected), abs=1)
        same = min(len(train), len(expected))
        np.testing.assert_allclose(train[:same], expected[:same], atol=1)


def test_too_little_room_is_told():
    assert renewal([1], [0], [1.0], 300, [1, 2], n_room=3)[0] is False


def test_numbers_never_used_up_do_not_matter():
    keys = [5, 6]
    short, long = (renewal([7], [10], [40.0], n, keys)[1][0] for n in (5_000, 10_000))
    assert long[: len(short)] == short
    assert long[len(short)] >= 5_000


@given(st.integers(0, 300), st.integers(0, 20), st.integers(1, 10**6), keys_lists)
def test_even_trains_equal_the_twin(n_spikes, refractory, n_free, keys):
    samples = np.full(2 * n_spikes, -1)
    fill_even_trains(
        np.array([0, 1]),
        np.array([refractory, 2]),
        np.array([n_free, 5]),
        np.array(keys, np.uint32),
        np.array([0, n_spikes, 2 * n_spikes]),
        samples,
    )
    expected = twin.even_train(0, n_spikes, refractory, n_free, keys)
    np.testing.assert_allclose(samples[:n_spikes], expected, atol=1 + 1e-5 * n_free)
    expected = twin.even_train(1, n_spikes, 2, 5, keys)
    np.testing.assert_allclose(samples[n_spikes:], expected, atol=1)


def shuffled(n_wanted, n_draws, refractory, n_samples, keys):
    starts = np.array([0, n_draws, 2 * n_draws])
    samples, counts = np.full(2 * n_draws, -1), np.zeros(2, np.int64)
    fill_shuffled_trains(
        np.array([0, 7]),
        np.full(2, n_wanted),
        np.full(2, refractory),
        n_samples,
        np.array(keys, np.uint32),
        starts,
        samples,
        counts,
    )
    return [samples[a : a + n].tolist() for a, n in zip(starts, counts, strict=False)]


@given(st.integers(0, 200), st.integers(0, 50), st.integers(1, 30_000), keys_lists)
def test_shuffled_trains_equal_the_twin(n_draws, refractory, n_samples, keys):
    trains = shuffled(n_draws, n_draws, refractory, n_samples, keys)
    for unit, train in zip((0, 7), trains, strict=True):
        expected = np.array(twin.shuffled_train(unit, n_draws, refractory, n_samples, keys))
        # Logarithms of 32 bits: a spike may be a sample off, and with it be too close or not.
        near = [np.abs(expected - sample).min(initial=99) <= 2 for sample in train]
        assert len(train) == pytest.approx(expected.size, abs=2 + n_draws // 20)
        assert near.count(False) <= 2 + n_draws // 20


@given(st.integers(1, 60), st.integers(0, 60), keys_lists)
def test_so_many_spikes_are_left_out_that_the_wanted_ones_stay(n_wanted, n_more, keys):
    columns = (n_wanted + n_more, 3, 100_000, keys)
    all_trains, trains = shuffled(10**6, *columns), shuffled(n_wanted, *columns)
    for train, all_samples in zip(trains, all_trains, strict=True):
        assert len(train) == min(n_wanted, len(all_samples))
        assert train == sorted(set(train) & set(all_samples))
