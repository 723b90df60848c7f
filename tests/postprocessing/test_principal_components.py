import numpy as np
import pytest

from making import unit_analyzers as made
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.postprocessing import PCAModel
from spikeloom.postprocessing.pca_models import model_of_rows


@pytest.fixture(scope="module")
def data():
    trains = made.make_trains()
    return {"trains": trains, "traces": made.make_traces(trains)}


def plain_components(rows, n):
    """Return components, variances and projections by a singular value decomposition."""
    centered = rows - rows.mean(axis=0)
    _, s, v = np.linalg.svd(centered, full_matrices=False)
    v = v[:n] * np.sign(v[np.arange(n), np.abs(v[:n]).argmax(axis=1)])[:, np.newaxis]
    return v, s[:n] ** 2 / (len(rows) - 1), centered @ v.T


def snippets_on(analyzer, channel):
    """Return the waveforms on a channel of all units that have it, and their places."""
    units = analyzer.get_extension("random_spikes").unit_indices()
    waveforms = analyzer.get_extension("waveforms").get_data().astype(float)
    if analyzer.sparsity is None:
        return waveforms[:, :, channel], np.arange(len(units)), np.full(len(units), channel)
    mask = analyzer.sparsity.mask
    rows = np.flatnonzero(mask[units, channel])
    columns = (np.cumsum(mask, axis=1) - 1)[units[rows], channel]
    return waveforms[rows, :, columns], rows, columns


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("whiten", [False, True])
def test_components_by_channel_are_exact(data, sparse, whiten):
    analyzer = made.make_analyzer(sparse=sparse, **data)
    extension = analyzer.compute("principal_components", n_components=4, whiten=whiten)
    for channel in (0, 4, 9):
        rows, places, columns = snippets_on(analyzer, channel)
        components, variance, projections = plain_components(rows, 4)
        model = extension.get_pca_model()[channel]
        np.testing.assert_allclose(model.explained_variance_, variance, rtol=1e-4)
        np.testing.assert_allclose(model.components_[:2], components[:2], atol=2e-3)
        if whiten:
            projections = projections / np.sqrt(variance)
        found = extension.get_data()[places, :, columns]
        scale = np.abs(projections).max()
        np.testing.assert_allclose(found[:, :2], projections[:, :2], atol=2e-3 * scale)
        np.testing.assert_allclose(model.transform(rows), found, atol=1e-3 * scale)


def test_components_of_all_channels(data):
    analyzer = made.make_analyzer(sparse=True, **data)
    extension = analyzer.compute("principal_components", mode="by_channel_global", n_components=3)
    rows = np.concatenate([snippets_on(analyzer, channel)[0] for channel in range(12)])
    _, variance, _ = plain_components(rows, 3)
    model = extension.get_pca_model()
    assert isinstance(model, PCAModel)
    assert model.n_samples_seen_ == len(rows)
    np.testing.assert_allclose(model.explained_variance_, variance, rtol=1e-4)


def test_components_of_concatenated_channels(data):
    analyzer = made.make_analyzer(sparse=False, **data)
    extension = analyzer.compute("principal_components", mode="concatenated", n_components=3)
    rows = analyzer.get_extension("waveforms").get_data().reshape(196, -1).astype(float)
    _, variance, projections = plain_components(rows, 3)
    assert extension.get_data().shape == (196, 3)
    np.testing.assert_allclose(extension.get_pca_model().explained_variance_, variance, rtol=1e-4)
    whitened = projections / np.sqrt(variance)
    np.testing.assert_allclose(extension.get_data(), whitened, atol=1e-2)
    sparse = made.make_analyzer(sparse=True, **data)
    with pytest.raises(ParameterError, match="sparse=False"):
        sparse.compute("principal_components", mode="concatenated")


def test_components_of_many_features_need_no_covariance():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 2000)).astype(np.float32)
    rows += 20 * rng.normal(size=(60, 3)) @ rng.normal(size=(3, 2000)) + 5
    used = np.arange(0, 60, 2)
    model = model_of_rows(rows, used, 3, whiten=True)
    components, variance, _ = plain_components(rows[used].astype(float), 3)
    np.testing.assert_allclose(model.explained_variance_, variance, rtol=1e-4)
    np.testing.assert_allclose(model.components_, components, atol=1e-3)


def test_small_units_are_projected_but_not_fitted(data):
    trains = [{k: v.copy() for k, v in units.items()} for units in data["trains"]]
    trains[0]["d"], trains[1]["d"] = trains[0]["d"][:3], trains[1]["d"][:0]
    analyzer = made.make_analyzer(sparse=False, trains=trains, traces=data["traces"])
    extension = analyzer.compute("principal_components")
    assert {model.n_samples_seen_ for model in extension.get_pca_model()} == {160}
    assert np.abs(extension.get_projections_one_unit("d")).min() > 0


def test_channels_without_units_have_no_components(data):
    analyzer = made.make_analyzer(sparse=True, unit_ids=["a"], **data)
    unused = np.flatnonzero(~analyzer.sparsity.mask.any(axis=0))
    extension = analyzer.compute("principal_components")
    model = extension.get_pca_model()[unused[0]]
    assert model.n_samples_seen_ == 0
    with pytest.raises(ParameterError, match="not fitted"):
        model.transform(np.zeros((1, 40)))


@pytest.mark.parametrize("trains", [[{"a": []}, {"a": []}], [{"a": [500]}, {"a": []}]])
@pytest.mark.parametrize("mode", ["by_channel_local", "by_channel_global", "concatenated"])
def test_hardly_any_spikes(data, trains, mode):
    sorting = NumpySorting.from_unit_dict(trains, made.FS)
    recording = made.make_recording(data["traces"])
    analyzer = create_sorting_analyzer(
        sorting, recording, sparse=False, main_channel_indices=[0], progress_bar=False
    )
    made.give_waveforms(analyzer, data["traces"])
    extension = analyzer.compute("principal_components", mode=mode)
    n = sorting.count_total_num_spikes()
    shape = (n, 5) if mode == "concatenated" else (n, 5, 12)
    assert extension.get_data().shape == shape
    # One waveform is too little, but it has as many pieces as there are channels.
    assert extension.get_data().any() == (n == 1 and mode == "by_channel_global")
    assert extension.run_for_all_spikes(progress_bar=False).shape == shape
    similarity = analyzer.compute("template_similarity").get_data()
    assert similarity.shape == (1, 1)
    assert analyzer.compute("unit_locations").get_data().shape == (1, 3)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("mode", ["by_channel_local", "by_channel_global", "concatenated"])
def test_all_spikes_are_projected_as_the_chosen_ones(data, sparse, mode, tmp_path):
    if sparse and mode == "concatenated":
        pytest.skip("concatenated channels need a dense analyzer")
    analyzer = made.make_analyzer(sparse=sparse, **data)
    extension = analyzer.compute("principal_components", mode=mode)
    written = extension.run_for_all_spikes(tmp_path / "all.npy", progress_bar=False, n_jobs=2)
    assert [path.name for path in tmp_path.iterdir()] == ["all.npy"]
    assert written.shape[0] == analyzer.sorting.count_total_num_spikes()
    chosen = analyzer.get_extension("random_spikes").get_data()
    np.testing.assert_allclose(written[chosen], extension.get_data(), atol=2e-3)
    again = extension.run_for_all_spikes(chunk_size=1234, progress_bar=False)
    np.testing.assert_allclose(again, written, atol=1e-4)


def test_some_projections(data):
    analyzer = made.make_analyzer(sparse=True, **data)
    extension = analyzer.compute("principal_components")
    some, units = extension.get_some_projections(["c7", "c3", "c4"], ["e", "b"])
    assert set(units.tolist()) == {1, 4}
    assert some.shape == (80, 5, 3)
    for unit in (1, 4):
        dense = extension.get_projections_one_unit(made.UNIT_IDS[unit])
        np.testing.assert_array_equal(some[units == unit], dense[:, :, [7, 3, 4]])
    everything, units = extension.get_some_projections()
    assert everything.shape == (196, 5, 12)
    assert len(units) == 196
    sparse, channels = extension.get_projections_one_unit("b", sparse=True)
    assert channels.tolist() == np.flatnonzero(analyzer.sparsity.mask[1]).tolist()
    np.testing.assert_array_equal(sparse, extension.get_projections_one_unit("b")[:, :, channels])


@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
def test_models_are_saved_as_arrays(data, tmp_path, format):
    analyzer = made.make_analyzer(sparse=True, **data)
    extension = analyzer.compute("principal_components")
    with pytest.warns(UserWarning, match="in memory"):
        saved = analyzer.save_as(format, tmp_path / f"analyzer.{format}")
    assert not [path for path in tmp_path.rglob("*") if "pickle" in path.name]
    loaded = load_sorting_analyzer(saved.folder)
    other = loaded.get_extension("principal_components")
    np.testing.assert_array_equal(other.get_data(), extension.get_data())
    spikes = analyzer.get_extension("random_spikes").get_random_spikes()
    waveforms = analyzer.get_extension("waveforms").get_data()
    np.testing.assert_allclose(
        other.project_new(spikes, waveforms), extension.get_data(), atol=1e-6
    )


def test_models_that_are_not_read(data):
    analyzer = made.make_analyzer(sparse=True, **data)
    extension = analyzer.compute("principal_components")
    extension.data = {"pca_projection": extension.get_data()}  # as SpikeInterface's are loaded
    with pytest.raises(MissingExtensionError, match="anew"):
        extension.get_pca_model()


@pytest.mark.parametrize(
    "params", [{"mode": "by_shank"}, {"n_components": 0}, {"n_components": 41}]
)
def test_what_makes_no_sense_is_refused(data, params):
    analyzer = made.make_analyzer(sparse=False, **data)
    with pytest.raises(ParameterError):
        analyzer.compute("principal_components", **params)
