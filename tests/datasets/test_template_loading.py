"""Variants of a phy folder, each made by hand: what opens, what is told, what is refused."""

import os

import numpy as np
import pytest

from making.hashes import folder_state
from making.phy_folders import (
    CHANNEL_MAP,
    N_CHANNELS,
    N_RAW_CHANNELS,
    N_SAMPLES,
    N_SPIKES,
    N_TEMPLATES,
    RATE,
    make_arrays,
    make_raw,
    params_text,
    write_phy_folder,
)
from reference.mtscomp import write_cbin
from spikeloom.core.high_pass import HighPass
from spikeloom.datasets.template_loading import load_template_model
from spikeloom.errors import DataError, MissingFileError, ReadError, SpikeloomError

OPTIONAL = [
    *("amplitudes", "channel_shanks", "templates", "similar_templates", "whitening_mat"),
    *("whitening_mat_inv", "pc_features", "pc_feature_ind", "template_features"),
    "template_feature_ind",
]


@pytest.fixture
def open_folder(tmp_path):
    """Write a dataset of arrays and open it."""

    def open_it(arrays=None, **options):
        return load_template_model(write_phy_folder(tmp_path / "phy", arrays=arrays, **options))

    return open_it


def test_everything_is_there_after_opening(open_folder, tmp_path):
    model = open_folder()
    arrays = make_arrays()
    assert model.warnings == ()
    assert model.notes == {}
    assert model.n_spikes == N_SPIKES
    assert model.n_channels == N_CHANNELS
    assert model.n_templates == N_TEMPLATES
    assert model.sampling_frequency == RATE
    assert model.duration_s == N_SAMPLES / RATE
    np.testing.assert_array_equal(model.spike_samples, arrays["spike_times"])
    np.testing.assert_array_equal(model.spike_clusters, arrays["spike_clusters"])
    np.testing.assert_array_equal(model.spike_templates, arrays["spike_templates"])
    np.testing.assert_array_equal(model.amplitudes, arrays["amplitudes"])
    np.testing.assert_array_equal(model.channel_positions, arrays["channel_positions"])
    np.testing.assert_array_equal(model.template_similarity, arrays["similar_templates"])
    np.testing.assert_array_equal(model.traces.read(0, N_SAMPLES), make_raw()[:, CHANNEL_MAP])
    assert model.labels["group"] == {0: "good", 1: "mua", 2: "noise"}
    assert model.channel_labels == tuple(str(channel) for channel in CHANNEL_MAP)
    assert model.name == f"{tmp_path.name}/phy"
    assert model.folder == tmp_path / "phy"
    assert model.features.n_components == 3
    assert model.n_samples_waveforms == arrays["templates"].shape[1]


def test_the_folder_or_its_params_file_can_be_named(tmp_path):
    folder = write_phy_folder(tmp_path / "phy")
    assert (
        load_template_model(folder).n_spikes == load_template_model(folder / "params.py").n_spikes
    )
    assert load_template_model(str(folder)).n_spikes == N_SPIKES


def test_matlab_columns_in_fortran_order_and_float_indices_are_the_same_dataset(open_folder):
    arrays = make_arrays()
    columns = {
        name: np.asfortranarray(arrays[name].reshape(-1, 1))
        for name in (
            "spike_times",
            "spike_templates",
            "spike_clusters",
            "amplitudes",
            "channel_map",
        )
    }
    floats = {name: arrays[name].astype(np.float64) for name in arrays if name.endswith("_ind")}
    model = open_folder(arrays | columns | floats)
    assert model.warnings == ()
    np.testing.assert_array_equal(model.spike_samples, arrays["spike_times"])
    np.testing.assert_array_equal(model.spike_clusters, arrays["spike_clusters"])
    np.testing.assert_array_equal(model.amplitudes, arrays["amplitudes"])
    np.testing.assert_array_equal(model.channel_map, CHANNEL_MAP)
    np.testing.assert_array_equal(model.features.channel_ids, arrays["pc_feature_ind"])


@pytest.mark.parametrize("dtype", ["<u8", "<i8", "<i4", "<u4", "<f8", ">i8", ">u8"])
def test_spike_times_of_any_number_type_are_samples(open_folder, dtype):
    arrays = make_arrays()
    model = open_folder(arrays | {"spike_times": arrays["spike_times"].astype(dtype)})
    np.testing.assert_array_equal(model.spike_samples, arrays["spike_times"])
    assert model.spike_samples.dtype == np.int64
    assert model.spike_samples.dtype.isnative


@pytest.mark.parametrize("dtype", [">f4", "<f8", "<f2", "<i2"])
def test_features_and_templates_of_any_number_type_are_read(open_folder, dtype):
    arrays = make_arrays()
    changed = {
        name: (10 * arrays[name]).astype(dtype)
        for name in ("pc_features", "template_features", "templates", "similar_templates")
    }
    model = open_folder(arrays | changed | {"amplitudes": arrays["amplitudes"].astype(">f8")})
    assert model.warnings == ()
    spikes = np.array([0, 5, 6])
    columns = arrays["pc_feature_ind"][arrays["spike_templates"][spikes]]
    found = model.features.get(spikes, range(N_CHANNELS))
    for row, listed in enumerate(columns):
        expected = changed["pc_features"][spikes[row]].astype(np.float32)
        np.testing.assert_array_equal(found[row][:, listed.astype(int)], expected)
    assert model.templates.get(0) is not None


def test_an_unsigned_minus_one_is_no_channel(open_folder):
    arrays = make_arrays(is_sparse=True)
    for name, padding in (("pc_feature_ind", 2**32 - 1), ("template_ind", 2**32 - 1)):
        arrays[name] = arrays[name].astype(np.uint32)
        arrays[name][:, -1] = padding
    model = open_folder(arrays)
    assert model.warnings == ()
    assert np.all(model.features.channel_ids[:, -1] == -1)
    assert np.all(model.listed_channels[:, -1] == -1)
    assert np.all(model.templates.stored_channels[:, -1] == -1)
    assert -1 not in model.templates.get(0).channel_ids


def test_dense_and_sparse_templates_are_the_same_on_the_channels_that_are_kept(tmp_path):
    plain = dict.fromkeys(["whitening_mat", "whitening_mat_inv"], np.eye(N_CHANNELS))
    dense = load_template_model(write_phy_folder(tmp_path / "a", arrays=make_arrays() | plain))
    arrays = make_arrays(is_sparse=True) | plain
    sparse = load_template_model(write_phy_folder(tmp_path / "b", arrays=arrays))
    for template_id in range(N_TEMPLATES):
        kept = arrays["template_ind"][template_id]
        np.testing.assert_array_equal(
            dense.templates.dense(template_id, kept), sparse.templates.dense(template_id, kept)
        )
        assert (
            dense.templates.main_channels[template_id]
            == sparse.templates.main_channels[template_id]
        )
        assert set(sparse.templates.get(template_id).channel_ids.tolist()) == set(kept.tolist())


@pytest.mark.parametrize("name", OPTIONAL)
def test_each_optional_file_may_be_missing(open_folder, name):
    arrays = make_arrays()
    del arrays[name]
    model = open_folder(arrays)
    assert model.warnings == () or name.endswith("_ind")
    assert model.n_spikes == N_SPIKES
    assert model.spike_groups.labels.size == N_TEMPLATES


def test_no_optional_file_at_all_is_needed(open_folder):
    arrays = make_arrays()
    bare = {name: arrays[name] for name in ("spike_times", "spike_templates", "channel_map")}
    model = open_folder(bare, has_raw=False, tables={})
    assert model.traces is model.templates is model.features is model.amplitudes is None
    assert model.template_similarity is None
    assert model.listed_channels is None
    np.testing.assert_array_equal(model.spike_clusters, arrays["spike_templates"])
    assert set(model.notes) == {"traces", "templates", "features", "template_features"}
    assert "pc_features.npy" in model.notes["features"]
    assert "recording.dat" in model.notes["traces"]
    assert model.duration_s == arrays["spike_times"][-1] / RATE
    assert not model.spike_clusters_path.exists()


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "header only": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "text": lambda path: path.write_bytes(b"not an array"),
    "objects": lambda path: np.save(path, np.array([{"a": 1}] * 3, object), allow_pickle=True),
    "strings": lambda path: np.save(path, np.array(["a", "b"])),
    "no element": lambda path: np.save(path, np.zeros(0)),
    "scalar": lambda path: np.save(path, np.array(5.0)),
    "one row": lambda path: np.save(path, np.load(path)[:1]),
    "one axis": lambda path: np.save(path, np.load(path).reshape(-1)),
    "two columns": lambda path: np.save(path, np.stack([np.load(path)] * 2, axis=-1)),
    "one axis more": lambda path: np.save(path, np.stack([np.load(path)] * 2)),
    "fractions": lambda path: np.save(path, np.load(path) + 0.5),
    "nan": lambda path: np.save(path, np.full_like(np.load(path), np.nan, dtype=float)),
    "minus one": lambda path: np.save(path, np.full_like(np.load(path), -1, dtype=float)),
    "huge": lambda path: np.save(path, np.full_like(np.load(path), 2**31 - 1, dtype=float)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name",
    [
        *OPTIONAL,
        *("template_ind", "channel_positions", "channel_probe"),
        *("pc_feature_spike_ids", "template_feature_spike_ids", "spike_times_reordered"),
        "spike_velocity",
    ],
)
def test_an_optional_file_that_is_damaged_is_told_and_never_keeps_a_dataset_shut(
    tmp_path, name, damage
):
    folder = write_phy_folder(tmp_path, arrays=make_arrays(is_sparse=name == "template_ind"))
    path = folder / f"{name}.npy"
    if not path.exists():
        values = np.arange(N_SPIKES) if name.startswith(("spike", "pc", "temp")) else np.arange(8)
        np.save(path, values)
    sound = load_template_model(folder)
    assert sound.warnings == ()
    if name == "whitening_mat":
        (folder / "whitening_mat_inv.npy").unlink()  # which is read instead
    DAMAGES[damage](path)
    model = load_template_model(folder)
    assert all("Errno" not in text for text in model.warnings)
    use_everything(model)
    is_unfit = damage in {"empty", "cut short", "header only", "text", "objects", "strings"}
    assert not is_unfit or any(name in text for text in model.warnings), model.warnings


def use_everything(model):
    """Touch whatever views read of a dataset."""
    spikes = np.arange(0, model.n_spikes, 7)
    assert model.spike_groups.order.size == model.n_spikes
    assert model.channel_positions.shape == (model.n_channels, 2)
    assert np.isfinite(model.channel_positions).all()
    assert model.channel_shanks.shape == (model.n_channels,)
    assert model.describe()
    if model.amplitudes is not None:
        assert model.amplitudes[spikes].shape == spikes.shape
    if model.templates is not None:
        for template_id in range(-1, model.n_templates + 1):
            model.templates.get(template_id)
        assert model.templates.main_channels.shape == (model.n_templates,)
    similarity = model.template_similarity
    assert similarity is None or similarity.shape[0] >= model.n_templates
    for features in (model.features, model.template_features):
        if features is not None:
            features.get(spikes, range(min(2, features.n_channels)))
    if model.traces is not None:
        model.traces.cut_windows(model.spike_samples[spikes], 20)
    if model.waveform_pool is not None:
        chosen = model.waveform_pool.select(spikes)
        model.waveform_pool.get(chosen, range(model.n_channels))


@pytest.mark.parametrize("name", ["whitening_mat", "whitening_mat_inv"])
def test_a_whitening_matrix_that_is_of_no_use_leaves_the_templates_as_stored(open_folder, name):
    arrays = make_arrays()
    del arrays["whitening_mat_inv"]
    matrix = np.eye(N_CHANNELS)
    matrix[2, 3] = np.nan
    model = open_folder(arrays | {name: matrix})
    assert any("whitening matrix" in text for text in model.warnings)
    expected = arrays["templates"][1]
    np.testing.assert_array_equal(model.templates.dense(1, range(N_CHANNELS)), expected)


def test_a_similarity_of_nothing_to_nothing_is_computed_from_the_templates(open_folder):
    arrays = make_arrays()
    model = open_folder(arrays | {"similar_templates": np.eye(N_TEMPLATES)})
    assert any("similar_templates.npy" in text for text in model.warnings)
    similarity = model.template_similarity
    np.testing.assert_allclose(np.diag(similarity), 1, rtol=1e-5)
    assert np.any(similarity[0, 1:] > 0)


def test_channels_at_one_place_are_laid_out_in_a_column(open_folder):
    arrays = make_arrays()
    model = open_folder(arrays | {"channel_positions": np.zeros((N_CHANNELS, 2))})
    assert "same position" in model.warnings[0]
    assert len(np.unique(model.channel_positions, axis=0)) == N_CHANNELS


@pytest.mark.parametrize("name", ["spike_times", "spike_templates"])
def test_a_required_file_that_is_missing_is_an_error_that_names_it(open_folder, name):
    arrays = make_arrays()
    del arrays[name]
    del arrays["spike_clusters"]
    with pytest.raises(MissingFileError, match=rf"{name}\.npy"):
        open_folder(arrays)


def test_a_folder_without_params_is_an_error_that_names_it(tmp_path):
    with pytest.raises(MissingFileError, match=r"params\.py"):
        load_template_model(tmp_path)


@pytest.mark.parametrize("name", ["spike_times", "spike_templates", "spike_clusters"])
@pytest.mark.parametrize("damage", sorted(set(DAMAGES) - {"one axis", "minus one", "huge"}))
def test_a_required_file_that_is_damaged_is_an_error_that_names_it(tmp_path, name, damage):
    folder = write_phy_folder(tmp_path)
    DAMAGES[damage](folder / f"{name}.npy")
    with pytest.raises((DataError, ReadError), match=rf"{name}\.npy|spike_times\.npy"):
        load_template_model(folder)


def test_clusters_stand_in_for_templates_that_are_missing(open_folder):
    arrays = make_arrays()
    del arrays["spike_templates"]
    model = open_folder(arrays)
    np.testing.assert_array_equal(model.spike_templates, arrays["spike_clusters"])
    assert any("spike_templates.npy" in text for text in model.warnings)


def test_spike_times_that_decrease_are_an_error_that_says_where(open_folder):
    arrays = make_arrays()
    times = arrays["spike_times"].astype(np.int64)
    times[11:] += 10_000
    times[11] = times[10] - 1
    with pytest.raises(DataError, match=f"spike 11 at sample {times[11]} comes after spike 10"):
        open_folder(arrays | {"spike_times": times})


def test_spike_times_in_seconds_are_an_error_that_asks(open_folder):
    arrays = make_arrays()
    with pytest.raises(DataError, match="seconds"):
        open_folder(arrays | {"spike_times": arrays["spike_times"] / RATE})


def test_files_of_different_datasets_are_an_error(open_folder):
    arrays = make_arrays()
    with pytest.raises(DataError, match="do not belong together"):
        open_folder(arrays | {"spike_clusters": arrays["spike_clusters"][:-1]})


def test_spikes_after_the_end_of_the_raw_data_are_told(open_folder):
    model = open_folder(raw=make_raw()[: N_SAMPLES // 2])
    n_late = int((make_arrays()["spike_times"] >= N_SAMPLES // 2).sum())
    assert f"{n_late} of {N_SPIKES} spikes" in model.warnings[0]


def test_templates_that_no_file_holds_are_told(open_folder):
    arrays = make_arrays()
    arrays["spike_templates"][3] = 99
    model = open_folder(arrays)
    assert any("template 99" in text for text in model.warnings)
    use_everything(model)


def test_without_a_channel_map_channels_are_taken_as_they_come(open_folder):
    arrays = make_arrays()
    del arrays["channel_map"]
    model = open_folder(arrays, n_channels_dat=N_CHANNELS)
    assert model.channel_map.tolist() == list(range(N_CHANNELS))
    assert any("channel_map.npy" in text for text in model.warnings)


def test_channels_may_be_called_by_their_position(open_folder):
    model = open_folder(show_mapped_channels=False)
    assert model.channel_labels == tuple("01234567")


def test_a_channel_map_that_leads_out_of_the_raw_file_costs_the_traces_only(open_folder):
    arrays = make_arrays()
    model = open_folder(arrays | {"channel_map": np.append(CHANNEL_MAP[1:], N_RAW_CHANNELS)})
    assert model.traces is None
    assert "n_channels_dat" in model.notes["traces"]
    assert any("n_channels_dat" in text for text in model.warnings)


def test_several_raw_files_are_one_recording(tmp_path):
    raw = make_raw()
    folder = write_phy_folder(tmp_path, has_raw=False, dat_path=["a.dat", "b.dat", "sub/c.dat"])
    (folder / "sub").mkdir()
    for name, part in zip(
        ["a.dat", "b.dat", "sub/c.dat"], np.split(raw, [1000, 1001]), strict=True
    ):
        part.tofile(folder / name)
    model = load_template_model(folder)
    assert model.warnings == ()
    assert model.traces.n_samples == N_SAMPLES
    np.testing.assert_array_equal(model.traces.read(990, 1010), raw[990:1010][:, CHANNEL_MAP])


def test_the_head_of_a_raw_file_is_skipped(tmp_path):
    folder = write_phy_folder(tmp_path, offset=100)
    (folder / "recording.dat").write_bytes(bytes(range(100)) + make_raw().tobytes())
    model = load_template_model(folder)
    np.testing.assert_array_equal(model.traces.read(0, 50), make_raw()[:50][:, CHANNEL_MAP])


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", ">i2", "float16", "int8"])
def test_raw_data_of_any_number_type_are_read(tmp_path, dtype):
    raw = (make_raw() / 10).astype(dtype)
    model = load_template_model(write_phy_folder(tmp_path, raw=raw, dtype=dtype))
    assert model.warnings == ()
    np.testing.assert_array_equal(model.traces.read(7, 20), raw[7:20][:, CHANNEL_MAP])
    use_everything(model)


def test_raw_data_may_be_an_array_file(tmp_path):
    folder = write_phy_folder(tmp_path, has_raw=False, dat_path="raw.npy")
    np.save(folder / "raw.npy", make_raw())
    model = load_template_model(folder)
    assert model.traces.n_samples == N_SAMPLES


def test_raw_data_may_be_compressed(tmp_path):
    plain = load_template_model(write_phy_folder(tmp_path / "plain"))
    folder = write_phy_folder(tmp_path / "packed", dat_path="recording.cbin", has_raw=False)
    write_cbin(folder / "recording.cbin", make_raw(), RATE, chunk_samples=700)
    model = load_template_model(folder)
    np.testing.assert_array_equal(model.traces.read(650, 2900), plain.traces.read(650, 2900))
    starts = np.array([-5, 690, 695, 3000, 10, N_SAMPLES - 8])
    for high_pass in (None, HighPass(RATE)):
        np.testing.assert_array_equal(
            model.traces.cut_windows(starts, 20, high_pass=high_pass),
            plain.traces.cut_windows(starts, 20, high_pass=high_pass),
        )
    use_everything(model)


RAW_FAULTS = {
    "absent": ({"dat_path": "absent.dat"}, "absent.dat"),
    "one of two absent": ({"dat_path": ["recording.dat", "absent.dat"]}, "absent.dat"),
    "none named": ({"dat_path": []}, "dat_path is empty"),
    "no number of channels": ({"n_channels_dat": None}, "n_channels_dat"),
    "no channels": ({"n_channels_dat": 0}, "n_channels_dat"),
    "more channels than bytes": ({"n_channels_dat": 10**9}, "n_channels_dat"),
    "negative offset": ({"offset": -4}, "offset"),
    "offset behind the end": ({"offset": 10**9}, "offset"),
    "compressed": ({"dat_path": "raw.cbin"}, "raw.ch"),
    "array that is none": ({"dat_path": "bad.npy"}, "bad.npy"),
    "array of one axis": ({"dat_path": "vector.npy"}, "n_channels"),
}


@pytest.mark.parametrize("fault", RAW_FAULTS)
def test_raw_data_that_cannot_be_shown_leave_a_note_and_the_rest_of_the_dataset(tmp_path, fault):
    params, word = RAW_FAULTS[fault]
    folder = write_phy_folder(tmp_path, **params)
    (folder / "raw.cbin").write_bytes(b"x")
    (folder / "bad.npy").write_bytes(b"x")
    np.save(folder / "vector.npy", np.arange(5))
    model = load_template_model(folder)
    assert model.traces is None
    assert word in model.notes["traces"]
    assert "Errno" not in model.notes["traces"]
    use_everything(model)


def write_alf(folder, *, has_samples):
    arrays = make_arrays()
    names = {
        "spikes.templates": arrays["spike_templates"],
        "spikes.clusters": arrays["spike_clusters"],
        "spikes.amps": arrays["amplitudes"],
        "channels.rawInd": arrays["channel_map"],
        "channels.localCoordinates": arrays["channel_positions"],
        "templates.waveforms": make_arrays(is_sparse=True)["templates"],
        "templates.waveformsChannels": make_arrays(is_sparse=True)["template_ind"],
    }
    names["spikes.times"] = arrays["spike_times"] / RATE
    if has_samples:
        names["spikes.samples"] = arrays["spike_times"]
    return write_phy_folder(folder, arrays=names)


@pytest.mark.parametrize("has_samples", [True, False])
def test_a_folder_with_alf_names_is_the_same_dataset(tmp_path, has_samples):
    folder = write_alf(tmp_path / "alf", has_samples=has_samples)
    model = load_template_model(folder)
    arrays = make_arrays()
    assert model.warnings == ()
    np.testing.assert_array_equal(model.spike_samples, arrays["spike_times"])
    np.testing.assert_array_equal(model.spike_clusters, arrays["spike_clusters"])
    np.testing.assert_array_equal(model.channel_map, CHANNEL_MAP)
    assert model.templates.stored_channels is not None
    assert model.spike_clusters_path == folder / "spikes.clusters.npy"


def test_a_single_spike_is_a_dataset(tmp_path):
    arrays = {
        name: array[:1] if len(array) == N_SPIKES else array
        for name, array in make_arrays().items()
    }
    model = load_template_model(write_phy_folder(tmp_path / "phy", arrays=arrays))
    assert model.n_spikes == 1
    use_everything(model)
    alf = {"spikes.times": np.array([[0.5]]), "spikes.templates": np.array([[3]])}
    model = load_template_model(write_phy_folder(tmp_path / "alf", arrays=alf))
    assert model.spike_samples.tolist() == [RATE / 2]


def test_no_spike_at_all_is_a_dataset(tmp_path):
    arrays = {
        name: array[:0] if len(array) == N_SPIKES else array
        for name, array in make_arrays().items()
    }
    model = load_template_model(write_phy_folder(tmp_path / "phy", arrays=arrays))
    assert model.n_spikes == 0
    assert model.spike_groups.labels.size == 0
    use_everything(model)


def test_waveforms_saved_beside_the_dataset_are_a_pool(tmp_path):
    folder = write_phy_folder(tmp_path, has_raw=False)
    rng = np.random.default_rng(0)
    stored = rng.normal(size=(5, 20, 3))
    np.save(folder / "_phy_spikes_subset.waveforms.npy", stored)
    np.save(folder / "_phy_spikes_subset.channels.npy", np.array([[0, 1, -1]] * 5, np.int32))
    np.save(folder / "_phy_spikes_subset.spikes.npy", np.array([30, 10, 20, 50, 40]))
    pool = load_template_model(folder).waveform_pool
    assert pool.select(np.array([9, 10, 30, 31])).tolist() == [10, 30]
    found = pool.get(np.array([10, 30]), [1, 0, 7])
    np.testing.assert_array_equal(found[0, :, 0], stored[1, :, 1].astype(np.float32))
    np.testing.assert_array_equal(found[1, :, 1], stored[0, :, 0].astype(np.float32))
    assert np.all(found[:, :, 2] == 0)


@pytest.mark.parametrize("part", ["waveforms", "channels", "spikes"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_pool_never_keeps_a_dataset_shut(tmp_path, part, damage):
    folder = write_phy_folder(tmp_path, has_raw=False)
    np.save(folder / "_phy_spikes_subset.waveforms.npy", np.ones((5, 20, 3)))
    np.save(folder / "_phy_spikes_subset.channels.npy", np.array([[0, 1, 2]] * 5, np.int32))
    np.save(folder / "_phy_spikes_subset.spikes.npy", np.arange(5))
    DAMAGES[damage](folder / f"_phy_spikes_subset.{part}.npy")
    model = load_template_model(folder)
    use_everything(model)


def test_a_second_time_axis_and_values_of_spikes_are_read(tmp_path):
    folder = write_phy_folder(tmp_path)
    np.save(folder / "spike_times_reordered.npy", np.arange(N_SPIKES)[::-1])
    np.save(folder / "spike_depths.npy", np.zeros((N_SPIKES, 2)))
    np.save(folder / "spike_short.npy", np.zeros(3))
    model = load_template_model(folder)
    assert model.spike_samples_reordered.tolist() == list(range(N_SPIKES))[::-1]
    assert list(model.spike_attributes) == ["depths"]
    assert any("spike_short.npy" in text for text in model.warnings)


def test_the_gain_is_what_params_say(open_folder):
    assert open_folder(uV_per_bit=2.34).gain_uV == 2.34
    assert open_folder(uV_per_bit="x").gain_uV is None
    assert open_folder().gain_uV is None


@pytest.mark.parametrize("line", ["n_closest_channels = 'x'", "amplitude_threshold = [1]"])
def test_other_values_of_params_that_make_no_sense_are_clear_errors_or_ignored(tmp_path, line):
    folder = write_phy_folder(tmp_path)
    (folder / "params.py").write_text(params_text() + line + "\n")
    with pytest.raises(DataError, match=r"params\.py"):
        load_template_model(folder)


def test_n_closest_channels_and_the_amplitude_threshold_choose_the_best_channels(tmp_path):
    folder = write_phy_folder(tmp_path, n_closest_channels=3, amplitude_threshold=0.3)
    templates = load_template_model(folder).templates
    for template_id in range(N_TEMPLATES):
        template = templates.get(template_id)
        assert len(template.channel_ids) <= 3
        assert np.all(template.amplitudes >= 0.3 * template.amplitudes[0])


def test_opening_and_reading_changes_no_byte_and_no_time_stamp(tmp_path):
    arrays = make_arrays()
    del arrays["spike_clusters"], arrays["whitening_mat_inv"]
    arrays["templates"][0] = np.nan
    folder = write_phy_folder(tmp_path / "phy", arrays=arrays)
    before = folder_state(tmp_path)
    use_everything(load_template_model(folder))
    assert folder_state(tmp_path) == before


def test_the_open_dataset_does_not_change_with_the_file_of_clusters(tmp_path):
    folder = write_phy_folder(tmp_path)
    model = load_template_model(folder)
    before = np.array(model.spike_clusters)
    # As phy 2 saves: in place.
    np.save(folder / "spike_clusters.npy", np.zeros(N_SPIKES, np.int32))
    np.testing.assert_array_equal(model.spike_clusters, before)


def test_the_order_of_spikes_is_cached_by_content(tmp_path, own_folders):
    folder = write_phy_folder(tmp_path)
    first = load_template_model(folder).spike_groups
    assert list((own_folders / "cache").glob("spike-groups-*.npy"))
    second = load_template_model(folder).spike_groups
    np.testing.assert_array_equal(first.order, second.order)
    np.testing.assert_array_equal(first.offsets, second.offsets)
    np.save(folder / "spike_clusters.npy", np.zeros(N_SPIKES, np.int32))
    assert load_template_model(folder).spike_groups.labels.tolist() == [0]


def test_every_error_is_one_made_for_people(tmp_path):
    for name, damage in (("spike_times", "text"), ("spike_templates", "objects")):
        folder = write_phy_folder(tmp_path / name)
        DAMAGES[damage](folder / f"{name}.npy")
        with pytest.raises(SpikeloomError) as caught:
            load_template_model(folder)
        assert str(folder) in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX systems")
def test_a_read_only_folder_opens(tmp_path):
    folder = write_phy_folder(tmp_path / "phy")
    for path in folder.iterdir():
        path.chmod(0o400)
    folder.chmod(0o500)
    try:
        before = folder_state(folder)
        use_everything(load_template_model(folder))
        assert folder_state(folder) == before
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("told", "gain"),
    [(2.34, 2.34), (2, 2.0), (0, None), (-1.0, None), ("2", None)],
)
def test_microvolts_of_a_step_are_a_number_or_nothing(open_folder, told, gain):
    assert open_folder(uv_per_bit=told).gain_uV == gain


def test_microvolts_beyond_all_numbers_are_not_known(tmp_path):
    folder = write_phy_folder(tmp_path / "phy")
    with (folder / "params.py").open("a") as file:
        file.write("uv_per_bit = 1e999\n")
    assert load_template_model(folder).gain_uV is None
