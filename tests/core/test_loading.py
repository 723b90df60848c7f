import json
import pickle

import numpy as np
import pytest

from making import rich_objects as making
from making.hashes import folder_state
from spikeloom.core.binary import read_binary
from spikeloom.core.loading import FOLDER_LOADERS, load, load_extractor
from spikeloom.core.motion import Motion
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.templates import Templates
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError


@pytest.fixture
def source(tmp_path):
    return making.rich_recording((300,), 4, times="starts").save(folder=tmp_path / "in" / "source")


def test_a_dictionary(source):
    description = source.to_dict(include_annotations=True, include_properties=True)
    making.check_recordings(source, load(description))
    making.check_recordings(source, load_extractor(description))
    relative = source.to_dict(recursive=True, relative_to="/")
    assert relative["relative_paths"]
    making.check_recordings(source, load(relative, base_folder="/"))
    with pytest.raises(ParameterError, match="base_folder"):
        load(relative)
    with pytest.raises(ParameterError, match="folder of a file"):
        load(relative, base_folder=True)
    with pytest.raises(DataError, match="describes no object"):
        load({"a": 1})
    with pytest.raises(DataError, match="cannot load a Unicorn"):
        load({"object": "Unicorn"})


def test_files_of_both_kinds(tmp_path, source):
    view = source.select_channels(source.channel_ids[1:])
    for suffix in ("json", "pkl", "pickle"):
        path = tmp_path / f"view.{suffix}"
        view.dump(path)
        making.check_recordings(
            view, load(path, trust_pickle=suffix != "json"), has_metadata=suffix != "json"
        )
        making.check_recordings(
            view, load(str(path), trust_pickle=True), has_metadata=suffix != "json"
        )


def test_pickles_only_on_request_and_never_run(tmp_path, source):
    path = tmp_path / "x.pkl"
    source.dump(path)
    with pytest.raises(ParameterError, match="trust_pickle=True"):
        load(path)

    class Evil:
        def __reduce__(self):
            return open, (str(tmp_path / "written"), "w")

    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ReadError):
        load(path, trust_pickle=True)
    assert not (tmp_path / "written").exists()
    (tmp_path / "cached").mkdir()
    (tmp_path / "cached" / "cached.pkl").write_bytes(path.read_bytes())
    with pytest.raises(ParameterError, match="trust_pickle=True"):
        load(tmp_path / "cached")


def test_nothing_known(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("miau")
    with pytest.raises(DataError, match=r"no folder that save\(\) made.*cat.jpg.*read_"):
        load(tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="nothing"):
        load(tmp_path / "empty")
    with pytest.raises(ParameterError, match=r"\.json, \.pkl or \.pickle"):
        load(tmp_path / "photos" / "cat.jpg")
    for where in (tmp_path / "absent", tmp_path / "no" / "way"):
        with pytest.raises(MissingFileError, match="There is nothing at"):
            load(where)
        with pytest.raises(FileNotFoundError, match="There is nothing at"):
            load(str(where))
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(DataError, match="does not describe"):
        load(tmp_path / "list.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ReadError):
        load(tmp_path / "broken.json")
    (tmp_path / "x.zarr").mkdir()
    (tmp_path / "x.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(DataError, match="nothing known"):
        load(tmp_path / "x.zarr")
    with pytest.raises(MissingFileError, match=r"There is x\.zarr"):
        load(tmp_path / "x")
    with pytest.raises(ParameterError, match="knows no trust_pickles"):
        load(tmp_path / "x.zarr", trust_pickles=True)


def test_file_urls(tmp_path, source):
    making.check_recordings(source, load((tmp_path / "in" / "source").as_uri()))
    saved = source.save(format="zarr", folder=(tmp_path / "of url").as_uri())
    making.check_recordings(source, saved)
    making.check_recordings(source, load((tmp_path / "of url.zarr").as_uri()))


def test_relative_paths_follow_the_folder(tmp_path, source):
    traces = source.get_traces().copy()
    source.select_channels(source.channel_ids[::2]).dump(
        tmp_path / "in" / "view.json", relative_to=True
    )
    text = json.loads((tmp_path / "in" / "view.json").read_text())
    assert text["relative_paths"]
    assert str(tmp_path) not in (tmp_path / "in" / "view.json").read_text()
    (tmp_path / "in").rename(tmp_path / "moved")
    path = tmp_path / "moved" / "view.json"
    for base in (None, True, tmp_path / "moved"):
        assert load(path, base_folder=base).get_traces().tolist() == traces[:, ::2].tolist()


def test_relative_to_another_folder(tmp_path, source):
    (tmp_path / "else").mkdir()
    source.dump(tmp_path / "else" / "x.json", relative_to=tmp_path)
    found = load(tmp_path / "else" / "x.json", base_folder=tmp_path)
    making.check_recordings(source, found, has_metadata=False)


def test_opening_writes_nothing(tmp_path, source):
    source.save(format="zarr", folder=tmp_path / "in" / "x")
    making.rich_sorting().save(folder=tmp_path / "in" / "y")
    before = folder_state(tmp_path / "in")
    for name in ("source", "x.zarr", "y"):
        load(tmp_path / "in" / name)
    assert folder_state(tmp_path / "in") == before


def test_a_folder_of_the_first_kind(tmp_path):
    """Before 0.95 the provenance of a flat file stood in cached.json."""
    traces = np.arange(12, dtype="i2").reshape(6, 2)
    traces.tofile(tmp_path / "traces_cached_seg0.raw")
    description = {
        "class": "spikeinterface.core.binaryrecordingextractor.BinaryRecordingExtractor",
        "module": "spikeinterface",
        "version": "0.93.0",
        "relative_paths": True,
        "kwargs": {
            "file_paths": ["traces_cached_seg0.raw"],
            "sampling_frequency": 1000.0,
            "num_chan": 2,
            "dtype": "int16",
            "channel_ids": ["a", "b"],
            "t_starts": None,
            "time_axis": 0,
            "file_offset": 0,
            "gain_to_uV": None,
            "offset_to_uV": None,
            "is_filtered": None,
        },
        "annotations": {"is_filtered": True},
        "properties": {"group": [0, 1]},
    }
    (tmp_path / "cached.json").write_text(json.dumps(description))
    recording = load(tmp_path)
    assert recording.get_traces().tolist() == traces.tolist()
    assert recording.channel_ids.tolist() == ["a", "b"]
    assert recording.is_filtered()
    assert recording.get_channel_groups().tolist() == [0, 1]


def test_kinds_of_other_rooms(tmp_path):
    kind = "Thing of a test"
    (tmp_path / "spikeinterface_info.json").write_text(json.dumps({"object": kind}))
    with pytest.raises(DataError, match="cannot load a Thing of a test"):
        load(tmp_path)
    with pytest.raises(DataError, match="cannot load a Thing of a test"):
        load({"object": kind})
    FOLDER_LOADERS.register(kind, lambda folder, **kwargs: (folder.name, kwargs))
    assert load(tmp_path, lazy=True) == (tmp_path.name, {"lazy": True})


def test_groups_of_recordings(tmp_path, source):
    for key in ("0", "1"):
        source.save(folder=tmp_path / "group" / key)
    info = {"object": "Group[Recording]", "dict_keys": [0, 1]}
    (tmp_path / "group" / "spikeinterface_info.json").write_text(json.dumps(info))
    found = load(tmp_path / "group")
    assert list(found) == [0, 1]
    making.check_recordings(source, found[1])


def test_a_missing_file_is_named(tmp_path):
    (tmp_path / "x.raw").write_bytes(b"\0" * 8)
    recording = read_binary(tmp_path / "x.raw", 100.0, "i2", 2)
    recording.dump(tmp_path / "x.json")
    (tmp_path / "x.raw").unlink()
    with pytest.raises(FileNotFoundError, match=r"x\.raw"):
        load(tmp_path / "x.json")


def test_memory_cannot_be_described(tmp_path):
    recording = NumpyRecording([np.zeros((9, 2))], 10.0)
    for suffix in ("json", "pkl"):
        with pytest.raises(ParameterError, match="lives in memory"):
            recording.dump(tmp_path / f"x.{suffix}")


def test_motion_and_templates(tmp_path):
    motion = Motion([np.zeros((3, 2))], [np.arange(3.0)], np.arange(2.0))
    motion.save(tmp_path / "motion")
    assert isinstance(load(tmp_path / "motion"), Motion)
    assert isinstance(load(motion.to_dict()), Motion)
    templates = Templates(np.ones((2, 9, 3), "f4"), 1000.0, 4)
    templates.to_zarr(tmp_path / "templates.zarr")
    for found in (load(tmp_path / "templates.zarr"), load(templates.to_dict())):
        np.testing.assert_array_equal(found.templates_array, templates.templates_array)
