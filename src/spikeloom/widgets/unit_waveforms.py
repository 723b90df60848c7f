"""Waveforms and templates of units, each channel at its place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.core.template_source import template_source
from spikeloom.core.templates import Templates
from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, open_panels, panels_in
from spikeloom.widgets.marks import note, round_length, shown_of, unit_legend
from spikeloom.widgets.probe_map import draw_probes, probe_outlines_of
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of, voltage_unit
from spikeloom.widgets.spike_points import SEED
from spikeloom.widgets.unit_colors import Color, checked_colors
from spikeloom.widgets.waveform_layout import WaveformLayout, layout_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class UnitWaveforms:
    """Waveforms and templates of units."""

    unit_ids: list[Any]
    """The units."""
    channels: dict[Any, NDArray[np.int64]]
    """Positions of the channels of each unit that are shown."""
    templates: dict[Any, NDArray[np.floating]]
    """On these channels, in `unit`; shape (n_samples, n_channels_of_unit)."""
    waveforms: dict[Any, NDArray[np.floating]]
    """Of the spikes that are shown; shape (n_shown, n_samples, n_channels_of_unit)."""
    n_all: dict[Any, int]
    """How many waveforms each unit has."""
    shades: dict[Any, NDArray[np.floating]]
    """Percentiles of the waveforms; shape (n_percentiles, n_samples, n_channels_of_unit)."""
    times_ms: NDArray[np.float64]
    """Of the samples, from the spike on; shape (n_samples,)."""
    layout: WaveformLayout
    """Where all this is drawn."""
    unit: str
    """What voltages are in."""


def channels_of_units(
    source: Any,
    unit_ids: Sequence[Any],
    channel_ids: Iterable[Any] | None = None,
    sparsity: ChannelSparsity | None = None,
) -> dict[Any, NDArray[np.int64]]:
    """Return positions of the channels to show of each unit.

    They are those that are given; else those of the sparsity that is given, else those of its own.
    Channels on which a unit has no waveforms are left out.

    Raises
    ------
    ParameterError
        If channels and a sparsity are given, or there is no such channel.
    """
    if channel_ids is not None and sparsity is not None:
        msg = "Give channel_ids or a sparsity, not both."
        raise ParameterError(msg)
    known = np.asarray(source.channel_ids).tolist()
    is_shown = np.ones((len(unit_ids), len(known)), bool)
    own = source.sparsity
    _, positions = chosen_units(source, unit_ids)
    if own is not None:
        is_shown &= np.asarray(own.mask)[positions]
    if sparsity is not None:
        _, places = chosen_units(sparsity, unit_ids)
        is_shown &= np.asarray(sparsity.mask)[places]
    if channel_ids is not None:
        listed = [one.item() if isinstance(one, np.generic) else one for one in channel_ids]
        unknown = [one for one in listed if one not in known]
        if unknown:
            msg = f"There are no channels {unknown}; there are {known[:8]} ({len(known)} in all)."
            raise ParameterError(msg)
        is_shown &= np.array([one in listed for one in known])
    return {one: np.flatnonzero(row) for one, row in zip(unit_ids, is_shown, strict=True)}


def unit_waveforms_of(
    source: Any,
    unit_ids: Iterable[Any] | None = None,
    channel_ids: Iterable[Any] | None = None,
    sparsity: ChannelSparsity | None = None,
    *,
    with_waveforms: bool = True,
    max_spikes_per_unit: int | None = 50,
    selected: Mapping[Any, Any] | None = None,
    percentiles: Sequence[float] = (),
    scale: float = 1.0,
    widen: float = 1.0,
    abs_y_scale: float | None = None,
) -> UnitWaveforms:
    """Return waveforms and templates to show; arguments as for `plot_unit_waveforms`.

    Raises
    ------
    MissingExtensionError
        If "templates", or "waveforms" that are to be shown, were not computed.
    ParameterError
        If there is no such unit or channel.
    """
    given = source if isinstance(source, Templates) else analyzer_of(source)
    if not isinstance(given, Templates):
        extension_of(given, "templates")
    listed, positions = chosen_units(given, unit_ids)
    channels = channels_of_units(given, listed, channel_ids, sparsity)
    dense = template_source(given)
    templates = np.asarray(dense.templates, np.float64)[positions]
    locations = np.asarray(given.get_channel_locations(), np.float64)
    layout = layout_of(locations, templates, scale, widen)
    if abs_y_scale is not None:
        heights = layout.sample_um, abs_y_scale, layout.n_samples
        layout = WaveformLayout(layout.locations_um, *heights)
    found = _found_waveforms(given, listed, channels, needed=with_waveforms, also=bool(percentiles))
    waveforms = found if with_waveforms else {}
    n_samples, rate = templates.shape[1], given.sampling_frequency
    return UnitWaveforms(
        listed,
        channels,
        {one: templates[k][:, channels[one]] for k, one in enumerate(listed)},
        {
            one: _some_of(some, one, selected, max_spikes_per_unit)
            for one, some in waveforms.items()
        },
        {one: len(some) for one, some in waveforms.items()},
        _percentiles(found, percentiles),
        np.asarray((np.arange(n_samples) - dense.nbefore) * 1e3 / rate, np.float64),
        layout,
        voltage_unit(dense.is_in_uV),
    )


def _found_waveforms(
    given: Any,
    unit_ids: Sequence[Any],
    channels: Mapping[Any, NDArray[np.int64]],
    *,
    needed: bool,
    also: bool,
) -> dict[Any, NDArray[np.floating]]:
    """Return all waveforms of units, on the channels that are shown."""
    if isinstance(given, Templates) or not (needed or also):
        return {}
    extension: Any = given.get_loaded("waveforms")
    if extension is None:
        if not needed:
            return {}
        extension = extension_of(given, "waveforms")
    found = {}
    for unit_id in unit_ids:
        some = extension.get_waveforms_one_unit(unit_id, force_dense=True)
        found[unit_id] = some[:, :, channels[unit_id]]
    return found


def _some_of(
    waveforms: NDArray[np.floating],
    unit_id: Any,
    selected: Mapping[Any, Any] | None,
    n_max: int | None,
) -> NDArray[np.floating]:
    if selected is not None and unit_id in selected:
        chosen: NDArray[np.floating] = waveforms[selected[unit_id]]
        return chosen
    if n_max is None or len(waveforms) <= n_max:
        return waveforms
    rng = np.random.default_rng(SEED)
    return waveforms[np.sort(rng.choice(len(waveforms), n_max, replace=False))]


def _percentiles(
    waveforms: Mapping[Any, NDArray[np.floating]], percentiles: Sequence[float]
) -> dict[Any, NDArray[np.floating]]:
    if not percentiles:
        return {}
    if len(percentiles) % 2 or list(percentiles) != sorted(percentiles):
        msg = f"Percentiles are an even number of rising ones; got {tuple(percentiles)}."
        raise ParameterError(msg)
    return {
        unit_id: np.percentile(some, percentiles, axis=0)
        for unit_id, some in waveforms.items()
        if len(some)
    }


def plot_unit_waveforms(
    sorting_analyzer_or_templates: Any,
    channel_ids: Iterable[Any] | None = None,
    unit_ids: Iterable[Any] | None = None,
    plot_waveforms: bool = True,
    plot_templates: bool = True,
    plot_channels: bool = False,
    unit_colors: Mapping[Any, Color] | None = None,
    sparsity: ChannelSparsity | None = None,
    ncols: int = 5,
    scale: float = 1,
    abs_y_scale: float | None = None,
    widen_narrow_scale: float = 1,
    lw_waveforms: float = 0.5,
    lw_templates: float = 1.5,
    axis_equal: bool = False,
    unit_selected_waveforms: Mapping[Any, Any] | None = None,
    max_spikes_per_unit: int | None = 50,
    set_title: bool = True,
    same_axis: bool = False,
    shade_templates: bool = True,
    templates_percentile_shading: Sequence[float] | None = (1, 25, 75, 99),
    scalebar: bool = True,
    x_offset_units: bool = False,
    alpha_waveforms: float = 0.5,
    alpha_templates: float = 1,
    plot_legend: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot waveforms and templates of units, each channel at its place on the probe.

    Parameters
    ----------
    sorting_analyzer_or_templates : SortingAnalyzer or Templates
        An analyzer needs the extension "templates", and "waveforms" if these are shown. `Templates`
        have no waveforms.
    channel_ids : list, optional
        Channels to show; by default those of the sparsity.
    unit_ids : list, optional
        Units; all by default.
    plot_waveforms, plot_templates : bool, default True
        What is shown.
    plot_channels : bool, default False
        Show the contacts.
    unit_colors : dict, optional
        Colour of each unit.
    sparsity : ChannelSparsity, optional
        Channels to show of each unit, among those that it has.
    ncols : int, default 5
        Units side by side.
    scale, widen_narrow_scale : float, default 1
        Factors by which waveforms are higher and wider.
    abs_y_scale : float, optional
        Height of a microvolt in micrometres, instead.
    lw_waveforms, lw_templates, alpha_waveforms, alpha_templates : float
        How lines look.
    axis_equal : bool, default False
        Draw the probe to scale.
    unit_selected_waveforms : dict, optional
        Positions of the waveforms to show, by unit.
    max_spikes_per_unit : int, default 50
        As many waveforms of a unit as this, always the same; None for all.
    set_title : bool, default True
        Write the unit above its axes.
    same_axis : bool, default False
        Draw all units into the same axes.
    shade_templates : bool, default True
        Where no waveforms are shown, show how they spread around the template.
    templates_percentile_shading : sequence of float, default (1, 25, 75, 99)
        From which percentile to which that is; pairs from outside to inside.
    scalebar : bool, default True
        Draw bars that say how long a millisecond, and how high some microvolts are.
    x_offset_units : bool, default False
        In the same axes, draw units side by side.
    plot_legend : bool, default True
        In the same axes, say which unit has which colour.
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
        If "templates", or "waveforms" that are to be shown, were not computed.
    ParameterError
        If there is no such unit or channel.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "waveforms", "templates"], progress_bar=False)
    >>> plot_unit_waveforms(analyzer, figure=Figure())
    Widget: 3 axes
    """
    given = sorting_analyzer_or_templates
    with_waveforms = plot_waveforms and not isinstance(given, Templates)
    has_shades = shade_templates and plot_templates and not with_waveforms
    shown = unit_waveforms_of(
        given,
        unit_ids,
        channel_ids,
        sparsity,
        with_waveforms=with_waveforms,
        max_spikes_per_unit=max_spikes_per_unit,
        selected=unit_selected_waveforms,
        percentiles=(templates_percentile_shading or ()) if has_shades else (),
        scale=scale,
        widen=widen_narrow_scale,
        abs_y_scale=abs_y_scale,
    )
    colors = checked_colors(unit_colors, given, shown.unit_ids)
    n_panels = 1 if same_axis else len(shown.unit_ids)
    panels = open_panels(backend, backend_kwargs, n_panels, ncols, _size(n_panels, ncols))
    axes = panels_in(panels)
    pen = _Pen(lw_waveforms, lw_templates, alpha_waveforms, alpha_templates, plot_templates)
    for k, unit_id in enumerate(shown.unit_ids):
        ax = axes[0 if same_axis else k]
        shift = k * 0.7 * shown.layout.sample_um * shown.layout.n_samples if x_offset_units else 0.0
        pen.draw(ax, shown, unit_id, colors[unit_id], shift)
        if not same_axis:
            _annotate(ax, shown, unit_id, set_title=set_title)
    for ax in axes[:n_panels]:
        _finish(ax, shown, scalebar=scalebar, axis_equal=axis_equal)
        if plot_channels:
            draw_probes(ax, probe_outlines_of(given))
    if same_axis and plot_legend:
        unit_legend(axes[0], shown.unit_ids, colors)
    return drawn(panels, shown)


@dataclass(frozen=True)
class _Pen:
    """How lines of a unit look."""

    waveform_width: float
    template_width: float
    waveform_alpha: float
    template_alpha: float
    has_templates: bool

    def draw(
        self, ax: "Axes", shown: UnitWaveforms, unit_id: Any, color: Color, shift_um: float
    ) -> None:
        """Draw waveforms, spread and template of a unit."""
        from matplotlib.collections import LineCollection  # noqa: PLC0415 - matplotlib is optional
        from matplotlib.colors import to_rgb  # noqa: PLC0415

        channels = shown.channels[unit_id]
        x = shown.layout.x_um(channels, shift_um).ravel()
        if not x.size:
            return
        look: dict[str, Any]
        waveforms = shown.waveforms.get(unit_id)
        if waveforms is not None and len(waveforms):
            y = shown.layout.y_um(waveforms, channels).reshape(len(waveforms), -1)
            lines = np.stack([np.broadcast_to(x, y.shape), y], axis=2)
            look = {"linewidths": self.waveform_width, "alpha": self.waveform_alpha}
            ax.add_collection(LineCollection(list(lines), colors=[color], zorder=2, **look))
            ax.autoscale_view()
        shades = shown.shades.get(unit_id)
        if shades is not None:
            levels = shown.layout.y_um(shades, channels).reshape(len(shades), -1)
            for k in range(len(levels) // 2):
                ax.fill_between(x, levels[k], levels[-1 - k], color="gray", alpha=0.25, linewidth=0)
        if self.has_templates:
            line = shown.layout.y_um(shown.templates[unit_id], channels).ravel()
            ink = tuple(0.6 * one for one in to_rgb(color)) if waveforms is not None else color
            look = {"linewidth": self.template_width, "alpha": self.template_alpha}
            ax.plot(x, line, color=ink, label=str(unit_id), zorder=3, **look)


def _size(n_panels: int, n_columns: int) -> tuple[float, float]:
    if n_panels == 1:
        return 6.0, 6.0
    return 2.6 * min(n_panels, n_columns), 3.6 * -(-n_panels // n_columns)


def _annotate(ax: "Axes", shown: UnitWaveforms, unit_id: Any, *, set_title: bool) -> None:
    n_shown = len(shown.waveforms.get(unit_id, ()))
    remark = shown_of(n_shown, shown.n_all.get(unit_id, n_shown), "").replace("  ", " ")
    if set_title:
        ax.set_title(f"unit {unit_id}", loc="left", fontsize="small")
    if remark:
        note(ax, remark)


def _finish(ax: "Axes", shown: UnitWaveforms, *, scalebar: bool, axis_equal: bool) -> None:
    ax.set_xlabel("x (µm)")
    ax.set_ylabel("y (µm)")
    ax.tick_params(labelsize="small")
    ax.spines[["top", "right"]].set_visible(False)
    if axis_equal:
        ax.set_aspect("equal")
    if scalebar:
        _draw_scale(ax, shown)


def _draw_scale(ax: "Axes", shown: UnitWaveforms) -> None:
    """Draw how long a time and how high a voltage is, below the waveforms."""
    layout = shown.layout
    sample_ms = float(shown.times_ms[1] - shown.times_ms[0]) if len(shown.times_ms) > 1 else 1.0
    long_ms = round_length(0.6 * layout.n_samples * sample_ms)
    width = long_ms / sample_ms * layout.sample_um
    largest = max((float(np.ptp(one)) for one in shown.templates.values() if one.size), default=1.0)
    high = round_length(0.6 * largest)
    height = high * layout.voltage_um
    left, (low, top) = ax.get_xlim()[0], ax.get_ylim()
    bottom = low - 0.06 * (top - low) - height
    ax.plot([left, left, left + width], [bottom + height, bottom, bottom], color="black", lw=1.2)
    text = f" {high:g} {shown.unit}\n {long_ms:g} ms"
    place: dict[str, Any] = {
        "va": "bottom",
        "ha": "left",
        "fontsize": "x-small",
        "linespacing": 1.3,
    }
    ax.text(left + width * 0.1, bottom + 0.02 * (top - low), text, **place)
    ax.set_ylim(bottom - 0.04 * (top - low), top)


def plot_unit_templates(
    sorting_analyzer_or_templates: Any,
    channel_ids: Iterable[Any] | None = None,
    unit_ids: Iterable[Any] | None = None,
    **kwargs: Any,
) -> Widget:
    """Plot templates of units, each channel at its place, and how waveforms spread around them.

    Parameters
    ----------
    sorting_analyzer_or_templates : SortingAnalyzer or Templates
        An analyzer needs the extension "templates"; the spread is shown if it has "waveforms".
    channel_ids : list, optional
        Channels to show; by default those of the sparsity.
    unit_ids : list, optional
        Units; all by default.
    **kwargs
        See `plot_unit_waveforms`.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If "templates" were not computed.
    ParameterError
        If there is no such unit or channel.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.analyzer import create_sorting_analyzer
    >>> from spikeloom.generation import generate_ground_truth_recording
    >>> recording, sorting = generate_ground_truth_recording([2.0], num_units=3, seed=0)
    >>> analyzer = create_sorting_analyzer(sorting, recording, progress_bar=False)
    >>> analyzer.compute(["random_spikes", "waveforms", "templates"], progress_bar=False)
    >>> plot_unit_templates(analyzer, figure=Figure())
    Widget: 3 axes
    """
    chosen = {**kwargs, "plot_waveforms": False}
    return plot_unit_waveforms(sorting_analyzer_or_templates, channel_ids, unit_ids, **chosen)
