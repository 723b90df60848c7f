import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import localization as twin
from spikeloom.kernels.monopoles import fit_monopoles

LOCATIONS = np.array([[20.0 * (k % 2), 15.0 * k] for k in range(12)])
FIRST = np.array([0, 12, 20, 30, 30])
COLUMNS = np.r_[np.arange(12), np.arange(4, 12), np.arange(10)]
"""Around four channels: all, the upper eight, the lower ten, none."""


def near(which):
    return COLUMNS[FIRST[which] : FIRST[which + 1]]


def sources(seed, noise, which):
    """Return what the channels around each source's see of it; anything behind that."""
    rng = np.random.default_rng(seed)
    features = np.full((which.size, 12), 1e9)
    for i, one in enumerate(which):
        place = np.r_[rng.uniform([0, 50, 5], [20, 130, 60])]
        offsets = np.c_[LOCATIONS[near(one)], np.zeros(near(one).size)] - place
        seen = rng.uniform(500, 5000) / np.linalg.norm(offsets, axis=1)
        features[i, : seen.size] = seen * np.exp(noise * rng.standard_normal(seen.size))
    return features


def fitted(features, which, max_distance=150.0, n_params=4):
    found = np.zeros((which.size, 4))
    fit_monopoles(features, which, FIRST, COLUMNS, LOCATIONS, max_distance, n_params, found)
    return found


@given(st.integers(0, 10_000), st.floats(0.0, 0.1), st.sampled_from([60.0, 150.0, 1000.0]))
def test_equals_scipys_least_squares(seed, noise, max_distance):
    which = np.array([2, 0, 1])
    features = sources(seed, noise, which)
    for params, one, values in zip(
        fitted(features, which, max_distance), which, features, strict=True
    ):
        seen = values[: near(one).size]
        other = twin.triangulate(seen, LOCATIONS[near(one)], max_distance)
        offsets = np.c_[LOCATIONS[near(one)], np.zeros(seen.size)] - params[:3]
        residuals = params[3] / np.linalg.norm(offsets, axis=1) - seen
        cost = 0.5 * (residuals**2).sum()
        assert cost <= other.cost * (1 + 1e-4) + 1e-6 * (seen**2).sum()
        if abs(cost - other.cost) < 1e-9 * (seen**2).sum():
            np.testing.assert_allclose(params[:3], other.x[:3], atol=0.2)


def test_places_are_exact_to_rounding_without_noise():
    which = np.zeros(50, np.int64)
    rng = np.random.default_rng(3)
    places = rng.uniform([0, 50, 5], [20, 130, 60], (50, 3))
    distances = np.linalg.norm(np.c_[LOCATIONS, np.zeros(12)] - places[:, None], axis=2)
    found = fitted(1000 / distances, which, 1000.0)
    np.testing.assert_allclose(found, np.c_[places, np.full(50, 1000.0)], rtol=1e-6)


def test_with_three_parameters_the_penalized_cost_is_least():
    which = np.zeros(20, np.int64)
    features = sources(1, 0.2, which)
    rng = np.random.default_rng(0)
    for params, values in zip(fitted(features, which, n_params=3), features, strict=True):
        cost = twin.penalized_cost(params[:3], values, LOCATIONS)
        for _ in range(30):
            place = params[:3] + rng.normal(0, 0.5, 3)
            place[2] = max(place[2], 1.0)
            assert twin.penalized_cost(place, values, LOCATIONS) >= cost - 1e-9
        inverse = 1 / np.linalg.norm(np.c_[LOCATIONS, np.zeros(12)] - params[:3], axis=1)
        assert params[3] == pytest.approx(inverse @ values / (inverse @ inverse))


@pytest.mark.parametrize("n_params", [3, 4])
def test_bounds_are_kept(n_params):
    which = np.zeros(40, np.int64)
    features = np.random.default_rng(0).uniform(0, 1, (40, 12)) ** 4
    found = fitted(features, which, 5.0, n_params)
    centers = features @ LOCATIONS / features.sum(axis=1)[:, None]
    assert (np.abs(found[:, :2] - centers) <= 5 + 1e-9).all()
    assert (found[:, 2] >= 1).all()
    assert (found[:, 2] <= 50).all()
    if n_params == 4:
        assert (found[:, 3] <= features.max(axis=1) * 5 * (1 + 1e-12)).all()


@pytest.mark.parametrize("n_params", [3, 4])
def test_nothing_is_nowhere_and_sources_know_nothing_of_each_other(n_params):
    which = np.array([0, 0, 3, 1, 0])
    features = sources(5, 0.3, which)
    features[0] = 0
    features[1, 3] = np.nan
    together = fitted(features, which, n_params=n_params)
    assert np.isnan(together).all(axis=1).tolist() == [True, True, True, False, False]
    alone = [fitted(features[i : i + 1], which[i : i + 1], n_params=n_params)[0] for i in range(5)]
    np.testing.assert_array_equal(together, alone)
