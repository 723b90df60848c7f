"""All there is to see of a unit in one figure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.errors import ParameterError
from spikeloom.widgets.amplitudes import plot_amplitudes
from spikeloom.widgets.correlograms import plot_autocorrelograms
from spikeloom.widgets.figures import Widget, checked_backend, drawn, import_pyplot
from spikeloom.widgets.isi_distribution import plot_isi_distribution
from spikeloom.widgets.locations import plot_unit_locations
from spikeloom.widgets.sources import analyzer_of, chosen_units
from spikeloom.widgets.unit_colors import Color, checked_colors
from spikeloom.widgets.unit_waveforms import plot_unit_waveforms
from spikeloom.widgets.waveform_density import plot_unit_waveforms_density_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Part:
    """A part of the summary."""

    name: str
    draw: Callable[..., Widget]
    needs: tuple[str, ...]
    """Extensions; one of those with a bar between them."""


_PARTS = {
    "A": _Part("unit_locations", plot_unit_locations, ("unit_locations",)),
    "B": _Part("unit_waveforms", plot_unit_waveforms, ("templates", "waveforms")),
    "C": _Part(
        "unit_waveform_density_map", plot_unit_waveforms_density_map, ("templates", "waveforms")
    ),
    "D": _Part("autocorrelograms", plot_autocorrelograms, ("correlograms|auto_correlograms",)),
    "E": _Part("isi_distribution", plot_isi_distribution, ()),
    "F": _Part("amplitudes", plot_amplitudes, ("spike_amplitudes",)),
}
_PLACES = "ABCC\nABDE\nFFFG"


def missing_for_summary(source: Any) -> dict[str, list[str]]:
    """Return which parts of a summary cannot be drawn, and what to compute for them.

    Parameters
    ----------
    source : SortingAnalyzer

    Returns
    -------
    dict of part to list of extensions
    """
    analyzer = analyzer_of(source)
    missing = {
        part.name: [
            one
            for one in part.needs
            if not any(analyzer.get_loaded(name) for name in one.split("|"))
        ]
        for part in _PARTS.values()
    }
    return {name: needs for name, needs in missing.items() if needs}


def plot_unit_summary(
    sorting_analyzer: Any,
    unit_id: Any,
    unit_colors: Mapping[Any, Color] | None = None,
    sparsity: ChannelSparsity | None = None,
    subwidget_kwargs: Mapping[str, Mapping[str, Any]] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot location, waveforms, correlogram, intervals and amplitudes of a unit in one figure.

    Where something was not computed, its place says what to compute.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With any of the extensions "unit_locations", "waveforms", "templates", "correlograms" and
        "spike_amplitudes".
    unit_id : int or str
        The unit.
    unit_colors : dict, optional
        Colour of each unit.
    sparsity : ChannelSparsity, optional
        Channels to show, among those that the unit has.
    subwidget_kwargs : dict, optional
        More arguments of the parts: ``unit_locations``, ``unit_waveforms``,
        ``unit_waveform_density_map``, ``autocorrelograms``, ``isi_distribution``, ``amplitudes``.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure`` to draw into, which has to be empty; ``figsize``, ``figtitle``.

    Returns
    -------
    Widget
        Its data are those of the parts, by name.

    Raises
    ------
    ParameterError
        If there is no such unit or part.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "waveforms", "templates"], progress_bar=False)
    >>> plot_unit_summary(analyzer, "0", figure=Figure())
    Widget: 6 axes
    """
    analyzer = analyzer_of(sorting_analyzer)
    (unit_id,), _ = chosen_units(analyzer, [unit_id])
    colors = checked_colors(unit_colors, analyzer, [unit_id])
    more = _checked_kwargs(subwidget_kwargs)
    figure = _open_figure(backend, backend_kwargs, f"unit {unit_id}")
    places = figure.subplot_mosaic(_PLACES, width_ratios=(1.1, 1.4, 1, 1))
    missing = missing_for_summary(analyzer)
    data: dict[str, Any] = {}
    for key, part in _PARTS.items():
        if part.name in missing:
            _say_missing(places[key], missing[part.name])
            continue
        kwargs: dict[str, Any] = {"unit_ids": [unit_id], "unit_colors": colors}
        if part.name in {"unit_waveforms", "unit_waveform_density_map"}:
            kwargs["sparsity"] = sparsity
        if part.name == "amplitudes":
            kwargs.update(axes=[places["F"], places["G"]], plot_histograms=True, plot_legend=False)
        else:
            kwargs["ax"] = places[key]
        data[part.name] = part.draw(analyzer, **{**kwargs, **more.get(part.name, {})}).data
    if "amplitudes" in missing:
        places.pop("G").remove()
    return drawn(np.array([list(places.values())], object), data)


def _checked_kwargs(
    given: Mapping[str, Mapping[str, Any]] | None,
) -> dict[str, dict[str, Any]]:
    kwargs = {name: dict(some) for name, some in (given or {}).items()}
    known = [part.name for part in _PARTS.values()]
    unknown = sorted(set(kwargs) - set(known))
    if unknown:
        msg = f"subwidget_kwargs has {unknown}; parts of a summary are {known}."
        raise ParameterError(msg)
    return kwargs


def _open_figure(backend: str | None, options: Mapping[str, Any], title: str) -> Any:
    checked_backend(backend)
    unknown = sorted(set(options) - {"figure", "figsize", "figtitle"})
    if unknown:
        msg = f"A summary can be given figure, figsize and figtitle; got {unknown}."
        raise ParameterError(msg)
    figure = options.get("figure")
    if figure is None:
        plt = import_pyplot()
        figure = plt.figure(figsize=options.get("figsize") or (15, 9), layout="constrained")
    figure.suptitle(options.get("figtitle") or title)
    return figure


def _say_missing(ax: "Axes", names: list[str]) -> None:
    wanted = "\n".join(f"compute({name.split('|')[0]!r})" for name in names)
    ax.text(0.5, 0.5, wanted, ha="center", va="center", color="gray", transform=ax.transAxes)
    ax.set_axis_off()
