"""Make the strength of a source fall off with the distance to its main channel.

Where channels farther away see more than those between, they see something else.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_SAME_UM = 1e-6
"""Distances that differ by less are the same."""
_N_RINGS_OF_PARENTS = 3

Parents = list[tuple[int, NDArray[np.int64]]]
"""Channels and those that must not see less, in the order in which they are gone through."""


def radial_parents(
    locations_um: NDArray[np.floating], channel: int, neighbours: NDArray[np.integer]
) -> Parents:
    """Return which of the neighbours of a channel must not see more than which others.

    Parameters
    ----------
    locations_um : ndarray of shape (n_channels, 2)
        Positions of all channels.
    channel : int
        The main channel.
    neighbours : ndarray of shape (n_neighbours,)
        Channels around it, itself among them, increasing.

    Returns
    -------
    list of (int, ndarray)
        Positions among the neighbours. Rings around the channel are gone through from the second
        one on; parents of a channel are those of smaller rings among the channels closest to it.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 40.0]])
    >>> radial_parents(line, 0, np.arange(3))
    [(2, array([0, 1]))]
    """
    near = np.asarray(neighbours, np.int64)
    rings = _rings(np.linalg.norm(locations_um[near] - locations_um[channel], axis=1))
    found: Parents = []
    for k in range(2, len(rings)):
        seen = np.concatenate(rings[:k])
        for one in rings[k].tolist():
            distances = np.linalg.norm(locations_um - locations_um[near[one]], axis=1)
            limit = _rings_end(distances, _N_RINGS_OF_PARENTS)
            parents = np.sort(seen[distances[near[seen]] <= limit])
            if parents.size:
                found.append((one, parents))
    return found


def enforce_decrease(features: NDArray[np.float64], parents: Parents) -> NDArray[np.float64]:
    """Return features in which no channel sees more than the strongest of its parents.

    Parameters
    ----------
    features : ndarray of shape (n_sources, n_neighbours)
    parents : list
        Of `radial_parents`.

    Examples
    --------
    >>> enforce_decrease(np.array([[9.0, 3.0, 12.0]]), [(2, np.array([1]))])
    array([[9., 3., 3.]])
    """
    lowered = features.copy()
    for channel, those in parents:
        lowered[:, channel] = np.minimum(lowered[:, channel], lowered[:, those].max(axis=1))
    return lowered


def _rings(distances: NDArray[np.floating]) -> list[NDArray[np.int64]]:
    """Group places by their distance, the nearest first."""
    order = np.argsort(distances, kind="stable")
    begins = np.flatnonzero(np.diff(distances[order], prepend=-np.inf) > _SAME_UM)
    return [order[a:b] for a, b in pairwise([*begins.tolist(), order.size])]


def _rings_end(distances: NDArray[np.floating], n_rings: int) -> float:
    """Return the distance of the last of the first rings, besides that at the point itself."""
    rings = _rings(distances)
    return float(distances[rings[min(n_rings, len(rings) - 1)][0]]) + _SAME_UM
