import numpy as np
from hypothesis import given, strategies as st

from reference import spike_features as twin
from spikeloom.kernels import spike_features as kernels
from spikeloom.kernels.window_moments import add_up

N_CHANNELS = 5
SCALE = np.array([[0.5, 1, 0.25, 2, 1], [0, 3, -1, 0, 0.5]], np.float32)


def make_case(seed, n_spikes=6, n_samples=40):
    rng = np.random.default_rng(seed)
    dtype = rng.choice(["i2", "f4", "u2"])
    traces = rng.integers(0, 100, (n_samples, N_CHANNELS)).astype(dtype)
    mask = (rng.random((N_CHANNELS, N_CHANNELS)) < 0.5) | np.eye(N_CHANNELS, dtype=bool)
    first = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
    around = kernels.Around(traces, SCALE, first, np.nonzero(mask)[1])
    rows = rng.integers(0, n_samples, n_spikes)
    return rng, around, mask, rows, rng.integers(0, N_CHANNELS, n_spikes)


@given(st.integers(0, 10_000), st.integers(0, 3), st.integers(0, 6), st.integers(1, 6))
def test_features_are_those_of_windows(seed, feature, nbefore, nafter):
    _, around, mask, rows, channels = make_case(seed)
    features = np.zeros((rows.size, N_CHANNELS))
    window = (nbefore, nafter)
    kernels.neighbour_features(around, rows, channels, window, feature, features)
    for k in range(rows.size):
        seen = twin.window(around.traces, SCALE, rows[k], nbefore, nafter)
        chosen = mask[channels[k]]
        expected = twin.FEATURES[feature](seen, nbefore)[chosen]
        np.testing.assert_allclose(features[k, : chosen.sum()], expected, rtol=1e-9, atol=1e-9)
        assert not features[k, chosen.sum() :].any()


@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(1, 6))
def test_products_are_those_of_windows(seed, nbefore, nafter):
    rng, around, mask, rows, channels = make_case(seed)
    shape = rng.normal(size=nbefore + nafter)
    products = np.zeros((rows.size, N_CHANNELS))
    kernels.neighbour_products(around, rows, channels, nbefore, shape, products)
    for k in range(rows.size):
        seen = twin.window(around.traces, SCALE, rows[k], nbefore, nafter)[:, mask[channels[k]]]
        np.testing.assert_allclose(products[k, : seen.shape[1]], shape @ seen, atol=1e-9)


@given(st.integers(0, 10_000), st.sampled_from([-1, 0, 1]))
def test_the_strongest_channel_is_the_first_with_the_farthest_value(seed, sign):
    _, around, mask, rows, channels = make_case(seed)
    found = np.empty(rows.size, np.int64)
    kernels.strongest_channels(around, rows, channels, sign, found)
    for k in range(rows.size):
        values = twin.window(around.traces, SCALE, rows[k], 0, 1)[0]
        heights = np.where(mask[channels[k]], np.abs(values) if sign == 0 else sign * values, -1e9)
        assert found[k] == np.argmax(heights)


def test_centers_are_weighted_averages():
    first, columns = np.array([0, 2, 5]), np.array([0, 1, 0, 1, 2])
    locations = np.array([[0.0, 0.0], [0.0, 20.0], [10.0, 0.0]])
    features = np.array([[1.0, 3.0, 99.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    centers = np.empty((3, 2))
    kernels.weighted_centers(features, np.array([0, 1, 1]), first, columns, locations, centers)
    np.testing.assert_allclose(centers, [[0, 15], [5, 5], [np.nan, np.nan]])


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_grid_centers_are_averages_of_the_best_points(seed, fraction):
    rng = np.random.default_rng(seed)
    products = rng.normal(size=(4, 3))
    products[0] = 0
    weights = rng.random((2, 3, 7)).astype("f4")
    positions, depths = rng.normal(size=(7, 2)), rng.random(2)
    centers = np.empty((4, 3))
    kernels.grid_centers(products, weights, positions, depths, fraction, centers)
    for k in range(4):
        likeness = np.einsum("c,dcp->dp", products[k], weights.astype("f8"))
        expected = twin.quantile_weighted_center(likeness, positions, depths, fraction)
        np.testing.assert_allclose(centers[k], expected, rtol=1e-5, atol=1e-6)


@given(st.integers(0, 10_000))
def test_sums_are_of_distances_from_the_base(seed):
    rng = np.random.default_rng(seed)
    windows = (rng.normal(0, 1, (5, 3, 4)) + 1e6).astype("f4")
    rows = rng.integers(0, 5, 6)
    base = windows[0, :, :2].astype("f8")
    sums, squares = np.zeros((3, 2)), np.zeros((3, 2))
    add_up(windows, rows, base, sums, squares)
    distances = windows[rows][:, :, :2].astype("f8") - base
    np.testing.assert_allclose(sums, distances.sum(axis=0), atol=1e-9)
    np.testing.assert_allclose(squares, (distances**2).sum(axis=0), atol=1e-9)
