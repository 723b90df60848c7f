"""How the intervals between the spikes of a unit are distributed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.postprocessing.isi_histograms import isi_histograms
from spikeloom.widgets.correlograms import open_unit_panels
from spikeloom.widgets.figures import Widget, drawn, panels_in
from spikeloom.widgets.marks import bare
from spikeloom.widgets.sources import chosen_units, sorting_of
from spikeloom.widgets.unit_colors import Color, checked_colors


@dataclass(frozen=True, eq=False)
class Intervals:
    """Histograms of the intervals between spikes."""

    unit_ids: list[Any]
    """The units."""
    counts: NDArray[np.int64]
    """Intervals by length; shape (n_units, n_bins)."""
    edges_ms: NDArray[np.float64]
    """Edges of the bins; shape (n_bins + 1,)."""


def intervals_of(
    source: Any,
    unit_ids: Iterable[Any] | None = None,
    window_ms: float = 100.0,
    bin_ms: float = 1.0,
) -> Intervals:
    """Return histograms of intervals; arguments as for `plot_isi_distribution`.

    Raises
    ------
    ParameterError
        If there is no such unit, or a bin is less than a sample.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [0, 5, 25]}, 1000.0)
    >>> intervals_of(sorting, window_ms=20.0, bin_ms=10.0).counts
    array([[1, 1]])
    """
    sorting = sorting_of(source)
    listed, positions = chosen_units(sorting, unit_ids)
    counts, edges = isi_histograms(sorting, window_ms, bin_ms, positions)
    return Intervals(listed, counts, edges)


def plot_isi_distribution(
    sorting_analyzer_or_sorting: Any,
    unit_ids: Iterable[Any] | None = None,
    window_ms: float = 100.0,
    bin_ms: float = 1.0,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how the intervals between consecutive spikes of each unit are distributed.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        The spikes.
    unit_ids : list, optional
        Units; all by default.
    window_ms : float, default 100
        Longest interval that is shown.
    bin_ms : float, default 1
        Width of a bin.
    unit_colors : dict, optional
        Colour of each unit.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure`` or ``axes`` to draw into; ``ncols``, ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    ParameterError
        If there is no such unit, or a bin is less than a sample.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 900], "b": [300]}, 1000.0)
    >>> plot_isi_distribution(sorting, figure=Figure())
    Widget: 2 axes
    """
    given = sorting_analyzer_or_sorting
    shown = intervals_of(given, unit_ids, window_ms, bin_ms)
    colors = checked_colors(unit_colors, sorting_of(given), shown.unit_ids)
    panels = open_unit_panels(backend, backend_kwargs, len(shown.unit_ids))
    for ax, unit_id, counts in zip(panels_in(panels), shown.unit_ids, shown.counts, strict=False):
        ax.stairs(counts, shown.edges_ms, fill=True, color=colors[unit_id])
        ax.set_xlim(0, shown.edges_ms[-1])
        ax.set_title(f"unit {unit_id}", fontsize="small")
        ax.set_xlabel("interval (ms)")
        ax.set_ylabel("intervals")
        bare(ax)
    return drawn(panels, shown)
