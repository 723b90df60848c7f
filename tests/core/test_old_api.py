import numpy as np
import pytest

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.old_api import (
    create_extractor_from_new_recording,
    create_extractor_from_new_sorting,
    create_recording_from_old_extractor,
    create_sorting_from_old_extractor,
)
from spikeloom.errors import ParameterError

TRACES = np.arange(40, dtype="i2").reshape(10, 4)


class OldRecording:
    """As extractors before 0.90 were."""

    def get_channel_ids(self):
        return [5, 6, 7, 8]

    def get_num_frames(self):
        return 10

    def get_sampling_frequency(self):
        return 1000.0

    def get_traces(self, channel_ids=None, start_frame=None, end_frame=None):
        columns = [self.get_channel_ids().index(k) for k in channel_ids or self.get_channel_ids()]
        return TRACES[start_frame:end_frame, columns].T

    def get_shared_channel_property_names(self):
        return ["gain", "offset", "location", "quality"]

    def get_channel_property(self, channel_id, name):
        return {"gain": 0.5, "offset": 1.0, "location": [0.0, channel_id], "quality": "good"}[name]


class OldSorting:
    def get_unit_ids(self):
        return [3, 4]

    def get_sampling_frequency(self):
        return 1000.0

    def get_unit_spike_train(self, unit_id, start_frame=None, end_frame=None):
        train = np.array([1, 4, 8]) + unit_id
        start = 0 if start_frame is None else start_frame
        end = 10**9 if end_frame is None else end_frame
        return train[(train >= start) & (train < end)]

    def get_shared_unit_property_names(self):
        return ["quality"]

    def get_unit_property(self, unit_id, name):
        return {"quality": unit_id * 2}[name]


def test_old_to_new():
    recording = create_recording_from_old_extractor(OldRecording())
    np.testing.assert_array_equal(recording.get_traces(), TRACES)
    np.testing.assert_array_equal(
        recording.get_traces(start_frame=2, end_frame=5, channel_ids=[8, 6]), TRACES[2:5, [3, 1]]
    )
    assert recording.get_channel_gains().tolist() == [0.5] * 4
    assert recording.get_channel_offsets().tolist() == [1.0] * 4
    assert recording.get_channel_locations()[:, 1].tolist() == [5, 6, 7, 8]
    assert recording.get_property("quality").tolist() == ["good"] * 4
    assert not recording.check_serializability("json")
    sorting = create_sorting_from_old_extractor(OldSorting())
    assert sorting.get_unit_spike_train(3).tolist() == [4, 7, 11]
    assert sorting.get_unit_spike_train(4, start_frame=6, end_frame=9).tolist() == [8]
    assert sorting.get_property("quality").tolist() == [6, 8]
    assert sorting.count_num_spikes_per_unit() == {3: 3, 4: 3}


def test_new_to_old_and_back():
    recording = NumpyRecording([TRACES], 1000.0, channel_ids=[5, 6, 7, 8])
    recording.set_property("quality", ["a", "b", "c", "d"])
    old = create_extractor_from_new_recording(recording)
    assert old.get_channel_ids() == [5, 6, 7, 8]
    assert old.get_num_channels() == 4
    assert old.get_num_frames() == 10
    assert old.get_channel_property(6, "quality") == "b"
    np.testing.assert_array_equal(old.get_traces([8, 5], 2, 4), TRACES[2:4, [3, 0]].T)
    again = create_recording_from_old_extractor(old)
    np.testing.assert_array_equal(again.get_traces(), TRACES)
    sorting = NumpySorting.from_unit_dict({"a": [1, 5], "b": [3]}, 1000.0)
    old_sorting = create_extractor_from_new_sorting(sorting)
    assert old_sorting.get_unit_ids() == [0, 1]
    assert old_sorting.get_unit_spike_train(0).tolist() == [1, 5]
    assert [train.tolist() for train in old_sorting.get_units_spike_train()] == [[1, 5], [3]]
    again = create_sorting_from_old_extractor(old_sorting)
    assert again.to_spike_vector().tolist() == sorting.to_spike_vector().tolist()


def test_one_segment_only():
    two = NumpyRecording([TRACES, TRACES], 1000.0)
    with pytest.raises(ParameterError, match="this object has 2"):
        create_extractor_from_new_recording(two)
    two = NumpySorting.from_unit_dict([{"a": [1]}, {"a": [2]}], 1000.0)
    with pytest.raises(ParameterError, match="one segment"):
        create_extractor_from_new_sorting(two)
