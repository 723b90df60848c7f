"""Correlograms of units: of all pairs, and of each with itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.correlograms import compute_auto_correlograms, compute_correlograms
from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import bare
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of, sorting_of
from spikeloom.widgets.unit_colors import Color, checked_colors

UNITS_MAX = 30
"""Most units whose pairs are drawn: more have no room in a figure."""


@dataclass(frozen=True, eq=False)
class Correlograms:
    """Correlograms of units."""

    unit_ids: list[Any]
    """The units."""
    counts: NDArray[np.int64]
    """Pairs of spikes by lag; shape (n_units, n_units, n_bins), or (n_units, n_bins) of each unit
    with itself."""
    edges_ms: NDArray[np.float64]
    """Edges of the bins; shape (n_bins + 1,)."""


def crosscorrelograms_of(
    source: Any,
    unit_ids: Iterable[Any] | None = None,
    window_ms: float = 100.0,
    bin_ms: float = 1.0,
) -> Correlograms:
    """Return the correlograms of all pairs of units; arguments as for `plot_crosscorrelograms`.

    Raises
    ------
    MissingExtensionError
        If the extension "correlograms" of an analyzer was not computed.
    ParameterError
        If there is no such unit.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [0, 40], "b": [45]}, 10000.0)
    >>> crosscorrelograms_of(sorting, window_ms=2.0, bin_ms=0.5).counts[0, 1]
    array([0, 1, 0, 0])
    """
    listed, positions = chosen_units(sorting_of(source), unit_ids)
    if isinstance(source, BaseSorting):
        counts, edges = compute_correlograms(source, window_ms, bin_ms)
    else:
        counts, edges = extension_of(analyzer_of(source), "correlograms").get_data()
    return Correlograms(listed, np.asarray(counts)[np.ix_(positions, positions)], edges)


def autocorrelograms_of(
    source: Any,
    unit_ids: Iterable[Any] | None = None,
    window_ms: float = 100.0,
    bin_ms: float = 1.0,
) -> Correlograms:
    """Return the correlogram of each unit with itself; arguments as for `plot_autocorrelograms`.

    Raises
    ------
    MissingExtensionError
        If neither "auto_correlograms" nor "correlograms" of an analyzer were computed.
    ParameterError
        If there is no such unit.
    """
    listed, positions = chosen_units(sorting_of(source), unit_ids)
    if isinstance(source, BaseSorting):
        counts, edges = compute_auto_correlograms(source, window_ms, bin_ms)
        return Correlograms(listed, np.asarray(counts)[positions], edges)
    analyzer = analyzer_of(source)
    pairs = analyzer.get_loaded("correlograms")
    if pairs is None:
        counts, edges = extension_of(analyzer, "auto_correlograms").get_data()
        return Correlograms(listed, np.asarray(counts)[positions], edges)
    counts, edges = pairs.get_data()
    return Correlograms(listed, np.asarray(counts)[positions, positions], edges)


def plot_crosscorrelograms(
    sorting_analyzer_or_sorting: Any,
    unit_ids: Iterable[Any] | None = None,
    window_ms: float = 100.0,
    bin_ms: float = 1.0,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot the correlograms of all pairs of units.

    In row A and column B is how often a spike of A comes at each lag after (right of zero) or
    before one of B.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        An analyzer needs the extension "correlograms", which says what window and bins are.
    unit_ids : list, optional
        Units; all by default.
    window_ms : float, default 100
        From the lowest to the highest lag, for a sorting.
    bin_ms : float, default 1
        Width of a bin, for a sorting.
    unit_colors : dict, optional
        Colour of each unit.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If the extension "correlograms" of an analyzer was not computed.
    ParameterError
        If there is no such unit, or there are too many to draw all pairs.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 900], "b": [300]}, 1000.0)
    >>> plot_crosscorrelograms(sorting, figure=Figure())
    Widget: 4 axes
    """
    given = sorting_analyzer_or_sorting
    listed, _ = chosen_units(sorting_of(given), unit_ids)
    if len(listed) > UNITS_MAX:
        msg = (
            f"Correlograms of all pairs of {len(listed)} units do not fit into a figure: choose up "
            f"to {UNITS_MAX} with unit_ids=[...]."
        )
        raise ParameterError(msg)
    shown = crosscorrelograms_of(given, listed, window_ms, bin_ms)
    colors = checked_colors(unit_colors, sorting_of(given), listed)
    n = len(listed)
    size = float(np.clip(1.6 * n, 4, 24))
    panels = open_panels(backend, backend_kwargs, n * n, n, (size, size))
    for k, ax in enumerate(panels_in(panels)[: n * n]):
        row, column = divmod(k, n)
        color = colors[listed[row]] if row == column else "dimgray"
        ax.stairs(shown.counts[row, column], shown.edges_ms, fill=True, color=color)
        ax.set_xlim(shown.edges_ms[0], shown.edges_ms[-1])
        ax.tick_params(labelsize="x-small")
        bare(ax)
        if row == 0:
            ax.set_title(f"unit {listed[column]}", fontsize="small")
        if row == n - 1:
            ax.set_xlabel("lag (ms)", fontsize="small")
        else:
            ax.set_xticklabels([])
        if column == 0:
            ax.set_ylabel(f"unit {listed[row]}\nspike pairs", fontsize="small")
    return drawn(panels, shown)


def plot_autocorrelograms(
    sorting_analyzer_or_sorting: Any,
    unit_ids: Iterable[Any] | None = None,
    window_ms: float = 100.0,
    bin_ms: float = 1.0,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot the correlogram of each unit with itself.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        An analyzer needs the extension "correlograms" or "auto_correlograms", which says what
        window and bins are.
    unit_ids : list, optional
        Units; all by default.
    window_ms : float, default 100
        From the lowest to the highest lag, for a sorting.
    bin_ms : float, default 1
        Width of a bin, for a sorting.
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
    MissingExtensionError
        If neither extension of an analyzer was computed.
    ParameterError
        If there is no such unit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 900], "b": [300]}, 1000.0)
    >>> plot_autocorrelograms(sorting, figure=Figure())
    Widget: 2 axes
    """
    given = sorting_analyzer_or_sorting
    shown = autocorrelograms_of(given, unit_ids, window_ms, bin_ms)
    colors = checked_colors(unit_colors, sorting_of(given), shown.unit_ids)
    panels = open_unit_panels(backend, backend_kwargs, len(shown.unit_ids))
    for ax, unit_id, counts in zip(panels_in(panels), shown.unit_ids, shown.counts, strict=False):
        ax.stairs(counts, shown.edges_ms, fill=True, color=colors[unit_id])
        ax.set_xlim(shown.edges_ms[0], shown.edges_ms[-1])
        ax.set_title(f"unit {unit_id}", fontsize="small")
        ax.set_xlabel("lag (ms)")
        ax.set_ylabel("spike pairs")
        bare(ax)
    return drawn(panels, shown)


def open_unit_panels(backend: str | None, options: Mapping[str, Any], n_units: int) -> Any:
    """Return small axes, as many as units, five side by side."""
    n_columns = min(options.get("ncols") or 5, n_units)
    n_rows = -(-n_units // max(n_columns, 1))
    size = (max(2.6 * n_columns, 4.0), max(2.3 * n_rows, 2.8))
    return open_panels(backend, options, n_units, 5, size)
