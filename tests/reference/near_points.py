"""Twins of which points are near: all distances, sorted."""

import numpy as np


def kth_square(points, one, listed, n_nearest):
    """Return the squared distance from a point to the n-th nearest of some others."""
    squares = sorted(((points[one].astype(float) - points[k]) ** 2).sum() for k in listed if k >= 0)
    return squares[n_nearest - 1] if len(squares) >= n_nearest else np.inf


def kth_of_pairs(queries, squares, n_queries, k):
    """Return the least k squares of each query's pairs."""
    found = np.full((n_queries, k), np.inf)
    for query in range(n_queries):
        least = sorted(squares[queries == query])[:k]
        found[query, : len(least)] = least
    return found


def pairs_within(squares, radius):
    return [
        (i, j)
        for i in range(squares.shape[0])
        for j in range(squares.shape[1])
        if squares[i, j] <= radius[i]
    ]


def nearest(points, one, n_nearest):
    """Return squared distance and place of the nearest other points, nearest first."""
    others = (k for k in range(len(points)) if k != one)
    return sorted((((points[one] - points[k]) ** 2).sum(), k) for k in others)[:n_nearest]
