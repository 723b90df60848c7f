import numpy as np
import pytest

from spikeloom.core.unit_ids import (
    generate_unit_ids_for_merge_group,
    generate_unit_ids_for_split,
    unit_ids_after,
)
from spikeloom.errors import ParameterError

NUMBERS, DIGITS, WORDS = [0, 1, 2, 9], ["0", "1", "9"], ["a", "b", "c1"]


@pytest.mark.parametrize(
    ("ids", "strategy", "expected"),
    [
        (NUMBERS, "append", [10]),
        (NUMBERS, "take_first", [0]),
        (NUMBERS, "join", [10]),
        (DIGITS, "append", ["10"]),
        (DIGITS, "take_first", ["0"]),
        (DIGITS, "join", ["0-1"]),
        (WORDS, "append", ["merge0"]),
        (WORDS, "take_first", ["a"]),
        (WORDS, "join", ["a-b"]),
        (["0", "a"], "append", ["merge0"]),
    ],
)
def test_a_merge_gets_an_id(ids, strategy, expected):
    groups = [np.array(ids)[:2]]
    assert generate_unit_ids_for_merge_group(np.array(ids), groups, None, strategy) == expected


@pytest.mark.parametrize(
    ("ids", "strategy", "expected"),
    [
        (NUMBERS, "append", [[10, 11], [12, 13, 14]]),
        (NUMBERS, "split", [[10, 11], [12, 13, 14]]),
        (DIGITS, "append", [["10", "11"], ["12", "13", "14"]]),
        (DIGITS, "split", [["0-0", "0-1"], ["1-0", "1-1", "1-2"]]),
        (WORDS, "append", [["a-split0", "a-split1"], ["b-split0", "b-split1", "b-split2"]]),
        (WORDS, "split", [["a-0", "a-1"], ["b-0", "b-1", "b-2"]]),
    ],
)
def test_parts_get_ids(ids, strategy, expected):
    splits = {ids[0]: [[0, 1], [2]], ids[1]: [[0], [1], [2]]}
    assert generate_unit_ids_for_split(np.array(ids), splits, None, strategy) == expected


def test_an_id_that_exists_is_not_given_again():
    ids = ["a", "merge0", "c", "d", "e", "d-e"]
    groups = [["a", "c"], ["d", "e"]]
    assert generate_unit_ids_for_merge_group(ids, groups) == ["merge1", "merge2"]
    joined = generate_unit_ids_for_merge_group(ids, groups, new_id_strategy="join")
    assert joined == ["a-c", "d-e-1"]
    splits = {"a": [[0], [1]]}
    assert generate_unit_ids_for_split(["a", "a-1"], splits, None, "split") == [["a-0", "a-2"]]


def test_given_ids_may_be_those_of_units_that_go():
    groups = [[0, 2]]
    assert generate_unit_ids_for_merge_group(NUMBERS, groups, [2]) == [2]
    assert generate_unit_ids_for_merge_group(NUMBERS, groups, [77]) == [77]
    assert generate_unit_ids_for_split(NUMBERS, {0: [[0], [1]]}, [[0, 55]]) == [[0, 55]]


@pytest.mark.parametrize(
    ("groups", "new", "strategy", "message"),
    [
        ([[0]], None, "append", "at least two units"),
        ([[0, 77]], None, "append", r"Units \[77\] are not among"),
        ([[0, 1], [1, 2]], None, "append", r"Units \[1\] occur twice"),
        ([[0, 0]], None, "append", r"Units \[0\] occur twice"),
        ([[0, 1]], [2], "append", r"\[2\] are those of units that stay"),
        ([[0, 1]], [5, 6], "append", "2 new unit ids for 1 merges"),
        ([[0, 1], [2, 9]], [5, 5], "append", "must differ"),
        ([[0, 1]], None, "best", "append, take_first, join; got 'best'"),
    ],
)
def test_merges_that_make_no_sense_are_refused(groups, new, strategy, message):
    with pytest.raises(ParameterError, match=message):
        generate_unit_ids_for_merge_group(NUMBERS, groups, new, strategy)


@pytest.mark.parametrize(
    ("splits", "new", "strategy", "message"),
    [
        ({0: [[0, 1]]}, None, "append", "has at least two"),
        ({8: [[0], [1]]}, None, "append", r"Units \[8\] are not among"),
        ({0: [[0], [1]]}, [[1, 5]], "append", "units that stay"),
        ({0: [[0], [1]]}, [[5]], "append", r"Splits have \[2\] parts"),
        ({0: [[0], [1]]}, [[5, 5]], "append", "must differ"),
        ({0: [[0], [1]]}, None, "join", "append, split; got 'join'"),
    ],
)
def test_splits_that_make_no_sense_are_refused(splits, new, strategy, message):
    with pytest.raises(ParameterError, match=message):
        generate_unit_ids_for_split(NUMBERS, splits, new, strategy)


def test_new_ids_stand_at_the_end_unless_they_are_old_ones():
    assert unit_ids_after([0, 1, 2, 3], [0, 2], [4]).tolist() == [1, 3, 4]
    assert unit_ids_after([0, 1, 2, 3], [0, 2], [0]).tolist() == [0, 1, 3]
    assert unit_ids_after(["b", "a"], ["b"], ["longer", "b"]).tolist() == ["b", "a", "longer"]
    assert unit_ids_after(np.array([3, 4], np.uint64), [3], [9]).dtype == np.uint64
    assert unit_ids_after(np.array([3, 4], np.int8), [3], [900]).tolist() == [4, 900]
    assert unit_ids_after([3, 4], [3, 4], []).size == 0


def test_numbers_and_text_are_not_mixed():
    with pytest.raises(ParameterError, match="another kind"):
        unit_ids_after([1, 2], [1], ["x"])
