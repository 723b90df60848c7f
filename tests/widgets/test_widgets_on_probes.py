"""Plots of places, waveforms, similarity and metrics: what is drawn is what there is."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import spikeloom.widgets as sw
from spikeloom.analyzer.extension import EXTENSIONS, AnalyzerExtension
from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import ParameterError
from spikeloom.widgets.unit_colors import TABLE, components, table_color
from spikeloom.widgets.unit_waveforms import unit_waveforms_of
from spikeloom.widgets.waveform_density import density_counts
from spikeloom.widgets.waveform_layout import distances_of, layout_of

PAGE_COLORS = Path(__file__).parents[2] / "web" / "src" / "base" / "color.ts"


def test_the_probe_has_a_contact_for_each_channel(truth):
    recording, _ = truth
    widget = sw.plot_probe_map(recording, with_channel_ids=True)
    contacts = widget.ax.collections[-1]
    middles = np.array([path.vertices[:-1].mean(axis=0) for path in contacts.get_paths()])
    np.testing.assert_allclose(middles, recording.get_channel_locations(), atol=0.5)
    assert [text.get_text() for text in widget.ax.texts] == recording.channel_ids.tolist()
    assert (widget.ax.get_xlabel(), widget.ax.get_ylabel()) == ("x (µm)", "y (µm)")
    widget.figure.canvas.draw()
    with pytest.raises(ParameterError, match="recording"):
        sw.plot_probe_map("a probe")


def test_peak_activity_is_peaks_by_second(truth):
    recording, _ = truth
    peaks = np.zeros(21, [("sample_index", "i8"), ("channel_index", "i8")])
    peaks["channel_index"][:14] = 3
    widget = sw.plot_peak_activity(recording, peaks)
    rates = widget.ax.collections[-1].get_array()
    np.testing.assert_allclose(rates, [1, 0, 0, 2, 0, 0, 0, 0])
    assert widget.figure.axes[1].get_ylabel() == "peaks per second (Hz)"
    widget.figure.canvas.draw()
    peaks["channel_index"] = 8
    with pytest.raises(ParameterError, match="8 of 8"):
        sw.plot_peak_activity(recording, peaks)
    with pytest.raises(ParameterError, match="channel_index"):
        sw.plot_peak_activity(recording, np.zeros(3))


def test_units_are_where_they_were_located(analyzer):
    places = analyzer.get_extension("unit_locations").get_data()[:, :2]
    widget = sw.plot_unit_locations(analyzer, unit_ids=["3", "0"], plot_legend=True)
    others, chosen = widget.ax.collections[-2:]
    np.testing.assert_allclose(chosen.get_offsets(), places[[3, 0]])
    np.testing.assert_allclose(others.get_offsets(), places[[1, 2]])
    assert [text.get_text() for text in widget.ax.get_legend().get_texts()] == ["3", "0"]
    alone = sw.plot_unit_locations(analyzer, unit_ids=["3"], plot_all_units=False)
    assert len(alone.ax.collections) == len(widget.ax.collections) - 1


def test_spikes_are_where_they_were_located(analyzer):
    values = analyzer.get_extension("spike_locations").get_data()
    units = analyzer.sorting.to_spike_vector()["unit_index"]
    widget = sw.plot_spike_locations(analyzer, unit_ids=["2"], max_spikes_per_unit=None)
    drawn = widget.ax.collections[-1].get_offsets()
    wanted = values[units == 2]
    np.testing.assert_allclose(drawn, np.stack([wanted["x"], wanted["y"]], axis=1))
    assert len(widget.ax.collections[-2].get_offsets()) == np.count_nonzero(units != 2)
    few = sw.plot_spike_locations(analyzer, unit_ids=["2"], max_spikes_per_unit=5)
    assert few.ax.get_title(loc="right") == f"5 of {len(wanted)} spikes shown"


def test_depths_go_with_amplitudes(analyzer):
    widget = sw.plot_unit_depths(analyzer)
    drawn = widget.ax.collections[0].get_offsets()
    places = analyzer.get_extension("unit_locations").get_data()
    np.testing.assert_allclose(drawn[:, 1], places[:, 1])
    templates = analyzer.get_extension("templates").get_templates()
    largest = np.abs(templates).max(axis=1).max(axis=1)
    np.testing.assert_allclose(drawn[:, 0], largest, rtol=1e-6)
    with pytest.raises(ParameterError, match="depth_axis"):
        sw.plot_unit_depths(analyzer, depth_axis=3)


def test_templates_are_drawn_at_their_channels(analyzer):
    templates = analyzer.get_extension("templates").get_templates()
    widget = sw.plot_unit_templates(analyzer, scalebar=False)
    layout = widget.data.layout
    for row, ax in enumerate(widget.axes.ravel()[:4]):
        channels = np.flatnonzero(analyzer.sparsity.mask[row])
        (line,) = ax.lines
        drawn = line.get_ydata().reshape(len(channels), -1)[:, :-1]
        voltages = (drawn - layout.locations_um[channels, 1][:, np.newaxis]) / layout.voltage_um
        np.testing.assert_allclose(voltages, templates[row][:, channels].T, atol=1e-6)
        x_um = line.get_xdata().reshape(len(channels), -1)[:, :-1]
        np.testing.assert_allclose(x_um.mean(axis=1), layout.locations_um[channels, 0], atol=1e-9)
        assert len(ax.collections) == 2  # two shades: 1 to 99 and 25 to 75 percent


def test_waveforms_are_those_of_the_unit(analyzer):
    widget = sw.plot_unit_waveforms(analyzer, unit_ids=["1"], max_spikes_per_unit=None)
    waveforms = analyzer.get_extension("waveforms").get_waveforms_one_unit("1")
    np.testing.assert_array_equal(widget.data.waveforms["1"], waveforms)
    assert len(widget.ax.collections[0].get_segments()) >= len(waveforms)
    some = sw.plot_unit_waveforms(analyzer, unit_ids=["1"], max_spikes_per_unit=6)
    assert len(some.data.waveforms["1"]) == 6
    assert some.ax.get_title(loc="right") == f"6 of {len(waveforms)} shown"
    chosen = unit_waveforms_of(analyzer, ["1"], selected={"1": [4, 2]})
    np.testing.assert_array_equal(chosen.waveforms["1"], waveforms[[4, 2]])


def test_the_bars_of_scale_are_as_long_as_they_say(analyzer):
    widget = sw.plot_unit_templates(analyzer, unit_ids=["0"])
    bars = widget.ax.lines[-1]
    text = widget.ax.texts[-1].get_text()
    uV, ms = (float(number) for number in re.findall(r"([\d.]+) (?:µV|ms)", text))
    layout = widget.data.layout
    np.testing.assert_allclose(np.ptp(bars.get_ydata()), uV * layout.voltage_um)
    sample_ms = 1e3 / analyzer.sampling_frequency
    np.testing.assert_allclose(np.ptp(bars.get_xdata()), ms / sample_ms * layout.sample_um)


def test_channels_are_those_asked_for_that_the_unit_has(analyzer):
    own = np.flatnonzero(analyzer.sparsity.mask[0])
    asked = [analyzer.channel_ids[own[0]], analyzer.channel_ids[own[1]]]
    shown = unit_waveforms_of(analyzer, ["0"], channel_ids=asked)
    assert shown.channels["0"].tolist() == sorted(own[:2])
    mask = np.zeros_like(analyzer.sparsity.mask)
    mask[:, own[1]] = True
    sparsity = ChannelSparsity(mask, analyzer.unit_ids, analyzer.channel_ids)
    assert unit_waveforms_of(analyzer, ["0"], sparsity=sparsity).channels["0"].tolist() == [own[1]]
    with pytest.raises(ParameterError, match="not both"):
        unit_waveforms_of(analyzer, ["0"], asked, sparsity)
    with pytest.raises(ParameterError, match="no channels"):
        unit_waveforms_of(analyzer, ["0"], channel_ids=["c99"])
    with pytest.raises(ParameterError, match="rising"):
        unit_waveforms_of(analyzer, ["0"], percentiles=(5, 50, 95))


def test_units_share_axes_and_templates_need_no_analyzer(analyzer):
    widget = sw.plot_unit_waveforms(analyzer, same_axis=True, plot_channels=True)
    assert len([line for line in widget.ax.lines if len(line.get_xdata()) > 3]) == 4
    legend = [text.get_text() for text in widget.ax.get_legend().get_texts()]
    assert legend == analyzer.unit_ids.tolist()
    widget.figure.canvas.draw()
    templates = analyzer.get_extension("templates").get_data(outputs="Templates")
    alone = sw.plot_unit_waveforms(templates)
    assert alone.data.waveforms == {}
    assert alone.data.unit == "µV"
    alone.figure.canvas.draw()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), min_size=1, max_size=12),
    st.floats(0.1, 10),
)
def test_a_layout_has_room_for_waveforms_side_by_side(places, height):
    locations = 16.0 * np.array(sorted(set(places)), float)
    layout = layout_of(locations, np.array([[[0.0] * len(locations), [height] * len(locations)]]))
    across, along = distances_of(locations)
    assert across > 0
    assert along > 0
    x_um = layout.x_um(np.arange(len(locations)))
    for one in range(len(locations)):
        for other in range(one):
            is_row = locations[one, 1] == locations[other, 1]
            if is_row and locations[one, 0] != locations[other, 0]:
                low, high = sorted([one, other], key=lambda k: locations[k, 0])
                assert np.nanmax(x_um[low]) < np.nanmin(x_um[high])


def test_densities_count_as_the_slow_way_does():
    rng = np.random.default_rng(3)
    waveforms = rng.normal(0, 40, (30, 7, 3)).round()
    edges = np.linspace(-60, 60, 13)
    found = density_counts(waveforms, edges)
    for channel in range(3):
        for sample in range(7):
            wanted, _ = np.histogram(waveforms[:, sample, channel], edges)
            np.testing.assert_array_equal(found[channel, sample], wanted)


def test_density_maps_have_all_waveforms_and_the_template(analyzer):
    widget = sw.plot_unit_waveforms_density_map(analyzer, unit_ids=["0", "1"], use_max_channel=True)
    main = analyzer.get_main_channels()
    waveforms = analyzer.get_extension("waveforms")
    templates = analyzer.get_extension("templates").get_templates()
    for row, ax in enumerate(widget.axes.ravel()):
        counts = ax.images[0].get_array()
        own = waveforms.get_waveforms_one_unit(str(row), force_dense=True)[:, :, main[row]]
        lowest, highest = widget.data.edges[[0, -1]]
        inside = np.count_nonzero((own >= lowest) & (own <= highest))
        assert counts.sum() == inside
        drawn = ax.lines[0].get_ydata()
        np.testing.assert_allclose(drawn[:-1], templates[row][:, main[row]], rtol=1e-6)
    together = sw.plot_unit_waveforms_density_map(analyzer, same_axis=True)
    assert together.ax is not None
    together.figure.canvas.draw()


def test_similarity_is_that_of_the_extension(analyzer):
    values = analyzer.get_extension("template_similarity").get_data()
    widget = sw.plot_template_similarity(analyzer, ["3", "1"], display_diagonal_values=True)
    np.testing.assert_allclose(widget.ax.images[0].get_array(), values[np.ix_([3, 1], [3, 1])])
    assert [one.get_text() for one in widget.ax.get_xticklabels()] == ["3", "1"]
    hidden = sw.plot_template_similarity(analyzer).ax.images[0].get_array()
    assert np.isnan(np.diag(hidden.filled(np.nan))).all()
    assert not np.isnan(values).any()


class Metrics(AnalyzerExtension):
    extension_name = "quality_metrics"

    def _get_data(self):
        return self.data["metrics"]


@pytest.fixture
def with_metrics(analyzer, monkeypatch):
    monkeypatch.setitem(EXTENSIONS._things, "quality_metrics", Metrics)
    extension = Metrics(analyzer)
    table = pd.DataFrame(
        {
            "firing_rate": [1.0, 2.0, 3.0, np.nan],
            "snr": [5.0, np.inf, 7.0, 8.0],
            "isi_violations_count": pd.array([0, 1, None, 4], dtype="Int64"),
            "d_prime": [np.nan] * 4,
        },
        index=analyzer.unit_ids,
    )
    extension.params, extension.data = {}, {"metrics": table}
    extension.run_info = {"run_completed": True}
    monkeypatch.setitem(analyzer.extensions, "quality_metrics", extension)
    return analyzer


def test_metrics_are_drawn_against_each_other(with_metrics):
    widget = sw.plot_quality_metrics(with_metrics)
    assert widget.data.names == ["firing_rate", "snr", "isi_violations_count"]
    assert widget.data.left_out == ["d_prime"]
    assert widget.axes.shape == (3, 3)
    assert widget.axes[0, 1] is None
    assert widget.axes[2, 0].get_xlabel() == "firing_rate (Hz)"
    drawn = widget.axes[1, 0].collections[0].get_offsets().filled(np.nan)
    np.testing.assert_allclose(drawn, [[1, 5], [np.nan, np.nan], [3, 7], [np.nan, np.nan]])
    assert sum(bar.get_height() for bar in widget.axes[2, 2].patches) == 3
    widget.figure.canvas.draw()
    one = sw.plot_quality_metrics(with_metrics, ["2", "0"], include_metrics=["snr"])
    np.testing.assert_array_equal(one.data.values, [[7.0], [5.0]])
    without = sw.plot_quality_metrics(with_metrics, skip_metrics=["snr"])
    assert without.data.names == ["firing_rate", "isi_violations_count"]
    with pytest.raises(ParameterError, match="no metrics"):
        sw.plot_quality_metrics(with_metrics, include_metrics=["snrs"])
    with pytest.raises(ParameterError, match="None of the metrics"):
        sw.plot_quality_metrics(with_metrics, include_metrics=["d_prime"])


@pytest.mark.skipif(not PAGE_COLORS.is_file(), reason="the page's source is not here")
def test_colours_are_those_of_the_page():
    text = PAGE_COLORS.read_text(encoding="utf-8")
    listed = text[text.index("SELECTED = [") : text.index("] as const")]
    assert tuple(re.findall(r"#[0-9a-f]{6}", listed)) == TABLE


def test_colours_differ_and_can_be_seen_on_white():
    colors = [table_color(k) for k in range(60)]
    assert len(set(colors)) == 60
    for color in colors:
        red, green, blue = components(color)
        assert 0.3 * red + 0.59 * green + 0.11 * blue < 0.63
    assert len(set(sw.get_some_colors(range(5), "viridis").values())) == 5
