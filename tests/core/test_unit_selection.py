import numpy as np
import pytest

from making.sortings import dicts_of, example_sorting, recording_of
from spikeloom.core.unit_selection import UnitsSelectionSorting
from spikeloom.errors import ParameterError


def test_properties_annotations_and_times_come_along():
    sorting = example_sorting(t_starts=[2.0, None])
    sorting.shift_times(0.5, 1)
    picked = sorting.select_units(["c", "a"], renamed_unit_ids=[8, 9])
    assert picked.unit_ids.tolist() == [8, 9]
    assert picked.get_property("quality").tolist() == ["noise", "good"]
    assert picked.get_property("location").tolist() == [[4, 5], [0, 1]]
    assert picked.get_annotation("remarks") == {"by": ["me", 1]}
    assert [picked.get_start_time(k) for k in (0, 1)] == [2.0, 0.5]
    assert picked.get_parent() is sorting
    assert dicts_of(picked) == [{8: [], 9: [3, 9, 30]}, {8: [2, 59], 9: [1]}]


def test_the_recording_comes_along():
    sorting = example_sorting()
    recording = recording_of([60, 60], t_starts=[1.0, 100.0])
    recording.set_times(np.arange(60) * 2.0 + 7, segment_index=1)
    sorting.register_recording(recording)
    picked = sorting.select_units(["c"]).rename_units(["z"])
    assert picked.get_unit_spike_train("z", 1, return_times=True).tolist() == [11.0, 125.0]
    picked.shift_times(1.0)
    assert sorting.get_start_time(1) == 7.0


def test_properties_are_not_shared():
    sorting = example_sorting()
    picked = sorting.select_units(["a", "b", "c"])
    picked.set_property("quality", ["x"], ids=["a"])
    assert sorting.get_property("quality").tolist() == ["good", "mua", "noise"]


def test_spikes_of_one_sample_stand_in_the_order_of_the_units():
    from making.sortings import sorting_of

    sorting = sorting_of([{"a": [5], "b": [5], "c": [5]}])
    assert sorting.select_units(["c", "a"]).to_spike_vector()["unit_index"].tolist() == [0, 1]


def test_no_units():
    picked = example_sorting().select_units([])
    assert picked.get_num_units() == 0
    assert picked.get_num_segments() == 2
    assert picked.to_spike_vector().size == 0
    assert picked.get_property("quality").shape == (0,)


@pytest.mark.parametrize(
    ("unit_ids", "renamed"),
    [
        (["z"], None),
        (["a", "a"], None),
        ("a", None),
        ([0], None),
        (["a", "b"], ["x"]),
        (["a", "b"], ["x", "x"]),
        ([True, False, True], None),
    ],
)
def test_what_is_refused(unit_ids, renamed):
    with pytest.raises(ParameterError):
        UnitsSelectionSorting(example_sorting(), unit_ids, renamed)


def test_all_units_by_default():
    assert UnitsSelectionSorting(example_sorting()).unit_ids.tolist() == ["a", "b", "c"]
    with pytest.raises(ParameterError, match="sorting is needed"):
        UnitsSelectionSorting(None)
