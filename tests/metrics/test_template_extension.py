"""Template metrics of an analyzer: settings, and what is kept besides the table."""

import numpy as np
import pandas as pd
import pytest

import spikeloom as si
from spikeloom.errors import ParameterError
from spikeloom.metrics.catalogue import get_multi_channel_template_metric_names

SPACE = ["velocity_above", "velocity_below", "exp_decay", "spread"]


def analyzer_of(n_channels, **kwargs):
    recording, sorting = si.generate_ground_truth_recording(
        durations=[10.0], num_channels=n_channels, num_units=4, seed=4
    )
    made = si.create_sorting_analyzer(sorting, recording, **kwargs)
    made.compute(["random_spikes", "templates"], progress_bar=False)
    return made


@pytest.fixture(scope="module")
def analyzer():
    return analyzer_of(12)


def test_several_channels_are_looked_at_if_there_are_many():
    many = analyzer_of(64)
    assert set(SPACE) <= set(many.compute("template_metrics").get_data().columns)
    only = many.compute("template_metrics", metric_names=["half_width"], delete_existing_metrics=1)
    assert only.get_data().columns.tolist() == ["trough_half_width", "peak_half_width"]


def test_several_channels_are_looked_at_if_that_is_asked_for(analyzer):
    copy = analyzer.copy()
    assert not set(SPACE) & set(copy.compute("template_metrics").get_data().columns)
    more = copy.compute("template_metrics", include_multi_channel_metrics=True)
    assert set(SPACE) <= set(more.get_data().columns)
    names = ["half_width", *get_multi_channel_template_metric_names()]
    both = copy.compute(
        "template_metrics",
        metric_names=["half_width"],
        include_multi_channel_metrics=True,
        delete_existing_metrics=True,
    )
    assert both.params["metric_names"] == names


def test_peaks_and_templates_are_kept_besides_the_table(analyzer, tmp_path):
    copy = analyzer.copy()
    extension = copy.compute("template_metrics", upsampling_factor=4)
    templates = extension.data["main_channel_templates"]
    n_samples = copy.get_extension("templates").get_templates().shape[1]
    assert templates.shape == (4, 4 * n_samples)
    troughs = extension.data["peaks_data"]["trough_index"]
    np.testing.assert_array_equal(troughs, templates.argmin(axis=1))
    saved = copy.save_as(format="binary_folder", folder=tmp_path / "saved")
    again = si.load_sorting_analyzer(saved.folder).get_extension("template_metrics")
    pd.testing.assert_frame_equal(again.data["peaks_data"], extension.data["peaks_data"])
    some = copy.select_units(copy.unit_ids[[2, 0]]).get_extension("template_metrics")
    np.testing.assert_array_equal(some.data["main_channel_templates"], templates[[2, 0]])
    assert some.data["peaks_data"].index.tolist() == copy.unit_ids[[2, 0]].tolist()


def test_merging_keeps_settings_and_computes_new_rows(analyzer):
    copy = analyzer.copy()
    settings = {"upsampling_factor": 3, "edge_exclusion_ms": 0.2}
    copy.compute("template_metrics", **settings)
    merged = copy.merge_units([copy.unit_ids[:2].tolist()], sparsity_overlap=0.0)
    got = merged.get_extension("template_metrics")
    fresh = merged.copy().compute("template_metrics", delete_existing_metrics=True, **settings)
    pd.testing.assert_frame_equal(got.get_data(), fresh.get_data())
    pd.testing.assert_frame_equal(got.data["peaks_data"], fresh.data["peaks_data"])


def test_columns_made_with_other_settings_are_made_anew(analyzer):
    copy = analyzer.copy()
    copy.compute("template_metrics", metric_names=["half_width"])
    table = copy.compute(
        "template_metrics", metric_names=["waveform_ratios"], upsampling_factor=1
    ).get_data()
    expected = (
        analyzer
        .copy()
        .compute("template_metrics", metric_names=["half_width"], upsampling_factor=1)
        .get_data()
    )
    pd.testing.assert_frame_equal(table[expected.columns.tolist()], expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"upsampling_factor": 0}, "upsampling_factor"),
        ({"template_operator": "std"}, "template_operator"),
        ({"depth_direction": "z"}, "depth_direction"),
        ({"metric_names": ["snr"]}, "no metric of 'template_metrics'"),
        ({"metric_names": ["peak_to_valley"]}, "peak_to_trough_duration"),
        ({"periods": [[0, 0, 9, 0]]}, "no periods"),
    ],
)
def test_what_makes_no_sense_is_said(analyzer, params, message):
    with pytest.raises(ParameterError, match=message):
        analyzer.copy().compute("template_metrics", **params)
