"""Plots over time, and histograms: what is drawn is what there is."""

import numpy as np
import pytest

import spikeloom.widgets as sw
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.correlograms import compute_correlograms
from spikeloom.postprocessing.isi_histograms import compute_isi_histograms
from spikeloom.widgets.amplitudes import amplitudes_of
from spikeloom.widgets.marks import round_length
from spikeloom.widgets.timeline import timeline_of
from spikeloom.widgets.traces import centred, trace_layers_of

FS = 1000.0


def make_recording(n_channels=3, gain=None, seed=0):
    traces = np.random.default_rng(seed).integers(-200, 200, (2000, n_channels)).astype(np.int16)
    recording = NumpyRecording([traces], FS, channel_ids=[f"c{k}" for k in range(n_channels)])
    recording.set_dummy_probe_from_locations(
        np.stack([np.zeros(n_channels), -20.0 * np.arange(n_channels)], axis=1)
    )
    if gain is not None:
        recording.set_channel_gains(gain)
        recording.set_channel_offsets(0.0)
    return recording, traces


def test_traces_are_lines_around_the_medians():
    recording, traces = make_recording()
    widget = sw.plot_traces(recording, time_range=(0.5, 1.5), show_channel_ids=True)
    lines = [line for line in widget.ax.lines if len(line.get_xdata()) == 1000]
    assert len(lines) == 3
    wanted = centred(traces[500:1500])
    spacing = 1.5 * np.abs(wanted).max(axis=0).mean()
    for channel, line in enumerate(lines):
        np.testing.assert_allclose(line.get_xdata(), np.arange(500, 1500) / FS)
        drawn = (line.get_ydata() - channel) * spacing
        np.testing.assert_allclose(drawn, wanted[:, channel], atol=1e-9)
    assert [one.get_text() for one in widget.ax.get_yticklabels()] == ["c0", "c1", "c2"]
    assert widget.ax.get_xlabel() == "time (s)"
    (text,) = [text.get_text() for text in widget.ax.texts]
    assert text == f"{round_length(spacing):g} steps"


def test_the_bar_of_scale_is_as_long_as_it_says():
    recording, traces = make_recording(gain=0.5)
    widget = sw.plot_traces(recording, return_in_uV=True, scale=2.0)
    bar = next(line for line in widget.ax.lines if len(line.get_xdata()) == 2)
    (text,) = [text.get_text() for text in widget.ax.texts]
    length_uV, unit = text.split()
    assert unit == "µV"
    spacing = 1.5 * np.abs(centred(traces[:1000] * 0.5)).max(axis=0).mean()
    np.testing.assert_allclose(np.ptp(bar.get_ydata()), 2.0 * float(length_uV) / spacing)


def test_traces_are_ordered_by_depth_and_chosen():
    recording, traces = make_recording()
    shown = trace_layers_of(
        recording, channel_ids=["c0", "c2"], time_range=(0, 0.1), order_channel_by_depth=True
    )
    assert shown.channel_ids == ["c2", "c0"]
    np.testing.assert_array_equal(shown.traces["traces"], traces[:100, [2, 0]])
    assert shown.unit == "steps"


def test_a_map_has_the_traces_and_a_bar_with_their_unit():
    recording, traces = make_recording(gain=0.5)
    widget = sw.plot_traces(recording, mode="map", return_in_uV=True, clim=(-50, 50))
    (image,) = widget.ax.images
    np.testing.assert_allclose(image.get_array(), traces[:1000].T * 0.5)
    assert image.get_clim() == (-50, 50)
    left, right, *_ = image.get_extent()
    np.testing.assert_allclose([left, right], [-0.0005, 0.9995])
    assert widget.figure.axes[1].get_ylabel() == "voltage (µV)"


def test_many_channels_are_a_map_and_several_recordings_are_lines():
    many, _ = make_recording(65)
    assert len(sw.plot_traces(many).ax.images) == 1
    assert len(sw.plot_traces(many, mode="line").ax.images) == 0
    few, _ = make_recording()
    widget = sw.plot_traces({"raw": few, "again": few})
    legend = [text.get_text() for text in widget.ax.get_legend().get_texts()]
    assert legend == ["raw", "again"]
    colors = {line.get_color() for line in widget.ax.lines if len(line.get_xdata()) > 2}
    assert len(colors) == 2


def test_events_that_are_seen_are_drawn():
    recording, _ = make_recording()
    before = len(sw.plot_traces(recording, time_range=(0, 1)).ax.lines)
    widget = sw.plot_traces(recording, time_range=(0, 1), events=[0.25, 0.5, 1.5])
    assert len(widget.ax.lines) == before + 2
    spans = np.array([(0.25, 0.1)], [("time", "f8"), ("duration", "f8")])
    assert len(sw.plot_traces(recording, time_range=(0, 1), events=spans).ax.patches) == 1


def test_traces_that_are_not_there_are_errors(truth):
    recording, _ = make_recording()
    with pytest.raises(ParameterError, match="Nothing is recorded"):
        sw.plot_traces(recording, time_range=(7, 8))
    with pytest.raises(ParameterError, match="time_range"):
        sw.plot_traces(recording, time_range=(1, 1))
    with pytest.raises(ParameterError, match=r"gain|µV|microvolts|uV"):
        sw.plot_traces(recording, return_in_uV=True)
    with pytest.raises(ParameterError, match="c9"):
        sw.plot_traces(recording, channel_ids=["c9"])
    with pytest.raises(ParameterError, match="mode"):
        sw.plot_traces(recording, mode="lines")
    with pytest.raises(ParameterError, match="one recording"):
        sw.plot_traces([recording, recording], mode="map")
    with pytest.raises(ParameterError, match="2 segments"):
        sw.plot_traces(truth[0])
    with pytest.raises(ParameterError, match="Recordings are needed"):
        sw.plot_traces("a file")


def test_rasters_have_all_spikes_one_segment_after_the_other(truth, analyzer):
    _, sorting = truth
    widget = sw.plot_rasters(analyzer)
    rate, first = sorting.sampling_frequency, 4.0
    assert len(widget.ax.collections) == 4
    for row, dots in enumerate(widget.ax.collections):
        unit_id = str(row)
        trains = [sorting.get_unit_spike_train(unit_id, segment_index=k) for k in (0, 1)]
        wanted = np.concatenate([trains[0] / rate, first + trains[1] / rate])
        np.testing.assert_allclose(dots.get_offsets()[:, 0], wanted)
        assert set(dots.get_offsets()[:, 1]) == {row}
    (boundary,) = widget.ax.lines
    assert set(boundary.get_xdata()) == {4.0}
    assert widget.ax.get_xlim() == (0.0, 7.0)


def test_rasters_sort_by_depth_and_cut_times(analyzer):
    widget = sw.plot_rasters(analyzer, segment_indices=0, time_range=(1, 2), sort_by_depth=True)
    depths = analyzer.get_extension("unit_locations").get_data()[:, 1]
    assert widget.data.unit_ids == analyzer.unit_ids[np.argsort(depths)].tolist()
    assert all(((times >= 1) & (times <= 2)).all() for times in widget.data.times_s)
    assert widget.ax.get_xlim() == (1, 2)
    with pytest.raises(ParameterError, match="SortingAnalyzer"):
        sw.plot_rasters(analyzer.sorting, sort_by_depth=True)
    with pytest.raises(ParameterError, match="Segments are 0 to 1"):
        sw.plot_rasters(analyzer, segment_indices=2)


def test_a_single_segment_has_the_times_of_its_recording():
    recording, _ = make_recording()
    recording.shift_times(100.0)
    sorting = NumpySorting.from_unit_dict({"a": [500]}, FS)
    sorting.register_recording(recording)
    widget = sw.plot_rasters(sorting)
    assert widget.ax.collections[0].get_offsets()[0, 0] == pytest.approx(100.5)
    np.testing.assert_allclose(timeline_of(sorting).limits_s, (100.0, 102.0))


def test_amplitudes_are_those_of_the_extension(analyzer):
    widget = sw.plot_amplitudes(analyzer, unit_ids=["3", "1"], plot_histograms=True, bins=30)
    values = analyzer.get_extension("spike_amplitudes").get_data(
        outputs="by_unit", concatenated=True
    )
    over_time, beside = widget.axes.ravel()
    for dots, unit_id in zip(over_time.collections, ["3", "1"], strict=True):
        np.testing.assert_allclose(dots.get_offsets()[:, 1], values[unit_id])
    assert over_time.get_ylabel() == "amplitude (µV)"
    assert over_time.get_title(loc="right") == ""
    both = np.concatenate([values["3"], values["1"]])
    _, edges = np.histogram(both, 30)
    for stairs, unit_id in zip(beside.patches, ["3", "1"], strict=True):
        np.testing.assert_array_equal(
            stairs.get_data().values, np.histogram(values[unit_id], edges)[0]
        )


def test_amplitudes_say_how_many_are_shown_and_choose_the_same_again(analyzer):
    shown = [amplitudes_of(analyzer, max_spikes_per_unit=7) for _ in range(2)]
    for unit_id in analyzer.unit_ids:
        assert len(shown[0].amplitudes[unit_id]) == 7
        np.testing.assert_array_equal(shown[0].times_s[unit_id], shown[1].times_s[unit_id])
    n_all = analyzer.sorting.count_total_num_spikes()
    note = sw.plot_amplitudes(analyzer, max_spikes_per_unit=7).ax.get_title(loc="right")
    assert note == f"28 of {n_all} spikes shown"
    with pytest.raises(ParameterError, match="scatter_decimate"):
        amplitudes_of(analyzer, scatter_decimate=0)


def test_distributions_stand_side_by_side(analyzer):
    widget = sw.plot_all_amplitudes_distributions(analyzer)
    values = analyzer.get_extension("spike_amplitudes").get_data(
        outputs="by_unit", concatenated=True
    )
    assert len(widget.ax.collections) == len(widget.ax.lines) == 4
    for place, (line, amplitudes) in enumerate(zip(widget.ax.lines, values.values(), strict=True)):
        np.testing.assert_allclose(line.get_ydata(), np.median(amplitudes))
        assert line.get_xdata().mean() == pytest.approx(place)


def test_correlograms_are_those_of_the_extension(analyzer):
    counts, edges = analyzer.get_extension("correlograms").get_data()
    widget = sw.plot_crosscorrelograms(analyzer, unit_ids=["2", "0"])
    order = [2, 0]
    for row in range(2):
        for column in range(2):
            (stairs,) = widget.axes[row, column].patches
            drawn = stairs.get_data()
            np.testing.assert_array_equal(drawn.values, counts[order[row], order[column]])
            np.testing.assert_array_equal(drawn.edges, edges)
    assert widget.axes[1, 0].get_xlabel() == "lag (ms)"
    own = sw.plot_autocorrelograms(analyzer, unit_ids=["2"])
    np.testing.assert_array_equal(own.ax.patches[0].get_data().values, counts[2, 2])


def test_correlograms_of_a_sorting_have_the_window_asked_for(truth):
    _, sorting = truth
    counts, edges = compute_correlograms(sorting, 20.0, 2.0)
    widget = sw.plot_crosscorrelograms(sorting, window_ms=20.0, bin_ms=2.0)
    np.testing.assert_array_equal(widget.data.counts, counts)
    own = sw.plot_autocorrelograms(sorting, window_ms=20.0, bin_ms=2.0)
    np.testing.assert_array_equal(own.data.counts, counts[np.arange(4), np.arange(4)])
    np.testing.assert_array_equal(own.data.edges_ms, edges)


def test_too_many_pairs_are_an_error():
    sorting = NumpySorting.from_unit_dict({k: [10 * k] for k in range(31)}, 30000.0)
    with pytest.raises(ParameterError, match="do not fit"):
        sw.plot_crosscorrelograms(sorting)


def test_intervals_are_counted_as_elsewhere(truth):
    _, sorting = truth
    counts, edges = compute_isi_histograms(sorting, 40.0, 2.0)
    widget = sw.plot_isi_distribution(sorting, unit_ids=["1", "3"], window_ms=40.0, bin_ms=2.0)
    for ax, row in zip(widget.axes.ravel(), (1, 3), strict=True):
        drawn = ax.patches[0].get_data()
        np.testing.assert_array_equal(drawn.values, counts[row])
        np.testing.assert_array_equal(drawn.edges, edges)
        assert ax.get_title() == f"unit {row}"


def test_presence_counts_each_spike_once(truth):
    _, sorting = truth
    widget = sw.plot_unit_presence(sorting, 1, bin_duration_s=0.25, smooth_sigma=None)
    counts = widget.data.rates_hz * 0.25
    for row, unit_id in enumerate(sorting.unit_ids):
        train = sorting.get_unit_spike_train(unit_id, segment_index=1)
        times = train / sorting.sampling_frequency
        np.testing.assert_allclose(counts[row], np.histogram(times, widget.data.edges_s)[0])
    np.testing.assert_array_equal(widget.ax.images[0].get_array(), widget.data.rates_hz)
    assert widget.figure.axes[1].get_ylabel() == "firing rate (Hz)"
    widget.figure.canvas.draw()
    with pytest.raises(ParameterError, match="2 segments"):
        sw.plot_unit_presence(sorting)
    with pytest.raises(ParameterError, match="bin_duration_s"):
        sw.plot_unit_presence(sorting, 0, bin_duration_s=0)
