import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.projections import clouds, features_of, own_and_others
from reference import metrics as twin
from spikeloom.errors import ParameterError
from spikeloom.metrics.isolation import d_primes, mahalanobis, silhouettes
from spikeloom.metrics.pc_features import pc_features

SIZES = [40, 90, 60, 30]


@pytest.mark.parametrize("is_sparse", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_values_are_those_of_the_definitions(seed, is_sparse):
    made = clouds(SIZES, seed=seed, apart=1.0, radius=2 if is_sparse else 9)
    features = features_of(made, is_sparse=is_sparse)
    distances, ratios = mahalanobis(features)
    d_prime, simplified = d_primes(features), silhouettes(features)
    full = silhouettes(features, method="full")
    for unit in range(4):
        own, others, whose = own_and_others(made, unit)
        own, others = own.astype(np.float64), others.astype(np.float64)
        expected = twin.mahalanobis(own, others)
        assert (distances[unit], ratios[unit]) == pytest.approx(expected, rel=1e-6)
        assert d_prime[unit] == pytest.approx(twin.d_prime(own, others), rel=1e-6)
        groups = [others[whose == other] for other in np.unique(whose)]
        assert full[unit] == pytest.approx(twin.silhouette(own, groups), rel=1e-6)
        to_own = np.linalg.norm(own - own.mean(axis=0), axis=1)
        to_others = [np.linalg.norm(own - group.mean(axis=0), axis=1) for group in groups]
        nearest = min(to_others, key=np.mean)
        score = np.mean((nearest - to_own) / np.maximum(nearest, to_own))
        assert simplified[unit] == pytest.approx(score, rel=1e-5)


@given(st.floats(0.01, 100), st.integers(0, 10))
def test_scale_and_rotation_do_not_matter(scale, seed):
    rng = np.random.default_rng(seed)
    points, units = rng.normal(size=(120, 3)), np.repeat([0, 1, 2], 40)
    points += units[:, None] * 1.5
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    one = pc_features(points, units, 3)
    other = pc_features(points @ rotation * scale + 7, units, 3)
    for metric in (
        lambda features: np.stack(mahalanobis(features)),
        d_primes,
        silhouettes,
        lambda features: silhouettes(features, method="full"),
    ):
        assert metric(other) == pytest.approx(metric(one), rel=1e-6)


def test_d_prime_of_features_that_tell_the_same_is_that_of_one_of_them():
    points = np.random.default_rng(0).normal(size=(200, 2))
    points[100:, 0] += 3
    units = np.repeat([0, 1], 100)
    twice = np.column_stack((points, points[:, 0], np.zeros(200)))
    expected = d_primes(pc_features(points, units, 2))
    assert d_primes(pc_features(twice, units, 2)) == pytest.approx(expected, rel=1e-6)


def test_a_covariance_of_too_few_spikes_has_no_inverse():
    # An inverse computed all the same is noise: SpikeInterface gives distances from it.
    rng = np.random.default_rng(0)
    points, units = rng.normal(size=(70, 20)), np.repeat([0, 1], [20, 50])
    distance, ratio = mahalanobis(pc_features(points, units, 2))
    assert np.isnan([distance[0], ratio[0]]).all()
    assert np.isfinite([distance[1], ratio[1]]).all()
    points[:, 3] = points[:, 5]
    assert np.isnan(mahalanobis(pc_features(points, units, 2)).l_ratio).all()
    points[:, 3] = 0
    assert np.isnan(mahalanobis(pc_features(points, units, 2)).l_ratio).all()


def test_the_full_silhouette_has_a_value_for_groups_of_different_sizes():
    # Pairing distances of different spikes, as SpikeInterface does, works for equal sizes only.
    points = np.concatenate((np.zeros(30), np.full(10, 100.0)))[:, None]
    points += np.random.default_rng(0).normal(size=(40, 1))
    found = silhouettes(pc_features(points, np.repeat([0, 1], [30, 10]), 2), method="full")
    assert (found > 0.95).all()


def test_units_without_spikes_or_neighbours():
    points = np.random.default_rng(0).normal(size=(50, 2))
    alone = pc_features(points, np.zeros(50, int), 2)
    for values in (*mahalanobis(alone), d_primes(alone), silhouettes(alone)):
        assert np.isnan(values).all()
    one_spike = pc_features(points, np.repeat([0, 1], [49, 1]), 2)
    assert np.isnan(mahalanobis(one_spike).isolation_distance).all()
    assert np.isnan(d_primes(one_spike)[1])
    assert np.isfinite(d_primes(one_spike)[0])
    assert silhouettes(one_spike, method="full")[1] == 0
    nobody = pc_features(np.zeros((0, 2, 3)), [], 0)
    assert d_primes(nobody).size == mahalanobis(nobody).l_ratio.size == 0


def test_only_some_units_may_be_asked_for():
    features = features_of(clouds(SIZES))
    every = d_primes(features)
    some = d_primes(features, units=[2])
    assert some[2] == every[2]
    assert np.isnan(some[[0, 1, 3]]).all()
    only = np.isfinite(mahalanobis(features, units=[1]).l_ratio)
    assert only.tolist() == [False, True, False, False]
    with pytest.raises(ParameterError, match="simplified"):
        silhouettes(features, method="median")
