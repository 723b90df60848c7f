"""How deep units are, and how large their spikes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.template_tools import get_template_amplitude_on_main_channel
from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import bare
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of, voltage_unit
from spikeloom.widgets.unit_colors import Color, checked_colors


@dataclass(frozen=True, eq=False)
class UnitDepths:
    """How deep units are, and how large their spikes."""

    unit_ids: list[Any]
    """The units."""
    depths_um: NDArray[np.float64]
    """Shape (n_units,)."""
    amplitudes: NDArray[np.float64]
    """Of the template on the main channel, without sign, in `unit`; shape (n_units,)."""
    n_spikes: NDArray[np.int64]
    """Shape (n_units,)."""
    unit: str
    """What amplitudes are in."""


def unit_depths_of(source: Any, depth_axis: int = 1) -> UnitDepths:
    """Return how deep units are; arguments as for `plot_unit_depths`.

    Raises
    ------
    MissingExtensionError
        If the extension "unit_locations" or "templates" was not computed.
    ParameterError
        If locations have no such axis.
    """
    analyzer = analyzer_of(source)
    locations = extension_of(analyzer, "unit_locations").get_data()
    extension_of(analyzer, "templates")
    if not 0 <= depth_axis < locations.shape[1]:
        msg = f"depth_axis is 0 to {locations.shape[1] - 1}; got {depth_axis}."
        raise ParameterError(msg)
    listed, _ = chosen_units(analyzer)
    amplitudes = get_template_amplitude_on_main_channel(analyzer)
    n_spikes = analyzer.sorting.count_num_spikes_per_unit(outputs="array")
    return UnitDepths(
        listed,
        np.asarray(locations[:, depth_axis], np.float64),
        np.abs(np.array([amplitudes[unit_id] for unit_id in listed], np.float64)),
        np.asarray(n_spikes, np.int64),
        voltage_unit(analyzer.return_in_uV),
    )


def plot_unit_depths(
    sorting_analyzer: Any,
    unit_colors: Mapping[Any, Color] | None = None,
    depth_axis: int = 1,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how large the spikes of units are at which depth; a dot is as large as it has spikes.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extensions "templates" and "unit_locations".
    unit_colors : dict, optional
        Colour of each unit.
    depth_axis : int, default 1
        Which coordinate of the units' locations is their depth.
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
        If one of the extensions was not computed.
    ParameterError
        If locations have no such axis.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "templates", "unit_locations"], progress_bar=False)
    >>> plot_unit_depths(analyzer, figure=Figure())
    Widget: 1 axes
    """
    shown = unit_depths_of(sorting_analyzer, depth_axis)
    colors = checked_colors(unit_colors, analyzer_of(sorting_analyzer), shown.unit_ids)
    panels = open_panels(backend, backend_kwargs, figsize=(5, 6))
    (ax, *_) = panels_in(panels)
    own = [colors[unit_id] for unit_id in shown.unit_ids]
    sizes = 15 + 135 * np.sqrt(shown.n_spikes / max(shown.n_spikes.max(initial=0), 1))
    ax.scatter(
        shown.amplitudes, shown.depths_um, s=sizes, c=own, edgecolors="black", linewidths=0.5
    )
    ax.set_xlim(left=0)
    ax.set_xlabel(f"amplitude ({shown.unit})")
    ax.set_ylabel(f"{'xyz'[depth_axis]} (µm)")
    _size_legend(ax, shown.n_spikes)
    bare(ax)
    return drawn(panels, shown)


def _size_legend(ax: Any, n_spikes: NDArray[np.int64]) -> None:
    """Say how many spikes the smallest and the largest dot stand for."""
    most = int(max(n_spikes.max(initial=0), 1))
    for share in (0.1, 1.0):
        n = round(share * most)
        size = 15 + 135 * np.sqrt(n / most)
        ax.scatter([], [], s=size, color="white", edgecolors="black", label=f"{n}")
    ax.legend(
        title="spikes",
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        fontsize="small",
        frameon=False,
    )
