"""How well units of the truth were found: counts of hits and misses, and rates made of them.

A spike of a true unit that its match has, too, is a true positive (tp), one that it lacks a false
negative (fn); a spike of the match that belongs to no true one is a false positive (fp).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.unit_tables import ids_at, ids_of, positions_of

if TYPE_CHECKING:
    import pandas as pd

PERFORMANCE_KEYS = ("accuracy", "recall", "precision", "false_discovery_rate", "miss_rate")


@dataclass(frozen=True, slots=True, eq=False)
class CountScores:
    """Hits and misses of each unit of the truth; arrays of shape (n_units1,).

    Examples
    --------
    >>> scores = count_scores(
    ...     np.array([[8, 0], [0, 0]]), np.array([10, 5]), np.array([9, 4]), np.array([0, -1])
    ... )
    >>> scores.tp, scores.fn, scores.fp, scores.num_tested
    (array([8, 0]), array([2, 5]), array([1, 0]), array([9, 0]))
    """

    tp: NDArray[np.int64]
    """Spikes that were found."""
    fn: NDArray[np.int64]
    """Spikes that were missed."""
    fp: NDArray[np.int64]
    """Spikes of the match that are not the unit's."""
    num_gt: NDArray[np.int64]
    """Spikes of the unit."""
    num_tested: NDArray[np.int64]
    """Spikes of the match; 0 without a match."""
    tested: NDArray[np.int64]
    """Position of the match; -1 for none."""


def count_scores(
    counts: NDArray[np.int64],
    n_spikes1: NDArray[np.int64],
    n_spikes2: NDArray[np.int64],
    match_12: NDArray[np.int64],
) -> CountScores:
    """Count hits and misses of each unit of the truth.

    Parameters
    ----------
    counts : ndarray of shape (n_units1, n_units2)
        Coinciding spikes of each pair of units.
    n_spikes1, n_spikes2 : ndarray of shape (n_units1,), (n_units2,)
        Spikes of each unit.
    match_12 : ndarray of shape (n_units1,)
        Position of the match of each unit, -1 for none.
    """
    is_matched = match_12 >= 0
    found = match_12[is_matched]
    tp, num_tested = np.zeros(match_12.size, np.int64), np.zeros(match_12.size, np.int64)
    tp[is_matched] = counts[is_matched, found]
    num_tested[is_matched] = n_spikes2[found]
    return CountScores(tp, n_spikes1 - tp, num_tested - tp, n_spikes1, num_tested, match_12)


def do_count_score(
    event_counts1: "pd.Series",
    event_counts2: "pd.Series",
    match_12: "pd.Series",
    match_event_count: "pd.DataFrame",
) -> "pd.DataFrame":
    """Return hits and misses of each unit of the truth as a table.

    Parameters
    ----------
    event_counts1, event_counts2 : Series of shape (n_units1,), (n_units2,)
        Spikes of each unit.
    match_12 : Series of shape (n_units1,)
        The match of each unit of the truth.
    match_event_count : DataFrame of shape (n_units1, n_units2)
        Coinciding spikes of each pair of units.

    Returns
    -------
    DataFrame
        With the columns tp, fn, fp, num_gt, num_tested and tested_id.
    """
    scores = count_scores(
        match_event_count.to_numpy(np.int64),
        event_counts1.to_numpy(np.int64),
        event_counts2.to_numpy(np.int64),
        positions_of(match_12, match_event_count.columns),
    )
    return count_table(scores, ids_of(event_counts1.index), ids_of(match_event_count.columns))


def count_table(
    scores: CountScores, unit_ids1: NDArray[np.generic], unit_ids2: NDArray[np.generic]
) -> "pd.DataFrame":
    """Return counts as a table with the units of the truth as rows."""
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    columns = {
        "tp": scores.tp,
        "fn": scores.fn,
        "fp": scores.fp,
        "num_gt": scores.num_gt,
        "num_tested": scores.num_tested,
        "tested_id": ids_at(scores.tested, unit_ids2),
    }
    return pd.DataFrame(columns, index=pd.Index(unit_ids1, name="gt_unit_id"))


def compute_performance(count_score: "pd.DataFrame") -> "pd.DataFrame":
    """Return the rates of each unit of the truth.

    Parameters
    ----------
    count_score : DataFrame
        From `do_count_score`.

    Returns
    -------
    DataFrame
        Rows as in `count_score`; columns from 0 to 1. All are 0 for a unit of which no spike was
        found, also ``miss_rate`` and ``false_discovery_rate``, as SpikeInterface has it.

    Notes
    -----
    ``accuracy = tp / (tp + fn + fp)``, ``recall = tp / (tp + fn)``, ``precision = tp / (tp + fp)``,
    ``false_discovery_rate = fp / (tp + fp)`` and ``miss_rate = fn / num_gt``. There are no true
    negatives, so accuracy is the agreement score.
    """
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    tp, fn, fp, n_true = (
        count_score[name].to_numpy(np.float64) for name in ("tp", "fn", "fp", "num_gt")
    )
    rates = {
        "accuracy": (tp, tp + fn + fp),
        "recall": (tp, tp + fn),
        "precision": (tp, tp + fp),
        "false_discovery_rate": (fp, tp + fp),
        "miss_rate": (fn, n_true),
    }
    is_found = (n_true > 0) & (tp > 0)
    columns = {
        name: np.divide(part, whole, out=np.zeros(tp.size), where=is_found)
        for name, (part, whole) in rates.items()
    }
    return pd.DataFrame(columns, index=count_score.index.rename("gt_unit_id"))


def do_confusion_matrix(
    event_counts1: "pd.Series",
    event_counts2: "pd.Series",
    match_12: "pd.Series",
    match_event_count: "pd.DataFrame",
) -> "pd.DataFrame":
    """Return the confusion matrix: hits on the diagonal, misses in the last column and row.

    Parameters
    ----------
    event_counts1, event_counts2 : Series of shape (n_units1,), (n_units2,)
        Spikes of each unit.
    match_12 : Series of shape (n_units1,)
        The match of each unit of the truth.
    match_event_count : DataFrame of shape (n_units1, n_units2)
        Coinciding spikes of each pair of units.

    Returns
    -------
    DataFrame of shape (n_units1 + 1, n_units2 + 1)
        Matched units first, in the order of the truth, then the others. The column "FN" counts
        spikes of the truth that were missed, the row "FP" tested spikes that are no true ones.
    """
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    unit_ids1, unit_ids2 = ids_of(match_event_count.index), ids_of(match_event_count.columns)
    n_spikes1, n_spikes2 = event_counts1.to_numpy(np.int64), event_counts2.to_numpy(np.int64)
    matches = positions_of(match_12, match_event_count.columns)
    hits = np.zeros((unit_ids1.size, unit_ids2.size), np.int64)
    matched1 = np.flatnonzero(matches >= 0)
    matched2 = matches[matched1]
    hits[matched1, matched2] = match_event_count.to_numpy(np.int64)[matched1, matched2]
    # Best matches may give a tested unit to several true ones.
    order1 = list(dict.fromkeys([*matched1.tolist(), *range(unit_ids1.size)]))
    order2 = list(dict.fromkeys([*matched2.tolist(), *range(unit_ids2.size)]))
    matrix = np.zeros((unit_ids1.size + 1, unit_ids2.size + 1), np.int64)
    matrix[:-1, :-1] = hits[np.ix_(order1, order2)]
    matrix[:-1, -1] = (n_spikes1 - hits.sum(axis=1))[order1]
    matrix[-1, :-1] = np.maximum(n_spikes2 - hits.sum(axis=0), 0)[order2]
    return pd.DataFrame(
        matrix,
        index=[*unit_ids1[order1].tolist(), "FP"],
        columns=[*unit_ids2[order2].tolist(), "FN"],
    )
