import numpy as np
from hypothesis import given, strategies as st

from reference import coincidences as twin
from spikeloom.kernels.coincidences import (
    count_coincidences,
    pair_up,
    sum_overlaps,
    sum_own_overlaps,
)

# Crowded on purpose: bursts, spikes at the same sample, and samples before 0.
trains = st.lists(st.integers(-5, 40), max_size=12).map(sorted)
train_lists = st.lists(trains, max_size=4)
deltas = st.integers(0, 6)


def columns_of(train_list):
    """Return samples and units of all spikes, in order of samples."""
    rows = sorted((sample, unit) for unit, train in enumerate(train_list) for sample in train)
    table = np.array(rows, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(table[:, 0]), table[:, 1].astype(np.int32)


@given(train_lists, train_lists, deltas, st.sampled_from([np.int32, np.int64]))
def test_coincidences_of_all_pairs_are_counted(trains1, trains2, delta, dtype):
    counts = np.zeros((len(trains1), len(trains2)), np.int64)
    last, seen = np.full(counts.shape, -1, dtype), np.full(len(trains2), -1, dtype)
    columns = (*columns_of(trains1), *columns_of(trains2))
    count_coincidences(*columns, delta, last, seen, counts)
    assert counts.tolist() == twin.count_matrix(trains1, trains2, delta).tolist()


@given(train_lists, train_lists, deltas)
def test_overlaps_of_all_pairs_are_summed(trains1, trains2, delta):
    sums = np.zeros((len(trains1), len(trains2)), np.int64)
    sum_overlaps(*columns_of(trains1), *columns_of(trains2), delta, sums)
    expected = [[twin.overlap(one, two, delta) for two in trains2] for one in trains1]
    assert sums.tolist() == expected


@given(train_lists, deltas)
def test_overlaps_of_units_with_themselves_are_summed(train_list, delta):
    sums = np.zeros(len(train_list), np.int64)
    sum_own_overlaps(*columns_of(train_list), delta, sums)
    assert sums.tolist() == [twin.overlap(train, train, delta) for train in train_list]


@given(trains, trains, deltas)
def test_as_many_spikes_as_can_be_are_paired(train1, train2, delta):
    is_paired1, is_paired2 = np.zeros(len(train1), bool), np.zeros(len(train2), bool)
    one, two = np.array(train1, np.int64), np.array(train2, np.int64)
    pair_up(one, two, delta, is_paired1, is_paired2)
    assert is_paired1.sum() == is_paired2.sum() == twin.n_pairs_max(train1, train2, delta)
    # The pairs, in order, are close to each other.
    assert np.all(np.abs(one[is_paired1] - two[is_paired2]) <= delta)
