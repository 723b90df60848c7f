import numpy as np
import pytest
from hypothesis import given

from making.sortings import (
    dicts_of,
    example_sorting,
    recording_of,
    rows_of,
    segments_lists,
    sorting_of,
)
from spikeloom.core.base import BaseExtractor
from spikeloom.core.unit_aggregation import aggregate_units
from spikeloom.errors import ParameterError


@given(segments_lists)
def test_units_stand_side_by_side(dicts):
    first = sorting_of(dicts)
    second = first.rename_units(["e", "f", "g", "h"])
    both = aggregate_units([first, second])
    joined = [
        dict(zip("abcdefgh", [*units.values(), *units.values()], strict=True)) for units in dicts
    ]
    assert both.to_spike_vector().tolist() == rows_of(joined)
    assert dicts_of(both) == joined
    assert both.sortings == [first, second]


def ids_of(*ids):
    sortings = [sorting_of([{unit: [1] for unit in one}]) for one in ids]
    return aggregate_units(sortings).unit_ids


def test_ids_stay_where_they_can():
    assert ids_of([1, 5], [2]).tolist() == [1, 5, 2]
    assert ids_of(["a"], ["bb"]).tolist() == ["a", "bb"]
    numbered = ids_of([1, 5], [5])
    assert numbered.tolist() == [0, 1, 2]
    assert numbered.dtype == np.uint64
    assert ids_of(["a"], ["a"]).tolist() == ["0", "1"]
    assert ids_of(["a"], [1]).tolist() == ["0", "1"]
    assert ids_of(["a"], []).tolist() == ["a"]
    sorting = sorting_of([{"a": [1]}])
    assert aggregate_units([sorting, sorting], ["x", "y"]).unit_ids.tolist() == ["x", "y"]
    for wrong in (["x"], ["x", "x"]):
        with pytest.raises(ParameterError):
            aggregate_units([sorting, sorting], wrong)


def test_keys_of_a_dictionary():
    sorting = sorting_of([{"a": [1], "b": [2]}])
    both = aggregate_units({"left": sorting, "right": sorting})
    assert both.get_property("aggregation_key").tolist() == ["left", "left", "right", "right"]
    assert aggregate_units({0: sorting, 1: sorting}).get_property("aggregation_key").dtype == int
    mixed = aggregate_units({0: sorting, "x": sorting}).get_property("aggregation_key")
    assert mixed.tolist() == [0, 0, "x", "x"]
    assert aggregate_units([sorting, sorting]).get_property("aggregation_key") is None
    again = BaseExtractor.from_dict(both.to_dict())
    assert again.get_property("aggregation_key").tolist() == ["left", "left", "right", "right"]


def test_properties_are_filled():
    first, second = sorting_of([{"a": [1], "b": []}]), sorting_of([{"c": [2]}])
    first.set_property("snr", [1.0, 2.0])
    first.set_property("label", ["good", "bad"])
    first.set_property("both", [1, 2])
    second.set_property("both", [3])
    second.set_property("where", [[1.0, 2.0]])
    both = aggregate_units([first, second])
    np.testing.assert_array_equal(both.get_property("snr"), [1, 2, np.nan])
    assert both.get_property("label").tolist() == ["good", "bad", ""]
    assert both.get_property("both").tolist() == [1, 2, 3]
    np.testing.assert_array_equal(both.get_property("where"), [[np.nan] * 2, [np.nan] * 2, [1, 2]])


def test_properties_that_do_not_fit_are_named():
    first, second = sorting_of([{"a": [1]}]), sorting_of([{"c": [2]}])
    first.set_property("count", [1])
    with pytest.warns(UserWarning, match="'count' is left out"):
        both = aggregate_units([first, second])
    assert both.get_property("count") is None
    second.set_property("count", ["one"])
    with pytest.warns(UserWarning, match="different kinds"):
        aggregate_units([first, second])
    second.set_property("count", [[1, 2]])
    with pytest.warns(UserWarning, match="different shapes"):
        aggregate_units([first, second])


def test_main_channels_of_all_or_none():
    first, second = sorting_of([{"a": [1]}]), sorting_of([{"c": [2]}])
    first.set_property("main_channel_id", ["ch0"])
    with pytest.raises(ParameterError, match="main_channel_id"):
        aggregate_units([first, second])
    second.set_property("main_channel_id", ["ch10"])
    both = aggregate_units([first, second])
    assert both.get_property("main_channel_id").tolist() == ["ch0", "ch10"]


def test_annotations_in_which_all_agree():
    first, second = example_sorting(), example_sorting()
    second.annotate(name="other", array=[[1], [2, 3]])
    first.annotate(array=[[1], [2, 3]])
    assert aggregate_units([first, second]).get_annotation("remarks") == {"by": ["me", 1]}
    assert aggregate_units([first, second]).get_annotation("name") is None


def test_times():
    first, second = example_sorting(), example_sorting(t_starts=[5.0, 7.0])
    assert aggregate_units([first, second]).get_start_time(0) == 5.0
    assert aggregate_units([second, second.clone()]).get_start_time(1) == 7.0
    third = example_sorting(t_starts=[5.0, 8.0])
    with pytest.warns(UserWarning, match="times of sortings differ"):
        both = aggregate_units([second, third])
    assert both.get_start_time(1) == 7.0


def test_a_recording_that_all_share_is_kept():
    sorting = example_sorting()
    recording = recording_of([60, 60], t_starts=[1.0, 100.0])
    recording.set_times(np.arange(60) * 2.0, segment_index=0)
    sorting.register_recording(recording)
    both = aggregate_units([sorting.select_units(["a"]), sorting.select_units(["b"])])
    assert both.get_unit_spike_train("a", 0, return_times=True).tolist() == [6.0, 18.0, 60.0]
    assert both.get_num_samples(0) == 60


def test_what_does_not_fit():
    with pytest.raises(ParameterError, match="segments"):
        aggregate_units([example_sorting(), sorting_of([{"a": [1]}])])
    faster = sorting_of([{"a": [1]}], fs=1000.5)
    with pytest.raises(ParameterError, match="differ by more"):
        aggregate_units([sorting_of([{"b": [1]}]), faster])
    with pytest.warns(UserWarning, match="differ"):
        aggregate_units([sorting_of([{"b": [1]}]), faster], sampling_frequency_max_diff=1)
    for nothing in ([], {}, None, example_sorting(), [1]):
        with pytest.raises(ParameterError):
            aggregate_units(nothing)
