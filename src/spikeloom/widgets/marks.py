"""What several plots write into their axes: notes, bars of scale, names of units, boundaries."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.widgets.sources import UNITS_SHOWN_MAX
from spikeloom.widgets.unit_colors import Color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOUNDARY: Mapping[str, Any] = {"color": "gray", "linestyle": "--", "linewidth": 0.8}


def round_length(longest: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, 50, … and 0.5, 0.2, … that is not above `longest`.

    Examples
    --------
    >>> round_length(78.0), round_length(0.3)
    (50.0, 0.2)
    """
    if not np.isfinite(longest) or longest <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(longest))
    step = max(one for one in (1, 2, 5) if one * power <= longest * (1 + 1e-9))
    return float(step * power)


def note(ax: "Axes", text: str) -> None:
    """Write a short remark over the right end of the axes."""
    ax.set_title(text, loc="right", fontsize="x-small", color="dimgray")


def shown_of(n_shown: int, n_all: int, what: str) -> str:
    """Return how many are shown, for a note; nothing if these are all.

    Examples
    --------
    >>> shown_of(50, 1200, "spikes")
    '50 of 1200 spikes shown'
    """
    return "" if n_shown == n_all else f"{n_shown} of {n_all} {what} shown"


def side_bar(ax: "Axes", length: float, text: str) -> None:
    """Draw a vertical bar of scale to the right of the axes, `length` long on the y axis."""
    low, high = ax.get_ylim()
    bottom = low + 0.02 * (high - low)
    across = ax.get_yaxis_transform()
    bar: dict[str, Any] = {"transform": across, "clip_on": False, "color": "black", "linewidth": 2}
    ax.plot([1.015, 1.015], [bottom, bottom + length], **bar)
    place: dict[str, Any] = {
        "transform": across,
        "rotation": 90,
        "va": "bottom",
        "ha": "left",
        "fontsize": "small",
    }
    ax.text(1.025, bottom, text, **place)


def unit_ticks(ax: "Axes", unit_ids: Sequence[Any], *, on_x: bool = False) -> None:
    """Name the units at 0, 1, 2, … of an axis, if there is room for that."""
    axis = ax.xaxis if on_x else ax.yaxis
    if len(unit_ids) <= UNITS_SHOWN_MAX:
        size = "medium" if len(unit_ids) <= 20 else "x-small" if len(unit_ids) <= 35 else 5
        axis.set_ticks(np.arange(len(unit_ids)), [str(one) for one in unit_ids], fontsize=size)
        longest = max((len(str(unit_id)) for unit_id in unit_ids), default=0)
        if on_x and longest * len(unit_ids) > UNITS_SHOWN_MAX:
            ax.tick_params(axis="x", labelrotation=90)
    else:
        axis.set_ticks([])


def unit_legend(ax: "Axes", unit_ids: Sequence[Any], colors: Mapping[Any, Color]) -> None:
    """Say beside the axes which unit has which colour."""
    place: dict[str, Any] = {
        "loc": "upper left",
        "bbox_to_anchor": (1.01, 1.0),
        "borderaxespad": 0.0,
    }
    ax.legend(**_legend(unit_ids, colors), **place)


def figure_legend(figure: "Figure", unit_ids: Sequence[Any], colors: Mapping[Any, Color]) -> None:
    """Say in the upper right corner of a figure which unit has which colour."""
    engine = figure.get_layout_engine()
    has_room = engine is not None and engine.adjust_compatible is False
    loc = "outside right upper" if has_room else "upper right"
    options: dict[str, Any] = {**_legend(unit_ids, colors), "loc": loc}
    figure.legend(**options)


def _legend(unit_ids: Sequence[Any], colors: Mapping[Any, Color]) -> dict[str, Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415 - matplotlib is optional

    handles = [
        Line2D([], [], linestyle="", marker="o", color=colors[unit_id], label=str(unit_id))
        for unit_id in unit_ids[:UNITS_SHOWN_MAX]
    ]
    n_columns = 1 + (len(handles) - 1) // 20
    return {"handles": handles, "title": "unit", "fontsize": "small", "ncols": n_columns}


def bare(ax: "Axes") -> None:
    """Take the upper and right sides of the frame away."""
    ax.spines[["top", "right"]].set_visible(False)
