import numpy as np
import pytest

from making.sortings import dicts_of, example_sorting, recording_of, sorting_of
from spikeloom.core.segments import concatenate_recordings
from spikeloom.core.sorting_segments import (
    append_sortings,
    concatenate_sortings,
    select_segment_sorting,
    split_sorting,
)
from spikeloom.errors import ParameterError


def test_appended_segments_keep_their_times():
    first, second = example_sorting(t_starts=[1.0, None]), example_sorting(t_starts=[None, 9.0])
    second.shift_times(2.0, 0)
    both = append_sortings([first, second])
    assert [both.get_start_time(k) for k in range(4)] == [1.0, 0.0, 2.0, 9.0]
    assert dicts_of(both) == dicts_of(first) * 2
    assert both.get_property("quality").tolist() == ["good", "mua", "noise"]
    both.shift_times(100.0)
    assert second.get_start_time(0) == 2.0


def test_appended_recordings_are_registered():
    sortings = [example_sorting(), example_sorting()]
    for k, sorting in enumerate(sortings):
        sorting.register_recording(recording_of([60, 60], t_starts=[k, k + 0.5]))
    both = append_sortings(sortings)
    assert both.get_total_samples() == 240
    assert both.get_start_time(3) == 1.5
    sortings[1].register_recording(recording_of([60, 60], n_channels=3))
    assert not append_sortings(sortings).has_recording()


def test_segments_without_spikes_at_the_end_stay():
    empty = sorting_of([{"a": [1]}, {"a": []}])
    for view in (
        append_sortings([empty]),
        empty.select_units(["a"]),
        empty.select_segments([0, 1]),
        empty.select_segments(np.array([1, 0, 1])),
        empty.to_shared_memory_sorting(),
    ):
        assert view.get_num_segments() in {2, 3}
        assert view.get_unit_spike_train("a", 1).size in {0, 1}
    assert append_sortings([empty, empty]).get_num_segments() == 4


def test_other_units_cannot_be_appended():
    sorting = example_sorting()
    for other in (sorting.select_units(["b", "a", "c"]), sorting.select_units(["a"])):
        with pytest.raises(ParameterError, match="Sorting 1 has the units"):
            append_sortings([sorting, other])
    with pytest.raises(ParameterError):
        append_sortings([])


def test_concatenated_lengths_come_from_recordings():
    sorting = example_sorting()
    sorting.register_recording(recording_of([60, 70]))
    one = concatenate_sortings([sorting, sorting])
    assert one.get_num_segments() == 1
    assert one.get_num_samples() == one.get_total_samples() == 260
    assert one.get_unit_spike_train("c").tolist() == [62, 119, 192, 249]
    assert one.has_recording()
    assert dicts_of(one.clone()) == dicts_of(one)


def test_concatenated_recordings_keep_their_times():
    sorting = example_sorting()
    sorting.register_recording(recording_of([60, 70], t_starts=[1.0, 5.0]))
    one = concatenate_sortings([sorting])
    assert one.get_unit_spike_train("c", return_times=True).tolist() == [5.002, 5.059]
    none = concatenate_sortings([sorting], ignore_times=True)
    assert none.get_unit_spike_train("c", return_times=True).tolist() == [0.062, 0.119]
    assert none.to_dict()["kwargs"]["ignore_times"] is True
    assert one.get_start_time() == 1.0


def test_concatenated_without_recordings():
    sorting = example_sorting(t_starts=[1.0, 5.0])
    one = concatenate_sortings([sorting, sorting.select_segments(0)], [60, 60, 31])
    assert one.get_num_samples() == 151
    assert one.get_unit_spike_train("a").tolist() == [3, 9, 30, 61, 123, 129, 150]
    assert one.get_start_time() == 0.0
    with pytest.raises(ParameterError, match="cannot be kept"):
        concatenate_sortings([sorting.select_segments(0)], [60], ignore_times=False)
    with pytest.raises(ParameterError, match="register_recording"):
        concatenate_sortings([sorting])
    with pytest.raises(ParameterError, match="one length for each segment"):
        concatenate_sortings([sorting], [60])
    with pytest.raises(ParameterError, match="has 30 samples"):
        concatenate_sortings([sorting], [30, 60])


def test_lengths_that_contradict_the_recording():
    sorting = example_sorting()
    sorting.register_recording(recording_of([60, 70]))
    assert concatenate_sortings([sorting], [60, 70]).get_num_samples() == 130
    with pytest.raises(ParameterError, match="leave it out"):
        concatenate_sortings([sorting], [60, 71])


def test_split_undoes_concatenation():
    sorting = example_sorting()
    recording = recording_of([60, 70], t_starts=[1.0, 5.0])
    sorting.register_recording(recording)
    one = concatenate_sortings([sorting, sorting])
    for parts in (
        split_sorting(one),
        split_sorting(one, one._recording),
        split_sorting(one, concatenate_recordings([recording] * 2)),
        split_sorting(one, [recording, recording]),
        split_sorting(one, (recording, recording)),
    ):
        assert dicts_of(parts) == dicts_of(sorting) * 2
        assert [parts.get_num_samples(k) for k in range(4)] == [60, 70, 60, 70]
        assert [parts.get_start_time(k) for k in range(4)] == [1.0, 5.0, 1.0, 5.0]


def test_split_leaves_spikes_outside_out_and_keeps_empty_segments():
    sorting = sorting_of([{"a": [-1, 5, 20, 90]}])
    parts = split_sorting(sorting, [recording_of([0, 10, 0, 30, 0])])
    assert dicts_of(parts) == [{"a": t} for t in ([], [5], [], [10], [])]
    different = [recording_of([10]), recording_of([30], n_channels=2, t_starts=[4.0])]
    parts = split_sorting(sorting, different)
    assert [parts.get_start_time(k) for k in (0, 1)] == [0.0, 4.0]
    assert not parts.has_recording()


def test_what_cannot_be_split():
    with pytest.raises(ParameterError, match="one segment"):
        split_sorting(example_sorting())
    sorting = sorting_of([{"a": [1]}])
    with pytest.raises(ParameterError, match="recording_or_recording_list"):
        split_sorting(sorting)
    with pytest.raises(ParameterError, match="one segment"):
        split_sorting(sorting, recording_of([5]))
    with pytest.raises(ParameterError, match="recordings"):
        split_sorting(sorting, [1])
    sorting.register_recording(recording_of([5]))
    assert split_sorting(sorting).get_num_segments() == 1


def test_selected_segments():
    sorting = example_sorting(t_starts=[1.0, 5.0])
    for indices in (1, [1], np.int64(1), np.array([1]), (1,), -1):
        assert dicts_of(select_segment_sorting(sorting, indices)) == [dicts_of(sorting)[1]]
    both = sorting.select_segments([1, 0])
    assert dicts_of(both) == dicts_of(sorting)[::-1]
    assert [both.get_start_time(k) for k in (0, 1)] == [5.0, 1.0]
    both.shift_times(3.0)
    both.segments[0]._t_start = 0.0
    assert [sorting.get_start_time(k) for k in (0, 1)] == [1.0, 5.0]
    for wrong in (2, [0, 2], "0", None, 0.5, [None]):
        with pytest.raises(ParameterError):
            sorting.select_segments(wrong)


def test_selected_segments_of_the_recording():
    sorting = example_sorting()
    sorting.register_recording(recording_of([60, 70], t_starts=[1.0, 5.0]))
    second = sorting.select_segments(1)
    assert second.get_num_samples() == 70
    assert second.get_start_time() == 5.0
