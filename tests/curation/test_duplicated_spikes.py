import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.sortings import dicts_of, example_sorting
from reference.close_spikes import find_dropped, find_dropped_iteratively
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.curation import (
    RemoveDuplicatedSpikesSorting,
    find_duplicated_spikes,
    remove_duplicated_spikes,
)
from spikeloom.errors import ParameterError

trains = st.lists(st.integers(0, 120), max_size=40).map(sorted)
METHODS = ["keep_first", "keep_last", "keep_first_iterative", "keep_last_iterative", "random"]


@given(train=trains, period=st.integers(0, 15))
def test_iterative_methods_are_as_their_twins(train, period):
    found = find_duplicated_spikes(train, period, "keep_first_iterative")
    assert found.tolist() == find_dropped_iteratively(train, period)
    assert found.tolist() == find_dropped(train, period, [True] * len(train))
    backwards = find_duplicated_spikes(train, period, "keep_last_iterative")
    mirrored = find_dropped_iteratively([-sample for sample in train[::-1]], period)
    assert backwards.tolist() == sorted(len(train) - 1 - i for i in mirrored)


@given(train=trains, period=st.integers(0, 15), seed=st.integers(0, 5))
def test_no_method_but_the_simple_ones_leaves_or_takes_too_much(train, period, seed):
    for method in METHODS:
        found = find_duplicated_spikes(train, period, method, seed)
        kept = np.delete(np.array(train, np.int64), found)
        assert (np.diff(kept) > period).all()
        assert len(kept) >= min(len(train), 1)
        if method in {"keep_first_iterative", "keep_last_iterative"} and len(kept):
            assert all(np.abs(kept - train[i]).min() <= period for i in found)


@given(train=trains, period=st.integers(0, 15), seed=st.integers(0, 5))
def test_random_is_the_same_for_a_seed(train, period, seed):
    found = find_duplicated_spikes(train, period, "random", seed)
    assert found.tolist() == find_duplicated_spikes(train, period, "random", seed).tolist()
    drops_later = np.random.default_rng(seed).random(len(train)) < 0.5
    assert found.tolist() == find_dropped(train, period, drops_later)


@pytest.mark.parametrize("method", METHODS)
def test_of_a_sorting_each_train_alone(method):
    rng = np.random.default_rng(1)
    dicts = [{u: np.sort(rng.integers(0, 400, 60)) for u in "abc"} for _ in range(2)]
    sorting = NumpySorting.from_unit_dict(dicts, 1000.0)
    removed = remove_duplicated_spikes(sorting, censored_period_ms=4.0, method=method, seed=2)
    for k in range(2):
        for unit in "abc":
            train = sorting.get_unit_spike_train(unit, segment_index=k)
            found = removed.get_unit_spike_train(unit, segment_index=k)
            assert (np.diff(found) > 4).all()
            if method != "random":
                dropped = find_duplicated_spikes(train, 4, method)
                assert found.tolist() == np.delete(train, dropped).tolist()
    assert sorting.count_total_num_spikes() == 360


def test_all_else_stays():
    sorting = example_sorting(t_starts=[2.0, None])
    removed = remove_duplicated_spikes(sorting, censored_period_ms=6.0)
    assert dicts_of(removed)[0]["a"] == [3, 30]
    assert removed.get_property("quality").tolist() == ["good", "mua", "noise"]
    assert removed.get_start_time(0) == 2.0
    assert isinstance(removed.clone(), RemoveDuplicatedSpikesSorting)
    assert dicts_of(removed.clone()) == dicts_of(removed)
    same = remove_duplicated_spikes(sorting, censored_period_ms=0.0)
    assert same.spike_table() is sorting.spike_table()


def test_what_makes_no_sense():
    with pytest.raises(ParameterError, match="keep_all"):
        remove_duplicated_spikes(example_sorting(), method="keep_all")
    with pytest.raises(ParameterError, match="not negative"):
        find_duplicated_spikes([1], -1)
