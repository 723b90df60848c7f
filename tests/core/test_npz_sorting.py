import json

import numpy as np
import pytest
from hypothesis import given

from making.sortings import check_same, dicts_of, example_sorting, segments_lists, sorting_of
from spikeloom.core.base import BaseExtractor
from spikeloom.core.npz_folder_sorting import NpzFolderSorting, read_npz_folder, write_npz_folder
from spikeloom.core.npz_sorting import NpzSortingExtractor, read_npz_sorting
from spikeloom.core.unit_aggregation import aggregate_units
from spikeloom.errors import DataError, MissingFileError, ReadError


@given(segments_lists)
def test_spikes_come_back(tmp_path_factory, dicts):
    path = tmp_path_factory.mktemp("npz") / "sorting.npz"
    sorting = sorting_of(dicts)
    NpzSortingExtractor.write_sorting(sorting, path)
    read = read_npz_sorting(path)
    check_same(read, sorting)
    check_same(BaseExtractor.from_dict(json.loads(json.dumps(read.to_dict(recursive=True)))), read)
    assert read.get_num_segments() == len(dicts)


def test_ids_of_numbers_and_none_at_all(tmp_path):
    for dicts in ([{7: [3], 2: [], 40: [1]}, {7: [], 2: [], 40: []}], [{}], [{"a": []}]):
        NpzSortingExtractor.write_sorting(sorting_of(dicts), tmp_path / "a.npz")
        check_same(NpzSortingExtractor(tmp_path / "a.npz"), sorting_of(dicts))


def test_start_times_come_back(tmp_path):
    NpzSortingExtractor.write_sorting(example_sorting(t_starts=[2.0, None]), tmp_path / "a")
    read = read_npz_sorting(tmp_path / "a.npz")
    assert read.get_segment_t_starts() == [2.0, None]
    assert read.npz_filename == str(tmp_path / "a.npz")


def test_two_files_make_one_sorting(tmp_path):
    first, second = sorting_of([{0: [1], 1: [2]}]), sorting_of([{0: [3], 1: [1]}])
    for name, sorting in (("sortingA", first), ("sortingB", second)):
        NpzSortingExtractor.write_sorting(sorting, tmp_path / f"{name}.npz")
    both = aggregate_units([
        read_npz_sorting(tmp_path / "sortingA.npz"),
        read_npz_sorting(tmp_path / "sortingB.npz"),
    ])
    assert dicts_of(both) == [{0: [1], 1: [2], 2: [3], 3: [1]}]


def test_damaged_files(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(MissingFileError):
        read_npz_sorting(path)
    arrays = {
        "unit_ids": np.array([1]),
        "num_segment": np.array([1]),
        "sampling_frequency": np.array([1000.0]),
        "spike_indexes_seg0": np.array([5, 4]),
        "spike_labels_seg0": np.array([1, 1]),
    }
    np.savez(path, **arrays)
    assert dicts_of(read_npz_sorting(path)) == [{1: [4, 5]}]
    np.savez(path, **arrays | {"spike_labels_seg0": np.array([1.0, 1.0])})
    assert dicts_of(read_npz_sorting(path)) == [{1: [4, 5]}]
    for key, value, error in (
        ("spike_labels_seg0", np.array([1, 2]), DataError),
        ("spike_labels_seg0", np.array([1.5, 1.0]), DataError),
        ("spike_labels_seg0", np.array([{}, 1], object), ReadError),
        ("spike_indexes_seg0", np.array([5]), DataError),
        ("num_segment", np.array([2]), ReadError),
        ("num_segment", np.array([1, 1]), DataError),
        ("unit_ids", np.array([{}], object), ReadError),
    ):
        np.savez(path, **arrays | {key: value})
        with pytest.raises(error):
            read_npz_sorting(path).to_spike_vector()
    path.write_bytes(b"no archive")
    with pytest.raises(ReadError):
        read_npz_sorting(path)


def test_a_folder(tmp_path):
    sorting = example_sorting(t_starts=[2.0, None])
    folder = tmp_path / "folder"
    folder.mkdir()
    write_npz_folder(sorting, folder)
    read = read_npz_folder(folder)
    check_same(read, sorting)
    check_same(read.clone(), sorting)
    assert read.to_dict()["kwargs"] == {"folder_path": str(folder)}
    moved = folder.rename(tmp_path / "moved")
    check_same(NpzFolderSorting(moved), sorting)
    said = json.loads((moved / "npz.json").read_text())
    assert said["kwargs"] == {"file_path": "sorting_cached.npz"}
    (moved / "npz.json").write_text(json.dumps(said | {"class": "a.b.Other"}))
    with pytest.raises(DataError, match="NpzSortingExtractor"):
        NpzFolderSorting(moved)
