import gc
import pickle

import numpy as np
import pytest

from spikeloom.core.base import BaseExtractor
from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.segments import (
    append_recordings,
    concatenate_recordings,
    select_segment_recording,
    split_recording,
)
from spikeloom.errors import ParameterError

TRACES = np.arange(20, dtype=np.int16).reshape(10, 2)
PIECES = [TRACES[:4], TRACES[4:4], TRACES[4:7], TRACES[7:]]


@pytest.fixture
def recording():
    recording = NumpyRecording(PIECES, 1.0, channel_ids=["a", "b"])
    recording.set_property("depth", [1.0, 2.0])
    recording.annotate(rat="R1")
    return recording


def starting(*t_starts, **changed):
    arguments = {"traces_list": [TRACES] * len(t_starts), "sampling_frequency": 1.0}
    return NumpyRecording(**{**arguments, "t_starts": t_starts, **changed})


# -- selected ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (2, [2]),
        (np.int64(2), [2]),
        (np.array(2), [2]),
        ([2, 0], [2, 0]),
        ((0, 0), [0, 0]),
        (np.array([3, 1]), [3, 1]),
        (range(1, 3), [1, 2]),
        (-1, [3]),
        ([], []),
    ],
)
def test_segments_in_any_order(recording, asked, expected):
    view = recording.select_segments(asked)
    assert view.get_num_segments() == len(expected)
    for k, index in enumerate(expected):
        np.testing.assert_array_equal(view.get_traces(k), PIECES[index])
    assert view.get_property("depth").tolist() == [1, 2]
    assert view.get_annotation("rat") == "R1"
    assert view.get_parent() is recording
    assert view.to_dict()["kwargs"]["segment_indices"] == expected
    assert view.get_total_samples() == sum(len(PIECES[k]) for k in expected)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (4, "no segment 4: this object has 4"),
        ([0, 9], "no segment 9"),
        (-5, "no segment -5"),
        (1.0, "whole number"),
        ("0", "whole number"),
        ([True], "whole number"),
        (None, "got None"),
        ([None], "got None"),
    ],
)
def test_unknown_segments_are_refused(recording, asked, says):
    with pytest.raises(ParameterError, match=says):
        select_segment_recording(recording, asked)


def test_a_view_of_a_segment_has_times_of_its_own(recording):
    view = recording.select_segments([2])
    view.set_times(np.arange(3) + 100.0)
    view.shift_times(1.0)
    assert recording.get_start_time(2) == 0
    assert not recording.has_time_vector(2)
    assert recording.segments[2].parent_extractor is recording
    del view
    gc.collect()
    assert recording.segments[2].parent_extractor is recording


def test_a_view_keeps_what_it_shows_alive(recording):
    view = recording.select_segments(0).select_channels(["b"]).frame_slice(1, 3)
    parent = recording.segments[0]
    del recording
    gc.collect()
    assert parent.parent_extractor is not None
    assert view.get_traces().tolist() == [[3], [5]]


def test_splitting_is_selecting_each(recording):
    parts = split_recording(recording)
    assert [part.get_num_segments() for part in parts] == [1] * 4
    for part, piece in zip(parts, PIECES, strict=True):
        np.testing.assert_array_equal(part.get_traces(), piece)
    assert split_recording(recording.select_segments([])) == []


# -- appended ------------------------------------------------------------------------------------


def test_appended_segments_keep_their_times(recording):
    others = starting(5.0, 7.0, channel_ids=["a", "b"])
    whole = append_recordings([recording, others, recording])
    assert whole.get_num_segments() == 10
    assert [whole.get_start_time(k) for k in (0, 4, 5, 6)] == [0, 5, 7, 0]
    np.testing.assert_array_equal(whole.get_traces(2), PIECES[2])
    np.testing.assert_array_equal(whole.get_traces(5, 1, 3, ["b"]), TRACES[1:3, 1:])
    assert whole.get_property("depth").tolist() == [1, 2]
    whole.shift_times(1.0)
    assert others.get_start_time(0) == 5
    again = append_recordings([whole, whole])
    assert type(again.segments[0]._source) is type(recording.segments[0])


# -- made one ------------------------------------------------------------------------------------


def test_segments_become_one(recording):
    whole = concatenate_recordings([recording])
    assert whole.get_num_segments() == 1
    assert whole.get_num_samples() == 10
    np.testing.assert_array_equal(whole.get_traces(), TRACES)
    for start in range(11):
        for end in range(start, 12):
            traces = whole.get_traces(start_frame=start, end_frame=end, channel_ids=["b"])
            np.testing.assert_array_equal(traces, TRACES[start:end, 1:])
    assert np.shares_memory(whole.get_traces(start_frame=4, end_frame=7), TRACES)
    assert whole.get_traces(channel_ids=[]).shape == (10, 0)
    twice = concatenate_recordings([whole, recording.select_segments([1]), whole])
    np.testing.assert_array_equal(twice.get_traces(), np.concatenate([TRACES, TRACES]))
    assert len(twice.segments[0]._sources) == 9
    assert whole.get_property("depth").tolist() == [1, 2]


def test_segments_without_samples_become_one_without():
    empty = NumpyRecording([TRACES[:0]] * 2, 10.0)
    whole = concatenate_recordings([empty])
    assert whole.get_traces().shape == (0, 2)
    assert whole.get_times().shape == (0,)
    with pytest.raises(ParameterError, match="no segments to concatenate"):
        concatenate_recordings([empty.select_segments([])])


@pytest.mark.parametrize(
    ("t_starts", "is_kept"),
    [
        ((0.0, 100.0), True),
        ((5.0, 15.0), True),  # without a pause
        ((5.0, 14.0), False),  # begins at the last sample of the one before
        ((100.0, 0.0), False),
        ((5.0, None), False),
        ((None, 50.0), False),
        ((None, None), False),
        ((7.0,), True),
    ],
)
def test_times_are_kept_where_they_can_be(t_starts, is_kept):
    recording = starting(*t_starts)
    n_samples = 10 * len(t_starts)
    kept = np.concatenate([recording.get_times(k) for k in range(len(t_starts))])
    counted = np.arange(n_samples, dtype=np.float64)
    for ignore_times in (None, "if_needed"):
        whole = concatenate_recordings([recording], ignore_times=ignore_times)
        for one in (whole, whole.clone(), pickle.loads(pickle.dumps(whole))):
            assert one.get_times().tolist() == (kept if is_kept else counted).tolist()
    whole = concatenate_recordings([recording], ignore_times=True)
    assert whole.get_times().tolist() == counted.tolist()
    assert whole.clone().get_times().tolist() == counted.tolist()
    if is_kept or t_starts == (None, None):
        whole = concatenate_recordings([recording], ignore_times=False)
        assert whole.get_times().tolist() == (kept if is_kept else counted).tolist()
        assert whole.clone().get_times().tolist() == whole.get_times().tolist()
    else:
        with pytest.raises(ParameterError, match="times of these recordings cannot be kept"):
            concatenate_recordings([recording], ignore_times=False)


def test_times_given_one_by_one_are_kept_too():
    recording = starting(0.0, 100.0)
    recording.set_times(np.cumsum(np.arange(10.0)), segment_index=0)
    whole = concatenate_recordings([recording])
    assert whole.get_times(0, 8, 12).tolist() == [36, 45, 100, 101]
    assert whole.time_to_sample_index([36.0, 60.0, 101.0]).tolist() == [8, 9, 11]
    assert whole.get_end_time() == 109
    part = whole.frame_slice(9, 12)
    assert part.get_times().tolist() == [45, 100, 101]
    assert BaseExtractor.from_dict(part.to_dict(recursive=True)).get_times().tolist() == [
        *(45, 100, 101)
    ]


def test_times_of_empty_segments_do_not_matter():
    recording = NumpyRecording([TRACES, TRACES[:0], TRACES], 1.0, t_starts=[0.0, None, 50.0])
    assert concatenate_recordings([recording], False).get_times()[10] == 50


def test_what_is_written_down_is_what_others_take():
    for ignore_times, written in ((None, "if_needed"), (False, "if_needed"), (True, True)):
        whole = concatenate_recordings([starting(0.0, 50.0)], ignore_times)
        assert whole.to_dict()["kwargs"]["ignore_times"] == written
    with pytest.raises(ParameterError, match="ignore_times must be"):
        concatenate_recordings([starting(0.0)], ignore_times="never")


# -- what does not fit ---------------------------------------------------------------------------


@pytest.mark.parametrize("join", [append_recordings, concatenate_recordings])
@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"traces_list": [TRACES.astype("f4")]}, "Recording 2 has the dtype float32, .* 0 has int"),
        ({"channel_ids": [1, 0]}, r"2 has the channel ids \[1, 0\], .* has \[0, 1\]"),
        ({"sampling_frequency": 1.5}, "number 2 has 1.5 Hz, number 0 has 1.0 Hz"),
    ],
)
def test_what_does_not_fit_is_named(join, changed, says):
    recordings = [starting(0.0), starting(0.0), starting(0.0, **changed)]
    with pytest.raises(ParameterError, match=says):
        join(recordings)


@pytest.mark.parametrize("join", [append_recordings, concatenate_recordings])
def test_recordings_are_needed(join):
    for wrong in ([], [1], None, "ab", starting(0.0)):
        with pytest.raises(ParameterError, match="A list of recordings is needed"):
            join(wrong)


def test_clocks_may_differ_by_as_much_as_is_allowed():
    recordings = [starting(0.0), starting(50.0, sampling_frequency=1.25)]
    with pytest.warns(UserWarning, match="shift of about"):
        whole = append_recordings(recordings, sampling_frequency_max_diff=0.25)
    assert whole.sampling_frequency == 1
    assert whole.get_times(1)[:2].tolist() == [50, 50.8]
    with pytest.raises(ParameterError, match=r"sampling_frequency_max_diff=0\.25"):
        append_recordings(recordings, sampling_frequency_max_diff=0.2)
    with pytest.raises(ParameterError, match="must not be negative"):
        append_recordings(recordings, sampling_frequency_max_diff=-1)


def test_different_microvolts_are_not_silent():
    first, second = starting(0.0), starting(0.0)
    for recording, gain in ((first, 0.5), (second, 0.25)):
        recording.set_channel_gains(gain)
        recording.set_channel_offsets(0.0)
    with pytest.warns(UserWarning, match="differ in gain_to_uV"):
        append_recordings([first, second])
    append_recordings([first, starting(0.0)])


# -- flat files ----------------------------------------------------------------------------------


def test_flat_files_stay_flat_files(tmp_path):
    paths = [tmp_path / f"{k}.raw" for k in range(3)]
    for path in paths:
        TRACES.tofile(path)
    recording = BinaryRecordingExtractor(paths, 1.0, "int16", num_channels=2)
    view = recording.select_segments([2, 0])
    assert view.get_binary_description()["file_paths"] == [str(paths[2]), str(paths[0])]
    whole = append_recordings([view, recording])
    assert whole.get_binary_description()["file_paths"] == [str(paths[k]) for k in (2, 0, 0, 1, 2)]
    assert whole.binary_compatible_with(file_paths_length=5, time_axis=0, file_suffix=".raw")
    other = BinaryRecordingExtractor(paths[0], 1.0, "int16", num_channels=2, file_offset=4)
    for view in (
        append_recordings([recording, other]),
        append_recordings([recording, NumpyRecording([TRACES], 1.0)]),
        concatenate_recordings([recording]),
        recording.select_segments([]),
    ):
        assert not view.is_binary_compatible()
        with pytest.raises(ParameterError, match="not in flat binary files"):
            view.get_binary_description()
