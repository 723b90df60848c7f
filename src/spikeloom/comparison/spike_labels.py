"""What became of each spike: found (TP), missed (FN), made up (FP), given to another unit (CL)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.comparison.alternations import samples_in_order
from spikeloom.comparison.coincidences import check_comparable, check_delta
from spikeloom.comparison.unit_tables import positions_of
from spikeloom.core.sorting import BaseSorting

if TYPE_CHECKING:
    import pandas as pd

Labels = dict[Any, list[NDArray[np.str_]]]
"""By unit id, one array for each segment; shape (n_spikes,)."""


def do_score_labels(
    sorting1: BaseSorting,
    sorting2: BaseSorting,
    delta_frames: int,
    unit_map12: "pd.Series",
    label_misclassification: bool = False,
) -> tuple[Labels, Labels]:
    """Label the spikes of all units.

    Parameters
    ----------
    sorting1 : BaseSorting
        The truth.
    sorting2 : BaseSorting
        What is tested.
    delta_frames : int
        How far apart two spikes may be to coincide, in samples; included.
    unit_map12 : Series of shape (n_units1,)
        The match of each unit of the truth.
    label_misclassification : bool, default False
        Also look for the missed spikes of matched units among the spikes that matched units of
        `sorting2` have too many: those get labels such as "CL_3_7" (of the truth's unit 3, given to
        unit 7), and "CL_7_3" on the other side.

    Returns
    -------
    labels_st1, labels_st2 : dict of unit id to list of ndarray of str
        "TP", "FN" or "CL_…", and "TP", "FP" or "CL_…", for each segment.

    Raises
    ------
    ParameterError
        If the sortings do not fit each other, if `delta_frames` is negative, or if a match is
        unknown.

    Notes
    -----
    Each spike has one partner at most, and there are as many pairs as there can be.
    """
    one, two = check_comparable([sorting1, sorting2])
    delta = check_delta(delta_frames)
    match_12 = positions_of(unit_map12, two.unit_ids)
    is_per_segment = [
        _segment_labels(one, two, k, delta, match_12, finds_other=label_misclassification)
        for k in range(one.get_num_segments())
    ]
    return (
        _by_unit(one, [labels for labels, _ in is_per_segment]),
        _by_unit(two, [labels for _, labels in is_per_segment]),
    )


def _by_unit(sorting: BaseSorting, segments: list[list[NDArray[np.str_]]]) -> Labels:
    return {
        unit_id: [labels[k] for labels in segments]
        for k, unit_id in enumerate(sorting.unit_ids.tolist())
    }


def _segment_labels(
    sorting1: BaseSorting,
    sorting2: BaseSorting,
    segment_index: int,
    delta: int,
    match_12: NDArray[np.int64],
    *,
    finds_other: bool,
) -> tuple[list[NDArray[np.str_]], list[NDArray[np.str_]]]:
    """Return the labels of the units of both sortings in one segment."""
    trains1 = _trains(sorting1, segment_index)
    trains2 = _trains(sorting2, segment_index)
    labels1 = [np.full(train.size, "FN", "<U8") for train in trains1]
    labels2 = [np.full(train.size, "FP", "<U8") for train in trains2]
    for k1, k2 in enumerate(match_12.tolist()):
        if k2 >= 0:
            is_paired1, is_paired2 = paired_spikes(trains1[k1], trains2[k2], delta)
            labels1[k1][is_paired1] = "TP"
            labels2[k2][is_paired2] = "TP"
    if finds_other:
        ids = sorting1.unit_ids.tolist(), sorting2.unit_ids.tolist()
        _label_misclassified(trains1, trains2, labels1, labels2, match_12, delta=delta, ids=ids)
    return labels1, labels2


def _trains(sorting: BaseSorting, segment_index: int) -> list[NDArray[np.int64]]:
    ids = sorting.unit_ids.tolist()
    return [sorting.get_unit_spike_train(unit_id, segment_index) for unit_id in ids]


def paired_spikes(
    train1: NDArray[np.int64], train2: NDArray[np.int64], delta: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which spikes of two trains have a partner in the other one.

    Examples
    --------
    >>> paired_spikes(np.array([10, 20, 40]), np.array([12, 13, 41]), 3)
    (array([ True, False,  True]), array([ True, False,  True]))
    """
    from spikeloom.kernels.coincidences import pair_up  # noqa: PLC0415 - numba is slow to import

    is_paired1, is_paired2 = np.zeros(train1.size, np.bool_), np.zeros(train2.size, np.bool_)
    # Copies: for arrays that are read only the kernel would be compiled once more.
    pair_up(train1.astype(np.int64), train2.astype(np.int64), delta, is_paired1, is_paired2)
    return is_paired1, is_paired2


def _label_misclassified(
    trains1: list[NDArray[np.int64]],
    trains2: list[NDArray[np.int64]],
    labels1: list[NDArray[np.str_]],
    labels2: list[NDArray[np.str_]],
    match_12: NDArray[np.int64],
    *,
    delta: int,
    ids: tuple[list[Any], list[Any]],
) -> None:
    """Give missed spikes to the surplus spikes of matched units at the same time, in order."""
    matched2 = sorted({k2 for k2 in match_12.tolist() if k2 >= 0})
    surplus = {k2: np.flatnonzero(labels2[k2] == "FP") for k2 in matched2}
    is_taken = {k2: np.zeros(surplus[k2].size, bool) for k2 in matched2}
    for k1 in np.flatnonzero(match_12 >= 0).tolist():
        for i in np.flatnonzero(labels1[k1] == "FN").tolist():
            for k2 in matched2:
                times = trains2[k2][surplus[k2]]
                low, high = np.searchsorted(times, trains1[k1][i] + np.array([-delta, delta + 1]))
                free = np.flatnonzero(~is_taken[k2][low:high])
                if free.size:
                    is_taken[k2][low + free[0]] = True
                    spike2 = surplus[k2][low + free[0]]
                    id1, id2 = ids[0][k1], ids[1][k2]
                    labels1[k1] = _with_label(labels1[k1], i, f"CL_{id1}_{id2}")
                    labels2[k2] = _with_label(labels2[k2], spike2, f"CL_{id2}_{id1}")
                    break


def _with_label(labels: NDArray[np.str_], spike: int, label: str) -> NDArray[np.str_]:
    """Set a label, in a wider array if it is too long for this one."""
    if len(label) * 4 > labels.itemsize:
        labels = labels.astype(f"<U{len(label)}")
    labels[spike] = label
    return labels


def compare_spike_trains(
    spiketrain1: ArrayLike, spiketrain2: ArrayLike, delta_frames: int = 10
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Label the spikes of two trains, of which the first is the truth.

    Parameters
    ----------
    spiketrain1, spiketrain2 : array_like of shape (n_spikes,)
        Samples in order.
    delta_frames : int, default 10
        How wide the window around a spike of the first train is, in samples: spikes may be half of
        it apart.

    Returns
    -------
    labels1, labels2 : ndarray of str
        "TP" or "FN", and "TP" or "FP". A spike is compared with the first one in its window only,
        which can be taken once.

    Raises
    ------
    ParameterError
        If `delta_frames` is negative or if samples are not in order.

    Examples
    --------
    >>> compare_spike_trains([10, 20, 40], [12, 13, 41])
    (array(['TP', 'FN', 'TP'], dtype='<U2'), array(['TP', 'FP', 'TP'], dtype='<U2'))
    """
    half = check_delta(delta_frames) // 2
    train1, train2 = samples_in_order(spiketrain1), samples_in_order(spiketrain2)
    labels1, labels2 = np.full(train1.size, "FN"), np.full(train2.size, "FP")
    first = np.searchsorted(train2, train1 - half)
    spikes1 = np.flatnonzero(first < train2.size)
    spikes1 = spikes1[train2[first[spikes1]] <= train1[spikes1] + half]
    taken, where = np.unique(first[spikes1], return_index=True)
    labels1[spikes1[where]] = "TP"
    labels2[taken] = "TP"
    return labels1, labels2
