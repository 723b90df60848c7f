from dataclasses import replace

import numpy as np
import pytest

from spikeloom.datasets.template_loading import load_template_model
from spikeloom.errors import ParameterError, WriteError
from spikeloom.exporters.phy_dataset import PhyContent, export_phy_dataset
from spikeloom.extractors.phy_params import read_phy_params

N_CHANNELS, N_SAMPLES = 6, 9000


def make_content(**changes):
    content = PhyContent(
        spike_samples=np.array([0, 700, 700, 4000, 8999]),
        spike_clusters=np.array([0, 2, 0, 2, 4], np.int32),
        channel_positions=np.column_stack([np.zeros(6), 25.0 * np.arange(6)]),
        sampling_frequency=25_000.0,
        gain_uV=0.195,
        labels={"group": {2: "good"}, "KSLabel": {4: "mua", 0: "good", 2: "good"}},
        n_window_samples=40,
    )
    return replace(content, **changes)


def make_raw():
    raw = np.random.default_rng(5).normal(0, 40, (N_SAMPLES, N_CHANNELS))
    return raw.astype(np.int16)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "sorted"
    params_path = export_phy_dataset(folder, make_content(), np.array_split(make_raw(), 4))
    assert params_path == folder / "params.py"
    return folder


def test_all_files_of_a_phy_dataset_are_there_and_nothing_else(exported):
    assert {path.name for path in exported.iterdir()} == {
        *("recording.dat", "params.py", "cluster_group.tsv", "cluster_KSLabel.tsv"),
        *("spike_times.npy", "spike_templates.npy", "spike_clusters.npy", "amplitudes.npy"),
        *("templates.npy", "similar_templates.npy", "whitening_mat.npy", "whitening_mat_inv.npy"),
        *("channel_map.npy", "channel_positions.npy", "channel_shanks.npy"),
        *("pc_features.npy", "pc_feature_ind.npy"),
        *("template_features.npy", "template_feature_ind.npy"),
    }
    assert [path.name for path in exported.parent.iterdir()] == ["sorted"]


@pytest.mark.parametrize(
    ("name", "dtype", "shape"),
    [
        ("spike_times", "int64", (5,)),
        ("spike_templates", "int32", (5,)),
        ("spike_clusters", "int32", (5,)),
        ("amplitudes", "float64", (5,)),
        ("templates", "float32", (5, 40, 6)),
        ("similar_templates", "float32", (5, 5)),
        ("channel_map", "int32", (6,)),
        ("channel_positions", "float64", (6, 2)),
        ("channel_shanks", "int32", (6,)),
        ("whitening_mat", "float64", (6, 6)),
        ("whitening_mat_inv", "float64", (6, 6)),
        ("pc_features", "float32", (5, 3, 6)),
        ("pc_feature_ind", "int32", (5, 6)),
        ("template_features", "float32", (5, 5)),
        ("template_feature_ind", "int32", (5, 5)),
    ],
)
def test_arrays_have_the_types_and_shapes_of_the_format(exported, name, dtype, shape):
    array = np.load(exported / f"{name}.npy")
    assert array.dtype == dtype
    assert array.shape == shape
    assert np.isfinite(array).all()


def test_what_was_given_is_read_back(exported):
    content = make_content()
    model = load_template_model(exported)
    assert model.warnings == ()
    np.testing.assert_array_equal(model.spike_samples, content.spike_samples)
    np.testing.assert_array_equal(model.spike_clusters, content.spike_clusters)
    np.testing.assert_array_equal(model.spike_templates, content.spike_clusters)
    np.testing.assert_array_equal(model.channel_positions, content.channel_positions)
    np.testing.assert_array_equal(model.channel_shanks, np.zeros(6))
    np.testing.assert_array_equal(model.traces.read(0, N_SAMPLES), make_raw())
    assert model.labels == content.labels
    assert model.sampling_frequency == 25_000.0
    assert model.gain_uV == 0.195
    assert model.n_samples_waveforms == 40
    assert model.features.n_components == 3
    assert model.template_similarity.shape == (5, 5)


def test_params_hold_plain_values(exported):
    params = read_phy_params(exported / "params.py")
    assert params.dtype == np.int16
    assert params.n_channels_dat == N_CHANNELS
    assert params.offset_bytes == 0
    assert params.dat_paths == (exported / "recording.dat",)
    assert dict(params.extra) == {"hp_filtered": False, "uv_per_bit": 0.195}
    assert params.warnings == ()


def test_without_a_gain_none_is_written(tmp_path):
    content = make_content(
        gain_uV=None, labels={}, channel_shanks=np.array([0, 0, 0, 1, 1, 1], "i4")
    )
    export_phy_dataset(tmp_path / "sorted", content, [make_raw()])
    model = load_template_model(tmp_path / "sorted")
    assert model.gain_uV is None
    assert model.labels == {}
    assert model.channel_shanks.tolist() == [0, 0, 0, 1, 1, 1]


def test_chunks_are_asked_for_one_at_a_time_and_features_are_reported_after_them(tmp_path):
    order = []

    def chunks():
        for part in np.array_split(make_raw(), 3):
            order.append("chunk")
            yield part

    export_phy_dataset(tmp_path / "sorted", make_content(), chunks(), on_progress=order.append)
    assert order == ["chunk"] * 3 + [2 / 5, 4 / 5, 1.0]


def test_chunks_need_not_be_contiguous(tmp_path):
    raw = np.asfortranarray(make_raw())
    export_phy_dataset(tmp_path / "sorted", make_content(), [raw[:4000], raw[4000:]])
    stored = np.fromfile(tmp_path / "sorted" / "recording.dat", np.int16)
    np.testing.assert_array_equal(stored.reshape(-1, N_CHANNELS), raw)


def test_a_folder_with_something_in_it_is_refused_before_anything_is_made(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    def chunks():
        pytest.fail("chunks were asked for")
        yield

    with pytest.raises(ParameterError, match="is not empty"):
        export_phy_dataset(tmp_path, make_content(), chunks())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("n_good", [0, 1, 3])
def test_an_interrupted_export_leaves_nothing(tmp_path, n_good):
    def chunks():
        yield from np.array_split(make_raw(), 4)[:n_good]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_phy_dataset(tmp_path / "sorted", make_content(), chunks())
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_while_features_are_computed_leaves_nothing(tmp_path):
    def refuse(_share):
        raise OSError(28, "No space left on device")

    with pytest.raises(WriteError, match="No space left on device"):
        export_phy_dataset(tmp_path / "sorted", make_content(), [make_raw()], on_progress=refuse)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([make_raw().astype(np.float32)], "A chunk of raw data is float32"),
        ([make_raw()[:, :4]], r"shape \(9000, 4\); int16 of shape \(n_samples, 6\)"),
        ([make_raw()[:, 0]], r"shape \(9000,\)"),
        ([], "no raw data"),
        ([make_raw()[:8000]], "last spike is at sample 8999, but the raw data have 8000 samples"),
    ],
)
def test_raw_data_that_do_not_go_with_the_spikes_are_refused(tmp_path, chunks, message):
    with pytest.raises(ParameterError, match=message):
        export_phy_dataset(tmp_path / "sorted", make_content(), chunks)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spike_samples": np.array([0, 5])}, "differ in shape"),
        ({"spike_samples": np.array([0, 5, 4, 8, 9])}, "must not decrease"),
        ({"spike_samples": np.array([-1, 5, 6, 8, 9])}, "must not be negative"),
        ({"spike_clusters": np.array([0, -2, 0, 2, 4], np.int32)}, "holds -2"),
        ({"channel_positions": np.zeros(6)}, "is not .n_channels, 2."),
        ({"channel_shanks": np.zeros(5, np.int32)}, "channel_shanks"),
        ({"n_window_samples": 1}, "n_window_samples=1 is too short"),
        (
            {"spike_samples": np.zeros(0, np.int64), "spike_clusters": np.zeros(0, np.int32)},
            "no spike",
        ),
    ],
)
def test_contents_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        make_content(**changes)
