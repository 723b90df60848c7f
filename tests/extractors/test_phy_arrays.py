import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.extractors.phy_arrays import ALF_NAMES, PhyFolder, as_indices, as_labels, squeeze


@pytest.fixture
def files(tmp_path):
    return PhyFolder(tmp_path, [])


def save(folder, name, array):
    np.save(folder / f"{name}.npy", array)


def test_an_array_is_found_under_its_own_name_first(files, tmp_path):
    save(tmp_path, "spikes.clusters", np.array([1]))
    assert files.find("spike_clusters").name == "spikes.clusters.npy"
    save(tmp_path, "spike_clusters", np.array([2]))
    assert files.find("spike_clusters").name == "spike_clusters.npy"


@pytest.mark.parametrize(
    ("name", "alf"),
    [
        ("spike_templates", "spikes.templates"),
        ("channel_map", "channels.rawInd"),
        ("channel_positions", "channels.localCoordinates"),
        ("channel_shanks", "channels.shanks.probe00"),
        ("amplitudes", "spikes.amps.abc-def"),
        ("templates", "templates.waveforms"),
        ("template_ind", "templates.waveformsChannels"),
    ],
)
def test_alf_names_are_known(files, tmp_path, name, alf):
    assert name in ALF_NAMES
    save(tmp_path, alf, np.arange(4))
    assert files.find(name).name == f"{alf}.npy"


def test_the_channels_of_sparse_alf_templates_are_not_taken_for_the_templates(files, tmp_path):
    save(tmp_path, "templates.waveformsChannels", np.zeros((2, 3)))
    assert files.find("templates") is None


def test_a_missing_required_array_is_an_error_that_names_all_that_was_looked_for(files):
    with pytest.raises(MissingFileError, match=r"no spike_templates\.npy or spikes\.templates"):
        files.required("spike_templates")


def test_a_damaged_required_array_is_an_error_that_names_it(files, tmp_path):
    (tmp_path / "spike_times.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(ReadError, match=r"spike_times\.npy"):
        files.required("spike_times")


def test_a_damaged_optional_array_is_absent_with_a_warning(files, tmp_path):
    (tmp_path / "amplitudes.npy").write_bytes(b"")
    assert files.optional("amplitudes") is None
    assert files.optional_unsqueezed("amplitudes", 1) is None
    assert len(files.warnings) == 2
    assert all("amplitudes.npy" in text and "ignored" in text for text in files.warnings)
    assert files.optional("channel_shanks") is None
    assert len(files.warnings) == 2


def test_an_array_of_wrong_dimensions_is_absent_with_a_warning(files, tmp_path):
    save(tmp_path, "templates", np.zeros((3, 4)))
    assert files.optional_unsqueezed("templates", 3) is None
    assert "(3, 4)" in files.warnings[0]


@pytest.mark.parametrize("shape", [(5,), (5, 1), (1, 5), (1, 5, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_columns_and_rows_become_vectors(files, tmp_path, shape, order):
    save(tmp_path, "amplitudes", np.arange(5.0).reshape(shape, order=order))
    assert files.required("amplitudes").tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_a_single_value_stays_a_vector(shape):
    assert squeeze(np.zeros(shape)).shape == (1,)


def test_vectors_stay_memory_maps(files, tmp_path):
    save(tmp_path, "amplitudes", np.zeros((5, 1)))
    assert isinstance(files.required("amplitudes").base.base, np.memmap)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([0, 3], np.uint16), [0, 3]),
        (np.array([2, -1], np.int32), [2, -1]),
        (np.array([2, 2**32 - 1], np.uint32), [2, -1]),
        (np.array([2, 2**64 - 1], np.uint64), [2, -1]),
        (np.array([2.0, -1.0, np.nan, np.inf]), [2, -1, -1, -1]),
        (np.array([2.0, 4294967295.0, 1e300]), [2, -1, -1]),
        (np.array([[0.0, 1.0]], np.float32), [[0, 1]]),
    ],
)
def test_indices_are_whole_and_paddings_are_minus_one(array, expected):
    indices = as_indices(array, "template_ind")
    assert indices.tolist() == expected
    assert indices.dtype == np.int64


def test_fractions_are_no_indices():
    with pytest.raises(DataError, match=r"channel_map\.npy"):
        as_indices(np.array([1.5]), "channel_map")


@given(
    st.lists(st.integers(0, 2**31 - 1), max_size=5),
    st.sampled_from(["u4", "i8", "u8", "f8", ">i4"]),
)
def test_labels_of_any_number_type_become_int32(values, dtype):
    labels = as_labels(np.array(values, dtype), "spike_clusters")
    assert labels.dtype == np.int32
    assert labels.dtype.isnative
    assert labels.tolist() == values


def test_labels_that_are_int32_already_are_not_copied():
    array = np.arange(5, dtype=np.int32)
    assert as_labels(array, "spike_clusters") is array


@pytest.mark.parametrize("bad", [1.5, np.nan, np.inf, 2.0**31, 2.0**40, -1.0])
def test_what_is_no_label_is_an_error_that_names_the_file(bad):
    with pytest.raises(DataError, match=r"spike_clusters\.npy"):
        as_labels(np.array([1.0, bad]), "spike_clusters")


def test_a_negative_label_is_an_error():
    with pytest.raises(DataError, match="-5"):
        as_labels(np.array([1, -5], np.int32), "spike_clusters")
