"""Segments on one time axis."""

import numpy as np
import pytest

from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError
from spikeloom.exporters.common_times import common_times

FS = 1000.0


def make(t_starts=None):
    recording = NumpyRecording(
        [np.zeros((100, 1), np.int16), np.zeros((50, 1), np.int16)], FS, t_starts=t_starts
    )
    sorting = NumpySorting.from_unit_dict([{"a": [0, 99], "b": [5]}, {"a": [0, 49], "b": []}], FS)
    return recording, sorting


def test_segments_follow_each_other_if_their_times_overlap():
    recording, sorting = make()
    sorting.register_recording(recording)
    times = common_times(sorting)
    np.testing.assert_allclose(times.train_s("a"), [0, 0.099, 0.1, 0.149])
    np.testing.assert_allclose(times.train_s("b"), [0.005])
    np.testing.assert_allclose(times.intervals_s, [[0, 0.1], [0.1, 0.15]])
    assert times.has_durations


def test_times_that_follow_each_other_are_kept():
    recording, sorting = make([10.0, 10.1])
    sorting.register_recording(recording)
    times = common_times(sorting)
    np.testing.assert_array_equal(times.shifts_s, 0)
    np.testing.assert_allclose(times.train_s("a"), [10, 10.099, 10.1, 10.149])
    late, sorting = make([10.0, 500.0])
    sorting.register_recording(late)
    np.testing.assert_allclose(common_times(sorting).intervals_s[1], [500, 500.05])


def test_a_segment_that_begins_too_early_is_moved():
    recording, sorting = make([10.0, 10.05])
    sorting.register_recording(recording)
    times = common_times(sorting)
    np.testing.assert_allclose(times.intervals_s, [[10, 10.1], [10.1, 10.15]])
    np.testing.assert_allclose(times.own_starts_s, [10, 10.05])


def test_one_segment_has_its_own_times():
    recording, sorting = make([10.0, 3.0])
    sorting.register_recording(recording)
    times = common_times(sorting, segment_index=1)
    np.testing.assert_allclose(times.train_s("a"), [3.0, 3.049])
    for wrong in (-1, 2):
        with pytest.raises(ParameterError, match=r"0 to 1; got"):
            common_times(sorting, segment_index=wrong)


def test_an_analyzer_knows_the_times_of_its_recording():
    recording, sorting = make([10.0, 10.5])
    recording.set_dummy_probe_from_locations(np.zeros((1, 2)))
    recording.set_times(np.linspace(20, 30, 50), segment_index=1)
    analyzer = create_sorting_analyzer(
        sorting, recording, sparse=False, return_in_uV=False, progress_bar=False
    )
    times = common_times(analyzer.sorting, analyzer)
    np.testing.assert_allclose(times.train_s("a"), [10, 10.099, 20, 30])


def test_without_a_recording_a_segment_ends_with_its_last_spike():
    _, sorting = make()
    times = common_times(sorting)
    assert not times.has_durations
    np.testing.assert_allclose(times.intervals_s, [[0, 0.1], [0.1, 0.15]])
    empty = NumpySorting.from_unit_dict([{"a": []}, {"a": []}], FS)
    assert common_times(empty).train_s("a").size == 0
