"""Comparison of two sortings of which neither is the truth."""

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from spikeloom.comparison.pair_comparison import BasePairSorterComparison
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd


class SymmetricSortingComparison(BasePairSorterComparison):
    """A comparison of two sortings of which neither is the truth; see `compare_two_sorters`."""

    def __init__(
        self,
        sorting1: BaseSorting,
        sorting2: BaseSorting,
        sorting1_name: str | None = None,
        sorting2_name: str | None = None,
        delta_time: float = 0.4,
        match_score: float = 0.5,
        chance_score: float = 0.1,
        agreement_method: str = "count",
        verbose: bool = False,
    ) -> None:
        super().__init__(
            sorting1,
            sorting2,
            sorting1_name=sorting1_name,
            sorting2_name=sorting2_name,
            delta_time=delta_time,
            match_score=match_score,
            chance_score=chance_score,
            ensure_symmetry=True,
            agreement_method=agreement_method,
            verbose=verbose,
        )

    def get_matching(self) -> "tuple[pd.Series, pd.Series]":
        """Return the units that each unit is paired with, for both sortings."""
        return self.hungarian_match_12, self.hungarian_match_21

    def get_matching_event_count(self, unit1: Any, unit2: Any) -> int:
        """Return the coinciding spikes of two units; raises ParameterError if one is unknown."""
        return int(self._counts[self._position1(unit1), self._position2(unit2)])

    def get_best_unit_match1(self, unit1: Any) -> Any:
        """Return the unit of the second sorting that agrees most with one of the first."""
        return self.best_match_12.iloc[self._position1(unit1)]

    def get_best_unit_match2(self, unit2: Any) -> Any:
        """Return the unit of the first sorting that agrees most with one of the second."""
        return self.best_match_21.iloc[self._position2(unit2)]

    def get_matching_unit_list1(self, unit1: Any) -> NDArray[Any]:
        """Return the units of the second sorting that agree with one of the first."""
        return self._possible(self.possible_match_12, unit1)

    def get_matching_unit_list2(self, unit2: Any) -> NDArray[Any]:
        """Return the units of the first sorting that agree with one of the second."""
        return self._possible(self.possible_match_21, unit2)

    def get_agreement_fraction(self, unit1: Any = None, unit2: Any = None) -> float:
        """Return the agreement of two units; 0 if one of them is no unit (None, -1 or ``""``)."""
        if any(unit is None or unit in {-1, ""} for unit in (unit1, unit2)):
            return 0.0
        return float(self._scores[self._position1(unit1), self._position2(unit2)])

    def _position1(self, unit1: Any) -> int:
        return self.sorting1.id_to_index(unit1)

    def _position2(self, unit2: Any) -> int:
        return self.sorting2.id_to_index(unit2)

    @staticmethod
    def _possible(matches: dict[Any, NDArray[Any]], unit: Any) -> NDArray[Any]:
        if unit not in matches:
            msg = f"There is no unit {unit!r} among {list(matches)[:8]} ({len(matches)} units)."
            raise ParameterError(msg)
        return matches[unit]


def compare_two_sorters(
    sorting1: BaseSorting,
    sorting2: BaseSorting,
    sorting1_name: str | None = None,
    sorting2_name: str | None = None,
    delta_time: float = 0.4,
    match_score: float = 0.5,
    chance_score: float = 0.1,
    agreement_method: str = "count",
    verbose: bool = False,
) -> SymmetricSortingComparison:
    """Compare two sortings of which neither is the truth.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    sorting1_name, sorting2_name : str, optional
        What they are called; "sorting1" and "sorting2" by default.
    delta_time : float, default 0.4
        How far apart two spikes may be to coincide, in ms; included.
    match_score : float, default 0.5
        Agreement from which on units are matched one to one.
    chance_score : float, default 0.1
        Agreement from which on a match is possible.
    agreement_method : {"count", "distance"}
        "count": coinciding spikes over all different spikes. "distance": spikes are boxes
        `delta_time` wide, and what they have in common is taken over all of it.
    verbose : bool, default False
        Log what is done.

    Returns
    -------
    SymmetricSortingComparison
        With `agreement_scores`, `match_event_count`, `hungarian_match_12`, `best_match_12` and so
        on, and `get_matching()`.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other, or for an argument that is not allowed.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({0: [100, 200, 300], 1: [150, 250]}, 30000.0)
    >>> two = NumpySorting.from_unit_dict({"a": [151, 250], "b": [103, 300, 400]}, 30000.0)
    >>> comparison = compare_two_sorters(one, two)
    >>> comparison.hungarian_match_12.to_dict()
    {0: 'b', 1: 'a'}
    >>> comparison.get_agreement_fraction(0, "b")
    0.5
    """
    return SymmetricSortingComparison(
        sorting1,
        sorting2,
        sorting1_name=sorting1_name,
        sorting2_name=sorting2_name,
        delta_time=delta_time,
        match_score=match_score,
        chance_score=chance_score,
        agreement_method=agreement_method,
        verbose=verbose,
    )
