"""Metrics of units against each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Panels, Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.marks import bare, figure_legend
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of
from spikeloom.widgets.unit_colors import Color, checked_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNITS: Mapping[str, str] = {
    "amplitude_median": "µV",
    "drift_mad": "µm",
    "drift_ptp": "µm",
    "drift_std": "µm",
    "exp_decay": "1/µm",
    "firing_range": "Hz",
    "firing_rate": "Hz",
    "half_width": "s",
    "peak_half_width": "s",
    "peak_to_trough_duration": "s",
    "peak_to_valley": "s",
    "recovery_slope": "µV/s",
    "repolarization_slope": "µV/s",
    "spread": "µm",
    "trough_half_width": "s",
    "velocity_above": "µm/ms",
    "velocity_below": "µm/ms",
}
"""What metrics are in; others are ratios, counts or scores."""


@dataclass(frozen=True, eq=False)
class MetricTable:
    """Metrics of units."""

    unit_ids: list[Any]
    """The units."""
    names: list[str]
    """The metrics that have values at all."""
    values: NDArray[np.float64]
    """Shape (n_units, n_metrics)."""
    left_out: list[str]
    """Metrics without a single finite number."""

    def label(self, place: int) -> str:
        """Return the name of a metric and what it is in."""
        name = self.names[place]
        return f"{name} ({UNITS[name]})" if name in UNITS else name


def metric_table_of(
    source: Any,
    extension_name: str,
    unit_ids: Iterable[Any] | None = None,
    include_metrics: Iterable[str] | None = None,
    skip_metrics: Iterable[str] | None = None,
) -> MetricTable:
    """Return metrics to show; arguments as for `plot_quality_metrics`.

    Raises
    ------
    MissingExtensionError
        If the extension was not computed.
    ParameterError
        If there is no such unit or metric, or nothing to show.
    """
    analyzer = analyzer_of(source)
    table = extension_of(analyzer, extension_name).get_data()
    listed, positions = chosen_units(analyzer, unit_ids)
    known = [str(name) for name in table.columns]
    wanted = known if include_metrics is None else list(include_metrics)
    skipped = [] if skip_metrics is None else list(skip_metrics)
    unknown = [name for name in [*wanted, *skipped] if name not in known]
    if unknown:
        msg = f"There are no metrics {unknown} in {extension_name!r}; there are {known}."
        raise ParameterError(msg)
    names = [name for name in wanted if name not in skipped]
    columns = [_numbers(table[name])[positions] for name in names]
    has_values = [bool(np.isfinite(column).any()) for column in columns]
    kept = [column for column, is_kept in zip(columns, has_values, strict=True) if is_kept]
    if not kept:
        msg = f"None of the metrics {names} has a number for any of these units."
        raise ParameterError(msg)
    return MetricTable(
        listed,
        [name for name, is_kept in zip(names, has_values, strict=True) if is_kept],
        np.stack(kept, axis=1),
        [name for name, is_kept in zip(names, has_values, strict=True) if not is_kept],
    )


def _numbers(column: Any) -> NDArray[np.float64]:
    """Return a column of a table; NaN where there is no number."""
    import pandas as pd  # noqa: PLC0415 - tables are for the edge

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def plot_quality_metrics(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    include_metrics: Iterable[str] | None = None,
    skip_metrics: Iterable[str] | None = None,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot quality metrics against each other; on the diagonal is how each is distributed.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "quality_metrics".
    unit_ids : list, optional
        Units; all by default.
    include_metrics, skip_metrics : list of str, optional
        Metrics to show, and not to show; all by default that have numbers.
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
        If the extension "quality_metrics" was not computed.
    ParameterError
        If there is no such unit or metric.
    """
    asked = unit_ids, include_metrics, skip_metrics
    shown = metric_table_of(sorting_analyzer, "quality_metrics", *asked)
    return _plot(sorting_analyzer, shown, unit_colors, backend, backend_kwargs)


def plot_template_metrics(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    include_metrics: Iterable[str] | None = None,
    skip_metrics: Iterable[str] | None = None,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot template metrics against each other; on the diagonal is how each is distributed.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "template_metrics".
    unit_ids, include_metrics, skip_metrics, unit_colors, backend, **backend_kwargs
        See `plot_quality_metrics`.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If the extension "template_metrics" was not computed.
    ParameterError
        If there is no such unit or metric.
    """
    asked = unit_ids, include_metrics, skip_metrics
    shown = metric_table_of(sorting_analyzer, "template_metrics", *asked)
    return _plot(sorting_analyzer, shown, unit_colors, backend, backend_kwargs)


def _plot(
    source: Any,
    shown: MetricTable,
    unit_colors: Mapping[Any, Color] | None,
    backend: str | None,
    options: Mapping[str, Any],
) -> Widget:
    colors = checked_colors(unit_colors, analyzer_of(source), shown.unit_ids)
    own = [colors[unit_id] for unit_id in shown.unit_ids]
    n = len(shown.names)
    size = float(np.clip(1.5 * n + 0.5, 4, 26))
    panels = open_panels(backend, options, n * n, n, (size, size))
    grid: Panels = np.array(panels_in(panels)[: n * n], object).reshape(n, n)
    for row in range(n):
        for column in range(n):
            ax = grid[row, column]
            if column > row:
                ax.remove()
                grid[row, column] = None
                continue
            _draw_pair(ax, shown, row, column, own)
            _label(ax, shown, row, column)
    if n > 1:
        figure_legend(figure_of(grid), shown.unit_ids, colors)
    return drawn(grid, shown)


def _draw_pair(ax: "Axes", shown: MetricTable, row: int, column: int, own: list[Color]) -> None:
    x = shown.values[:, column]
    if row == column:
        ax.hist(x[np.isfinite(x)], bins=max(5, min(20, len(x) // 3)), color="gray")
    else:
        ax.scatter(x, shown.values[:, row], s=14, c=own, linewidths=0)
    bare(ax)


def _label(ax: "Axes", shown: MetricTable, row: int, column: int) -> None:
    """Name the axes at the left and at the lower side of the grid."""
    small: dict[str, Any] = {"fontsize": "x-small"}
    ax.tick_params(labelsize="x-small")
    ax.locator_params(nbins=3)
    if row == len(shown.names) - 1:
        ax.set_xlabel(shown.label(column), **small)
        ax.tick_params(axis="x", labelrotation=45)
    else:
        ax.set_xticklabels([])
    if row == column:
        ax.set_ylabel("units", **small)
    elif column == 0:
        ax.set_ylabel(shown.label(row), **small)
    else:
        ax.set_yticklabels([])
