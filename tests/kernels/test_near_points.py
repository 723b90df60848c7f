import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import near_points as twin
from spikeloom.kernels.near_points import (
    fill_bounds,
    fill_kth_of_pairs,
    fill_kth_squares,
    fill_nearest,
    fill_pairs_within,
)

seeds = st.integers(0, 10_000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds, n_nearest=st.integers(1, 4))
def test_the_nth_nearest_of_those_listed(dtype, seed, n_nearest):
    rng = np.random.default_rng(seed)
    points = rng.integers(-3, 4, (12, 3)).astype(dtype)
    which, listed = rng.integers(0, 12, 5), rng.integers(-1, 12, (5, 4))
    found = np.zeros(5)
    fill_kth_squares(points, which, listed, n_nearest, found)
    for one, others, square in zip(which, listed, found, strict=True):
        assert square == twin.kth_square(points, one, others, n_nearest)


@given(seed=seeds, n_nearest=st.integers(1, 7), first=st.integers(0, 5))
def test_the_nearest_other_points(seed, n_nearest, first):
    points = np.random.default_rng(seed).normal(size=(8, 5))
    norms, products = (points**2).sum(axis=1), points[first : first + 3] @ points.T
    nearest, squares = np.full((8, n_nearest), -1), np.zeros((8, n_nearest))
    fill_nearest(points, norms, products, first, nearest, squares)
    for one in range(first, min(first + 3, 8)):
        expected = twin.nearest(points, one, n_nearest)
        assert nearest[one].tolist() == [place for _, place in expected]
        np.testing.assert_allclose(squares[one], [square for square, _ in expected], rtol=1e-12)
    assert (np.delete(nearest, slice(first, first + 3), axis=0) == -1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds)
def test_distances_from_products_and_the_pairs_within_a_radius(dtype, seed):
    rng = np.random.default_rng(seed)
    # Whole numbers, so that nothing is rounded.
    queries = rng.integers(-5, 6, (7, 4)).astype(dtype)
    points = rng.integers(-5, 6, (9, 4)).astype(dtype)
    radius = rng.integers(0, 80, 7).astype(dtype)
    radius[0] = np.inf
    squares = queries @ points.T
    nearest, n_within = np.zeros(9, dtype), np.zeros(7, np.int64)
    norms = (queries**2).sum(axis=1), (points**2).sum(axis=1)
    fill_bounds(squares, *norms, radius, nearest, n_within)
    expected = ((queries[:, None] - points) ** 2).sum(axis=2)
    np.testing.assert_array_equal(squares, expected)
    np.testing.assert_array_equal(nearest, expected.min(axis=0))
    pairs = twin.pairs_within(expected, radius)
    assert n_within.sum() == len(pairs)
    found = np.zeros((2, len(pairs)), np.int64)
    fill_pairs_within(squares, radius, n_within, found[0], found[1])
    assert list(zip(*found.tolist(), strict=True)) == pairs


@given(seed=seeds, k=st.integers(1, 4))
def test_the_least_of_each_querys_pairs(seed, k):
    rng = np.random.default_rng(seed)
    queries, squares = rng.integers(0, 5, 20), rng.integers(0, 9, 20).astype(float)
    found = np.zeros((6, k))
    fill_kth_of_pairs(queries, squares, found)
    np.testing.assert_array_equal(found, twin.kth_of_pairs(queries, squares, 6, k))
