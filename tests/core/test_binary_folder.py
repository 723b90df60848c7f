import json

import numpy as np
import pytest

from making import rich_objects as making
from spikeloom.core.binary_folder import BinaryFolderRecording, read_binary_folder
from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError


def test_files(tmp_path):
    recording = making.rich_recording((400, 60))
    recording.save(folder=tmp_path / "x", progress_bar=False)
    assert {path.name for path in (tmp_path / "x").iterdir()} == {
        *("traces_cached_seg0.raw", "traces_cached_seg1.raw", "times_cached_seg1.npy"),
        *("binary.json", "si_folder.json", "annotations.json", "properties"),
        *("probegroup.json", "probe.json"),
    }
    binary = json.loads((tmp_path / "x" / "binary.json").read_text())
    assert binary["relative_paths"]
    assert binary["kwargs"]["file_paths"] == ["traces_cached_seg0.raw", "traces_cached_seg1.raw"]
    # What versions of SpikeInterface before 0.105 refuse:
    assert "file_timestamps_paths" not in binary["kwargs"]
    si_folder = json.loads((tmp_path / "x" / "si_folder.json").read_text())
    assert si_folder["kwargs"] == {"folder_path": "."}
    assert si_folder["class"] == "spikeinterface.core.binaryfolder.BinaryFolderRecording"
    assert not (tmp_path / "x" / "provenance.json").exists()  # it came from memory


def test_provenance_is_kept(tmp_path):
    source = making.rich_recording((400,)).save(folder=tmp_path / "x", progress_bar=False)
    source.frame_slice(1, 9).save(folder=tmp_path / "y", progress_bar=False)
    text = (tmp_path / "y" / "provenance.json").read_text()
    assert str(tmp_path) not in text
    assert json.loads(text)["kwargs"]["parent_recording"]["kwargs"] == {"folder_path": "../x"}


def test_opening(tmp_path):
    recording = making.rich_recording()
    saved = recording.save(folder=tmp_path / "x", progress_bar=False)
    assert isinstance(saved, BinaryFolderRecording)
    for each in (read_binary_folder(tmp_path / "x"), load(saved.to_dict()), saved.clone()):
        making.check_recordings(recording, each)
    making.rich_sorting().save(folder=tmp_path / "sorting")
    with pytest.raises(MissingFileError, match=r"binary\.json"):
        read_binary_folder(tmp_path / "sorting")
    (tmp_path / "x" / "binary.json").write_text('{"class": "a.B", "kwargs": {}}')
    with pytest.raises(DataError, match=r"a\.B"):
        read_binary_folder(tmp_path / "x")


def test_damaged_properties_are_left_out_with_a_warning(tmp_path):
    recording = making.rich_recording((50,))
    recording.save(folder=tmp_path / "x", progress_bar=False)
    (tmp_path / "x" / "properties" / "quality.npy").write_bytes(b"nonsense")
    np.save(tmp_path / "x" / "properties" / "strange.npy", np.array([{}], object))
    (tmp_path / "x" / "properties" / "._depth.npy").write_bytes(b"left by macOS")
    with pytest.warns(UserWarning, match="left out") as warned:
        found = load(tmp_path / "x")
    assert len(warned) == 2
    assert found.get_property("quality") is None
    np.testing.assert_array_equal(found.get_traces(), recording.get_traces())


def test_times_of_newer_versions(tmp_path):
    """SpikeInterface 0.105 keeps them in flat files that binary.json names."""
    recording = making.rich_recording((50, 20), times="starts")
    recording.save(folder=tmp_path / "x", progress_bar=False)
    path = tmp_path / "x" / "binary.json"
    binary = json.loads(path.read_text())
    names = [f"times_cached_seg{k}.raw" for k in range(2)]
    binary["kwargs"]["file_timestamps_paths"] = names
    path.write_text(json.dumps(binary))
    times = [np.arange(n) ** 1.1 for n in (50, 20)]
    for name, values in zip(names, times, strict=True):
        values.tofile(tmp_path / "x" / name)
    found = load(tmp_path / "x")
    assert [found.get_times(k).tolist() for k in range(2)] == [t.tolist() for t in times]
