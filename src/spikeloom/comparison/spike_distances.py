"""How far spike trains are from each other when each spike is a box `delta_frames` samples wide.

Two boxes have ``delta_frames - lag`` samples in common. Summed over all pairs of spikes of two
units that is the inner product of their trains, which has a norm and a distance.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikeloom.comparison.coincidences import check_comparable, check_delta, segment_columns
from spikeloom.comparison.unit_tables import pair_table
from spikeloom.core.sorting import BaseSorting

if TYPE_CHECKING:
    import pandas as pd


def inner_products(
    sorting1: BaseSorting, sorting2: BaseSorting, delta_frames: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the inner product of every pair of units, and the squared norms of all units.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    delta_frames : int
        Width of a spike in samples.

    Returns
    -------
    products : ndarray of shape (n_units1, n_units2)
    norms1 : ndarray of shape (n_units1,)
    norms2 : ndarray of shape (n_units2,)

    Raises
    ------
    ParameterError
        If the sortings do not fit each other or `delta_frames` is negative.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> one = NumpySorting.from_unit_dict({0: [100, 200]}, 30000.0)
    >>> two = NumpySorting.from_unit_dict({0: [103, 300]}, 30000.0)
    >>> inner_products(one, two, 10)
    (array([[7]]), array([20]), array([20]))
    """
    from spikeloom.kernels.coincidences import (  # noqa: PLC0415 - numba is slow to import
        sum_overlaps,
        sum_own_overlaps,
    )

    one, two = check_comparable([sorting1, sorting2])
    delta = check_delta(delta_frames)
    products = np.zeros((one.get_num_units(), two.get_num_units()), np.int64)
    norms = [np.zeros(one.get_num_units(), np.int64), np.zeros(two.get_num_units(), np.int64)]
    for segment_index in range(one.get_num_segments()):
        columns = [segment_columns(each, segment_index) for each in (one, two)]
        sum_overlaps(*columns[0], *columns[1], delta, products)
        for each, sums in zip(columns, norms, strict=True):
            sum_own_overlaps(*each, delta, sums)
    return products, norms[0], norms[1]


def distance_scores(
    sorting1: BaseSorting, sorting2: BaseSorting, delta_frames: int
) -> NDArray[np.float64]:
    """Return the agreement of every pair of units by distance; shape (n_units1, n_units2).

    The inner product over what either train has that the other has not, and itself; 0 where
    neither unit has spikes.
    """
    products, norms1, norms2 = inner_products(sorting1, sorting2, delta_frames)
    return _ratio(products, norms1[:, np.newaxis] + norms2 - products)


def calculate_agreement_scores_with_distance(
    sorting1: BaseSorting, sorting2: BaseSorting, delta_frames: int
) -> "pd.DataFrame":
    """Return `distance_scores` as a table with units as rows and columns."""
    scores = distance_scores(sorting1, sorting2, delta_frames)
    return pair_table(scores, sorting1.unit_ids, sorting2.unit_ids)


def compute_distance_matrix(
    sorting1: BaseSorting,
    sorting2: BaseSorting,
    delta_frames: int,
    return_dot_product: bool = False,
) -> NDArray[np.float64] | tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the distance of every pair of units.

    Parameters
    ----------
    sorting1, sorting2 : BaseSorting
        Sortings of the same recording.
    delta_frames : int
        Width of a spike in samples.
    return_dot_product : bool, default False
        Also return the inner products.

    Returns
    -------
    ndarray of shape (n_units1, n_units2)
        In square roots of samples; 0 for equal trains.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other or `delta_frames` is negative.
    """
    products, norms1, norms2 = inner_products(sorting1, sorting2, delta_frames)
    distances = np.sqrt(norms1[:, np.newaxis] + norms2 - 2 * products)
    return (distances, products) if return_dot_product else distances


def calculate_generalized_comparison_metrics(
    sorting1: BaseSorting, sorting2: BaseSorting, delta_frames: int
) -> dict[str, NDArray[np.float64]]:
    """Return accuracy, recall and precision of every pair of units, from inner products.

    Spikes count by how much they coincide, rather than as coinciding or not.

    Parameters
    ----------
    sorting1 : BaseSorting
        The ground truth.
    sorting2 : BaseSorting
        What is tested.
    delta_frames : int
        Width of a spike in samples.

    Returns
    -------
    dict of str to ndarray of shape (n_units1, n_units2)
        "accuracy", "recall", "precision", "cosine_similarity", "distance" and "dot_product"; ratios
        are 0 where a unit has no spikes.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other or `delta_frames` is negative.
    """
    products, norms1, norms2 = inner_products(sorting1, sorting2, delta_frames)
    of_truth = norms1[:, np.newaxis]
    return {
        "accuracy": _ratio(products, of_truth + norms2 - products),
        "recall": _ratio(products, of_truth),
        "precision": _ratio(products, norms2),
        "cosine_similarity": _ratio(products, np.sqrt(of_truth.astype(np.float64) * norms2)),
        "distance": np.sqrt(of_truth + norms2 - 2 * products),
        "dot_product": products.astype(np.float64),
    }


def _ratio(products: NDArray[np.int64], whole: NDArray[np.number]) -> NDArray[np.float64]:
    ratio = np.zeros(products.shape)
    whole = np.broadcast_to(whole, products.shape)
    np.divide(products, whole, out=ratio, where=whole > 0)
    return ratio
