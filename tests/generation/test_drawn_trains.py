import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from making.processes import run_python
from spikeloom.generation.drawn_trains import (
    Intervals,
    draw_even_trains,
    draw_renewal_trains,
    even_trains_compiled,
    even_trains_plain,
    intervals_of_rates,
    renewal_trains_compiled,
    renewal_trains_plain,
)

RATE = 30_000.0
KEYS = np.array([11, 12], np.uint32)


def lists_of(drawn):
    return [drawn.train(k).tolist() for k in range(drawn.counts.size)]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0.1, 200), st.floats(0, 4)), max_size=8),
    st.integers(0, 200_000),
    st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2),
)
def test_compiled_and_plain_trains_are_the_same(how, n_samples, keys):
    rates, refractory_ms = np.array(how).reshape(-1, 2).T
    intervals = intervals_of_rates(rates, refractory_ms, RATE)
    options = {"keys": np.array(keys, np.uint32), "n_room": np.full(rates.size, 3000)}
    units = np.arange(rates.size)[::-1].copy() * 5
    one = renewal_trains_plain(units, intervals, n_samples, **options)
    other = renewal_trains_compiled(units, intervals, n_samples, **options)
    assert lists_of(one) == lists_of(other)
    either = draw_renewal_trains(units, intervals, n_samples, options["keys"])
    assert lists_of(either) == lists_of(one)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 90)), max_size=8),
    st.integers(50_000, 10**9),
)
def test_compiled_and_plain_even_trains_are_the_same(how, n_free):
    n_spikes, refractory = np.array(how, np.int64).reshape(-1, 2).T.copy()
    columns = (n_spikes, refractory, np.full(n_spikes.size, n_free), KEYS)
    one, other = even_trains_plain(*columns), even_trains_compiled(*columns)
    assert lists_of(one) == lists_of(other)


def test_many_trains_are_the_same_too():
    rng = np.random.default_rng(0)
    rates = rng.lognormal(1.5, 1.0, 300)
    intervals = intervals_of_rates(rates, np.full(300, 2.0), RATE)
    options = {"keys": KEYS, "n_room": 2 * (50 + 200 * rates).astype(np.int64)}
    one = renewal_trains_plain(np.arange(300), intervals, 3_000_000, **options)
    other = renewal_trains_compiled(np.arange(300), intervals, 3_000_000, **options)
    assert lists_of(one) == lists_of(other)


def test_a_train_does_not_depend_on_the_others():
    intervals = intervals_of_rates(np.array([3.0, 90.0, 20.0]), np.full(3, 3.0), RATE)
    together = draw_renewal_trains(np.arange(3), intervals, 900_000, KEYS)
    for k in range(3):
        unit = np.array([k])
        alone = draw_renewal_trains(unit, intervals.of_units(unit), 900_000, KEYS)
        assert lists_of(alone) == [together.train(k).tolist()]


@pytest.mark.parametrize("refractory", [0, 120])
def test_rests_are_geometric_and_independent(refractory):
    intervals = Intervals(np.array([refractory]), np.array([700.0]))
    train = draw_renewal_trains(np.array([0]), intervals, 80_000_000, KEYS).train(0)
    rests = np.diff(train) - refractory
    assert rests.min() >= 0
    # Rounded down, an exponential number is at most one sample less than it was.
    spread = rests + np.random.default_rng(0).random(rests.size)
    assert stats.kstest(spread / 700, "expon").pvalue > 1e-3
    assert abs(np.corrcoef(rests[1:], rests[:-1])[0, 1]) < 4 / np.sqrt(rests.size)


def test_rates_are_met():
    rates = np.array([0.5, 10.0, 200.0, 240.0])
    intervals = intervals_of_rates(rates, np.full(4, 4.0), RATE)
    n_samples = int(3000 * RATE)
    counts = draw_renewal_trains(np.arange(4), intervals, n_samples, KEYS).counts
    tolerance = 5 * np.sqrt(3000 * rates) * intervals.scales / (RATE / rates)
    assert (np.abs(counts - 3000 * rates) < tolerance + 2).all()


def test_even_trains_are_even_and_keep_their_distance():
    n_spikes, refractory = np.array([40_000, 0, 1, 500]), np.array([120, 7, 7, 3000])
    drawn = draw_even_trains(n_spikes, refractory, 60_000_000, KEYS)
    np.testing.assert_array_equal(drawn.counts, n_spikes)
    for k in (0, 3):
        train = drawn.train(k)
        assert np.diff(train).min() >= refractory[k]
        free = train - refractory[k] * np.arange(train.size)
        n_free = 60_000_000 - (n_spikes[k] - 1) * refractory[k]
        assert 0 <= free[0] <= free[-1] < n_free
        assert stats.kstest(free / n_free, "uniform").pvalue > 1e-3


def test_no_time_for_anything_but_the_refractory_period():
    intervals = intervals_of_rates(np.array([250.0]), np.array([3.99]), RATE)
    train = draw_renewal_trains(np.array([0]), intervals, 3000, KEYS).train(0)
    assert np.diff(train).tolist() == [120] * (train.size - 1)


DIGEST = """
import hashlib, sys
if sys.argv[1] == "compiled":
    import numba
import spikeloom as si
digest = hashlib.sha256()
sorting = si.generate_sorting(120, durations=[60.0, 9.0], firing_rates=(1.0, 30.0), seed=3)
digest.update(sorting.to_spike_vector().tobytes())
for column in si.synthesize_random_firings(80, duration=60.0, firing_rates=9.0, seed=3):
    digest.update(column.tobytes())
for column in si.synthesize_poisson_spike_vector(80, duration=60.0, firing_rates=9.0, seed=3):
    digest.update(column.tobytes())
print(digest.hexdigest(), "numba" in sys.modules)
"""


def test_seeds_mean_the_same_whether_the_compiler_is_there_or_not():
    plain, with_compiler = (run_python(DIGEST, way).split() for way in ("plain", "compiled"))
    assert (plain[1], with_compiler[1]) == ("False", "True")
    assert plain[0] == with_compiler[0]
