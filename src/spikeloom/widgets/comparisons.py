"""What two sortings have in common: agreement and confusion of their units."""

from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.comparison.ground_truth import GroundTruthComparison
from spikeloom.comparison.pair_comparison import BasePairSorterComparison
from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.marks import unit_ticks
from spikeloom.widgets.sources import UNITS_SHOWN_MAX

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def agreement_of(comparison: Any, *, ordered: bool = True) -> "pd.DataFrame":
    """Return how much units of two sortings agree, from 0 to 1.

    Raises
    ------
    ParameterError
        If it is not a comparison of two sortings.

    Examples
    --------
    >>> from spikeloom.comparison import compare_two_sorters
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({0: [100, 200]}, 30000.0)
    >>> two = NumpySorting.from_unit_dict({"a": [100, 300]}, 30000.0)
    >>> float(agreement_of(compare_two_sorters(one, two)).loc[0, "a"])
    0.33
    """
    if not isinstance(comparison, BasePairSorterComparison):
        msg = (
            f"A comparison of two sortings is needed; got {type(comparison).__name__}. Make one "
            "with compare_two_sorters or compare_sorter_to_ground_truth."
        )
        raise ParameterError(msg)
    return comparison.get_ordered_agreement_scores() if ordered else comparison.agreement_scores


def confusion_of(gt_comparison: Any) -> "pd.DataFrame":
    """Return how many spikes of each true unit are in each unit that was found.

    Raises
    ------
    ParameterError
        If it is not a comparison with the truth.
    """
    if not isinstance(gt_comparison, GroundTruthComparison):
        msg = (
            "A comparison with the truth is needed; got "
            f"{type(gt_comparison).__name__}. Make one with compare_sorter_to_ground_truth."
        )
        raise ParameterError(msg)
    return gt_comparison.get_confusion_matrix()


def plot_agreement_matrix(
    sorting_comparison: Any,
    ordered: bool = True,
    count_text: bool = True,
    unit_ticks: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how much the units of two sortings agree.

    Parameters
    ----------
    sorting_comparison : GroundTruthComparison or SymmetricSortingComparison
        The comparison.
    ordered : bool, default True
        Order units such that those that agree most are on the diagonal.
    count_text : bool, default True
        Write the agreement of the best matches into the map.
    unit_ticks : bool, default True
        Name the units.
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
        If it is not a comparison of two sortings.
    """
    scores = agreement_of(sorting_comparison, ordered=ordered)
    values = scores.to_numpy(np.float64)
    panels = open_panels(backend, backend_kwargs, figsize=_size(values.shape))
    (ax, *_) = panels_in(panels)
    image = ax.imshow(values, cmap="Greens", vmin=0.0, vmax=1.0, interpolation="nearest")
    ax.set_aspect("auto")
    figure_of(panels).colorbar(image, ax=ax, label="agreement (0 to 1)")
    if count_text and values.size:
        is_best = (values > 0) & (values == values.max(axis=1, keepdims=True))
        _write(ax, np.where(is_best, values, np.nan), "{:.2f}", 0.5)
    _name_axes(ax, sorting_comparison, scores, with_ticks=unit_ticks)
    return drawn(panels, scores)


def plot_confusion_matrix(
    gt_comparison: Any,
    count_text: bool = True,
    unit_ticks: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how many spikes of each true unit are in each unit that was found.

    The last column has those that were not found (FN), the last row those that are none (FP).

    Parameters
    ----------
    gt_comparison : GroundTruthComparison
        The comparison.
    count_text : bool, default True
        Write counts into the map.
    unit_ticks : bool, default True
        Name the units.
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
        If it is not a comparison with the truth.
    """
    confusion = confusion_of(gt_comparison)
    values = confusion.to_numpy(np.float64)
    panels = open_panels(backend, backend_kwargs, figsize=_size(values.shape))
    (ax, *_) = panels_in(panels)
    image = ax.imshow(values, cmap="Greens", vmin=0.0, interpolation="nearest")
    ax.set_aspect("auto")
    figure_of(panels).colorbar(image, ax=ax, label="spikes")
    if count_text:
        _write(ax, np.where(values > 0, values, np.nan), "{:.0f}", values.max(initial=0.0) / 2)
    ax.axhline(len(confusion.index) - 1.5, color="black", linewidth=1)
    ax.axvline(len(confusion.columns) - 1.5, color="black", linewidth=1)
    _name_axes(ax, gt_comparison, confusion, with_ticks=unit_ticks)
    return drawn(panels, confusion)


def _size(shape: tuple[int, ...]) -> tuple[float, float]:
    n_rows, n_columns = shape
    height, width = np.clip([0.4 * n_rows, 0.5 * n_columns], 3.5, 14)
    return float(width) + 1.8, float(height) + 0.8


def _write(ax: "Axes", values: Any, form: str, bright_above: float) -> None:
    """Write numbers into a map, but not more than can be read."""
    if max(values.shape) > UNITS_SHOWN_MAX:
        return
    for row, column in np.argwhere(np.isfinite(values)).tolist():
        value = values[row, column]
        color = "white" if value > bright_above else "black"
        place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": "x-small"}
        ax.text(column, row, form.format(value), color=color, **place)


def _name_axes(ax: "Axes", comparison: Any, table: "pd.DataFrame", *, with_ticks: bool) -> None:
    unit_ticks(ax, list(table.columns) if with_ticks else [], on_x=True)
    unit_ticks(ax, list(table.index) if with_ticks else [])
    ax.set_xlabel(f"unit of {comparison.sorting2_name}")
    ax.set_ylabel(f"unit of {comparison.sorting1_name}")
