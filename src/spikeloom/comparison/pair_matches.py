"""Units of two sides that belong together, by their agreement: tables of scores and matches."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.unit_matches import (
    best_positions,
    hungarian_positions,
    make_possible_match,
)
from spikeloom.comparison.unit_tables import match_series, pair_table

if TYPE_CHECKING:
    import pandas as pd


class PairMatches:
    """Agreement of each pair of units of two sides, and the units that match.

    To be derived from, by a class that sets `_scores` and what is declared here, and calls
    `_match`.
    """

    unit1_ids: NDArray[Any]
    """Units of the first side."""
    unit2_ids: NDArray[Any]
    """Units of the second side."""
    match_score: float
    """Agreement from which on units are matched one to one."""
    chance_score: float
    """Agreement from which on a match is possible."""
    _scores: NDArray[np.float64]

    def _match(self) -> None:
        self._best_12 = best_positions(self._scores, self.chance_score)
        self._best_21 = best_positions(self._scores.T, self.chance_score)
        self._hungarian_12, self._hungarian_21 = hungarian_positions(self._scores, self.match_score)

    @cached_property
    def agreement_scores(self) -> "pd.DataFrame":
        """Agreement of each pair of units, 0 to 1; a row for each unit of the first side."""
        return pair_table(self._scores, self.unit1_ids, self.unit2_ids)

    @cached_property
    def _possible_matches(self) -> tuple[dict[Any, NDArray[Any]], dict[Any, NDArray[Any]]]:
        return make_possible_match(self.agreement_scores, self.chance_score)

    @property
    def possible_match_12(self) -> dict[Any, NDArray[Any]]:
        """Units of the second side that agree with each of the first more than by chance."""
        return self._possible_matches[0]

    @property
    def possible_match_21(self) -> dict[Any, NDArray[Any]]:
        """Units of the first side that agree with each of the second more than by chance."""
        return self._possible_matches[1]

    @cached_property
    def best_match_12(self) -> "pd.Series":
        """The unit of the second side that agrees most with each of the first."""
        return match_series(self._best_12, self.unit1_ids, self.unit2_ids)

    @cached_property
    def best_match_21(self) -> "pd.Series":
        """The unit of the first side that agrees most with each of the second."""
        return match_series(self._best_21, self.unit2_ids, self.unit1_ids)

    @cached_property
    def hungarian_match_12(self) -> "pd.Series":
        """The unit of the second side that each of the first is paired with."""
        return match_series(self._hungarian_12, self.unit1_ids, self.unit2_ids)

    @cached_property
    def hungarian_match_21(self) -> "pd.Series":
        """The unit of the first side that each of the second is paired with."""
        return match_series(self._hungarian_21, self.unit2_ids, self.unit1_ids)

    def get_ordered_agreement_scores(self) -> "pd.DataFrame":
        """Return the agreement scores with the units that agree most first, along the diagonal."""
        rows, columns = order_by_agreement(self._scores)
        return self.agreement_scores.iloc[rows, columns]


def order_by_agreement(
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return rows by their largest score, and for each of them the best column that is left.

    Examples
    --------
    >>> order_by_agreement(np.array([[0.2, 0.3, 0.0], [0.1, 0.9, 0.0]]))
    (array([1, 0]), array([1, 0, 2]))
    """
    n_columns = scores.shape[1]
    rows = np.argsort(scores.max(axis=1, initial=0.0), kind="stable")[::-1]
    columns: list[int] = []
    is_left = np.ones(n_columns, bool)
    for row in rows[:n_columns].tolist():
        column = int(np.argmax(np.where(is_left, scores[row], -1.0)))
        columns.append(column)
        is_left[column] = False
    return rows, np.array([*columns, *np.flatnonzero(is_left).tolist()], np.int64)
