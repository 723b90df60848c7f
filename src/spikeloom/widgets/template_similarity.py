"""How similar the templates of units are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.marks import unit_ticks
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of


@dataclass(frozen=True, eq=False)
class Similarity:
    """How similar the templates of units are."""

    unit_ids: list[Any]
    """The units."""
    similarity: NDArray[np.floating]
    """From 0 (or -1) to 1; shape (n_units, n_units)."""


def similarity_of(source: Any, unit_ids: Iterable[Any] | None = None) -> Similarity:
    """Return how similar the templates of units are.

    Raises
    ------
    MissingExtensionError
        If the extension "template_similarity" was not computed.
    ParameterError
        If there is no such unit.
    """
    analyzer = analyzer_of(source)
    values = np.asarray(extension_of(analyzer, "template_similarity").get_data())
    listed, positions = chosen_units(analyzer, unit_ids)
    return Similarity(listed, values[np.ix_(positions, positions)])


def plot_template_similarity(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    cmap: str = "viridis",
    display_diagonal_values: bool = False,
    show_unit_ticks: bool = True,
    show_colorbar: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how similar the templates of units are.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "template_similarity".
    unit_ids : list, optional
        Units; all by default.
    cmap : str, default "viridis"
        Colours of the map.
    display_diagonal_values : bool, default False
        Show how similar a unit is to itself, too; else colours reach to the most similar pair.
    show_unit_ticks : bool, default True
        Name the units.
    show_colorbar : bool, default True
        Say what colours mean.
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
        If the extension "template_similarity" was not computed.
    ParameterError
        If there is no such unit.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "templates", "template_similarity"], progress_bar=False)
    >>> plot_template_similarity(analyzer, figure=Figure())
    Widget: 1 axes
    """
    shown = similarity_of(sorting_analyzer, unit_ids)
    panels = open_panels(backend, backend_kwargs, figsize=(6, 5))
    (ax, *_) = panels_in(panels)
    values = np.array(shown.similarity, np.float64)
    if not display_diagonal_values:
        np.fill_diagonal(values, np.nan)
    seen = values[np.isfinite(values)]
    low, high = min(0.0, float(seen.min(initial=0.0))), float(seen.max(initial=0.0)) or 1.0
    image = ax.imshow(values, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    ax.set_facecolor("lightgray")
    if show_colorbar:
        figure_of(panels).colorbar(image, ax=ax, label="similarity (no unit)")
    ids = shown.unit_ids if show_unit_ticks else []
    unit_ticks(ax, ids, on_x=True)
    unit_ticks(ax, ids)
    ax.set_xlabel("unit")
    ax.set_ylabel("unit")
    return drawn(panels, shown)
