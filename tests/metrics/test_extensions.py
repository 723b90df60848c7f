"""Tables of metrics belong to an analyzer: computed, kept, selected, merged, saved."""

import numpy as np
import pandas as pd
import pytest

import spikeloom as si
from spikeloom.errors import MissingExtensionError, ParameterError, UnknownNameError
from spikeloom.metrics.tables import compute_metric_columns

BASE = ["random_spikes", "waveforms", "templates", "noise_levels", "spike_amplitudes"]


@pytest.fixture(scope="module")
def analyzer():
    recording, sorting = si.generate_ground_truth_recording(
        durations=[20.0], num_channels=12, num_units=6, seed=4
    )
    made = si.create_sorting_analyzer(sorting, recording)
    made.compute([*BASE, "principal_components"], progress_bar=False)
    return made


def test_the_table_has_a_row_for_each_unit_and_the_columns_of_what_was_computed(analyzer):
    copy = analyzer.copy()
    table = copy.compute("quality_metrics").get_data()
    assert table.index.tolist() == copy.unit_ids.tolist()
    assert {"num_spikes", "snr", "d_prime", "amplitude_cutoff"} <= set(table.columns)
    assert "drift_ptp" not in table.columns  # needs spike locations
    counts = copy.sorting.count_num_spikes_per_unit("array")
    np.testing.assert_array_equal(table["num_spikes"], counts)


def test_values_are_those_of_the_functions(analyzer):
    from spikeloom.metrics.analyzer_inputs import inputs_of_analyzer

    copy = analyzer.copy()
    names = ["snr", "isi_violation", "amplitude_median", "mahalanobis"]
    table = copy.compute("quality_metrics", metric_names=names).get_data()
    expected = compute_metric_columns(inputs_of_analyzer(copy), names).to_table(copy.unit_ids)
    pd.testing.assert_frame_equal(table, expected)


def test_metrics_computed_before_stay_unless_they_are_to_go(analyzer):
    copy = analyzer.copy()
    copy.compute("quality_metrics", metric_names=["num_spikes"])
    table = copy.compute("quality_metrics", metric_names=["snr"]).get_data()
    assert table.columns.tolist() == ["num_spikes", "snr"]
    extension = copy.compute(
        "quality_metrics", metric_names=["firing_rate"], delete_existing_metrics=True
    )
    assert extension.get_data().columns.tolist() == ["firing_rate"]


def test_new_templates_make_the_metrics_that_saw_the_old_ones_invalid(analyzer):
    copy = analyzer.copy()
    copy.compute("quality_metrics", metric_names=["snr"])
    copy.compute("spiketrain_metrics")
    copy.compute("templates")
    assert not copy.has_extension("quality_metrics")
    assert copy.has_extension("spiketrain_metrics")


def test_units_that_are_selected_keep_their_rows(analyzer):
    copy = analyzer.copy()
    table = copy.compute("quality_metrics").get_data()
    fewer = copy.select_units(copy.unit_ids[[3, 1]])
    got = fewer.get_extension("quality_metrics").get_data()
    pd.testing.assert_frame_equal(got, table.loc[copy.unit_ids[[3, 1]].tolist()])


def test_merging_computes_the_rows_of_merged_units_only(analyzer):
    copy = analyzer.copy()
    names = ["num_spikes", "firing_rate", "isi_violation"]
    table = copy.compute("quality_metrics", metric_names=names).get_data()
    merged, (new,) = copy.merge_units(
        [copy.unit_ids[:2].tolist()], sparsity_overlap=0.0, return_new_unit_ids=True
    )
    got = merged.get_extension("quality_metrics").get_data()
    assert got.loc[new, "num_spikes"] == table["num_spikes"].iloc[:2].sum()
    kept = copy.unit_ids[2:].tolist()
    pd.testing.assert_frame_equal(got.loc[kept], table.loc[kept])
    fresh = merged.copy().compute(
        "quality_metrics", metric_names=names, delete_existing_metrics=True
    )
    pd.testing.assert_frame_equal(got, fresh.get_data())


@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
def test_a_saved_table_comes_back(analyzer, format, tmp_path):
    copy = analyzer.copy()
    copy.compute(["quality_metrics", "template_metrics", "spiketrain_metrics"])
    saved = copy.save_as(format=format, folder=tmp_path / "saved")
    again = si.load_sorting_analyzer(saved.folder)
    for name in ("quality_metrics", "template_metrics", "spiketrain_metrics"):
        pd.testing.assert_frame_equal(
            again.get_extension(name).get_data(), copy.get_extension(name).get_data()
        )


def test_what_is_missing_or_mistyped_is_said(analyzer):
    copy = analyzer.copy()
    with pytest.raises(UnknownNameError, match="snrr"):
        copy.compute("quality_metrics", metric_names=["snrr"])
    with pytest.raises(ParameterError, match="no parameter"):
        copy.compute("quality_metrics", metric_params={"snr": {"nothing": 1}}, metric_names=["snr"])
    with pytest.raises(MissingExtensionError, match="spike_locations"):
        copy.compute("quality_metrics", metric_names=["drift"])
    bare = si.create_sorting_analyzer(copy.sorting, copy.recording)
    with pytest.raises(MissingExtensionError, match="templates"):
        bare.compute("template_metrics")


def test_all_tables_stand_side_by_side(analyzer):
    copy = analyzer.copy()
    copy.compute(["quality_metrics", "template_metrics"])
    table = copy.get_metrics_extension_data()
    assert {"snr", "trough_half_width"} <= set(table.columns)
    assert table.columns.is_unique


def test_parameters_of_columns_that_stay_are_known_when_units_are_merged(analyzer):
    copy = analyzer.copy()
    long = {"rp_violation": {"refractory_period_ms": 20.0}}
    copy.compute("quality_metrics", metric_names=["rp_violation"], metric_params=long)
    copy.compute("quality_metrics", metric_names=["num_spikes"])
    merged, (new,) = copy.merge_units(
        [copy.unit_ids[:2].tolist()], sparsity_overlap=0.0, return_new_unit_ids=True
    )
    got = merged.get_extension("quality_metrics").get_data().loc[new, "rp_violations"]
    fresh = merged.copy().compute(
        "quality_metrics", metric_names=["rp_violation"], metric_params=long
    )
    plain = merged.copy().compute(
        "quality_metrics",
        metric_names=["rp_violation"],
        delete_existing_metrics=True,
    )
    assert got == fresh.get_data().loc[new, "rp_violations"]
    assert got > plain.get_data().loc[new, "rp_violations"]


def test_periods_follow_their_units(analyzer):
    copy = analyzer.copy()
    periods = [[0, 0, 100000 * (unit + 1), unit] for unit in range(6)]
    names = ["num_spikes", "firing_rate"]
    table = copy.compute("quality_metrics", metric_names=names, periods=periods).get_data()
    last = copy.unit_ids[5]
    merged = copy.select_units(copy.unit_ids[[5, 1, 0]]).merge_units(
        [copy.unit_ids[:2].tolist()], new_unit_ids=["both"], sparsity_overlap=0.0
    )
    got = merged.get_extension("quality_metrics")
    assert got.get_data().loc[last].tolist() == table.loc[last].tolist()
    inside = [(merged.sorting.get_unit_spike_train("both") < end).sum() for end in (100000, 200000)]
    assert got.get_data().loc["both", "num_spikes"] == inside[1] > inside[0]
    assert sorted(np.asarray(got.params["periods"])["end_sample_index"]) == [200000, 600000]


def test_only_what_is_to_be_computed_is(analyzer):
    copy = analyzer.copy()
    copy.compute("quality_metrics", metric_names=["snr"])
    extension = copy.compute(
        "quality_metrics", metric_names=["snr", "num_spikes"], metrics_to_compute=["num_spikes"]
    )
    assert extension.params["metrics_to_compute"] == ["num_spikes"]
    assert extension.get_data().columns.tolist() == ["snr", "num_spikes"]


def test_columns_that_cannot_be_computed_are_empty_for_new_units(analyzer):
    copy = analyzer.copy()
    copy.compute("quality_metrics", metric_names=["num_spikes"])
    copy.get_extension("quality_metrics").data["metrics"]["by_hand"] = 1.5
    merged, (new,) = copy.merge_units(
        [copy.unit_ids[:2].tolist()], sparsity_overlap=0.0, return_new_unit_ids=True
    )
    column = merged.get_extension("quality_metrics").get_data()["by_hand"]
    assert column.drop(index=new).tolist() == [1.5] * 4
    assert np.isnan(column[new])


def test_counts_are_whole_numbers_that_may_be_missing(analyzer):
    sorting = si.NumpySorting.from_unit_dict({"a": [100, 110, 900], "b": []}, 30000.0)
    recording = si.NumpyRecording([np.zeros((1000, 2), np.float32)], 30000.0)
    recording.set_dummy_probe_from_locations(np.array([[0.0, 0.0], [0.0, 20.0]]))
    bare = si.create_sorting_analyzer(sorting, recording, sparse=False)
    table = bare.compute("quality_metrics", metric_names=["num_spikes", "isi_violation"]).get_data()
    assert table["isi_violations_count"].dtype == "Int64"
    assert table["isi_violations_count"].tolist() == [1, pd.NA]
    assert table["isi_violations_ratio"].dtype == "float64"


@pytest.mark.parametrize("mode", ["by_channel_local", "concatenated"])
def test_components_follow_spikes_that_merging_drops(analyzer, mode):
    dense = si.create_sorting_analyzer(analyzer.sorting, analyzer.recording, sparse=False)
    dense.compute(["random_spikes", "waveforms"], progress_bar=False)
    before = dense.compute("principal_components", mode=mode).get_data()
    dense.compute("quality_metrics", metric_names=["d_prime", "num_spikes"])
    pair = dense.unit_ids[:2].tolist()
    merged = dense.merge_units([pair], censor_ms=30.0)
    n_dropped = dense.get_total_num_spikes() if hasattr(dense, "get_total_num_spikes") else 0
    got = merged.get_extension("principal_components").get_data()
    chosen = merged.get_extension("random_spikes").get_data()
    assert len(got) == len(chosen) < len(before) or n_dropped == 0
    models = merged.get_extension("principal_components")
    waves = merged.get_extension("waveforms").get_data()
    spikes = merged.sorting.to_spike_vector()[chosen]
    np.testing.assert_allclose(models.project_new(spikes, waves), got, atol=1e-3)
    table = merged.get_extension("quality_metrics").get_data()
    assert table["d_prime"].notna().all()


def test_periods_and_valid_periods_exclude_each_other(analyzer):
    with pytest.raises(ParameterError, match="not both"):
        analyzer.copy().compute("quality_metrics", periods=[[0, 0, 9, 0]], use_valid_periods=True)


def test_valid_periods_are_those_of_the_extension(analyzer):
    copy = analyzer.copy()
    given = [[0, 0, 100000 * (unit + 1), unit] for unit in range(6)]
    copy.compute(
        "valid_unit_periods",
        method="user_defined",
        user_defined_periods=given,
        minimum_valid_period_duration=1.0,
    )
    names = ["num_spikes", "firing_rate"]
    extension = copy.compute("quality_metrics", metric_names=names, use_valid_periods=True)
    expected = analyzer.copy().compute("quality_metrics", metric_names=names, periods=given)
    pd.testing.assert_frame_equal(extension.get_data(), expected.get_data())
    merged = copy.merge_units(
        [copy.unit_ids[:2].tolist()], new_unit_ids=["both"], sparsity_overlap=0.0
    )
    n_spikes = (merged.sorting.get_unit_spike_train("both") < 200000).sum()
    table = merged.get_extension("quality_metrics").get_data()
    assert table.loc["both", "num_spikes"] == n_spikes
    assert table["num_spikes"].iloc[:4].tolist() == expected.get_data()["num_spikes"][2:].tolist()


def test_parameters_are_the_defaults_when_a_metric_is_asked_for_again(analyzer):
    copy = analyzer.copy()
    long = {"rp_violation": {"refractory_period_ms": 20.0}}
    copy.compute("quality_metrics", metric_names=["rp_violation"], metric_params=long)
    again = copy.compute("quality_metrics", metric_names=["rp_violation"])
    fresh = analyzer.copy().compute("quality_metrics", metric_names=["rp_violation"])
    pd.testing.assert_frame_equal(again.get_data(), fresh.get_data())
    assert again.params["metric_params"]["rp_violation"]["refractory_period_ms"] == 1.0
