"""Sortings of MClust, SpyKING CIRCUS, the IBL and NWB."""

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.sorting_files import (
    RATE,
    TRAINS,
    write_alf,
    write_mclust,
    write_nwb_units,
    write_spykingcircus,
)
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError


def _trains(sorting):
    return {unit: sorting.get_unit_spike_train(unit).tolist() for unit in sorting.unit_ids.tolist()}


# -- MClust ----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".t", ".t32", ".t64", ".raw32", ".raw64"])
def test_mclust(tmp_path, suffix):
    folder = write_mclust(tmp_path / "mclust", suffix)
    raw = RATE if suffix.startswith(".raw") else None
    sorting = si.read_mclust(folder, RATE, raw)
    found = _trains(sorting)
    assert sorted(found) == [1, 3, 12]
    tolerance = 0 if raw else 1  # the file has tenths of milliseconds
    for unit, train in TRAINS.items():
        np.testing.assert_allclose(found[unit], train, rtol=0, atol=tolerance)
    assert si.read(folder, sampling_frequency=RATE, sampling_frequency_raw=raw).get_num_units() == 3


def test_times_of_64_bits_in_files_of_mclust_3(tmp_path):
    wide = si.read_mclust(write_mclust(tmp_path / "wide", is_wide=True), RATE)
    narrow = si.read_mclust(write_mclust(tmp_path / "narrow"), RATE)
    assert _trains(wide) == _trains(narrow)


def test_faults_of_mclust(tmp_path):
    folder = write_mclust(tmp_path / "mclust", ".raw32")
    with pytest.raises(ParameterError, match="sampling_frequency_raw"):
        si.read_mclust(folder, RATE)
    path = folder / "TT1_01.raw32"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match="byte"):
        si.read_mclust(folder, RATE, RATE)
    path.write_bytes(b"%%BEGINHEADER\nno end")
    with pytest.raises(DataError, match="ENDHEADER"):
        si.read_mclust(folder, RATE, RATE)
    path.rename(folder / "unnamed.raw32")
    with pytest.raises(DataError, match="number"):
        si.read_mclust(folder, RATE, RATE)
    with pytest.raises(MissingFileError):
        si.read_mclust(tmp_path, RATE)


# -- SpyKING CIRCUS --------------------------------------------------------------------------


def test_spykingcircus(tmp_path):
    folder = write_spykingcircus(tmp_path / "sc")
    for path in (folder, folder / "rec", folder / "rec" / "rec.result.hdf5"):
        sorting = si.read_spykingcircus(path)
        assert sorting.unit_ids.tolist() == [1, 3, 12]
        assert sorting.sampling_frequency == RATE
        assert _trains(sorting) == TRAINS
        assert isinstance(si.read(path), si.SpykingCircusSortingExtractor)


def test_merged_results_come_first(tmp_path):
    folder = write_spykingcircus(tmp_path / "sc")
    with h5py.File(folder / "rec" / "rec.result-merged.hdf5", "w") as file:
        file["spiketimes/temp_0"] = np.arange(5)
    assert si.read_spykingcircus(folder).unit_ids.tolist() == [0]
    (folder / "rec.params").unlink()
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.read_spykingcircus(folder)
    with pytest.raises(MissingFileError, match="result"):
        si.read_spykingcircus(tmp_path)


# -- ALF -------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["", ".0a1b2c3d"])
@pytest.mark.parametrize("has_samples", [True, False])
def test_alf(tmp_path, part, has_samples):
    folder = write_alf(tmp_path / "alf", part=part, has_samples=has_samples)
    sorting = si.read_alf_sorting(folder)
    assert sorting.sampling_frequency == 30_000
    assert sorting.unit_ids.tolist() == list(range(13))
    for unit, train in TRAINS.items():
        assert sorting.get_unit_spike_train(unit).tolist() == train
    assert sorting.get_property("channels").tolist() == list(range(13))
    assert sorting.get_property("firing_rate")[12] == 1.2
    assert np.isnan(sorting.get_property("label")[4])
    assert isinstance(si.read(folder), si.ALFSortingExtractor)


def test_faults_of_alf(tmp_path):
    folder = write_alf(tmp_path / "alf")
    np.save(folder / "spikes.samples.npy", np.arange(3))
    with pytest.raises(DataError, match="3 times"):
        si.read_alf_sorting(folder)
    np.save(folder / "spikes.samples.npy", np.full(9, np.nan))
    with pytest.raises(DataError, match="no time"):
        si.read_alf_sorting(folder)
    (folder / "spikes.clusters.npy").unlink()
    with pytest.raises(MissingFileError, match=r"spikes\.clusters"):
        si.read_alf_sorting(folder)


def test_alf_files_that_we_wrote_keep_ids_and_rate(tmp_path):
    sorting = si.NumpySorting.from_unit_dict({"b": [3, 9], "a": [4], "none": []}, 12_345.5)
    sorting.set_property("quality", ["good", "mua", "noise"])
    si.write_alf_sorting(sorting, tmp_path / "alf")
    again = si.read_alf_sorting(tmp_path / "alf")
    assert again.sampling_frequency == 12_345.5
    assert _trains(again) == {"b": [3, 9], "a": [4], "none": []}
    assert again.get_property("quality").tolist() == ["good", "mua", "noise"]
    with pytest.raises(FileExistsError):
        si.write_alf_sorting(sorting, tmp_path / "alf")
    si.write_alf_sorting(sorting, tmp_path / "alf", overwrite=True)


# -- NWB -------------------------------------------------------------------------------------


def test_units_of_nwb(tmp_path):
    path = write_nwb_units(tmp_path / "a.nwb", resolution=1 / RATE)
    sorting = si.read_nwb_sorting(path)
    assert sorting.sampling_frequency == RATE
    assert sorting.unit_ids.tolist() == list(TRAINS)
    assert _trains(sorting) == TRAINS
    assert sorting.get_property("quality").tolist() == ["good", "mua", "noise"]
    named = write_nwb_units(tmp_path / "b.nwb", resolution=1 / RATE, names=["x", "y", "z"])
    assert si.read_nwb_sorting(named).unit_ids.tolist() == ["x", "y", "z"]
    same = write_nwb_units(tmp_path / "c.nwb", resolution=1 / RATE, names=[str(k) for k in TRAINS])
    assert si.read(same).unit_ids.tolist() == list(TRAINS)


def test_the_time_base_of_nwb(tmp_path):
    bare = write_nwb_units(tmp_path / "bare.nwb")
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.read_nwb_sorting(bare)
    assert _trains(si.read_nwb_sorting(bare, sampling_frequency=RATE)) == TRAINS
    one = write_nwb_units(tmp_path / "one.nwb", series_rate=RATE)
    for kwargs in ({}, {"electrical_series_path": "acquisition/traces"}):
        sorting = si.read_nwb_sorting(one, **kwargs)
        moved = {unit: [sample - 10 for sample in train] for unit, train in TRAINS.items()}
        assert _trains(sorting) == moved  # sample 0 is that of the traces
        seconds = sorting.get_unit_spike_train_in_seconds(3)
        np.testing.assert_array_equal(seconds, np.array(TRAINS[3]) / RATE)
    with pytest.raises(ParameterError, match="not both"):
        si.read_nwb_sorting(one, "acquisition/traces", sampling_frequency=RATE)
    lfp = write_nwb_units(tmp_path / "lfp.nwb", series_rate=1000.0, resolution=1 / RATE)
    assert _trains(si.read_nwb_sorting(lfp)) == TRAINS


def test_read_nwb_gives_what_is_asked_for(tmp_path):
    path = write_nwb_units(tmp_path / "one.nwb", series_rate=RATE)
    recording, sorting = si.read_nwb(path, load_recording=True, load_sorting=True)
    assert recording.get_num_channels() == 2
    assert sorting.get_num_units() == 3
    assert isinstance(si.read_nwb(path), si.NwbRecordingExtractor)
    with pytest.raises(ParameterError):
        si.read_nwb(path, load_recording=False)


def test_damaged_units(tmp_path):
    path = write_nwb_units(tmp_path / "a.nwb", resolution=1 / RATE)
    with h5py.File(path, "r+") as file:
        del file["units/spike_times_index"]
        file["units/spike_times_index"] = np.array([3, 2, 9])
    with pytest.raises(DataError, match="spike_times_index"):
        si.read_nwb_sorting(path)
    with h5py.File(path, "r+") as file:
        del file["units"]
    with pytest.raises(DataError, match="no table"):
        si.read_nwb_sorting(path)
    with pytest.raises((MissingFileError, ReadError)):
        si.read_nwb_sorting(tmp_path / "nowhere.nwb")


def test_real_units_of_nwb(data_folder):
    path = next((data_folder / "nwb_hdmfzarr").glob("*.nwb"))
    sorting = si.read_nwb_sorting(path)
    assert (sorting.get_num_units(), sorting.count_total_num_spikes()) == (4, 34_057)
    assert sorting.get_property("cell_type").shape == (4,)
    assert sorting.get_property("waveform_mean").shape == (4, 29)
    repackaged = si.read_nwb_sorting(data_folder / "locust1_si_tdc2" / "locust_trial1.nwb")
    truth = si.load(data_folder / "locust1_si_tdc2" / "sorting_numpy_folder")
    assert repackaged.to_spike_vector()["sample_index"].tolist() == (
        truth.to_spike_vector()["sample_index"].tolist()
    )
