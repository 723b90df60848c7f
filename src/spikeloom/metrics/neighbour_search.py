"""Squared distances of spikes: as bounds from matrix products, exactly where those leave it open.

Products of single precision are fast, but they round. Bounds have a margin for that, so that what
follows from them is certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.metrics.pc_features import PcFeatures, columns_of, flat, map_units, squared_norms

_N_PAIRS = 1 << 15
"""Pairs whose exact distance is computed at a time."""

_ABOVE_ROUNDING = 1 + 1e-9
"""A sum of squares in double precision times this is not below the exact one."""

_N_CELLS = 1 << 22
"""Entries of a matrix of distances that is made at a time."""

Pair = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.floating], NDArray[np.floating]]
"""Query, point, and lower and upper bound of the squared distance; (n_pairs,) each."""


@dataclass(slots=True, eq=False)
class Room:
    """Memory that is used again and again: fresh memory takes longer than what is done in it."""

    _values: NDArray[Any] = field(default_factory=lambda: np.empty(0))

    def of(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array, of whatever values; that given before is invalid then."""
        n_values = shape[0] * shape[1]
        if self._values.dtype != dtype or self._values.size < n_values:
            self._values = np.empty(n_values, dtype)
        return self._values[:n_values].reshape(shape)


@dataclass(frozen=True, eq=False)
class PointBlock:
    """Spikes of one unit as points that are near others or not, on the channels of another unit."""

    other: int
    """Whose spikes."""
    used: NDArray[np.int64]
    """Which of them; (n_points,)."""
    first: int
    """Number of the first of them among the points of all blocks."""
    columns: NDArray[np.int64]
    """Columns of the features in which they are not zero; (n_columns,)."""
    vectors: NDArray[np.floating]
    """Their features in these; (n_points, n_columns)."""
    rounding: float
    """How far a product may be off, relative to the sum of the squared norms."""
    room: "Room"
    """Where distances are kept, until others are asked for."""

    @cached_property
    def norms(self) -> NDArray[np.float64]:
        """Squared norms; (n_points,)."""
        return squared_norms(self.vectors)

    @cached_property
    def _least_norms(self) -> NDArray[np.floating]:
        return self._least(self.norms)

    def _least(self, norms: NDArray[np.float64]) -> NDArray[np.floating]:
        """Return norms that leave room for what rounding may add to a distance."""
        return (norms * (1 - self.rounding)).astype(self.vectors.dtype)

    def seen_from(
        self,
        queries: NDArray[np.floating],
        norms: NDArray[np.float64],
        radius: NDArray[np.float64],
    ) -> "Bounds":
        """Return lower bounds of the squared distances of queries to the points.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_features)
            On all columns.
        norms : ndarray of shape (n_queries,)
            Their squared norms.
        radius : ndarray of shape (n_queries,)
            Within which squared distance points matter to them.

        Returns
        -------
        Bounds
            Valid until those of another block with the same `room` are asked for.
        """
        from spikeloom.kernels.near_points import fill_bounds  # noqa: PLC0415 - imports numba

        if self.columns.size < queries.shape[1]:
            queries = np.take(queries, self.columns, axis=1)
        squares = self.room.of((len(queries), len(self.vectors)), self.vectors.dtype)
        np.matmul(queries, self.vectors.T, out=squares)
        rounded = rounded_up(radius, squares.dtype)
        nearest = np.empty(squares.shape[1], squares.dtype)
        n_within = np.empty(len(queries), np.int64)
        fill_bounds(squares, self._least(norms), self._least_norms, rounded, nearest, n_within)
        return Bounds(self, squares, norms, rounded, nearest, n_within)

    def width(self, norms: NDArray[np.float64], points: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return by how much the upper bound of pairs is above the lower one at most."""
        width: NDArray[np.float64] = 2 * self.rounding * (norms + self.norms[points])
        return width


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """How near the points of a block are to queries, at least."""

    block: PointBlock
    squares: NDArray[np.floating]
    """Lower bounds of squared distances; (n_queries, n_points)."""
    norms: NDArray[np.float64]
    """Squared norms of the queries; (n_queries,)."""
    radius: NDArray[np.floating]
    """Squared, of the queries; (n_queries,)."""
    nearest: NDArray[np.floating]
    """The least bound of each point; (n_points,)."""
    n_within: NDArray[np.int64]
    """How many points may be within the radius of each query; (n_queries,)."""

    def leave_out(self, queries: NDArray[np.int64], points: NDArray[np.int64]) -> None:
        """Let some pairs be within no radius: queries that are points themselves."""
        is_within = self.squares[queries, points] <= self.radius[queries]
        np.subtract.at(self.n_within, queries[is_within], 1)
        self.squares[queries, points] = np.nan

    def pairs(self, rows: NDArray[np.int64]) -> Pair:
        """Return the pairs that may be within the radius of their query, named `rows`."""
        from spikeloom.kernels.near_points import (  # noqa: PLC0415 - imports numba
            fill_pairs_within,
        )

        n_pairs = int(self.n_within.sum())
        which, points = np.empty(n_pairs, np.int64), np.empty(n_pairs, np.int64)
        fill_pairs_within(self.squares, self.radius, self.n_within, which, points)
        lower = self.squares[which, points]
        upper = lower + self.block.width(self.norms[which], points)
        return rows[which], points + self.block.first, lower, upper


def rounded_up(values: NDArray[np.float64], dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Return the nearest numbers of a type that are not below the given ones.

    Examples
    --------
    >>> rounded_up(np.array([0.1, 0.5]), np.dtype("f4")) >= [0.1, 0.5]
    array([ True,  True])
    """
    rounded: NDArray[np.floating] = values.astype(dtype)
    is_below = rounded < values
    rounded[is_below] = np.nextafter(rounded[is_below], dtype.type(np.inf))
    return rounded


def rounding_of(n_features: int, dtype: np.dtype[np.floating]) -> float:
    """Return how far a bound may be off, relative to the sum of the squared norms.

    The rounding of a sum of n terms is below n u times their absolute sum, which is at most twice
    that of the norms; a little more is for the rounding of what goes in.
    """
    return (2 * n_features + 32) * float(np.finfo(dtype).eps) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of a unit (first) and of its neighbours, by number; laid out when they are needed."""

    features: PcFeatures
    unit: int
    own: NDArray[np.floating]
    blocks: Sequence[PointBlock]

    def vectors(self, numbers: NDArray[np.int64]) -> NDArray[np.floating]:
        """Return the features of points with increasing numbers on the unit's channels."""
        n_own = len(self.own)
        parts = [self.own[numbers[numbers < n_own]]]
        for block in self.blocks:
            begin, end = np.searchsorted(numbers, [block.first, block.first + block.used.size])
            if end > begin:
                spikes = block.used[numbers[begin:end] - block.first]
                parts.append(self.features.on_channels_of(self.unit, block.other, spikes))
        return np.concatenate(parts)

    def squared_distances(
        self,
        queries: NDArray[np.floating],
        rows: NDArray[np.int64],
        numbers: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the exact squared distances of pairs of queries and points."""
        known, which = np.unique(numbers, return_inverse=True)
        return exact_squares(queries, self.vectors(known), rows, which)


@dataclass(slots=True)
class Candidates:
    """Pairs of queries and points that may be near, collected block by block."""

    parts: list[Pair] = field(default_factory=list)

    def count_own(self, points: Points, queries: NDArray[np.floating], k: int) -> int:
        """Count the unit's own spikes among the `k` nearest of all queries; own first if equal.

        A pair whose bounds are the same number is known exactly.
        """
        from spikeloom.kernels.near_points import (  # noqa: PLC0415 - imports numba
            fill_kth_of_pairs,
        )

        if not self.parts:
            return 0
        rows, numbers, lower, upper = map(np.concatenate, zip(*self.parts, strict=True))
        nearest = np.empty((len(queries), k))
        fill_kth_of_pairs(rows, upper, nearest)
        radius = nearest[:, -1]
        is_near = lower <= radius[rows]
        rows, numbers = rows[is_near], numbers[is_near]
        squares = lower[is_near].astype(np.float64)
        is_open = upper[is_near] > lower[is_near]
        squares[is_open] = points.squared_distances(queries, rows[is_open], numbers[is_open])
        is_own = numbers < len(points.own)
        order = np.lexsort((~is_own, squares, rows))
        rank = np.arange(rows.size) - np.searchsorted(rows[order], rows[order])
        return int(np.count_nonzero(is_own[order] & (rank < k)))


class NearestInUnit:
    """The nearest neighbours of spikes within their own unit, on its own channels.

    Parameters
    ----------
    features : PcFeatures
        Projections of sampled spikes.
    n_listed : int
        Neighbours that are kept of each spike.
    """

    def __init__(self, features: PcFeatures, n_listed: int) -> None:
        self._features, self._n_listed = features, n_listed
        self._known: dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}

    def prepare(self, units: Sequence[int]) -> None:
        """Find the neighbours of the spikes of some units, which later calls then share."""
        for unit, known in zip(units, map_units(self._find, units), strict=True):
            self._known[unit] = known

    def radius(self, unit: int, used: NDArray[np.int64], k: int) -> NDArray[np.float64]:
        """Return the squared distance of the k-th used spike of its unit from each used one.

        On fewer channels it is nearer still, so this bounds it for all units' channels. It is inf
        where fewer of the listed neighbours are used.
        """
        nearest, squares = self._known[unit]
        is_there, place = self._first_used(nearest, used, k)
        found = np.full(used.size, np.inf)
        rows = np.flatnonzero(is_there)
        found[rows] = squares[used[rows], place[rows]]
        return found

    def radius_on(self, block: PointBlock, which: NDArray[np.int64], k: int) -> NDArray[np.float64]:
        """Return what `radius` does for some points of a block, on its columns alone."""
        from spikeloom.kernels.near_points import fill_kth_squares  # noqa: PLC0415 - imports numba

        nearest, _ = self._known[block.other]
        place = np.full(len(nearest), -1)
        place[block.used] = np.arange(block.used.size)
        found = np.empty(which.size)
        fill_kth_squares(block.vectors, which, place[nearest[block.used[which]]], k, found)
        # Another order of the sum may round it otherwise.
        return found * _ABOVE_ROUNDING

    def nearest(
        self, unit: int, used: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return the `k` nearest used spikes of each used one: row, place in `used`, distance."""
        nearest, squares = self._known[unit]
        is_there, last = self._first_used(nearest, used, k)
        if is_there.all():
            is_taken = np.zeros(len(nearest), bool)
            is_taken[used] = True
            inside = is_taken[nearest[used]] & (np.arange(nearest.shape[1]) <= last[:, None])
            rows, place = np.nonzero(inside)
            found = np.searchsorted(used, nearest[used[rows], place])
            return rows, found, squares[used[rows], place]
        points = flat(self._features.features[unit])[used].astype(np.float64)
        found, exact = nearest_within(points, k)
        return np.repeat(np.arange(used.size), found.shape[1]), found.ravel(), exact.ravel()

    def _first_used(
        self, nearest: NDArray[np.int64], used: NDArray[np.int64], k: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Tell whether `k` listed neighbours are used, and where the last of them stands."""
        if nearest.shape[1] < k:
            return np.zeros(used.size, bool), np.zeros(used.size, np.int64)
        if used.size == len(nearest):
            return np.ones(used.size, bool), np.full(used.size, k - 1)
        is_used = np.zeros(len(nearest), bool)
        is_used[used] = True
        is_there = np.cumsum(is_used[nearest[used]], axis=1, dtype=np.int16) >= k
        return is_there[:, -1], np.argmax(is_there, axis=1)

    def _find(self, unit: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        points = flat(self._features.features[unit]).astype(np.float64)
        return nearest_within(points, self._n_listed)


def blocks_of(
    features: PcFeatures, unit: int, used: Sequence[NDArray[np.int64]], first: int
) -> list[PointBlock]:
    """Return the spikes of a unit's neighbours as points, numbered from `first` on."""
    n_components = features.features[unit].shape[2]
    n_features = features.channels[unit].size * n_components
    rounding = rounding_of(n_features, features.features[unit].dtype)
    blocks, room = [], Room()
    for other, spikes in zip(features.neighbours[unit].tolist(), used, strict=True):
        in_unit, in_other = features.common(unit, other)
        vectors = flat(_taken(features.features[other], spikes, in_other))
        columns = columns_of(in_unit, n_components)
        blocks.append(PointBlock(other, spikes, first, columns, vectors, rounding, room))
        first += spikes.size
    return blocks


def _taken(
    source: NDArray[np.floating], spikes: NDArray[np.int64], channels: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return some spikes, given in order, on some channels."""
    if spikes.size < len(source):
        source = source[spikes]
    return source if channels.size == source.shape[1] else np.take(source, channels, axis=1)


def nearest_within(
    points: NDArray[np.float64], n_listed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the nearest other points of each, and their exact squared distances, increasing."""
    from spikeloom.kernels.near_points import fill_nearest  # noqa: PLC0415 - imports numba

    n_points = len(points)
    n_listed = min(n_listed, max(n_points - 1, 0))
    nearest, squares = np.empty((n_points, n_listed), np.int64), np.empty((n_points, n_listed))
    norms = squared_norms(points)
    n_rows = max(1, _N_CELLS // max(n_points, 1))
    for begin in range(0, n_points if n_listed else 0, n_rows):
        products = points[begin : begin + n_rows] @ points.T
        fill_nearest(points, norms, products, begin, nearest, squares)
    return nearest, squares


def exact_squares(
    queries: NDArray[np.floating],
    points: NDArray[np.floating],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the squared distances of pairs, from differences in double precision."""
    squares = np.empty(rows.size)
    for begin in range(0, rows.size, _N_PAIRS):
        some = slice(begin, begin + _N_PAIRS)
        difference = queries[rows[some]].astype(np.float64) - points[columns[some]]
        squares[some] = squared_norms(difference)
    return squares
