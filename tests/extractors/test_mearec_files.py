import shutil

import h5py
import numpy as np
import pytest

from spikeloom.core.loading import load
from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.extractors.mearec_files import (
    read_mearec,
    read_mearec_recording,
    read_mearec_sorting,
)

FILES = {"tetrode_8u_20s.h5": (8, 20, 4, 32_000), "nn32_12u_6s.h5": (12, 6, 32, 32_000)}


@pytest.mark.parametrize("name", FILES)
def test_simulated_files(data_folder, tmp_path, name):
    n_units, duration_s, n_channels, rate = FILES[name]
    path = data_folder / "mearec" / name
    recording, sorting = read_mearec(path)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(recording.get_traces(), file["recordings"][:])
        times_s = file["spiketrains/3/times"][:]
        gain = file["recordings"].attrs["gain_to_uV"]
    assert recording.sampling_frequency == sorting.sampling_frequency == rate
    assert recording.get_num_channels() == n_channels
    assert recording.get_total_duration() == duration_s
    assert recording.get_annotation("is_filtered")
    assert recording.get_channel_locations().shape == (n_channels, 2)
    np.testing.assert_allclose(recording.get_channel_gains(), gain)
    assert sorting.unit_ids.tolist() == [f"#{k}" for k in range(n_units)]
    expected = np.sort(np.round(times_s * rate).astype(int))
    np.testing.assert_array_equal(sorting.get_unit_spike_train("#3"), expected)
    assert sorting.get_property("snr").shape == (n_units,)
    for one in (recording, sorting):
        one.dump(tmp_path / "one.json")
        assert type(load(tmp_path / "one.json")) is type(one)


def test_how_it_was_made(data_folder):
    recording = read_mearec_recording(
        data_folder / "mearec/tetrode_8u_20s.h5", all_annotations=True, use_names_as_ids=True
    )
    assert recording.get_annotation("noise_level") > 0
    assert recording.channel_ids.tolist() == ["ch0", "ch1", "ch2", "ch3"]


def test_templates_are_no_recording(data_folder):
    (path,) = (data_folder / "mearec_templates").glob("*.h5")
    with pytest.raises(DataError, match="no recordings"):
        read_mearec_recording(path)


def test_damaged_files(data_folder, tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(MissingFileError):
        read_mearec_sorting(path)
    path.write_bytes(b"no")
    with pytest.raises(ReadError):
        read_mearec_sorting(path)
    shutil.copy(data_folder / "mearec/tetrode_8u_20s.h5", path)
    path.chmod(0o600)
    with h5py.File(path, "a") as file:
        file["info/recordings/fs"][()] = -1.0
    with pytest.raises(DataError, match="fs must be above 0"):
        read_mearec_recording(path)
    with h5py.File(path, "a") as file:
        file["info/recordings/fs"][()] = 32_000.0
        file["spiketrains/0/times"][3] = np.nan
    with pytest.raises(DataError, match="no times"):
        read_mearec_sorting(path)
    with h5py.File(path, "a") as file:
        del file["spiketrains/0/times"]
    with pytest.raises(DataError, match="no times of the unit 0"):
        read_mearec_sorting(path)
