"""Where units and their spikes are on the probe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import note, shown_of, unit_legend
from spikeloom.widgets.probe_map import ProbeOutlines, draw_probes, frame, probe_outlines_of
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of
from spikeloom.widgets.spike_points import count_shown, spikes_of_units
from spikeloom.widgets.timeline import timeline_of
from spikeloom.widgets.unit_colors import Color, checked_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGSIZE = (5.5, 7.0)
OTHERS = "lightgray"
"""Colour of units that are not among those chosen."""


@dataclass(frozen=True, eq=False)
class UnitLocations:
    """Where units are."""

    unit_ids: list[Any]
    """The chosen units."""
    locations_um: NDArray[np.float64]
    """x and y of each; shape (n_units, 2)."""
    others_um: NDArray[np.float64]
    """x and y of all other units; shape (n_others, 2)."""
    probes: ProbeOutlines
    """Where channels are."""


def unit_locations_of(source: Any, unit_ids: Iterable[Any] | None = None) -> UnitLocations:
    """Return where units are; a unit that could not be located is where its main channel is.

    Raises
    ------
    MissingExtensionError
        If the extension "unit_locations" was not computed.
    ParameterError
        If there is no such unit.
    """
    analyzer = analyzer_of(source)
    found = np.array(extension_of(analyzer, "unit_locations").get_data()[:, :2], np.float64)
    listed, positions = chosen_units(analyzer, unit_ids)
    probes = probe_outlines_of(analyzer)
    lost = ~np.isfinite(found).all(axis=1)
    if lost.any():
        found[lost] = probes.locations_um[analyzer.get_main_channels()[lost]]
    others = np.delete(found, positions, axis=0)
    return UnitLocations(listed, found[positions], others, probes)


def plot_unit_locations(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    with_channel_ids: bool = False,
    unit_colors: Mapping[Any, Color] | None = None,
    plot_all_units: bool = True,
    plot_legend: bool = False,
    hide_axis: bool = False,
    backend: str | None = None,
    margin: float = 50,
    **backend_kwargs: Any,
) -> Widget:
    """Plot where units are on the probe.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "unit_locations".
    unit_ids : list, optional
        Units; all by default.
    with_channel_ids : bool, default False
        Write the id of its channel on each contact.
    unit_colors : dict, optional
        Colour of each unit.
    plot_all_units : bool, default True
        Show the other units in grey.
    plot_legend : bool, default False
        Say which unit has which colour.
    hide_axis : bool, default False
        Leave the axes away.
    backend : str, optional
        Only "matplotlib".
    margin : float, default 50
        Micrometres around contacts and units.
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If the extension "unit_locations" was not computed.
    ParameterError
        If there is no such unit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "templates", "unit_locations"], progress_bar=False)
    >>> plot_unit_locations(analyzer, figure=Figure())
    Widget: 1 axes
    """
    shown = unit_locations_of(sorting_analyzer, unit_ids)
    colors = checked_colors(unit_colors, analyzer_of(sorting_analyzer), shown.unit_ids)
    panels = open_panels(backend, backend_kwargs, figsize=FIGSIZE)
    (ax, *_) = panels_in(panels)
    draw_probes(ax, shown.probes, with_channel_ids=with_channel_ids)
    points = [shown.probes.locations_um, shown.locations_um]
    if plot_all_units and len(shown.others_um):
        x_um, y_um = shown.others_um.T
        ax.scatter(x_um, y_um, s=60, color=OTHERS, edgecolors="gray", zorder=3, alpha=0.8)
        points.append(shown.others_um)
    own = [colors[unit_id] for unit_id in shown.unit_ids]
    x_um, y_um = shown.locations_um.T
    ax.scatter(x_um, y_um, s=80, c=own, edgecolors="black", linewidths=0.6, zorder=5)
    frame(ax, np.concatenate(points), margin)
    _finish(ax, shown.unit_ids, colors, with_legend=plot_legend, hide_axis=hide_axis)
    return drawn(panels, shown)


@dataclass(frozen=True, eq=False)
class SpikeLocations:
    """Where spikes are."""

    unit_ids: list[Any]
    """The chosen units."""
    locations_um: dict[Any, NDArray[np.float64]]
    """x and y of the spikes of each; shape (n_shown, 2)."""
    others_um: NDArray[np.float64]
    """x and y of spikes of all other units; shape (n_others, 2)."""
    n_shown: int
    """Spikes of the chosen units that are shown."""
    n_all: int
    """Spikes of the chosen units."""
    probes: ProbeOutlines
    """Where channels are."""


def spike_locations_of(
    source: Any,
    unit_ids: Iterable[Any] | None = None,
    segment_index: int | None = None,
    max_spikes_per_unit: int | None = 500,
) -> SpikeLocations:
    """Return where spikes are; arguments as for `plot_spike_locations`.

    Raises
    ------
    MissingExtensionError
        If the extension "spike_locations" was not computed.
    ParameterError
        If there is no such unit or segment.
    """
    analyzer = analyzer_of(source)
    values = extension_of(analyzer, "spike_locations").get_data()
    places = np.stack([values["x"], values["y"]], axis=1).astype(np.float64)
    listed, _ = chosen_units(analyzer, unit_ids)
    timeline = timeline_of(analyzer, segment_index)
    spikes = spikes_of_units(analyzer, timeline, None, max_spikes_per_unit)
    chosen = {unit_id: spikes.pop(unit_id) for unit_id in listed}
    others = [places[some.rows] for some in spikes.values()]
    return SpikeLocations(
        listed,
        {unit_id: places[some.rows] for unit_id, some in chosen.items()},
        np.concatenate([np.zeros((0, 2)), *others]),
        *count_shown(chosen),
        probe_outlines_of(analyzer),
    )


def plot_spike_locations(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    segment_index: int | None = None,
    max_spikes_per_unit: int | None = 500,
    with_channel_ids: bool = False,
    unit_colors: Mapping[Any, Color] | None = None,
    plot_all_units: bool = True,
    plot_legend: bool = False,
    hide_axis: bool = False,
    backend: str | None = None,
    margin: float = 50,
    **backend_kwargs: Any,
) -> Widget:
    """Plot where spikes are on the probe.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "spike_locations".
    unit_ids : list, optional
        Units; all by default.
    segment_index : int, optional
        A segment; all by default.
    max_spikes_per_unit : int, default 500
        As many spikes of a unit as this, always the same; None for all.
    with_channel_ids : bool, default False
        Write the id of its channel on each contact.
    unit_colors : dict, optional
        Colour of each unit.
    plot_all_units : bool, default True
        Show spikes of the other units in grey.
    plot_legend : bool, default False
        Say which unit has which colour.
    hide_axis : bool, default False
        Leave the axes away.
    backend : str, optional
        Only "matplotlib".
    margin : float, default 50
        Micrometres around contacts; spikes further away are outside.
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If the extension "spike_locations" was not computed.
    ParameterError
        If there is no such unit or segment.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "templates", "spike_locations"], progress_bar=False)
    >>> plot_spike_locations(analyzer, figure=Figure())
    Widget: 1 axes
    """
    shown = spike_locations_of(sorting_analyzer, unit_ids, segment_index, max_spikes_per_unit)
    colors = checked_colors(unit_colors, analyzer_of(sorting_analyzer), shown.unit_ids)
    panels = open_panels(backend, backend_kwargs, figsize=FIGSIZE)
    (ax, *_) = panels_in(panels)
    draw_probes(ax, shown.probes, with_channel_ids=with_channel_ids)
    dots: dict[str, Any] = {"s": 4, "linewidths": 0, "rasterized": True}
    if plot_all_units and len(shown.others_um):
        x_um, y_um = shown.others_um.T
        ax.scatter(x_um, y_um, color=OTHERS, zorder=3, **dots)
    for unit_id, places in shown.locations_um.items():
        ax.scatter(places[:, 0], places[:, 1], color=colors[unit_id], zorder=4, **dots)
    frame(ax, shown.probes.locations_um, margin)
    note(ax, shown_of(shown.n_shown, shown.n_all, "spikes"))
    _finish(ax, shown.unit_ids, colors, with_legend=plot_legend, hide_axis=hide_axis)
    return drawn(panels, shown)


def _finish(
    ax: "Axes",
    unit_ids: list[Any],
    colors: Mapping[Any, Color],
    *,
    with_legend: bool,
    hide_axis: bool,
) -> None:
    if with_legend:
        unit_legend(ax, unit_ids, colors)
    if hide_axis:
        ax.axis("off")
