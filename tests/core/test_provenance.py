import json
import pickle
import shutil

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making import plain_recordings as making
from spikeloom.core import provenance
from spikeloom.core.base import BaseExtractor
from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.class_names import class_of, stored_name
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.provenance_json import to_plain


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "data" / "traces.raw"
    path.parent.mkdir()
    np.arange(20, dtype="int16").tofile(path)
    recording = BinaryRecordingExtractor(
        path, 10.0, "int16", num_channels=4, channel_ids=list("abcd")
    )
    recording.set_channel_gains(0.5)
    recording.set_channel_offsets(0.0)
    recording.annotate(rat="R1", name="left")
    recording.set_property("depth", [1.0, 2.0, 3.0, 4.0])
    return recording


def through_json(description):
    return json.loads(json.dumps(to_plain(description)))


@given(st.data())
def test_any_chain_of_views_survives_files_clones_and_processes(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("chain")
    plain, kinds = data.draw(making.bases())
    view, plain = making.chained(data.draw, making.in_files(plain, kinds, folder), plain)
    making.check_same(view.clone(), plain)
    making.check_same(pickle.loads(pickle.dumps(view)), plain)
    making.check_same(BaseExtractor.from_dict(view.to_dict()), plain)
    making.check_same(BaseExtractor.from_dict(through_json(view.to_dict(recursive=True))), plain)
    relative = through_json(view.to_dict(recursive=True, relative_to=folder))
    moved = folder.with_name(folder.name + "_moved")
    folder.rename(moved)
    making.check_same(BaseExtractor.from_dict(relative, base_folder=moved), plain)
    shutil.rmtree(moved)


def test_a_dictionary_has_the_keys_that_others_know(recording):
    part = recording.select_channels(["d", "a"])
    description = part.to_dict(recursive=True)
    assert list(description)[:7] == [
        *("class", "module", "version", "kwargs", "annotations", "properties", "relative_paths")
    ]
    assert description["class"] == "spikeinterface.core.channelslice.ChannelSliceRecording"
    assert description["module"] == "spikeinterface"
    assert description["version"] == "0.105.3"
    assert description["annotations"] == {"name": "left", "is_filtered": False}
    assert description["properties"]["gain_to_uV"].tolist() == [0.5, 0.5]
    assert description["properties"]["group"] is None
    assert "depth" not in description["properties"]
    inner = description["kwargs"]["recording"]
    assert inner["class"].endswith("BinaryRecordingExtractor")
    assert part.to_dict()["kwargs"]["recording"] is recording


def test_all_annotations_and_properties_where_asked(recording):
    description = recording.to_dict(include_annotations=True, include_properties=True)
    assert description["annotations"]["rat"] == "R1"
    again = BaseExtractor.from_dict(through_json(description))
    assert again.get_property("depth").tolist() == [1, 2, 3, 4]
    assert again.get_annotation("rat") == "R1"


def test_a_clone_shares_nothing_that_changes(recording):
    recording.annotate(sessions=[1])
    clone = recording.clone()
    clone.get_annotation("sessions", copy=False).append(2)
    clone.set_property("depth", [9.0], ids=["a"])
    clone.set_times(np.arange(5) + 7.0)
    assert recording.get_annotation("sessions") == [1]
    assert recording.get_property("depth").tolist() == [1, 2, 3, 4]
    assert recording.get_start_time() == 0


def test_paths_are_relative_to_a_folder_and_back(recording, tmp_path):
    view = recording.select_channels(["a"])
    for folder, path in ((tmp_path, "data/traces.raw"), (tmp_path / "data", "traces.raw")):
        description = view.to_dict(recursive=True, relative_to=folder)
        inner = description["kwargs"]["recording"]
        assert description["relative_paths"]
        assert inner["relative_paths"]
        assert inner["kwargs"]["file_paths"] == [path]
        assert provenance.paths_of(description) == [path]
        absolute = provenance.with_absolute_paths(description, folder)
        assert not absolute["kwargs"]["recording"]["relative_paths"]
        assert absolute["kwargs"]["recording"]["kwargs"]["file_paths"] == [
            str(tmp_path / "data" / "traces.raw")
        ]
    (tmp_path / "other").mkdir()
    up = view.to_dict(recursive=True, relative_to=tmp_path / "other")
    assert provenance.paths_of(up) == ["../data/traces.raw"]


def test_files_on_the_net_keep_all_paths_absolute(tmp_path):
    description = {"kwargs": {"file_path": "s3://bucket/a", "folder_path": str(tmp_path)}}
    assert provenance.with_relative_paths(description, tmp_path) == description


def test_relative_paths_need_a_folder(recording, tmp_path):
    with pytest.raises(ParameterError, match="recursive"):
        recording.to_dict(relative_to=tmp_path)
    description = recording.to_dict(recursive=True, relative_to=tmp_path)
    with pytest.raises(ParameterError, match="base_folder"):
        BaseExtractor.from_dict(description)
    with pytest.raises(FileNotFoundError, match="folder"):
        recording.to_dict(recursive=True, relative_to=tmp_path / "nowhere")


def test_what_describes_nothing_is_refused():
    with pytest.raises(DataError, match="describes no object"):
        BaseExtractor.from_dict({"kwargs": {}})


def test_a_class_is_never_imported_from_where_a_file_says(recording):
    description = recording.to_dict()
    description["class"] = "antigravity.Recording"
    with pytest.raises(DataError, match=r"class antigravity\.Recording, which is unknown"):
        BaseExtractor.from_dict(description)


def test_a_class_is_known_by_its_name_wherever_it_was(recording):
    description = recording.to_dict()
    description["class"] = "spikeinterface.once.upon.BinDatRecordingExtractor"
    assert type(BaseExtractor.from_dict(description)) is BinaryRecordingExtractor


class OwnRecording(BaseRecording):
    """A recording that somebody wrote."""

    def __init__(self, scale):
        super().__init__(10.0, [0, 1], "int16")
        self.add_recording_segment(OwnSegment(scale))
        self._kwargs = {"scale": scale}


class OwnSegment(BaseRecordingSegment):
    def __init__(self, scale):
        super().__init__(sampling_frequency=10.0)
        self.scale = scale

    def get_num_samples(self):
        return 3

    def get_traces(self, start_frame, end_frame, channel_indices):
        traces = np.full((end_frame - start_frame, 2), self.scale, np.int16)
        return traces[:, channel_indices]


def test_classes_of_others_come_back_from_their_module():
    own = OwnRecording(7)
    assert class_of(stored_name(OwnRecording)[0]) is OwnRecording
    again = BaseExtractor.from_dict(through_json(own.select_channels([1]).to_dict(recursive=True)))
    assert again.get_traces().tolist() == [[7], [7], [7]]
    assert own.get_traces(channel_ids=[]).shape == (3, 0)


def test_wrong_arguments_say_of_what():
    description = OwnRecording(7).to_dict()
    description["kwargs"] = {"size": 1}
    with pytest.raises(DataError, match=r"OwnRecording \(arguments size\)"):
        BaseExtractor.from_dict(description)


def test_what_is_in_memory_goes_to_processes_but_into_no_file(recording):
    in_memory = NumpyRecording([np.zeros((5, 4), np.int16)], 10.0, channel_ids=list("abcd"))
    assert in_memory.check_if_memory_serializable()
    assert not in_memory.check_if_json_serializable()
    for view in (in_memory.select_channels(["a"]), in_memory + recording, recording + in_memory):
        assert view.check_serializability("memory")
        assert not view.check_serializability("json")
        assert not view.check_if_pickle_serializable()
    assert (recording + recording).check_if_json_serializable()
    with pytest.raises(ParameterError, match="known are memory, json, pickle"):
        recording.check_serializability("yaml")


def test_times_that_were_set_are_written_and_those_of_a_file_are_not(recording):
    view = recording.frame_slice(1, 4)
    assert "times_kwargs" not in view.to_dict()
    view.shift_times(5.0)
    (times,) = view.to_dict()["times_kwargs"]
    assert times == {"sampling_frequency": 10.0, "t_start": 5.1, "time_vector": None}
    assert BaseExtractor.from_dict(through_json(view.to_dict(recursive=True))).get_times()[
        0
    ] == pytest.approx(5.1)


def test_parents():
    own = OwnRecording(1)
    assert own.get_parent() is None
    part = own.select_channels([0])
    assert part.get_parent() is own
    assert part.frame_slice(0, 1).get_parent() is part
    assert own.segments[0].parent_extractor is own
