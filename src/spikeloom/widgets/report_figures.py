"""The figures of a report that show all units at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.widgets.amplitudes import plot_all_amplitudes_distributions
from spikeloom.widgets.correlograms import plot_autocorrelograms, plot_crosscorrelograms
from spikeloom.widgets.figures import open_panels, panels_in
from spikeloom.widgets.locations import plot_unit_locations
from spikeloom.widgets.marks import bare, shown_of
from spikeloom.widgets.metrics import metric_table_of
from spikeloom.widgets.probe_map import plot_probe_map
from spikeloom.widgets.rasters import plot_rasters
from spikeloom.widgets.template_similarity import plot_template_similarity, similarity_of
from spikeloom.widgets.timeline import timeline_of
from spikeloom.widgets.unit_depths import plot_unit_depths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spikeloom.analyzer.analyzer import SortingAnalyzer

_N_SPIKES_IN_RASTER = 30_000
"""More spikes than this make a raster black."""

_N_UNITS_CROSSED = 8
"""More units than this give more pairs than anyone looks at."""

_N_CHANNELS_NAMED = 64
"""More channels than this have no room for their ids on a probe."""

_N_VIOLINS = 100
"""More units than this have no room for a distribution each."""

Draw = Callable[["SortingAnalyzer", "Figure"], str]
"""Draws into an empty figure; returns what else is to be known."""


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure of all units."""

    name: str
    """Name of its file, without an ending."""
    title: str
    """What it shows."""
    draw: Draw
    """Draws it."""
    needs: tuple[str, ...] = ()
    """Extensions that it is made of."""
    size_in: tuple[float, float] = (8.0, 5.0)
    """Width and height in inches."""
    width: str = "half"
    """Share of a page that it takes: "third", "half" or "whole"."""


def report_figures(analyzer: "SortingAnalyzer") -> list[ReportFigure]:
    """Return the figures for an analyzer with these units and channels, whatever was computed.

    Parameters
    ----------
    analyzer : SortingAnalyzer
        Of which the figures will be.

    Returns
    -------
    list of ReportFigure
        In the order of a report.
    """
    n_units = analyzer.get_num_units()
    figures = [
        ReportFigure("probe_map", "Probe", _probe, size_in=(5, 7), width="third"),
        ReportFigure(
            "unit_locations",
            "Units on the probe",
            _unit_locations,
            ("unit_locations",),
            size_in=(5, 7),
            width="third",
        ),
        ReportFigure(
            "unit_depths",
            "Depths and amplitudes of units",
            _unit_depths,
            ("unit_locations", "templates"),
            size_in=(5, 7),
            width="third",
        ),
        ReportFigure("rasters", "Spikes", _raster, size_in=(15, 5), width="whole"),
        ReportFigure(
            "amplitudes_distribution",
            "Amplitudes of spikes",
            _amplitudes,
            ("spike_amplitudes",),
            size_in=(15, 4.5),
            width="whole",
        ),
        ReportFigure(
            "quality_metrics",
            "Distributions of quality metrics",
            _metric_histograms,
            ("quality_metrics",),
            size_in=(15, 8),
            width="whole",
        ),
        ReportFigure(
            "template_similarity",
            "Similarity of templates",
            _similarity,
            ("template_similarity",),
            size_in=(7.5, 6.5),
        ),
        ReportFigure(
            "crosscorrelograms",
            "Correlograms",
            _correlograms,
            ("correlograms",),
            size_in=(7.5, 6.5),
        ),
    ]
    if n_units > _N_VIOLINS:
        figures = [one for one in figures if one.name != "amplitudes_distribution"]
    return figures


def _probe(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    n_channels = analyzer.get_num_channels()
    plot_probe_map(analyzer, with_channel_ids=n_channels <= _N_CHANNELS_NAMED, figure=figure)
    return f"{n_channels} channels."


def _unit_locations(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    plot_unit_locations(analyzer, figure=figure)
    params = analyzer.get_extension("unit_locations").params or {}  # type: ignore[union-attr]
    return f"Estimated by {str(params.get('method', 'an unknown method')).replace('_', ' ')}."


def _unit_depths(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    plot_unit_depths(analyzer, figure=figure)
    return "Of templates, on the main channels."


def _raster(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    first_s, last_s = timeline_of(analyzer).limits_s
    n_spikes = analyzer.sorting.spike_table().n_spikes
    share = min(1.0, _N_SPIKES_IN_RASTER / max(n_spikes, 1))
    end_s = first_s + share * (last_s - first_s)
    has_depths = analyzer.get_loaded("unit_locations") is not None
    plot_rasters(analyzer, time_range=(first_s, end_s), sort_by_depth=has_depths, figure=figure)
    order = (
        "By depth: units with the largest y are at the top." if has_depths else "In their order."
    )
    if share == 1.0:
        return order
    return f"{order} The first {end_s - first_s:.4g} of {last_s - first_s:.4g} s are shown."


def _amplitudes(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    plot_all_amplitudes_distributions(analyzer, figure=figure)
    return "The line in each is the median."


def _metric_histograms(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    shown = metric_table_of(analyzer, "quality_metrics")
    n = len(shown.names)
    n_columns = 6
    figure.set_size_inches(15, 2.1 * -(-n // n_columns) + 0.3)
    panels = open_panels(None, {"figure": figure}, n, n_columns)
    for place, ax in enumerate(panels_in(panels)):
        values = shown.values[:, place]
        values = values[np.isfinite(values)]
        ax.hist(values, bins=int(np.clip(len(values) // 2, 5, 30)), color="gray")
        ax.set_xlabel(shown.label(place), fontsize="small")
        ax.tick_params(labelsize="x-small")
        ax.locator_params(axis="x", nbins=4)
        bare(ax)
        if place % n_columns == 0:
            ax.set_ylabel("units", fontsize="small")
    absent = f" Without a number: {', '.join(shown.left_out)}." if shown.left_out else ""
    return f"Each over {len(shown.unit_ids)} units.{absent}"


def _similarity(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    plot_template_similarity(analyzer, figure=figure)
    return "1 for templates of the same shape."


def _correlograms(analyzer: "SortingAnalyzer", figure: "Figure") -> str:
    units = _most_alike(analyzer)
    plot = plot_crosscorrelograms if len(units) > 1 else plot_autocorrelograms
    plot(analyzer, unit_ids=units, figure=figure)
    n_units = analyzer.get_num_units()
    some = shown_of(len(units), n_units, "units")
    if not some:
        return "Of all pairs of units."
    how = "the most alike" if analyzer.get_loaded("template_similarity") else "the first"
    return f"{some}: {how}."


def _most_alike(analyzer: "SortingAnalyzer") -> list[Any]:
    """Return a few units whose templates are most alike, in the order of units."""
    unit_ids: list[Any] = analyzer.unit_ids.tolist()
    if len(unit_ids) <= _N_UNITS_CROSSED:
        return unit_ids
    if analyzer.get_loaded("template_similarity") is None:
        return unit_ids[:_N_UNITS_CROSSED]
    similarity = np.triu(similarity_of(analyzer).similarity, 1)
    chosen: set[int] = set()
    for pair in np.argsort(-similarity, axis=None, kind="stable"):
        both = {int(place) for place in np.unravel_index(pair, similarity.shape)}
        if len(chosen | both) > _N_UNITS_CROSSED:
            break
        chosen |= both
    return [unit_ids[place] for place in sorted(chosen)]
