"""To compute and then merge, split or select is to merge, split or select and then compute."""

import numpy as np
import pytest

from making import unit_analyzers as made

OF_TRAINS = [
    ("correlograms", {}),
    ("correlograms", {"window_ms": 21.0, "bin_ms": 0.3}),
    ("auto_correlograms", {}),
    ("isi_histograms", {}),
    ("acgs_3d", {"num_firing_rate_quantiles": 3}),
]
OF_TEMPLATES = [
    ("template_similarity", {}),
    ("template_similarity", {"method": "l2", "support": "intersection"}),
    ("template_similarity", {"method": "l1", "max_lag_ms": 0.2, "support": "dense"}),
    ("unit_locations", {}),
    ("unit_locations", {"method": "grid_convolution"}),
    ("unit_locations", {"method": "center_of_mass"}),
]
every = pytest.mark.parametrize(("name", "params"), OF_TRAINS + OF_TEMPLATES)


@pytest.fixture(scope="module")
def data():
    trains = made.make_trains()
    return {"trains": trains, "traces": made.make_traces(trains)}


@pytest.fixture(params=[False, True], ids=["dense", "sparse"])
def analyzer(request, data):
    return made.make_analyzer(sparse=request.param, **data)


MERGES = [
    {"merge_unit_groups": [["b", "c"]], "sparsity_overlap": 0.1},
    {"merge_unit_groups": [["d", "a"], ["c", "b"]], "merging_mode": "hard"},
    {
        "merge_unit_groups": [["a", "b"]],
        "censor_ms": 0.7,
        "sparsity_overlap": 0.1,
        "new_id_strategy": "take_first",
    },
]


def assert_same(extension, name, params):
    analyzer = extension.sorting_analyzer
    kept = dict(extension.data)
    fresh = analyzer.compute(name, **params).data
    assert kept.keys() == fresh.keys()
    for key, values in fresh.items():
        assert values.dtype == kept[key].dtype
        assert values.shape == kept[key].shape
        if values.dtype.kind in "iu":
            np.testing.assert_array_equal(kept[key], values)
        else:
            np.testing.assert_allclose(kept[key], values, rtol=1e-6, atol=1e-6)


@every
@pytest.mark.parametrize("how", MERGES, ids=["soft", "hard", "censored"])
def test_merged(analyzer, name, params, how):
    analyzer.compute(name, **params)
    n_spikes = analyzer.sorting.count_total_num_spikes()
    merged = analyzer.merge_units(**how, progress_bar=False)
    is_censored = merged.sorting.count_total_num_spikes() < n_spikes
    assert is_censored == ("censor_ms" in how)
    assert_same(merged.get_extension(name), name, params)


@every
def test_split(analyzer, name, params):
    analyzer.compute(name, **params)
    n = int(analyzer.sorting.count_num_spikes_per_unit("array")[2])
    parts = [np.arange(0, n, 3), np.setdiff1d(np.arange(n), np.arange(0, n, 3))]
    split = analyzer.split_units({"c": parts})
    assert len(split.unit_ids) == 6
    assert_same(split.get_extension(name), name, params)


@every
def test_selected(analyzer, name, params):
    analyzer.compute(name, **params)
    selected = analyzer.select_units(["d", "b", "a"])
    assert_same(selected.get_extension(name), name, params)


@every
def test_what_did_not_change_is_not_computed_again(analyzer, name, params):
    extension = analyzer.compute(name, **params)
    planted = {key: values for key, values in extension.data.items() if key != "bins"}
    for values in planted.values():
        values[0] = 77  # unit a
    merged = analyzer.merge_units([["b", "c"]], sparsity_overlap=0.1)
    place = merged.unit_ids.tolist().index("a")
    others = [k for k in range(4) if k != merged.unit_ids.tolist().index("merge0")]
    for key in planted:
        row = merged.get_extension(name).data[key][place]
        is_pairs = key in {"similarity", "ccgs"}
        assert (row[others] == 77).all() if is_pairs else (row == 77).all()


def test_principal_components_of_a_dense_analyzer(data):
    analyzer = made.make_analyzer(sparse=False, **data)
    for mode in ("by_channel_local", "by_channel_global", "concatenated"):
        params = {"mode": mode, "n_components": 3}
        analyzer.compute("principal_components", **params)
        merged = analyzer.merge_units([["b", "c"]])
        kept = merged.get_extension("principal_components").get_data()
        fresh = merged.compute("principal_components", **params).get_data()
        np.testing.assert_allclose(kept, fresh, atol=2e-3)
        split = analyzer.split_units({"a": [np.arange(20), np.arange(20, 80 + 40)]})
        kept = split.get_extension("principal_components").get_data()
        fresh = split.compute("principal_components", **params).get_data()
        np.testing.assert_allclose(kept, fresh, atol=2e-3)


@pytest.mark.parametrize("how", MERGES, ids=["soft", "hard", "censored"])
@pytest.mark.parametrize("mode", ["by_channel_local", "by_channel_global"])
def test_projections_of_a_sparse_analyzer_are_those_of_its_waveforms(data, how, mode):
    analyzer = made.make_analyzer(sparse=True, **data)
    analyzer.compute("principal_components", mode=mode)
    merged = analyzer.merge_units(**how, progress_bar=False)
    extension = merged.get_extension("principal_components")
    spikes = merged.get_extension("random_spikes").get_random_spikes()
    waveforms = merged.get_extension("waveforms").get_data()
    expected = extension.project_new(spikes, waveforms)
    assert extension.get_data().shape == expected.shape
    np.testing.assert_allclose(extension.get_data(), expected, atol=1e-4)
    assert np.abs(expected).sum() > 0


def test_projections_of_selected_units_and_channels(data):
    analyzer = made.make_analyzer(sparse=True, **data)
    extension = analyzer.compute("principal_components")
    smaller = analyzer.select_units(["e", "b"])
    selected = smaller.get_extension("principal_components")
    for unit_id in ("e", "b"):
        np.testing.assert_array_equal(
            selected.get_projections_one_unit(unit_id), extension.get_projections_one_unit(unit_id)
        )
    dense = made.make_analyzer(sparse=False, **data)
    extension = dense.compute("principal_components")
    chosen = extension._select_channels_extension_data(["c5", "c2"])
    np.testing.assert_array_equal(chosen["pca_projection"], extension.get_data()[:, :, [5, 2]])
    assert chosen["pca_model_components"].shape[0] == 2
