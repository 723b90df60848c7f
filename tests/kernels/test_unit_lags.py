import numpy as np
from hypothesis import given, strategies as st

from reference import unit_lags as twin
from spikeloom.kernels.unit_lags import count_lags_of_units


@st.composite
def spike_trains(draw):
    steps = draw(st.lists(st.sampled_from([0, 0, 1, 2, 3, 10]), max_size=40))
    units = draw(st.lists(st.integers(0, 2), min_size=len(steps), max_size=len(steps)))
    return np.cumsum(steps, dtype=np.int64), np.array(units, np.int32)


@given(spike_trains(), st.integers(1, 5), st.integers(1, 6), st.permutations([0, 1, 2]))
def test_every_later_spike_is_counted_at_its_lag(trains, bin_size, n_bins, chosen):
    samples, units = trains
    chosen = np.array(chosen[:2])
    order = np.argsort(units, kind="stable")
    starts = np.searchsorted(units[order], np.arange(4)).astype(np.int64)
    within = np.zeros((2, 3, n_bins), np.int64)
    at_edge = np.zeros((2, 3, n_bins + 1), np.int64)
    count_lags_of_units(samples, units, order, starts, chosen, bin_size, within, at_edge)
    expected = twin.count_lags_of_units(samples, units, 3, chosen.tolist(), bin_size, n_bins)
    np.testing.assert_array_equal(within, expected[0])
    np.testing.assert_array_equal(at_edge, expected[1])


def test_lags_beyond_the_table_are_divided():
    samples = np.array([0, 70_000, 140_000])
    within, at_edge = np.zeros((1, 1, 20), np.int64), np.zeros((1, 1, 21), np.int64)
    order, starts = np.arange(3), np.array([0, 3])
    units = np.zeros(3, np.int32)
    count_lags_of_units(samples, units, order, starts, np.array([0]), 7000, within, at_edge)
    assert np.flatnonzero(within).tolist() == [10]
    assert within.sum() == 2
    assert np.flatnonzero(at_edge).tolist() == [10, 20]
    assert at_edge[0, 0, 20] == 1
