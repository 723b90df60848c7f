import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.compared import FS, pairs_of_segment_lists, sorting_of
from spikeloom.comparison import SymmetricSortingComparison, compare_two_sorters
from spikeloom.comparison.pair_matches import order_by_agreement
from spikeloom.errors import ParameterError

methods = st.sampled_from(["count", "distance"])


@given(pairs_of_segment_lists, methods)
def test_exchanging_the_sortings_exchanges_the_results(pair, method):
    one, two = map(sorting_of, pair)
    there = compare_two_sorters(one, two, agreement_method=method)
    back = compare_two_sorters(two, one, agreement_method=method)
    assert there.agreement_scores.to_numpy().tolist() == back.agreement_scores.to_numpy().T.tolist()
    assert (
        there.match_event_count.to_numpy().tolist() == back.match_event_count.to_numpy().T.tolist()
    )
    assert there.best_match_12.equals(back.best_match_21)
    for unit, ids in there.possible_match_12.items():
        assert ids.tolist() == back.possible_match_21[unit].tolist()


@given(pairs_of_segment_lists, methods)
def test_a_sorting_agrees_with_itself(pair, method):
    one = sorting_of(pair[0])
    scores = compare_two_sorters(one, one, agreement_method=method).agreement_scores.to_numpy()
    has_spikes = one.count_num_spikes_per_unit("array") > 0
    assert np.diag(scores).tolist() == has_spikes.astype(float).tolist()


@given(pairs_of_segment_lists, st.randoms(use_true_random=False))
def test_ids_and_their_order_do_not_matter(pair, random):
    one, two = map(sorting_of, pair)
    order = list(range(two.get_num_units()))
    random.shuffle(order)
    names = [f"u{k}" for k in order]
    renamed = two.select_units(order, renamed_unit_ids=names)
    scores = compare_two_sorters(one, two).agreement_scores.to_numpy()
    of_renamed = compare_two_sorters(one, renamed).agreement_scores
    assert of_renamed.columns.tolist() == names
    assert of_renamed.to_numpy().tolist() == scores[:, order].tolist()


def test_units_are_asked_about_by_id():
    one = sorting_of([[[100, 200, 300], [150, 250]]])
    two = sorting_of([[[151, 250], [103, 300, 400], []]], unit_ids=["a", "b", "c"])
    comparison = compare_two_sorters(one, two, "first", "second")
    assert isinstance(comparison, SymmetricSortingComparison)
    assert (comparison.sorting1_name, comparison.sorting2_name) == ("first", "second")
    assert comparison.delta_frames == 12
    assert comparison.sampling_frequency == FS
    forward, back = comparison.get_matching()
    assert forward.to_dict() == {0: "b", 1: "a"}
    assert back.to_dict() == {"a": 1, "b": 0, "c": -1}
    assert comparison.get_best_unit_match1(0) == "b"
    assert comparison.get_best_unit_match2("a") == 1
    assert comparison.get_matching_unit_list1(0).tolist() == ["b"]
    assert comparison.get_matching_unit_list2("c").tolist() == []
    assert comparison.get_matching_event_count(0, "b") == 2
    assert comparison.get_agreement_fraction(0, "b") == 0.5
    assert comparison.get_agreement_fraction(-1, "b") == 0
    assert comparison.get_agreement_fraction(0) == 0
    for ask in (
        lambda: comparison.get_matching_event_count(5, "b"),
        lambda: comparison.get_matching_unit_list2("x"),
        lambda: comparison.get_best_unit_match1(None),
        lambda: comparison.get_agreement_fraction(0, "x"),
    ):
        with pytest.raises(ParameterError):
            ask()


def test_units_that_agree_most_come_first():
    one = sorting_of([[[10, 500], [100, 200, 300], [1000]]], unit_ids=["x", "y", "z"])
    two = sorting_of([[[100, 200, 300], [10, 900]]])
    scores = compare_two_sorters(one, two).get_ordered_agreement_scores()
    assert scores.index.tolist() == ["y", "x", "z"]
    assert scores.columns.tolist() == [0, 1]
    rows, columns = order_by_agreement(np.zeros((0, 2)))
    assert rows.size == 0
    assert columns.tolist() == [0, 1]


def test_arguments_are_checked():
    one = sorting_of([[[1]]])
    with pytest.raises(ParameterError, match="'count', 'distance'"):
        compare_two_sorters(one, one, agreement_method="sum")
    with pytest.raises(ParameterError, match="delta_time"):
        compare_two_sorters(one, one, delta_time=-1)
    with pytest.raises(ParameterError, match="segments"):
        compare_two_sorters(one, sorting_of([[[1]], [[1]]]))


def test_spikes_further_apart_than_the_time_do_not_agree():
    train = np.arange(1000, 9000, 100)
    one = sorting_of([[train]])
    for lag, score in ((12, 1.0), (13, 0.0)):
        comparison = compare_two_sorters(one, sorting_of([[train + lag]]))
        assert comparison.agreement_scores.to_numpy().tolist() == [[score]]
