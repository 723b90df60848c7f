"""Which points are near others, of those that may be.

Distances are squared ones, and so are norms.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def fill_kth_squares(
    points: NDArray[np.floating],
    which: NDArray[np.int64],
    listed: NDArray[np.int64],
    n_nearest: int,
    squares: NDArray[np.float64],
) -> None:
    """Fill `squares` with the squared distance from each of some points to its k-th listed one.

    Point ``which[i]`` of `points` (n_points, n_features) has the points ``listed[i]`` listed, or
    -1; the `n_nearest`-th smallest distance counts, inf if there are fewer. Differences are those
    of double precision.
    """
    nearest = np.empty(n_nearest)
    for i in range(which.size):
        nearest[:] = np.inf
        own = points[which[i]]
        for place in listed[i]:
            if place < 0:
                continue
            other = points[place]
            square = 0.0
            for c in range(own.size):
                difference = np.float64(own[c]) - np.float64(other[c])
                square += difference * difference
            k = n_nearest - 1
            if square >= nearest[k]:
                continue
            while k > 0 and nearest[k - 1] > square:
                nearest[k] = nearest[k - 1]
                k -= 1
            nearest[k] = square
        squares[i] = nearest[n_nearest - 1]


@kernel
def fill_bounds(
    products: NDArray[np.floating],
    query_norms: NDArray[np.floating],
    point_norms: NDArray[np.floating],
    radius: NDArray[np.floating],
    nearest: NDArray[np.floating],
    n_within: NDArray[np.int64],
) -> None:
    """Turn `products` (n_queries, n_points) of vectors, times -2, into distances.

    `nearest` (n_points,) gets the least distance of any query to each point, `n_within`
    (n_queries,) the number of points within the `radius` of each query.
    """
    nearest[:] = np.inf
    for i in range(products.shape[0]):
        row, norm, limit = products[i], query_norms[i], radius[i]
        n = 0
        for j in range(row.size):
            square = row[j] + (norm + point_norms[j])
            row[j] = square
            nearest[j] = square if square < nearest[j] else nearest[j]
            n += square <= limit
        n_within[i] = n


@kernel
def fill_pairs_within(
    squares: NDArray[np.floating],
    radius: NDArray[np.floating],
    n_within: NDArray[np.int64],
    queries: NDArray[np.int64],
    points: NDArray[np.int64],
) -> None:
    """Fill the pairs of queries and points within the radius, of which each has `n_within`."""
    n = 0
    for i in range(squares.shape[0]):
        if n_within[i] == 0:
            continue
        for j in range(squares.shape[1]):
            if squares[i, j] <= radius[i]:
                queries[n] = i
                points[n] = j
                n += 1


@kernel
def fill_kth_of_pairs(
    queries: NDArray[np.int64], squares: NDArray[np.floating], nearest: NDArray[np.float64]
) -> None:
    """Fill `nearest` (n_queries, k) with the least distances of each query's pairs, increasing.

    Inf where a query has fewer.
    """
    nearest[:] = np.inf
    last = nearest.shape[1] - 1
    for i in range(queries.size):
        known, square = nearest[queries[i]], squares[i]
        if square >= known[last]:
            continue
        k = last
        while k > 0 and known[k - 1] > square:
            known[k] = known[k - 1]
            k -= 1
        known[k] = square
