import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from making.compared import DELTA, pairs_of_segment_lists, sorting_of, trains
from reference import coincidences as twin
from spikeloom.comparison import compare_spike_trains, do_score_labels
from spikeloom.comparison.unit_tables import NO_MATCH
from spikeloom.errors import ParameterError


def lists_of(labels):
    return {unit: [segment.tolist() for segment in each] for unit, each in labels.items()}


def test_spikes_are_labelled_segment_by_segment():
    one = sorting_of([[[100, 200, 300], [50]], [[10], []]])
    two = sorting_of([[[], [103, 290, 350]], [[9], [12]]], unit_ids=["a", "b"])
    labels1, labels2 = do_score_labels(one, two, DELTA, pd.Series(["b", ""]))
    assert lists_of(labels1) == {0: [["TP", "FN", "TP"], ["TP"]], 1: [["FN"], []]}
    assert lists_of(labels2) == {"a": [[], ["FP"]], "b": [["TP", "TP", "FP"], ["TP"]]}


@given(pairs_of_segment_lists, st.booleans())
def test_as_many_spikes_as_can_be_are_found(pair, finds_other):
    one, two = map(sorting_of, pair)
    n_matched = min(one.get_num_units(), two.get_num_units())
    match = pd.Series([k if k < n_matched else NO_MATCH for k in one.unit_ids], dtype=np.int64)
    labels1, labels2 = do_score_labels(one, two, DELTA, match, finds_other)
    for k in range(n_matched):
        for s, (units1, units2) in enumerate(zip(*pair, strict=True)):
            n_found = twin.n_pairs_max(units1[k], units2[k], DELTA)
            assert np.count_nonzero(labels1[k][s] == "TP") == n_found
            assert np.count_nonzero(labels2[k][s] == "TP") == n_found
    every1 = [label for each in labels1.values() for one in each for label in one]
    every2 = [label for each in labels2.values() for one in each for label in one]
    assert all(label in {"TP", "FN"} or label.startswith("CL_") for label in every1)
    # Each spike that went to another unit is there on both sides.
    turned = sorted("CL_{2}_{1}".format(*x.split("_")) for x in every2 if x.startswith("CL"))
    assert sorted(label for label in every1 if label.startswith("CL")) == turned
    assert finds_other or not turned


def test_a_spike_that_went_to_another_unit_is_found_there():
    ids1, ids2 = ["alpha", "beta"], ["gamma", "delta"]
    one = sorting_of([[[100, 200], [150]]], unit_ids=ids1)
    # 200 is in the match of the other unit; 100 is near a spike that is right already.
    two = sorting_of([[[], [98, 150, 203]]], unit_ids=ids2)
    match = pd.Series(["gamma", "delta"], index=ids1)
    labels1, labels2 = do_score_labels(one, two, DELTA, match, True)
    assert lists_of(labels1) == {"alpha": [["CL_alpha_delta"] * 2], "beta": [["TP"]]}
    assert lists_of(labels2)["delta"] == [["CL_delta_alpha", "TP", "CL_delta_alpha"]]


def test_what_is_right_stays_right():
    one = sorting_of([[[100], [100]]])
    two = sorting_of([[[400], [100]]])
    labels1, labels2 = do_score_labels(one, two, DELTA, pd.Series([0, 1]), True)
    assert lists_of(labels1) == {0: [["FN"]], 1: [["TP"]]}
    assert lists_of(labels2) == {0: [["FP"]], 1: [["TP"]]}


@given(trains, trains, st.integers(0, 20))
def test_two_trains_are_labelled(train1, train2, delta):
    labels1, labels2 = compare_spike_trains(train1, train2, delta)
    expected1, expected2 = ["FN"] * len(train1), ["FP"] * len(train2)
    for i, a in enumerate(train1):
        near = [j for j, b in enumerate(train2) if abs(a - b) <= delta // 2]
        if near and expected2[near[0]] != "TP":
            expected1[i] = expected2[near[0]] = "TP"
    assert labels1.tolist() == expected1
    assert labels2.tolist() == expected2


def test_trains_must_be_in_order():
    with pytest.raises(ParameterError, match="in order"):
        compare_spike_trains([2, 1], [1])
    with pytest.raises(ParameterError, match="not negative"):
        compare_spike_trains([1], [1], -2)
