"""Comparison with the truth that looks at correlograms: how well they can be seen."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.comparison.ground_truth import GroundTruthComparison
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sorting_matching import only_segment_of
from spikeloom.postprocessing.correlograms import compute_correlograms


class CorrelogramGTComparison(GroundTruthComparison):
    """A comparison with the truth that looks at the correlograms of well detected units.

    Parameters
    ----------
    gt_sorting : BaseSorting
        The truth, of one segment.
    tested_sorting : BaseSorting
        A sorting of the same recording.
    window_ms, bin_ms : float, default 100 and 1
        Window of the correlograms, from end to end, and their bins.
    well_detected_score : float, default 0.8
        Accuracy from which on a unit is well detected.
    **kwargs
        As for `compare_sorter_to_ground_truth`.

    Raises
    ------
    ParameterError
        If there are several segments, or for an argument that is not allowed.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> truth = NumpySorting.from_unit_dict({0: [100, 900], 1: [130, 2000]}, 30000.0)
    >>> compared = CorrelogramGTComparison(truth, truth, window_ms=4.0)
    >>> compared.correlograms["true"][0, 1], compared.error()
    (array([0, 1, 0, 0]), array([nan, nan, nan, nan]))
    """

    def __init__(
        self,
        gt_sorting: BaseSorting,
        tested_sorting: BaseSorting,
        window_ms: float = 100.0,
        bin_ms: float = 1.0,
        well_detected_score: float = 0.8,
        **kwargs: Any,
    ) -> None:
        super().__init__(gt_sorting, tested_sorting, **{**kwargs, "compute_labels": True})
        only_segment_of(self.sorting1, "CorrelogramGTComparison")
        self.window_ms, self.bin_ms = window_ms, bin_ms
        self.well_detected_score = well_detected_score
        self.good_sorting = np.asarray(self.get_well_detected_units(well_detected_score))
        """Tested units that are well detected."""
        self.good_gt = self.hungarian_match_21[list(self.good_sorting)].to_numpy()
        """The true units that they are matched with."""

    @cached_property
    def _both(self) -> tuple[dict[str, NDArray[np.int64]], NDArray[np.float64]]:
        found = {}
        bins = np.zeros(0)
        for name, sorting, unit_ids in (
            ("true", self.sorting1, self.good_gt),
            ("estimated", self.sorting2, self.good_sorting),
        ):
            counts, bins = compute_correlograms(
                sorting, window_ms=self.window_ms, bin_ms=self.bin_ms
            )
            places = np.asarray(sorting.ids_to_indices(list(unit_ids)), np.int64)
            found[name] = counts[np.ix_(places, places)]
        return found, bins

    @property
    def correlograms(self) -> dict[str, NDArray[np.int64]]:
        """Correlograms "true" and "estimated" of the good units, (n_good, n_good, n_bins) each."""
        return self._both[0]

    @property
    def time_bins(self) -> NDArray[np.float64]:
        """Middles of the bins, in ms."""
        bins = self._both[1]
        middles: NDArray[np.float64] = (bins[:-1] + bins[1:]) / 2
        return middles

    def relative_errors(self, window_ms: float | None = None) -> NDArray[np.float64]:
        """Return how far counts are off, relative to the true ones.

        Parameters
        ----------
        window_ms : float, optional
            Take only bins whose middles are so near to 0.

        Returns
        -------
        ndarray of shape (n_good, n_good, n_bins)
            From 0 up, no unit; NaN where the true correlogram is empty.
        """
        true, estimated = self.correlograms["true"], self.correlograms["estimated"]
        errors = np.full(true.shape, np.nan)
        np.divide(np.abs(true - estimated), true, out=errors, where=true > 0)
        if window_ms is None:
            return errors
        return errors[:, :, np.abs(self.time_bins) <= window_ms]

    def error(self, window_ms: float | None = None) -> NDArray[np.float64]:
        """Return `relative_errors` by bin, averaged over all pairs; NaN if one has no value."""
        errors = self.relative_errors(window_ms)
        flat = errors.reshape(-1, errors.shape[2])
        return flat.mean(axis=0) if len(flat) else np.full(flat.shape[1], np.nan)

    def compute_correlogram_by_similarity(
        self, similarity_matrix: ArrayLike, window_ms: float | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return errors of pairs of units, by how similar their templates are.

        Parameters
        ----------
        similarity_matrix : array_like of shape (n_units, n_units)
            Of all true units.
        window_ms : float, optional
            See `relative_errors`.

        Returns
        -------
        similarities : ndarray of shape (n_pairs,)
            Increasing.
        errors : ndarray of shape (n_pairs, n_bins)
        """
        errors = self.relative_errors(window_ms)
        places = np.asarray(self.sorting1.ids_to_indices(list(self.good_gt)), np.int64)
        similarities = np.asarray(similarity_matrix, np.float64)[np.ix_(places, places)].ravel()
        order = np.argsort(similarities, kind="stable")
        return similarities[order], errors.reshape(-1, errors.shape[2])[order]
