from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.curation.contamination import (
    RefractoryPeriods,
    contamination,
    cross_contamination,
    merged_train,
    n_pairs_within,
)
from spikeloom.errors import ParameterError
from spikeloom.metrics.refractory import rp_violations
from spikeloom.metrics.spikes import spikes_of_sorting

trains = st.lists(st.integers(0, 3000), max_size=60).map(lambda x: np.array(sorted(x), np.int64))


@given(train=trains)
def test_contamination_is_that_of_the_metric(train):
    sorting = NumpySorting.from_unit_dict({0: train}, 10_000.0)
    metric = rp_violations(
        spikes_of_sorting(sorting, [3001]), refractory_period_ms=1.0, censored_period_ms=0.3
    )
    found = contamination(train, RefractoryPeriods(3, 10, 3001))
    np.testing.assert_allclose(found, metric.rp_contamination[0], equal_nan=True)


@given(one=trains, two=trains, distance=st.integers(0, 30))
def test_close_pairs_are_counted(one, two, distance):
    lags = np.abs(one[:, np.newaxis] - two).ravel()
    expected = (lags < distance).sum() + (lags == distance).sum() / 2 if distance else 0
    assert n_pairs_within(one, two, distance) == expected


@given(one=trains, two=trains, period=st.integers(0, 10))
def test_merged_trains_lack_only_what_both_have(one, two, period):
    merged = merged_train(one, two, period)
    assert (np.diff(merged) >= 0).all()
    assert set(merged.tolist()) <= set(one.tolist()) | set(two.tolist())
    if len(one) and len(two) and min(abs(int(a) - int(b)) for a in one for b in two) > period:
        assert sorted([*one, *two]) == merged.tolist()


def test_cross_contamination_tells_one_neuron_from_two():
    rng = np.random.default_rng(0)
    n_samples = 3_000_000
    periods = RefractoryPeriods(0, 30, n_samples)
    intervals = rng.exponential(800, 4000).astype(np.int64) + 40
    neuron = np.cumsum(intervals)
    neuron = neuron[neuron < n_samples]
    half = rng.random(neuron.size) < 0.5
    one, two = neuron[half], neuron[~half]
    other = np.sort(rng.choice(n_samples, two.size, replace=False))
    same = cross_contamination(one, two, periods, contamination1=0.0, limit=0.1)
    assert abs(same[0]) < 0.02
    assert same[1] > 0.9
    foreign = cross_contamination(one, other, periods, contamination1=0.0, limit=0.1)
    assert foreign[0] == pytest.approx(1, abs=0.1)
    assert foreign[1] < 1e-6


def test_the_binomial_test_at_whole_numbers():
    from scipy.stats import binom

    one = np.arange(0, 1000, 50)
    two = np.array([1, 101, 455])
    periods = RefractoryPeriods(0, 5, 1000)
    # 60 pairs, a limit that makes it 30 trials of which two and a half are seen.
    _, p_value = cross_contamination(one, two, periods, contamination1=0.0, limit=0.5)
    assert n_pairs_within(one, two, 5) == 2.5
    assert p_value == pytest.approx(binom.sf(1, 30, 0.01))
    silent = cross_contamination(one, np.array([25]), periods, contamination1=1.0, limit=0.5)
    assert silent == (-np.inf, 1.0)


def test_periods_that_make_no_sense():
    with pytest.raises(ParameterError, match="longer than the censored"):
        RefractoryPeriods(5, 5, 100)


def test_pairs_of_pairs():
    train = np.array([0, 4, 8, 100])
    periods = RefractoryPeriods(0, 8, 10_000)
    n_violations = sum(b - a <= 8 for a, b in combinations(train.tolist(), 2))
    assert n_violations == 3
    expected = 1 - np.sqrt(max(1 - 3 * 10_000 / (16 * 8), 0))
    assert contamination(train, periods) == (1.0 if expected != expected else min(expected, 1.0))
