from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.compared import segment_lists, sorted_segments, sorting_of, true_segments
from spikeloom.comparison import CollisionGTComparison, make_collision_events
from spikeloom.comparison.alternations import make_matching_events
from spikeloom.errors import ParameterError


@given(segment_lists(1), st.integers(0, 12))
def test_collisions_are_those_of_all_pairs(segments, delta):
    ids = [f"u{k}" for k in range(len(segments[0]))]
    events = make_collision_events(sorting_of(segments, ids), delta)
    expected = [
        (int(i), f"u{k1}", k1, int(j), f"u{k2}", k2, int(lag))
        for k1, k2 in combinations(range(len(ids)), 2)
        for i, j, lag in make_matching_events(segments[0][k1], segments[0][k2], delta)
    ]
    assert events.tolist() == expected


@pytest.fixture(scope="module")
def comparison():
    rng = np.random.default_rng(3)
    segments = true_segments(rng, n_segments=1)
    truth, tested = sorting_of(segments), sorting_of(sorted_segments(rng, segments))
    return CollisionGTComparison(truth, tested, collision_lag=3.0, nbins=5, match_score=0.3)


def test_colliding_spikes_are_counted_by_lag(comparison):
    assert comparison.bins.tolist() == np.linspace(-90, 90, 6).tolist()
    tp, fn = np.zeros((8, 8, 5), int), np.zeros((8, 8, 5), int)
    for event in comparison.collision_events:
        for one, two, lag in (("1", "2", event["delta_frame"]), ("2", "1", -event["delta_frame"])):
            unit, other = event[f"unit_index{one}"], event[f"unit_index{two}"]
            label = comparison.get_labels1(int(unit))[0][event[f"index{one}"]]
            (tp if label == "TP" else fn)[unit, other, min(4, int((lag + 90) // 36))] += 1
    assert comparison.all_tp.tolist() == tp.tolist()
    assert comparison.all_fn.tolist() == fn.tolist()
    assert tp.sum() > 0
    assert fn.sum() > 0


def test_recall_is_given_by_similarity(comparison):
    similarity = np.random.default_rng(0).random((8, 8))
    similarities, recall, names = comparison.compute_collision_by_similarity(similarity)
    assert similarities.tolist() == sorted(similarities)
    assert recall.shape == (8 * 7, 5)
    place = names.tolist().index("5 0")
    assert similarities[place] == similarity[0, 5]
    with np.errstate(invalid="ignore"):
        expected = comparison.all_tp[5, 0] / (comparison.all_tp + comparison.all_fn)[5, 0]
    np.testing.assert_array_equal(recall[place], expected)
    few = comparison.compute_collision_by_similarity(similarity[:2, :2], [5, 0])
    assert sorted(few[2].tolist()) == ["0 5", "5 0"]
    good = comparison.compute_collision_by_similarity(similarity, good_only=True, min_accuracy=0.6)
    assert 0 < len(good[2]) < len(names)
    none = comparison.compute_collision_by_similarity(similarity, good_only=True, min_accuracy=2)
    assert none[1].shape == (0, 5)


def test_spikes_that_never_collide_are_no_collisions():
    truth = sorting_of([[[100], [900]]])
    comparison = CollisionGTComparison(truth, truth)
    assert comparison.collision_events.size == 0
    assert comparison.all_tp.shape == (2, 2, 11)
    assert not comparison.all_tp.any()


def test_no_lag_is_one_bin():
    truth = sorting_of([[[100], [100]]])
    comparison = CollisionGTComparison(truth, truth, collision_lag=0.0, nbins=2)
    assert comparison.all_tp[0, 1].tolist() == [1, 0]


def test_what_makes_no_sense_is_refused():
    one = sorting_of([[[1], [2]]])
    with pytest.raises(ParameterError, match="one segment"):
        make_collision_events(sorting_of([[[1]], [[1]]]), 3)
    with pytest.raises(ParameterError, match="one segment"):
        CollisionGTComparison(*[sorting_of([[[1]], [[1]]])] * 2)
    with pytest.raises(ParameterError, match="nbins"):
        CollisionGTComparison(one, one, nbins=0)
    with pytest.raises(ParameterError, match="not negative"):
        make_collision_events(one, -1)
