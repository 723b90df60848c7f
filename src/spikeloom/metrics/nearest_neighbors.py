"""Of which unit the nearest neighbours of spikes are, in the space of principal components.

All distances between the spikes of a unit and of its neighbours would be needed only to learn that
most spikes are nearest to spikes of their own unit. A spike that has k spikes of any other unit
nearer than the nearest spike of the unit in question does not count for it. So distances to the
unit are bounded by matrix products, others only for the spikes that this leaves open, and exact
distances are computed where bounds do not decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.neighbour_search import (
    Bounds,
    Candidates,
    NearestInUnit,
    Pair,
    Points,
    blocks_of,
)
from spikeloom.metrics.pc_features import PcFeatures, flat, map_units, squared_norms

_N_LISTED_MAX = 64
"""Neighbours within its own unit that are kept of a spike."""


class NearestNeighbors(NamedTuple):
    """What `nearest_neighbors` returns."""

    nn_hit_rate: NDArray[np.float64]
    """Which part of the neighbours of the unit's spikes are of the unit; (n_units,)."""
    nn_miss_rate: NDArray[np.float64]
    """Which part of the neighbours of other spikes are of the unit; (n_units,)."""


def nearest_neighbors(
    features: PcFeatures,
    *,
    max_spikes: int = 10000,
    n_neighbors: int = 5,
    units: Iterable[int] | None = None,
) -> NearestNeighbors:
    r"""Return how often the nearest neighbours of spikes are spikes of the unit.

    .. math:: hit = \frac{1}{k |A|} \sum_{x \in A} \sum_{j=1}^k [\rho_j(x) \in A], \quad
              miss = \frac{1}{k |B|} \sum_{x \in B} \sum_{j=1}^k [\rho_j(x) \in A]

    for the spikes A of a unit, those of its neighbours B, and the j-th nearest spike
    :math:`\rho_j(x)` of x among all of them, by Euclidean distance.

    Parameters
    ----------
    features : PcFeatures
        Projections of sampled spikes.
    max_spikes : int, default 10000
        If unit and neighbours have more spikes, only so many of them are used, evenly spaced.
    n_neighbors : int, default 5
        Number of neighbours k.
    units : iterable of int, optional
        Positions of the units to compute; all by default. The others get NaN.

    Returns
    -------
    NearestNeighbors
        ``nn_hit_rate`` (1 is good) and ``nn_miss_rate`` (0 is good), from 0 to 1, no unit. 1 and 0
        for a unit without neighbours; NaN for one without spikes, or if there are no more
        spikes than `n_neighbors`.

    Raises
    ------
    ParameterError
        If `n_neighbors` or `max_spikes` is below 1.

    References
    ----------
    Chung et al. 2017, A fully automated approach to spike sorting, Neuron 95(6), 1381-1394.

    Examples
    --------
    >>> from spikeloom.metrics.pc_features import pc_features
    >>> rng = np.random.default_rng(0)
    >>> points = rng.normal(size=(400, 2))
    >>> points[200:] += 20
    >>> nearest_neighbors(pc_features(points, np.repeat([0, 1], 200), 2))
    NearestNeighbors(nn_hit_rate=array([1., 1.]), nn_miss_rate=array([0., 0.]))
    """
    if n_neighbors < 1 or max_spikes < 1:
        msg = (
            f"n_neighbors and max_spikes have to be at least 1; got {n_neighbors} and {max_spikes}."
        )
        raise ParameterError(msg)
    chosen = list(range(features.n_units) if units is None else units)
    samples = {unit: _Sample.of(features, unit, max_spikes) for unit in chosen}
    least = min((one.part for one in samples.values()), default=1.0)
    # So many that the used ones among them are enough, most of the time.
    listed = NearestInUnit(features, min(int(1.6 * n_neighbors / least) + 2, _N_LISTED_MAX))
    listed.prepare(sorted({*chosen, *(n for unit in chosen for n in features.neighbours[unit])}))

    def rates_of(unit: int) -> tuple[float, float]:
        sample = samples[unit]
        if not sample.others.size and len(features.rows[unit]):
            return 1.0, 0.0
        if sample.own.size and sample.own.size + sample.others.size > n_neighbors:
            return _rates(features, unit, sample, listed, n_neighbors)
        return np.nan, np.nan

    rates = np.full((2, features.n_units), np.nan)
    if chosen:
        rates[:, chosen] = np.transpose(map_units(rates_of, chosen))
    return NearestNeighbors(*rates)


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Spikes of a unit and its neighbours that are used."""

    own: NDArray[np.int64]
    """Which of the unit's spikes."""
    others: NDArray[np.int64]
    """Which of the neighbours' spikes, counted unit by unit."""
    part: float
    """Which part of all."""

    @classmethod
    def of(cls, features: PcFeatures, unit: int, max_spikes: int) -> "_Sample":
        rows = [features.rows[other] for other in features.neighbours[unit]]
        of_others = np.concatenate([np.zeros(0, np.int64), *rows])
        n_own, n_all = len(features.rows[unit]), len(features.rows[unit]) + of_others.size
        part = max_spikes / max(n_all, 1)
        if part >= 1:
            return cls(np.arange(n_own), np.arange(of_others.size), 1.0)
        # Own spikes first, then all others in order of time.
        chosen = np.arange(0, n_all - 1, 1 / part).astype(np.int64)
        is_chosen = np.zeros(n_all, bool)
        is_chosen[chosen] = True
        in_time = np.empty(of_others.size, np.int64)
        in_time[np.argsort(of_others, kind="stable")] = np.arange(of_others.size)
        others = np.flatnonzero(is_chosen[n_own:][in_time])
        return cls(np.flatnonzero(is_chosen[:n_own]), others, part)

    def by_neighbour(self, features: PcFeatures, unit: int) -> list[NDArray[np.int64]]:
        """Return which spikes of each neighbour are used."""
        n_spikes = [len(features.rows[other]) for other in features.neighbours[unit]]
        ends = np.cumsum(n_spikes)
        parts = np.split(self.others, np.searchsorted(self.others, ends[:-1]))
        return [part - begin for part, begin in zip(parts, ends - n_spikes, strict=True)]


def _rates(
    features: PcFeatures, unit: int, sample: _Sample, listed: NearestInUnit, k: int
) -> tuple[float, float]:
    own = flat(features.features[unit])[sample.own]
    blocks = blocks_of(features, unit, sample.by_neighbour(features, unit), len(own))
    points = Points(features, unit, own, blocks)
    norms = squared_norms(own)
    rows, numbers, squares = listed.nearest(unit, sample.own, k)
    radius = np.full(len(own), np.inf)
    if rows.size == len(own) * k:
        radius = squares.reshape(len(own), k).max(axis=1)
    hits = Candidates([(rows, numbers, squares, squares)])
    queries = _Queries(own_norms=norms)
    for block in blocks:
        if not block.used.size:
            continue
        bounds = block.seen_from(own, norms, radius)
        hits.parts.append(bounds.pairs(np.arange(len(own))))
        which = np.flatnonzero(bounds.nearest <= listed.radius(block.other, block.used, k))
        to_kth = listed.radius_on(block, which, k)
        is_open = bounds.nearest[which] <= to_kth
        if is_open.any():
            queries.add(points, bounds, which[is_open], to_kth[is_open])
    n_hits = hits.count_own(points, own, k)
    n_misses = queries.count_own(points, k)
    return n_hits / (len(own) * k), n_misses / (sample.others.size * k)


@dataclass(slots=True)
class _Queries:
    """Spikes of neighbours that may have spikes of the unit among their nearest ones."""

    own_norms: NDArray[np.float64]
    """Squared norms of the unit's spikes."""
    vectors: list[NDArray[np.floating]] = field(default_factory=list)
    norms: list[NDArray[np.float64]] = field(default_factory=list)
    whose: list[NDArray[np.int64]] = field(default_factory=list)
    places: list[NDArray[np.int64]] = field(default_factory=list)
    """Where they are in the block of their unit."""
    nearest_own: list[NDArray[np.floating]] = field(default_factory=list)
    """Lower bound of the squared distance to the unit's nearest spike."""
    radius: list[NDArray[np.float64]] = field(default_factory=list)
    """Upper bound of that to the k-th nearest of all."""
    pairs: list[Pair] = field(default_factory=list)
    n_queries: int = 0

    def add(
        self,
        points: Points,
        bounds: Bounds,
        which: NDArray[np.int64],
        radius: NDArray[np.float64],
    ) -> None:
        """Add points of a block, with their distances to the unit's spikes."""
        block = bounds.block
        norms = block.norms[which]
        rows = self.n_queries + np.arange(which.size)
        own_number, column = np.nonzero(bounds.squares[:, which] <= radius)
        lower = bounds.squares[own_number, which[column]]
        upper = lower + 2 * block.rounding * (norms[column] + self.own_norms[own_number])
        self.pairs.append((rows[column], own_number, lower, upper))
        self.n_queries += which.size
        channels_of = points.features.on_channels_of
        self.vectors.append(channels_of(points.unit, block.other, block.used[which]))
        self.norms.append(norms)
        self.whose.append(np.full(which.size, block.other))
        self.places.append(which)
        self.nearest_own.append(bounds.nearest[which])
        self.radius.append(radius)

    def count_own(self, points: Points, k: int) -> int:
        """Count the unit's spikes among the `k` nearest of all queries."""
        if not self.n_queries:
            return 0
        every = np.concatenate(self.vectors)
        norms, radius = np.concatenate(self.norms), np.concatenate(self.radius)
        whose, nearest_own = np.concatenate(self.whose), np.concatenate(self.nearest_own)
        places = np.concatenate(self.places)
        pairs = list(self.pairs)
        # How many spikes are nearer than that of the unit, for sure.
        n_nearer = np.zeros(self.n_queries, np.int64)
        # Units that many queries are of decide most, so they come first.
        n_queries = np.bincount(whose, minlength=points.features.n_units)
        for block in sorted(points.blocks, key=lambda one: -int(n_queries[one.other])):
            rows = np.flatnonzero(n_nearer < k)
            if not (rows.size and block.used.size):
                continue
            bounds = block.seen_from(every[rows], norms[rows], radius[rows])
            own = np.flatnonzero(whose[rows] == block.other)
            bounds.leave_out(own, places[rows[own]])
            found = bounds.pairs(rows)
            pairs.append(found)
            is_nearer = found[3] < nearest_own[found[0]]
            n_nearer += np.bincount(found[0][is_nearer], minlength=self.n_queries)
        # Of the others it is decided that none of their nearest is of the unit.
        is_open = n_nearer < k
        new_row = np.cumsum(is_open) - 1
        renamed: list[Pair] = []
        for rows, numbers, lower, upper in pairs:
            kept = is_open[rows]
            renamed.append((new_row[rows[kept]], numbers[kept], lower[kept], upper[kept]))
        return Candidates(renamed).count_own(points, every[is_open], k)
