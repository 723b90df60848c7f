import numpy as np
import pytest

from making.sortings import dicts_of, example_sorting, recording_of, sorting_of
from spikeloom.core.merging_units import (
    apply_merges_to_sorting,
    apply_splits_to_sorting,
    set_properties_after_merging,
)
from spikeloom.errors import ParameterError


def test_a_merge_keeps_times_annotations_and_segments():
    sorting = example_sorting(t_starts=[2.0, None])
    merged, mask, ids = apply_merges_to_sorting(sorting, [["a", "b"]], return_extra=True)
    assert ids == ["merge0"]
    assert mask.all()
    assert dicts_of(merged) == [
        {"c": [], "merge0": [3, 4, 9, 30]},
        {"c": [2, 59], "merge0": [1]},
    ]
    assert merged.get_start_time(0) == 2.0
    assert merged.get_annotation("remarks") == {"by": ["me", 1]}
    assert dicts_of(sorting)[0]["b"] == [4]


def test_recordings_and_empty_segments_stay():
    sorting = sorting_of([{"a": [1], "b": [2]}, {"a": [], "b": []}])
    sorting.register_recording(recording_of([60, 60]))
    merged = apply_merges_to_sorting(sorting, [["a", "b"]])
    assert merged.get_num_segments() == 2
    assert merged.get_total_samples() == 120


def test_spikes_too_close_are_left_out():
    sorting = sorting_of([{0: [0, 100], 1: [2, 50], 2: [1]}])
    merged, mask, ids = apply_merges_to_sorting(sorting, [[0, 1]], censor_ms=3.0, return_extra=True)
    assert dicts_of(merged) == [{2: [1], 3: [0, 50, 100]}]
    assert mask.tolist() == [True, True, False, True, True]
    assert ids == [3]


def test_properties_of_merged_units():
    sorting = sorting_of([{0: [1], 1: [2, 3], 2: [4], 3: [5]}])
    sorting.set_property("same", [1, 1, 2, 3])
    sorting.set_property("count", [1, 2, 3, 4])
    sorting.set_property("flag", [True, False, True, True])
    sorting.set_property("snr", [1.5, 2.5, np.nan, np.nan])
    sorting.set_property("label", ["x", "y", "z", "z"])
    sorting.set_property("where", [[0.0, 1.0], [0.0, 2.0], [3.0, 3.0], [3.0, 3.0]])
    sorting.set_property("objects", np.array([{"a": 1}, None, 3, 3], object))
    sorting.set_property("main_channel_id", ["ch0", "ch1", "ch2", "ch2"])
    merged = apply_merges_to_sorting(sorting, [[0, 1], [2, 3]])
    assert merged.unit_ids.tolist() == [4, 5]
    assert "count" not in merged.get_property_keys()
    assert "flag" not in merged.get_property_keys()
    np.testing.assert_array_equal(merged.get_property("snr"), [np.nan, np.nan])
    assert merged.get_property("label").tolist() == ["", "z"]
    np.testing.assert_array_equal(merged.get_property("where"), [[np.nan] * 2, [3, 3]])
    assert merged.get_property("objects").tolist() == [None, 3]
    assert merged.get_property("main_channel_id").tolist() == ["ch1", "ch2"]
    assert merged.get_property("is_merged").tolist() == [True, True]
    assert "same" not in apply_merges_to_sorting(sorting, [[1, 2]]).get_property_keys()
    assert apply_merges_to_sorting(sorting, [[0, 1]]).get_property("same").tolist() == [2, 3, 1]


def test_units_merged_before_stay_marked():
    sorting = sorting_of([{0: [1], 1: [2], 2: [4], 3: [5], 4: [6]}])
    once = apply_merges_to_sorting(sorting, [[0, 1]])
    twice = apply_merges_to_sorting(once, [[2, 3]])
    assert dict(zip(twice.unit_ids.tolist(), twice.get_property("is_merged"), strict=True)) == {
        4: False,
        5: True,
        6: True,
    }
    again = apply_merges_to_sorting(twice, [[4, 6]], new_id_strategy="take_first")
    assert again.unit_ids.tolist() == [4, 5]
    assert again.get_property("is_merged").tolist() == [True, True]


def test_an_id_that_is_used_again_has_the_properties_of_the_merge():
    sorting = example_sorting()
    merged = apply_merges_to_sorting(sorting, [["b", "c"]], new_id_strategy="take_first")
    assert merged.unit_ids.tolist() == ["a", "b"]
    assert merged.get_property("quality").tolist() == ["good", ""]
    assert merged.get_property("is_merged").tolist() == [False, True]
    other = sorting.rename_units(["c", "b", "a"])
    swapped = apply_merges_to_sorting(other, [["a", "c"]], new_unit_ids=["a"])
    assert swapped.get_property("quality").tolist() == ["mua", ""]


def test_properties_for_a_sorting_that_exists():
    before, after = example_sorting(), sorting_of([{"c": [1], "d": [2]}])
    set_properties_after_merging(after, before, [["a", "b"]], ["d"])
    assert after.get_property("quality").tolist() == ["noise", ""]
    with pytest.raises(ParameterError):
        set_properties_after_merging(sorting_of([{"e": [], "d": []}]), before, [["a", "b"]], ["d"])


def test_merges_that_make_no_sense():
    for groups in ([["a"]], [["a", "z"]], [["a", "b"], ["b", "c"]]):
        with pytest.raises(ParameterError):
            apply_merges_to_sorting(example_sorting(), groups)
    with pytest.raises(ParameterError):
        apply_merges_to_sorting(example_sorting(), [["a", "b"]], new_unit_ids=["c"])


def test_a_split_keeps_all_that_is_said():
    sorting = example_sorting(t_starts=[2.0, None])
    split, ids = apply_splits_to_sorting(sorting, {"a": [[0, 3], [1, 2]]}, return_extra=True)
    assert ids == [["a-split0", "a-split1"]]
    assert dicts_of(split) == [
        {"b": [4], "c": [], "a-split0": [3], "a-split1": [9, 30]},
        {"b": [], "c": [2, 59], "a-split0": [1], "a-split1": []},
    ]
    assert split.get_property("quality").tolist() == ["mua", "noise", "good", "good"]
    assert split.get_property("is_split").tolist() == [False, False, True, True]
    assert split.get_start_time(0) == 2.0
    assert split.get_annotation("name") == "example"
    again = apply_splits_to_sorting(split, {"c": [[0], [1]]}, new_unit_ids=[["x", "y"]])
    assert again.get_property("is_split").tolist() == [False, True, True, True, True]
    with pytest.raises(ParameterError):
        apply_splits_to_sorting(sorting, {"a": [[0], [1]]})
