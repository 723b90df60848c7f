"""Template libraries of MEArec, real and damaged."""

import shutil

import h5py
import numpy as np
import pytest

import spikeloom as si
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors import MEArecTemplates, read_mearec_templates


@pytest.fixture
def real(data_folder):
    (path,) = (data_folder / "mearec_templates").glob("*.h5")
    return path


@pytest.fixture
def copied(real, tmp_path):
    path = tmp_path / "templates.h5"
    shutil.copy(real, path)
    path.chmod(0o600)
    return path


def test_a_real_library(real):
    opened = si.read(real)
    assert isinstance(opened, MEArecTemplates)
    templates = opened.templates
    with h5py.File(real) as file:
        np.testing.assert_array_equal(
            templates.templates_array, file["templates"][:].transpose(0, 2, 1)
        )
        np.testing.assert_array_equal(opened.locations_um, file["locations"][:])
        np.testing.assert_array_equal(opened.rotations, file["rotations"][:])
    assert templates.templates_array.shape == (330, 224, 4)
    assert (templates.sampling_frequency, templates.nbefore) == (32_000.0, 64)
    # The spike is where MEArec put it: most templates have their peak at that sample.
    largest = np.abs(templates.templates_array).max(axis=2).argmax(axis=1)
    assert np.median(largest) == 64
    assert templates.unit_ids[[0, -1]].tolist() == ["#0", "#329"]
    assert opened.cell_types.shape == (330,)
    assert set(opened.cell_types.tolist()) >= {"L5_TTPC1_cADpyr232_1", "L5_MC_bAC217_1"}
    assert opened.parameters["probe"] == "tetrode"


def test_libraries_of_drifting_neurons(copied):
    with h5py.File(copied, "a") as file:
        values = file["templates"][:]
        places = file["locations"][:]
        del file["templates"], file["locations"]
        file["templates"] = np.stack([values, 2 * values], axis=1)
        file["locations"] = np.stack([places, places], axis=1)
    for step in (None, 2, -1):
        with pytest.raises(ParameterError, match="one of their 2 positions, from 0; got"):
            read_mearec_templates(copied, drift_step=step)
    opened = read_mearec_templates(copied, drift_step=1)
    np.testing.assert_array_equal(opened.templates.templates_array, 2 * values.transpose(0, 2, 1))
    assert opened.locations_um.shape == (330, 2, 3)


def test_other_and_damaged_files(real, copied, data_folder, tmp_path):
    with pytest.raises(MissingFileError):
        read_mearec_templates(tmp_path / "absent.h5")
    (tmp_path / "no.h5").write_bytes(b"no")
    with pytest.raises(ReadError):
        read_mearec_templates(tmp_path / "no.h5")
    with pytest.raises(DataError, match="it has no locations and no rotations and no celltypes"):
        read_mearec_templates(data_folder / "mearec/tetrode_8u_20s.h5")
    with pytest.raises(ParameterError, match="has no drift steps"):
        read_mearec_templates(real, drift_step=0)
    with h5py.File(copied, "a") as file:
        file["info/params/cut_out"][:] = [9, 9]
    with pytest.raises(DataError, match=r"288.0 samples of 224 are before spikes"):
        read_mearec_templates(copied)
    with h5py.File(copied, "a") as file:
        file["info/params/dt"][()] = 0.0
    with pytest.raises(DataError, match="does not say dt and cut_out"):
        read_mearec_templates(copied)
    with h5py.File(copied, "a") as file:
        del file["celltypes"]
        file["celltypes"] = np.array([b"x"] * 3)
    with pytest.raises(DataError, match=r"of the shapes \(330, 4, 224\), .* Expected are"):
        read_mearec_templates(copied)
