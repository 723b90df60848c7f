"""Folders of snippets: what spikeloom saves SpikeInterface loads, and the other way round."""

import json
import subprocess

import numpy as np
import pytest
from probeinterface import generate_linear_probe

from making.absence import python_beside
from spikeloom.core.loading import load
from spikeloom.core.npy_folder_snippets import NpyFolderSnippets
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.snippet_extraction import snippets_from_sorting

pytestmark = pytest.mark.peer

RATE = 30_000.0

TELL = """
def tell(snippets, path):
    segments = range(snippets.get_num_segments())
    np.savez(
        path,
        **{f"waves{k}": snippets.get_snippets(segment_index=k) for k in segments},
        **{f"frames{k}": snippets.get_frames(segment_index=k) for k in segments},
        channel_ids=snippets.channel_ids,
        nbefore=snippets.nbefore,
        rate=snippets.sampling_frequency,
        gains=snippets.get_channel_gains(),
        quality=snippets.get_property("quality"),
        locations=snippets.get_channel_locations(),
        groups=snippets.get_channel_groups(),
        note=snippets.get_annotation("note"),
    )
"""

HEAD = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import spikeinterface.core as si
"""

LOAD = (
    HEAD
    + TELL
    + """
tell(si.load(sys.argv[1]), sys.argv[2])
"""
)

SAVE = (
    HEAD
    + TELL
    + """
from probeinterface import generate_linear_probe

rng = np.random.default_rng(0)
snippets = si.NumpySnippets(
    [rng.normal(0, 9, (n, 12, 3)).astype("float32") for n in (20, 5)],
    [np.sort(rng.integers(0, 10**6, n)) for n in (20, 5)],
    30000.0,
    nbefore=4,
    channel_ids=["a", "b", "c"],
)
probe = generate_linear_probe(3, ypitch=25)
probe.set_device_channel_indices([2, 0, 1])
snippets.set_probe(probe, in_place=True)
snippets.set_channel_gains([0.5, 1.0, 2.0])
snippets.set_channel_offsets(0.0)
snippets.set_property("quality", ["good", "bad", "ugly"])
snippets.annotate(note="from there")
tell(snippets.save(folder=sys.argv[1]), sys.argv[2])
"""
)

EXTRACT = (
    HEAD
    + """
given = np.load(sys.argv[1])
recording = si.NumpyRecording([given["traces0"], given["traces1"]], 30000.0)
sorting = si.NumpySorting.from_samples_and_labels(
    [given["samples0"], given["samples1"]], [given["labels0"], given["labels1"]], 30000.0
)
snippets = si.snippets_from_sorting(
    recording, sorting, nbefore=20, nafter=44, n_jobs=1, chunk_size=500, progress_bar=False
)
np.savez(
    sys.argv[2],
    **{f"waves{k}": snippets.get_snippets(segment_index=k) for k in range(2)},
    **{f"frames{k}": snippets.get_frames(segment_index=k) for k in range(2)},
)
"""
)


@pytest.fixture(params=["0.105", "0.104", "0.102"])
def version_python(peer_python, request):
    """Interpreter of an environment with one of the versions of SpikeInterface."""
    if request.param == "0.105":
        return peer_python
    return python_beside(peer_python, request.param)


def run(peer_python, code, *arguments):
    done = subprocess.run(
        [peer_python, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def check_told(told, snippets):
    assert int(told["nbefore"]) == snippets.nbefore
    assert float(told["rate"]) == snippets.sampling_frequency
    assert told["channel_ids"].tolist() == snippets.channel_ids.tolist()
    assert told["quality"].tolist() == snippets.get_property("quality").tolist()
    assert str(told["note"]) == snippets.get_annotation("note")
    np.testing.assert_array_equal(told["gains"], snippets.get_channel_gains())
    np.testing.assert_array_equal(told["groups"], snippets.get_channel_groups())
    np.testing.assert_array_equal(told["locations"], snippets.get_channel_locations())
    for k in range(2):
        np.testing.assert_array_equal(told[f"waves{k}"], snippets.get_snippets(segment_index=k))
        np.testing.assert_array_equal(told[f"frames{k}"], snippets.get_frames(segment_index=k))


def test_spikeinterface_loads_what_was_saved(tmp_path, version_python):
    rng = np.random.default_rng(3)
    snippets = NumpySnippets(
        [rng.integers(-99, 99, (n, 16, 4)).astype(np.int16) for n in (30, 4)],
        [np.sort(rng.integers(0, 10**6, n)) for n in (30, 4)],
        RATE,
        nbefore=6,
        channel_ids=[3, 1, 4, 5],
    )
    probe = generate_linear_probe(4, ypitch=20)
    probe.set_shank_ids(["x", "x", "y", "y"])
    probe.set_device_channel_indices([3, 2, 1, 0])
    snippets.set_probe(probe, in_place=True)
    snippets.set_channel_gains(0.195)
    snippets.set_channel_offsets(0.0)
    snippets.set_property("quality", ["good", "bad", "ugly", ""])
    snippets.annotate(note="from here")
    snippets.save(folder=tmp_path / "snip")
    run(version_python, LOAD, tmp_path / "snip", tmp_path / "told.npz")
    check_told(np.load(tmp_path / "told.npz"), snippets)


def test_what_spikeinterface_saved_is_loaded(tmp_path, version_python):
    run(version_python, SAVE, tmp_path / "snip", tmp_path / "told.npz")
    told = np.load(tmp_path / "told.npz")
    for loaded in (load(tmp_path / "snip"), NpyFolderSnippets(tmp_path / "snip")):
        check_told(told, loaded)
    # Saved here again, it is still what it was there.
    load(tmp_path / "snip").save(folder=tmp_path / "again")
    run(version_python, LOAD, tmp_path / "again", tmp_path / "again.npz")
    check_told(np.load(tmp_path / "again.npz"), load(tmp_path / "snip"))
    described = json.loads((tmp_path / "again" / "npy.json").read_text())
    theirs = json.loads((tmp_path / "snip" / "npy.json").read_text())
    assert described["kwargs"] == theirs["kwargs"]
    assert described["class"] == theirs["class"]


def test_snippets_are_cut_as_spikeinterface_does(tmp_path, peer_python):
    rng = np.random.default_rng(5)
    given = {}
    for k, n_samples in enumerate((3000, 1000)):
        given[f"traces{k}"] = rng.integers(-999, 999, (n_samples, 3)).astype(np.int16)
        # Some so close to the ends that a part of the snippet lies outside.
        samples = np.sort(rng.choice(np.arange(1, n_samples - 1), 50, replace=False))
        given[f"samples{k}"] = np.concatenate([[0], samples, [n_samples - 1]])
        given[f"labels{k}"] = rng.integers(0, 4, 52)
    np.savez(tmp_path / "given.npz", **given)
    run(peer_python, EXTRACT, tmp_path / "given.npz", tmp_path / "told.npz")
    told = np.load(tmp_path / "told.npz")
    recording = NumpyRecording([given["traces0"], given["traces1"]], RATE)
    sorting = NumpySorting.from_samples_and_labels(
        [given["samples0"], given["samples1"]], [given["labels0"], given["labels1"]], RATE
    )
    snippets = snippets_from_sorting(recording, sorting, nbefore=20, nafter=44)
    for k in range(2):
        np.testing.assert_array_equal(told[f"waves{k}"], snippets.get_snippets(segment_index=k))
        np.testing.assert_array_equal(told[f"frames{k}"], snippets.get_frames(segment_index=k))
