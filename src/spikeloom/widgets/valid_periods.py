"""When units were found to be well recorded."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from spikeloom.core.spike_vector import unit_period_dtype
from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import bare, note, unit_ticks
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of
from spikeloom.widgets.timeline import timeline_of
from spikeloom.widgets.unit_colors import checked_colors


def plot_valid_unit_periods(
    sorting_analyzer: Any,
    segment_index: int | None = None,
    unit_ids: Iterable[Any] | None = None,
    show_only_units_with_valid_periods: bool = False,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot when units are valid, as bars over time.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "valid_unit_periods".
    segment_index : int, optional
        A segment; all by default, one after the other.
    unit_ids : list, optional
        Units; all by default.
    show_only_units_with_valid_periods : bool, default False
        Leave out units that are never valid.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget
        Its data are the periods that are shown, of dtype `unit_period_dtype`.

    Raises
    ------
    MissingExtensionError
        If the extension "valid_unit_periods" was not computed.
    ParameterError
        If there is no such unit or segment.
    """
    analyzer = analyzer_of(sorting_analyzer)
    extension = extension_of(analyzer, "valid_unit_periods")
    periods = np.asarray(extension.get_data(outputs="numpy"), unit_period_dtype)
    timeline = timeline_of(analyzer, segment_index)
    periods = periods[np.isin(periods["segment_index"], timeline.segments)]
    listed, positions = chosen_units(analyzer, unit_ids)
    rows = [
        (unit_id, periods[periods["unit_index"] == position])
        for unit_id, position in zip(listed, positions.tolist(), strict=True)
    ]
    n_never = sum(not len(mine) for _, mine in rows)
    if show_only_units_with_valid_periods:
        rows = [row for row in rows if len(row[1])]
    colors = checked_colors(None, analyzer, listed)
    height = float(np.clip(0.28 * len(rows) + 1.2, 2.5, 12))
    panels = open_panels(backend, backend_kwargs, figsize=(8.0, height))
    (ax, *_) = panels_in(panels)
    for row, (unit_id, mine) in enumerate(rows):
        bars = []
        for place, segment in enumerate(timeline.segments):
            of_segment = mine[mine["segment_index"] == segment]
            starts, ends = (
                timeline.times_s(place, of_segment[name])
                for name in ("start_sample_index", "end_sample_index")
            )
            bars += list(zip(starts.tolist(), (ends - starts).tolist(), strict=True))
        ax.broken_barh(bars, (row - 0.35, 0.7), facecolors=colors[unit_id])
    for boundary in timeline.boundaries_s.tolist():
        ax.axvline(boundary, color="black", linewidth=0.8, linestyle=":")
    unit_ticks(ax, [unit_id for unit_id, _ in rows])
    ax.set(xlabel="time (s)", ylabel="unit", xlim=timeline.limits_s, ylim=(len(rows) - 0.5, -0.5))
    bare(ax)
    note(ax, f"{n_never} of {len(listed)} units never valid" if n_never else "")
    kept = [mine for _, mine in rows]
    return drawn(panels, np.concatenate([np.zeros(0, unit_period_dtype), *kept]))
