"""How metrics of units are distributed, and which units thresholds let pass."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import bare, note, shown_of
from spikeloom.widgets.metrics import MetricTable, metric_table_of
from spikeloom.widgets.sources import analyzer_of

_TABLES = ("quality_metrics", "template_metrics", "spiketrain_metrics")


def plot_metric_histograms(
    sorting_analyzer: Any,
    thresholds: Mapping[str, Mapping[str, Any]] | None = None,
    metrics_to_plot: Iterable[str] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot a histogram of each metric, and where thresholds are.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With metrics.
    thresholds : mapping of metric to mapping, optional
        The least value that passes (``greater``), the largest (``less``); ``abs`` for absolute
        values. Or a mapping of sections to such mappings, as of `bombcell_get_default_thresholds`.
    metrics_to_plot : list of str, optional
        Metrics; by default those with thresholds, or without these all that have numbers.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure`` or ``axes`` to draw into; ``ncols``, ``figsize``, ``figtitle``.

    Returns
    -------
    Widget
        Values beyond thresholds are in grey; the title says how many units pass.

    Raises
    ------
    MissingExtensionError
        If no metrics were computed.
    ParameterError
        If there is no such metric.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> _ = analyzer.compute("quality_metrics", metric_names=["firing_rate"], progress_bar=False)
    >>> plot_metric_histograms(analyzer, {"firing_rate": {"greater": 1.0}}, figure=Figure())
    Widget: 1 axes
    """
    limits = _flat(thresholds or {})
    wanted = list(limits) or None if metrics_to_plot is None else list(metrics_to_plot)
    shown = _all_metrics_of(sorting_analyzer, wanted)
    n = len(shown.names)
    n_columns = min(n, 4)
    size = (3.0 * n_columns, 2.3 * -(-n // n_columns))
    panels = open_panels(backend, backend_kwargs, n, n_columns, size)
    for k, (name, ax) in enumerate(zip(shown.names, panels_in(panels), strict=False)):
        limit = limits.get(name, {})
        values = shown.values[:, k]
        values = np.abs(values) if limit.get("abs") else values
        finite = values[np.isfinite(values)]
        low, high = (_limit(limit, key) for key in ("greater", "less"))
        passes = (finite >= low) & (finite <= high)
        edges = np.histogram_bin_edges(finite, bins=max(8, min(40, len(finite) // 4)))
        parts = [finite[passes], finite[~passes]]
        ax.hist(parts, edges.tolist(), stacked=True, color=["tab:blue", "silver"])
        for edge in (low, high):
            if np.isfinite(edge):
                ax.axvline(edge, color="black", linestyle="--", linewidth=1)
        bare(ax)
        ax.tick_params(labelsize="x-small")
        ax.locator_params(axis="y", integer=True)
        label = shown.label(k)
        ax.set_xlabel(f"|{label}|" if limit.get("abs") else label, fontsize="small")
        ax.set_ylabel("units" if k % n_columns == 0 else "", fontsize="small")
        said = [shown_of(len(finite), len(values), "units")]
        if np.isfinite([low, high]).any():
            said = [f"{int(passes.sum())} of {len(values)} pass"]
        note(ax, said[0])
    return drawn(panels, shown)


def _all_metrics_of(source: Any, wanted: Iterable[str] | None) -> MetricTable:
    analyzer = analyzer_of(source)
    there = [name for name in _TABLES if analyzer.get_loaded(name) is not None]
    if not there:
        msg = "There are no metrics: call analyzer.compute('quality_metrics') first."
        raise MissingExtensionError(msg)
    owners: dict[str, str] = {}
    for table in there:
        for column in analyzer.get_loaded(table).get_data().columns:  # type: ignore[union-attr]
            owners.setdefault(str(column), table)
    names = list(owners) if wanted is None else list(wanted)
    unknown = [name for name in names if name not in owners]
    if unknown:
        msg = f"There are no metrics {unknown}; there are {list(owners)}."
        raise ParameterError(msg)
    found = []
    for table in there:
        mine = [name for name in names if owners[name] == table]
        if mine:
            found.append(metric_table_of(analyzer, table, include_metrics=mine))
    values = {name: part.values[:, k] for part in found for k, name in enumerate(part.names)}
    kept = [name for name in names if name in values]
    left_out = [name for name in names if name not in values]
    return MetricTable(
        found[0].unit_ids, kept, np.stack([values[name] for name in kept], axis=1), left_out
    )


def _flat(thresholds: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return thresholds by metric, also if they are by section."""
    flat: dict[str, Mapping[str, Any]] = {}
    for name, limit in thresholds.items():
        is_section = any(isinstance(value, Mapping) for value in limit.values())
        flat |= limit if is_section else {name: limit}
    return flat


def _limit(limit: Mapping[str, Any], key: str) -> float:
    value = limit.get(key)
    if value is None or np.isnan(value):
        return -np.inf if key == "greater" else np.inf
    return float(value)
