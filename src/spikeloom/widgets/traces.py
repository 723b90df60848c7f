"""Traces of recordings: lines above each other, or a map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.recording import BaseRecording
from spikeloom.errors import ParameterError
from spikeloom.extractors.trace_files import TraceFilesRecording
from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.marks import bare, round_length, side_bar
from spikeloom.widgets.rasters import checked_range
from spikeloom.widgets.sources import only_segment, voltage_unit
from spikeloom.widgets.unit_colors import Color, get_some_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES_MAX = 64
"""Most channels that are drawn as lines unless that is asked for."""


@dataclass(frozen=True, eq=False)
class TraceLayers:
    """Traces of one or several recordings at the same times."""

    times_s: NDArray[np.float64]
    """Shape (n_samples,)."""
    traces: dict[str, NDArray[Any]]
    """Of each recording, in `unit`; shape (n_samples, n_channels)."""
    channel_ids: list[Any]
    """Channels from the lowest to the highest."""
    unit: str
    """What traces are in."""
    time_range_s: tuple[float, float]
    """What is shown."""
    edges: tuple[tuple[float, str], ...] = ()
    """Where files of `spikeloom.read_traces` begin, in seconds, and their names."""

    @property
    def largest(self) -> float:
        """How far values of the first recording go from the median: the mean of all channels."""
        first = centred(next(iter(self.traces.values())))
        return float(np.abs(first).max(axis=0).mean()) or 1.0


def centred(traces: NDArray[Any]) -> NDArray[np.float64]:
    """Return traces without the median of each channel; shape (n_samples, n_channels).

    Examples
    --------
    >>> centred(np.array([[1, 5], [2, 5], [9, 6]]))
    array([[-1.,  0.],
           [ 0.,  0.],
           [ 7.,  1.]])
    """
    values = np.asarray(traces, np.float64)
    return values - np.median(values, axis=0)


def trace_layers_of(
    recording: Any,
    segment_index: int | None = None,
    channel_ids: Iterable[Any] | None = None,
    time_range: Sequence[float] | None = None,
    *,
    order_channel_by_depth: bool = False,
    return_in_uV: bool = False,
) -> TraceLayers:
    """Return traces to show; arguments as for `plot_traces`.

    Raises
    ------
    ParameterError
        If recordings do not fit each other, there is no such segment or channel, nothing is in the
        time range, or microvolts are asked for and unknown.

    Examples
    --------
    >>> from spikeloom.generation import generate_recording
    >>> recording = generate_recording(durations=[1.0], seed=0)
    >>> trace_layers_of(recording, time_range=(0.0, 0.1)).traces["traces"].shape
    (3000, 2)
    """
    layers = _as_layers(recording)
    first = next(iter(layers.values()))
    segment = only_segment(first.get_num_segments(), segment_index)
    ids = list(first.channel_ids if channel_ids is None else channel_ids)
    if order_channel_by_depth:
        x_um, y_um = first.get_channel_locations(ids)[:, :2].T
        ids = [ids[k] for k in np.lexsort((x_um, y_um))]
    start_s, end_s = first.get_start_time(segment), first.get_end_time(segment)
    from_s, to_s = checked_range(time_range, (start_s, min(start_s + 1.0, end_s)))
    begin, end = (
        int(np.clip(first.time_to_sample_index(t, segment), 0, first.get_num_samples(segment)))
        for t in (from_s, to_s)
    )
    if begin >= end:
        msg = f"Nothing is recorded from {from_s} s to {to_s} s: it is {start_s} s to {end_s} s."
        raise ParameterError(msg)
    times = first.sample_index_to_time(np.arange(begin, end), segment)
    traces = {
        name: one.get_traces(segment, begin, end, ids, return_in_uV=return_in_uV)
        for name, one in layers.items()
    }
    shown = float(times[0]), float(times[-1])
    return TraceLayers(
        np.asarray(times),
        traces,
        ids,
        voltage_unit(return_in_uV),
        shown,
        _edges_within(first, begin, end),
    )


def _edges_within(recording: BaseRecording, begin: int, end: int) -> tuple[tuple[float, str], ...]:
    if not isinstance(recording, TraceFilesRecording):
        return ()
    return tuple(
        (float(recording.sample_index_to_time(one.start_sample)), one.label)
        for one in recording.stretches[1:]
        if begin <= one.start_sample < end
    )


def _as_layers(given: Any) -> dict[str, BaseRecording]:
    if isinstance(given, Mapping):
        layers = {str(name): one for name, one in given.items()}
    elif isinstance(given, list | tuple):
        layers = {f"rec{k}": one for k, one in enumerate(given)}
    else:
        layers = {"traces": given}
    wrong = [type(one).__name__ for one in layers.values() if not isinstance(one, BaseRecording)]
    if wrong or not layers:
        msg = f"Recordings are needed, one, a list or a dict; got {', '.join(wrong) or 'none'}."
        raise ParameterError(msg)
    shapes = {(one.sampling_frequency, one.get_num_segments()) for one in layers.values()}
    if len(shapes) != 1:
        msg = f"Recordings have (sampling frequency, segments) {sorted(shapes)}, not the same."
        raise ParameterError(msg)
    return layers


def plot_traces(
    recording: Any,
    segment_index: int | None = None,
    channel_ids: Iterable[Any] | None = None,
    order_channel_by_depth: bool = False,
    time_range: Sequence[float] | None = None,
    mode: Literal["auto", "line", "map"] = "auto",
    return_in_uV: bool = False,
    cmap: str = "RdBu_r",
    show_channel_ids: bool = False,
    events: ArrayLike | None = None,
    events_color: Color = "gray",
    events_alpha: float = 0.5,
    color_groups: bool = False,
    color: Color | None = None,
    clim: tuple[float, float] | None = None,
    scale: float = 1,
    vspacing_factor: float = 1.5,
    with_colorbar: bool = True,
    add_legend: bool = True,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot traces of a recording, or of several above each other.

    As lines, each channel is drawn around its median. Where files of `spikeloom.read_traces` follow
    each other, the beginning of each is marked.

    Parameters
    ----------
    recording : BaseRecording, or list or dict of them
        Several are drawn over each other, as lines.
    segment_index : int, optional
        Needed if there are several segments.
    channel_ids : list, optional
        Channels from the lowest to the highest; all by default.
    order_channel_by_depth : bool, default False
        Order channels by where they are.
    time_range : (float, float), optional
        From when to when in seconds; the first second by default.
    mode : {"auto", "line", "map"}
        Lines, or a map of colours; "auto" draws up to 64 channels as lines.
    return_in_uV : bool, default False
        Show microvolts rather than what is in the file.
    cmap : str, default "RdBu_r"
        Colours of the map.
    show_channel_ids : bool, default False
        Name the channels.
    events : array_like of shape (n_events,), optional
        Times of events in seconds; or a structured array with ``time`` and possibly ``duration``.
    events_color, events_alpha
        How events look.
    color_groups : bool, default False
        A colour for each group of channels.
    color : colour, optional
        Of the lines.
    clim : (float, float), optional
        Values at the ends of the map's colours; by default as far from zero as nearly all values.
    scale : float, default 1
        Factor by which lines are drawn higher.
    vspacing_factor : float, default 1.5
        Distance of lines, in largest values of the channels, which are averaged.
    with_colorbar : bool, default True
        Say what colours of the map mean.
    add_legend : bool, default True
        Say which recording has which colour.
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
        If there is no such segment or channel, nothing is in the time range, microvolts are asked
        for and unknown, or several recordings are to be a map.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.generation import generate_recording
    >>> recording = generate_recording(durations=[1.0], seed=0)
    >>> plot_traces(recording, figure=Figure())
    Widget: 1 axes
    """
    shown = trace_layers_of(
        recording,
        segment_index,
        channel_ids,
        time_range,
        order_channel_by_depth=order_channel_by_depth,
        return_in_uV=return_in_uV,
    )
    is_map = _is_map(mode, len(shown.channel_ids), len(shown.traces))
    line_colors = _line_colors(recording, shown, color, color_groups=color_groups)
    panels = open_panels(backend, backend_kwargs, figsize=(10, 6))
    (ax, *_) = panels_in(panels)
    if is_map:
        image = _draw_map(ax, shown, cmap, clim)
        if with_colorbar:
            figure_of(panels).colorbar(image, ax=ax, label=f"voltage ({shown.unit})")
    else:
        _draw_lines(ax, shown, line_colors, scale, vspacing_factor)
        if add_legend and len(shown.traces) > 1:
            ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=5, fontsize="small")
    _finish(ax, shown, show_channel_ids=show_channel_ids, is_map=is_map)
    _draw_events(ax, events, shown.time_range_s, color=events_color, alpha=events_alpha)
    _draw_edges(ax, shown)
    return drawn(panels, shown)


def _is_map(mode: str, n_channels: int, n_layers: int) -> bool:
    if mode not in {"auto", "line", "map"}:
        msg = f"mode is 'auto', 'line' or 'map'; got {mode!r}."
        raise ParameterError(msg)
    if mode == "map" and n_layers > 1:
        msg = f"A map shows one recording; got {n_layers}. Use mode='line'."
        raise ParameterError(msg)
    return mode == "map" or (mode == "auto" and n_channels > LINES_MAX and n_layers == 1)


def _line_colors(
    recording: Any, shown: TraceLayers, color: Color | None, *, color_groups: bool
) -> dict[str, list[Color]]:
    """Return the colour of each channel of each recording."""
    layers = _as_layers(recording)
    n_channels = len(shown.channel_ids)
    by_layer = get_some_colors(layers) if len(layers) > 1 else dict.fromkeys(layers, "black")
    first = next(iter(layers))
    if color is not None:
        by_layer[first] = color
    colors = {name: [one] * n_channels for name, one in by_layer.items()}
    if color_groups:
        groups = np.asarray(layers[first].get_channel_groups(shown.channel_ids)).tolist()
        by_group = get_some_colors(sorted(set(groups)))
        colors[first] = [by_group[group] for group in groups]
    return colors


def _draw_lines(
    ax: "Axes",
    shown: TraceLayers,
    colors: Mapping[str, Sequence[Color]],
    scale: float,
    spacing_factor: float,
) -> None:
    n_channels = len(shown.channel_ids)
    spacing = shown.largest * spacing_factor
    for name, traces in shown.traces.items():
        lines = centred(traces) * scale / spacing + np.arange(n_channels)
        for channel in range(n_channels):
            label = name if channel == 0 else "_"
            look = {"color": colors[name][channel], "linewidth": 0.6, "label": label}
            ax.plot(shown.times_s, lines[:, channel], **look)
    ax.set_ylim(-1.0, n_channels)
    length = round_length(spacing / scale)
    side_bar(ax, length * scale / spacing, f"{length:g} {shown.unit}")


def _draw_map(ax: "Axes", shown: TraceLayers, cmap: str, clim: tuple[float, float] | None) -> Any:
    (traces,) = shown.traces.values()
    if clim is None:
        largest = float(np.quantile(np.abs(traces), 0.999)) or 1.0
        clim = (-largest, largest)
    step = (shown.time_range_s[1] - shown.time_range_s[0]) / max(len(traces) - 1, 1)
    left, right = shown.time_range_s[0] - step / 2, shown.time_range_s[1] + step / 2
    extent = (left, right, -0.5, len(shown.channel_ids) - 0.5)
    look: dict[str, Any] = {
        "aspect": "auto",
        "origin": "lower",
        "interpolation": "nearest",
        "cmap": cmap,
    }
    image = ax.imshow(np.asarray(traces, np.float64).T, extent=extent, **look)
    image.set_clim(*clim)
    return image


def _finish(ax: "Axes", shown: TraceLayers, *, show_channel_ids: bool, is_map: bool) -> None:
    places = np.arange(len(shown.channel_ids))
    if show_channel_ids:
        labels = [str(channel_id) for channel_id in shown.channel_ids]
        size = "small" if len(labels) <= 32 else "xx-small"
        ax.set_yticks(places, labels, fontsize=size)
        ax.set_ylabel("channel")
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(shown.channel_ids)} channels")
    if not is_map:
        ax.set_xlim(*shown.time_range_s)
        bare(ax)
    ax.set_xlabel("time (s)")


def _draw_edges(ax: "Axes", shown: TraceLayers) -> None:
    """Draw a line where a file begins, with its name."""
    for time_s, label in shown.edges:
        ax.axvline(time_s, color="C0", linestyle="--", linewidth=1)
        place = ax.get_xaxis_transform()
        ax.text(
            time_s, 1.0, f" {label}", transform=place, va="bottom", color="C0", fontsize="small"
        )


def _draw_events(
    ax: "Axes", events: ArrayLike | None, time_range_s: tuple[float, float], **look: Any
) -> None:
    """Draw a line at each event that is seen, or an area over its duration."""
    if events is None:
        return
    given = np.asarray(events)
    names = given.dtype.names or ()
    times = np.asarray(given["time"] if names else given, np.float64)
    durations = given["duration"] if "duration" in names else np.zeros(len(times))
    is_seen = (times + durations >= time_range_s[0]) & (times <= time_range_s[1])
    for time_s, duration_s in zip(times[is_seen], durations[is_seen], strict=True):
        if duration_s > 0:
            ax.axvspan(time_s, time_s + duration_s, **look)
        else:
            ax.axvline(time_s, **look)
