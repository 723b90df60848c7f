"""Probes: their outlines and contacts, with ids or colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.recording import BaseRecording
from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection

STEEPEST = 5.0
"""How much higher than wide a probe is at most, if its figure is to be to scale."""


@dataclass(frozen=True, eq=False)
class ProbeOutlines:
    """Contacts and outlines of the probes of a recording."""

    channel_ids: NDArray[Any]
    """Shape (n_channels,)."""
    locations_um: NDArray[np.float64]
    """Middles of contacts; shape (n_channels, 2)."""
    contacts_um: list[NDArray[np.float64]]
    """Corners of each contact, in the order of the channels."""
    outlines_um: list[NDArray[np.float64]]
    """Corners of each probe that has an outline."""


def probe_outlines_of(source: Any) -> ProbeOutlines:
    """Return contacts and outlines of the probes of a recording or an analyzer.

    Raises
    ------
    ParameterError
        If it has no probe.

    Examples
    --------
    >>> from spikeloom.generation import generate_recording
    >>> probe_outlines_of(generate_recording(durations=[0.1])).locations_um.shape
    (2, 2)
    """
    if not hasattr(source, "get_probegroup"):
        msg = f"A recording or a SortingAnalyzer is needed; got {type(source).__name__}."
        raise ParameterError(msg)
    group = source.get_probegroup()
    locations = np.asarray(source.get_channel_locations(), np.float64)[:, :2]
    corners = [
        np.asarray(one, np.float64)[:, :2]
        for probe in group.probes
        for one in probe.get_contact_vertices()
    ]
    outlines = [
        np.asarray(probe.probe_planar_contour, np.float64)[:, :2]
        for probe in group.probes
        if probe.probe_planar_contour is not None
    ]
    return ProbeOutlines(
        np.asarray(source.channel_ids), locations, _by_channel(corners, locations), outlines
    )


def _by_channel(
    corners: list[NDArray[np.float64]], locations: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Return the contacts in the order of channels; of several probes, that need not be theirs."""
    middles = np.array([one.mean(axis=0) for one in corners]).reshape(-1, 2)
    nearest = [int(np.argmin(((middles - place) ** 2).sum(axis=1))) for place in locations]
    return [corners[k] for k in nearest]


def draw_probes(
    ax: "Axes",
    probes: ProbeOutlines,
    colors: Any = "white",
    *,
    with_channel_ids: bool = False,
) -> "PolyCollection":
    """Draw probes, and label the axes in micrometres; return the contacts.

    Parameters
    ----------
    ax : Axes
    probes : ProbeOutlines
    colors : colour or list of colours
        Of contacts; None to colour them by values afterwards.
    with_channel_ids : bool, default False
        Write the id of its channel on each contact.
    """
    from matplotlib.collections import PolyCollection  # noqa: PLC0415 - matplotlib is optional

    edge: dict[str, Any] = {"edgecolors": "dimgray", "linewidths": 0.5}
    ax.add_collection(PolyCollection(probes.outlines_um, facecolors="whitesmoke", zorder=0, **edge))
    contacts = PolyCollection(probes.contacts_um, facecolors=colors, zorder=1, **edge)
    ax.add_collection(contacts)
    if with_channel_ids:
        for channel_id, (x_um, y_um) in zip(probes.channel_ids, probes.locations_um, strict=True):
            place: dict[str, Any] = {
                "ha": "center",
                "va": "center",
                "fontsize": "xx-small",
                "zorder": 6,
            }
            ax.text(x_um, y_um, str(channel_id), **place)
    ax.set_xlabel("x (µm)")
    ax.set_ylabel("y (µm)")
    return contacts


def frame(ax: "Axes", points_um: ArrayLike, margin_um: float) -> None:
    """Show points and a margin, to scale unless that would be a narrow strip."""
    points = np.asarray(points_um, np.float64)[:, :2]
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return
    low, high = points.min(axis=0) - margin_um, points.max(axis=0) + margin_um
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    width, height = (high - low).tolist()
    ax.set_aspect("equal" if height <= STEEPEST * width else "auto")


def _all_points(probes: ProbeOutlines) -> NDArray[np.float64]:
    return np.concatenate([*probes.contacts_um, *probes.outlines_um])


def plot_probe_map(
    recording: Any,
    color_channels: Any = None,
    with_channel_ids: bool = False,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot where the contacts of a recording are.

    Parameters
    ----------
    recording : BaseRecording or SortingAnalyzer
        With a probe.
    color_channels : colour or list of colours, optional
        Of contacts; a list is in the order of the channels.
    with_channel_ids : bool, default False
        Write the id of its channel on each contact.
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
        If there is no probe.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.generation import generate_recording
    >>> recording = generate_recording(durations=[1.0], seed=0)
    >>> plot_probe_map(recording, figure=Figure())
    Widget: 1 axes
    """
    probes = probe_outlines_of(recording)
    panels = open_panels(backend, backend_kwargs, figsize=(4.5, 7))
    (ax, *_) = panels_in(panels)
    colors = "#ffd08a" if color_channels is None else color_channels
    draw_probes(ax, probes, colors, with_channel_ids=with_channel_ids)
    frame(ax, _all_points(probes), 10.0)
    return drawn(panels, probes)


@dataclass(frozen=True, eq=False)
class PeakActivity:
    """How many peaks there are on each channel."""

    probes: ProbeOutlines
    """Where channels are."""
    rates_hz: NDArray[np.float64]
    """Peaks by second; shape (n_channels,)."""


def peak_activity_of(recording: BaseRecording, peaks: NDArray[np.void]) -> PeakActivity:
    """Return how many peaks a second each channel has; arguments as for `plot_peak_activity`.

    Raises
    ------
    ParameterError
        If peaks have no channels, or such as the recording has not.
    """
    if peaks.dtype.names is None or "channel_index" not in peaks.dtype.names:
        msg = f"peaks need the field 'channel_index'; got {peaks.dtype}."
        raise ParameterError(msg)
    n_channels, channels = recording.get_num_channels(), peaks["channel_index"]
    if len(channels) and not 0 <= channels.min() <= channels.max() < n_channels:
        msg = f"Peaks are on channels {channels.min()} to {channels.max()} of {n_channels}."
        raise ParameterError(msg)
    counts = np.bincount(channels, minlength=n_channels)
    return PeakActivity(probe_outlines_of(recording), counts / recording.get_total_duration())


def plot_peak_activity(
    recording: BaseRecording,
    peaks: NDArray[np.void],
    with_channel_ids: bool = False,
    with_color_bar: bool = True,
    color_range: Sequence[float] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how many peaks a second each contact has.

    Parameters
    ----------
    recording : BaseRecording
        With a probe.
    peaks : structured array of shape (n_peaks,)
        With the field ``channel_index``.
    with_channel_ids : bool, default False
        Write the id of its channel on each contact.
    with_color_bar : bool, default True
        Say what colours mean.
    color_range : (float, float), optional
        Lowest and highest rate in Hz; from 0 to that of the most active channel by default.
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
        If there is no probe, or peaks are on channels that there are not.
    """
    activity = peak_activity_of(recording, peaks)
    panels = open_panels(backend, backend_kwargs, figsize=(5, 7))
    (ax, *_) = panels_in(panels)
    contacts = draw_probes(ax, activity.probes, None, with_channel_ids=with_channel_ids)
    contacts.set_array(activity.rates_hz)
    contacts.set_cmap("viridis")
    highest = float(activity.rates_hz.max(initial=0.0)) or 1.0
    contacts.set_clim(*((0.0, highest) if color_range is None else color_range))
    if with_color_bar:
        figure_of(panels).colorbar(contacts, ax=ax, label="peaks per second (Hz)")
    frame(ax, _all_points(activity.probes), 10.0)
    return drawn(panels, activity)
