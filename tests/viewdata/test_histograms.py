import numpy as np
import pytest

from reference.histograms import count_into_bins, intervals
from spikeloom.errors import ParameterError
from spikeloom.viewdata.histograms import (
    N_BINS_MAX,
    IntervalParams,
    RateParams,
    compute_intervals,
    compute_rates,
)


def test_the_bins_of_intervals_are_as_many_as_asked_for(context_of):
    # Intervals of 0.5 and 1.5 ms; phy draws 49 of its 50 bins.
    context = context_of([0, 10, 40], [0, 0, 0])
    shown = compute_intervals(context, [0], IntervalParams())
    assert shown.values.shape == (1, 50)
    assert shown.values[0].tolist() == [1, 1] + [0] * 48
    assert (shown.low, shown.high) == (0.0, 50.0)
    assert (shown.x_unit, shown.y_unit) == ("ms", "intervals")


def test_intervals_are_those_between_successive_spikes_of_each_cluster(context):
    shown = compute_intervals(context, [4, 1], IntervalParams(n_bins=40, min_ms=1.0, max_ms=21.0))
    for row, cluster_id in enumerate([4, 1]):
        samples = context.dataset.spike_samples[context.spikes_of(cluster_id)]
        expected = count_into_bins(intervals(samples), 20, 10, 40)
        assert shown.values[row].tolist() == expected
    assert shown.n_spikes == [context.spikes_of(i).size for i in (4, 1)]


def test_rates_are_spikes_per_second(context):
    shown = compute_rates(context, [2], RateParams(n_bins=8, min_s=0.0, max_s=2.0))
    samples = context.dataset.spike_samples[context.spikes_of(2)]
    assert shown.values[0].tolist() == [
        n / 0.25 for n in count_into_bins(samples.tolist(), 0, 5000, 8)
    ]
    assert (shown.x_unit, shown.y_unit) == ("s", "Hz")


def test_the_whole_recording_holds_every_spike(context, context_of):
    shown = compute_rates(context, [0, 1, 2], RateParams())
    bin_s = (shown.high - shown.low) / shown.n_bins
    np.testing.assert_allclose(shown.values.sum(axis=1) * bin_s, shown.n_spikes)
    # Without raw data the recording ends with the last spike, which counts too.
    bare = context_of([5, 100, 777], [0, 1, 0])
    shown = compute_rates(bare, [0, 1], RateParams())
    bin_s = (shown.high - shown.low) / shown.n_bins
    np.testing.assert_allclose(shown.values.sum(axis=1) * bin_s, [2, 1], rtol=1e-5)


def test_a_part_of_the_recording_can_be_shown(context):
    shown = compute_rates(context, [0], RateParams(n_bins=10, min_s=0.5, max_s=1.0))
    assert (shown.low, shown.high) == (0.5, 1.0)
    samples = context.dataset.spike_samples[context.spikes_of(0)]
    n_inside = int(((samples >= 10_000) & (samples < 20_000)).sum())
    assert shown.values.sum() * 0.05 == pytest.approx(n_inside)


def test_the_number_of_bins_has_limits(context):
    assert compute_intervals(context, [0], IntervalParams(n_bins=0)).n_bins == 1
    assert compute_intervals(context, [0], IntervalParams(n_bins=10**9)).n_bins == N_BINS_MAX
    assert compute_intervals(context, [0], IntervalParams(max_ms=-1.0)).high > 0


@pytest.mark.parametrize("low", [1e18, 1e300])
def test_an_interval_without_room_is_refused(context, low):
    with pytest.raises(ParameterError, match="no room"):
        compute_rates(context, [0], RateParams(min_s=low))
    with pytest.raises(ParameterError, match="no room"):
        compute_intervals(context, [0], IntervalParams(min_ms=low))


def test_a_cluster_of_one_spike_has_no_intervals(context_of):
    context = context_of([5], [0])
    assert compute_intervals(context, [0], IntervalParams()).values.sum() == 0
    assert compute_rates(context, [0], RateParams()).values.sum() > 0


def test_at_most_twenty_clusters_are_shown(context_of):
    context = context_of(np.arange(30) * 100, np.arange(30))
    shown = compute_intervals(context, list(range(30)), IntervalParams())
    assert shown.cluster_ids == list(range(20))
    assert compute_rates(context, [], RateParams()).values.shape == (0, 200)
