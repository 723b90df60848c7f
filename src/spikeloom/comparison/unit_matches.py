"""Which units of two sortings belong together, by their agreement.

A *possible* match agrees more than by chance. The *best* match of a unit is the unit that agrees
with it most; several units may have the same. The *Hungarian* matches pair units one to one so that
the sum of their agreement is as large as it can be.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.unit_tables import NO_MATCH, ids_of, match_series

if TYPE_CHECKING:
    import pandas as pd


def best_positions(scores: NDArray[np.float64], min_score: float) -> NDArray[np.int64]:
    """Return the column with the largest score of each row, -1 if it is below `min_score`.

    Examples
    --------
    >>> best_positions(np.array([[0.1, 0.9], [0.05, 0.0]]), 0.1)
    array([ 1, -1])
    """
    n_rows, n_columns = scores.shape
    if n_columns == 0:
        return np.full(n_rows, NO_MATCH, np.int64)
    best = scores.argmax(axis=1)
    is_enough = scores[np.arange(n_rows), best] >= min_score
    return np.where(is_enough, best, NO_MATCH)


def hungarian_positions(
    scores: NDArray[np.float64], min_score: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the column that each row is paired with, and the row of each column; -1 for none.

    Scores below `min_score` count as nothing.

    Examples
    --------
    >>> hungarian_positions(np.array([[0.9, 0.8], [0.8, 0.1], [0.0, 0.0]]), 0.5)
    (array([ 1,  0, -1]), array([1, 0]))
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - takes a while to import

    counted = np.where(scores < min_score, 0.0, scores)
    rows, columns = linear_sum_assignment(-counted)
    is_enough = scores[rows, columns] >= min_score
    rows, columns = rows[is_enough], columns[is_enough]
    match_12 = np.full(scores.shape[0], NO_MATCH, np.int64)
    match_21 = np.full(scores.shape[1], NO_MATCH, np.int64)
    match_12[rows] = columns
    match_21[columns] = rows
    return match_12, match_21


def make_possible_match(
    agreement_scores: "pd.DataFrame", min_score: float
) -> tuple[dict[Any, NDArray[Any]], dict[Any, NDArray[Any]]]:
    """Return all units of the other sorting that agree enough with a unit, for each unit.

    Parameters
    ----------
    agreement_scores : DataFrame of shape (n_units1, n_units2)
        The agreement of every pair of units.
    min_score : float
        What is enough. Pairs with a score of 0 never match.

    Returns
    -------
    possible_match_12, possible_match_21 : dict of unit id to ndarray of unit ids
    """
    unit_ids1, unit_ids2, scores = _parts(agreement_scores)
    is_possible = (scores >= min_score) & (scores != 0)
    return (
        {unit: unit_ids2[is_possible[k]] for k, unit in enumerate(unit_ids1.tolist())},
        {unit: unit_ids1[is_possible[:, k]] for k, unit in enumerate(unit_ids2.tolist())},
    )


def make_best_match(
    agreement_scores: "pd.DataFrame", min_score: float
) -> "tuple[pd.Series, pd.Series]":
    """Return the unit of the other sorting that agrees most with a unit, for each unit.

    Parameters
    ----------
    agreement_scores : DataFrame of shape (n_units1, n_units2)
        The agreement of every pair of units.
    min_score : float
        Units that agree less have no match.

    Returns
    -------
    best_match_12, best_match_21 : Series of unit ids by unit id
        -1 or ``""`` for none.
    """
    unit_ids1, unit_ids2, scores = _parts(agreement_scores)
    return (
        match_series(best_positions(scores, min_score), unit_ids1, unit_ids2),
        match_series(best_positions(scores.T, min_score), unit_ids2, unit_ids1),
    )


def make_hungarian_match(
    agreement_scores: "pd.DataFrame", min_score: float
) -> "tuple[pd.Series, pd.Series]":
    """Return the units that belong together, one to one, with the largest sum of agreement.

    Parameters
    ----------
    agreement_scores : DataFrame of shape (n_units1, n_units2)
        The agreement of every pair of units.
    min_score : float
        Units that agree less are not matched.

    Returns
    -------
    hungarian_match_12, hungarian_match_21 : Series of unit ids by unit id
        -1 or ``""`` for none.

    References
    ----------
    .. [1] Kuhn. The Hungarian method for the assignment problem. Naval Research Logistics
       Quarterly 2, 1955. :doi:`10.1002/nav.3800020109`
    """
    unit_ids1, unit_ids2, scores = _parts(agreement_scores)
    match_12, match_21 = hungarian_positions(scores, min_score)
    return (
        match_series(match_12, unit_ids1, unit_ids2),
        match_series(match_21, unit_ids2, unit_ids1),
    )


def _parts(scores: "pd.DataFrame") -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    return ids_of(scores.index), ids_of(scores.columns), scores.to_numpy(np.float64)
