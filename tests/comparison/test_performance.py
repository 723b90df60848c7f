import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from making.compared import DELTA, pairs_of_segment_lists, sorting_of
from spikeloom.comparison import (
    compute_performance,
    do_confusion_matrix,
    do_count_event,
    do_count_score,
    make_agreement_scores,
    make_best_match,
    make_hungarian_match,
    make_match_count_matrix,
)

N_TRUE = pd.Series([10, 5, 4], index=["x", "y", "z"])
N_TESTED = pd.Series([9, 4], index=[3, 7])
COUNTS = pd.DataFrame([[8, 0], [1, 0], [0, 4]], index=N_TRUE.index, columns=N_TESTED.index)
MATCH = pd.Series([3, -1, 7], index=N_TRUE.index)


def test_hits_and_misses_are_counted():
    table = do_count_score(N_TRUE, N_TESTED, MATCH, COUNTS)
    assert table.index.name == "gt_unit_id"
    assert table.to_dict("list") == {
        "tp": [8, 0, 4],
        "fn": [2, 5, 0],
        "fp": [1, 0, 0],
        "num_gt": [10, 5, 4],
        "num_tested": [9, 0, 4],
        "tested_id": [3, -1, 7],
    }
    assert all(table[name].dtype == np.int64 for name in table.columns)


def test_rates_are_made_of_counts():
    rates = compute_performance(do_count_score(N_TRUE, N_TESTED, MATCH, COUNTS))
    assert rates.loc["x"].to_dict() == {
        "accuracy": 8 / 11,
        "recall": 8 / 10,
        "precision": 8 / 9,
        "false_discovery_rate": 1 / 9,
        "miss_rate": 2 / 10,
    }
    assert rates.loc["y"].tolist() == [0] * 5  # as SpikeInterface has it
    assert rates.loc["z"].tolist() == [1, 1, 1, 0, 0]
    assert all(dtype == np.float64 for dtype in rates.dtypes)


def test_the_confusion_matrix_has_matched_units_first():
    matrix = do_confusion_matrix(N_TRUE, N_TESTED, MATCH, COUNTS)
    assert matrix.index.tolist() == ["x", "z", "y", "FP"]
    assert matrix.columns.tolist() == [3, 7, "FN"]
    assert matrix.to_numpy().tolist() == [[8, 0, 2], [0, 4, 0], [0, 0, 5], [1, 0, 0]]


def test_a_tested_unit_may_match_several():
    match = pd.Series([3, 3, 7], index=N_TRUE.index)
    matrix = do_confusion_matrix(N_TRUE, N_TESTED, match, COUNTS)
    assert matrix.columns.tolist() == [3, 7, "FN"]
    assert matrix[3].tolist() == [8, 1, 0, 0]


@pytest.mark.parametrize("make", [make_hungarian_match, make_best_match])
@given(pair=pairs_of_segment_lists)
def test_every_spike_is_somewhere_in_the_tables(make, pair):
    one, two = map(sorting_of, pair)
    counts = make_match_count_matrix(one, two, DELTA)
    match = make(make_agreement_scores(one, two, DELTA), 0.3)[0]
    n_one, n_two = do_count_event(one), do_count_event(two)
    table = do_count_score(n_one, n_two, match, counts)
    assert (table["tp"] + table["fn"]).equals(table["num_gt"])
    assert (table["tp"] + table["fp"]).equals(table["num_tested"])
    matrix = do_confusion_matrix(n_one, n_two, match, counts)
    assert np.all(matrix.to_numpy() >= 0)
    rows = matrix.sum(axis=1)
    assert all(rows[unit] == n for unit, n in n_one.items())
    if make is make_hungarian_match:
        columns = matrix.sum(axis=0)
        assert all(columns[unit] == n for unit, n in n_two.items())
