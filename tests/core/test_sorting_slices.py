import numpy as np
import pytest

from making.sortings import dicts_of, example_sorting, recording_of, sorting_of
from spikeloom.core.sorting_slices import FrameSliceSorting, select_sorting_periods
from spikeloom.core.spike_vector import base_period_dtype
from spikeloom.errors import DataError, ParameterError


@pytest.fixture
def sorting():
    return sorting_of([{"a": [10, 30], "b": [20]}])


def test_samples_count_from_the_start_and_times_stay(sorting):
    part = sorting.frame_slice(10, 30)
    assert dicts_of(part) == [{"a": [0], "b": [10]}]
    assert part.get_start_time() == 0.01
    assert part.get_unit_spike_train("b", return_times=True).tolist() == [0.02]
    inner = part.frame_slice(5, None)
    assert dicts_of(inner) == [{"a": [], "b": [5]}]
    assert inner.get_start_time() == pytest.approx(0.015)
    assert inner.get_parent() is part


def test_a_slice_may_be_empty(sorting):
    for start, end in ((0, 0), (20, 20), (500, None), (500, 600)):
        part = sorting.frame_slice(start, end)
        assert part.count_total_num_spikes() == 0
        assert part.get_num_segments() == 1
    assert dicts_of(sorting.frame_slice(None, None)) == dicts_of(sorting)
    assert dicts_of(sorting.frame_slice(None, 0)) == [{"a": [], "b": []}]


def test_spikes_before_the_start_are_left_out():
    assert dicts_of(sorting_of([{"a": [-3, 0, 2]}]).frame_slice(0, None)) == [{"a": [0, 2]}]


def test_what_is_refused(sorting):
    for start, end in ((-1, 5), (5, -1), (6, 5), (0.5, 3), ("1", 3)):
        with pytest.raises(ParameterError):
            sorting.frame_slice(start, end)
    with pytest.raises(ParameterError, match="one segment"):
        FrameSliceSorting(example_sorting(), 0, 10)
    with pytest.raises(ParameterError, match="one segment"):
        example_sorting().time_slice(0, 1)


def test_the_same_stretch_of_the_recording_is_registered(sorting):
    sorting.register_recording(recording_of([40], t_starts=[5.0]))
    part = sorting.frame_slice(10, 35)
    assert part.get_num_samples() == 25
    assert part.get_start_time() == 5.01
    assert part._recording.get_num_samples() == 25
    assert sorting.frame_slice(10, None).get_num_samples() == 30
    with pytest.raises(ParameterError, match="behind the end"):
        sorting.frame_slice(10, 41)


def test_lists_of_times_are_sliced(sorting):
    recording = recording_of([40])
    recording.set_times(np.arange(40) ** 2 / 10)
    sorting.register_recording(recording)
    part = sorting.frame_slice(15, 35)
    assert part.get_unit_spike_train("a", return_times=True).tolist() == [90.0]
    assert part.get_start_time() == 22.5
    part = sorting.time_slice(10.0, 90.0)
    assert dicts_of(part) == [{"a": [0], "b": [10]}]


def test_spikes_outside_of_the_recording(sorting):
    with pytest.warns(UserWarning, match="exceed"):
        sorting.register_recording(recording_of([25]))
    with pytest.raises(ParameterError, match="remove_excess_spikes"):
        sorting.frame_slice(0, 20)
    assert dicts_of(sorting.frame_slice(0, 20, check_spike_frames=False)) == [{"a": [10], "b": []}]


def test_seconds(sorting):
    sorting.segments[0]._t_start = -0.02
    assert dicts_of(sorting.time_slice(0.0, None)) == [{"a": [10], "b": [0]}]
    assert sorting.time_slice(0.0, None).get_start_time() == 0.0
    assert dicts_of(sorting.time_slice(None, 0.0)) == [{"a": [10], "b": []}]
    assert dicts_of(sorting.time_slice(-0.01, -0.01)) == [{"a": [], "b": []}]
    with pytest.raises(ParameterError, match="before the start"):
        sorting.time_slice(-0.03, None)
    with pytest.raises(ParameterError, match="is behind"):
        sorting.time_slice(0.01, 0.0)


def test_seconds_of_the_recording_up_to_its_very_end(sorting):
    sorting.register_recording(recording_of([31], t_starts=[2.0]))
    sorting.shift_times(1.0)
    whole = sorting.time_slice(3.0, 3.031)
    assert dicts_of(whole) == dicts_of(sorting)
    assert whole.get_start_time() == 3.0
    assert dicts_of(sorting.time_slice(3.01, 3.02)) == [{"a": [0], "b": []}]
    with pytest.raises(ParameterError, match="within"):
        sorting.time_slice(1.0, 3.0)


def test_periods_keep_all_that_is_said_of_the_sorting():
    sorting = example_sorting(t_starts=[3.0, None])
    periods = np.array([[0, 0, 10, 0], [1, 2, 59, 2]])
    part = select_sorting_periods(sorting, periods)
    assert dicts_of(part) == [{"a": [3, 9], "b": [], "c": []}, {"a": [], "b": [], "c": [2]}]
    assert part.get_property("quality").tolist() == ["good", "mua", "noise"]
    assert part.get_annotation("remarks") == {"by": ["me", 1]}
    assert part.get_start_time(0) == 3.0
    of_all = sorting.select_periods(np.array([(0, 4, 10)], base_period_dtype))
    assert dicts_of(of_all) == [{"a": [9], "b": [4], "c": []}, {"a": [], "b": [], "c": []}]
    assert of_all.get_num_segments() == 2
    assert sorting.select_periods(None) is sorting
    assert sorting.select_periods([]).count_total_num_spikes() == 0


def test_periods_that_make_no_sense():
    sorting = example_sorting()
    for periods in ([[0, 0, 10, 3]], [[2, 0, 10, 0]], [[0, 0, 10]], [[0.0, 0.5, 10.0, 1.0]]):
        with pytest.raises(DataError):
            sorting.select_periods(np.array(periods))
