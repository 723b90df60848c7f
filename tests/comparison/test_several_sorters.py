import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.compared import segment_lists, sorting_of, trains_of, true_segments
from spikeloom.comparison import (
    AgreementSortingExtractor,
    MultiSortingComparison,
    compare_multiple_sorters,
)
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError

several = st.integers(1, 2).flatmap(lambda n: st.lists(segment_lists(n), min_size=2, max_size=4))


@pytest.fixture(scope="module")
def sortings():
    """Return three sortings: of units 0-3, of units 1-4 with jitter, and of units 2, 3, renamed."""
    rng = np.random.default_rng(1)
    segments = [units[:5] for units in true_segments(rng)]
    jittered = [
        [np.sort(train[::2] + rng.integers(-2, 3, train[::2].size)) for train in units]
        for units in segments
    ]
    return [
        sorting_of([units[:4] for units in segments]),
        sorting_of([units[1:] for units in jittered], [10, 20, 30, 40]),
        sorting_of([[units[3], units[2]] for units in segments], ["c", "b"]),
    ]


@pytest.fixture(scope="module")
def comparison(sortings):
    return compare_multiple_sorters(sortings, ["one", "two", "three"], match_score=0.4)


def test_units_that_match_are_one(comparison):
    assert isinstance(comparison, MultiSortingComparison)
    units = comparison.units
    assert [unit["unit_ids"] for unit in units.values()] == [
        {"one": 0},
        {"one": 1, "two": 10},
        {"one": 2, "two": 20, "three": "b"},
        {"one": 3, "two": 30, "three": "c"},
        {"two": 40},
    ]
    assert [unit["agreement_number"] for unit in units.values()] == [1, 2, 3, 3, 1]
    assert units[0]["avg_agreement"] == 0
    assert units[1]["avg_agreement"] == pytest.approx(0.5, abs=0.01)
    assert units[2]["avg_agreement"] == pytest.approx(2 / 3, abs=0.01)


def test_what_units_are_made_of_can_be_changed_without_harm(comparison):
    comparison.units[2]["unit_ids"].clear()
    assert comparison.units[2]["unit_ids"] == {"one": 2, "two": 20, "three": "b"}


def test_pairs_are_compared_once(comparison):
    assert list(comparison.comparisons) == [("one", "two"), ("one", "three"), ("two", "three")]
    assert comparison.comparisons["one", "three"].hungarian_match_12.to_dict() == {
        0: "",
        1: "",
        2: "b",
        3: "c",
    }


def test_agreement_makes_a_sorting(comparison, sortings):
    agreed = comparison.get_agreement_sorting(minimum_agreement_count=2)
    assert isinstance(agreed, AgreementSortingExtractor)
    assert agreed.unit_ids.tolist() == [1, 2, 3]
    assert agreed.get_num_segments() == 2
    assert agreed.get_property("agreement_number").tolist() == [2, 3, 3]
    assert agreed.get_unit_property(2, "unit_ids") == {"one": 2, "two": 20, "three": "b"}
    # Two sorters that agree fully: their union is either.
    for k in range(2):
        expected = sortings[0].get_unit_spike_train(2, k)
        assert agreed.get_unit_spike_train(2, k).tolist() == expected.tolist()
    only = comparison.get_agreement_sorting(2, minimum_agreement_count_only=True)
    assert only.unit_ids.tolist() == [1]
    assert comparison.get_agreement_sorting(4).get_num_units() == 0
    with pytest.raises(ParameterError, match="minimum_agreement_count"):
        comparison.get_agreement_sorting(0)


def test_a_consensus_sorting_is_one_like_others(comparison):
    agreed = comparison.get_agreement_sorting()
    copied = NumpySorting.from_sorting(agreed)
    assert agreed.get_num_units() == 5
    early = agreed.select_segments(0).frame_slice(0, 1000)
    assert 0 < early.count_total_num_spikes() < agreed.count_total_num_spikes()
    for ours, theirs in zip(trains_of(agreed), trains_of(copied), strict=True):
        assert all(np.array_equal(one, two) for one, two in zip(ours, theirs, strict=True))
    assert not agreed.check_serializability("json")


def test_trains_are_united_or_intersected():
    one, two = sorting_of([[[100, 200, 300]]]), sorting_of([[[103, 199, 400]]])
    trains = {
        mode: compare_multiple_sorters([one, two], spiketrain_mode=mode)
        .get_agreement_sorting(2)
        .get_unit_spike_train(0)
        for mode in ("union", "intersection")
    }
    assert trains["union"].tolist() == [100, 200, 300, 400]
    assert trains["intersection"].tolist() == [100, 200]


@given(several)
def test_every_unit_is_in_one_consensus_unit(lists):
    n_segments = min(len(one) for one in lists)
    sortings = [sorting_of(one[:n_segments]) for one in lists]
    comparison = compare_multiple_sorters(sortings, match_score=0.3)
    names, ids = comparison.compute_subgraphs()
    nodes = [(n, u) for each in zip(names, ids, strict=True) for n, u in zip(*each, strict=True)]
    assert sorted(nodes) == sorted(
        (f"sorting{k}", unit) for k, one in enumerate(sortings) for unit in one.unit_ids.tolist()
    )
    assert len(names) == len(comparison.units)
    assert comparison.get_agreement_sorting().get_num_units() == len(names)


def test_the_number_of_threads_does_not_matter(sortings, comparison):
    again = compare_multiple_sorters(
        sortings, ["one", "two", "three"], match_score=0.4, n_jobs=1, do_matching=False
    )
    assert again.units == comparison.units


def test_the_matrix_of_agreement_has_sorters_in_order_of_names(comparison):
    matrix = comparison._do_agreement_matrix(2)
    assert matrix.shape == (3, 3)
    assert np.isnan(matrix[0]).tolist() == [False, True, False]  # one, three, two
    assert matrix[0, 0] == comparison.units[1]["avg_agreement"]


def test_graphs_are_those_of_networkx(comparison):
    pytest.importorskip("networkx")
    assert comparison.graph.number_of_nodes() == 10
    assert comparison.clean_graph.number_of_edges() == 7
    assert [part.number_of_nodes() for part in comparison.subgraphs] == [1, 2, 3, 3, 1]


def test_arguments_are_checked(sortings):
    with pytest.raises(ParameterError, match="all different"):
        compare_multiple_sorters(sortings, ["one", "one", "two"])
    with pytest.raises(ParameterError, match="all different"):
        compare_multiple_sorters(sortings, ["one", "two"])
    with pytest.raises(ParameterError, match="'union', 'intersection'"):
        compare_multiple_sorters(sortings, spiketrain_mode="both")
    with pytest.raises(ParameterError, match="'count', 'distance'"):
        compare_multiple_sorters(sortings, agreement_method="both")
    with pytest.raises(ParameterError, match="empty list"):
        compare_multiple_sorters([])
    with pytest.raises(ParameterError, match="segments"):
        compare_multiple_sorters([*sortings, sorting_of([[[1]]])])
