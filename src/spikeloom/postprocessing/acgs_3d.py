"""Auto-correlograms by firing rate: what a neuron does around its spikes when it fires so fast."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.analyzer.unit_rows import places_of, rows_after
from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting
from spikeloom.engine.executor import map_items
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.correlograms import sorting_of

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

Floats = NDArray[np.float64]
_N_TOGETHER = 4096


@register_result_extension
@stored_as("spikeinterface.postprocessing.correlograms.ComputeACG3D")
class ComputeACG3D(BaseUnitExtension):
    """Auto-correlograms of units at several firing rates.

    The rate at a spike is one over the time from halfway to the spike before it to halfway to the
    one behind it, averaged over a sliding window. Spikes are sorted into groups by quantiles of
    it, and each group has its own auto-correlogram [1]_.

    Parameters
    ----------
    window_ms : float, default 50
        Width of the window of lags.
    bin_ms : float, default 1
        Width of a bin of lags, and of the time in which rates are measured.
    num_firing_rate_quantiles : int, default 10
        Number of groups.
    smoothing_factor : float or None, default 250
        Width of the sliding window in ms; None for no averaging.

    Returns
    -------
    acgs_3d : ndarray of shape (n_units, n_quantiles, n_bins) and dtype float64
        How probable a spike is at a lag, given one at zero at this rate. Zero at zero lag, and
        where there are no spikes; those near the ends are left out.
    firing_quantiles : ndarray of shape (n_units, n_quantiles) and dtype float64
        Highest rate of each group in Hz, but for the last, which has all above, too; of the first
        segment with two spikes. Nan for units without.
    bins : ndarray of shape (n_bins,) and dtype float64
        Lags in ms.

    References
    ----------
    .. [1] Beau et al. A deep learning strategy to identify cell types across species from
       high-density extracellular recordings. Cell 188, 2025. :doi:`10.1016/j.cell.2025.01.041`
    """

    extension_name: ClassVar[str] = "acgs_3d"
    need_job_kwargs: ClassVar[bool] = True

    def _set_params(
        self,
        window_ms: float = 50.0,
        bin_ms: float = 1.0,
        num_firing_rate_quantiles: int = 10,
        smoothing_factor: float | None = 250,
    ) -> dict[str, Any]:
        return {
            "window_ms": window_ms,
            "bin_ms": bin_ms,
            "num_firing_rate_quantiles": num_firing_rate_quantiles,
            "smoothing_factor": smoothing_factor,
        }

    def _computed(
        self, sorting: BaseSorting, unit_indices: NDArray[np.int64] | None = None
    ) -> tuple[Floats, Floats, Floats]:
        return acgs_3d(sorting, unit_indices=unit_indices, **(self.params or {}))

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        acgs, quantiles, bins = self._computed(self.sorting_analyzer.sorting)
        self.data = {"firing_quantiles": quantiles, "acgs_3d": acgs, "bins": bins}

    def _get_data(self) -> tuple[Floats, Floats, Floats]:
        return self.data["acgs_3d"], self.data["firing_quantiles"], self.data["bins"]

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of(self.sorting_analyzer.sorting, unit_ids)
        return {
            "acgs_3d": np.asarray(self.data["acgs_3d"])[places],
            "firing_quantiles": np.asarray(self.data["firing_quantiles"])[places],
            "bins": np.array(self.data["bins"]),
        }

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.data)

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        old, new = self.sorting_analyzer.sorting, analyzer.sorting
        acgs, quantiles, bins = self._computed(new, places_of(new, new_ids))
        return {
            "acgs_3d": rows_after(self.data["acgs_3d"], acgs, old, new, new_ids),
            "firing_quantiles": rows_after(
                self.data["firing_quantiles"], quantiles, old, new, new_ids
            ),
            "bins": bins,
        }


def acgs_3d(
    sorting: BaseSorting,
    window_ms: float = 50.0,
    bin_ms: float = 1.0,
    num_firing_rate_quantiles: int = 10,
    smoothing_factor: float | None = 250,
    *,
    unit_indices: NDArray[np.int64] | None = None,
) -> tuple[Floats, Floats, Floats]:
    """Return auto-correlograms by firing rate, the rates, and the lags.

    Parameters
    ----------
    sorting : BaseSorting
    window_ms, bin_ms, num_firing_rate_quantiles, smoothing_factor
        See `ComputeACG3D`.
    unit_indices : ndarray of shape (n_chosen,), optional
        Places of the units; all by default.

    Returns
    -------
    acgs_3d, firing_quantiles, bins
        See `ComputeACG3D`.

    Raises
    ------
    ParameterError
        If there are no groups, or the window is shorter than a bin.
    """
    if num_firing_rate_quantiles < 1:
        msg = f"num_firing_rate_quantiles must be at least 1; got {num_firing_rate_quantiles}."
        raise ParameterError(msg)
    rate = sorting.sampling_frequency
    bin_size_ms = max(bin_ms, 1000 / rate)
    if not window_ms >= bin_size_ms:
        msg = f"window_ms={window_ms} has no room for a bin of {bin_size_ms} ms."
        raise ParameterError(msg)
    n_bins = 2 * int(0.5 * window_ms / bin_size_ms) + 1
    lags_ms = np.linspace(-window_ms / 2, window_ms / 2, n_bins)
    n_smooth = 0
    if smoothing_factor is not None and smoothing_factor > 0:
        n_smooth = int(np.ceil(smoothing_factor / bin_size_ms))
    samples_per_bin = int(np.ceil(rate / (1000 / bin_size_ms)))
    first_lag = int(np.ceil(lags_ms[0] / bin_size_ms))
    trains = sorting._trains()

    def one_unit(unit_index: int) -> tuple[Floats, Floats]:
        counts = np.zeros((num_firing_rate_quantiles, n_bins))
        n_triggers = np.zeros(num_firing_rate_quantiles)
        quantiles: Floats | None = None
        for segment_index in range(sorting.get_num_segments()):
            spikes = trains.train(unit_index, segment_index) // samples_per_bin
            if len(spikes) < 2:
                continue
            rates = _rates_at(spikes, bin_size_ms, n_smooth)
            if quantiles is None:
                inner = np.linspace(0, 1, num_firing_rate_quantiles + 2)[1:-1]
                quantiles = np.quantile(rates, inner)
            groups = np.searchsorted(quantiles, rates).clip(max=num_firing_rate_quantiles - 1)
            _count_around(spikes, groups, first_lag, counts, n_triggers)
        acg = np.zeros_like(counts)
        np.divide(counts, n_triggers[:, np.newaxis], out=acg, where=n_triggers[:, np.newaxis] > 0)
        acg[:, n_bins // 2] = 0
        return acg, np.full(len(acg), np.nan) if quantiles is None else quantiles

    chosen = range(sorting.get_num_units()) if unit_indices is None else unit_indices.tolist()
    found = map_items(one_unit, chosen)
    shape = (len(found), num_firing_rate_quantiles)
    acgs = np.array([acg for acg, _ in found]).reshape(*shape, n_bins)
    return acgs, np.array([rates for _, rates in found]).reshape(shape), lags_ms


def _rates_at(spikes: NDArray[np.int64], bin_ms: float, n_smooth: int) -> Floats:
    """Return the firing rate in Hz at each spike; `spikes` are bins."""
    n = int(spikes[-1]) + 1
    rates = np.zeros(n)
    borders = spikes[:-1] + np.diff(spikes) // 2
    widths = np.diff(borders)
    if len(widths):
        heights = np.zeros(len(widths))
        np.divide(1.0, widths * (bin_ms / 1000), out=heights, where=widths > 0)
        rates[borders[0] : borders[-1]] = np.repeat(heights, widths)
    if n_smooth < 2:
        return np.asarray(rates[spikes])
    half, ahead = n_smooth // 2, (n_smooth - 1) // 2
    # Near the ends the window is cut, elsewhere it has `n_smooth` bins.
    is_edge = (spikes < n_smooth) | (spikes >= n - n_smooth)
    smooth = np.empty(len(spikes))
    sums = np.concatenate([[0.0], np.cumsum(rates)])
    low, high = np.maximum(spikes[is_edge] - half, 0), np.minimum(spikes[is_edge] + half, n)
    smooth[is_edge] = (sums[high] - sums[low]) / (high - low)
    inner = np.flatnonzero(~is_edge)
    if len(inner):
        windows = sliding_window_view(rates, n_smooth)
        for k in range(0, len(inner), _N_TOGETHER):
            some = inner[k : k + _N_TOGETHER]
            smooth[some] = windows[spikes[some] + ahead - n_smooth + 1].mean(axis=1)
    return smooth


def _count_around(
    spikes: NDArray[np.int64],
    groups: NDArray[np.int64],
    first_lag: int,
    counts: Floats,
    n_triggers: Floats,
) -> None:
    """Add the spikes around each to the counts of its group."""
    n_groups, n_bins = counts.shape
    is_there = np.zeros(int(spikes[-1]) + 1 + n_bins, np.uint8)
    is_there[spikes] = 1
    start = spikes + first_lag
    used = (start >= 0) & (start + n_bins < len(is_there)) & (spikes < spikes[-1])
    start, groups = start[used], groups[used]
    n_triggers += np.bincount(groups, minlength=n_groups)
    windows = sliding_window_view(is_there, n_bins)
    for group in range(n_groups):
        mine = start[groups == group]
        for k in range(0, len(mine), _N_TOGETHER):
            counts[group] += windows[mine[k : k + _N_TOGETHER]].sum(axis=0)


_of_analyzer = ComputeACG3D.function_factory()


def compute_acgs_3d(
    sorting_analyzer_or_sorting: Any,
    window_ms: float = 50.0,
    bin_ms: float = 1.0,
    num_firing_rate_quantiles: int = 10,
    smoothing_factor: float | None = 250,
    **job_kwargs: Any,
) -> tuple[Floats, Floats, Floats]:
    """Return auto-correlograms by firing rate.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        An analyzer keeps them as its extension.
    window_ms, bin_ms, num_firing_rate_quantiles, smoothing_factor
        See `ComputeACG3D`.
    **job_kwargs
        Job options.

    Returns
    -------
    acgs_3d : ndarray of shape (n_units, n_quantiles, n_bins) and dtype float64
    firing_quantiles : ndarray of shape (n_units, n_quantiles) and dtype float64
        In Hz.
    bins : ndarray of shape (n_bins,) and dtype float64
        Lags in ms.
    """
    params = {
        "window_ms": window_ms,
        "bin_ms": bin_ms,
        "num_firing_rate_quantiles": num_firing_rate_quantiles,
        "smoothing_factor": smoothing_factor,
    }
    sorting = sorting_of(sorting_analyzer_or_sorting)
    if sorting is not None:
        return acgs_3d(sorting, **params)  # type: ignore[arg-type]
    found: tuple[Floats, Floats, Floats] = _of_analyzer(
        sorting_analyzer_or_sorting, **params, **job_kwargs
    )
    return found
