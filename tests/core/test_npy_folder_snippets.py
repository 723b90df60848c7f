import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from probeinterface import generate_linear_probe

from spikeloom.core.loading import load
from spikeloom.core.npy_folder_snippets import NpyFolderSnippets, read_npy_snippets_folder
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.snippets import BaseSnippets
from spikeloom.engine.folders import get_global_tmp_folder
from spikeloom.errors import DataError, MissingFileError, ParameterError

RATE = 30_000.0


@pytest.fixture
def snippets():
    rng = np.random.default_rng(1)
    waves = [rng.normal(0, 9, (n, 12, 4)).astype(np.float32) for n in (20, 0, 5)]
    frames = [np.sort(rng.integers(0, 10**6, len(each))) for each in waves]
    snippets = NumpySnippets(waves, frames, RATE, nbefore=4, channel_ids=["a", "b", "c", "d"])
    probe = generate_linear_probe(4, ypitch=20)
    probe.set_device_channel_indices([3, 2, 1, 0])
    snippets.set_probe(probe, in_place=True)
    snippets.set_channel_groups([0, 0, 1, 1])
    snippets.set_channel_gains(0.5)
    snippets.set_channel_offsets([0.0, 1.0, 2.0, 3.0])
    snippets.set_property("quality", ["good", "bad", "ugly", ""])
    snippets.annotate(name="mine", depth=3.5, sessions=["x", "y"])
    return snippets


def check_equal(one, other):
    assert one.channel_ids.tolist() == other.channel_ids.tolist()
    assert (one.nbefore, one.snippet_len, one.sampling_frequency) == (
        *(other.nbefore, other.snippet_len),
        other.sampling_frequency,
    )
    assert one.get_num_segments() == other.get_num_segments()
    for k in range(one.get_num_segments()):
        np.testing.assert_array_equal(one.get_snippets(None, k), other.get_snippets(None, k))
        np.testing.assert_array_equal(one.get_frames(None, k), other.get_frames(None, k))
    assert set(one.get_property_keys()) == set(other.get_property_keys())
    for key in one.get_property_keys():
        np.testing.assert_array_equal(one.get_property(key), other.get_property(key))
    assert one.has_probe() == other.has_probe()
    if one.has_probe():
        np.testing.assert_array_equal(one.get_channel_locations(), other.get_channel_locations())
    for key in ("name", "depth", "sessions"):
        assert one.get_annotation(key) == other.get_annotation(key)


def test_saved_snippets_are_the_same_snippets(snippets, tmp_path):
    folder = tmp_path / "snip_2024.05.01"
    saved = snippets.save(folder=folder)
    assert isinstance(saved, NpyFolderSnippets)
    for loaded in (saved, load(folder), read_npy_snippets_folder(folder), saved.clone()):
        check_equal(loaded, snippets)
        assert isinstance(loaded, NpyFolderSnippets)
    assert not list(tmp_path.glob(".*"))


def test_a_view_is_saved_as_it_is_seen(snippets, tmp_path):
    view = snippets.select_channels(["d", "a"]).select_segments([2, 0])
    check_equal(view.save(folder=tmp_path / "view"), view)
    plain = NumpySnippets(np.zeros((2, 5, 1)), np.array([3, 1]), RATE)
    saved = plain.save(folder=tmp_path / "plain")
    assert saved.nbefore is None
    assert not saved.has_probe()
    assert saved.get_frames().tolist() == [3, 1]


def test_another_type_can_be_saved(snippets, tmp_path):
    saved = snippets.save(folder=tmp_path / "ints", dtype="int16", n_jobs=2, verbose=True)
    assert saved.dtype == np.int16
    np.testing.assert_array_equal(
        saved.get_snippets(None, 0), snippets.get_snippets(None, 0).astype(np.int16)
    )


def test_a_moved_folder_loads(snippets, tmp_path):
    snippets.save(folder=tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    check_equal(load(tmp_path / "there"), snippets)


def test_a_folder_that_is_there_stays_unless_asked(snippets, tmp_path):
    snippets.save(folder=tmp_path / "snip")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        snippets.select_segments(0).save(folder=tmp_path / "snip")
    check_equal(load(tmp_path / "snip"), snippets)
    # The snippets that are replaced are those that are being read.
    part = load(tmp_path / "snip").select_channels(["c"])
    expected = part.get_snippets(None, 0).copy()
    saved = part.save(folder=tmp_path / "snip", overwrite=True)
    np.testing.assert_array_equal(saved.get_snippets(None, 0), expected)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(FileExistsError, match="does not look like"):
        snippets.save(folder=tmp_path / "mine", overwrite=True)


def test_nothing_is_left_of_a_save_that_fails(snippets, tmp_path):
    class Broken(type(snippets.segments[0])):
        def get_snippets(self, indices=None, channel_indices=None):
            raise RuntimeError

    snippets.segments[2].__class__ = Broken
    with pytest.raises(RuntimeError):
        snippets.save(folder=tmp_path / "snip")
    assert not list(tmp_path.iterdir())
    empty = BaseSnippets(RATE, None, 3, ["a"], "i2")
    with pytest.raises(ParameterError, match="without a segment"):
        empty.save(folder=tmp_path / "empty")


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("gain", [0.5, np.nan]),
        ("flag", [True, False]),
        ("label", ["ä", "long enough"]),
        ("matrix", np.arange(8).reshape(2, 2, 2)),
        ("record", np.array([(1, 2.0), (3, 4.0)], [("a", "i4"), ("b", "f8")])),
        ("things", np.array([None, "b"], object)),
        ("lists", [[1], [2, 3]]),
        ("a/b: c*", [1.0, 2.0]),
        ("sp ace.d", [1, 2]),
    ],
)
def test_any_property_comes_back(tmp_path, key, values):
    source = NumpySnippets(np.zeros((1, 3, 2)), np.array([9]), RATE)
    source.set_property(key, values)
    saved = source.save(folder=tmp_path / "snip")
    assert saved.get_property_keys() == [key]
    np.testing.assert_array_equal(saved.get_property(key), source.get_property(key))


def test_without_a_folder_snippets_go_to_a_temporary_one(snippets):
    saved = snippets.save()
    assert Path(saved.to_dict()["kwargs"]["folder_path"]).parent == get_global_tmp_folder()


def test_folders_without_a_new_probe_file_are_read_too(snippets, tmp_path):
    folder = tmp_path / "snip"
    snippets.save(folder=folder)
    # What versions before 0.105 wrote has a probe.json, and all annotations in si_folder.json.
    (folder / "probegroup.json").unlink()
    (folder / "annotations.json").unlink()
    check_equal(NpyFolderSnippets(folder), snippets)
    (folder / "probe.json").unlink()
    check_equal(NpyFolderSnippets(folder), snippets)


def test_other_folders_are_refused(snippets, tmp_path):
    with pytest.raises(MissingFileError, match=r"npy\.json"):
        NpyFolderSnippets(tmp_path)
    snippets.save(folder=tmp_path / "snip")
    content = json.loads((tmp_path / "snip" / "npy.json").read_text())
    content["class"] = "spikeinterface.core.npzsortingextractor.NpzSortingExtractor"
    (tmp_path / "snip" / "npy.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="does not hold a NpySnippetsExtractor"):
        NpyFolderSnippets(tmp_path / "snip")
