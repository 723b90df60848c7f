"""What all plots have in common: they draw, are labelled, and say what is wrong."""

import re
import sys

import numpy as np
import pytest

import spikeloom.widgets as sw
from spikeloom.comparison import compare_sorter_to_ground_truth
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import MissingDependencyError, MissingExtensionError, ParameterError
from spikeloom.widgets.figures import panels_in

UNIT = re.compile(r"\((s|ms|µV|µm|Hz|0 to 1|.* ms each)\)$")
UNITLESS = ("unit", "spikes", "spike pairs", "intervals", "waveforms", "channel", "8 channels")

OF_ANALYZER = {
    "plot_all_amplitudes_distributions": "spike_amplitudes",
    "plot_amplitudes": "spike_amplitudes",
    "plot_autocorrelograms": "auto_correlograms",
    "plot_crosscorrelograms": "correlograms",
    "plot_spike_locations": "spike_locations",
    "plot_template_similarity": "template_similarity",
    "plot_unit_depths": "unit_locations",
    "plot_unit_locations": "unit_locations",
    "plot_unit_templates": "templates",
    "plot_unit_waveforms": "templates",
    "plot_unit_waveforms_density_map": "waveforms",
}
OF_SORTING = ["plot_isi_distribution", "plot_rasters"]


@pytest.mark.parametrize("name", [*OF_ANALYZER, *OF_SORTING])
def test_it_draws_an_analyzer(analyzer, name):
    widget = getattr(sw, name)(analyzer)
    assert widget.figure is panels_in(widget.axes)[0].figure
    assert widget.axes.ndim == 2
    for ax in panels_in(widget.axes):
        texts = [ax.get_xlabel(), ax.get_ylabel()]
        for text in filter(None, texts):
            last = text.splitlines()[-1]
            assert UNIT.search(last) or last.startswith(UNITLESS), text
        assert any(texts) or name == "plot_crosscorrelograms"
    widget.figure.canvas.draw()  # what cannot be laid out warns here


@pytest.mark.parametrize("name", [*OF_SORTING, "plot_autocorrelograms", "plot_crosscorrelograms"])
def test_it_draws_a_sorting(truth, name):
    _, sorting = truth
    getattr(sw, name)(sorting).figure.canvas.draw()


@pytest.mark.parametrize(("name", "extension"), OF_ANALYZER.items())
def test_what_was_not_computed_is_named(bare_analyzer, name, extension):
    with pytest.raises(MissingExtensionError, match=re.escape(f"compute('{extension}')")):
        getattr(sw, name)(bare_analyzer)


@pytest.mark.parametrize("name", ["plot_quality_metrics", "plot_template_metrics"])
def test_metrics_that_were_not_computed_are_named(bare_analyzer, name):
    with pytest.raises(MissingExtensionError, match=name.removeprefix("plot_")):
        getattr(sw, name)(bare_analyzer)


@pytest.mark.parametrize("name", sorted({*OF_ANALYZER, *OF_SORTING} - {"plot_unit_depths"}))
def test_unknown_and_repeated_units_are_errors(analyzer, name):
    plot = getattr(sw, name)
    with pytest.raises(ParameterError, match="no units"):
        plot(analyzer, unit_ids=["0", "none"])
    with pytest.raises(ParameterError, match="more than once"):
        plot(analyzer, unit_ids=["0", "0"])
    with pytest.raises(ParameterError, match="no units to show"):
        plot(analyzer, unit_ids=[])


@pytest.mark.parametrize("name", [one for one in OF_ANALYZER if "similarity" not in one])
def test_units_without_a_colour_are_errors(analyzer, name):
    with pytest.raises(ParameterError, match="no colour for the units"):
        getattr(sw, name)(analyzer, unit_colors={"0": "red"})


@pytest.mark.parametrize("name", [*OF_ANALYZER, *OF_SORTING])
def test_something_else_than_an_analyzer_is_an_error(name):
    with pytest.raises(ParameterError, match=r"needs? a|are needed"):
        getattr(sw, name)("a folder")


def test_a_backend_or_an_argument_that_there_is_not_is_an_error(analyzer):
    with pytest.raises(ParameterError, match="backend='plotly'"):
        sw.plot_rasters(analyzer, backend="plotly")
    with pytest.raises(ParameterError, match="no argument 'colour'"):
        sw.plot_rasters(analyzer, colour="red")
    with pytest.raises(ParameterError, match="matplotlib"):
        sw.set_default_plotter_backend("sortingview")
    assert sw.get_default_plotter_backend() == "matplotlib"


def test_it_draws_where_it_is_told_to(analyzer):
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2)
    widget = sw.plot_rasters(analyzer, ax=right)
    assert widget.ax is right
    assert widget.figure is figure
    assert right.has_data()
    assert not left.has_data()
    other = plt.figure()
    widget = sw.plot_amplitudes(analyzer, figure=other, plot_histograms=True, figtitle="Title")
    assert widget.figure is other
    assert widget.ax is None
    assert len(other.axes) == 2
    assert other.get_suptitle() == "Title"
    widget = sw.plot_amplitudes(analyzer, axes=[left, right], plot_histograms=True)
    assert widget.axes.shape == (1, 2)
    with pytest.raises(ParameterError, match="has 4 axes; got 1"):
        sw.plot_autocorrelograms(analyzer, ax=left)
    with pytest.raises(ParameterError, match="Only one of figure"):
        sw.plot_rasters(analyzer, ax=left, figure=figure)


def test_size_and_columns_of_a_figure_are_those_asked_for(analyzer):
    widget = sw.plot_autocorrelograms(analyzer, ncols=3, figsize=(7, 5))
    assert widget.axes.shape == (2, 3)
    assert widget.axes[1, 1] is None
    assert widget.figure.get_size_inches().tolist() == [7, 5]


def test_without_matplotlib_it_says_what_to_install(analyzer, monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=r"spikeloom\[widgets\]"):
        sw.plot_rasters(analyzer)


def test_the_room_does_not_import_matplotlib():
    import subprocess

    code = (
        "import sys, spikeloom.widgets as sw; [getattr(sw, n) for n in sw.__all__];"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_units_of_one_analyzer_have_the_same_colours_in_all_plots(analyzer):
    from matplotlib.colors import to_hex

    colors = sw.get_unit_colors(analyzer)
    dots = sw.plot_amplitudes(analyzer, unit_ids=["2"]).ax.collections[0]
    assert to_hex(dots.get_facecolor()[0]) == colors["2"]
    bars = sw.plot_autocorrelograms(analyzer, unit_ids=["2"]).ax.patches[0]
    assert to_hex(bars.get_facecolor()) == colors["2"]


def test_summaries_have_all_parts_or_say_what_is_missing(analyzer, bare_analyzer):
    widget = sw.plot_unit_summary(analyzer, "1")
    assert sorted(widget.data) == [
        "amplitudes",
        "autocorrelograms",
        "isi_distribution",
        "unit_locations",
        "unit_waveform_density_map",
        "unit_waveforms",
    ]
    assert all(shown.unit_ids == ["1"] for shown in widget.data.values())
    widget.figure.canvas.draw()
    empty = sw.plot_unit_summary(bare_analyzer, "1")
    assert list(empty.data) == ["isi_distribution"]
    texts = [text.get_text() for ax in empty.figure.axes for text in ax.texts]
    assert "compute('spike_amplitudes')" in texts
    with pytest.raises(ParameterError, match="no units"):
        sw.plot_unit_summary(analyzer, "none")
    with pytest.raises(ParameterError, match="parts of a summary"):
        sw.plot_unit_summary(analyzer, "1", subwidget_kwargs={"acg": {}})


def test_a_unit_without_spikes_is_drawn(truth):
    recording, _ = truth
    sorting = NumpySorting.from_unit_dict(
        [{"a": [1000, 2000, 9000], "b": []}, {"a": [4000], "b": []}], recording.sampling_frequency
    )
    for name in (*OF_SORTING, "plot_autocorrelograms", "plot_crosscorrelograms"):
        getattr(sw, name)(sorting).figure.canvas.draw()
    from spikeloom.analyzer import create_sorting_analyzer

    analyzer = create_sorting_analyzer(sorting, recording, sparse=False, progress_bar=False)
    analyzer.compute(["random_spikes", "waveforms", "templates"], progress_bar=False)
    analyzer.compute("spike_amplitudes", progress_bar=False)
    for plot in (
        sw.plot_amplitudes,
        sw.plot_all_amplitudes_distributions,
        sw.plot_unit_waveforms,
        sw.plot_unit_templates,
        sw.plot_unit_waveforms_density_map,
    ):
        plot(analyzer).figure.canvas.draw()


def test_comparisons_are_drawn_as_they_are(truth):
    _, sorting = truth
    tested = sorting.select_units(["2", "1"]).rename_units(["x", "y"])
    comparison = compare_sorter_to_ground_truth(sorting, tested)
    widget = sw.plot_agreement_matrix(comparison, ordered=False)
    np.testing.assert_array_equal(
        widget.ax.images[0].get_array(), comparison.agreement_scores.to_numpy()
    )
    assert [one.get_text() for one in widget.ax.get_xticklabels()] == ["x", "y"]
    assert [one.get_text() for one in widget.ax.get_yticklabels()] == ["0", "1", "2", "3"]
    assert sum(text.get_text() == "1.00" for text in widget.ax.texts) == 2
    widget = sw.plot_confusion_matrix(comparison)
    confusion = comparison.get_confusion_matrix()
    np.testing.assert_array_equal(widget.ax.images[0].get_array(), confusion.to_numpy())
    assert len(widget.ax.texts) == np.count_nonzero(confusion.to_numpy())
    assert widget.ax.get_xlabel() == "unit of tested"
    widget.figure.canvas.draw()
    with pytest.raises(ParameterError, match="comparison of two sortings"):
        sw.plot_agreement_matrix(sorting)
    with pytest.raises(ParameterError, match="comparison with the truth"):
        sw.plot_confusion_matrix(sorting)
