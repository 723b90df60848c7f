"""What several sorters agree on: how many units, of which sorters, and which units."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from spikeloom.comparison.unit_consensus import ConsensusOfUnits
from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import (
    Widget,
    drawn,
    figure_of,
    import_pyplot,
    open_panels,
    panels_in,
)
from spikeloom.widgets.marks import bare, unit_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LABELS_MAX = 80
"""More nodes than this have no room for a label each."""


def agreement_counts_of(multi_comparison: Any) -> dict[str, dict[int, int]]:
    """Return how many units of each sorter so many sorters agree on; ``""`` is for the consensus.

    Raises
    ------
    ParameterError
        If it is no comparison of several sortings.

    Examples
    --------
    >>> from spikeloom.comparison import compare_multiple_sorters
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({0: [100, 200], 1: [150, 250]}, 30000.0)
    >>> two = NumpySorting.from_unit_dict({"a": [150, 250]}, 30000.0)
    >>> agreement_counts_of(compare_multiple_sorters([one, two], ["one", "two"]))
    {'': {1: 1, 2: 1}, 'one': {1: 1, 2: 1}, 'two': {1: 0, 2: 1}}
    """
    comparison = _checked(multi_comparison)
    units = list(comparison.units.values())
    numbers = range(1, len(comparison.name_list) + 1)
    counts = {}
    for name in ("", *comparison.name_list):
        mine = [one for one in units if not name or name in one["unit_ids"]]
        counts[name] = {k: sum(len(one["unit_ids"]) == k for one in mine) for k in numbers}
    return counts


def plot_multicomparison_agreement(
    multi_comparison: Any,
    plot_type: Literal["pie", "bar"] = "pie",
    cmap: str = "YlOrRd",
    fontsize: float = 9,
    show_legend: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how many units of the consensus one, two, or more sorters have.

    Parameters
    ----------
    multi_comparison : MultiSortingComparison or MultiTemplateComparison
        The comparison.
    plot_type : {"pie", "bar"}
        What is drawn.
    cmap : str, default "YlOrRd"
        A colour map of matplotlib.
    fontsize : float, default 9
        Of the numbers.
    show_legend : bool, default True
        Say which colour stands for how many sorters.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    ParameterError
        If it is no comparison of several sortings.
    """
    counts = {"": agreement_counts_of(multi_comparison)[""]}
    return _plot_counts(counts, plot_type, cmap, fontsize, show_legend, backend, backend_kwargs)


def plot_multicomparison_agreement_by_sorter(
    multi_comparison: Any,
    plot_type: Literal["pie", "bar"] = "pie",
    cmap: str = "YlOrRd",
    fontsize: float = 9,
    show_legend: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot for each sorter how many of its units one, two, or more sorters have.

    Parameters
    ----------
    multi_comparison, plot_type, cmap, fontsize, show_legend, backend, **backend_kwargs
        See `plot_multicomparison_agreement`.

    Returns
    -------
    Widget
        One axes for each sorter.

    Raises
    ------
    ParameterError
        If it is no comparison of several sortings.
    """
    counts = agreement_counts_of(multi_comparison)
    del counts[""]
    return _plot_counts(counts, plot_type, cmap, fontsize, show_legend, backend, backend_kwargs)


def plot_multicomparison_graph(
    multi_comparison: Any,
    draw_labels: bool = False,
    node_cmap: str = "viridis",
    edge_cmap: str = "Greys",
    alpha_edges: float = 0.5,
    colorbar: bool = False,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot units of several sorters as dots on a circle, with lines between those that match.

    Parameters
    ----------
    multi_comparison : MultiSortingComparison or MultiTemplateComparison
        The comparison.
    draw_labels : bool, default False
        Write unit ids, if there is room.
    node_cmap, edge_cmap : str
        Colour maps of matplotlib: of sorters, and of agreement.
    alpha_edges : float, default 0.5
        How opaque lines are.
    colorbar : bool, default False
        Say which colour stands for which agreement.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    ParameterError
        If it is no comparison of several sortings.
    """
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 - matplotlib is optional
    from matplotlib.collections import LineCollection  # noqa: PLC0415
    from matplotlib.colors import Normalize  # noqa: PLC0415

    comparison = _checked(multi_comparison)
    nodes = comparison._agreement_graph.nodes
    edges = comparison._agreement_graph.edges
    angles = 2 * np.pi * np.arange(len(nodes)) / max(len(nodes), 1)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    place_of = dict(zip(nodes, places, strict=True))
    panels = open_panels(backend, backend_kwargs, figsize=(6.0, 6.0))
    (ax, *_) = panels_in(panels)
    maps = import_pyplot().colormaps
    scale = Normalize(0.0, 1.0)
    lines = LineCollection(
        [np.stack([place_of[one], place_of[two]]) for one, two, _ in edges],
        colors=maps[edge_cmap](scale(np.array([weight for *_, weight in edges]))),
        alpha=alpha_edges,
        linewidths=1.5,
    )
    ax.add_collection(lines)
    names = comparison.name_list
    for name, color in zip(names, _colors(node_cmap, len(names)), strict=True):
        mine = places[[k for k, node in enumerate(nodes) if node[0] == name]].reshape(-1, 2)
        ax.scatter(mine[:, 0], mine[:, 1], s=30, color=color, label=name, zorder=3)
    if draw_labels and len(nodes) <= _LABELS_MAX:
        for (_, unit_id), angle, (x, y) in zip(nodes, np.degrees(angles), places, strict=True):
            is_left = 90 < angle < 270
            ax.text(
                1.04 * x,
                1.04 * y,
                str(unit_id),
                fontsize="x-small",
                rotation=angle + 180 * is_left,
                rotation_mode="anchor",
                ha="right" if is_left else "left",
                va="center",
            )
    if colorbar:
        mappable = ScalarMappable(scale, maps[edge_cmap])
        figure_of(panels).colorbar(mappable, ax=ax, label="agreement (0 to 1)", shrink=0.6)
    ax.legend(loc="center", fontsize="small", frameon=False)
    ax.set_aspect("equal")
    ax.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25))
    ax.axis("off")
    return drawn(panels, {"nodes": nodes, "edges": edges})


def _checked(comparison: Any) -> ConsensusOfUnits:
    if not isinstance(comparison, ConsensusOfUnits):
        msg = (
            f"A comparison of several sortings is needed; got {type(comparison).__name__}. Make "
            "one with compare_multiple_sorters."
        )
        raise ParameterError(msg)
    return comparison


def _colors(name: str, n_colors: int) -> Sequence[Any]:
    colors: Sequence[Any] = import_pyplot().colormaps[name](np.linspace(0.15, 0.85, n_colors))
    return colors


def _plot_counts(
    counts: Mapping[str, Mapping[int, int]],
    plot_type: str,
    cmap: str,
    fontsize: float,
    show_legend: bool,
    backend: str | None,
    options: Mapping[str, Any],
) -> Widget:
    if plot_type not in {"pie", "bar"}:
        msg = f"plot_type is 'pie' or 'bar'; got {plot_type!r}."
        raise ParameterError(msg)
    n = len(counts)
    panels = open_panels(backend, options, n, min(n, 4), (3.2 * min(n, 4) + 1, 3.2 * -(-n // 4)))
    numbers = list(next(iter(counts.values())))
    colors = _colors(cmap, len(numbers))
    for (name, of_sorter), ax in zip(counts.items(), panels_in(panels), strict=False):
        sizes = [of_sorter[k] for k in numbers]
        ax.set_title(name)
        if plot_type == "pie":
            _draw_pie(ax, sizes, colors, fontsize)
        else:
            bars = ax.bar(range(len(numbers)), sizes, color=colors)
            ax.bar_label(bars, fontsize=fontsize)
            unit_ticks(ax, numbers, on_x=True)
            ax.set(xlabel="sorters that agree", ylabel="units")
            bare(ax)
    if show_legend and plot_type == "pie":
        from matplotlib.patches import Patch  # noqa: PLC0415 - matplotlib is optional

        handles = [
            Patch(color=color, label=str(k)) for k, color in zip(numbers, colors, strict=True)
        ]
        last = panels_in(panels)[-1]
        last.legend(
            handles=handles,
            title="sorters that agree",
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
            fontsize="small",
        )
    return drawn(panels, counts)


def _draw_pie(ax: "Axes", sizes: Sequence[int], colors: Sequence[Any], fontsize: float) -> None:
    kept = [k for k, size in enumerate(sizes) if size]
    if not kept:
        ax.text(0.5, 0.5, "no units", ha="center", va="center", transform=ax.transAxes)
        ax.axis("off")
        return
    ax.pie(
        [sizes[k] for k in kept],
        colors=[colors[k] for k in kept],
        labels=[str(sizes[k]) for k in kept],
        textprops={"fontsize": fontsize},
        wedgeprops={"edgecolor": "white"},
    )
