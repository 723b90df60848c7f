import numpy as np
from hypothesis import given, strategies as st

from reference import correlograms as twin
from spikeloom.kernels.correlograms import count_lags


@st.composite
def spike_trains(draw):
    steps = draw(st.lists(st.sampled_from([0, 0, 1, 2, 3, 10]), max_size=40))
    units = draw(st.lists(st.integers(0, 2), min_size=len(steps), max_size=len(steps)))
    return np.cumsum(steps, dtype=np.int64), np.array(units, np.int32)


@given(spike_trains(), st.integers(1, 5), st.integers(1, 6))
def test_every_pair_of_spikes_is_counted_at_its_lag(trains, bin_size, n_half_bins):
    samples, units = trains
    counts = np.zeros((3, 3, n_half_bins + 1), np.int64)
    count_lags(samples, units, bin_size, n_half_bins, counts)
    np.testing.assert_array_equal(counts, twin.count_lags(samples, units, 3, bin_size, n_half_bins))


def test_counts_are_added_to_what_is_there():
    counts = np.full((1, 1, 2), 5, np.int64)
    count_lags(np.array([0, 1]), np.zeros(2, np.int32), 1, 1, counts)
    assert counts.tolist() == [[[5, 6]]]
