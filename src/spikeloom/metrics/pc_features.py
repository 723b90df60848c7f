"""Projections of spikes on principal components, unit by unit, as metrics of isolation want them.

A unit is compared with its neighbours: the units whose main channel is among its own channels. The
features of all of them are taken on its channels; where a neighbour was not projected (a channel
that is not its own) they are zero.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.engine.executor import map_items
from spikeloom.engine.thread_limits import limit_threads, release_threads
from spikeloom.errors import DataError, ParameterError

R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class ClassMoments:
    """Count, mean and scatter of a group of spikes."""

    n_spikes: int
    """How many they are."""
    mean: NDArray[np.float64]
    """(n_features,)."""
    scatter: NDArray[np.float64]
    """Sum of the outer products of the deviations from the mean; (n_features, n_features)."""


class Moments:
    """Moments of units, computed when they are first asked for.

    Parameters
    ----------
    features : list of ndarray
        As in `PcFeatures`.
    """

    def __init__(self, features: list[NDArray[np.floating]]) -> None:
        self._features = features
        self._known: dict[int, ClassMoments] = {}

    def __getitem__(self, unit: int) -> ClassMoments:
        """Return the moments of a unit."""
        known = self._known.get(unit)
        if known is None:
            known = self._known[unit] = _moments_of(flat(self._features[unit]))
        return known


@dataclass(frozen=True, eq=False)
class PcFeatures:
    """Projections of sampled spikes, grouped by unit; made by `pc_features`."""

    features: list[NDArray[np.floating]]
    """Of each unit: (n_spikes, n_channels_of_unit, n_components)."""
    rows: list[NDArray[np.int64]]
    """Of each unit: which rows of the projections its spikes were; (n_spikes,), increasing."""
    channels: list[NDArray[np.int64]]
    """Channels of each unit, increasing; (n_channels_of_unit,)."""
    neighbours: list[NDArray[np.int64]]
    """Units that each unit is compared with, increasing, itself not among them."""

    _common: dict[tuple[int, int], tuple[NDArray[np.int64], NDArray[np.int64]]] = field(
        default_factory=dict, repr=False
    )

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.features)

    @cached_property
    def moments(self) -> "Moments":
        """Moments of each unit on its own channels."""
        return Moments(self.features)

    def know_moments(self, units: Sequence[int]) -> None:
        """Compute the moments of some units and their neighbours, before threads ask for them."""
        near = {other for unit in units for other in self.neighbours[unit].tolist()}
        map_units(self.moments.__getitem__, sorted(near.union(units)))

    def common(self, unit: int, other: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the channels of both stand among the channels of each."""
        if other == unit:
            both = np.arange(self.channels[unit].size)
            return both, both
        known = self._common.get((unit, other))
        if known is None:
            _, in_unit, in_other = np.intersect1d(
                self.channels[unit], self.channels[other], assume_unique=True, return_indices=True
            )
            known = self._common[unit, other] = in_unit, in_other
        return known

    def on_channels_of(
        self, unit: int, other: int, spikes: NDArray[np.int64] | None = None
    ) -> NDArray[np.floating]:
        """Return the features of a unit's spikes on another unit's channels.

        Parameters
        ----------
        unit : int
            Whose channels.
        other : int
            Whose spikes.
        spikes : ndarray of shape (n_spikes,), optional
            Which of them; all by default.

        Returns
        -------
        ndarray of shape (n_spikes, n_features)
        """
        source = self.features[other] if spikes is None else self.features[other][spikes]
        if other == unit:
            return flat(source)
        in_unit, in_other = self.common(unit, other)
        placed = np.zeros((len(source), self.channels[unit].size, source.shape[2]), source.dtype)
        placed[:, in_unit] = source[:, in_other]
        return flat(placed)

    def moments_on_channels_of(self, unit: int, other: int) -> ClassMoments:
        """Return the moments of `on_channels_of`, from those on the other's own channels."""
        known = self.moments[other]
        if other == unit:
            return known
        n_components = self.features[other].shape[2]
        in_unit, in_other = (columns_of(each, n_components) for each in self.common(unit, other))
        n_features = self.channels[unit].size * n_components
        mean, scatter = np.zeros(n_features), np.zeros((n_features, n_features))
        mean[in_unit] = known.mean[in_other]
        scatter[np.ix_(in_unit, in_unit)] = known.scatter[np.ix_(in_other, in_other)]
        return ClassMoments(known.n_spikes, mean, scatter)


def pc_features(
    projections: ArrayLike,
    unit_index: ArrayLike,
    n_units: int,
    *,
    main_channels: ArrayLike | None = None,
    sparsity_mask: ArrayLike | None = None,
    is_packed: bool = False,
) -> PcFeatures:
    """Group projections by unit, and find the neighbours of each.

    Parameters
    ----------
    projections : array_like of shape (n_spikes, n_components, n_channels) or (n_spikes, n_features)
        Of sampled spikes, in order of time.
    unit_index : array_like of shape (n_spikes,)
        Unit of each spike, as its position among all.
    n_units : int
        Number of units, also of those without spikes.
    main_channels : array_like of shape (n_units,), optional
        Position of each unit's main channel; needed with a mask.
    sparsity_mask : array_like of shape (n_units, n_channels), optional
        Which channels each unit is on; all, if there is none.
    is_packed : bool, default False
        The last axis lists each unit's own channels only, one after the other, in place of all.

    Returns
    -------
    PcFeatures

    Raises
    ------
    DataError
        If shapes do not fit each other.
    ParameterError
        If there is a mask, but no main channels.

    Examples
    --------
    >>> projections = np.arange(12.0).reshape(3, 2, 2)
    >>> features = pc_features(
    ...     projections, [0, 1, 0], 2, main_channels=[0, 1], sparsity_mask=[[1, 0], [1, 1]]
    ... )
    >>> features.on_channels_of(0, 1), features.neighbours
    (array([[4., 6.]]), [array([], dtype=int64), array([0])])
    """
    array, units = np.asarray(projections), np.asarray(unit_index, np.int64)
    if len(array) != units.size or array.ndim not in {2, 3}:
        msg = (
            f"Projections have the shape (n_spikes, n_components, n_channels); got {array.shape} "
            f"for {units.size} spikes."
        )
        raise DataError(msg)
    everyone = np.arange(n_units)
    if array.ndim == 2:
        # Components of all channels together: one channel, so to speak.
        array = array[:, :, None]
        channels = [np.zeros(1, np.int64)] * n_units
    elif sparsity_mask is None:
        channels = [np.arange(array.shape[2])] * n_units
    else:
        mask = np.asarray(sparsity_mask, bool)
        if not is_packed and mask.shape != (n_units, array.shape[2]):
            msg = (
                f"The mask of {n_units} units and {array.shape[2]} channels has another shape: "
                f"{mask.shape}."
            )
            raise DataError(msg)
        channels = [np.flatnonzero(row) for row in mask]
    neighbours = [everyone[everyone != unit] for unit in range(n_units)]
    if sparsity_mask is not None:
        if main_channels is None:
            msg = "With a sparsity mask, main_channels are needed to find a unit's neighbours."
            raise ParameterError(msg)
        is_near = np.asarray(sparsity_mask, bool)[:, np.asarray(main_channels, np.int64)]
        neighbours = [near[near != unit] for unit, near in enumerate(map(np.flatnonzero, is_near))]
    order = np.argsort(units, kind="stable")
    bounds = np.searchsorted(units[order], np.arange(n_units + 1))
    rows = [order[begin:end] for begin, end in pairwise(bounds)]
    features = [
        _taken(array, rows[unit], channels[unit], is_packed=is_packed) for unit in range(n_units)
    ]
    return PcFeatures(features, rows, channels, neighbours)


def _taken(
    array: NDArray[np.floating],
    rows: NDArray[np.int64],
    channels: NDArray[np.int64],
    *,
    is_packed: bool,
) -> NDArray[np.floating]:
    """Return some spikes on some channels, components last; (n_rows, n_channels, n_components)."""
    taken = array[rows]
    taken = taken[:, :, : channels.size] if is_packed else taken[:, :, channels]
    return np.ascontiguousarray(taken.swapaxes(1, 2))


def flat(features: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return features in one row for each spike; a view."""
    return features.reshape(len(features), features.shape[1] * features.shape[2])


def columns_of(channels: NDArray[np.int64], n_components: int) -> NDArray[np.int64]:
    """Return which columns of flat features are of some channels, given by position.

    Examples
    --------
    >>> columns_of(np.array([0, 2]), 2)
    array([0, 1, 4, 5])
    """
    columns: NDArray[np.int64] = channels[:, None] * n_components + np.arange(n_components)
    return columns.ravel()


def squared_norms(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the squared norms of vectors in double precision; (n_vectors,)."""
    norms: NDArray[np.float64] = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    return norms


def map_units(work: Callable[[int], R], units: Sequence[int]) -> list[R]:
    """Call `work` for each of some units, on several threads; results are in order.

    Linear algebra uses one thread meanwhile: its own threads would get into each other's way.
    """
    limit_threads(1)
    try:
        return map_items(work, units)
    finally:
        release_threads(1)


def pooled(moments: Sequence[ClassMoments]) -> ClassMoments:
    """Return the moments of all spikes of several groups together.

    Examples
    --------
    >>> one = ClassMoments(1, np.array([1.0]), np.array([[0.0]]))
    >>> other = ClassMoments(3, np.array([5.0]), np.array([[2.0]]))
    >>> pooled([one, other])
    ClassMoments(n_spikes=4, mean=array([4.]), scatter=array([[14.]]))
    """
    counts = np.array([one.n_spikes for one in moments])
    means = np.array([one.mean for one in moments])
    n_spikes = int(counts.sum())
    mean = (counts @ means) / max(n_spikes, 1)
    weighted = (means - mean) * np.sqrt(counts)[:, None]
    scatter = weighted.T @ weighted
    for one in moments:
        scatter += one.scatter
    return ClassMoments(n_spikes, mean, scatter)


def _moments_of(features: NDArray[np.floating]) -> ClassMoments:
    values = features.astype(np.float64)
    if not len(values):
        n_features = values.shape[1]
        return ClassMoments(0, np.zeros(n_features), np.zeros((n_features, n_features)))
    mean = values.mean(axis=0)
    values -= mean
    return ClassMoments(len(values), mean, values.T @ values)
