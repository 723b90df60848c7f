import numpy as np
from hypothesis import given, strategies as st

from reference import histograms as twin
from spikeloom.kernels.histograms import count_intervals, count_times, count_values

samples_lists = st.lists(st.integers(0, 60), max_size=40).map(
    lambda s: np.cumsum(s, dtype=np.int64)
)
# Eighths have exact sums and quotients here, so that counts can be compared exactly.
eighths = st.integers(-80, 400).map(lambda n: n / 8)
bin_sizes = st.sampled_from([0.5, 1.0, 2.0, 4.0, 16.0])


@given(samples_lists, st.data(), eighths, bin_sizes, st.integers(1, 30))
def test_intervals_between_successive_spikes_of_a_unit_are_counted(
    samples, data, low, bin_size, n_bins
):
    chosen = data.draw(st.lists(st.sampled_from(range(max(1, len(samples)))), unique=True))
    spikes = np.sort(np.array(chosen if len(samples) else [], np.int32))
    counts = np.zeros(n_bins, np.int64)
    count_intervals(samples, spikes, low, bin_size, counts)
    lengths = twin.intervals(samples[spikes])
    assert counts.tolist() == twin.count_into_bins(lengths, low, bin_size, n_bins)


@given(samples_lists, eighths, bin_sizes, st.integers(1, 30))
def test_times_of_spikes_are_counted(samples, low, bin_size, n_bins):
    spikes = np.arange(len(samples), dtype=np.int32)
    counts = np.zeros(n_bins, np.int64)
    count_times(samples, spikes, low, bin_size, counts)
    expected = twin.count_into_bins(samples.tolist(), low, bin_size, n_bins)
    assert counts.tolist() == expected


@given(st.lists(st.one_of(eighths, st.just(np.nan))), eighths, bin_sizes, st.integers(1, 30))
def test_values_are_counted_and_the_last_bin_has_its_end(values, low, bin_size, n_bins):
    high = low + n_bins * bin_size
    counts = np.zeros(n_bins, np.int32)
    count_values(np.array(values, float), low, high, counts)
    finite = [value for value in values if value == value]
    expected = twin.count_into_bins(finite, low, bin_size, n_bins)
    expected[-1] += finite.count(high)
    assert counts.tolist() == expected
