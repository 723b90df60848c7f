import numpy as np
from hypothesis import given, strategies as st

from reference.close_spikes import find_dropped
from spikeloom.kernels.close_spikes import drop_close_spikes


@given(
    trains=st.lists(st.lists(st.integers(-50, 60), max_size=15).map(sorted), max_size=4),
    period=st.integers(0, 12),
    seed=st.integers(0, 3),
)
def test_trains_one_after_the_other_are_as_each_alone(trains, period, seed):
    samples = np.array([sample for train in trains for sample in train], np.int64)
    is_first = np.array([i == 0 for train in trains for i in range(len(train))], bool)
    drops_later = np.random.default_rng(seed).random(samples.size) < 0.5
    is_dropped = np.zeros(samples.size, bool)
    drop_close_spikes(samples, is_first, period, drops_later, is_dropped)
    expected, start = [], 0
    for train in trains:
        coins = drops_later[start : start + len(train)]
        expected += [start + i for i in find_dropped(train, period, coins)]
        start += len(train)
    assert np.flatnonzero(is_dropped).tolist() == expected
