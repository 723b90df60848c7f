import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.projections import clouds, features_of, own_and_others
from reference.metrics import nearest_neighbors as twin
from spikeloom.errors import ParameterError
from spikeloom.metrics.nearest_neighbors import nearest_neighbors
from spikeloom.metrics.pc_features import pc_features


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=5),
    st.floats(0, 4),
    st.integers(1, 7),
    st.integers(0, 100),
    st.sampled_from([np.float32, np.float64]),
)
def test_rates_are_those_of_all_distances(n_spikes, apart, k, seed, dtype):
    made = clouds(n_spikes, apart=apart, seed=seed, dtype=dtype)
    hits, misses = nearest_neighbors(features_of(made), n_neighbors=k)
    for unit in range(len(n_spikes)):
        own, others, _ = own_and_others(made, unit)
        if not len(others):
            assert (hits[unit], misses[unit]) == (1, 0)
        elif len(own) + len(others) <= k:
            assert np.isnan([hits[unit], misses[unit]]).all()
        else:
            assert (hits[unit], misses[unit]) == pytest.approx(twin(own, others, k))


@pytest.mark.parametrize("max_spikes", [300, 150, 40, 12])
def test_of_many_spikes_evenly_spaced_ones_are_used(max_spikes):
    made = clouds([150, 90, 120, 60], apart=1.0, seed=4)
    hits, misses = nearest_neighbors(features_of(made), max_spikes=max_spikes)
    for unit in range(4):
        own, others, _ = own_and_others(made, unit)
        points = np.concatenate((own, others))
        if len(points) > max_spikes:
            used = np.arange(0, len(points) - 1, 1 / (max_spikes / len(points))).astype(int)
            # A spike of the unit counts as such: SpikeInterface rounds their number down, so that
            # one of them may count as one of others.
            n_own = np.count_nonzero(used < len(own))
            own, others = points[used][:n_own], points[used][n_own:]
        assert (hits[unit], misses[unit]) == pytest.approx(twin(own, others, 5))


def test_large_offsets_do_not_make_bounds_wrong():
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(300, 4)) + 3000).astype(np.float32)
    units = rng.integers(0, 3, 300)
    hits, misses = nearest_neighbors(pc_features(points, units, 3))
    for unit in range(3):
        expected = twin(points[units == unit], points[units != unit], 5)
        assert (hits[unit], misses[unit]) == pytest.approx(expected)


def test_equal_spikes_are_nearest_to_each_other():
    points = np.repeat(np.arange(4.0), 10)[:, None].astype(np.float32)
    units = np.repeat([0, 1, 2, 3], 10)
    found = nearest_neighbors(pc_features(points, units, 4))
    assert found.nn_hit_rate.tolist() == [1.0] * 4
    assert found.nn_miss_rate.tolist() == [0.0] * 4


def test_the_result_does_not_depend_on_threads(monkeypatch):
    features = features_of(clouds([150, 90, 120, 60], apart=0.5))
    many = nearest_neighbors(features)
    monkeypatch.setattr("spikeloom.engine.executor.n_usable_cpus", lambda: 1)
    one = nearest_neighbors(features)
    assert np.array_equal(many.nn_hit_rate, one.nn_hit_rate)
    assert np.array_equal(many.nn_miss_rate, one.nn_miss_rate)


def test_units_without_spikes_and_nonsense():
    features = pc_features(np.random.default_rng(0).normal(size=(50, 2)), np.zeros(50, int), 2)
    found = nearest_neighbors(features)
    assert found.nn_hit_rate[0] == 1
    assert np.isnan(found.nn_hit_rate[1])
    assert np.isnan(nearest_neighbors(features, units=[]).nn_miss_rate).all()
    with pytest.raises(ParameterError, match="at least 1"):
        nearest_neighbors(features, n_neighbors=0)
