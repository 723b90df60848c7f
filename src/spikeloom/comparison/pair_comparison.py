"""What comparisons of two sortings have in common: agreement, and units that belong together."""

import logging
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.agreement import scores_of_counts
from spikeloom.comparison.coincidences import (
    check_comparable,
    count_coincidences,
    delta_in_samples,
)
from spikeloom.comparison.pair_matches import PairMatches
from spikeloom.comparison.spike_distances import distance_scores
from spikeloom.comparison.unit_tables import (
    check_choice,
    pair_table,
    unit_series,
)
from spikeloom.core.sorting import BaseSorting

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

AGREEMENT_METHODS = ("count", "distance")


class BasePairSorterComparison(PairMatches):
    """A comparison of two sortings; see `SymmetricSortingComparison` and `GroundTruthComparison`.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    sorting1_name, sorting2_name : str, optional
        What they are called.
    delta_time : float, default 0.4
        How far apart two spikes may be to coincide, in ms; included.
    match_score : float, default 0.5
        Agreement from which on units are matched one to one.
    chance_score : float, default 0.1
        Agreement from which on a match is possible.
    ensure_symmetry : bool, default False
        Whether exchanging the sortings must give the same.
    agreement_method : {"count", "distance"}
        Whether agreement is a share of coinciding spikes, or how much all of them coincide.
    verbose : bool, default False
        Log what is done.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other, or for an argument that is not allowed.
    """

    def __init__(
        self,
        sorting1: BaseSorting,
        sorting2: BaseSorting,
        sorting1_name: str | None = None,
        sorting2_name: str | None = None,
        delta_time: float = 0.4,
        match_score: float = 0.5,
        chance_score: float = 0.1,
        ensure_symmetry: bool = False,
        agreement_method: str = "count",
        verbose: bool = False,
    ) -> None:
        check_choice("agreement_method", agreement_method, AGREEMENT_METHODS)
        self.object_list = check_comparable([sorting1, sorting2])
        self.name_list = [sorting1_name or "sorting1", sorting2_name or "sorting2"]
        self.delta_time = delta_time
        self.match_score = match_score
        self.chance_score = chance_score
        self.ensure_symmetry = ensure_symmetry
        self.agreement_method = agreement_method
        self.sampling_frequency = self.sorting1.sampling_frequency
        self.delta_frames = delta_in_samples(delta_time, self.sampling_frequency)
        self.unit1_ids = self.sorting1.unit_ids
        self.unit2_ids = self.sorting2.unit_ids
        self._n_spikes1: NDArray[np.int64] = self.sorting1.count_num_spikes_per_unit("array")
        self._n_spikes2: NDArray[np.int64] = self.sorting2.count_num_spikes_per_unit("array")
        self._log_level = logging.INFO if verbose else logging.DEBUG
        self._scores = self._agreement()
        logger.log(self._log_level, "Matching units of %s and %s", *self.name_list)
        self._match()

    def _agreement(self) -> NDArray[np.float64]:
        logger.log(self._log_level, "Agreement scores of %s and %s", *self.name_list)
        if self.agreement_method == "distance":
            return distance_scores(self.sorting1, self.sorting2, self.delta_frames)
        return scores_of_counts(self._counts, self._n_spikes1, self._n_spikes2)

    # -- what is compared --------------------------------------------------------------------

    @property
    def sorting1(self) -> BaseSorting:
        """The first sorting."""
        return self.object_list[0]

    @property
    def sorting2(self) -> BaseSorting:
        """The second sorting."""
        return self.object_list[1]

    @property
    def sorting1_name(self) -> str:
        """What the first sorting is called."""
        return self.name_list[0]

    @property
    def sorting2_name(self) -> str:
        """What the second sorting is called."""
        return self.name_list[1]

    # -- tables ------------------------------------------------------------------------------

    @cached_property
    def _counts(self) -> NDArray[np.int64]:
        """Coinciding spikes of each pair of units."""
        return count_coincidences(
            self.sorting1, self.sorting2, self.delta_frames, is_symmetric=self.ensure_symmetry
        )

    @cached_property
    def event_counts1(self) -> "pd.Series":
        """Spikes of each unit of the first sorting."""
        return unit_series(self._n_spikes1, self.unit1_ids)

    @cached_property
    def event_counts2(self) -> "pd.Series":
        """Spikes of each unit of the second sorting."""
        return unit_series(self._n_spikes2, self.unit2_ids)

    @cached_property
    def match_event_count(self) -> "pd.DataFrame":
        """Coinciding spikes of each pair of units; a row for each unit of the first sorting."""
        return pair_table(self._counts, self.unit1_ids, self.unit2_ids)
