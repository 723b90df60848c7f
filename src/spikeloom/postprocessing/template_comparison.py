"""Comparison of units of several recordings, as of several days, by their templates."""

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.pair_matches import PairMatches
from spikeloom.comparison.unit_consensus import ConsensusOfUnits
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.template_similarity import compute_template_similarity_by_pair

if TYPE_CHECKING:
    from spikeloom.analyzer.analyzer import SortingAnalyzer


class TemplateComparison(PairMatches):
    """Units of two analyzers, matched by how similar their templates are.

    Parameters
    ----------
    sorting_analyzer_1, sorting_analyzer_2 : SortingAnalyzer
        With templates of the same samples, and the same channels.
    name1, name2 : str, optional
        What they are called; "sess1" and "sess2" by default.
    unit_ids1, unit_ids2 : sequence of unit ids, optional
        Units to compare; all by default.
    match_score : float, default 0.7
        Similarity from which on units are matched one to one.
    chance_score : float, default 0.3
        Similarity from which on a match is possible.
    similarity_method : {"cosine", "l1", "l2"}
        How similarity is measured.
    support : {"dense", "union", "intersection"}
        On which channels; see `compute_similarity_with_templates_array`.
    num_shifts : int, default 0
        Templates are shifted by so many samples at most, and the best counts.
    verbose : bool, default False
        Taken for compatibility; it is too quick to be talked about.

    Raises
    ------
    ParameterError
        If channels differ, a unit is unknown, or an argument makes no sense.

    Examples
    --------
    >>> import spikeloom as si
    >>> recording, sorting = si.generate_ground_truth_recording(
    ...     durations=[5.0], num_channels=4, num_units=3, seed=0
    ... )
    >>> analyzer = si.create_sorting_analyzer(sorting, recording, sparse=False)
    >>> _ = analyzer.compute(["random_spikes", "templates"], progress_bar=False)
    >>> TemplateComparison(analyzer, analyzer).hungarian_match_12.to_dict()
    {'0': '0', '1': '1', '2': '2'}
    """

    def __init__(
        self,
        sorting_analyzer_1: "SortingAnalyzer",
        sorting_analyzer_2: "SortingAnalyzer",
        name1: str | None = None,
        name2: str | None = None,
        unit_ids1: Sequence[Any] | None = None,
        unit_ids2: Sequence[Any] | None = None,
        match_score: float = 0.7,
        chance_score: float = 0.3,
        similarity_method: str = "cosine",
        support: str = "union",
        num_shifts: int = 0,
        verbose: bool = False,  # noqa: ARG002 - SpikeInterface's
    ) -> None:
        self.object_list = [sorting_analyzer_1, sorting_analyzer_2]
        self.name_list = [name1 or "sess1", name2 or "sess2"]
        self.match_score, self.chance_score = match_score, chance_score
        self.similarity_method = similarity_method
        self.support, self.num_shifts = support, num_shifts
        _check_channels(self.object_list)
        rows, columns = (
            np.arange(one.get_num_units())
            if unit_ids is None
            else np.asarray(one.sorting.ids_to_indices(unit_ids), np.int64)
            for one, unit_ids in zip(self.object_list, (unit_ids1, unit_ids2), strict=True)
        )
        self.unit1_ids = sorting_analyzer_1.unit_ids[rows]
        self.unit2_ids = sorting_analyzer_2.unit_ids[columns]
        similarity = compute_template_similarity_by_pair(
            sorting_analyzer_1,
            sorting_analyzer_2,
            method=similarity_method,
            support=support,
            num_shifts=num_shifts,
        )
        self._scores = similarity[np.ix_(rows, columns)].astype(np.float64)
        self._match()

    @property
    def sorting_analyzer_1(self) -> "SortingAnalyzer":
        """The first analyzer."""
        return self.object_list[0]

    @property
    def sorting_analyzer_2(self) -> "SortingAnalyzer":
        """The second analyzer."""
        return self.object_list[1]

    @property
    def unit_ids(self) -> list[NDArray[Any]]:
        """The units of both that are compared."""
        return [self.unit1_ids, self.unit2_ids]


class MultiTemplateComparison(ConsensusOfUnits):
    """Units of several analyzers, joined where their templates are alike.

    Parameters
    ----------
    waveform_list : sequence of SortingAnalyzer
        With templates of the same samples, and the same channels.
    name_list : sequence of str, optional
        What they are called; "sess0", "sess1" and so on by default.
    match_score : float, default 0.8
        Similarity from which on units are matched one to one.
    chance_score : float, default 0.3
        Similarity from which on a match is possible.
    verbose : bool, default False
        Taken for compatibility.
    similarity_method, support, num_shifts
        See `TemplateComparison`.
    do_matching : bool, default True
        Compare now, rather than when a result is first asked for.

    Raises
    ------
    ParameterError
        If channels differ, names are not all different, or an argument makes no sense.
    """

    def __init__(
        self,
        waveform_list: Sequence["SortingAnalyzer"],
        name_list: Sequence[str] | None = None,
        match_score: float = 0.8,
        chance_score: float = 0.3,
        verbose: bool = False,  # noqa: ARG002 - SpikeInterface's
        similarity_method: str = "cosine",
        support: str = "union",
        num_shifts: int = 0,
        do_matching: bool = True,
    ) -> None:
        self.object_list = list(waveform_list)
        n = len(self.object_list)
        self.name_list = [f"sess{k}" for k in range(n)] if name_list is None else list(name_list)
        if len(self.name_list) != n or len(set(self.name_list)) != n:
            msg = f"{n} analyzers need as many names, all different; got {self.name_list}."
            raise ParameterError(msg)
        _check_channels(self.object_list)
        self.match_score, self.chance_score = match_score, chance_score
        self.similarity_method = similarity_method
        self.support, self.num_shifts = support, num_shifts
        if do_matching:
            _ = self._consensus

    @cached_property
    def comparisons(self) -> dict[tuple[str, str], TemplateComparison]:
        """The comparison of each pair, by their names."""
        names = dict(zip(self.name_list, self.object_list, strict=True))
        return {
            (one, two): TemplateComparison(
                names[one],
                names[two],
                one,
                two,
                match_score=self.match_score,
                chance_score=self.chance_score,
                similarity_method=self.similarity_method,
                support=self.support,
                num_shifts=self.num_shifts,
            )
            for one, two in combinations(self.name_list, 2)
        }

    @property
    def _unit_ids_by_name(self) -> dict[str, NDArray[Any]]:
        ids = [one.unit_ids for one in self.object_list]
        return dict(zip(self.name_list, ids, strict=True))


def compare_templates(
    sorting_analyzer_1: "SortingAnalyzer", sorting_analyzer_2: "SortingAnalyzer", **kwargs: Any
) -> TemplateComparison:
    """Match the units of two analyzers by their templates; see `TemplateComparison`."""
    return TemplateComparison(sorting_analyzer_1, sorting_analyzer_2, **kwargs)


def compare_multiple_templates(
    waveform_list: Sequence["SortingAnalyzer"],
    name_list: Sequence[str] | None = None,
    **kwargs: Any,
) -> MultiTemplateComparison:
    """Match the units of several analyzers by templates; see `MultiTemplateComparison`."""
    return MultiTemplateComparison(waveform_list, name_list, **kwargs)


def _check_channels(analyzers: Sequence["SortingAnalyzer"]) -> None:
    for one in analyzers[1:]:
        if not np.array_equal(one.channel_ids, analyzers[0].channel_ids):
            msg = (
                f"The analyzers have to have the same channels; one has "
                f"{analyzers[0].channel_ids.tolist()[:4]}…, another {one.channel_ids.tolist()[:4]}…"
            )
            raise ParameterError(msg)
