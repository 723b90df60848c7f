"""Collisions: spikes of two true units so close that sorters may miss one of them."""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.comparison.alternations import make_matching_events
from spikeloom.comparison.coincidences import check_delta, delta_in_samples
from spikeloom.comparison.ground_truth import GroundTruthComparison
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.sorting_matching import only_segment_of
from spikeloom.errors import ParameterError


def make_collision_events(
    sorting: BaseSorting, delta: int, progress_bar: bool = False
) -> NDArray[np.void]:
    """Return the collisions of all pairs of units.

    Parameters
    ----------
    sorting : BaseSorting
        A sorting of one segment.
    delta : int
        How far apart colliding spikes may be, in samples; included.
    progress_bar : bool, default False
        Taken for compatibility; it is too quick for one.

    Returns
    -------
    ndarray of shape (n_collisions,)
        With the fields index1, unit_id1, unit_index1, index2, unit_id2, unit_index2 and
        delta_frame: positions of two spikes in the trains of their units, and how much later the
        second is in samples. In order of pairs of units, then of spikes.

    Raises
    ------
    ParameterError
        If there are several segments or `delta` is negative.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [100, 200], "b": [195]}, 30000.0)
    >>> make_collision_events(sorting, 10).tolist()
    [(1, 'a', 0, 0, 'b', 1, -5)]
    """
    del progress_bar
    only_segment_of(sorting, "make_collision_events")
    check_delta(delta)
    ids = sorting.unit_ids
    trains = [sorting.get_unit_spike_train(unit_id) for unit_id in ids.tolist()]
    dtype = np.dtype([
        ("index1", np.int64),
        ("unit_id1", ids.dtype),
        ("unit_index1", np.int64),
        ("index2", np.int64),
        ("unit_id2", ids.dtype),
        ("unit_index2", np.int64),
        ("delta_frame", np.int64),
    ])
    collisions = [np.zeros(0, dtype)]
    for k1, k2 in combinations(range(ids.size), 2):
        events = make_matching_events(trains[k1], trains[k2], delta)
        of_pair = np.empty(events.size, dtype)
        for name in ("index1", "index2", "delta_frame"):
            of_pair[name] = events[name]
        of_pair["unit_index1"], of_pair["unit_index2"] = k1, k2
        of_pair["unit_id1"], of_pair["unit_id2"] = ids[k1], ids[k2]
        collisions.append(of_pair)
    return np.concatenate(collisions)


class CollisionGTComparison(GroundTruthComparison):
    """A comparison with the truth that looks at collisions: how many such spikes were found.

    Parameters
    ----------
    gt_sorting : BaseSorting
        The truth, of one segment.
    tested_sorting : BaseSorting
        A sorting of the same recording.
    collision_lag : float, default 2.0
        How far apart colliding spikes may be, in ms.
    nbins : int, default 11
        Number of bins from ``-collision_lag`` to ``collision_lag``.
    progress_bar : bool, default True
        Taken for compatibility; it is too quick for one.
    **kwargs
        As for `compare_sorter_to_ground_truth`.

    Raises
    ------
    ParameterError
        If there are several segments, or for an argument that is not allowed.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> truth = NumpySorting.from_unit_dict({0: [100, 200], 1: [195, 300]}, 30000.0)
    >>> tested = NumpySorting.from_unit_dict({0: [100, 200], 1: [300]}, 30000.0)
    >>> comparison = CollisionGTComparison(truth, tested, nbins=1)
    >>> comparison.all_tp[0, 1], comparison.all_fn[1, 0]
    (array([1]), array([1]))
    """

    def __init__(
        self,
        gt_sorting: BaseSorting,
        tested_sorting: BaseSorting,
        collision_lag: float = 2.0,
        nbins: int = 11,
        progress_bar: bool = True,
        **kwargs: Any,
    ) -> None:
        del progress_bar
        if nbins < 1:
            msg = f"nbins is 1 or more; got {nbins}."
            raise ParameterError(msg)
        super().__init__(gt_sorting, tested_sorting, **{**kwargs, "compute_labels": True})
        only_segment_of(self.sorting1, "CollisionGTComparison")
        self.collision_lag = collision_lag
        self.nbins = nbins
        delta = delta_in_samples(collision_lag, self.sampling_frequency)
        self.collision_events = make_collision_events(self.sorting1, delta)
        self.bins = np.linspace(-delta, delta, nbins + 1)
        """Edges of the bins, in samples."""
        n_units = len(self.unit1_ids)
        self.all_tp = np.zeros((n_units, n_units, nbins), np.int64)
        """Colliding spikes of the first unit that were found, by pair of units and bin."""
        self.all_fn = np.zeros((n_units, n_units, nbins), np.int64)
        """Colliding spikes of the first unit that were missed, by pair of units and bin."""
        self._count_collisions()

    def _count_collisions(self) -> None:
        """Count both spikes of each collision: each with the lag of the other."""
        events = self.collision_events
        is_found = [self._labels[0][unit_id][0] == "TP" for unit_id in self.unit1_ids.tolist()]
        offsets = np.cumsum([0, *(one.size for one in is_found)])[:-1]
        is_found_flat = np.concatenate([np.zeros(0, bool), *is_found])
        for one, two, sign in (("1", "2", 1), ("2", "1", -1)):
            unit, other = events[f"unit_index{one}"], events[f"unit_index{two}"]
            bin_index = self._bins_of(sign * events["delta_frame"])
            found = is_found_flat[offsets[unit] + events[f"index{one}"]] if unit.size else unit > 0
            for counts, chosen in ((self.all_tp, found), (self.all_fn, ~found)):
                np.add.at(counts, (unit[chosen], other[chosen], bin_index[chosen]), 1)

    def _bins_of(self, lags: NDArray[np.int64]) -> NDArray[np.int64]:
        width = self.bins[1] - self.bins[0]
        if width == 0:
            return np.zeros(lags.size, np.int64)
        bins = np.floor((lags - self.bins[0]) / width).astype(np.int64)
        clipped: NDArray[np.int64] = np.clip(bins, 0, self.nbins - 1)
        return clipped

    def compute_collision_by_similarity(
        self,
        similarity_matrix: ArrayLike,
        unit_ids: ArrayLike | None = None,
        good_only: bool = False,
        min_accuracy: float = 0.9,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
        """Return how many colliding spikes were found, by how similar the templates are.

        Parameters
        ----------
        similarity_matrix : array_like of shape (n_units, n_units)
            Similarity of the templates, in the order of `unit_ids`.
        unit_ids : array_like of shape (n_units,), optional
            The true units to look at; all by default.
        good_only : bool, default False
            Leave out pairs with a unit that was not found well.
        min_accuracy : float, default 0.9
            What is well.

        Returns
        -------
        similarities : ndarray of shape (n_pairs,)
            Increasing; each pair of units is there twice, either one first.
        recall_scores : ndarray of shape (n_pairs, nbins)
            Recall of the spikes of the first unit; NaN without collisions.
        pair_names : ndarray of shape (n_pairs,)
            Both unit ids, the first one first.

        Raises
        ------
        ParameterError
            If a unit is unknown.
        """
        similarity = np.asarray(similarity_matrix)
        ids = self.unit1_ids if unit_ids is None else np.asarray(unit_ids)
        positions = [self.sorting1.id_to_index(unit_id) for unit_id in ids.tolist()]
        accuracy = self.get_performance()["accuracy"].to_numpy()[positions]
        found = self.all_tp.astype(np.float64)
        n_collisions = self.all_tp + self.all_fn
        recall = np.full(found.shape, np.nan)
        np.divide(found, n_collisions, out=recall, where=n_collisions > 0)
        is_left_out = accuracy < min_accuracy if good_only else np.zeros(ids.size, bool)
        rows, similarities, names = [], [], []
        for r, c in combinations(range(ids.size), 2):
            if not (is_left_out[r] or is_left_out[c]):
                rows += [recall[positions[r], positions[c]], recall[positions[c], positions[r]]]
                similarities += [similarity[r, c]] * 2
                names += [f"{ids[r]} {ids[c]}", f"{ids[c]} {ids[r]}"]
        order = np.argsort(similarities, kind="stable")
        recall_scores = np.array(rows, np.float64).reshape(-1, self.nbins)[order]
        return (
            np.array(similarities, np.float64)[order],
            recall_scores,
            np.array(names, np.str_)[order],
        )
