import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from making.compared import (
    pairs_of_segment_lists,
    sorted_segments,
    sorting_of,
    true_segments,
)
from spikeloom.comparison import GroundTruthComparison, compare_sorter_to_ground_truth
from spikeloom.errors import ParameterError

# What `sorted_segments` makes of true units "t0" to "t7".
MERGED, SPLIT_MORE, SPLIT_LESS, GOOD, REDUNDANT, FOUND, NOISE, EMPTY = range(8)


@pytest.fixture(scope="module")
def sortings():
    rng = np.random.default_rng(5)
    segments = true_segments(rng)
    truth = sorting_of(segments, [f"t{k}" for k in range(8)])
    return truth, sorting_of(sorted_segments(rng, segments))


@pytest.fixture(scope="module")
def comparison(sortings):
    return compare_sorter_to_ground_truth(*sortings, exhaustive_gt=True)


def test_units_are_matched(comparison):
    assert isinstance(comparison, GroundTruthComparison)
    match = comparison.hungarian_match_12
    assert match["t0"] == GOOD
    assert match["t3"] == SPLIT_MORE
    assert match["t5"] == FOUND
    assert match["t4"] == match["t7"] == -1


def test_tested_units_are_of_several_kinds(comparison):
    assert comparison.get_well_detected_units() == [FOUND]
    assert comparison.get_well_detected_units(0.6) == [GOOD, FOUND]
    assert comparison.get_overmerged_units() == [MERGED]
    assert comparison.get_redundant_units() == [SPLIT_LESS, REDUNDANT]
    assert comparison.get_false_positive_units() == [NOISE, EMPTY]
    assert comparison.get_bad_units() == [MERGED, SPLIT_LESS, REDUNDANT, NOISE, EMPTY]
    assert comparison.get_false_positive_units(0.99) == comparison.get_bad_units()


def test_a_score_counts_for_one_call_only(comparison):
    before = comparison.get_well_detected_units()
    assert comparison.get_well_detected_units(1.01) == []
    assert comparison.get_well_detected_units() == before
    assert comparison.get_redundant_units(1.01) == []
    assert comparison.get_redundant_units() == [SPLIT_LESS, REDUNDANT]
    assert comparison.get_overmerged_units(0.99) == []
    assert comparison.get_overmerged_units() == [MERGED]


def test_kinds_are_counted(comparison):
    counts = comparison.count_units_categories()
    assert counts.dtype == np.int64
    assert counts.to_dict() == {
        "num_gt": 8,
        "num_sorter": 8,
        "num_well_detected": 1,
        "num_overmerged": 1,
        "num_redundant": 2,
        "num_false_positive": 2,
        "num_bad": 5,
    }


def test_kinds_that_need_all_units_are_refused_without(sortings):
    comparison = compare_sorter_to_ground_truth(*sortings)
    assert list(comparison.count_units_categories().index) == [
        "num_gt",
        "num_sorter",
        "num_well_detected",
    ]
    for ask in (
        comparison.get_false_positive_units,
        comparison.get_redundant_units,
        comparison.get_overmerged_units,
        comparison.get_bad_units,
    ):
        with pytest.raises(ParameterError, match="exhaustive_gt=True"):
            ask()


def test_performance_comes_in_several_forms(comparison):
    by_unit = comparison.get_performance()
    assert by_unit.index.tolist() == [f"t{k}" for k in range(8)]
    assert by_unit.loc["t4"].tolist() == [0] * 5
    average = comparison.get_performance("pooled_with_average")
    assert average.to_dict() == pytest.approx(by_unit.mean().to_dict())
    assert comparison.get_performance("raw_count").equals(comparison.count_score)
    assert comparison.get_performance(output="dict") == by_unit.to_dict()
    assert comparison.get_performance("pooled_with_average", "dict") == average.to_dict()
    with pytest.raises(ParameterError, match="'raw_count', 'by_unit'"):
        comparison.get_performance("mean")
    with pytest.raises(ParameterError, match="output"):
        comparison.get_performance(output="list")


def test_performance_is_printed(comparison, capsys):
    comparison.print_performance()
    assert "PERFORMANCE (pooled_with_average)\n-----------\nACCURACY: " in capsys.readouterr().out
    comparison.print_performance("by_unit")
    assert "MISS RATE: [" in capsys.readouterr().out
    with pytest.raises(ParameterError, match="method"):
        comparison.print_performance("raw_count")


def test_a_summary_is_printed(sortings, comparison, capsys):
    comparison.print_summary()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == [
        "SUMMARY",
        "-------",
        "GT num_units: 8",
        "TESTED num_units: 8",
        "num_well_detected: 1",
    ]
    assert lines[5:8] == ["num_redundant: 2", "num_overmerged: 1", "num_false_positive_units 2"]
    compare_sorter_to_ground_truth(*sortings).print_summary(well_detected_score=1.01)
    assert capsys.readouterr().out.splitlines()[4:] == ["num_well_detected: 0", ""]


def test_labels_say_what_the_table_says(comparison):
    for unit, row in comparison.count_score.iterrows():
        labels = np.concatenate(comparison.get_labels1(unit))
        assert np.count_nonzero(labels == "TP") == row["tp"]
        assert np.count_nonzero(labels == "FN") == row["fn"]
    labels = np.concatenate(comparison.get_labels2(NOISE))
    assert set(labels) <= {"FP"}
    with pytest.raises(ParameterError):
        comparison.get_labels1("x")
    with pytest.raises(ParameterError):
        comparison.get_labels2("t0")


def test_labels_need_matches_that_are_one_to_one(sortings):
    comparison = compare_sorter_to_ground_truth(*sortings, match_mode="best")
    assert comparison.count_score.at["t1", "tested_id"] == MERGED
    assert comparison.count_score.at["t2", "tested_id"] == MERGED
    with pytest.raises(ParameterError, match="match_mode"):
        comparison.get_labels1("t0")
    with pytest.raises(ParameterError, match="match_mode"):
        compare_sorter_to_ground_truth(*sortings, match_mode="best", compute_labels=True)
    with pytest.raises(ParameterError, match="match_mode"):
        compare_sorter_to_ground_truth(*sortings, match_mode="first")


def test_misclassified_spikes_are_found_if_asked_for():
    truth = sorting_of([[[100, 200, 400], [150, 250]]])
    tested = sorting_of([[[150, 203, 250], [100, 400]]], ["a", "b"])
    for is_asked, labels in ((True, ["TP", "CL_0_a", "TP"]), (False, ["TP", "FN", "TP"])):
        comparison = compare_sorter_to_ground_truth(
            truth, tested, compute_labels=True, compute_misclassifications=is_asked
        )
        assert comparison.get_labels1(0)[0].tolist() == labels


def test_the_confusion_matrix_adds_up(comparison):
    matrix = comparison.get_confusion_matrix()
    assert matrix.shape == (9, 9)
    rows = matrix.sum(axis=1)
    assert all(rows[unit] == n for unit, n in comparison.event_counts1.items())
    assert matrix is comparison.get_confusion_matrix()


@given(pairs_of_segment_lists)
def test_the_truth_compared_with_itself_is_perfect(pair):
    truth = sorting_of(pair[0])
    comparison = compare_sorter_to_ground_truth(truth, truth, exhaustive_gt=True)
    has_spikes = truth.count_num_spikes_per_unit("array") > 0
    rates = comparison.get_performance()
    assert rates["accuracy"].tolist() == has_spikes.astype(float).tolist()
    assert rates["miss_rate"].tolist() == [0] * has_spikes.size
    assert comparison.count_well_detected_units() == has_spikes.sum()


@given(pairs_of_segment_lists)
def test_every_tested_unit_is_of_one_kind(pair):
    comparison = compare_sorter_to_ground_truth(*map(sorting_of, pair), exhaustive_gt=True)
    false, redundant = comparison.get_false_positive_units(), comparison.get_redundant_units()
    assert not set(false) & set(redundant)
    assert set(false) | set(redundant) <= set(comparison.get_bad_units())
    assert not set(comparison.get_bad_units()) & set(comparison.get_well_detected_units())


@pytest.mark.parametrize(("n_true", "n_tested"), [(0, 0), (0, 2), (2, 0)])
@pytest.mark.filterwarnings("error")
def test_there_may_be_no_units(n_true, n_tested):
    truth, tested = (sorting_of([[[5]] * n], np.arange(n)) for n in (n_true, n_tested))
    comparison = compare_sorter_to_ground_truth(truth, tested, exhaustive_gt=True)
    assert comparison.agreement_scores.shape == (n_true, n_tested)
    assert comparison.get_performance().shape == (n_true, 5)
    assert comparison.get_confusion_matrix().shape == (n_true + 1, n_tested + 1)
    assert comparison.count_bad_units() == n_tested
    assert isinstance(comparison.get_performance("pooled_with_average"), pd.Series)


def test_agreement_may_be_by_distance(sortings):
    comparison = compare_sorter_to_ground_truth(*sortings, agreement_method="distance")
    assert comparison.hungarian_match_12["t0"] == GOOD
    assert comparison.count_score.at["t0", "tp"] > 0


def test_comparisons_say_in_the_log_what_they_do(sortings, caplog):
    with caplog.at_level("INFO"):
        compare_sorter_to_ground_truth(*sortings)
        assert not caplog.messages
        compare_sorter_to_ground_truth(*sortings, "truth", "sorter", verbose=True)
    assert "Agreement scores of truth and sorter" in caplog.messages
