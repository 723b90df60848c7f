"""Which points are near others, of those that may be.

Distances are squared ones, and so are norms.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel, kernel_part


@kernel_part
def _square(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return the squared distance, from differences in double precision.

    Two sums at a time: each addition to a single one would wait for that before it.
    """
    a = b = 0.0
    n_pairs = one.size // 2
    for k in range(n_pairs):
        difference = np.float64(one[2 * k]) - np.float64(other[2 * k])
        a += difference * difference
        difference = np.float64(one[2 * k + 1]) - np.float64(other[2 * k + 1])
        b += difference * difference
    if 2 * n_pairs < one.size:
        difference = np.float64(one[2 * n_pairs]) - np.float64(other[2 * n_pairs])
        a += difference * difference
    return a + b


@kernel_part
def _insert(
    key: float, place: int, keys: NDArray[np.float64], places: NDArray[np.int64], n: int
) -> None:
    """Put a place among the first n, which have increasing keys; the last one falls out."""
    k = n - 1
    while k > 0 and keys[k - 1] > key:
        keys[k] = keys[k - 1]
        places[k] = places[k - 1]
        k -= 1
    keys[k] = key
    places[k] = place


@kernel
def fill_nearest(
    points: NDArray[np.float64],
    norms: NDArray[np.float64],
    products: NDArray[np.float64],
    first: int,
    nearest: NDArray[np.int64],
    squares: NDArray[np.float64],
) -> None:
    """Fill the nearest other points of some, (n_queries, n_nearest), and their exact distances.

    `products` (n_queries, n_points) are those of the points from `first` on with all; there are
    more than `n_nearest` points. The nearest ones come first.
    """
    n_nearest = nearest.shape[1]
    keys, places = np.empty(n_nearest), np.empty(n_nearest, np.int64)
    for i in range(products.shape[0]):
        keys[:] = np.inf
        places[:] = 0  # they stay so if features are no numbers
        row = products[i]
        for j in range(row.size):
            # The own norm is the same for all: it does not change who is near.
            key = norms[j] - (row[j] + row[j])
            if key < keys[n_nearest - 1] and j != first + i:
                _insert(key, j, keys, places, n_nearest)
        known, found = squares[first + i], nearest[first + i]
        known[:] = np.inf
        found[:] = 0
        for k in range(n_nearest):
            _insert(
                _square(points[first + i], points[places[k]]), places[k], known, found, n_nearest
            )


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
            square = _square(own, other)
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
    """Turn `products` (n_queries, n_points) of vectors into distances.

    `nearest` (n_points,) gets the least distance of any query to each point, `n_within`
    (n_queries,) the number of points within the `radius` of each query.
    """
    nearest[:] = np.inf
    for i in range(products.shape[0]):
        row, norm, limit = products[i], query_norms[i], radius[i]
        n = 0
        for j in range(row.size):
            square = (norm + point_norms[j]) - (row[j] + row[j])
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
