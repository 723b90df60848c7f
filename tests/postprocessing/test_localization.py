import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import localization as twin
from spikeloom.errors import ParameterError
from spikeloom.postprocessing.localization import (
    centers_of_mass,
    channel_features,
    gaussian_prototype,
    grid_locations,
    location_grid,
)
from spikeloom.postprocessing.triangulation import triangulate_monopoles

LOCATIONS = np.array([[20.0 * (k % 2), 15.0 * k] for k in range(10)])


def sources(seed, n, noise):
    rng = np.random.default_rng(seed)
    places = np.c_[rng.uniform(-10, 30, n), rng.uniform(0, 135, n), rng.uniform(5, 60, n)]
    distances = np.linalg.norm(np.c_[LOCATIONS, np.zeros(10)] - places[:, np.newaxis], axis=2)
    alphas = rng.uniform(500, 5000, n)
    features = alphas[:, np.newaxis] / distances
    return places, alphas, features * np.exp(noise * rng.standard_normal(features.shape))


def test_sources_are_found_where_they_are():
    places, alphas, features = sources(0, 200, 0.0)
    within = alphas < features.max(axis=1) * 1000
    found = triangulate_monopoles(features, LOCATIONS)
    np.testing.assert_allclose(found[within, :3], places[within], atol=1e-3)
    np.testing.assert_allclose(found[within, 3], alphas[within], rtol=1e-4)


# More noise makes several minima, of which a solver finds the one it begins near to.
@given(st.integers(0, 10_000), st.floats(0.0, 0.1))
def test_no_other_solver_finds_better(seed, noise):
    _, _, features = sources(seed, 3, noise)
    mask = np.random.default_rng(seed).random(features.shape) < 0.8
    mask[:, :5] = True
    found = triangulate_monopoles(features, LOCATIONS, mask, max_distance_um=150.0)
    for params, values, used in zip(found, features, mask, strict=True):
        other = twin.triangulate(values[used], LOCATIONS[used], 150.0)
        residuals = other.fun.copy()
        distances = np.sqrt(((LOCATIONS[used] - params[:2]) ** 2).sum(axis=1) + params[2] ** 2)
        residuals = params[3] / distances - values[used]
        assert 0.5 * (residuals**2).sum() <= other.cost * (1 + 1e-4) + 1e-6 * (values**2).sum()


def test_penalized_places_are_minima():
    _, _, features = sources(3, 40, 0.2)
    found = triangulate_monopoles(features, LOCATIONS, optimizer="minimize_with_log_penality")
    rng = np.random.default_rng(0)
    for params, values in zip(found, features, strict=True):
        cost = twin.penalized_cost(params[:3], values, LOCATIONS)
        for _ in range(30):
            near = params[:3] + rng.normal(0, 0.5, 3)
            near[2] = max(near[2], 1.0)
            assert twin.penalized_cost(near, values, LOCATIONS) >= cost - 1e-9


def test_sources_do_not_depend_on_those_beside_them():
    _, _, features = sources(5, 30, 0.4)
    together = triangulate_monopoles(features, LOCATIONS)
    one_by_one = [triangulate_monopoles(one[np.newaxis], LOCATIONS)[0] for one in features]
    np.testing.assert_allclose(together, one_by_one, rtol=1e-5, atol=1e-4)


def test_nothing_is_nowhere():
    features = np.zeros((2, 10))
    features[1] = np.nan
    assert np.isnan(triangulate_monopoles(features, LOCATIONS)).all()
    assert np.isnan(centers_of_mass(np.zeros((1, 10)), LOCATIONS)).all()
    assert triangulate_monopoles(np.zeros((0, 10)), LOCATIONS).shape == (0, 4)
    assert centers_of_mass(np.zeros((0, 10)), LOCATIONS).shape == (0, 2)
    with pytest.raises(ParameterError, match="least_square"):
        triangulate_monopoles(features, LOCATIONS, optimizer="luck")


@given(st.integers(0, 10_000), st.sampled_from([0.0, 5.0, 37.0, 100.0]))
def test_the_best_sources_of_a_grid_are_averaged(seed, percentile):
    rng = np.random.default_rng(seed)
    waveforms = rng.normal(0, 30, (4, 20, 10))
    waveforms[:2] += gaussian_prototype(8, 12, 20_000.0)[:, np.newaxis] * 80
    main = rng.integers(0, 10, 4)
    grid = location_grid(LOCATIONS, upsampling_um=10.0)
    prototype = gaussian_prototype(8, 12, 20_000.0)
    found = grid_locations(waveforms, main, grid, prototype, percentile)
    for waveform, channel, place in zip(waveforms, main, found, strict=True):
        expected = twin.grid_location(waveform, grid.is_near[channel], grid, prototype, percentile)
        np.testing.assert_allclose(place, expected, atol=0.05)


def test_waveforms_of_the_other_sign_are_not_on_the_grid():
    grid = location_grid(LOCATIONS)
    prototype = gaussian_prototype(8, 12, 20_000.0)
    upright = np.repeat(-prototype[np.newaxis, :, np.newaxis], 10, axis=2)
    found = grid_locations(upright, np.array([3]), grid, prototype)
    assert found.tolist() == [[0.0, 0.0, 0.0]]
    with pytest.raises(ParameterError, match="percentile"):
        grid_locations(upright, np.array([3]), grid, prototype, 101.0)
    with pytest.raises(ParameterError, match="samples"):
        grid_locations(upright, np.array([3]), grid, prototype[1:])


def test_weights_of_a_grid_are_of_unit_norm():
    for mode in ("exponential_3d", "gaussian_2d"):
        grid = location_grid(LOCATIONS, weight_method={"mode": mode})
        norms = np.linalg.norm(grid.weights, axis=1)
        assert np.allclose(norms[norms > 0], 1, atol=1e-5)
        assert (norms > 0).any()
    for wrong in ({"mode": "cubic"}, {"sparsity_threshold": 2.0}):
        with pytest.raises(ParameterError):
            location_grid(LOCATIONS, weight_method=wrong)


def test_features_of_channels():
    waveforms = np.random.default_rng(0).normal(size=(5, 9, 3))
    np.testing.assert_allclose(channel_features(waveforms, "mean", 2), waveforms.mean(axis=1))
    energy = np.sqrt((waveforms**2).sum(axis=1))
    np.testing.assert_allclose(channel_features(waveforms, "energy", 2), energy)
    at_spike = channel_features(waveforms, "peak_voltage", 2, absolute=True)
    np.testing.assert_array_equal(at_spike, np.abs(waveforms[:, 2]))
    with pytest.raises(ParameterError, match="ptp"):
        channel_features(waveforms, "width", 2)
