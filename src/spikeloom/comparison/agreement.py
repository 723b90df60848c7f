"""Agreement scores: which share of the spikes of two units they have in common, 0 to 1."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.coincidences import count_coincidences
from spikeloom.comparison.unit_tables import pair_table
from spikeloom.core.sorting import BaseSorting

if TYPE_CHECKING:
    import pandas as pd


def compute_agreement_score(num_matches: int, num1: int, num2: int) -> float:
    """Return the matches of two trains over all their different spikes.

    Parameters
    ----------
    num_matches : int
        Coinciding spikes.
    num1, num2 : int
        Spikes of either train.

    Returns
    -------
    float
        From 0, also for two trains without spikes, to 1.

    Examples
    --------
    >>> compute_agreement_score(8, 10, 10), compute_agreement_score(0, 0, 0)
    (0.6666666666666666, 0.0)
    """
    n_different = num1 + num2 - num_matches
    return num_matches / n_different if n_different else 0.0


def scores_of_counts(
    counts: NDArray[np.int64], n_spikes1: NDArray[np.int64], n_spikes2: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the agreement of every pair of units.

    Parameters
    ----------
    counts : ndarray of shape (n_units1, n_units2)
        Coinciding spikes of each pair.
    n_spikes1, n_spikes2 : ndarray of shape (n_units1,), (n_units2,)
        Spikes of each unit.

    Returns
    -------
    ndarray of shape (n_units1, n_units2)
        Common spikes over all different spikes; 0 where neither unit has any.

    Examples
    --------
    >>> scores_of_counts(np.array([[8, 0]]), np.array([10]), np.array([10, 0]))
    array([[0.66666667, 0.        ]])
    """
    n_different = n_spikes1[:, np.newaxis] + n_spikes2 - counts
    scores = np.zeros(counts.shape)
    np.divide(counts, n_different, out=scores, where=n_different > 0)
    return scores


def make_agreement_scores(
    sorting1: BaseSorting, sorting2: BaseSorting, delta_frames: int, ensure_symmetry: bool = True
) -> "pd.DataFrame":
    """Return the agreement of every pair of units of two sortings.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    delta_frames : int
        How far apart two spikes may be to coincide, in samples; included.
    ensure_symmetry : bool, default True
        Count coincidences in both directions and take the larger count, so that exchanging the
        sortings gives the same scores.

    Returns
    -------
    DataFrame of shape (n_units1, n_units2)
        From 0 to 1.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other or `delta_frames` is negative.
    """
    counts = count_coincidences(sorting1, sorting2, delta_frames, is_symmetric=ensure_symmetry)
    n_spikes = [one.count_num_spikes_per_unit("array") for one in (sorting1, sorting2)]
    return pair_table(scores_of_counts(counts, *n_spikes), sorting1.unit_ids, sorting2.unit_ids)


def make_agreement_scores_from_count(
    match_event_count: "pd.DataFrame", event_counts1: "pd.Series", event_counts2: "pd.Series"
) -> "pd.DataFrame":
    """Return the agreement of every pair of units, from tables of counts.

    Parameters
    ----------
    match_event_count : DataFrame of shape (n_units1, n_units2)
        From `make_match_count_matrix`.
    event_counts1, event_counts2 : Series of shape (n_units1,), (n_units2,)
        Spikes of each unit.
    """
    scores = scores_of_counts(
        match_event_count.to_numpy(), event_counts1.to_numpy(), event_counts2.to_numpy()
    )
    return pair_table(scores, match_event_count.index, match_event_count.columns)
