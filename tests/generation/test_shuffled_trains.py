import numpy as np
from hypothesis import given, settings, strategies as st
from scipy import stats

from spikeloom.generation.shuffled_trains import (
    draw_shuffled_trains,
    shuffled_trains_compiled,
    shuffled_trains_plain,
)

KEYS = np.array([11, 12], np.uint32)


def lists_of(drawn):
    return [drawn.train(k).tolist() for k in range(drawn.counts.size)]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 90)), max_size=8),
    st.integers(0, 100_000),
)
def test_compiled_and_plain_trains_are_the_same(how, n_samples):
    n_spikes, refractory = np.array(how, np.int64).reshape(-1, 2).T.copy()
    columns = (n_spikes, refractory, n_samples, KEYS)
    one, other = shuffled_trains_plain(*columns), shuffled_trains_compiled(*columns)
    assert lists_of(one) == lists_of(other) == lists_of(draw_shuffled_trains(*columns))
    assert (one.counts <= n_spikes).all()
    for k, period in enumerate(refractory.tolist()):
        assert (np.diff(one.train(k)) >= max(1, period)).all()
        assert ((one.train(k) >= 0) & (one.train(k) < n_samples)).all()


def test_spikes_are_spread_as_if_drawn_one_by_one():
    n_samples, period = 30_000_000, 120
    drawn = draw_shuffled_trains(np.full(8, 15_000), np.full(8, period), n_samples, KEYS)
    np.testing.assert_array_equal(drawn.counts, 15_000)
    rng = np.random.default_rng(0)
    n_draws = int(15_000 + 10 * np.sqrt(15_000))
    intervals = []
    for _ in range(8):
        train = rng.integers(0, n_samples, n_draws)
        later = period * (1 + 19 * rng.random(n_draws // 2) ** 2)
        train[: n_draws // 2] += later.astype(np.int64)
        train = np.sort(train[train < n_samples])
        train = train[np.diff(train, prepend=-period) >= period]
        kept = np.sort(rng.choice(train.size, 15_000, replace=False))
        intervals.append(np.diff(train[kept]))
    found = np.concatenate([np.diff(drawn.train(k)) for k in range(8)])
    assert stats.ks_2samp(found, np.concatenate(intervals)).pvalue > 1e-3
    places = np.concatenate([drawn.train(k) for k in range(8)])
    assert stats.kstest(places / n_samples, "uniform").pvalue > 1e-3


def test_a_train_does_not_depend_on_the_others():
    together = draw_shuffled_trains(np.array([50, 700]), np.array([9, 30]), 500_000, KEYS)
    alone = draw_shuffled_trains(np.array([50]), np.array([9]), 500_000, KEYS)
    assert lists_of(alone) == lists_of(together)[:1]
    assert not set(together.train(0).tolist()) <= set(together.train(1).tolist())
