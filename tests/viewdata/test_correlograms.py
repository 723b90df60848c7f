import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import correlograms as twin
from spikeloom.errors import ParameterError
from spikeloom.viewdata.correlograms import (
    CorrelogramParams,
    bins_of,
    compute_correlograms,
    correlograms,
)


def count(samples, clusters, *, bin_size=1, n_half_bins=3):
    """Return the correlograms of all clusters, in the order of their ids."""
    clusters = np.array(clusters)
    trains = [np.flatnonzero(clusters == i) for i in range(clusters.max(initial=-1) + 1)]
    return correlograms(np.array(samples), trains, bin_size=bin_size, n_half_bins=n_half_bins)


def test_the_example_of_phylibs_own_tests():
    counts = count([2, 3, 10, 12, 20, 24, 30, 40], [0, 1, 0, 0, 2, 1, 0, 2])
    assert counts[0, 0].tolist() == [0, 1, 0, 0, 0, 1, 0]
    assert counts[0, 1].tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert counts[1, 0].tolist() == [0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("clusters", [[0, 1, 0, 1], [0, 0, 1, 1]])
def test_the_order_of_spikes_at_the_same_sample_does_not_matter(clusters):
    counts = count([0, 10, 10, 20], clusters)
    assert counts[0, 1].tolist() == counts[1, 0].tolist() == [0, 0, 0, 1, 0, 0, 0]
    assert counts[0, 0].sum() == counts[1, 1].sum() == 0


def test_several_spikes_at_the_same_sample_count_as_pairs_in_any_order():
    assert count([5] * 4, [0, 1, 0, 1])[0, 1, 3] == 4
    assert count([5] * 4, [0, 0, 1, 1])[0, 1, 3] == 4
    assert count([5] * 4, [1, 0, 0, 1])[0, 1, 3] == 4


trains_strategy = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=40).map(
    lambda spikes: sorted(spikes, key=lambda spike: spike[0])
)


@given(trains_strategy, st.integers(1, 6), st.integers(1, 8))
def test_equals_a_look_at_every_pair(spikes, bin_size, n_half_bins):
    samples = [sample for sample, _ in spikes]
    clusters = [cluster for _, cluster in spikes]
    trains = [np.array([k for k, c in enumerate(clusters) if c == i], np.int64) for i in range(3)]
    counts = correlograms(
        np.array(samples, np.int64), trains, bin_size=bin_size, n_half_bins=n_half_bins
    )
    for i in range(3):
        for j in range(3):
            expected = twin.correlogram(
                [samples[k] for k in trains[i]],
                [samples[k] for k in trains[j]],
                bin_size,
                n_half_bins,
                is_same=i == j,
            )
            assert counts[i, j].tolist() == expected


@given(trains_strategy, st.integers(1, 6))
def test_symmetries(spikes, bin_size):
    samples = np.array([sample for sample, _ in spikes], np.int64)
    clusters = np.array([cluster for _, cluster in spikes], np.int64)

    def counts_of(samples, clusters):
        trains = [np.flatnonzero(clusters == i) for i in range(3)]
        return correlograms(samples, trains, bin_size=bin_size, n_half_bins=5)

    counts = counts_of(samples, clusters)
    np.testing.assert_array_equal(counts, counts.transpose(1, 0, 2)[:, :, ::-1])
    for i in range(3):
        np.testing.assert_array_equal(counts[i, i], counts[i, i, ::-1])
    # Time reversed, who came first comes second.
    reversed_counts = counts_of(60 - samples[::-1], clusters[::-1])
    np.testing.assert_array_equal(reversed_counts, counts.transpose(1, 0, 2))
    # Other names, same counts.
    swapped = counts_of(samples, (clusters + 1) % 3)
    np.testing.assert_array_equal(swapped, counts[np.ix_([2, 0, 1], [2, 0, 1])])


def test_all_pairs_are_counted_once_if_the_window_is_wide_enough():
    rng = np.random.default_rng(0)
    samples = np.sort(rng.integers(0, 1000, 100))
    clusters = rng.integers(0, 2, 100)
    counts = count(samples, clusters, n_half_bins=1001)
    sizes = np.bincount(clusters)
    for i in range(2):
        n_equal = sum(
            n * (n - 1) // 2 for n in np.unique(samples[clusters == i], return_counts=True)[1]
        )
        assert counts[i, i].sum() == sizes[i] * (sizes[i] - 1) - n_equal
    assert counts[0, 1].sum() == sizes[0] * sizes[1]


@pytest.mark.parametrize(
    ("bin_ms", "window_ms", "n_bins"), [(1.0, 50.0, 51), (0.1, 30.0, 301), (0.5, 1.0, 3), (2, 0, 3)]
)
@pytest.mark.parametrize("rate", [20_000.0, 25_000.0, 30_000.0, 24_414.0625])
def test_the_number_of_bins_is_odd_and_that_of_phy(bin_ms, window_ms, n_bins, rate):
    bin_size, n_half_bins = bins_of(bin_ms, window_ms, rate)
    assert 2 * n_half_bins + 1 == n_bins
    assert bin_size == round(bin_ms * rate / 1000)


@pytest.mark.parametrize(
    ("bin_ms", "window_ms"), [(0.0, 50.0), (-1.0, 50.0), (1.0, -5.0), (0.001, 500.0), (1.0, 1e9)]
)
def test_bins_that_make_no_sense_are_refused(bin_ms, window_ms):
    with pytest.raises(ParameterError, match="bins"):
        bins_of(bin_ms, window_ms, 30_000.0)


def test_a_bin_is_at_least_a_sample():
    assert bins_of(0.001, 0.01, 30_000.0)[0] == 1


def test_samples_are_never_rounded_through_seconds(context_of):
    # 63 / 30000 * 30000 is 62.99…, which a program that goes through seconds cuts to 62.
    context = context_of([0, 63], [0, 0], rate=30_000.0)
    shown = compute_correlograms(context, [0], CorrelogramParams(bin_ms=1 / 30, window_ms=200 / 30))
    assert np.flatnonzero(shown.counts[0, 0]).tolist() == [100 - 63, 100 + 63]


def test_the_acg_of_a_unit_with_a_close_pair_shows_it_in_the_middle(context_of):
    context = context_of([0, 500, 502, 2000], [0, 0, 0, 0])
    shown = compute_correlograms(context, [0], CorrelogramParams())
    assert shown.n_bins == 51
    assert shown.counts[0, 0].tolist() == [2] + [0] * 24 + [1] + [0] * 24 + [2]


def test_the_baseline_is_what_independent_trains_would_give(context_of):
    context = context_of([1, 2, 3, 4, 5, 40], [0, 0, 0, 1, 2, 2], rate=10.0)
    params = CorrelogramParams(bin_ms=100.0, window_ms=1000.0, n_spikes=2)
    shown = compute_correlograms(context, [0, 1, 2], params)
    assert shown.n_used == [2, 1, 2]
    assert shown.n_spikes == [3, 1, 2]
    np.testing.assert_allclose(shown.baseline, np.outer([2, 1, 2], [2, 1, 2]) * 0.025)


def test_a_sample_is_the_same_each_time_and_all_spikes_are_used_if_there_is_room(context):
    few = CorrelogramParams(n_spikes=20)
    first, second = (compute_correlograms(context, [1, 2], few) for _ in range(2))
    np.testing.assert_array_equal(first.counts, second.counts)
    assert first.n_used == [20, 20]
    # The sample of a cluster does not depend on the clusters beside it.
    alone = compute_correlograms(context, [2], few)
    np.testing.assert_array_equal(alone.counts[0, 0], first.counts[1, 1])
    everything = compute_correlograms(context, [1, 2], CorrelogramParams())
    trains = [context.spikes_of(i) for i in (1, 2)]
    expected = correlograms(context.dataset.spike_samples, trains, bin_size=20, n_half_bins=25)
    np.testing.assert_array_equal(everything.counts, expected)
    assert everything.n_used == everything.n_spikes


def test_at_most_twenty_clusters_are_shown(context_of):
    context = context_of(np.arange(30) * 100, np.arange(30))
    assert compute_correlograms(context, list(range(30)), CorrelogramParams()).cluster_ids == list(
        range(20)
    )


def test_no_cluster_gives_empty_correlograms(context):
    assert compute_correlograms(context, [], CorrelogramParams()).counts.shape == (0, 0, 51)
