import json

import h5py
import numpy as np
import pytest

import spikeloom as si
from making.sorter_folders import (
    RATE,
    TRAINS,
    write_combinato,
    write_herdingspikes,
    write_tridesclous,
    write_yass,
)
from spikeloom.errors import DataError, MissingFileError, ParameterError, SpikeloomError


def trains_of(sorting, segment=0):
    return {
        unit: sorting.get_unit_spike_train(unit, segment).tolist()
        for unit in sorting.unit_ids.tolist()
    }


def saved_and_loaded(sorting, folder):
    sorting.dump(folder / "sorting.json")
    return si.load(folder / "sorting.json")


def test_a_folder_of_tridesclous(tmp_path):
    write_tridesclous(tmp_path / "tdc")
    sorting = si.read_tridesclous(tmp_path / "tdc")
    assert sorting.sampling_frequency == RATE
    assert (trains_of(sorting), trains_of(sorting, 1)) == TRAINS
    assert sorting.get_property("tag").tolist() == ["good", "good"]
    assert sorting.get_property("extremum_channel").tolist() == [0, 1]
    again = saved_and_loaded(si.read(tmp_path / "tdc"), tmp_path)
    assert (trains_of(again), trains_of(again, 1)) == TRAINS


def test_groups_of_tridesclous(tmp_path):
    write_tridesclous(tmp_path / "tdc", groups=(0, 2))
    with pytest.raises(ParameterError, match=r"channel groups \[0, 2\]"):
        si.read_tridesclous(tmp_path / "tdc")
    assert trains_of(si.read_tridesclous(tmp_path / "tdc", chan_grp=2)) == TRAINS[0]


@pytest.mark.parametrize(
    "told",
    [
        {"dtype": "<i8", "shape": [3]},
        {"dtype": [["index", "<i8"], ["cluster_label", "|O"]], "shape": [3]},
        {"dtype": [["index", "<i8"], ["cluster_label", "<i8"]], "shape": [10**12]},
        {"dtype": [["index", "<i8"], ["cluster_label", "<i8"]], "shape": [-3]},
        {"dtype": [["index", "<f8"], ["cluster_label", "<i8"]], "shape": [1]},
        {"dtype": [["index", "<i8"], ["cluster_label", "<i8"]], "shape": [float("inf")]},
        {"dtype": [["index", "(9)<i8("], ["cluster_label", "(,)<i8"]], "shape": [1]},
        {"shape": [3]},
        [],
    ],
)
def test_tables_of_tridesclous_that_make_no_sense(told, tmp_path):
    write_tridesclous(tmp_path / "tdc")
    path = tmp_path / "tdc/channel_group_0/segment_1/arrays.json"
    path.write_text(json.dumps({"spikes": told}))
    with pytest.raises(DataError, match="segment_1"):
        si.read_tridesclous(tmp_path / "tdc")


def test_what_of_tridesclous_is_missing(tmp_path):
    write_tridesclous(tmp_path / "tdc")
    (tmp_path / "tdc/channel_group_0/segment_0/spikes.raw").unlink()
    with pytest.raises(MissingFileError, match=r"spikes\.raw"):
        si.read_tridesclous(tmp_path / "tdc")
    (tmp_path / "tdc/info.json").write_text("{}")
    with pytest.raises(DataError, match="datasource_info"):
        si.read_tridesclous(tmp_path / "tdc")


def test_a_file_of_herdingspikes(tmp_path):
    path = tmp_path / "x.hdf5"
    write_herdingspikes(path)
    sorting = si.read_herdingspikes(path)
    assert (sorting.sampling_frequency, trains_of(sorting)) == (RATE, TRAINS[0])
    np.testing.assert_array_equal(sorting.get_property("hs_location"), [[0, 1], [2, 3]])
    assert trains_of(saved_and_loaded(si.read(path), tmp_path)) == TRAINS[0]
    write_herdingspikes(path, rate=0)
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.read_herdingspikes(path)
    assert si.read_herdingspikes(path, 25_000).sampling_frequency == 25_000
    with h5py.File(path, "r+") as file:
        del file["times"]
        file["times"] = [1, 2]
    with pytest.raises(DataError, match="2 times and 4 cluster_id"):
        si.read_herdingspikes(path, RATE)


def test_a_folder_of_combinato(tmp_path):
    folder = tmp_path / "CSC1"
    write_combinato(folder)
    sorting = si.read_combinato(folder)
    assert sorting.sampling_frequency == RATE
    assert trains_of(sorting) == {0: [10, 40, 200], 1: [100]}
    whole = si.read_combinato(folder, keep_good_only=False)
    assert trains_of(whole) == {0: [300], 1: [10, 40, 200], 2: [100], 3: [900]}
    assert whole.get_property("artifact").tolist() == [True, False, False, False]
    assert whole.get_property("unsorted").tolist() == [False, False, False, True]
    assert trains_of(saved_and_loaded(si.read(folder), tmp_path)) == trains_of(sorting)
    folder.with_name("CSC1.h5").unlink()
    with pytest.raises(ParameterError, match="sampling_frequency"):
        si.read_combinato(folder)
    for given, error in (({"user": "me"}, MissingFileError), ({"det_sign": "up"}, ParameterError)):
        with pytest.raises(error, match=r"me|det_sign"):
            si.read_combinato(folder, RATE, **given)


def test_combinato_files_that_do_not_fit(tmp_path):
    write_combinato(tmp_path / "CSC1")
    for name, values in (("types", [[1, 2]]), ("index", [0, 1, 2, 3, 4, 60]), ("groups", [1, 2])):
        path = tmp_path / "CSC1/sort_neg_simple/sort_cat.h5"
        whole = path.read_bytes()
        with h5py.File(path, "r+") as file:
            del file[name]
            file[name] = values
        with pytest.raises(DataError, match=name):
            si.read_combinato(tmp_path / "CSC1")
        path.write_bytes(whole)


def test_a_folder_of_yass(tmp_path):
    write_yass(tmp_path / "yass")
    sorting = si.read_yass(tmp_path / "yass")
    assert (sorting.sampling_frequency, trains_of(sorting)) == (RATE, TRAINS[0])
    assert trains_of(saved_and_loaded(si.read(tmp_path / "yass"), tmp_path)) == TRAINS[0]
    np.save(tmp_path / "yass/tmp/output/spike_train.npy", np.arange(5))
    with pytest.raises(DataError, match="two columns"):
        si.read_yass(tmp_path / "yass")
    (tmp_path / "yass/config.yaml").write_text("recordings: []")
    with pytest.raises(DataError, match="sampling_rate"):
        si.read_yass(tmp_path / "yass")


@pytest.mark.parametrize("read", ["tridesclous", "herdingspikes", "combinato", "yass"])
def test_folders_of_something_else(read, tmp_path):
    with pytest.raises(SpikeloomError):
        getattr(si, f"read_{read}")(tmp_path)
    with pytest.raises(SpikeloomError):
        getattr(si, f"read_{read}")(tmp_path / "absent")
