"""Amplitudes of spikes: over time, and how they are distributed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import BOUNDARY, bare, note, shown_of, unit_legend, unit_ticks
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of, voltage_unit
from spikeloom.widgets.spike_points import count_shown, spikes_of_units
from spikeloom.widgets.timeline import Timeline, timeline_of
from spikeloom.widgets.unit_colors import Color, checked_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class SpikeAmplitudes:
    """Amplitudes of the spikes of units, over time."""

    unit_ids: list[Any]
    """The units."""
    times_s: dict[Any, NDArray[np.float64]]
    """When the spikes of a unit are."""
    amplitudes: dict[Any, NDArray[Any]]
    """How large they are, in `unit`."""
    unit: str
    """What amplitudes are in."""
    n_shown: int
    """Spikes that are shown."""
    n_all: int
    """Spikes that there are."""
    timeline: Timeline
    """Where segments lie."""


def amplitudes_of(
    source: Any,
    unit_ids: Iterable[Any] | None = None,
    segment_indices: Any = None,
    max_spikes_per_unit: int | None = None,
    scatter_decimate: int = 1,
) -> SpikeAmplitudes:
    """Return amplitudes of spikes over time; arguments as for `plot_amplitudes`.

    Raises
    ------
    MissingExtensionError
        If the extension "spike_amplitudes" was not computed.
    ParameterError
        If there is no such unit or segment.
    """
    analyzer = analyzer_of(source)
    values = extension_of(analyzer, "spike_amplitudes").get_data()
    listed, _ = chosen_units(analyzer, unit_ids)
    timeline = timeline_of(analyzer, segment_indices)
    found = spikes_of_units(analyzer, timeline, listed, max_spikes_per_unit)
    spikes = {unit_id: some.every(scatter_decimate) for unit_id, some in found.items()}
    return SpikeAmplitudes(
        listed,
        {unit_id: some.times_s for unit_id, some in spikes.items()},
        {unit_id: values[some.rows] for unit_id, some in spikes.items()},
        voltage_unit(analyzer.return_in_uV),
        *count_shown(spikes),
        timeline,
    )


def plot_amplitudes(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    unit_colors: Mapping[Any, Color] | None = None,
    segment_indices: int | Sequence[int] | None = None,
    max_spikes_per_unit: int | None = None,
    y_lim: tuple[float, float] | None = None,
    scatter_decimate: int = 1,
    plot_histograms: bool = False,
    bins: int | None = None,
    plot_legend: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot the amplitudes of spikes over time.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "spike_amplitudes".
    unit_ids : list, optional
        Units; all by default.
    unit_colors : dict, optional
        Colour of each unit.
    segment_indices : int or list of int, optional
        Segments, drawn one after the other; all by default.
    max_spikes_per_unit : int, optional
        As many spikes of a unit as this, always the same; all by default.
    y_lim : (float, float), optional
        Lowest and highest amplitude.
    scatter_decimate : int, default 1
        Show each spike, each second spike, and so on.
    plot_histograms : bool, default False
        Show how amplitudes are distributed, too.
    bins : int, optional
        Bins from the lowest to the highest amplitude; by default as suits the number of spikes.
    plot_legend : bool, default True
        Say which unit has which colour.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If the extension "spike_amplitudes" was not computed.
    ParameterError
        If there is no such unit or segment.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "templates", "spike_amplitudes"], progress_bar=False)
    >>> plot_amplitudes(analyzer, figure=Figure())
    Widget: 1 axes
    """
    shown = amplitudes_of(
        sorting_analyzer, unit_ids, segment_indices, max_spikes_per_unit, scatter_decimate
    )
    colors = checked_colors(unit_colors, analyzer_of(sorting_analyzer), shown.unit_ids)
    n_panels = 2 if plot_histograms else 1
    panels = open_panels(backend, backend_kwargs, n_panels, figsize=(4 + 4 * n_panels, 4))
    axes = panels_in(panels)
    _draw_over_time(axes[0], shown, colors)
    if y_lim is not None:
        axes[0].set_ylim(*y_lim)
    if plot_histograms:
        _draw_histograms(axes[1], shown, colors, bins)
        axes[1].set_ylim(axes[0].get_ylim())
    if plot_legend:
        unit_legend(axes[n_panels - 1], shown.unit_ids, colors)
    return drawn(panels, shown)


def _draw_over_time(ax: "Axes", shown: SpikeAmplitudes, colors: Mapping[Any, Color]) -> None:
    for unit_id in shown.unit_ids:
        points = shown.times_s[unit_id], shown.amplitudes[unit_id]
        ax.scatter(*points, s=3, linewidths=0, color=colors[unit_id], rasterized=True)
    for boundary in shown.timeline.boundaries_s:
        ax.axvline(boundary, **BOUNDARY)
    ax.set_xlim(*shown.timeline.limits_s)
    ax.set_xlabel("time (s)")
    ax.set_ylabel(f"amplitude ({shown.unit})")
    note(ax, shown_of(shown.n_shown, shown.n_all, "spikes"))
    bare(ax)


def _draw_histograms(
    ax: "Axes", shown: SpikeAmplitudes, colors: Mapping[Any, Color], n_bins: int | None
) -> None:
    # The same bins for all units, or heights could not be compared.
    _, edges = amplitude_histogram(np.concatenate(list(shown.amplitudes.values())), n_bins)
    for unit_id in shown.unit_ids:
        counts, _ = np.histogram(shown.amplitudes[unit_id], edges)
        ax.stairs(counts, edges, orientation="horizontal", color=colors[unit_id])
    ax.set_xlim(left=0)
    ax.set_xlabel("spikes")
    ax.set_ylabel(f"amplitude ({shown.unit})")
    bare(ax)


def amplitude_histogram(
    amplitudes: NDArray[Any], n_bins: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and edges of bins of the amplitudes of a unit.

    Parameters
    ----------
    amplitudes : ndarray of shape (n_spikes,)
        In any unit.
    n_bins : int, optional
        By default 20 to 100, as suits the number of spikes.

    Returns
    -------
    counts : ndarray of shape (n_bins,) and dtype int64
    edges : ndarray of shape (n_bins + 1,) and dtype float64

    Examples
    --------
    >>> amplitude_histogram(np.array([1.0, 1.0, 3.0]), 2)
    (array([2, 1]), array([1., 2., 3.]))
    """
    chosen = int(np.clip(len(amplitudes) / 15, 20, 100)) if n_bins is None else n_bins
    counts, edges = np.histogram(np.asarray(amplitudes, np.float64), bins=chosen)
    return counts.astype(np.int64), edges


def plot_all_amplitudes_distributions(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how the amplitudes of each unit are distributed, unit beside unit.

    A violin is as wide as amplitudes are frequent, its widest place always the same; the line in it
    is the median.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "spike_amplitudes".
    unit_ids : list, optional
        Units; all by default.
    unit_colors : dict, optional
        Colour of each unit.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If the extension "spike_amplitudes" was not computed.
    ParameterError
        If there is no such unit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "templates", "spike_amplitudes"], progress_bar=False)
    >>> plot_all_amplitudes_distributions(analyzer, figure=Figure())
    Widget: 1 axes
    """
    shown = amplitudes_of(sorting_analyzer, unit_ids)
    colors = checked_colors(unit_colors, analyzer_of(sorting_analyzer), shown.unit_ids)
    width = float(np.clip(0.4 * len(shown.unit_ids), 5, 20))
    panels = open_panels(backend, backend_kwargs, figsize=(width, 4))
    (ax, *_) = panels_in(panels)
    for place, unit_id in enumerate(shown.unit_ids):
        amplitudes = shown.amplitudes[unit_id]
        if not len(amplitudes):
            continue
        counts, edges = amplitude_histogram(amplitudes)
        half = 0.45 * np.repeat(counts / counts.max(), 2)
        steps = np.repeat(edges, 2)[1:-1]
        ax.fill_betweenx(steps, place - half, place + half, color=colors[unit_id], linewidth=0)
        middle = float(np.median(amplitudes))
        ax.plot([place - 0.45, place + 0.45], [middle, middle], color="black", linewidth=1)
    unit_ticks(ax, shown.unit_ids, on_x=True)
    ax.set_xlim(-0.6, len(shown.unit_ids) - 0.4)
    ax.set_xlabel("unit")
    ax.set_ylabel(f"amplitude ({shown.unit})")
    bare(ax)
    return drawn(panels, shown)
