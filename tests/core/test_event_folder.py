import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikeloom.core.event_folder import FolderEvent
from spikeloom.core.loading import load
from spikeloom.core.numpy_events import NumpyEvent
from spikeloom.engine.folders import get_global_tmp_folder
from spikeloom.errors import DataError, ParameterError, ReadError

EPOCH = np.dtype([("time", "<f8"), ("duration", "<f8"), ("label", "<U10")])


@pytest.fixture
def event():
    epochs = np.array([(1.0, 0.1, "left"), (2.0, 0.2, "rïght")], EPOCH)
    event = NumpyEvent.from_dict([{3: epochs, 1: [0, 1, 2]}, {1: [5]}])
    event.set_property("line", ["ai0", "di3"])
    event.annotate(session="a", depth=3.5)
    return event


def test_saved_events_are_the_same_events(event, tmp_path):
    saved = event.save(folder=tmp_path / "a.b" / "events")
    assert isinstance(saved, FolderEvent)
    for loaded in (saved, load(tmp_path / "a.b" / "events"), saved.clone()):
        assert loaded.channel_ids.tolist() == [3, 1]
        assert loaded.structured_dtype == event.structured_dtype
        for k in range(2):
            for channel_id in (3, 1):
                np.testing.assert_array_equal(
                    loaded.get_events(channel_id, k), event.get_events(channel_id, k)
                )
        assert loaded.get_property("line").tolist() == ["ai0", "di3"]
        assert loaded.get_annotation("session") == "a"
        assert loaded.get_annotation("depth") == 3.5


def test_a_folder_that_is_there_stays_unless_asked(event, tmp_path):
    event.save(folder=tmp_path / "events")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        event.save(folder=tmp_path / "events")
    event.select_segment(0).save(folder=tmp_path / "events", overwrite=True)
    assert load(tmp_path / "events").get_num_segments() == 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(FileExistsError, match="does not look like"):
        event.save(folder=tmp_path / "mine", overwrite=True)
    assert not list(tmp_path.glob(".*"))


def test_without_a_folder_events_go_to_a_temporary_one(event):
    saved = event.save()
    assert isinstance(saved, FolderEvent)
    assert Path(saved.to_dict()["kwargs"]["folder_path"]).parent == get_global_tmp_folder()


def test_python_objects_are_refused_and_nothing_is_left(tmp_path):
    labels = np.array([(1.0, {"a": 1})], [("time", "f8"), ("label", "O")])
    with pytest.raises(ParameterError, match="hold Python objects"):
        NumpyEvent.from_dict({"x": labels}).save(folder=tmp_path / "events")
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_is_refused(event):
    with pytest.raises(ParameterError, match="events can be saved as npy, memory"):
        event.save(format="zarr")


def test_damage_is_told(event, tmp_path):
    event.save(folder=tmp_path / "events")
    path = tmp_path / "events" / "events_seg0_ch0.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-4])
    with pytest.raises(ReadError, match="not a complete"):
        FolderEvent(tmp_path / "events")
    np.save(path, np.zeros((2, 2)))
    with pytest.raises(DataError, match="list of events"):
        FolderEvent(tmp_path / "events")
    path.unlink()
    with pytest.raises(FileNotFoundError, match="events_seg0_ch0"):
        FolderEvent(tmp_path / "events")
    (tmp_path / "events" / "events.json").write_text(json.dumps({"channels": 3}))
    with pytest.raises(DataError, match="does not say"):
        FolderEvent(tmp_path / "events")


def test_another_process_finds_the_class_by_its_name(event, tmp_path):
    event.save(folder=tmp_path / "events").select_segment(1).dump(tmp_path / "view.json")
    code = (
        "import sys, spikeloom.core.loading as l; print(l.load(sys.argv[1]).get_event_times(1, 0))"
    )
    for name, times_s in (("events", "[0. 1. 2.]"), ("view.json", "[5.]")):
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip() == times_s, done.stderr
