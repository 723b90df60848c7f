"""Sortings that SpikeInterface wrote are read here, and the other way round."""

import json
import subprocess

import numpy as np
import pytest

from making.sortings import dicts_of, example_sorting, recording_of
from spikeloom.core.base import BaseExtractor
from spikeloom.core.excess_spikes import RemoveExcessSpikesSorting
from spikeloom.core.loading import load
from spikeloom.core.merging_units import apply_merges_to_sorting, apply_splits_to_sorting
from spikeloom.core.npz_folder_sorting import NpzFolderSorting, write_npz_folder
from spikeloom.core.npz_sorting import NpzSortingExtractor, read_npz_sorting
from spikeloom.core.numpy_folder_sorting import NumpyFolderSorting, write_numpy_folder
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sorting_segments import append_sortings, concatenate_sortings
from spikeloom.core.unit_aggregation import aggregate_units
from spikeloom.storage.provenance_json import write_provenance

pytestmark = pytest.mark.peer

SHARED = """
import json, sys
from pathlib import Path
import numpy as np
import spikeinterface as si
from spikeinterface.core import *
from spikeinterface.core.sorting_tools import apply_merges_to_sorting, apply_splits_to_sorting

folder = Path(sys.argv[1])

def told(sorting):
    properties = {k: np.asarray(sorting.get_property(k)).tolist()
                  for k in sorting.get_property_keys()}
    return {
        "class": type(sorting).__name__,
        "unit_ids": sorting.unit_ids.tolist(),
        "fs": sorting.sampling_frequency,
        "rows": [list(row) for row in sorting.to_spike_vector().tolist()],
        "trains": [[sorting.get_unit_spike_train(u, segment_index=k).tolist()
                    for u in sorting.unit_ids] for k in range(sorting.get_num_segments())],
        "properties": properties,
        "annotations": {k: v for k, v in sorting._annotations.items()},
    }

def example(ids=("a", "b", "c")):
    a, b, c = ids
    sorting = si.NumpySorting.from_unit_dict(
        [{a: np.array([3, 9, 30]), b: np.array([4]), c: np.array([], "i8")},
         {a: np.array([1]), b: np.array([], "i8"), c: np.array([2, 59])}], 1000.0)
    sorting.set_property("quality", ["good", "mua", "noise"])
    sorting.set_property("location", np.arange(6.0).reshape(3, 2))
    sorting.annotate(name="example", remarks={"by": ["me", 1]})
    return sorting
"""

WRITE = """
example().save(folder=folder / "numpy_folder")
example([7, 2, 40]).save(folder=folder / "numbers")
example().save(folder=folder / "npz_folder", format="npz_folder")
si.NpzSortingExtractor.write_sorting(example(), folder / "text.npz")
si.NpzSortingExtractor.write_sorting(example([7, 2, 40]), folder / "numbers.npz")
saved = si.load(folder / "numpy_folder")
views = {
    "selected": saved.select_units(["c", "a"], renamed_unit_ids=["y", "x"]),
    "sliced": select_segment_sorting(saved, 0).frame_slice(4, 31),
    "aggregated": aggregate_units([saved, saved]),
    "appended": append_sortings([saved, saved]),
    "concatenated": concatenate_sortings(
        [select_segment_sorting(saved, 0)] * 2, total_samples_list=[60, 60]),
    "segment": select_segment_sorting(saved, [1]),
}
answer = {}
for name, view in views.items():
    view.dump(folder / f"{name}.json")
    answer[name] = told(view)
merges = [[["a", "b"]], [["a", "b"], ["c"]]][:1]
answer["merged"] = told(apply_merges_to_sorting(example(), merges[0]))
answer["split"] = told(apply_splits_to_sorting(example(), {"a": [[0, 3], [1, 2]]}))
(folder / "answer.json").write_text(json.dumps(answer))
"""

READ = """
answer = {"numpy_folder": told(si.load(folder / "numpy_folder")),
          "npz_folder": told(si.load(folder / "npz_folder")),
          "npz": told(si.read_npz_sorting(folder / "sorting.npz"))}
for path in sorted(folder.glob("view_*.json")):
    answer[path.stem] = told(si.load(path))
(folder / "answer.json").write_text(json.dumps(answer))
"""


def ask(peer_python, code, folder):
    done = subprocess.run(
        [peer_python, "-W", "ignore", "-c", SHARED + code, folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answer.json").read_text())


def told(sorting):
    return {
        "class": type(sorting).__name__,
        "unit_ids": sorting.unit_ids.tolist(),
        "fs": sorting.sampling_frequency,
        "rows": [list(row) for row in sorting.to_spike_vector().tolist()],
        "trains": [list(units.values()) for units in dicts_of(sorting)],
        "properties": {k: sorting.get_property(k).tolist() for k in sorting.get_property_keys()},
        "annotations": {k: sorting.get_annotation(k) for k in sorting.get_annotation_keys()},
    }


def but(description, **changes):
    return description | changes


@pytest.fixture(scope="module")
def written(peer_python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("peer")
    return folder, ask(peer_python, WRITE, folder)


def test_their_folders_and_files_are_read(written):
    folder, _ = written
    expected = told(example_sorting())
    for name, cls in (("numpy_folder", NumpyFolderSorting), ("npz_folder", NpzFolderSorting)):
        for read in (cls(folder / name), load(folder / name)):
            assert told(read) == but(expected, **{"class": cls.__name__})
    numbered = NumpyFolderSorting(folder / "numbers")
    assert told(numbered)["rows"] == expected["rows"]
    assert numbered.unit_ids.tolist() == [7, 2, 40]
    plain = {"properties": {}, "annotations": {}, "class": "NpzSortingExtractor"}
    assert told(read_npz_sorting(folder / "text.npz")) == but(expected, **plain)
    # Here they write labels as numbers with decimals, for a unit has no spikes.
    numbers = read_npz_sorting(folder / "numbers.npz")
    assert told(numbers) == but(expected, unit_ids=[7, 2, 40], **plain)


@pytest.mark.parametrize(
    "name", ["selected", "sliced", "aggregated", "appended", "concatenated", "segment"]
)
def test_their_views_are_made_again(written, name):
    folder, answer = written
    read = load(folder / f"{name}.json")
    ours, theirs = told(read), answer[name]
    assert ours["annotations"].items() >= theirs["annotations"].items()
    for key in ("class", "unit_ids", "fs", "rows", "trains", "properties"):
        assert ours[key] == theirs[key]


def test_merges_and_splits_are_theirs(written):
    _, answer = written
    merged = told(apply_merges_to_sorting(example_sorting(), [["a", "b"]]))
    split = told(apply_splits_to_sorting(example_sorting(), {"a": [[0, 3], [1, 2]]}))
    for ours, theirs in ((merged, answer["merged"]), (split, answer["split"])):
        for key in ("class", "unit_ids", "fs", "rows", "trains"):
            assert ours[key] == theirs[key]
        for key, values in theirs["properties"].items():
            np.testing.assert_array_equal(ours["properties"][key], values)


def test_they_read_ours(peer_python, tmp_path):
    sorting = example_sorting()
    for name, write in (("numpy_folder", write_numpy_folder), ("npz_folder", write_npz_folder)):
        (tmp_path / name).mkdir()
        write(sorting, tmp_path / name)
    NpzSortingExtractor.write_sorting(sorting, tmp_path / "sorting.npz")
    saved = NumpyFolderSorting(tmp_path / "numpy_folder")
    first = saved.select_segments(0)
    recording = recording_of([60, 60]).save(folder=tmp_path / "recording", progress_bar=False)
    views = {
        "selected": saved.select_units(["c", "a"], renamed_unit_ids=["y", "x"]),
        "sliced": first.frame_slice(4, 31),
        "aggregated": aggregate_units({"l": saved, "r": saved}),
        "appended": append_sortings([saved, saved]),
        "concatenated": concatenate_sortings([first, first], [60, 60]),
        "segment": saved.select_segments([1]),
        "excess": RemoveExcessSpikesSorting(saved, recording),
    }
    for name, view in views.items():
        description = view.to_dict(
            include_annotations=True, include_properties=True, recursive=True
        )
        write_provenance(tmp_path / f"view_{name}.json", description)
    answer = ask(peer_python, READ, tmp_path)
    expected = told(sorting)
    assert answer["numpy_folder"] == but(expected, **{"class": "NumpyFolderSorting"})
    assert answer["npz_folder"] == but(expected, **{"class": "NpzFolderSorting"})
    plain = {"properties": {}, "annotations": {}, "class": "NpzSortingExtractor"}
    assert answer["npz"] == but(expected, **plain)
    for name, view in views.items():
        assert answer[f"view_{name}"] == told(view)
        again = BaseExtractor.from_dict(json.loads((tmp_path / f"view_{name}.json").read_text()))
        assert told(again) == told(view)


def test_segments_without_spikes_are_theirs_too(peer_python, tmp_path):
    sorting = NumpySorting.from_unit_dict([{"a": [1]}, {"a": []}, {"a": []}], 1000.0)
    for name, write in (("numpy_folder", write_numpy_folder), ("npz_folder", write_npz_folder)):
        (tmp_path / name).mkdir()
        write(sorting, tmp_path / name)
    NpzSortingExtractor.write_sorting(sorting, tmp_path / "sorting.npz")
    for name, described in ask(peer_python, READ, tmp_path).items():
        assert described["trains"] == [[[1]], [[]], [[]]], name
