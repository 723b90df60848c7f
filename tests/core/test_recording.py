import numpy as np
import pytest
from hypothesis import given, strategies as st

from making import plain_recordings as making
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.recording import BaseRecordingSegment, checked_frames, copy_times
from spikeloom.errors import ParameterError

TRACES = np.arange(20, dtype=np.int16).reshape(5, 4)


@pytest.fixture
def recording():
    return NumpyRecording([TRACES, TRACES[:3] + 100], 10.0, channel_ids=list("abcd"))


@given(st.data())
def test_any_chain_of_views_equals_arrays(data):
    plain, kinds = data.draw(making.bases())
    view, plain = making.chained(data.draw, making.in_memory(plain, kinds), plain)
    making.check_same(view, plain)
    making.check_windows(data.draw, view, plain)


@given(st.data())
def test_chunks_put_together_are_the_whole(data):
    plain, kinds = data.draw(making.bases())
    view, plain = making.chained(data.draw, making.in_memory(plain, kinds), plain)
    step = data.draw(st.integers(1, 5))
    for k, segment in enumerate(plain.segments):
        starts = range(0, len(segment.times), step)
        chunks = [view.get_traces(k, start, start + step) for start in starts]
        whole = np.concatenate([segment.traces[:0], *chunks])
        np.testing.assert_array_equal(whole, segment.traces)


def test_how_much_there_is(recording):
    assert recording.get_num_segments() == 2
    assert recording.get_num_samples(0) == recording.get_num_frames(0) == 5
    assert recording.get_total_samples() == 8
    assert recording.get_shape(1) == (3, 4)
    assert recording.get_duration(0) == 0.5
    assert recording.get_total_duration() == pytest.approx(0.8)
    assert recording.get_sample_size_in_bytes() == 8
    assert recording.get_sample_size_in_bytes("float64") == 32
    assert recording.get_memory_size(1) == 24
    assert recording.get_total_memory_size() == 64
    assert recording.get_dtype() == recording.dtype == np.int16
    assert recording.sampling_frequency == recording.get_sampling_frequency() == 10.0
    assert recording.get_channel_ids().tolist() == list("abcd")


@pytest.mark.parametrize("ids", [["d", "a"], ("b", "c"), np.array(["c", "b"]), [], ["a", "a"]])
def test_channels_come_as_asked_for(recording, ids):
    expected = TRACES[1:4][:, ["abcd".index(id) for id in ids]]
    traces = recording.get_traces(0, 1, 4, ids)
    assert traces.shape == (3, len(ids))
    np.testing.assert_array_equal(traces, expected)


def test_traces_of_consecutive_channels_are_a_view(recording):
    assert np.shares_memory(recording.get_traces(0, channel_ids=["b", "c"]), TRACES)
    assert not np.shares_memory(recording.get_traces(0, channel_ids=["c", "b"]), TRACES)


def test_order_in_memory(recording):
    assert recording.get_traces(0, order="F").flags.f_contiguous
    assert recording.get_traces(0, channel_ids=["b", "c"], order="C").flags.c_contiguous
    with pytest.raises(ParameterError, match="order must be"):
        recording.get_traces(0, order="A")


def test_get_data_is_get_traces_with_frames_first(recording):
    np.testing.assert_array_equal(recording.get_data(1, 3, 0, channel_ids=["a"]), TRACES[1:3, :1])


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({}, "Provide 'segment_index', between 0 and 1"),
        ({"segment_index": 2}, "There is no segment 2: this object has 2"),
        ({"segment_index": -3}, "There is no segment -3"),
        ({"segment_index": "0"}, "whole number"),
        ({"segment_index": 1.0}, "whole number"),
        ({"segment_index": True}, "whole number"),
        ({"segment_index": 0, "start_frame": -1}, "Frames count from 0"),
        ({"segment_index": 0, "end_frame": -1}, "Frames count from 0"),
        ({"segment_index": 0, "start_frame": 3, "end_frame": 2}, "is behind end_frame"),
        ({"segment_index": 0, "start_frame": 6}, "is behind end_frame"),
        ({"segment_index": 0, "start_frame": 1.5}, "start_frame must be a whole number"),
        ({"segment_index": 0, "end_frame": "3"}, "end_frame must be a whole number"),
        ({"segment_index": 0, "channel_ids": ["z"]}, "Unknown channel id: 'z'"),
        ({"segment_index": 0, "channel_ids": "a"}, r"Write \['a'\]"),
        ({"segment_index": 0, "channel_ids": [0]}, "of type str, not int"),
    ],
)
def test_mistakes_are_told(recording, kwargs, says):
    with pytest.raises(ParameterError, match=says):
        recording.get_traces(**kwargs)


def test_numpy_numbers_are_numbers(recording):
    traces = recording.get_traces(np.int64(0), np.int32(1), np.float64(3.0))
    np.testing.assert_array_equal(traces, TRACES[1:3])
    np.testing.assert_array_equal(recording.get_traces(-1), TRACES[:3] + 100)


def test_an_end_behind_the_recording_is_its_end(recording):
    assert recording.get_traces(0, 3, 100).shape == (2, 4)
    assert checked_frames(7, 9, 5) == (5, 5)


def test_microvolts(recording):
    with pytest.raises(ParameterError, match="set_channel_gains"):
        recording.get_traces(0, return_in_uV=True)
    recording.set_channel_gains([1.0, 2.0, 3.0, 4.0])
    recording.set_channel_offsets(10.0)
    assert recording.has_scaleable_traces()
    assert recording.has_scaled()
    assert recording.has_scaled_traces()
    for kwargs in ({"return_in_uV": True}, {"return_scaled": True}):
        traces = recording.get_traces(0, channel_ids=["d", "b"], **kwargs)
        assert traces.dtype == np.float32
        np.testing.assert_array_equal(traces, TRACES[:, [3, 1]] * [4.0, 2.0] + 10)
    np.testing.assert_array_equal(
        recording.select_channels(["d", "b"]).get_traces(0, return_in_uV=True), traces
    )
    np.testing.assert_array_equal(recording.get_traces(0), TRACES)
    assert recording.get_channel_gains(["c"]).tolist() == [3]
    assert recording.get_channel_offsets().tolist() == [10] * 4


def test_floats_without_gains_are_taken_for_microvolts():
    recording = NumpyRecording([np.ones((2, 2))], 10.0)
    assert recording.get_traces(return_in_uV=True).dtype == np.float64


# -- times ---------------------------------------------------------------------------------------


def test_times_count_from_zero(recording):
    assert recording.get_times(0).tolist() == [0, 0.1, 0.2, 0.3, 0.4]
    assert recording.get_times(0, 2, 4).tolist() == [0.2, 0.3]
    assert recording.get_end_time(0) == 0.4
    assert recording.get_segment_t_starts() is None
    assert not recording.has_any_time_vector()
    assert recording.get_time_info(0) == {
        "sampling_frequency": 10.0,
        "t_start": None,
        "time_vector": None,
    }


def test_one_and_many_samples_have_times(recording):
    assert recording.sample_index_to_time(3, 0) == pytest.approx(0.3)
    assert isinstance(recording.sample_index_to_time(3, 0), float)
    assert recording.sample_index_to_time([0, 1], 0).tolist() == [0, 0.1]
    assert recording.time_to_sample_index(0.29, 0) == 3
    assert recording.time_to_sample_index([0.0, 0.11], 0).tolist() == [0, 1]
    assert np.asarray(recording.time_to_sample_index(0.29, 0)).dtype == np.int64


def test_given_times(recording):
    times = np.array([0.0, 0.1, 0.5, 0.6, 0.7])
    recording.set_times(times=times, segment_index=0)
    assert recording.has_time_vector(0)
    assert not recording.has_time_vector(1)
    assert np.shares_memory(recording.get_times(0), times)
    assert recording.time_to_sample_index([0.1, 0.45, 0.5], 0).tolist() == [1, 1, 2]
    assert recording.sample_index_to_time([4, 2], 0).tolist() == [0.7, 0.5]
    assert recording.get_duration(0) == pytest.approx(0.8)
    assert recording.get_segment_t_starts() is None
    for wrong in (np.zeros(4), np.zeros((5, 1))):
        with pytest.raises(ParameterError, match="one value for each of the 5 samples"):
            recording.set_times(wrong, segment_index=0)


def test_shifting_leaves_the_array_of_the_caller_as_it_is(recording):
    times = np.arange(5.0)
    recording.set_times(times, segment_index=0)
    recording.shift_times(2.0)
    recording.shift_times(1.0, segment_index=1)
    assert recording.get_times(0).tolist() == [2, 3, 4, 5, 6]
    assert times.tolist() == [0, 1, 2, 3, 4]
    assert recording.get_start_time(1) == 3
    assert recording.get_segment_t_starts() == [None, 3.0]


def test_resetting_times(recording):
    recording.shift_times(2.0)
    recording.reset_times()
    assert recording.get_start_time(0) == 0
    assert not recording.has_any_time_vector()
    assert recording.clone().get_start_time(0) == 0


def test_copied_times_are_written_with_the_copy(recording):
    recording = NumpyRecording([TRACES], 10.0, t_starts=[3.0])
    target = NumpyRecording([TRACES], 10.0)
    copy_times(recording, target)
    assert target.get_start_time() == 3
    assert target.clone().get_start_time() == 3


def test_a_segment_without_samples_has_no_times():
    recording = NumpyRecording([np.zeros((0, 2))], 10.0, t_starts=[3.0])
    assert recording.get_start_time() == 3
    assert recording.get_times().shape == (0,)
    assert recording.get_duration() == 0
    recording.set_times(np.zeros(0))
    assert np.isnan(recording.get_start_time())
    assert np.isnan(recording.get_end_time())
    assert recording.get_total_duration() == 0
    assert recording.clone().get_times().shape == (0,)


def test_a_segment_needs_a_clock():
    with pytest.raises(ParameterError, match="sampling frequency or a time vector"):
        BaseRecordingSegment()


@pytest.mark.parametrize("rate", [0, -1.0, float("nan")])
def test_the_sampling_frequency_is_positive(rate):
    with pytest.raises(ParameterError, match="positive number of Hz"):
        NumpyRecording([TRACES], rate)


# -- names of the same ---------------------------------------------------------------------------


def test_older_names_do_the_same(recording):
    view = recording.channel_slice(channel_ids=["d", "a"], renamed_channel_ids=["x", "y"])
    assert view.channel_ids.tolist() == ["x", "y"]
    np.testing.assert_array_equal(view.get_traces(0), TRACES[:, [3, 0]])
    assert recording.channel_slice(["a"]).channel_ids.tolist() == ["a"]
    for view in (
        recording.remove_channels(["a", "c"]),
        recording.remove_channels(remove_channel_ids=["a", "c"]),
        recording.remove_channels(channel_ids=["a", "c"]),
    ):
        assert view.channel_ids.tolist() == ["b", "d"]
    with pytest.raises(ParameterError, match="Unknown channel id"):
        recording.remove_channels(["z"])
    with pytest.raises(ParameterError, match="needs the ids"):
        recording.remove_channels()


def test_what_is_in_memory_is_in_no_flat_file(recording):
    assert not recording.is_binary_compatible()
    assert not recording.binary_compatible_with(dtype="int16")
    with pytest.raises(ParameterError, match="save"):
        recording.get_binary_description()
