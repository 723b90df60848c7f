"""Sortings in MATLAB's files, of version 5 and of 7.3."""

import numpy as np
import pytest
from scipy.io import savemat

import spikeloom as si
from making.sorting_files import RATE, TRAINS, write_cellexplorer, write_hdsort, write_waveclus
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.matlab_structs import read_matlab_cells, read_matlab_structs


def _trains(sorting):
    return {
        int(unit): sorting.get_unit_spike_train(unit).tolist() for unit in sorting.unit_ids.tolist()
    }


def test_waveclus(tmp_path):
    path = write_waveclus(tmp_path / "times_tetrode.mat")
    sorting = si.read_waveclus(path)
    assert sorting.sampling_frequency == RATE
    assert _trains(sorting) == {1: TRAINS[1], 3: TRAINS[3]}
    every = si.read_waveclus(path, keep_good_only=False)
    assert _trains(every)[0] == TRAINS[12]
    assert every.get_property("unsorted").tolist() == [True, False, False]
    assert isinstance(si.read(path), si.WaveClusSortingExtractor)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_hdsort(tmp_path, version):
    path = write_hdsort(tmp_path / "results.mat", version=version)
    sorting = si.read_hdsort(path)
    assert sorting.sampling_frequency == RATE
    assert _trains(sorting) == TRAINS
    assert sorting.get_property("template_frames_cut_before").tolist() == [[1.0]] * 3
    every = si.read_hdsort(path, keep_good_only=False)
    assert every.get_property("quality").tolist() == ["good", "good", "good", "noise"]
    assert _trains(every)[2000] == [7, 8]
    assert isinstance(si.read(path), si.HDSortSortingExtractor)
    if version == "5":
        assert sorting.get_property("template").shape == (3, 3, 2)


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("has_rate", [True, False])
def test_cellexplorer(tmp_path, version, has_rate):
    path = write_cellexplorer(tmp_path, version=version, has_rate=has_rate)
    sorting = si.read_cellexplorer(path)
    assert sorting.unit_ids.tolist() == ["3", "1", "12"]
    assert sorting.sampling_frequency == RATE
    assert _trains(sorting) == TRAINS
    assert isinstance(si.read(path), si.CellExplorerSortingExtractor)


def test_cellexplorer_without_a_rate(tmp_path):
    path = write_cellexplorer(tmp_path, version="5", has_rate=False)
    (tmp_path / "rat.session.mat").unlink()
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.read_cellexplorer(path)
    assert si.read_cellexplorer(path, sampling_frequency=1e4).sampling_frequency == 1e4
    savemat(tmp_path / "other.mat", {"sessionInfo": {"rates": {"wideband": RATE}}})
    sorting = si.read_cellexplorer(path, session_info_file_path=tmp_path / "other.mat")
    assert _trains(sorting) == TRAINS
    with pytest.raises(MissingFileError):
        si.read_cellexplorer(path, session_info_file_path=tmp_path / "nowhere.mat")


@pytest.mark.parametrize("read", [si.read_waveclus, si.read_hdsort, si.read_cellexplorer])
def test_other_files_are_refused(tmp_path, read):
    with pytest.raises(MissingFileError):
        read(tmp_path / "nowhere.mat")
    savemat(tmp_path / "other.mat", {"a": np.arange(3)})
    with pytest.raises(DataError, match="has no"):
        read(tmp_path / "other.mat")
    (tmp_path / "text.mat").write_text("MATLAB 5.0 MAT-file, not really" * 20)
    with pytest.raises(ReadError, match=r"text\.mat"):
        read(tmp_path / "text.mat")


def test_cells_and_structures_that_are_not_there(tmp_path):
    five = write_cellexplorer(tmp_path / "5", version="5")
    seven = write_cellexplorer(tmp_path / "7", version="7.3")
    for path in (five, seven):
        assert read_matlab_cells(path, "spikes/nothing") is None
        assert read_matlab_structs(path, "nothing", ["ID"]) is None
        assert [cell.size for cell in read_matlab_cells(path, "spikes/times")] == [3, 2, 4]
