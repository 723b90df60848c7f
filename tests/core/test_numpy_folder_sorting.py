import json
import pickle

import numpy as np
import pytest

from making.sortings import check_same, dicts_of, example_sorting, recording_of, sorting_of
from spikeloom.core.merging_units import apply_merges_to_sorting
from spikeloom.core.numpy_folder_sorting import (
    NumpyFolderSorting,
    read_numpy_sorting_folder,
    write_numpy_folder,
)
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError


@pytest.fixture
def folder(tmp_path):
    target = tmp_path / "sorting"
    target.mkdir()
    return target


def test_all_comes_back(folder):
    sorting = example_sorting(t_starts=[2.0, None])
    sorting.shift_times(0.5, 1)
    write_numpy_folder(sorting, folder)
    read = read_numpy_sorting_folder(folder)
    check_same(read, sorting)
    for copied in (read.clone(), pickle.loads(pickle.dumps(read))):
        check_same(copied, sorting)
    assert read.check_serializability("json")


def test_times_of_the_recording_come_back(folder):
    sorting = example_sorting()
    sorting.register_recording(recording_of([60, 60], t_starts=[1.0, 100.0]))
    write_numpy_folder(sorting, folder)
    assert NumpyFolderSorting(folder).get_segment_t_starts() == [1.0, 100.0]


@pytest.mark.parametrize(
    "dicts",
    [
        [{"a": []}],
        [{}],
        [{"a": [1]}, {"a": []}, {"a": []}],
        [{7: [3], 2: [3]}],
        [{"ünit": [-4, 0]}],
    ],
)
def test_odd_sortings(folder, dicts):
    sorting = sorting_of(dicts)
    write_numpy_folder(sorting, folder)
    check_same(NumpyFolderSorting(folder), sorting)


def test_the_file_is_mapped_and_not_copied(folder):
    sorting = sorting_of([{"a": range(1000), "b": range(500, 1500)}])
    write_numpy_folder(sorting, folder)
    read = NumpyFolderSorting(folder)
    vector = read.to_spike_vector()
    assert not vector.flags.writeable
    assert isinstance(vector.base, np.memmap)
    assert np.shares_memory(read.spike_table().sample_index, vector)


def test_what_was_computed_spike_by_spike_stays_in_place(folder):
    sorting = sorting_of([{"a": [5], "b": [5], "c": [5]}])
    merged = apply_merges_to_sorting(sorting, [["a", "b"]])
    assert merged.to_spike_vector()["unit_index"].tolist() == [1, 1, 0]
    write_numpy_folder(merged, folder)
    assert NumpyFolderSorting(folder).to_spike_vector()["unit_index"].tolist() == [1, 1, 0]


def test_opening_writes_nothing_and_modes_that_would_are_refused(folder):
    write_numpy_folder(example_sorting(), folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    for mode in (None, "r", "c"):
        dicts_of(NumpyFolderSorting(folder, mmap_mode=mode))
    for mode in ("r+", "w+", "x"):
        with pytest.raises(ParameterError, match="mmap_mode"):
            NumpyFolderSorting(folder, mmap_mode=mode)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_the_layout(folder):
    write_numpy_folder(example_sorting(), folder)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*")} == {
        *("numpysorting_info.json", "spikes.npy", "annotations.json", "si_folder.json"),
        *("properties", "properties/quality.npy", "properties/location.npy"),
    }
    info = json.loads((folder / "numpysorting_info.json").read_text())
    assert info == {"sampling_frequency": 1000.0, "unit_ids": ["a", "b", "c"], "num_segments": 2}
    said = json.loads((folder / "si_folder.json").read_text())
    assert said["class"] == "spikeinterface.core.sortingfolder.NumpyFolderSorting"
    assert said["kwargs"] == {"folder_path": "."}
    assert said["relative_paths"] is True


def test_provenance_is_relative(folder, tmp_path):
    write_numpy_folder(example_sorting(), folder)
    second = tmp_path / "second"
    second.mkdir()
    write_numpy_folder(NumpyFolderSorting(folder).select_units(["a"]), second)
    said = json.loads((second / "provenance.json").read_text())
    assert said["kwargs"]["parent_sorting"]["kwargs"]["folder_path"] == "../sorting"


def test_damaged_folders(folder):
    with pytest.raises(MissingFileError):
        NumpyFolderSorting(folder)
    write_numpy_folder(example_sorting(), folder)
    info = folder / "numpysorting_info.json"
    said = json.loads(info.read_text())
    info.write_text(json.dumps(said | {"num_segments": 1}))
    with pytest.raises(DataError, match="segments"):
        NumpyFolderSorting(folder).to_spike_vector()
    info.write_text(json.dumps(said | {"unit_ids": ["a"]}))
    (folder / "properties" / "quality.npy").unlink()
    (folder / "properties" / "location.npy").unlink()
    with pytest.raises(DataError, match="unit index"):
        NumpyFolderSorting(folder).to_spike_vector()
    info.write_text("{}")
    with pytest.raises(DataError, match="unit_ids"):
        NumpyFolderSorting(folder)
    info.write_text(json.dumps(said))
    spikes = folder / "spikes.npy"
    spikes.write_bytes(spikes.read_bytes()[:-8])
    with pytest.raises(ReadError):
        NumpyFolderSorting(folder)
    np.save(spikes, np.array([{}], object), allow_pickle=True)
    with pytest.raises(ReadError):
        NumpyFolderSorting(folder)
    np.save(spikes, np.zeros(3))
    with pytest.raises(DataError, match="fields"):
        NumpyFolderSorting(folder).to_spike_vector()
