from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from spikeloom.comparison import make_best_match, make_hungarian_match, make_possible_match
from spikeloom.comparison.unit_matches import hungarian_positions
from spikeloom.comparison.unit_tables import absent_id, ids_at, match_series, positions_of
from spikeloom.errors import ParameterError

# Steps of 1/8, so that sums are exact and scores tie.
tables = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: arrays(float, shape, elements=st.integers(0, 8).map(lambda k: k / 8))
)

SCORES = pd.DataFrame([[0.9, 0.8, 0.0], [0.85, 0.3, 0.0]], index=[10, 20], columns=["a", "b", "c"])


def test_possible_matches_are_those_above_chance():
    forward, back = make_possible_match(SCORES, 0.5)
    assert {unit: ids.tolist() for unit, ids in forward.items()} == {10: ["a", "b"], 20: ["a"]}
    assert {unit: ids.tolist() for unit, ids in back.items()} == {"a": [10, 20], "b": [10], "c": []}


def test_best_matches_may_share_a_unit():
    forward, back = make_best_match(SCORES, 0.1)
    assert forward.to_dict() == {10: "a", 20: "a"}
    assert back.to_dict() == {"a": 10, "b": 10, "c": -1}


def test_hungarian_matches_are_one_to_one():
    forward, back = make_hungarian_match(SCORES, 0.5)
    assert forward.to_dict() == {10: "b", 20: "a"}
    assert back.to_dict() == {"a": 20, "b": 10, "c": -1}
    forward, back = make_hungarian_match(SCORES, 0.86)
    assert forward.to_dict() == {10: "a", 20: ""}
    assert back.to_dict() == {"a": 10, "b": -1, "c": -1}


@given(tables, st.integers(1, 8).map(lambda k: k / 8))
def test_no_other_pairing_agrees_more(scores, min_score):
    match_12, match_21 = hungarian_positions(scores, min_score)
    paired = [(i, j) for i, j in enumerate(match_12) if j >= 0]
    assert all(match_21[j] == i and scores[i, j] >= min_score for i, j in paired)
    assert np.count_nonzero(match_21 >= 0) == len(paired)
    counted = np.where(scores >= min_score, scores, 0.0)
    wide = counted if scores.shape[0] <= scores.shape[1] else counted.T
    best = max(
        sum(wide[i, j] for i, j in enumerate(order))
        for order in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert sum(scores[i, j] for i, j in paired) == best


@given(tables)
def test_matches_of_the_transposed_table_are_the_same_turned_round(scores):
    table = pd.DataFrame(scores)
    forward, back = make_best_match(table, 0.25)
    turned_forward, turned_back = make_best_match(table.T, 0.25)
    assert forward.tolist() == turned_back.tolist()
    assert back.tolist() == turned_forward.tolist()


@pytest.mark.parametrize(
    ("ids", "nothing"), [([3, 4], -1), (np.array([3, 4], np.uint16), -1), (["a", "bc"], "")]
)
def test_what_stands_for_no_match_depends_on_the_kind_of_ids(ids, nothing):
    positions = np.array([1, -1])
    assert absent_id(np.asarray(ids)) == nothing
    assert ids_at(positions, ids).tolist() == [ids[1], nothing]
    match = match_series(positions, np.array([5, 6]), np.asarray(ids))
    assert positions_of(match, pd.Index(ids)).tolist() == [1, -1]


def test_an_unknown_match_is_refused():
    with pytest.raises(ParameterError, match="'x'"):
        positions_of(pd.Series(["x"]), pd.Index(["a"]))
