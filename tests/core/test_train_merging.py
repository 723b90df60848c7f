import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import merge_trains as twin
from spikeloom.core.train_merging import (
    N_SPIKES_COMPILED,
    merge_by_sorting,
    merge_by_windows,
    merge_trains,
)

trains_lists = st.lists(st.lists(st.integers(-300, 300), max_size=30).map(sorted), max_size=6)


def laid_out(trains, order=None, gap=0):
    """Return trains in one array, in any order and with gaps between them."""
    counts = np.array([len(train) for train in trains], np.int64)
    starts = np.zeros(len(trains), np.int64)
    parts = [np.zeros(0, np.int64)]
    for k in range(len(trains)) if order is None else order:
        starts[k] = sum(part.size for part in parts)
        parts += [np.array(trains[k], np.int64), np.full(gap, -999)]
    return np.concatenate(parts), starts, counts


@given(trains_lists, st.randoms(use_true_random=False), st.integers(0, 2))
def test_all_ways_give_the_same(trains, random, gap):
    order = list(range(len(trains)))
    random.shuffle(order)
    columns = laid_out(trains, order, gap)
    expected = twin.merge_trains(trains)
    ways = [merge_trains(*columns)]
    if expected[0]:
        ways += [
            merge(*columns, low=-300, high=301) for merge in (merge_by_sorting, merge_by_windows)
        ]
    for samples, units in ways:
        assert samples.dtype == np.int64
        assert units.dtype == np.int32
        assert (samples.tolist(), units.tolist()) == expected


@pytest.mark.parametrize("n_units", [3, 900])
def test_many_spikes_are_merged_alike(n_units):
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 2 * 400_000 // n_units, n_units)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    units = np.repeat(np.arange(n_units), counts)
    samples = rng.integers(-1000, 5_000_000, units.size)
    samples = samples[np.lexsort((samples, units))]
    one = merge_by_sorting(samples, starts, counts, low=-1000, high=5_000_000)
    other = merge_by_windows(samples, starts, counts, low=-1000, high=5_000_000)
    np.testing.assert_array_equal(one, other)
    order = np.lexsort((units, samples))
    np.testing.assert_array_equal(one, [samples[order], units[order]])


def test_what_is_given_stays_and_samples_may_lie_far_apart():
    far = 2**62
    columns = laid_out([[-far, 0, far], [-far, far]])
    before = columns[0].copy()
    samples, units = merge_trains(*columns)
    assert samples.tolist() == [-far, -far, 0, far, far]
    assert units.tolist() == [0, 1, 0, 0, 1]
    np.testing.assert_array_equal(columns[0], before)
    sparse = np.arange(N_SPIKES_COMPILED // 64) * 2**40
    counts = np.array([sparse.size])
    np.testing.assert_array_equal(merge_trains(sparse, np.array([0]), counts)[0], sparse)
