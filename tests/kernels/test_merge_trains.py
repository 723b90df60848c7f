from itertools import pairwise

import numpy as np
from hypothesis import given, strategies as st

from reference import merge_trains as twin
from spikeloom.kernels.merge_trains import merge_trains

trains_lists = st.lists(st.lists(st.integers(-300, 300), max_size=60).map(sorted), max_size=6)


def merge(trains, n_bits, edges, gap=0):
    counts = np.array([len(train) for train in trains], np.int64)
    starts = np.concatenate([[0], np.cumsum(counts + gap)[:-1]]).astype(np.int64)
    samples = np.full(int(counts.sum()) + gap * len(trains), -999)
    for start, train in zip(starts, trains, strict=False):
        samples[start : start + len(train)] = train
    merged_samples = np.full(counts.sum(), -777)
    merged_units = np.full(counts.sum(), -7, np.int32)
    for low, high in pairwise(edges):
        merge_trains(
            samples, starts[: len(trains)], counts, low, high, n_bits, merged_samples, merged_units
        )
    return merged_samples.tolist(), merged_units.tolist()


@given(trains_lists, st.integers(1, 12), st.integers(0, 3))
def test_merging_equals_the_twin(trains, n_bits, gap):
    assert merge(trains, n_bits, [-300, 301], gap) == twin.merge_trains(trains)


@given(trains_lists, st.sets(st.integers(-299, 300)))
def test_stretches_can_be_merged_one_by_one(trains, edges):
    parts = merge(trains, 6, [-300, *sorted(edges), 301])
    assert parts == twin.merge_trains(trains)


def test_a_window_may_hold_any_number_of_spikes():
    trains = [[5] * 3000, list(range(2000)), [5] * 10]
    assert merge(trains, 10, [0, 2000]) == twin.merge_trains(trains)
