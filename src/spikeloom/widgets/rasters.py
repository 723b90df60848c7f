"""Spikes over time, a row for each unit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import BOUNDARY, bare, unit_ticks
from spikeloom.widgets.sources import chosen_units, extension_of, sorting_of
from spikeloom.widgets.spike_points import spikes_of_units
from spikeloom.widgets.timeline import timeline_of
from spikeloom.widgets.unit_colors import Color


@dataclass(frozen=True, eq=False)
class Raster:
    """Spikes over time, a row for each unit."""

    unit_ids: list[Any]
    """Units from the lowest row to the highest."""
    times_s: list[NDArray[np.float64]]
    """Times of the spikes of each unit."""
    limits_s: tuple[float, float]
    """What is shown."""
    boundaries_s: NDArray[np.float64]
    """Where one segment follows another."""


def raster_of(
    source: Any,
    segment_indices: Any = None,
    unit_ids: Iterable[Any] | None = None,
    time_range: Sequence[float] | None = None,
    *,
    sort_by_depth: bool = False,
) -> Raster:
    """Return what a raster shows; arguments as for `plot_rasters`.

    Raises
    ------
    ParameterError
        If there is no such unit or segment, or the time range is empty.
    MissingExtensionError
        If units are to be sorted by depth, and there are no unit locations.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 900], "b": [300]}, 1000.0)
    >>> raster_of(sorting, time_range=(0.2, 1.0)).times_s
    [array([0.9]), array([0.3])]
    """
    sorting = sorting_of(source)
    listed, positions = chosen_units(sorting, unit_ids)
    if sort_by_depth:
        analyzer = getattr(source, "sorting_analyzer", source)
        if analyzer is sorting:
            msg = "sort_by_depth=True needs a SortingAnalyzer with unit locations; got a sorting."
            raise ParameterError(msg)
        depths = extension_of(analyzer, "unit_locations").get_data()[positions, 1]
        listed = [listed[k] for k in np.argsort(depths, kind="stable")]
    timeline = timeline_of(source, segment_indices)
    limits = checked_range(time_range, timeline.limits_s)
    spikes = spikes_of_units(sorting, timeline, listed)
    times = [spikes[unit_id].times_s for unit_id in listed]
    inside = [some[(some >= limits[0]) & (some <= limits[1])] for some in times]
    return Raster(listed, inside, limits, timeline.boundaries_s)


def checked_range(
    time_range: Sequence[float] | None, limits_s: tuple[float, float]
) -> tuple[float, float]:
    """Return the times to show, all by default; raises ParameterError for an empty range.

    Examples
    --------
    >>> checked_range(None, (0.0, 5.0)), checked_range([1, 2], (0.0, 5.0))
    ((0.0, 5.0), (1.0, 2.0))
    """
    if time_range is None:
        return limits_s
    if len(time_range) != 2 or not time_range[0] < time_range[1]:
        msg = f"time_range is (from, to) in seconds, the first below the second; got {time_range}."
        raise ParameterError(msg)
    return float(time_range[0]), float(time_range[1])


def plot_rasters(
    sorting_analyzer_or_sorting: Any,
    segment_indices: int | Sequence[int] | None = None,
    unit_ids: Iterable[Any] | None = None,
    time_range: Sequence[float] | None = None,
    color: Color | Mapping[Any, Color] = "k",
    backend: str | None = None,
    sort_by_depth: bool = False,
    **backend_kwargs: Any,
) -> Widget:
    """Plot spikes over time, a row for each unit.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        The spikes.
    segment_indices : int or list of int, optional
        Segments, drawn one after the other; all by default.
    unit_ids : list, optional
        Units from the lowest row to the highest; all by default.
    time_range : (float, float), optional
        From when to when in seconds; all by default.
    color : colour or dict of unit id to colour, default "k"
        Colour of the spikes.
    backend : str, optional
        Only "matplotlib".
    sort_by_depth : bool, default False
        Deep units below; needs the extension "unit_locations".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    ParameterError
        If there is no such unit or segment, or the time range is empty.
    MissingExtensionError
        If units are to be sorted by depth, and there are no unit locations.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 900], "b": [300]}, 1000.0)
    >>> plot_rasters(sorting, figure=Figure())
    Widget: 1 axes
    """
    given = sorting_analyzer_or_sorting
    raster = raster_of(given, segment_indices, unit_ids, time_range, sort_by_depth=sort_by_depth)
    height = float(np.clip(0.15 * len(raster.unit_ids), 3, 12))
    panels = open_panels(backend, backend_kwargs, figsize=(8, height))
    (ax, *_) = panels_in(panels)
    for row, (unit_id, times_s) in enumerate(zip(raster.unit_ids, raster.times_s, strict=True)):
        chosen = color[unit_id] if isinstance(color, Mapping) else color
        heights = np.full(len(times_s), row)
        ax.scatter(times_s, heights, marker="|", s=20, linewidths=0.6, color=chosen)
    for boundary in raster.boundaries_s:
        ax.axvline(boundary, **BOUNDARY)
    ax.set_xlim(*raster.limits_s)
    ax.set_ylim(-0.7, len(raster.unit_ids) - 0.3)
    unit_ticks(ax, raster.unit_ids)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("unit")
    bare(ax)
    return drawn(panels, raster)
