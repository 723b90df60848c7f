import numpy as np
import pytest
from hypothesis import given, strategies as st
from probeinterface import generate_linear_probe

from spikeloom.core.base import BaseExtractor
from spikeloom.core.channel_aggregation import ChannelsAggregationRecording, aggregate_channels
from spikeloom.core.numpy_recording import NumpyRecording, NumpyRecordingSegment
from spikeloom.errors import ParameterError

LEFT = np.arange(8, dtype=np.int16).reshape(4, 2)
RIGHT = LEFT[:, :1] + 100


def left(**changed):
    arguments = {"traces_list": [LEFT], "sampling_frequency": 10.0, "channel_ids": ["a0", "a1"]}
    return NumpyRecording(**{**arguments, **changed})


def right(**changed):
    arguments = {"traces_list": [RIGHT], "sampling_frequency": 10.0, "channel_ids": ["b0"]}
    return NumpyRecording(**{**arguments, **changed})


def test_channels_come_in_the_order_asked_for():
    both = aggregate_channels([left(), right()])
    expected = np.hstack([LEFT, RIGHT])
    np.testing.assert_array_equal(both.get_traces(), expected)
    for ids in (["a0", "b0", "a1"], ["b0", "a0"], ["a1"], ["b0"], ["a1", "b0"], []):
        positions = [["a0", "a1", "b0"].index(id) for id in ids]
        traces = both.get_traces(start_frame=1, end_frame=3, channel_ids=ids)
        assert traces.dtype == np.int16
        np.testing.assert_array_equal(traces, expected[1:3][:, positions])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.data())
def test_any_channels_of_any_recordings(counts, data):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-99, 99, (5, n)) for n in counts]
    whole = np.hstack(arrays)
    both = aggregate_channels(
        [NumpyRecording([array], 10.0) for array in arrays],
        renamed_channel_ids=np.arange(whole.shape[1]),
    )
    picked = data.draw(st.lists(st.integers(0, whole.shape[1] - 1)) if whole.size else st.just([]))
    np.testing.assert_array_equal(both.get_traces(channel_ids=picked), whole[:, picked])
    np.testing.assert_array_equal(both.get_traces(), whole)


def test_each_recording_is_read_once_and_only_for_its_channels():
    asked = []

    class Spy(NumpyRecordingSegment):
        def get_traces(self, start_frame=None, end_frame=None, channel_indices=None):
            asked.append((self._traces.shape[1], channel_indices))
            return super().get_traces(start_frame, end_frame, channel_indices)

    parts = [left(), right()]
    for part, traces in zip(parts, (LEFT, RIGHT), strict=True):
        part._segments = [Spy(traces, 10.0, None)]
    both = aggregate_channels(parts)
    both.get_traces(channel_ids=["a1", "b0", "a0"])
    assert len(asked) == 2
    assert asked[0][1].tolist() == [1, 0]
    assert asked[1] == (1, slice(0, 1))
    asked.clear()
    assert np.shares_memory(both.get_traces(channel_ids=["a0", "a1"]), LEFT)
    assert asked == [(2, slice(0, 2))]


def test_ids_stay_where_they_can():
    def ids_of(*lists, renamed=None):
        parts = [NumpyRecording([np.zeros((2, len(i)))], 10.0, channel_ids=i) for i in lists]
        return aggregate_channels(parts, renamed).channel_ids.tolist()

    assert ids_of([0, 1], [5, 3]) == [0, 1, 5, 3]
    assert ids_of(["a"], ["b", "c"]) == ["a", "b", "c"]
    assert ids_of([0, 1], [1, 2]) == ["0", "1", "2", "3"]
    assert ids_of([0, 1], ["a"]) == ["0", "1", "2"]
    assert ids_of(np.array([0], np.uint64), np.array([1], np.int64)) == [0, 1]
    assert ids_of([0], [0], renamed=["x", "y"]) == ["x", "y"]
    with pytest.raises(ParameterError, match="each of the 2 channels; got 1"):
        ids_of([0], [0], renamed=["x"])
    with pytest.raises(ParameterError, match="more than once"):
        ids_of([0], [0], renamed=["x", "x"])


def test_where_each_channel_comes_from():
    def keys_of(recordings):
        return aggregate_channels(recordings).get_property("aggregation_key").tolist()

    assert keys_of([left(), right()]) == [0, 0, 1]
    assert keys_of((left(), right())) == [0, 0, 1]
    assert keys_of({"left": left(), "r": right()}) == ["left", "left", "r"]
    assert keys_of({7: left(), 3: right()}) == [7, 7, 3]
    assert keys_of({7: left(), "r": right()}) == [7, 7, "r"]
    assert keys_of({(1, 2): left(), (3, 4): right()}) == [(1, 2), (1, 2), (3, 4)]


def test_the_keys_survive_files():
    both = aggregate_channels({7: left(), 3: right()})
    again = BaseExtractor.from_dict(both.to_dict(recursive=True))
    assert again.get_property("aggregation_key").tolist() == [7, 7, 3]
    assert again.channel_ids.tolist() == ["a0", "a1", "b0"]
    assert [type(one) for one in again.recordings] == [NumpyRecording] * 2


def test_properties_that_all_have_and_annotations_that_all_share():
    first, second = left(), right()
    first.set_property("depth", [1, 2])
    second.set_property("depth", [3.5])
    first.set_property("area", ["CA1", "CA1"])
    second.set_property("area", ["subiculum"])
    first.set_property("mixed", ["x", "y"])
    second.set_property("mixed", [1])
    first.set_property("wide", np.zeros((2, 3)))
    second.set_property("wide", np.zeros((1, 2)))
    first.set_property("own", [1, 2])
    first.annotate(rat="R1", sessions=[1, 2], day=1, odd=[[1], [1, 2]], is_filtered=True)
    second.annotate(rat="R1", sessions=[1, 2], day=2, odd=[[1], [1, 2]], is_filtered=True)
    both = aggregate_channels([first, second])
    assert sorted(both.get_property_keys()) == ["aggregation_key", "area", "depth"]
    assert both.get_property("depth").tolist() == [1, 2, 3.5]
    assert both.get_property("area").tolist() == ["CA1", "CA1", "subiculum"]
    assert both.get_annotation("rat") == "R1"
    assert both.get_annotation("day") is None
    assert both.is_filtered()
    both.get_annotation("sessions", copy=False).append(3)
    assert first.get_annotation("sessions") == [1, 2]
    second.annotate(is_filtered=False)
    assert not aggregate_channels([first, second]).is_filtered()


def test_what_was_split_comes_together_again():
    recording = NumpyRecording([np.arange(24).reshape(4, 6)], 10.0, channel_ids=list("abcdef"))
    probe = generate_linear_probe(num_elec=6, ypitch=20)
    probe.set_device_channel_indices(np.arange(6))
    recording.set_probe(probe)
    recording.set_channel_groups([1, 0, 1, 0, 1, 0])
    both = aggregate_channels(recording.split_by("group"))
    assert both.channel_ids.tolist() == list("bdface")
    assert both.get_channel_groups().tolist() == [0, 0, 0, 1, 1, 1]
    assert len(both.get_probes()) == 2
    np.testing.assert_array_equal(
        both.get_channel_locations(list("abcdef")), recording.get_channel_locations()
    )
    np.testing.assert_array_equal(
        both.get_traces(channel_ids=list("abcdef")), recording.get_traces()
    )
    again = aggregate_channels([both.select_channels(["e", "b"]), both.select_channels(["d"])])
    np.testing.assert_array_equal(
        again.get_channel_locations(), recording.get_channel_locations(["e", "b", "d"])
    )


def test_all_have_probes_or_none():
    first, second = left(), right()
    first.set_dummy_probe_from_locations([[0, 0], [0, 20]])
    with pytest.raises(ParameterError, match="1 of 2 recordings have probes"):
        aggregate_channels([first, second])
    none = second.select_channels([])
    assert aggregate_channels([first, none]).get_channel_locations().tolist() == [[0, 0], [0, 20]]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"sampling_frequency": 20.0}, "Recording 'r' has the sampling frequency 20.0, but .*'l'"),
        ({"traces_list": [RIGHT.astype("f4")]}, "has the dtype float32, .* has int16"),
        ({"traces_list": [RIGHT, RIGHT]}, "has the number of segments 2, .* has 1"),
        ({"traces_list": [RIGHT[:3]]}, r"number of samples \(in segment 0\) 3, .* has 4"),
    ],
)
def test_what_does_not_fit_is_named(changed, says):
    with pytest.raises(ParameterError, match=says):
        aggregate_channels({"l": left(), "r": right(**changed)})


@pytest.mark.parametrize("wrong", [[], {}, "ab", [1, 2], 5, None])
def test_recordings_are_needed(wrong):
    with pytest.raises(ParameterError, match=r"list of recordings is needed|is missing"):
        aggregate_channels(wrong)
    with pytest.raises(ParameterError, match="got NumpyRecording"):
        aggregate_channels(left())


def test_times_are_those_that_were_set():
    vector = np.array([0.0, 0.2, 0.3, 0.4])
    with_vector, also = right(), right(channel_ids=["c0"])
    with_vector.set_times(vector)
    also.set_times(vector.copy())
    both = aggregate_channels([left(), with_vector, also])
    assert both.get_times().tolist() == vector.tolist()
    both.shift_times(1.0)
    assert with_vector.get_start_time() == 0
    shifted = right(t_starts=[3.0])
    with pytest.warns(UserWarning, match="times of recording 1 differ from those of recording 0"):
        both = aggregate_channels([left(t_starts=[2.0]), shifted])
    assert both.get_start_time() == 2


def test_the_older_spelling_of_the_list():
    both = aggregate_channels(recording_list=[left(), right()])
    with pytest.raises(ParameterError, match="give one of them"):
        aggregate_channels([left()], recording_list=[left()])
    old = both.to_dict()
    old["kwargs"] = {"recording_list": [left(), right()], "renamed_channel_ids": None}
    again = BaseExtractor.from_dict(old)
    assert type(again) is ChannelsAggregationRecording
    assert again.channel_ids.tolist() == ["a0", "a1", "b0"]
    assert len(again.recordings) == 2
