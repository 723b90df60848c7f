"""Comparison of a sorting with the truth: how well each true unit was found, and what was not."""

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.pair_comparison import BasePairSorterComparison
from spikeloom.comparison.performance import (
    PERFORMANCE_KEYS,
    CountScores,
    compute_performance,
    count_scores,
    count_table,
    do_confusion_matrix,
)
from spikeloom.comparison.spike_labels import Labels, do_score_labels
from spikeloom.comparison.unit_tables import (
    as_output,
    check_choice,
    count_series,
    match_series,
)
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

_METHODS = ("raw_count", "by_unit", "pooled_with_average")


class GroundTruthComparison(BasePairSorterComparison):
    """A comparison of a sorting with the truth; see `compare_sorter_to_ground_truth`."""

    def __init__(
        self,
        gt_sorting: BaseSorting,
        tested_sorting: BaseSorting,
        gt_name: str | None = None,
        tested_name: str | None = None,
        delta_time: float = 0.4,
        match_score: float = 0.5,
        well_detected_score: float = 0.8,
        redundant_score: float = 0.2,
        overmerged_score: float = 0.2,
        chance_score: float = 0.1,
        exhaustive_gt: bool = False,
        agreement_method: str = "count",
        match_mode: str = "hungarian",
        compute_labels: bool = False,
        compute_misclassifications: bool = False,
        verbose: bool = False,
    ) -> None:
        check_choice("match_mode", match_mode, ("hungarian", "best"))
        super().__init__(
            gt_sorting,
            tested_sorting,
            sorting1_name=gt_name or "ground truth",
            sorting2_name=tested_name or "tested",
            delta_time=delta_time,
            match_score=match_score,
            chance_score=chance_score,
            agreement_method=agreement_method,
            verbose=verbose,
        )
        self.well_detected_score = well_detected_score
        self.redundant_score = redundant_score
        self.overmerged_score = overmerged_score
        self.exhaustive_gt = exhaustive_gt
        self.match_mode = match_mode
        self._finds_misclassified = compute_misclassifications
        if compute_labels:
            _ = self._labels

    # -- counts and rates --------------------------------------------------------------------

    @cached_property
    def _count_scores(self) -> CountScores:
        return count_scores(self._counts, self._n_spikes1, self._n_spikes2, self._match_12)

    @property
    def _match_12(self) -> NDArray[np.int64]:
        return self._hungarian_12 if self.match_mode == "hungarian" else self._best_12

    @cached_property
    def count_score(self) -> "pd.DataFrame":
        """Hits and misses of each true unit: tp, fn, fp, num_gt, num_tested and tested_id."""
        return count_table(self._count_scores, self.unit1_ids, self.unit2_ids)

    @cached_property
    def _confusion_matrix(self) -> "pd.DataFrame":
        matches = match_series(self._match_12, self.unit1_ids, self.unit2_ids)
        return do_confusion_matrix(
            self.event_counts1, self.event_counts2, matches, self.match_event_count
        )

    def get_confusion_matrix(self) -> "pd.DataFrame":
        """Return the confusion matrix; see `do_confusion_matrix`."""
        return self._confusion_matrix

    def get_performance(self, method: str = "by_unit", output: str = "pandas") -> Any:
        """Return how well the units of the truth were found.

        Parameters
        ----------
        method : {"by_unit", "pooled_with_average", "raw_count"}
            The rates of each true unit, their average, or the counts that they are made of.
        output : {"pandas", "dict"}
            What to return.

        Returns
        -------
        DataFrame, Series or dict
            accuracy, recall, precision, false_discovery_rate and miss_rate, each from 0 to 1; or
            tp, fn, fp, num_gt, num_tested and tested_id. See `compute_performance`.

        Raises
        ------
        ParameterError
            For another method or output.
        """
        check_choice("method", method, _METHODS)
        if method == "raw_count":
            return as_output(self.count_score, output)
        rates = compute_performance(self.count_score)
        return as_output(rates if method == "by_unit" else rates.mean(axis=0), output)

    def print_performance(self, method: str = "pooled_with_average") -> None:
        """Print the rates, in percent: the average, or those of all units with "by_unit"."""
        check_choice("method", method, ("by_unit", "pooled_with_average"))
        percent = self.get_performance(method) * 100
        lines = [f"PERFORMANCE ({method})", "-----------"]
        for name in PERFORMANCE_KEYS:
            value = percent[name]
            shown = value.tolist() if method == "by_unit" else value
            lines.append(f"{name.replace('_', ' ').upper()}: {shown}")
        _print(lines)

    def print_summary(
        self,
        well_detected_score: float | None = None,
        redundant_score: float | None = None,
        overmerged_score: float | None = None,
    ) -> None:
        """Print how many units were found, and, if the truth is exhaustive, how many are wrong.

        Parameters
        ----------
        well_detected_score, redundant_score, overmerged_score : float, optional
            Scores that decide what a unit is; those of the comparison by default.
        """
        lines = [
            "SUMMARY",
            "-------",
            f"GT num_units: {len(self.unit1_ids)}",
            f"TESTED num_units: {len(self.unit2_ids)}",
            f"num_well_detected: {self.count_well_detected_units(well_detected_score)}",
        ]
        if self.exhaustive_gt:
            n_false = self.count_false_positive_units(redundant_score)
            lines += [
                f"num_redundant: {self.count_redundant_units(redundant_score)}",
                f"num_overmerged: {self.count_overmerged_units(overmerged_score)}",
                f"num_false_positive_units {n_false}",
                f"num_bad: {self.count_bad_units()}",
            ]
        _print(lines)

    # -- labels of spikes --------------------------------------------------------------------

    @cached_property
    def _labels(self) -> tuple[Labels, Labels]:
        if self.match_mode != "hungarian":
            msg = (
                f"Spikes are labelled where units are matched one to one; this comparison has "
                f"match_mode={self.match_mode!r}. Make one with match_mode='hungarian'."
            )
            raise ParameterError(msg)
        return do_score_labels(
            self.sorting1,
            self.sorting2,
            self.delta_frames,
            self.hungarian_match_12,
            self._finds_misclassified,
        )

    def get_labels1(self, unit_id: Any) -> list[NDArray[np.str_]]:
        """Return what became of the spikes of a true unit: "TP", "FN" or "CL_…".

        Returns
        -------
        list of ndarray of shape (n_spikes,)
            One for each segment. See `do_score_labels`.

        Raises
        ------
        ParameterError
            If the unit is unknown, or if matches are not one to one.
        """
        self.sorting1.id_to_index(unit_id)
        return self._labels[0][unit_id]

    def get_labels2(self, unit_id: Any) -> list[NDArray[np.str_]]:
        """Return what the spikes of a tested unit are: "TP", "FP" or "CL_…"; see `get_labels1`."""
        self.sorting2.id_to_index(unit_id)
        return self._labels[1][unit_id]

    # -- kinds of tested units ---------------------------------------------------------------

    def _ids2(self, is_chosen: NDArray[np.bool_]) -> list[Any]:
        ids: list[Any] = self.unit2_ids[is_chosen].tolist()
        return ids

    @property
    def _is_bad(self) -> NDArray[np.bool_]:
        return self._hungarian_21 < 0

    def _needs_exhaustive(self, what: str) -> None:
        if not self.exhaustive_gt:
            msg = (
                f"Which units are {what} is only known if the truth has all units of the "
                "recording. If it has, compare with exhaustive_gt=True."
            )
            raise ParameterError(msg)

    def _best_of_2(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the best match of each tested unit (-1 for none) and how well they agree."""
        best = self._best_21
        scores = np.full(best.size, -np.inf)
        has_one = best >= 0
        scores[has_one] = self._scores[best[has_one], np.flatnonzero(has_one)]
        return best, scores

    def get_well_detected_units(self, well_detected_score: float | None = None) -> list[Any]:
        """Return the tested units that are paired with a true one and agree with it well.

        Parameters
        ----------
        well_detected_score : float, optional
            The least agreement; that of the comparison by default.
        """
        limit = self.well_detected_score if well_detected_score is None else well_detected_score
        match = self._hungarian_21
        is_well = match >= 0
        is_well[is_well] = self._scores[match[is_well], np.flatnonzero(is_well)] >= limit
        return self._ids2(is_well)

    def count_well_detected_units(self, well_detected_score: float | None = None) -> int:
        """Return the number of `get_well_detected_units`."""
        return len(self.get_well_detected_units(well_detected_score))

    def get_false_positive_units(self, redundant_score: float | None = None) -> list[Any]:
        """Return the tested units that are paired with no true one and agree with none.

        Parameters
        ----------
        redundant_score : float, optional
            Agreement from which on a unit is redundant rather than false; that of the comparison
            by default.

        Raises
        ------
        ParameterError
            Unless the truth is exhaustive.
        """
        self._needs_exhaustive("false positive")
        limit = self.redundant_score if redundant_score is None else redundant_score
        return self._ids2(self._is_bad & (self._best_of_2()[1] < limit))

    def count_false_positive_units(self, redundant_score: float | None = None) -> int:
        """Return the number of `get_false_positive_units`."""
        return len(self.get_false_positive_units(redundant_score))

    def get_redundant_units(self, redundant_score: float | None = None) -> list[Any]:
        """Return the tested units that agree with a true one that another unit matches better.

        Parameters
        ----------
        redundant_score : float, optional
            The least agreement; that of the comparison by default.

        Raises
        ------
        ParameterError
            Unless the truth is exhaustive.
        """
        self._needs_exhaustive("redundant")
        limit = self.redundant_score if redundant_score is None else redundant_score
        best, scores = self._best_of_2()
        is_redundant = self._is_bad & (best >= 0) & (scores >= limit)
        chosen = np.flatnonzero(is_redundant)
        is_redundant[chosen] = self._best_12[best[chosen]] != chosen
        return self._ids2(is_redundant)

    def count_redundant_units(self, redundant_score: float | None = None) -> int:
        """Return the number of `get_redundant_units`."""
        return len(self.get_redundant_units(redundant_score))

    def get_overmerged_units(self, overmerged_score: float | None = None) -> list[Any]:
        """Return the tested units that agree with more than one true unit.

        Parameters
        ----------
        overmerged_score : float, optional
            Agreement above which two units are taken for merged; that of the comparison by default.

        Raises
        ------
        ParameterError
            Unless the truth is exhaustive.
        """
        self._needs_exhaustive("overmerged")
        limit = self.overmerged_score if overmerged_score is None else overmerged_score
        return self._ids2(np.count_nonzero(self._scores > limit, axis=0) > 1)

    def count_overmerged_units(self, overmerged_score: float | None = None) -> int:
        """Return the number of `get_overmerged_units`."""
        return len(self.get_overmerged_units(overmerged_score))

    def get_bad_units(self) -> list[Any]:
        """Return the tested units that are paired with no true one, false or redundant.

        Raises
        ------
        ParameterError
            Unless the truth is exhaustive.
        """
        self._needs_exhaustive("bad")
        return self._ids2(self._is_bad)

    def count_bad_units(self) -> int:
        """Return the number of `get_bad_units`."""
        return len(self.get_bad_units())

    def count_units_categories(
        self,
        well_detected_score: float | None = None,
        overmerged_score: float | None = None,
        redundant_score: float | None = None,
    ) -> "pd.Series":
        """Return how many units of each kind there are, those that need it if it is exhaustive.

        Parameters
        ----------
        well_detected_score, overmerged_score, redundant_score : float, optional
            Scores that decide what a unit is; those of the comparison by default.
        """
        counts = {
            "num_gt": len(self.unit1_ids),
            "num_sorter": len(self.unit2_ids),
            "num_well_detected": self.count_well_detected_units(well_detected_score),
        }
        if self.exhaustive_gt:
            counts["num_overmerged"] = self.count_overmerged_units(overmerged_score)
            counts["num_redundant"] = self.count_redundant_units(redundant_score)
            counts["num_false_positive"] = self.count_false_positive_units(redundant_score)
            counts["num_bad"] = self.count_bad_units()
        return count_series(counts)


def _print(lines: list[str]) -> None:
    sys.stdout.write("\n".join([*lines, "", ""]))


def compare_sorter_to_ground_truth(
    gt_sorting: BaseSorting,
    tested_sorting: BaseSorting,
    gt_name: str | None = None,
    tested_name: str | None = None,
    delta_time: float = 0.4,
    match_score: float = 0.5,
    well_detected_score: float = 0.8,
    redundant_score: float = 0.2,
    overmerged_score: float = 0.2,
    chance_score: float = 0.1,
    exhaustive_gt: bool = False,
    agreement_method: str = "count",
    match_mode: str = "hungarian",
    compute_labels: bool = False,
    compute_misclassifications: bool = False,
    verbose: bool = False,
) -> GroundTruthComparison:
    """Compare a sorting with the truth.

    Parameters
    ----------
    gt_sorting : BaseSorting
        The truth.
    tested_sorting : BaseSorting
        A sorting of the same recording.
    gt_name, tested_name : str, optional
        What they are called; "ground truth" and "tested" by default.
    delta_time : float, default 0.4
        How far apart two spikes may be to coincide, in ms; included.
    match_score : float, default 0.5
        Agreement from which on units are matched one to one.
    well_detected_score : float, default 0.8
        Agreement from which on a unit is well detected.
    redundant_score : float, default 0.2
        Agreement from which on a unit without a match is redundant, rather than false.
    overmerged_score : float, default 0.2
        Agreement above which a tested unit that has it with several true ones is overmerged.
    chance_score : float, default 0.1
        Agreement from which on a match is possible.
    exhaustive_gt : bool, default False
        Whether the truth has all units of the recording, so that other units must be wrong.
    agreement_method : {"count", "distance"}
        "count": coinciding spikes over all different spikes. "distance": spikes are boxes
        `delta_time` wide, and what they have in common is taken over all of it.
    match_mode : {"hungarian", "best"}
        Whether counts are of units paired one to one, or of the best match of each true unit.
    compute_labels : bool, default False
        Label each spike now, rather than when labels are first asked for.
    compute_misclassifications : bool, default False
        Label spikes that were given to another unit "CL_…".
    verbose : bool, default False
        Log what is done.

    Returns
    -------
    GroundTruthComparison
        With `get_performance()`, `get_confusion_matrix()`, `print_summary()`,
        `get_well_detected_units()`, `get_labels1(unit_id)`, `agreement_scores` and so on.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other, or for an argument that is not allowed.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> truth = NumpySorting.from_unit_dict({0: [100, 200, 300, 400], 1: [150, 250]}, 30000.0)
    >>> tested = NumpySorting.from_unit_dict({"a": [151, 250], "b": [103, 300, 400]}, 30000.0)
    >>> comparison = compare_sorter_to_ground_truth(truth, tested, exhaustive_gt=True)
    >>> comparison.get_performance()["recall"].to_dict()
    {0: 0.75, 1: 1.0}
    >>> comparison.get_well_detected_units(), comparison.get_bad_units()
    (['a'], [])
    """
    return GroundTruthComparison(
        gt_sorting,
        tested_sorting,
        gt_name=gt_name,
        tested_name=tested_name,
        delta_time=delta_time,
        match_score=match_score,
        well_detected_score=well_detected_score,
        redundant_score=redundant_score,
        overmerged_score=overmerged_score,
        chance_score=chance_score,
        exhaustive_gt=exhaustive_gt,
        agreement_method=agreement_method,
        match_mode=match_mode,
        compute_labels=compute_labels,
        compute_misclassifications=compute_misclassifications,
        verbose=verbose,
    )
