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
