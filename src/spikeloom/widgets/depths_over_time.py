"""Where spikes are on the probe over time: of units, and of all spikes together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.marks import bare, note, shown_of, unit_legend
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of
from spikeloom.widgets.spike_points import count_shown, spikes_of_units
from spikeloom.widgets.timeline import Timeline, timeline_of
from spikeloom.widgets.unit_colors import Color, checked_colors

_N_SHOWN = 100_000
"""More spikes than this cannot be told apart on a map."""


@dataclass(frozen=True, eq=False)
class SpikesInDepth:
    """Spikes over time, and where they are along an axis of the probe."""

    times_s: NDArray[np.float64]
    """Shape (n_shown,)."""
    positions_um: NDArray[np.float64]
    """Shape (n_shown,)."""
    amplitudes: NDArray[np.float64] | None
    """Shape (n_shown,); None if they are not known."""
    n_all: int
    """How many there are."""


def plot_locations(
    sorting_analyzer: Any,
    unit_ids: Iterable[Any] | None = None,
    unit_colors: Mapping[Any, Color] | None = None,
    segment_index: int | None = None,
    max_spikes_per_unit: int | None = 2000,
    plot_histograms: bool = False,
    bins: int | None = None,
    plot_legend: bool = True,
    locations_axis: Literal["x", "y"] = "y",
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot where the spikes of units are along the probe, over time.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extension "spike_locations".
    unit_ids : list, optional
        Units; all by default.
    unit_colors : dict, optional
        Colour of each unit.
    segment_index : int, optional
        A segment; all by default, one after the other.
    max_spikes_per_unit : int, default 2000
        As many spikes of a unit as this, always the same; None for all.
    plot_histograms : bool, default False
        Draw how they are distributed beside it.
    bins : int, optional
        Number of bins of the histograms; 100 by default.
    plot_legend : bool, default True
        Say which unit has which colour.
    locations_axis : {"x", "y"}
        Axis of the probe.
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
        If the extension "spike_locations" was not computed.
    ParameterError
        If there is no such unit, segment or axis.
    """
    analyzer = analyzer_of(sorting_analyzer)
    _check_axis(locations_axis)
    positions = extension_of(analyzer, "spike_locations").get_data()[locations_axis]
    listed, _ = chosen_units(analyzer, unit_ids)
    colors = checked_colors(unit_colors, analyzer, listed)
    timeline = timeline_of(analyzer, segment_index)
    spikes = spikes_of_units(analyzer, timeline, listed, max_spikes_per_unit)
    panels = open_panels(backend, backend_kwargs, 1 + plot_histograms, 2, (9.0, 4.5))
    ax, *others = panels_in(panels)
    shown = {}
    for unit_id, some in spikes.items():
        shown[unit_id] = np.asarray(positions[some.rows], np.float64)
        ax.plot(some.times_s, shown[unit_id], ".", ms=2, color=colors[unit_id], rasterized=True)
    if plot_histograms:
        edges = np.histogram_bin_edges(np.concatenate([*shown.values()]), bins or 100)
        lying: dict[str, Any] = {"orientation": "horizontal", "histtype": "step"}
        for unit_id, values in shown.items():
            others[0].hist(values, edges.tolist(), color=colors[unit_id], **lying)
        others[0].set(xlabel="spikes", ylim=ax.get_ylim())
        bare(others[0])
    _finish(ax, timeline, locations_axis)
    note(ax, shown_of(*count_shown(spikes), "spikes"))
    if plot_legend:
        unit_legend(others[0] if others else ax, listed, colors)
    return drawn(panels, shown)


def plot_drift_raster_map(
    peaks: NDArray[np.void] | None = None,
    peak_locations: NDArray[np.void] | None = None,
    sorting_analyzer: Any = None,
    direction: Literal["x", "y"] = "y",
    recording: Any = None,
    sampling_frequency: float | None = None,
    segment_indices: Any = None,
    depth_lim: tuple[float, float] | None = None,
    color_amplitude: bool = True,
    scatter_decimate: int | None = None,
    cmap: str = "inferno",
    color: str = "gray",
    clim: tuple[float, float] | None = None,
    alpha: float = 1.0,
    segment_index: Any = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot all spikes, or peaks, as dots over time and depth: what moves with the probe is seen.

    Parameters
    ----------
    peaks : ndarray of shape (n_peaks,), optional
        With the fields ``sample_index``, ``segment_index`` and ``amplitude``.
    peak_locations : ndarray of shape (n_peaks,), optional
        With the fields ``x`` and ``y``, in micrometres.
    sorting_analyzer : SortingAnalyzer, optional
        Instead of peaks: with the extension "spike_locations", and best "spike_amplitudes".
    direction : {"x", "y"}
        Axis of the probe.
    recording : BaseRecording, optional
        Of the peaks, for their times.
    sampling_frequency : float, optional
        Of the peaks in Hz, without a recording.
    segment_indices : int or list of int, optional
        Segments; all by default, one after the other.
    depth_lim : (float, float), optional
        Show only what is between, in micrometres.
    color_amplitude : bool, default True
        Colour dots by their amplitude, if it is known.
    scatter_decimate : int, optional
        Show each so many-th spike; by default about 100 000.
    cmap : str, default "inferno"
        A colour map of matplotlib.
    color : str, default "gray"
        Colour of dots without amplitudes.
    clim : (float, float), optional
        Ends of the colour map; 5 and 95 percent of the amplitudes by default.
    alpha : float, default 1
        How opaque dots are.
    segment_index : int, optional
        Older name of `segment_indices`.
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
        If the extension "spike_locations" was not computed.
    ParameterError
        If there are neither peaks nor an analyzer, or an argument makes no sense.
    """
    _check_axis(direction)
    segments = segment_index if segment_indices is None else segment_indices
    if sorting_analyzer is not None:
        shown, timeline = _of_analyzer(sorting_analyzer, direction, segments, scatter_decimate)
    else:
        fs = sampling_frequency if recording is None else recording.sampling_frequency
        if peaks is None or peak_locations is None or fs is None:
            msg = (
                "Give sorting_analyzer=..., or peaks and peak_locations with recording=... or "
                "sampling_frequency=..."
            )
            raise ParameterError(msg)
        shown = _of_peaks(
            peaks, peak_locations[direction], recording, fs, segments, scatter_decimate
        )
        timeline = None
    panels = open_panels(backend, backend_kwargs, figsize=(9.0, 5.0))
    (ax, *_) = panels_in(panels)
    dots: dict[str, Any] = {"s": 1.5, "linewidths": 0, "alpha": alpha, "rasterized": True}
    amplitudes = shown.amplitudes
    if color_amplitude and amplitudes is not None and amplitudes.size:
        low, high = np.percentile(amplitudes, (5, 95)) if clim is None else clim
        order = np.argsort(np.abs(amplitudes), kind="stable")
        found = ax.scatter(
            shown.times_s[order],
            shown.positions_um[order],
            c=amplitudes[order],
            cmap=f"{cmap}_r" if high <= 0 else cmap,
            vmin=low,
            vmax=high,
            **dots,
        )
        label = "amplitude (µV)" if sorting_analyzer is not None else "amplitude"
        figure_of(panels).colorbar(found, ax=ax, label=label)
    else:
        ax.scatter(shown.times_s, shown.positions_um, color=color, **dots)
    _finish(ax, timeline, direction)
    if depth_lim is not None:
        ax.set_ylim(depth_lim)
    note(ax, shown_of(len(shown.times_s), shown.n_all, "spikes"))
    return drawn(panels, shown)


def _of_analyzer(
    source: Any, direction: str, segments: Any, decimate: int | None
) -> tuple[SpikesInDepth, Timeline]:
    analyzer = analyzer_of(source)
    positions = extension_of(analyzer, "spike_locations").get_data()[direction]
    loaded = analyzer.get_loaded("spike_amplitudes")
    timeline = timeline_of(analyzer, segments)
    table = analyzer.sorting.spike_table()
    offsets = table.segment_offsets
    rows = [np.arange(offsets[k], offsets[k + 1]) for k in timeline.segments]
    times = [timeline.times_s(k, table.sample_index[some]) for k, some in enumerate(rows)]
    places, times_s = np.concatenate(rows), np.concatenate(times)
    step = _step(len(places), decimate)
    some = places[::step]
    amplitudes = None if loaded is None else np.asarray(loaded.data["amplitudes"], float)[some]
    values = np.asarray(positions[some], np.float64)
    return SpikesInDepth(times_s[::step], values, amplitudes, len(places)), timeline


def _of_peaks(
    peaks: NDArray[np.void],
    positions: NDArray[np.floating],
    recording: Any,
    sampling_frequency: float,
    segments: Any,
    decimate: int | None,
) -> SpikesInDepth:
    chosen = np.unique(peaks["segment_index"]) if segments is None else np.atleast_1d(segments)
    times_s, places, start_s = [], [], 0.0
    for segment in chosen.tolist():
        mine = np.flatnonzero(peaks["segment_index"] == segment)
        samples = peaks["sample_index"][mine]
        if recording is not None and len(chosen) == 1:
            times_s.append(np.asarray(recording.sample_index_to_time(samples, segment)))
        else:
            times_s.append(start_s + samples / sampling_frequency)
        n_samples = (
            int(samples.max(initial=-1)) + 1
            if recording is None
            else recording.get_num_samples(segment)
        )
        start_s += n_samples / sampling_frequency
        places.append(mine)
    rows = np.concatenate(places) if places else np.zeros(0, np.int64)
    times = np.concatenate(times_s) if times_s else np.zeros(0)
    step = _step(len(rows), decimate)
    some = rows[::step]
    has_amplitudes = "amplitude" in (peaks.dtype.names or ())
    amplitudes = np.asarray(peaks["amplitude"][some], float) if has_amplitudes else None
    return SpikesInDepth(times[::step], np.asarray(positions[some], float), amplitudes, len(rows))


def _step(n_spikes: int, decimate: int | None) -> int:
    if decimate is None:
        return max(1, -(-n_spikes // _N_SHOWN))
    if decimate < 1:
        msg = f"scatter_decimate is 1 (all spikes) or more; got {decimate}."
        raise ParameterError(msg)
    return decimate


def _check_axis(axis: str) -> None:
    if axis not in {"x", "y"}:
        msg = f"An axis of the probe is 'x' or 'y'; got {axis!r}."
        raise ParameterError(msg)


def _finish(ax: Any, timeline: Timeline | None, axis: str) -> None:
    ax.set(xlabel="time (s)", ylabel=f"{axis} (µm)")
    bare(ax)
    if timeline is not None:
        ax.set_xlim(timeline.limits_s)
        for boundary in timeline.boundaries_s.tolist():
            ax.axvline(boundary, color="black", linewidth=0.8, linestyle=":")
