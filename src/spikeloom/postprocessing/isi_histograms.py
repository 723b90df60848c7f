"""Histograms of the intervals between the spikes of a unit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.analyzer.extension import register_result_extension
from spikeloom.analyzer.unit_extension import BaseUnitExtension
from spikeloom.analyzer.unit_rows import places_of, rows_after
from spikeloom.core.class_names import stored_as
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.correlograms import check_method, sorting_of
from spikeloom.postprocessing.lag_counts import trains_with_groups

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer

Histograms = tuple[NDArray[np.int64], NDArray[np.float64]]


@register_result_extension
@stored_as("spikeinterface.postprocessing.isi.ComputeISIHistograms")
class ComputeISIHistograms(BaseUnitExtension):
    """Histograms of the intervals from each spike of a unit to its next.

    Parameters
    ----------
    window_ms : float, default 50
        Longest interval that is counted.
    bin_ms : float, default 1
        Width of a bin, a whole number of samples; as many whole bins as there are in the window.
    method : {"auto", "numpy", "numba"}, default "auto"
        Makes no difference; kept with the parameters.

    Returns
    -------
    isi_histograms : ndarray of shape (n_units, n_bins) and dtype int64
        Intervals within a segment, of all segments. A bin has its lower edge, the last one the
        upper edge, too.
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.
    """

    extension_name: ClassVar[str] = "isi_histograms"

    def _set_params(
        self, window_ms: float = 50.0, bin_ms: float = 1.0, method: str = "auto"
    ) -> dict[str, Any]:
        check_method(method)
        return {"window_ms": window_ms, "bin_ms": bin_ms, "method": method}

    def _run(self, verbose: bool = False, **job_kwargs: Any) -> None:  # noqa: ARG002
        sorting = self.sorting_analyzer.sorting
        self.data["isi_histograms"], self.data["bins"] = self._counted(sorting)

    def _counted(
        self, sorting: BaseSorting, unit_indices: NDArray[np.int64] | None = None
    ) -> Histograms:
        params = self.params or self.get_default_params()
        return isi_histograms(sorting, params["window_ms"], params["bin_ms"], unit_indices)

    def _get_data(self) -> Histograms:
        return self.data["isi_histograms"], self.data["bins"]

    def _select_units_extension_data(self, unit_ids: Sequence[Any]) -> dict[str, Any]:
        places = places_of(self.sorting_analyzer.sorting, unit_ids)
        counts = np.asarray(self.data["isi_histograms"])[places]
        return {"isi_histograms": counts, "bins": np.array(self.data["bins"])}

    def _select_channels_extension_data(self, channel_ids: Sequence[Any]) -> dict[str, Any]:  # noqa: ARG002
        return dict(self.data)

    def _for_new_units(self, analyzer: "SortingAnalyzer", new_ids: Sequence[Any]) -> dict[str, Any]:
        old, new = self.sorting_analyzer.sorting, analyzer.sorting
        counted, bins = self._counted(new, places_of(new, new_ids))
        counts = rows_after(self.data["isi_histograms"], counted, old, new, new_ids)
        return {"isi_histograms": counts, "bins": bins}


def isi_histograms(
    sorting: BaseSorting,
    window_ms: float = 50.0,
    bin_ms: float = 1.0,
    unit_indices: NDArray[np.int64] | None = None,
) -> Histograms:
    """Return the histograms of intervals of units.

    Parameters
    ----------
    sorting : BaseSorting
    window_ms, bin_ms
        See `ComputeISIHistograms`.
    unit_indices : ndarray of shape (n_chosen,), optional
        Places of the units; all by default.

    Returns
    -------
    isi_histograms : ndarray of shape (n_units, n_bins) and dtype int64
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.

    Raises
    ------
    ParameterError
        If a bin is less than a sample, or the window less than a bin.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": np.array([0, 5, 25])}, 1000)
    >>> isi_histograms(sorting, window_ms=20.0, bin_ms=10.0)
    (array([[1, 1]]), array([ 0., 10., 20.]))
    """
    rate = sorting.sampling_frequency
    bin_size = round(rate * bin_ms * 1e-3)
    if bin_size < 1 or bin_ms * 1e-3 < 1 / rate:
        msg = f"bin_ms={bin_ms} is less than a sample, which is {1e3 / rate:.4g} ms."
        raise ParameterError(msg)
    n_bins = round(rate * window_ms * 1e-3) // bin_size
    if bin_ms > window_ms or n_bins < 1:
        msg = f"window_ms={window_ms} has no room for a bin of bin_ms={bin_ms}."
        raise ParameterError(msg)
    samples, groups = trains_with_groups(sorting, unit_indices)
    n_rows = sorting.get_num_units() if unit_indices is None else len(unit_indices)
    intervals = np.diff(samples)
    is_counted = (groups[1:] == groups[:-1]) & (intervals <= n_bins * bin_size)
    bins = np.minimum(intervals[is_counted] // bin_size, n_bins - 1)
    rows = groups[1:][is_counted] // max(sorting.get_num_segments(), 1)
    counts = np.bincount(rows * n_bins + bins, minlength=n_rows * n_bins).astype(np.int64)
    edges = np.asarray(np.arange(n_bins + 1) * bin_size * 1e3 / rate, np.float64)
    return counts.reshape(n_rows, n_bins), edges


_of_analyzer = ComputeISIHistograms.function_factory()


def compute_isi_histograms(
    sorting_analyzer_or_sorting: Any,
    window_ms: float = 50.0,
    bin_ms: float = 1.0,
    method: str = "auto",
    **job_kwargs: Any,
) -> Histograms:
    """Return the histograms of intervals of all units.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        An analyzer keeps them as its extension.
    window_ms, bin_ms, method
        See `ComputeISIHistograms`.
    **job_kwargs
        Job options.

    Returns
    -------
    isi_histograms : ndarray of shape (n_units, n_bins) and dtype int64
    bins : ndarray of shape (n_bins + 1,) and dtype float64
        Edges of the bins in ms.
    """
    check_method(method)
    sorting = sorting_of(sorting_analyzer_or_sorting)
    if sorting is not None:
        return isi_histograms(sorting, window_ms, bin_ms)
    found: Histograms = _of_analyzer(
        sorting_analyzer_or_sorting,
        window_ms=window_ms,
        bin_ms=bin_ms,
        method=method,
        **job_kwargs,
    )
    return found


def compute_isi_histograms_numpy(
    sorting: BaseSorting, window_ms: float = 50.0, bin_ms: float = 1.0
) -> Histograms:
    """Return the histograms of intervals of a sorting; see `isi_histograms`."""
    return isi_histograms(sorting, window_ms, bin_ms)


def compute_isi_histograms_numba(
    sorting: BaseSorting, window_ms: float = 50.0, bin_ms: float = 1.0
) -> Histograms:
    """Return the same as `compute_isi_histograms_numpy`."""
    return isi_histograms(sorting, window_ms, bin_ms)
