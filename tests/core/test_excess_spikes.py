import pytest

from making.sortings import dicts_of, example_sorting, recording_of, sorting_of
from spikeloom.core.excess_spikes import (
    RemoveExcessSpikesSorting,
    has_exceeding_spikes,
    remove_excess_spikes,
)
from spikeloom.errors import ParameterError


@pytest.mark.parametrize(
    ("train", "is_outside"),
    [([0, 9], False), ([0, 10], True), ([-1, 5], True), ([], False)],
)
def test_spikes_outside_are_found_in_either_order_of_arguments(train, is_outside):
    sorting, recording = sorting_of([{"a": train}]), recording_of([10])
    assert has_exceeding_spikes(sorting, recording) is is_outside
    assert has_exceeding_spikes(recording, sorting) is is_outside
    assert has_exceeding_spikes(sorting=sorting, recording=recording) is is_outside


def test_they_are_left_out_and_all_else_stays():
    sorting = example_sorting(t_starts=[2.0, None])
    kept = remove_excess_spikes(sorting, recording_of([9, 2]))
    assert dicts_of(kept) == [{"a": [3], "b": [4], "c": []}, {"a": [1], "b": [], "c": []}]
    assert kept.get_property("quality").tolist() == ["good", "mua", "noise"]
    assert kept.get_start_time(0) == 2.0
    assert dicts_of(kept.clone()) == dicts_of(kept)
    assert dicts_of(RemoveExcessSpikesSorting(sorting_of([{"a": [-5, 1]}]), recording_of([9]))) == [
        {"a": [1]}
    ]


def test_nothing_to_leave_out():
    sorting, recording = example_sorting(), recording_of([60, 60])
    assert remove_excess_spikes(sorting, recording) is sorting
    same = RemoveExcessSpikesSorting(sorting, recording)
    assert same.spike_table() is sorting.spike_table()


def test_the_registered_recording_is_the_default():
    sorting = example_sorting()
    with pytest.raises(ParameterError, match="register_recording"):
        remove_excess_spikes(sorting)
    with pytest.warns(UserWarning, match="exceed"):
        sorting.register_recording(recording_of([9, 60]))
    kept = remove_excess_spikes(sorting)
    assert kept.count_total_num_spikes() == 5
    assert kept.get_num_samples(0) == 9


def test_what_does_not_fit():
    with pytest.raises(ParameterError, match="segments"):
        remove_excess_spikes(example_sorting(), recording_of([9]))
    with pytest.raises(ParameterError, match="segments"):
        has_exceeding_spikes(recording_of([9]), example_sorting())
    with pytest.raises(ParameterError, match="recording is needed"):
        has_exceeding_spikes(example_sorting(), None)
