"""How often the nearest neighbours of a unit's waveforms are its own: against units, and noise."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError


class NnIsolation(NamedTuple):
    """What `nn_isolation` returns."""

    nn_isolation: NDArray[np.float64]
    """Isolation from the unit that is hardest to tell apart; (n_units,)."""
    nn_unit_index: NDArray[np.int64]
    """Position of that unit, -1 if there is none; (n_units,)."""


def nn_isolation(
    waveforms: Sequence[NDArray[np.floating]],
    channels: Sequence[ArrayLike],
    *,
    num_spikes: ArrayLike | None = None,
    firing_rates: ArrayLike | None = None,
    max_spikes: int = 1000,
    min_spikes: int = 10,
    min_fr: float = 0.0,
    n_neighbors: int = 4,
    n_components: int = 10,
    min_spatial_overlap: float = 0.5,
    seed: int | None = None,
    units: Iterable[int] | None = None,
) -> NnIsolation:
    r"""Return how well each unit's waveforms are told from those of the most similar unit.

    For a unit A and another one B that shares enough channels, as many waveforms of each are taken,
    on the channels of both, and projected on their principal components. Then

    .. math:: I(A, B) = \frac{1}{k |A \cup B|} \sum_{x \in A \cup B} \sum_{j=1}^k
              [\rho(x) = \rho(x_j)]

    for the unit :math:`\rho` of a spike and of its j-th nearest neighbour, and the result is the
    smallest of :math:`I(A, B)` over all B.

    Parameters
    ----------
    waveforms : sequence of ndarray of shape (n_spikes, n_samples, n_channels_of_unit)
        Of each unit, on its own channels.
    channels : sequence of array_like of shape (n_channels_of_unit,)
        Positions of each unit's channels, increasing.
    num_spikes, firing_rates : array_like of shape (n_units,), optional
        Of all spikes, and in Hz; by default those of the waveforms, and no rates.
    max_spikes : int, default 1000
        Waveforms of a unit that are used at most.
    min_spikes : int, default 10
        Units with fewer spikes get NaN, and are not compared with.
    min_fr : float, default 0
        The same by firing rate in Hz.
    n_neighbors : int, default 4
        Number of neighbours k.
    n_components : int, default 10
        Number of principal components.
    min_spatial_overlap : float, default 0.5
        A unit is compared with if it has this part of the unit's channels.
    seed : int, optional
        For the choice of waveforms.
    units : iterable of int, optional
        Positions of the units to compute; all by default. The others get NaN.

    Returns
    -------
    NnIsolation
        ``nn_isolation``, about 0.5 (not told apart) to 1 (isolated, also if there is no unit to
        compare with), no unit; and ``nn_unit_index``.

    References
    ----------
    Chung et al. 2017, A fully automated approach to spike sorting, Neuron 95(6), 1381-1394.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> waveforms = [rng.normal(size=(50, 20, 1)), rng.normal(size=(50, 20, 1)) + 20]
    >>> nn_isolation(waveforms, [[0], [0]], seed=0)
    NnIsolation(nn_isolation=array([1., 1.]), nn_unit_index=array([1, 0]))
    """
    n_units = len(waveforms)
    own_channels = [np.asarray(one, np.int64) for one in channels]
    is_used = _has_enough(waveforms, num_spikes, firing_rates, min_spikes, min_fr)
    isolation, nearest = np.full(n_units, np.nan), np.full(n_units, -1)
    for unit in range(n_units) if units is None else units:
        if not is_used[unit]:
            continue
        rng = np.random.default_rng(seed)
        isolation[unit] = 1.0
        least = own_channels[unit].size * min_spatial_overlap
        for other in np.flatnonzero(is_used).tolist():
            n_common = np.isin(own_channels[other], own_channels[unit]).sum()
            if other == unit or n_common < least or not n_common:
                continue
            pair = [waveforms[unit], waveforms[other]]
            n_taken = min(*map(len, pair), max_spikes)
            is_common = [
                np.isin(own_channels[unit], own_channels[other]),
                np.isin(own_channels[other], own_channels[unit]),
            ]
            taken = [
                one[rng.choice(len(one), n_taken, replace=False)][:, :, common]
                for one, common in zip(pair, is_common, strict=True)
            ]
            score = _isolation(_rows(taken[0]), _rows(taken[1]), n_components, n_neighbors)
            if nearest[unit] < 0 or score < isolation[unit]:
                isolation[unit], nearest[unit] = score, other
    return NnIsolation(isolation, nearest)


def nn_noise_overlap(
    waveforms: Sequence[NDArray[np.floating]],
    channels: Sequence[ArrayLike],
    noise: NDArray[np.floating],
    templates: NDArray[np.floating],
    *,
    num_spikes: ArrayLike | None = None,
    firing_rates: ArrayLike | None = None,
    max_spikes: int = 1000,
    min_spikes: int = 10,
    min_fr: float = 0.0,
    n_neighbors: int = 4,
    n_components: int = 10,
    seed: int | None = None,
    units: Iterable[int] | None = None,
) -> NDArray[np.float64]:
    r"""Return how far each unit's waveforms are mixed up with pieces of noise.

    .. math:: 1 - I(A, N)

    with I as of `nn_isolation`, for as many pieces of noise N as waveforms A.
    Before that, both lose their projection on the mean of the noise weighted by its value where
    the template has its peak: what noise looks like where a spike would be detected in it.

    Parameters
    ----------
    waveforms : sequence of ndarray of shape (n_spikes, n_samples, n_channels_of_unit)
        Of each unit, on its own channels.
    channels : sequence of array_like of shape (n_channels_of_unit,)
        Positions of each unit's channels, increasing.
    noise : ndarray of shape (n_pieces, n_samples, n_channels)
        Pieces of the recording at random times; as many as `max_spikes`, or some more.
    templates : ndarray of shape (n_units, n_samples, n_channels)
        Median waveforms on all channels.
    num_spikes, firing_rates, max_spikes, min_spikes, min_fr, n_neighbors, n_components
        See `nn_isolation`.
    seed : int, optional
        For the choice of waveforms and noise.
    units : iterable of int, optional
        Positions of the units to compute; all by default. The others get NaN.

    Returns
    -------
    ndarray of shape (n_units,) and dtype float64
        From 0 (unlike noise) to about 0.5 (like noise), no unit.

    Raises
    ------
    ParameterError
        If shapes do not fit each other.

    Notes
    -----
    The peak is that of the template on the unit's channels. SpikeInterface 0.105 counts channels
    of a sparse analyzer among all of them there, and takes another one, or fails.

    References
    ----------
    Chung et al. 2017, A fully automated approach to spike sorting, Neuron 95(6), 1381-1394.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> template = np.sin(np.arange(20.0))[:, None] * 30
    >>> waveforms, noise = rng.normal(size=(50, 20, 1)) + template, rng.normal(size=(50, 20, 1))
    >>> nn_noise_overlap([waveforms], [[0]], noise, template[None], seed=0)
    array([0.])
    """
    if noise.ndim != 3 or noise.shape[1:] != templates.shape[1:]:
        msg = f"Noise has the shape {noise.shape}, templates {templates.shape}: they do not fit."
        raise ParameterError(msg)
    is_used = _has_enough(waveforms, num_spikes, firing_rates, min_spikes, min_fr)
    overlaps = np.full(len(waveforms), np.nan)
    for unit in range(len(waveforms)) if units is None else units:
        if not is_used[unit]:
            continue
        rng = np.random.default_rng(seed)
        own, pieces = waveforms[unit], noise
        if len(own) > min(max_spikes, len(pieces)):
            own = own[rng.choice(len(own), min(max_spikes, len(pieces)), replace=False)]
        if len(pieces) > len(own):
            pieces = pieces[rng.choice(len(pieces), len(own), replace=False)]
        on_unit = np.asarray(channels[unit], np.int64)
        pieces, template = pieces[:, :, on_unit], templates[unit][:, on_unit]
        peak = np.argmax(np.abs(template))
        spikes, background = _rows(own), _rows(pieces)
        weights = background[:, peak]
        total = weights.sum()
        component = weights @ background / total if total else np.zeros(background.shape[1])
        length = component @ component
        if length:
            spikes -= np.outer(spikes @ component / length, component)
            background -= np.outer(background @ component / length, component)
        overlaps[unit] = 1 - _isolation(spikes, background, n_components, n_neighbors)
    return overlaps


def _has_enough(
    waveforms: Sequence[NDArray[np.floating]],
    num_spikes: ArrayLike | None,
    firing_rates: ArrayLike | None,
    min_spikes: int,
    min_fr: float,
) -> NDArray[np.bool_]:
    n_waveforms = np.array([len(one) for one in waveforms])
    counts = n_waveforms if num_spikes is None else np.asarray(num_spikes)
    is_used = (counts >= min_spikes) & (n_waveforms > 1)
    if firing_rates is not None:
        is_used &= np.asarray(firing_rates) >= min_fr
    return np.asarray(is_used, bool)


def _rows(waveforms: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return waveforms in one row each, a new array."""
    return np.array(waveforms, np.float64).reshape(len(waveforms), -1)


def _isolation(
    some: NDArray[np.float64], others: NDArray[np.float64], n_components: int, n_neighbors: int
) -> float:
    """Return how often neighbours are of the same group, in the space of both's components."""
    from scipy.spatial import KDTree  # noqa: PLC0415 - scipy is slow to import

    points = _projected(np.concatenate((some, others)), n_components)
    n_points = len(points)
    k = min(n_neighbors, n_points - 1)
    nearest = np.asarray(KDTree(points).query(points, k=k + 1)[1])
    itself = np.arange(n_points)[:, None]
    # A spike may be listed behind equal ones; if it is not listed, all of them are its equals.
    is_other = nearest != itself
    is_other[is_other.all(axis=1), -1] = False
    neighbours = nearest[is_other].reshape(n_points, k)
    is_first = neighbours < len(some)
    return float(np.mean(is_first == (itself < len(some))))


def _projected(points: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """Return points on their first principal components, from the products of all pairs."""
    centred = points - points.mean(axis=0)
    if centred.shape[0] <= centred.shape[1]:
        squares, axes = np.linalg.eigh(centred @ centred.T)
        scores = axes * np.sqrt(np.maximum(squares, 0))
    else:
        _, axes = np.linalg.eigh(centred.T @ centred)
        scores = centred @ axes
    return np.ascontiguousarray(scores[:, ::-1][:, :n_components])
