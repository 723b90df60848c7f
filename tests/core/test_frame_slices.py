import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.base import BaseExtractor
from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.frame_slices import FrameSliceRecording, time_slice
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.segments import concatenate_recordings
from spikeloom.errors import ParameterError

TRACES = np.arange(200, dtype=np.int16).reshape(100, 2)


@pytest.fixture
def recording():
    recording = NumpyRecording([TRACES], 10.0, t_starts=[5.0])
    recording.set_property("depth", [1.0, 2.0])
    return recording


@pytest.mark.parametrize(
    ("start", "end"), [(None, None), (3, None), (None, 7), (3, 7), (0, 0), (100, 100), (100, None)]
)
def test_a_stretch_of_frames(recording, start, end):
    view = recording.frame_slice(start, end)
    np.testing.assert_array_equal(view.get_traces(), TRACES[start:end])
    np.testing.assert_allclose(view.get_times(), recording.get_times()[start:end], rtol=1e-12)
    assert view.get_num_samples() == len(TRACES[start:end])
    assert view.get_property("depth").tolist() == [1, 2]
    assert view.get_parent() is recording
    again = BaseExtractor.from_dict(view.to_dict())
    np.testing.assert_array_equal(again.get_traces(), TRACES[start:end])


def test_slices_of_slices_count_from_their_own_start(recording):
    view = recording.frame_slice(10, 50).frame_slice(5, 20).frame_slice(1, 3)
    np.testing.assert_array_equal(view.get_traces(), TRACES[16:18])
    np.testing.assert_array_equal(view.get_traces(start_frame=1), TRACES[17:18])
    assert view.segments[0]._source is recording.segments[0]
    assert view.get_times().tolist() == pytest.approx([6.6, 6.7])
    assert np.shares_memory(view.get_traces(), TRACES)


def test_times_given_one_by_one_are_not_copied(recording):
    times = np.cumsum(np.linspace(0.1, 0.2, 100))
    recording.set_times(times)
    view = recording.frame_slice(10, 20)
    assert np.shares_memory(view.get_times(), times)
    view.shift_times(100.0)
    np.testing.assert_array_equal(recording.get_times(), times)
    assert recording.frame_slice(4, 4).get_times().size == 0


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (-1, 5, "Frames count from 0"),
        (0, -5, "Frames count from 0"),
        (7, 3, "start_frame=7 is behind end_frame=3"),
        (0, 101, "end_frame=101 is behind the end of the recording, 100"),
        (101, 101, "start_frame=101 is behind the end"),
        (101, None, "is behind"),
        (0.5, 5, "must be a whole number"),
        ("0", 5, "must be a whole number"),
    ],
)
def test_frames_lie_within_the_recording(recording, start, end, says):
    with pytest.raises(ParameterError, match=says):
        recording.frame_slice(start, end)


def test_only_one_segment_is_sliced(recording):
    several = NumpyRecording([TRACES, TRACES], 10.0)
    for cut in (several.frame_slice, several.time_slice):
        with pytest.raises(ParameterError, match=r"this one has 2\. Take one with select_segments"):
            cut(0, 1)
    with pytest.raises(ParameterError, match="this one has 0"):
        several.select_segments([]).frame_slice(0, 0)


def test_the_older_spelling_of_the_parent(recording):
    view = FrameSliceRecording(parent_recording=recording, start_frame=2, end_frame=np.int64(4))
    old = view.to_dict()
    assert old["kwargs"] == {"recording": recording, "start_frame": 2, "end_frame": 4}
    old["kwargs"]["parent_recording"] = old["kwargs"].pop("recording")
    np.testing.assert_array_equal(BaseExtractor.from_dict(old).get_traces(), TRACES[2:4])


# -- in seconds ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "frames"),
    [
        (None, None, (0, 100)),
        (5.0, 15.0, (0, 100)),
        (5.0, 14.9, (0, 99)),
        (6.0, 7.0, (10, 20)),
        (6.04, 6.96, (10, 20)),
        (6.06, 6.94, (11, 19)),
        (15.0, None, (100, 100)),
        (5.0, 5.0, (0, 0)),
        (5 - 1e-9, 15 + 1e-9, (0, 100)),
    ],
)
def test_a_stretch_of_seconds(recording, start, end, frames):
    view = recording.time_slice(start, end)
    np.testing.assert_array_equal(view.get_traces(), TRACES[slice(*frames)])
    given = NumpyRecording([TRACES], 10.0)
    given.set_times(recording.get_times())
    np.testing.assert_array_equal(time_slice(given, start, end).get_traces(), view.get_traces())


def test_the_whole_duration_can_be_asked_for():
    recording = NumpyRecording([TRACES], 30000.0)
    assert recording.time_slice(0, recording.get_total_duration()).get_num_samples() == 100
    assert recording.time_slice(0.0, 100 / 30000).get_num_samples() == 100


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (4.0, 6.0, "start_time=4.0 s is not within the recording, which goes from 5.0 s to 15.0"),
        (5.0, 16.0, "end_time=16.0 s is not within"),
        (16.0, None, "start_time=16.0 s"),
        (None, 4.0, "end_time=4.0 s"),
        (7.0, 6.0, "start_time=7.0 is behind end_time=6.0"),
        (float("nan"), None, "start_time=nan"),
        (None, float("inf"), "end_time=inf"),
    ],
)
def test_seconds_lie_within_the_recording(recording, start, end, says):
    for times in (None, recording.get_times()):
        if times is not None:
            recording.set_times(times)
        with pytest.raises(ParameterError, match=says):
            recording.time_slice(start, end)


def test_a_time_in_a_pause_is_that_of_the_next_sample():
    pieces = NumpyRecording([TRACES[:10], TRACES[10:]], 10.0, t_starts=[0.0, 100.0])
    recording = concatenate_recordings([pieces])
    np.testing.assert_array_equal(recording.time_slice(0.5, 50.0).get_traces(), TRACES[5:10])
    np.testing.assert_array_equal(recording.time_slice(50.0, 100.5).get_traces(), TRACES[10:15])
    np.testing.assert_array_equal(recording.time_slice(50.0, None).get_times()[:1], [100.0])


@given(st.lists(st.integers(1, 12), min_size=1, max_size=12), st.data())
def test_neighbouring_stretches_share_nothing_and_leave_nothing_out(steps, data):
    recording = NumpyRecording([np.arange(len(steps))[:, None]], 8.0)
    times = np.cumsum(steps) / 8
    recording.set_times(times)
    cut = data.draw(st.floats(float(times[0]), float(times[-1]) + 1 / 8))
    before, after = recording.time_slice(None, cut), recording.time_slice(cut, None)
    whole = np.concatenate([before.get_traces(), after.get_traces()])
    np.testing.assert_array_equal(whole, recording.get_traces())
    assert np.all(before.get_times() <= cut + 1 / 16)
    assert np.all(after.get_times() >= cut - 1 / 16)


def test_empty_recordings_have_an_empty_stretch():
    recording = NumpyRecording([TRACES[:0]], 10.0, t_starts=[5.0])
    assert recording.time_slice(None, None).get_num_samples() == 0
    assert recording.time_slice(5.0, 5.0).get_num_samples() == 0
    recording.set_times(np.zeros(0))
    with pytest.raises(ParameterError, match="not within"):
        recording.time_slice(0.0, 0.0)


# -- flat files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("time_axis", [0, 1])
def test_a_flat_file_from_a_frame_on_is_one(tmp_path, time_axis):
    traces = TRACES if time_axis == 0 else TRACES.T
    (tmp_path / "traces.raw").write_bytes(b"head" + traces.tobytes())
    recording = BinaryRecordingExtractor(
        tmp_path / "traces.raw", 10.0, "int16", num_channels=2, file_offset=4, time_axis=time_axis
    )
    assert recording.frame_slice(0, 100).get_binary_description() == (
        recording.get_binary_description()
    )
    assert not recording.frame_slice(0, 99).is_binary_compatible()
    rest = recording.frame_slice(30, 100)
    assert rest.is_binary_compatible() == (time_axis == 0)
    if time_axis == 1:
        with pytest.raises(ParameterError, match="not in flat binary files"):
            rest.get_binary_description()
        return
    described = rest.get_binary_description()
    assert described["file_offset"] == 4 + 30 * 4
    (path,) = described["file_paths"]
    again = BinaryRecordingExtractor(
        path, 10.0, described["dtype"], described["num_channels"], file_offset=4 + 30 * 4
    )
    np.testing.assert_array_equal(again.get_traces(), rest.get_traces())
