import json

import numpy as np
import pytest

from making import rich_objects as making
from spikeloom.core.dumping import VECTORS, dump, dump_to_json, dump_to_pickle
from spikeloom.core.loading import load
from spikeloom.errors import ParameterError


@pytest.fixture
def source(tmp_path):
    return making.rich_recording((300, 20), 4, times="starts").save(folder=tmp_path / "source")


def test_other_endings(tmp_path, source):
    with pytest.raises(ParameterError, match=r"\.json, \.pkl or \.pickle"):
        dump(source, tmp_path / "x.txt")


def test_folders_are_made_and_endings_added(tmp_path, source, monkeypatch):
    dump(source, tmp_path / "new" / "er" / "x.json", relative_to=True)
    making.check_recordings(source, load(tmp_path / "new" / "er" / "x.json"))
    dump_to_json(source, tmp_path / "y")
    making.check_recordings(source, load(tmp_path / "y.json"))
    monkeypatch.chdir(tmp_path)
    dump_to_pickle(source)
    making.check_recordings(source, load(tmp_path / f"{source.name}.pkl", trust_pickle=True))


def test_what_is_told(tmp_path, source):
    view = source.select_channels(source.channel_ids[:3])
    view.set_property("own", ["x", "y", "z"])
    with pytest.raises(ParameterError, match=r"properties.*bytes.*JSON cannot hold"):
        dump_to_json(view, tmp_path / "x.json", include_properties=True)
    assert not (tmp_path / "x.json").exists()
    for key in ("bytes", "phase"):  # which text cannot say
        source.delete_property(key)
        view.delete_property(key)
    view.annotate(own=[1, 2])
    dump_to_json(view, tmp_path / "x.json", include_properties=True)
    found = load(tmp_path / "x.json")
    assert found.get_property("own").tolist() == ["x", "y", "z"]
    assert found.get_annotation("own") == [1, 2]
    dump_to_json(view, tmp_path / "y.json", include_annotations=False)
    found = load(tmp_path / "y.json")
    assert found.get_property("own") is None
    assert found.get_annotation("own") is None


def test_text_is_plain_and_describes_without_data(tmp_path, source):
    dump(source, tmp_path / "x.json")
    text = json.loads((tmp_path / "x.json").read_text())
    assert list(text)[:7] == [
        "class",
        "module",
        "version",
        "kwargs",
        "annotations",
        "properties",
        "relative_paths",
    ]
    assert text["class"] == "spikeinterface.core.binaryfolder.BinaryFolderRecording"
    assert text["module"] == "spikeinterface"


@pytest.mark.parametrize("suffix", ["json", "pkl"])
def test_times_of_samples(tmp_path, source, suffix):
    times = np.random.default_rng(0).random(300).cumsum()
    source.set_times(times, segment_index=0)
    view = source.select_channels(source.channel_ids[:2])
    own = view.select_channels(view.channel_ids[:1])
    own.set_times(times + 1, segment_index=0)
    for each, expected in ((source, times), (view, times), (own, times + 1)):
        path = tmp_path / "t" / f"x.{suffix}"
        dump(each, path)
        found = load(path, trust_pickle=True)
        assert [found.has_time_vector(k) for k in range(2)] == [True, False]
        assert found.get_times(0).tolist() == expected.tolist()
        assert found.get_times(1)[0] == 10.0
    assert found.get_parent().get_times(0).tolist() == times.tolist()
    if suffix == "json":
        text = (tmp_path / "t" / "x.json").read_text()
        assert len(text) < 20_000
        assert VECTORS in text
        assert {path.name for path in (tmp_path / "t").iterdir()} == {
            *("x.json", "x_times0.npy", "x_times1.npy")
        }


def test_times_move_along(tmp_path, source):
    source.set_times(np.arange(300) ** 1.5, segment_index=0)
    (tmp_path / "a").mkdir()
    dump(source, tmp_path / "a" / "x.json")
    (tmp_path / "a").rename(tmp_path / "b")
    assert load(tmp_path / "b" / "x.json").get_times(0)[-1] == 299**1.5


def test_times_in_zarr(tmp_path):
    recording = making.rich_recording((300,), 2, times="none")
    recording.set_times(np.arange(300) ** 1.5)
    saved = recording.save(format="zarr", folder=tmp_path / "z")
    saved.segments[0].are_times_set = True
    for name in ("x.json", "x.pkl"):
        dump(saved, tmp_path / name)
        found = load(tmp_path / name, trust_pickle=True)
        assert found.get_times()[-1] == 299**1.5


def test_passwords_stay_out_of_files(tmp_path):
    options = {
        "key": "me",
        "secret": "XYZZY",
        "token": "anon",
        "client": {"session_token": "XYZZY"},
    }
    recording = making.rich_recording((50,), 2)
    url = "memory://core-dumping/x.zarr"
    saved = recording.save(format="zarr", folder=url, storage_options=options, overwrite=True)
    assert saved.to_dict()["kwargs"]["storage_options"] == options  # workers need them
    view = saved.frame_slice(0, 9)
    for name in ("x.json", "x.pkl"):
        view.dump(tmp_path / name)
    view.save(folder=tmp_path / "saved")
    view.save(format="zarr", folder=tmp_path / "saved")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"XYZZY" not in path.read_bytes(), path
    found = load(tmp_path / "x.json").get_parent()._kwargs["storage_options"]
    assert found == {"token": "anon", "client": {}}
