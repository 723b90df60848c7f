import h5py
import numpy as np
import pytest

from making import rich_objects as making
from spikeloom.core.hdf5_writing import write_to_h5_dataset_format
from spikeloom.errors import ParameterError


def test_layouts_and_units(tmp_path):
    recording = making.rich_recording((400, 37), 3)
    path = tmp_path / "x.h5"
    write_to_h5_dataset_format(recording, "group/plain", 1, save_path=path, chunk_size=10)
    write_to_h5_dataset_format(recording, "turned", 0, path, time_axis=1, chunk_size=33)
    write_to_h5_dataset_format(recording, "uV", 0, path, return_in_uV=True)
    write_to_h5_dataset_format(recording, "older", 0, path, return_scaled=True, dtype="f8")
    one = recording.select_channels(recording.channel_ids[1:2])
    with h5py.File(path, "a") as file:
        found = write_to_h5_dataset_format(one, "flat", 1, file_handle=file, single_axis=True)
        assert found is file
        np.testing.assert_array_equal(file["flat"][:], one.get_traces(1)[:, 0])
        np.testing.assert_array_equal(file["group/plain"][:], recording.get_traces(1))
        assert file["group/plain"].dtype == np.int16
        np.testing.assert_array_equal(file["turned"][:], recording.get_traces(0).T)
        uV = recording.get_traces(0, return_in_uV=True)
        np.testing.assert_array_equal(file["uV"][:], uV)
        assert file["uV"].dtype == np.float32
        np.testing.assert_array_equal(file["older"][:], uV.astype("f8"))
    with pytest.raises(ParameterError, match="either"):
        write_to_h5_dataset_format(recording, "x", 0)
    with pytest.raises(ParameterError, match="this one has 3"):
        write_to_h5_dataset_format(recording, "x", 0, path, single_axis=True)
    with pytest.raises(ParameterError, match="time_axis"):
        write_to_h5_dataset_format(recording, "x", 0, path, time_axis=2)
