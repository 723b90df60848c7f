"""How well a unit is separated from its neighbours in the space of principal components.

Distances are those of Mahalanobis, of a linear discriminant, or to the centres of other units. All
but the first follow from the means and scatters of the units, without a look at single spikes.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.metrics.pc_features import (
    ClassMoments,
    PcFeatures,
    columns_of,
    flat,
    map_units,
    pooled,
    squared_norms,
)

_RANK_TOLERANCE = 1e-8
"""Directions whose variance is this part of a typical feature's carry no information."""

_NEGLIGIBLE = 1e-20
"""Parts of a sum that are smaller than its rounding."""

_N_PAIRS = 1 << 22
"""Distances that are kept at a time."""


class Mahalanobis(NamedTuple):
    """What `mahalanobis` returns."""

    isolation_distance: NDArray[np.float64]
    """Squared distance within which as many other spikes are as the unit has; (n_units,)."""
    l_ratio: NDArray[np.float64]
    """How many other spikes may belong to the unit, relative to its own; (n_units,)."""


def mahalanobis(features: PcFeatures, *, units: Iterable[int] | None = None) -> Mahalanobis:
    r"""Return isolation distance and L-ratio, by each unit's Mahalanobis distance to other spikes.

    With :math:`D^2(x) = (x - \bar x)^T \Sigma^{-1} (x - \bar x)` for the mean and the covariance
    of the n spikes of a unit, the isolation distance is the n-th smallest of the :math:`D^2` of
    its neighbours' spikes (or the largest, if those are fewer), and

    .. math:: L_{ratio} = \frac 1 n \sum_{x \notin unit} 1 - F_{\chi^2_d}(D^2(x))

    in d dimensions.

    Parameters
    ----------
    features : PcFeatures
        Projections of sampled spikes.
    units : iterable of int, optional
        Positions of the units to compute; all by default. The others get NaN.

    Returns
    -------
    Mahalanobis
        ``isolation_distance`` (from 0 up, high is good) and ``l_ratio`` (from 0, good, up), both
        without a unit. NaN where a unit has no more spikes than dimensions or its covariance is
        singular otherwise, and without two other spikes.

    References
    ----------
    Schmitzer-Torbert et al. 2005, Quantitative measures of cluster quality for use in extracellular
    recordings, Neuroscience 131(1), 1-11.

    Examples
    --------
    >>> from spikeloom.metrics.pc_features import pc_features
    >>> rng = np.random.default_rng(0)
    >>> points = rng.normal(size=(400, 2))
    >>> points[200:] += 8
    >>> found = mahalanobis(pc_features(points, np.repeat([0, 1], 200), 2))
    >>> bool(found.isolation_distance[0] > 100), bool(found.l_ratio[0] < 1e-6)
    (True, True)
    """
    results = np.full((2, features.n_units), np.nan)
    chosen = list(_chosen(features, units))
    if chosen:
        features.know_moments(chosen)
        found = map_units(lambda unit: _mahalanobis_of(features, unit), chosen)
        results[:, chosen] = np.transpose(found)
    return Mahalanobis(*results)


def _mahalanobis_of(features: PcFeatures, unit: int) -> tuple[float, float]:
    from scipy.special import chdtrc, chdtri  # noqa: PLC0415 - scipy is slow to import

    own = features.moments[unit]
    n_features = own.mean.size
    whitening = _whitening(own)
    if whitening is None:
        return np.nan, np.nan
    others = features.neighbours[unit].tolist()
    bounds = [_bounds_of(features, unit, other, own.mean, whitening) for other in others]
    lower, upper = np.concatenate([np.zeros((2, 0)), *bounds], axis=1)
    n_near = min(own.n_spikes, lower.size)
    if n_near < 2:
        return np.nan, np.nan

    def limit_of(nearest: float) -> float:
        # What is so far away that all of it together does not change the sum is left out.
        largest = chdtrc(n_features, nearest)
        return float(chdtri(n_features, largest * _NEGLIGIBLE / lower.size)) if largest > 0 else 0.0

    farthest = max(np.partition(upper, n_near - 1)[n_near - 1], limit_of(upper.min()))
    ends = np.cumsum([one.shape[1] for one in bounds])[:-1]
    distances = np.concatenate([
        _distances_of(features, unit, other, own.mean, whitening, np.flatnonzero(one <= farthest))
        for other, one in zip(others, np.split(lower, ends), strict=True)
    ])
    isolation_distance = np.partition(distances, n_near - 1)[n_near - 1]
    limit = limit_of(distances.min())
    l_ratio = chdtrc(n_features, distances[distances <= limit]).sum() / own.n_spikes
    return float(isolation_distance), float(l_ratio)


def _bounds_of(
    features: PcFeatures,
    unit: int,
    other: int,
    mean: NDArray[np.float64],
    whitening: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return bounds of the squared distances of a neighbour's spikes to a unit; (2, n_spikes).

    Products of single precision are quick, and off by less than is added here.
    """
    in_unit, in_other = features.common(unit, other)
    source = features.features[other]
    if in_other.size < source.shape[1]:
        source = np.take(source, in_other, axis=1)
    vectors = flat(source)
    weights = whitening[columns_of(in_unit, source.shape[2])]
    centre = mean @ whitening
    # What does not fit into single precision has no bounds, and is computed exactly.
    with np.errstate(over="ignore", invalid="ignore"):
        single = vectors.astype(np.float32, copy=False) @ weights.astype(np.float32)
        single -= centre.astype(np.float32)
        distances = np.sqrt(squared_norms(single))
        sizes = np.sqrt(squared_norms(vectors)) * np.linalg.norm(weights) + np.linalg.norm(centre)
        # As of any sum of products, relative to what goes in; and of what is taken away.
        rounding = (2 * len(weights) + 32) * float(np.finfo(np.float32).eps) / 2
        error = rounding * (sizes + distances)
        lower, upper = np.fmax(distances - error, 0.0), distances + error
    upper[np.isnan(upper)] = np.inf
    bounds: NDArray[np.float64] = np.square(np.stack([lower, upper]))
    return bounds


def _distances_of(
    features: PcFeatures,
    unit: int,
    other: int,
    mean: NDArray[np.float64],
    whitening: NDArray[np.float64],
    spikes: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the squared distances of some of a neighbour's spikes to a unit."""
    in_unit, in_other = features.common(unit, other)
    source = features.features[other][spikes]
    columns = columns_of(in_unit, source.shape[2])
    # Where the other was not projected its features are zero.
    vectors = flat(source[:, in_other]).astype(np.float64) @ whitening[columns]
    return squared_norms(vectors - mean @ whitening)


def _whitening(moments: ClassMoments) -> NDArray[np.float64] | None:
    """Return what features have to be multiplied with to have no covariance; None if singular."""
    from scipy.linalg import LinAlgError, lapack  # noqa: PLC0415 - scipy is slow to import

    n_features = moments.mean.size
    if moments.n_spikes <= n_features or not n_features:
        return None
    deviations = np.sqrt(np.diag(moments.scatter) / (moments.n_spikes - 1))
    if not (np.isfinite(deviations).all() and deviations.min() > 0):
        return None
    correlation = moments.scatter / (moments.n_spikes - 1) / np.outer(deviations, deviations)
    try:
        lower = np.linalg.cholesky(correlation)
    except LinAlgError:
        return None
    # The diagonal holds what each feature has that those before it do not tell.
    if np.diag(lower).min() ** 2 < _RANK_TOLERANCE * 1e-4:
        return None
    inverse, _ = lapack.dtrtri(lower, lower=1)
    whitening: NDArray[np.float64] = (inverse / deviations).T
    return whitening


def d_primes(features: PcFeatures, *, units: Iterable[int] | None = None) -> NDArray[np.float64]:
    r"""Return d-prime of each unit against its neighbours, along the best linear discriminant.

    .. math:: w = S^{-1} (\mu_1 - \mu_0), \quad
              d' = \frac{w^T (\mu_1 - \mu_0)}{\sqrt{\frac 1 2 w^T (\Sigma_1 + \Sigma_0) w}}

    for the means and covariances of the unit's spikes and of all its neighbours', and the scatter S
    within both (its pseudo-inverse, where features tell the same). This is the projection of
    linear discriminant analysis in closed form.

    Parameters
    ----------
    features : PcFeatures
        Projections of sampled spikes.
    units : iterable of int, optional
        Positions of the units to compute; all by default. The others get NaN.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From 0 (not separated) up, no unit; NaN for a unit with less than two spikes, or without
        neighbours.

    References
    ----------
    Hill, Mehta, Kleinfeld 2011, Quality metrics to accompany spike sorting of extracellular
    signals, J Neurosci 31(24), 8699-8705.

    Examples
    --------
    >>> from spikeloom.metrics.pc_features import pc_features
    >>> points = np.array([[-1.0], [1.0], [7.0], [9.0]])
    >>> d_primes(pc_features(points, [0, 0, 1, 1], 2))
    array([8., 8.])
    """
    results = np.full(features.n_units, np.nan)
    chosen = list(_chosen(features, units))
    if chosen:
        features.know_moments(chosen)
        results[chosen] = map_units(lambda unit: _d_prime_of(features, unit), chosen)
    return results


def _d_prime_of(features: PcFeatures, unit: int) -> float:
    own = features.moments[unit]
    others = [
        features.moments_on_channels_of(unit, other)
        for other in features.neighbours[unit].tolist()
        if features.moments[other].n_spikes
    ]
    return _d_prime(own, pooled(others)) if own.n_spikes >= 2 and others else np.nan


def _d_prime(own: ClassMoments, others: ClassMoments) -> float:
    within = own.scatter + others.scatter
    deviations = np.sqrt(np.diag(within) / (own.n_spikes + others.n_spikes))
    deviations[deviations == 0] = 1.0
    between = (own.mean - others.mean) / deviations
    scale = np.outer(deviations, deviations) * max(own.n_spikes + others.n_spikes - 2, 1)
    variances, axes = np.linalg.eigh(within / scale)
    is_told = variances > _RANK_TOLERANCE
    if not is_told.any():
        return np.nan
    along = axes[:, is_told].T @ between / variances[is_told]
    direction = axes[:, is_told] @ along / deviations
    spread = sum(direction @ one.scatter @ direction / one.n_spikes for one in (own, others))
    if not spread > 0:
        return np.nan
    return float(direction @ (own.mean - others.mean) / np.sqrt(spread / 2))


def silhouettes(
    features: PcFeatures,
    *,
    method: Literal["simplified", "full"] = "simplified",
    units: Iterable[int] | None = None,
) -> NDArray[np.float64]:
    r"""Return the silhouette score of each unit: how much nearer its spikes are to it.

    .. math:: s = \frac 1 n \sum_i \frac{b_i - a_i}{\max(a_i, b_i)}

    ``simplified``: :math:`a_i` is the distance of a spike to the centre of its unit, :math:`b_i`
    that to the centre of the neighbour whose centre is nearest to the unit's spikes on average.
    ``full``: :math:`a_i` is the mean distance to all other spikes of the unit, :math:`b_i` the
    smallest mean distance to the spikes of a neighbour.

    Parameters
    ----------
    features : PcFeatures
        Projections of sampled spikes.
    method : {"simplified", "full"}, default "simplified"
        The second looks at all pairs of spikes.
    units : iterable of int, optional
        Positions of the units to compute; all by default. The others get NaN.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From -1 (in another unit) to 1 (isolated), no unit; NaN without spikes or neighbours.

    Raises
    ------
    ParameterError
        If the method is unknown.

    Notes
    -----
    The full score is that of Rousseeuw. That of SpikeInterface 0.105 pairs single distances of
    different spikes, which has a value only if unit and neighbour have as many spikes.

    References
    ----------
    Rousseeuw 1987, Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis, J Comput Appl Math 20, 53-65. Hruschka, de Castro, Campello 2004, Evolutionary
    algorithms for clustering gene-expression data, ICDM'04, 403-406.

    Examples
    --------
    >>> from spikeloom.metrics.pc_features import pc_features
    >>> points = np.array([[-1.0], [1.0], [7.0], [9.0]])
    >>> features = pc_features(points, [0, 0, 1, 1], 2)
    >>> silhouettes(features), silhouettes(features, method="full")
    (array([0.87, 0.87]), array([0.75, 0.75]))
    """
    if method not in {"simplified", "full"}:
        msg = f"method must be 'simplified' or 'full'; got {method!r}."
        raise ParameterError(msg)
    results = np.full(features.n_units, np.nan)
    score = _simplified_silhouette if method == "simplified" else _full_silhouette
    for unit in _chosen(features, units):
        others = [n for n in features.neighbours[unit] if features.moments[n].n_spikes]
        if others and features.moments[unit].n_spikes:
            results[unit] = score(features, unit, others)
    return results


def _simplified_silhouette(features: PcFeatures, unit: int, others: list[int]) -> float:
    own = features.on_channels_of(unit, unit).astype(np.float64)
    means = np.array([features.moments_on_channels_of(unit, other).mean for other in others])
    to_own = np.linalg.norm(own - features.moments[unit].mean, axis=1)
    squares = squared_norms(own)[:, None] + squared_norms(means) - 2 * (own @ means.T)
    nearest = means[np.sqrt(np.maximum(squares, 0.0)).mean(axis=0).argmin()]
    return _mean_silhouette(to_own, np.linalg.norm(own - nearest, axis=1))


def _full_silhouette(features: PcFeatures, unit: int, others: list[int]) -> float:
    own = features.on_channels_of(unit, unit).astype(np.float64)
    n_own = len(own)
    if n_own == 1:
        return 0.0  # a spike alone has no distance to its own: neither good nor bad
    to_own = _mean_distances(own, own) * (n_own / (n_own - 1))
    to_others = [_mean_distances(own, features.on_channels_of(unit, other)) for other in others]
    return _mean_silhouette(to_own, np.min(to_others, axis=0))


def _mean_silhouette(to_own: NDArray[np.float64], to_other: NDArray[np.float64]) -> float:
    largest = np.maximum(to_own, to_other)
    scores = np.zeros(largest.size)
    np.divide(to_other - to_own, largest, out=scores, where=largest > 0)
    return float(scores.mean())


def _mean_distances(
    points: NDArray[np.float64], others: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the mean distance of each point to all others; (n_points,)."""
    from scipy.spatial.distance import cdist  # noqa: PLC0415 - scipy is slow to import

    means = np.empty(len(points))
    n_rows = max(1, _N_PAIRS // max(len(others), 1))
    for begin in range(0, len(points), n_rows):
        some = points[begin : begin + n_rows]
        means[begin : begin + n_rows] = cdist(some, others).mean(axis=1)
    return means


def _chosen(features: PcFeatures, units: Iterable[int] | None) -> Iterable[int]:
    return range(features.n_units) if units is None else units
