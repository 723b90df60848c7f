"""When units are active."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.widgets.figures import Widget, drawn, figure_of, open_panels, panels_in
from spikeloom.widgets.marks import unit_ticks
from spikeloom.widgets.rasters import checked_range
from spikeloom.widgets.sources import chosen_units, only_segment, sorting_of
from spikeloom.widgets.spike_points import spikes_of_units
from spikeloom.widgets.timeline import timeline_of


@dataclass(frozen=True, eq=False)
class Presence:
    """How active units are over time."""

    unit_ids: list[Any]
    """The units."""
    rates_hz: NDArray[np.float64]
    """Spikes by second, smoothed; shape (n_units, n_bins)."""
    edges_s: NDArray[np.float64]
    """Edges of the bins; shape (n_bins + 1,)."""


def presence_of(
    source: Any,
    segment_index: int | None = None,
    time_range: Sequence[float] | None = None,
    bin_duration_s: float = 0.05,
    smooth_sigma: float | None = 4.5,
) -> Presence:
    """Return how active units are; arguments as for `plot_unit_presence`.

    Raises
    ------
    ParameterError
        If there are several segments and none is chosen, or a bin is no time.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [0, 100, 900, 999]}, 1000.0)
    >>> presence_of(sorting, bin_duration_s=0.5, smooth_sigma=None).rates_hz
    array([[4., 4.]])
    """
    sorting = sorting_of(source)
    segment = only_segment(sorting.get_num_segments(), segment_index)
    if not bin_duration_s > 0:
        msg = f"bin_duration_s is a time above zero; got {bin_duration_s}."
        raise ParameterError(msg)
    listed, _ = chosen_units(sorting)
    timeline = timeline_of(source, segment)
    begin_s, end_s = checked_range(time_range, timeline.limits_s)
    n_bins = max(int(np.ceil((end_s - begin_s) / bin_duration_s - 1e-9)), 1)
    edges = np.asarray(begin_s + bin_duration_s * np.arange(n_bins + 1), np.float64)
    spikes = spikes_of_units(sorting, timeline, listed)
    counts = np.zeros((len(listed), n_bins))
    for row, unit_id in enumerate(listed):
        times = spikes[unit_id].times_s
        inside = times[(times >= begin_s) & (times <= end_s)]
        bins = np.minimum(((inside - begin_s) / bin_duration_s).astype(np.int64), n_bins - 1)
        counts[row] = np.bincount(bins, minlength=n_bins)
    rates = counts / bin_duration_s
    if smooth_sigma:
        from scipy.ndimage import gaussian_filter1d  # noqa: PLC0415 - heavy

        rates = gaussian_filter1d(rates, smooth_sigma, axis=1, mode="nearest")
    return Presence(listed, np.asarray(rates, np.float64), edges)


def plot_unit_presence(
    sorting_analyzer_or_sorting: Any,
    segment_index: int | None = None,
    time_range: Sequence[float] | None = None,
    bin_duration_s: float = 0.05,
    smooth_sigma: float | None = 4.5,
    backend: str | None = None,
    **backend_kwargs: Any,
) -> Widget:
    """Plot how active units are over time.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        The spikes.
    segment_index : int, optional
        Needed if there are several segments.
    time_range : (float, float), optional
        From when to when in seconds; all by default.
    bin_duration_s : float, default 0.05
        Width of a bin in seconds.
    smooth_sigma : float, default 4.5
        Width of the Gaussian that rates are smoothed with, in bins; None for none.
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
        If there are several segments and none is chosen, or a bin is no time.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 900], "b": [300]}, 1000.0)
    >>> plot_unit_presence(sorting, figure=Figure())
    Widget: 1 axes
    """
    given = sorting_analyzer_or_sorting
    shown = presence_of(given, segment_index, time_range, bin_duration_s, smooth_sigma)
    panels = open_panels(backend, backend_kwargs, figsize=(9, 5))
    (ax, *_) = panels_in(panels)
    extent = (shown.edges_s[0], shown.edges_s[-1], -0.5, len(shown.unit_ids) - 0.5)
    look: dict[str, Any] = {
        "aspect": "auto",
        "origin": "lower",
        "interpolation": "nearest",
        "cmap": "inferno",
    }
    image = ax.imshow(shown.rates_hz, extent=extent, vmin=0.0, **look)
    figure_of(panels).colorbar(image, ax=ax, label="firing rate (Hz)")
    unit_ticks(ax, shown.unit_ids)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("unit")
    return drawn(panels, shown)
