"""Correlograms: how often the spikes of one unit come at each lag from those of another."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.analyzer.unit_rows import (
    flat_ids,
    places_of,
    places_of_kept,
    rows_after,
)
from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.lag_counts import (
    LagBins,
    auto_counts,
    counts_of_units,
    cross_counts,
)

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

METHODS = ("auto", "numpy", "numba")
FAST_MODES = ("auto", "on", "off", True, False)


def check_method(method: str, fast_mode: object = "auto") -> None:
    """Raise ParameterError for a way of counting that SpikeInterface has not.

    All ways are one here, and exact.
    """
    if method not in METHODS:
        msg = f"method must be one of {', '.join(METHODS)}; got {method!r}."
        raise ParameterError(msg)
    if fast_mode not in FAST_MODES:
        msg = f"fast_mode must be 'auto', 'on' or 'off'; got {fast_mode!r}."
        raise ParameterError(msg)


def sorting_of(sorting_analyzer_or_sorting: Any) -> BaseSorting | None:
    """Return what is given if it is a sorting, or None for an analyzer."""
    given = sorting_analyzer_or_sorting
    return given if isinstance(given, BaseSorting) else None


class _LagExtension(BaseUnitExtension):
    need_job_kwargs: ClassVar[bool] = True

    def _set_params(
        self,
        window_ms: float = 50.0,
        bin_ms: float = 1.0,
        method: str = "auto",
        fast_mode: str = "auto",
    ) -> dict[str, Any]:
        check_method(method, fast_mode)
        return {
            "window_ms": window_ms,
            "bin_ms": bin_ms,
            "method": method,
            "fast_mode": fast_mode,
        }

    def _bins(self) -> LagBins:
        params = self.params or self.get_default_params()
        rate = self.sorting_analyzer.sampling_frequency
        return LagBins.of(params["window_ms"], params["bin_ms"], rate)

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.data)


@register_result_extension
@stored_as("spikeinterface.postprocessing.correlograms.ComputeCorrelograms")
class ComputeCorrelograms(_LagExtension):
    """Auto- and cross-correlograms of units.

    Parameters
    ----------
    window_ms : float, default 50
        Width of the window: lags from minus to plus one half of it.
    bin_ms : float, default 1
        Width of a bin, a whole number of samples; as many whole bins as there are in the window.
    method : {"auto", "numpy", "numba"}, default "auto"
        Makes no difference; kept with the parameters.
    fast_mode : {"auto", "on", "off"}, default "auto"
        Makes no difference: counts are exact always.

    Returns
    -------
    ccgs : ndarray of shape (n_units, n_units, n_bins) and dtype int64
        ``ccgs[a, b, k]`` counts the pairs of spikes of `a` and `b` with ``bins[k] <= time of a -
        time of b < bins[k + 1]``. Pairs within a segment count, of all segments.
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.
    """

    extension_name: ClassVar[str] = "correlograms"

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        bins = self._bins()
        self.data["ccgs"] = cross_counts(self.sorting_analyzer.sorting, bins)
        self.data["bins"] = bins.edges_ms

    def _get_data(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return self.data["ccgs"], self.data["bins"]

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of(self.sorting_analyzer.sorting, unit_ids)
        ccgs = np.asarray(self.data["ccgs"])[np.ix_(places, places)]
        return {"ccgs": ccgs, "bins": np.array(self.data["bins"])}

    def _merge_extension_data(
        self,
        merge_unit_groups: Sequence[Sequence[Any]],
        new_unit_ids: Sequence[Any],
        new_sorting_analyzer: "SortingAnalyzer",
        keep_mask: NDArray[np.bool_] | None = None,
        verbose: bool = False,  # noqa: ARG002
        **job_kwargs: Any,  # noqa: ARG002
    ) -> dict[str, Any]:
        new_ids = flat_ids(new_unit_ids)
        if keep_mask is not None and not np.all(keep_mask):
            return self._for_new_units(new_sorting_analyzer, new_ids)
        old, new = self.sorting_analyzer.sorting, new_sorting_analyzer.sorting
        place = np.empty(old.get_num_units(), np.int64)
        before, now = places_of_kept(old, new, new_ids)
        place[before] = now
        for group, at in zip(merge_unit_groups, places_of(new, new_ids), strict=True):
            place[places_of(old, group)] = at
        # What a merged unit counts is what its parts count, with each other, too.
        summed = _rows_added(np.asarray(self.data["ccgs"]), place, new.get_num_units())
        ccgs = _rows_added(summed.swapaxes(0, 1), place, new.get_num_units()).swapaxes(0, 1)
        return {"ccgs": np.ascontiguousarray(ccgs), "bins": np.array(self.data["bins"])}

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        """Return counts in which those of new units are made and the others copied."""
        old, new = self.sorting_analyzer.sorting, analyzer.sorting
        places = places_of(new, new_ids)
        before, now = places_of_kept(old, new, new_ids)
        bins = self._bins()
        rows, columns = counts_of_units(new, places, bins)
        ccgs = np.empty((new.get_num_units(), new.get_num_units(), bins.n_bins), np.int64)
        ccgs[np.ix_(now, now)] = np.asarray(self.data["ccgs"])[np.ix_(before, before)]
        ccgs[places] = rows
        ccgs[:, places] = columns
        return {"ccgs": ccgs, "bins": bins.edges_ms}


@register_result_extension
@stored_as("spikeinterface.postprocessing.correlograms.ComputeAutoCorrelograms")
class ComputeAutoCorrelograms(_LagExtension):
    """Auto-correlograms of units, without the cross-correlograms.

    Parameters
    ----------
    window_ms, bin_ms, method, fast_mode
        See `ComputeCorrelograms`.

    Returns
    -------
    acgs : ndarray of shape (n_units, n_bins) and dtype int64
        Pairs of spikes of the unit by their difference; a spike makes no pair with itself.
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.
    """

    extension_name: ClassVar[str] = "auto_correlograms"

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        bins = self._bins()
        self.data["acgs"] = auto_counts(self.sorting_analyzer.sorting, bins)
        self.data["bins"] = bins.edges_ms

    def _get_data(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return self.data["acgs"], self.data["bins"]

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of(self.sorting_analyzer.sorting, unit_ids)
        return {"acgs": np.asarray(self.data["acgs"])[places], "bins": np.array(self.data["bins"])}

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        old, new, bins = self.sorting_analyzer.sorting, analyzer.sorting, self._bins()
        counted = auto_counts(new, bins, places_of(new, new_ids))
        acgs = rows_after(self.data["acgs"], counted, old, new, new_ids)
        return {"acgs": acgs, "bins": bins.edges_ms}


def _rows_added(counts: NDArray[np.int64], place: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return `n` rows, each the sum of those rows of `counts` that have its place."""
    summed = np.zeros((n, *counts.shape[1:]), np.int64)
    for row, at in zip(counts, place, strict=True):
        summed[at] += row
    return summed


_of_analyzer = ComputeCorrelograms.function_factory()
_auto_of_analyzer = ComputeAutoCorrelograms.function_factory()


def compute_correlograms(
    sorting_analyzer_or_sorting: Any,
    window_ms: float = 50.0,
    bin_ms: float = 1.0,
    method: str = "auto",
    fast_mode: str = "auto",
    **job_kwargs: Any,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the correlograms of all pairs of units.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        An analyzer keeps them as its extension.
    window_ms, bin_ms, method, fast_mode
        See `ComputeCorrelograms`.
    **job_kwargs
        Job options.

    Returns
    -------
    ccgs : ndarray of shape (n_units, n_units, n_bins) and dtype int64
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.

    Raises
    ------
    ParameterError
        If a bin is less than a sample, or the window less than two bins.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.array([0, 40]), "b": np.array([45])}, 10000)
    >>> ccgs, bins = compute_correlograms(sorting, window_ms=2.0, bin_ms=0.5)
    >>> ccgs[0, 1], bins
    (array([0, 1, 0, 0]), array([-1. , -0.5,  0. ,  0.5,  1. ]))
    """
    params = {"window_ms": window_ms, "bin_ms": bin_ms, "method": method, "fast_mode": fast_mode}
    return _counted(sorting_analyzer_or_sorting, cross_counts, _of_analyzer, params, **job_kwargs)


def compute_auto_correlograms(
    sorting_analyzer_or_sorting: Any,
    window_ms: float = 50.0,
    bin_ms: float = 1.0,
    method: str = "auto",
    fast_mode: str = "auto",
    **job_kwargs: Any,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the auto-correlograms of all units; parameters as for `compute_correlograms`.

    Returns
    -------
    acgs : ndarray of shape (n_units, n_bins) and dtype int64
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.
    """
    params = {"window_ms": window_ms, "bin_ms": bin_ms, "method": method, "fast_mode": fast_mode}
    return _counted(
        sorting_analyzer_or_sorting, auto_counts, _auto_of_analyzer, params, **job_kwargs
    )


def _counted(
    given: Any,
    count: Callable[[BaseSorting, LagBins], NDArray[np.int64]],
    of_analyzer: Callable[..., Any],
    params: Mapping[str, Any],
    **job_kwargs: Any,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts and edges of bins of an analyzer, which keeps them, or of a sorting."""
    check_method(params["method"], params["fast_mode"])
    sorting = sorting_of(given)
    if sorting is None:
        found: tuple[NDArray[np.int64], NDArray[np.float64]]
        found = of_analyzer(given, **params, **job_kwargs)
        return found
    bins = LagBins.of(params["window_ms"], params["bin_ms"], sorting.sampling_frequency)
    return count(sorting, bins), bins.edges_ms


def correlogram_for_one_segment(
    spike_times: NDArray[np.integer],
    spike_unit_indices: NDArray[np.integer],
    window_size: int,
    bin_size: int,
    num_units: int,
) -> NDArray[np.int64]:
    """Return the counts (num_units, num_units, n_bins) of spikes of one segment.

    Parameters
    ----------
    spike_times : ndarray of shape (n_spikes,)
        Samples, not decreasing.
    spike_unit_indices : ndarray of shape (n_spikes,)
    window_size, bin_size : int
        Half of the window, and a bin, in samples.
    num_units : int
    """
    sorting = _one_segment(spike_times, spike_unit_indices, num_units)
    return cross_counts(sorting, _sample_bins(window_size, bin_size))


def auto_correlogram_for_one_segment(
    spike_times: NDArray[np.integer],
    spike_unit_indices: NDArray[np.integer],
    window_size: int,
    bin_size: int,
    num_units: int,
) -> NDArray[np.int64]:
    """Return the counts (num_units, n_bins) of each unit; see `correlogram_for_one_segment`."""
    sorting = _one_segment(spike_times, spike_unit_indices, num_units)
    return auto_counts(sorting, _sample_bins(window_size, bin_size))


def _sample_bins(window_size: int, bin_size: int) -> LagBins:
    return LagBins.of(2000.0 * window_size, 1000.0 * bin_size, 1.0)


def _one_segment(
    times: NDArray[np.integer], unit_indices: NDArray[np.integer], num_units: int
) -> BaseSorting:
    from spikeloom.core.numpy_sorting import NumpySorting  # noqa: PLC0415 - for these two only

    samples, labels = np.asarray(times, np.int64), np.asarray(unit_indices, np.int64)
    return NumpySorting.from_samples_and_labels(samples, labels, 1.0, unit_ids=np.arange(num_units))
