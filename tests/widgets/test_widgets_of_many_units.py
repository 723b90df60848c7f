"""Plots of metrics, of several sorters, and of depths over time: what is drawn is what there is."""

import numpy as np
import pytest

import spikeloom.widgets as sw
from spikeloom.comparison import compare_multiple_sorters
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import MissingExtensionError, ParameterError


@pytest.fixture(scope="module")
def measured(analyzer):
    copy = analyzer.copy()
    names = ["num_spikes", "firing_rate", "amplitude_median", "snr"]
    copy.compute("noise_levels", progress_bar=False)
    copy.compute("quality_metrics", metric_names=names, progress_bar=False)
    copy.compute("template_metrics", progress_bar=False)
    return copy


def test_histograms_have_all_units_and_say_which_pass(measured):
    table = measured.get_extension("quality_metrics").get_data()
    limit = float(table["snr"].median())
    limits = {
        "snr": {"greater": limit},
        "amplitude_median": {"greater": 0, "less": None, "abs": True},
    }
    widget = sw.plot_metric_histograms(measured, {"noise": limits})
    assert widget.data.names == ["snr", "amplitude_median"]
    snr, amplitude = widget.axes[0]
    assert sum(bar.get_height() for bar in snr.patches) == 4
    assert snr.get_title(loc="right") == f"{(table['snr'] >= limit).sum()} of 4 pass"
    assert amplitude.get_xlabel() == "|amplitude_median (µV)|"
    assert len(snr.lines) == len(amplitude.lines) == 1


def test_histograms_of_metrics_that_are_asked_for(measured, bare_analyzer):
    widget = sw.plot_metric_histograms(measured, metrics_to_plot=["num_spikes", "trough_width"])
    assert widget.data.names == ["num_spikes", "trough_width"]
    with pytest.raises(ParameterError, match="nothing"):
        sw.plot_metric_histograms(measured, metrics_to_plot=["nothing"])
    with pytest.raises(MissingExtensionError, match="metrics"):
        sw.plot_metric_histograms(bare_analyzer)


@pytest.fixture(scope="module")
def agreed():
    trains = {k: np.arange(10, 9000, 100) + 7 * k for k in range(4)}
    sortings = [
        NumpySorting.from_unit_dict({k: trains[k] for k in some}, 30000.0)
        for some in ([0, 1, 2, 3], [1, 2, 3], [3])
    ]
    return compare_multiple_sorters(sortings, ["a", "b", "c"], delta_time=0.05)


def test_sorters_agree_on_as_many_units_as_are_drawn(agreed):
    pie = sw.plot_multicomparison_agreement(agreed)
    assert [text.get_text() for text in pie.ax.texts if text.get_text()] == ["1", "2", "1"]
    bars = sw.plot_multicomparison_agreement_by_sorter(agreed, plot_type="bar")
    heights = [[bar.get_height() for bar in ax.patches] for ax in bars.axes[0]]
    assert heights == [[1, 2, 1], [0, 2, 1], [0, 0, 1]]
    assert [ax.get_title() for ax in bars.axes[0]] == ["a", "b", "c"]
    with pytest.raises(ParameterError, match="plot_type"):
        sw.plot_multicomparison_agreement(agreed, plot_type="cake")


def test_units_that_match_are_joined(agreed):
    widget = sw.plot_multicomparison_graph(agreed, draw_labels=True, colorbar=True)
    (lines,) = (one for one in widget.axes[0, 0].collections if hasattr(one, "get_segments"))
    assert len(lines.get_segments()) == 5
    assert sum(len(one.get_offsets()) for one in widget.axes[0, 0].collections[1:]) == 8
    with pytest.raises(ParameterError, match="compare_multiple_sorters"):
        sw.plot_multicomparison_graph("nothing")


def test_locations_are_those_of_the_extension(analyzer):
    widget = sw.plot_locations(analyzer, plot_histograms=True, max_spikes_per_unit=None)
    ax, histograms = widget.axes[0]
    places = analyzer.get_extension("spike_locations").get_data()["y"]
    drawn = np.sort(
        np.concatenate([line.get_ydata() for line in ax.lines if line.get_ls() == "None"])
    )
    np.testing.assert_allclose(drawn, np.sort(places))
    assert histograms.get_xlabel() == "spikes"
    with pytest.raises(ParameterError, match="axis"):
        sw.plot_locations(analyzer, locations_axis="z")


def test_the_map_of_drift_has_all_spikes(analyzer):
    widget = sw.plot_drift_raster_map(sorting_analyzer=analyzer)
    (dots,) = widget.axes[0, 0].collections
    places = analyzer.get_extension("spike_locations").get_data()["y"]
    np.testing.assert_allclose(np.sort(dots.get_offsets()[:, 1]), np.sort(places))
    amplitudes = analyzer.get_extension("spike_amplitudes").get_data()
    np.testing.assert_allclose(np.sort(dots.get_array()), np.sort(amplitudes))
    fewer = sw.plot_drift_raster_map(sorting_analyzer=analyzer, scatter_decimate=10)
    assert len(fewer.data.times_s) == -(-len(places) // 10)


def test_the_map_of_drift_of_peaks():
    dtype = [("sample_index", "i8"), ("segment_index", "i8"), ("amplitude", "f8")]
    peaks = np.array([(100, 0, -50.0), (900, 0, -70.0), (50, 1, -30.0)], dtype)
    places = np.array([(0.0, 10.0), (5.0, 20.0), (7.0, 30.0)], [("x", "f8"), ("y", "f8")])
    widget = sw.plot_drift_raster_map(peaks, places, sampling_frequency=1000.0)
    np.testing.assert_allclose(widget.data.times_s, [0.1, 0.9, 0.951])
    along_x = sw.plot_drift_raster_map(
        peaks, places, direction="x", sampling_frequency=1000.0, segment_index=1
    )
    assert along_x.data.positions_um.tolist() == [7.0]
    with pytest.raises(ParameterError, match="sampling_frequency"):
        sw.plot_drift_raster_map(peaks, places)


def test_contacts_are_as_bright_as_templates_are_large(analyzer):
    widget = sw.plot_unit_probe_map(analyzer, unit_ids=analyzer.unit_ids[[2, 0]].tolist())
    templates = analyzer.get_extension("templates").get_data()[[2, 0]]
    np.testing.assert_allclose(widget.data, np.ptp(templates, axis=1))
    assert [ax.get_title() for ax in widget.axes[0]] == [
        f"unit {analyzer.unit_ids[k]}" for k in (2, 0)
    ]


def test_bars_are_as_long_as_periods(analyzer):
    copy = analyzer.copy()
    copy.compute(
        "valid_unit_periods",
        method="user_defined",
        user_defined_periods=[[0, 0, 50000, 0], [1, 10000, 60000, 2]],
        minimum_valid_period_duration=0.5,
    )
    fs = copy.sampling_frequency
    widget = sw.plot_valid_unit_periods(copy)
    boxes = [path.get_extents() for one in widget.ax.collections for path in one.get_paths()]
    n_first = copy.get_num_samples(0)
    ends = [(box.x0 * fs, box.x1 * fs) for box in boxes]
    np.testing.assert_allclose(ends, [(0, 50000), (n_first + 10000, n_first + 60000)])
    assert len(widget.data) == 2
    some = sw.plot_valid_unit_periods(copy, show_only_units_with_valid_periods=True)
    assert len(some.ax.get_yticks()) == 2
    with pytest.raises(MissingExtensionError, match="valid_unit_periods"):
        sw.plot_valid_unit_periods(analyzer)
