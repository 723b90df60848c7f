import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import ParameterError
from spikeloom.generation.random_firings import (
    clean_refractory_period,
    synthesize_poisson_spike_vector,
    synthesize_random_firings,
    synthetize_spike_train_bad_isi,
    unit_firings,
)

RATE = 30_000.0


def intervals_of(samples, units):
    return {unit: np.diff(samples[units == unit]) for unit in np.unique(units).tolist()}


@pytest.mark.parametrize("synthesize", [synthesize_poisson_spike_vector, synthesize_random_firings])
def test_rates_and_refractory_periods_are_those_asked_for(synthesize):
    rates = [0.0, 2.0, 20.0, 80.0]
    samples, units = synthesize(
        4, RATE, 200.0, refractory_period_ms=5.0, firing_rates=rates, seed=1
    )
    assert samples.dtype == units.dtype == np.int64
    counts = np.bincount(units, minlength=4) / 200
    np.testing.assert_allclose(counts, rates, rtol=0.15)
    assert np.all(np.diff(samples) >= 0)
    assert samples.min() >= 0
    assert samples.max() < 200 * RATE
    for intervals in intervals_of(samples, units).values():
        assert intervals.min() >= 150
    same_sample = np.diff(samples) == 0
    assert np.all(np.diff(units)[same_sample] > 0)


def test_intervals_are_exponential_behind_the_refractory_period():
    samples, _ = synthesize_poisson_spike_vector(1, RATE, 2000.0, 4.0, 20.0, seed=0)
    rest_s = (np.diff(samples) - 120) / RATE
    mean_s = 1 / 20 - 0.004
    assert rest_s.mean() == pytest.approx(mean_s, rel=0.03)
    assert rest_s.std() == pytest.approx(mean_s, rel=0.03)


@pytest.mark.parametrize("synthesize", [synthesize_poisson_spike_vector, synthesize_random_firings])
def test_seeds_decide(synthesize):
    one, again, other = (synthesize(3, duration=20.0, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, again)
    assert len(one[0]) != len(other[0]) or not np.array_equal(one, other)
    assert not np.array_equal(synthesize(seed=None)[0], synthesize(seed=None)[0])


def test_a_unit_does_not_depend_on_how_many_there_are():
    few, many = (synthesize_poisson_spike_vector(n, duration=30.0) for n in (2, 9))
    np.testing.assert_array_equal(few[0][few[1] == 1], many[0][many[1] == 1])


def test_rates_may_be_drawn_from_a_range():
    rates = [firing.rate_hz for firing in unit_firings((2.0, 6.0), 1.0, 200, seed=0)]
    assert 2 <= min(rates) < 2.2
    assert 5.8 < max(rates) <= 6


def test_random_firings_have_as_many_spikes_as_their_rates_say():
    _, units = synthesize_random_firings(3, RATE, 50.0, firing_rates=[1.0, 4.0, 9.0], seed=0)
    np.testing.assert_array_equal(np.bincount(units), [50, 200, 450])


def test_shuffled_spikes_follow_each_other_more_often():
    def share_of_short_intervals(**options):
        samples, _ = synthesize_random_firings(1, RATE, 300.0, 4.0, 10.0, seed=2, **options)
        intervals = np.diff(samples)
        assert intervals.min() >= 120
        return (intervals < 600).mean()

    assert share_of_short_intervals(add_shift_shuffle=True) > 0
    times, _ = synthesize_random_firings(4, RATE, 20.0, add_shift_shuffle=True, seed=3)
    assert 0 <= times.min() <= times.max() < 20 * RATE


def test_nothing_at_all_is_fine():
    for synthesize in (synthesize_poisson_spike_vector, synthesize_random_firings):
        for options in ({"num_units": 0}, {"duration": 0.0}, {"firing_rates": 0.0}):
            samples, units = synthesize(**options)
            assert samples.size == units.size == 0


@pytest.mark.parametrize(
    "options",
    [
        {"firing_rates": 300.0, "refractory_period_ms": 4.0},
        {"firing_rates": [1.0, 2.0]},
        {"firing_rates": -1.0},
        {"refractory_period_ms": -1.0},
        {"num_units": -1},
        {"duration": -1.0},
        {"seed": -1},
    ],
)
def test_what_makes_no_sense_is_refused(options):
    for synthesize in (synthesize_poisson_spike_vector, synthesize_random_firings):
        with pytest.raises(ParameterError):
            synthesize(**{"num_units": 3, **options})


def clean_until_none_are_left(times, period):
    times = sorted(times)
    while True:
        kept = [t for k, t in enumerate(times) if k == 0 or t - times[k - 1] > period]
        if len(kept) == len(times):
            return kept
        times = kept


@given(
    st.lists(st.integers(0, 60) | st.floats(0, 60), max_size=30),
    st.integers(0, 10) | st.floats(0, 10),
)
def test_one_cleaning_is_as_good_as_many(times, period):
    cleaned = clean_refractory_period(np.array(times), period)
    assert cleaned.tolist() == clean_until_none_are_left(times, period)


def test_cleaning_keeps_the_given_times():
    times = np.array([5, 1, 2])
    np.testing.assert_array_equal(clean_refractory_period(times, 1), [1, 5])
    np.testing.assert_array_equal(times, [5, 1, 2])
    assert clean_refractory_period(times, 1).dtype == times.dtype


def test_bad_intervals_are_as_many_as_asked_for():
    train = synthetize_spike_train_bad_isi(10.0, 5.0, 7, violation_delta=1e-3)
    assert train.size == 57
    assert np.sum(np.diff(train) < 0.01) == 7
    assert np.all(np.diff(train) > 0)
    with pytest.raises(ParameterError):
        synthetize_spike_train_bad_isi(10.0, 0.0, 7)
