import numpy as np
import pytest

from spikeloom.core.base import BaseExtractor
from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.channel_slices import ChannelSliceRecording
from spikeloom.core.numpy_recording import NumpyRecording, NumpyRecordingSegment
from spikeloom.errors import ParameterError

TRACES = np.arange(20, dtype=np.int16).reshape(4, 5)


@pytest.fixture
def recording():
    recording = NumpyRecording([TRACES], 10.0, t_starts=[2.0], channel_ids=list("abcde"))
    recording.set_property("depth", [1.0, 2.0, 3.0, 4.0, 5.0])
    recording.set_property("noise_level_mad_raw", np.ones(5))
    recording.annotate(rat="R1", is_filtered=True)
    return recording


class Spy(NumpyRecordingSegment):
    asked = None

    def get_traces(self, start_frame=None, end_frame=None, channel_indices=None):
        self.asked = channel_indices
        return super().get_traces(start_frame, end_frame, channel_indices)


@pytest.fixture
def spy(recording):
    recording._segments = [Spy(TRACES, 10.0, None)]
    return recording.segments[0]


def test_channels_in_any_order_with_what_is_known_of_them(recording):
    view = ChannelSliceRecording(recording, ["d", "b"])
    np.testing.assert_array_equal(view.get_traces(), TRACES[:, [3, 1]])
    np.testing.assert_array_equal(view.get_traces(channel_ids=["b"]), TRACES[:, [1]])
    assert view.get_property("depth").tolist() == [4, 2]
    assert view.get_property_keys() == ["depth"]
    assert view.get_annotation("rat") == "R1"
    assert view.is_filtered()
    assert view.get_start_time() == 2
    assert view.get_parent() is recording


def test_new_names(recording):
    view = recording.rename_channels(range(5))
    assert view.get_traces(channel_ids=[3]).tolist() == [[3], [8], [13], [18]]
    both = ChannelSliceRecording(
        recording, channel_ids=["e", "a"], renamed_channel_ids=np.array(["a", "e"])
    )
    np.testing.assert_array_equal(both.get_traces(channel_ids=["a"]), TRACES[:, [4]])


def test_slices_stay_slices_and_slices_of_slices_read_once(recording, spy):
    view = recording.select_channels(["b", "c", "d"])
    assert np.shares_memory(view.get_traces(), TRACES)
    assert spy.asked == slice(1, 4)
    view.get_traces(channel_ids=["c", "d"])
    assert spy.asked == slice(2, 4)
    deep = view.select_channels(["d", "c", "b"]).select_channels(["b", "c"]).rename_channels([7, 8])
    np.testing.assert_array_equal(deep.get_traces(channel_ids=[8]), TRACES[:, [2]])
    assert spy.asked == slice(2, 3)
    np.testing.assert_array_equal(deep.get_traces(), TRACES[:, 1:3])
    assert spy.asked == slice(1, 3)
    assert deep.segments[0]._source is spy
    assert deep.get_parent().get_parent().get_parent() is view


@pytest.mark.parametrize(
    ("indices", "positions"),
    [
        ([1, 0], [1, 4]),
        (np.array([True, False, True]), [4, 0]),
        (slice(0, 3, 2), [4, 0]),
        (slice(None), [4, 1, 0]),
        (None, [4, 1, 0]),
        ([], []),
    ],
)
def test_segments_take_all_that_picks_positions(recording, indices, positions):
    segment = recording.select_channels(["e", "b", "a"]).segments[0]
    np.testing.assert_array_equal(segment.get_traces(1, 3, indices), TRACES[1:3][:, positions])


def test_times_are_shared_until_they_are_set(recording):
    view = recording.select_channels(["a"])
    assert view.segments[0].times is recording.segments[0].times
    view.set_times(np.arange(4) + 50.0)
    assert recording.get_start_time() == 2
    recording.set_times(np.arange(4) + 70.0)
    assert view.get_start_time() == 50
    assert recording.select_channels(["b"]).get_start_time() == 70


def test_what_is_said_of_a_view_is_not_said_of_its_parent(recording):
    view = recording.select_channels(["a", "b"])
    view.set_property("depth", [9.0], ids=["a"])
    view.annotate(rat="R2")
    assert recording.get_property("depth")[0] == 1
    assert recording.get_annotation("rat") == "R1"


def test_no_channels(recording):
    recording.set_dummy_probe_from_locations(np.c_[np.zeros(5), np.arange(5)])
    view = recording.select_channels([])
    assert view.get_traces().shape == (4, 0)
    assert view.channel_ids.dtype == recording.channel_ids.dtype
    assert not view.has_probe()
    again = BaseExtractor.from_dict(view.to_dict())
    assert again.get_traces(channel_ids=[]).shape == (4, 0)
    assert again.rename_channels([]).get_num_channels() == 0


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"channel_ids": ["a", "z"]}, "Unknown channel id: 'z'"),
        ({"channel_ids": "ab"}, "A list of channel ids"),
        ({"channel_ids": ["a", "b", "a"]}, r"\['a'\] are selected more than once"),
        ({"channel_ids": ["a"], "renamed_channel_ids": [1, 2]}, "each of the 1 ids; got 2"),
        ({"renamed_channel_ids": [1, 1, 2, 3, 4]}, "more than once"),
        ({"renamed_channel_ids": [0.5] * 5}, "whole numbers or of strings"),
        ({"recording": None}, "The argument recording is missing"),
        ({"recording": "rec"}, "A recording is needed; got str"),
    ],
)
def test_mistakes_are_told(recording, kwargs, says):
    with pytest.raises(ParameterError, match=says):
        ChannelSliceRecording(**{"recording": recording, **kwargs})


def test_the_older_spelling_of_the_parent(recording):
    view = ChannelSliceRecording(parent_recording=recording, channel_ids=["b"])
    assert view.get_parent() is recording
    with pytest.raises(ParameterError, match="give one of them"):
        ChannelSliceRecording(recording, parent_recording=recording)
    old = view.to_dict()
    old["kwargs"] = {"parent_recording": recording, "channel_ids": ["b"]}
    assert BaseExtractor.from_dict(old).channel_ids.tolist() == ["b"]


def test_flat_files_stay_flat_files_where_all_channels_are_there(tmp_path):
    TRACES.tofile(tmp_path / "traces.raw")
    recording = BinaryRecordingExtractor(tmp_path / "traces.raw", 10.0, "int16", num_channels=5)
    renamed = recording.rename_channels(list("abcde"))
    assert renamed.get_binary_description() == recording.get_binary_description()
    assert renamed.binary_compatible_with(dtype="int16", time_axis=0)
    for ids in ([4, 3, 2, 1, 0], [0, 1]):
        view = recording.select_channels(ids)
        assert not view.is_binary_compatible()
        with pytest.raises(ParameterError, match="not in flat binary files"):
            view.get_binary_description()
