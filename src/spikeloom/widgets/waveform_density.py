"""How often waveforms of a unit pass through each voltage at each time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sparsity import ChannelSparsity
from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.sources import analyzer_of, chosen_units, extension_of, voltage_unit
from spikeloom.widgets.unit_colors import Color, checked_colors
from spikeloom.widgets.unit_waveforms import channels_of_units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

N_BINS = 100
ROOM = 1.3
"""How far bins reach, in largest values of the templates."""


@dataclass(frozen=True, eq=False)
class WaveformDensity:
    """How often waveforms of units pass through each voltage at each time."""

    unit_ids: list[Any]
    """The units."""
    channels: dict[Any, NDArray[np.int64]]
    """Positions of the channels of each, which stand side by side."""
    counts: dict[Any, NDArray[np.int64]]
    """Waveforms; shape (n_channels_of_unit, n_samples, n_bins)."""
    templates: dict[Any, NDArray[np.floating]]
    """Shape (n_channels_of_unit, n_samples)."""
    edges: NDArray[np.float64]
    """Edges of the bins in `unit`; shape (n_bins + 1,)."""
    duration_ms: float
    """How long a waveform is."""
    channel_ids: list[Any]
    """Ids of all channels."""
    unit: str
    """What voltages are in."""


def density_counts(waveforms: NDArray[Any], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many waveforms are in each bin.

    Parameters
    ----------
    waveforms : ndarray of shape (n_waveforms, n_samples, n_channels)
        In the unit of the edges.
    edges : ndarray of shape (n_bins + 1,)
        At equal distances; the last bin has its upper edge. What lies outside is not counted.

    Returns
    -------
    ndarray of shape (n_channels, n_samples, n_bins) and dtype int64

    Examples
    --------
    >>> density_counts(np.array([[[0.5]], [[1.5]], [[2.0]]]), np.array([0.0, 1.0, 2.0]))
    array([[[1, 2]]])
    """
    n_waveforms, n_samples, n_channels = waveforms.shape
    n_bins = len(edges) - 1
    values = np.asarray(waveforms, np.float64).transpose(2, 1, 0)
    values = values.reshape(n_channels * n_samples, n_waveforms)
    bins = np.searchsorted(edges, values, side="right") - 1
    bins[values == edges[-1]] = n_bins - 1
    rows = np.broadcast_to(np.arange(len(values))[:, np.newaxis], bins.shape)
    inside = (bins >= 0) & (bins < n_bins)
    flat = np.bincount((rows * n_bins + bins)[inside], minlength=len(values) * n_bins)
    return flat.astype(np.int64).reshape(n_channels, n_samples, n_bins)


def waveform_density_of(
    source: Any,
    channel_ids: Iterable[Any] | None = None,
    unit_ids: Iterable[Any] | None = None,
    sparsity: ChannelSparsity | None = None,
    *,
    use_max_channel: bool = False,
    together: bool = False,
) -> WaveformDensity:
    """Return densities of waveforms; arguments as for `plot_unit_waveforms_density_map`.

    With `together`, all units have the channels of any of them.

    Raises
    ------
    MissingExtensionError
        If "waveforms" or "templates" were not computed.
    ParameterError
        If there is no such unit or channel.
    """
    analyzer = analyzer_of(source)
    waveforms: Any = extension_of(analyzer, "waveforms")
    template_extension: Any = extension_of(analyzer, "templates")
    listed, positions = chosen_units(analyzer, unit_ids)
    channels = channels_of_units(analyzer, listed, channel_ids, sparsity)
    if use_max_channel:
        main = analyzer.get_main_channels()
        channels = {one: main[[k]] for one, k in zip(listed, positions.tolist(), strict=True)}
    if together:
        union = np.unique(np.concatenate(list(channels.values())))
        channels = dict.fromkeys(listed, union)
    templates = np.asarray(template_extension.get_data(), np.float64)[positions]
    largest = float(templates.max(initial=0.0)), float(templates.min(initial=0.0))
    edges = np.linspace(ROOM * largest[1] - 1e-9, ROOM * largest[0] + 1e-9, N_BINS + 1)
    counts = {
        one: density_counts(
            waveforms.get_waveforms_one_unit(one, force_dense=True)[:, :, channels[one]], edges
        )
        for one in listed
    }
    if analyzer.sparsity is not None:  # no waveforms are no zeros
        for one, position in zip(listed, positions.tolist(), strict=True):
            counts[one][~np.asarray(analyzer.sparsity.mask)[position, channels[one]]] = 0
    return WaveformDensity(
        listed,
        channels,
        counts,
        {one: templates[k][:, channels[one]].T for k, one in enumerate(listed)},
        edges,
        1e3 * templates.shape[1] / analyzer.sampling_frequency,
        analyzer.channel_ids.tolist(),
        voltage_unit(analyzer.return_in_uV),
    )


def plot_unit_waveforms_density_map(
    sorting_analyzer: Any,
    channel_ids: Iterable[Any] | None = None,
    unit_ids: Iterable[Any] | None = None,
    sparsity: ChannelSparsity | None = None,
    same_axis: bool = False,
    use_max_channel: bool = False,
    unit_colors: Mapping[Any, Color] | None = None,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how often waveforms of units pass through each voltage at each time.

    Channels stand side by side; the line is the template.

    Parameters
    ----------
    sorting_analyzer : SortingAnalyzer
        With the extensions "waveforms" and "templates".
    channel_ids : list, optional
        Channels to show; by default those of the sparsity.
    unit_ids : list, optional
        Units; all by default.
    sparsity : ChannelSparsity, optional
        Channels to show of each unit, among those that it has.
    same_axis : bool, default False
        Add up all units in the same axes.
    use_max_channel : bool, default False
        Show the main channel of each unit only.
    unit_colors : dict, optional
        Colour of each unit.
    backend : str, optional
        Only "matplotlib".
    **backend_kwargs
        ``figure``, ``ax`` or ``axes`` to draw into; ``ncols``, ``figsize``, ``figtitle``.

    Returns
    -------
    Widget

    Raises
    ------
    MissingExtensionError
        If one of the extensions was not computed.
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
    >>> plot_unit_waveforms_density_map(analyzer, figure=Figure())
    Widget: 3 axes
    """
    shown = waveform_density_of(
        sorting_analyzer,
        channel_ids,
        unit_ids,
        sparsity,
        use_max_channel=use_max_channel,
        together=same_axis,
    )
    colors = checked_colors(unit_colors, analyzer_of(sorting_analyzer), shown.unit_ids)
    groups = [shown.unit_ids] if same_axis else [[one] for one in shown.unit_ids]
    size = (4.0 if use_max_channel else 9.0, 1.0 + 2.2 * len(groups))
    panels = open_panels(backend, backend_kwargs, len(groups), 1, size)
    for ax, unit_ids_here in zip(panels_in(panels), groups, strict=False):
        _draw(ax, shown, unit_ids_here, colors)
        title = "all units" if same_axis else f"unit {unit_ids_here[0]}"
        ax.set_ylabel(f"{title}\nvoltage ({shown.unit})")
    return drawn(panels, shown)


def _draw(
    ax: "Axes", shown: WaveformDensity, unit_ids: Sequence[Any], colors: Mapping[Any, Color]
) -> None:
    first = unit_ids[0]
    channels = shown.channels[first]
    total = np.sum([shown.counts[one] for one in unit_ids], axis=0)
    n_channels, n_samples, n_bins = total.shape
    end = n_channels * shown.duration_ms
    image = ax.imshow(
        total.reshape(-1, n_bins).T,
        extent=(0.0, max(end, 1e-9), shown.edges[0], shown.edges[-1]),
        cmap="Greys",
        aspect="auto",
        origin="lower",
        interpolation="nearest",
    )
    figure_of(np.array([[ax]], object)).colorbar(image, ax=ax, label="waveforms", pad=0.01)
    middles = (np.arange(n_samples) + 0.5) / n_samples * shown.duration_ms
    starts = np.arange(n_channels) * shown.duration_ms
    x = np.pad(starts[:, np.newaxis] + middles, ((0, 0), (0, 1)), constant_values=np.nan)
    for unit_id in unit_ids:
        y = np.pad(shown.templates[unit_id], ((0, 0), (0, 1)), constant_values=np.nan)
        ax.plot(x.ravel(), y.ravel(), color=colors[unit_id], linewidth=1)
    for start in starts[1:]:
        ax.axvline(start, color="gray", linewidth=0.6)
    ids = [str(shown.channel_ids[k]) for k in channels]
    ax.set_xticks(starts + shown.duration_ms / 2, ids, fontsize="x-small")
    ax.tick_params(axis="x", labelrotation=90 if n_channels > 16 else 0)
    ax.set_xlabel(f"channel ({shown.duration_ms:.3g} ms each)", fontsize="small")
