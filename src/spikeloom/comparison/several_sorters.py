"""Comparison of several sortings, and the sorting that they agree on."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.coincidences import check_comparable, delta_in_samples
from spikeloom.comparison.consensus import (
    SPIKE_TRAIN_MODES,
    consensus_train,
)
from spikeloom.comparison.pair_comparison import AGREEMENT_METHODS
from spikeloom.comparison.two_sorters import SymmetricSortingComparison
from spikeloom.comparison.unit_consensus import ConsensusOfUnits
from spikeloom.comparison.unit_tables import check_choice
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.sorting_matching import as_sortings
from spikeloom.core.spike_building import table_from_unit_dicts
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.engine.options import fix_job_kwargs
from spikeloom.errors import ParameterError

logger = logging.getLogger(__name__)


class MultiSortingComparison(ConsensusOfUnits):
    """A comparison of several sortings; see `compare_multiple_sorters`."""

    def __init__(
        self,
        sorting_list: Sequence[BaseSorting],
        name_list: Sequence[str] | None = None,
        delta_time: float = 0.4,
        match_score: float = 0.5,
        chance_score: float = 0.1,
        agreement_method: str = "count",
        n_jobs: float = -1,
        spiketrain_mode: str = "union",
        verbose: bool = False,
        do_matching: bool = True,
    ) -> None:
        check_choice("spiketrain_mode", spiketrain_mode, SPIKE_TRAIN_MODES)
        check_choice("agreement_method", agreement_method, AGREEMENT_METHODS)
        self.object_list = check_comparable(as_sortings(sorting_list))
        self.name_list = _checked_names(name_list, len(self.object_list))
        self.delta_time = delta_time
        self.match_score = match_score
        self.chance_score = chance_score
        self.agreement_method = agreement_method
        self.n_jobs = n_jobs
        self.sampling_frequency = self.object_list[0].sampling_frequency
        self.delta_frames = delta_in_samples(delta_time, self.sampling_frequency)
        self._mode = spiketrain_mode
        self._log_level = logging.INFO if verbose else logging.DEBUG
        if do_matching:
            _ = self._consensus

    # -- pairs, graph, units -----------------------------------------------------------------

    @cached_property
    def comparisons(self) -> dict[tuple[str, str], SymmetricSortingComparison]:
        """The comparison of each pair of sortings, by their names."""
        logger.log(self._log_level, "Comparing %d sortings in pairs", len(self.object_list))
        pairs = list(combinations(range(len(self.object_list)), 2))
        for sorting in self.object_list:
            # Threads would gather the same spikes several times.
            sorting.spike_table()
        n_workers = fix_job_kwargs({"n_jobs": self.n_jobs})["n_jobs"]
        with ThreadPoolExecutor(n_workers, "spikeloom-comparison") as pool:
            compared = list(pool.map(self._compare, pairs))
        return {
            (self.name_list[i], self.name_list[j]): one
            for (i, j), one in zip(pairs, compared, strict=True)
        }

    def _compare(self, pair: tuple[int, int]) -> SymmetricSortingComparison:
        i, j = pair
        return SymmetricSortingComparison(
            self.object_list[i],
            self.object_list[j],
            sorting1_name=self.name_list[i],
            sorting2_name=self.name_list[j],
            delta_time=self.delta_time,
            match_score=self.match_score,
            chance_score=self.chance_score,
            agreement_method=self.agreement_method,
        )

    @property
    def _sortings(self) -> dict[str, BaseSorting]:
        return dict(zip(self.name_list, self.object_list, strict=True))

    @property
    def _unit_ids_by_name(self) -> dict[str, NDArray[Any]]:
        return {name: sorting.unit_ids for name, sorting in self._sortings.items()}

    # -- consensus sortings ------------------------------------------------------------------

    @cached_property
    def _consensus_trains(self) -> list[dict[int, NDArray[np.int64]]]:
        """The spikes of all consensus units, segment by segment."""
        return [
            {
                k: consensus_train(unit, self._sortings, segment_index, self._mode)
                for k, unit in enumerate(self._consensus)
            }
            for segment_index in range(self.object_list[0].get_num_segments())
        ]

    def get_agreement_sorting(
        self, minimum_agreement_count: int = 1, minimum_agreement_count_only: bool = False
    ) -> "AgreementSortingExtractor":
        """Return the units that sorters agree on, as a sorting.

        Parameters
        ----------
        minimum_agreement_count : int, default 1
            How many units of the sortings must be joined in a unit.
        minimum_agreement_count_only : bool, default False
            Whether they must be just as many, not more.

        Returns
        -------
        AgreementSortingExtractor
            With the properties "agreement_number", "avg_agreement" and "unit_ids".

        Raises
        ------
        ParameterError
            If the count is not positive.
        """
        if minimum_agreement_count <= 0:
            msg = f"minimum_agreement_count is 1 or more; got {minimum_agreement_count}."
            raise ParameterError(msg)
        return AgreementSortingExtractor(
            self.sampling_frequency,
            self,
            min_agreement_count=minimum_agreement_count,
            min_agreement_count_only=minimum_agreement_count_only,
        )


class AgreementSortingExtractor(BaseSorting):
    """The units that the sorters of a comparison agree on.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    multisortingcomparison : MultiSortingComparison
        The comparison.
    min_agreement_count : int, default 1
        How many units must be joined in a unit.
    min_agreement_count_only : bool, default False
        Whether they must be just as many, not more.
    """

    def __init__(
        self,
        sampling_frequency: float,
        multisortingcomparison: MultiSortingComparison,
        min_agreement_count: int = 1,
        min_agreement_count_only: bool = False,
    ) -> None:
        units = {
            k: unit
            for k, unit in enumerate(multisortingcomparison._consensus)
            if unit.n_units == min_agreement_count
            or (unit.n_units > min_agreement_count and not min_agreement_count_only)
        }
        super().__init__(sampling_frequency, np.array(list(units), np.int64))
        self._comparison = multisortingcomparison
        # It hangs on a comparison of other sortings, which no file and no message can describe.
        self._serializability = dict.fromkeys(self._serializability, False)
        for segment_index in range(multisortingcomparison.object_list[0].get_num_segments()):
            self.add_sorting_segment(TableSortingSegment(self, segment_index, None))
        if units:
            each = units.values()
            self.set_property("agreement_number", [unit.n_units for unit in each])
            self.set_property("avg_agreement", [unit.average_agreement for unit in each])
            unit_ids = np.empty(len(units), object)
            unit_ids[:] = [dict(unit.unit_ids) for unit in each]
            self.set_property("unit_ids", unit_ids)

    def _make_spike_table(self) -> SpikeTable:
        chosen = self.unit_ids.tolist()
        trains = [{k: all_of[k] for k in chosen} for all_of in self._comparison._consensus_trains]
        return table_from_unit_dicts(trains, self.unit_ids)[0]


def compare_multiple_sorters(
    sorting_list: Sequence[BaseSorting],
    name_list: Sequence[str] | None = None,
    delta_time: float = 0.4,
    match_score: float = 0.5,
    chance_score: float = 0.1,
    agreement_method: str = "count",
    n_jobs: float = -1,
    spiketrain_mode: str = "union",
    verbose: bool = False,
    do_matching: bool = True,
) -> MultiSortingComparison:
    """Compare several sortings with each other, and find the units that they agree on.

    Each pair of sortings is compared; units that match are joined, and what is connected is one
    unit of the consensus.

    Parameters
    ----------
    sorting_list : list of BaseSorting
        Sortings of the same recording.
    name_list : list of str, optional
        What they are called; "sorting0", "sorting1" and so on by default.
    delta_time : float, default 0.4
        How far apart two spikes may be to coincide, in ms; included.
    match_score : float, default 0.5
        Agreement from which on units are matched one to one.
    chance_score : float, default 0.1
        Agreement from which on a match is possible.
    agreement_method : {"count", "distance"}
        See `compare_two_sorters`.
    n_jobs : int or float, default -1
        Threads that compare pairs; -1 for all processors. The result does not depend on it.
    spiketrain_mode : {"union", "intersection"}
        Whether a unit of the consensus has the spikes of either of its two units that agree most,
        or only those that both have.
    verbose : bool, default False
        Log what is done.
    do_matching : bool, default True
        Compare now, rather than when a result is first asked for.

    Returns
    -------
    MultiSortingComparison
        With `get_agreement_sorting(minimum_agreement_count)`, `units`, `comparisons` and `graph`.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other, if names are not all different, or for an argument
        that is not allowed.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({0: [100, 200, 300], 1: [150, 250]}, 30000.0)
    >>> two = NumpySorting.from_unit_dict({"a": [151, 250], "b": [20, 60]}, 30000.0)
    >>> comparison = compare_multiple_sorters([one, two], ["one", "two"])
    >>> comparison.units[1]
    {'avg_agreement': 1.0, 'unit_ids': {'one': 1, 'two': 'a'}, 'agreement_number': 2}
    >>> comparison.get_agreement_sorting(minimum_agreement_count=2).get_unit_spike_train(1)
    array([150, 250])
    """
    return MultiSortingComparison(
        sorting_list,
        name_list=name_list,
        delta_time=delta_time,
        match_score=match_score,
        chance_score=chance_score,
        agreement_method=agreement_method,
        n_jobs=n_jobs,
        spiketrain_mode=spiketrain_mode,
        verbose=verbose,
        do_matching=do_matching,
    )


def _checked_names(names: Sequence[str] | None, n_sortings: int) -> list[str]:
    if names is None:
        return [f"sorting{k}" for k in range(n_sortings)]
    if len(names) != n_sortings or len(set(names)) != n_sortings:
        msg = f"{n_sortings} sortings need as many names, all different; got {list(names)}."
        raise ParameterError(msg)
    return list(names)
