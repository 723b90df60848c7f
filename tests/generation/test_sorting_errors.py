import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikeloom.errors import ParameterError
from spikeloom.generation.ground_truth import make_ground_truth
from spikeloom.generation.sorting_errors import sort_with_errors


@pytest.fixture(scope="module")
def truth():
    return make_ground_truth(duration_s=30.0, seed=2)


@pytest.fixture(scope="module")
def sorting(truth):
    return sort_with_errors(truth, seed=2)


def flaw_of(sorting, kind):
    return next(flaw for flaw in sorting.flaws if flaw.kind == kind)


def train_of(sorting, cluster_id):
    return sorting.spike_samples[sorting.spike_clusters == cluster_id]


def true_train(truth, *units):
    return truth.spike_samples[np.isin(truth.spike_units, units)]


def n_near(samples, train):
    """Count samples that are at most one sample from one of the train."""
    return int(np.isin(samples, [train - 1, train, train + 1]).sum())


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(1, 10), st.integers(6, 20))
def test_sortings_are_in_order_and_flaws_name_clusters_that_exist(seed, duration_s, n_neurons):
    truth = make_ground_truth(duration_s=duration_s, seed=seed, n_neurons=n_neurons)
    try:
        sorting = sort_with_errors(truth, seed=seed)
    except ParameterError as error:
        assert "longer recording" in str(error)  # noqa: PT017 - some short ones have no spikes
        return
    assert (np.diff(sorting.spike_samples) >= 0).all()
    assert 0 <= sorting.spike_samples[0] <= sorting.spike_samples[-1] < truth.n_samples
    clusters = np.unique(sorting.spike_clusters)
    np.testing.assert_array_equal(clusters, np.arange(clusters.size))
    named = [cluster_id for flaw in sorting.flaws for cluster_id in flaw.cluster_ids]
    assert len(set(named)) == len(named)
    assert set(named) <= set(clusters.tolist())


def test_the_same_seed_gives_the_same_sorting(truth, sorting):
    again, other = sort_with_errors(truth, seed=2), sort_with_errors(truth, seed=3)
    np.testing.assert_array_equal(again.spike_clusters, sorting.spike_clusters)
    np.testing.assert_array_equal(again.spike_samples, sorting.spike_samples)
    assert again.flaws == sorting.flaws
    assert other.flaws != sorting.flaws


def test_clusters_without_a_flaw_are_single_neurons(truth, sorting):
    flawed = {cluster_id for flaw in sorting.flaws for cluster_id in flaw.cluster_ids}
    fine = set(sorting.spike_clusters.tolist()) - flawed
    used = {unit for flaw in sorting.flaws for unit in flaw.unit_ids}
    units_left = set(range(truth.n_units)) - used
    for cluster_id in fine:
        train = train_of(sorting, cluster_id)
        unit = max(units_left, key=lambda unit: n_near(train, true_train(truth, unit)))
        units_left.remove(unit)
        assert n_near(train, true_train(truth, unit)) == train.size
        assert train.size > 0.8 * true_train(truth, unit).size
    assert not units_left


def test_one_neuron_is_cut_into_random_halves(truth, sorting):
    flaw = flaw_of(sorting, "split_at_random")
    first, second = (train_of(sorting, cluster_id) for cluster_id in flaw.cluster_ids)
    assert n_near(first, true_train(truth, *flaw.unit_ids)) == first.size
    assert n_near(second, true_train(truth, *flaw.unit_ids)) == second.size
    assert 0.4 < first.size / (first.size + second.size) < 0.6
    assert abs(np.median(first) - np.median(second)) < 0.15 * truth.n_samples


def test_one_neuron_is_cut_by_its_drifting_amplitude(truth, sorting):
    flaw = flaw_of(sorting, "split_by_amplitude")
    (unit,) = flaw.unit_ids
    assert abs(truth.unit_drifts[unit]) == np.abs(truth.unit_drifts).max()
    trains = [train_of(sorting, cluster_id) for cluster_id in flaw.cluster_ids]
    medians = sorted(np.median(train) for train in trains)
    assert medians[1] - medians[0] > 0.25 * truth.n_samples
    assert abs(trains[0].size - trains[1].size) <= 1


def test_two_neurons_are_merged(truth, sorting):
    flaw = flaw_of(sorting, "merged")
    (cluster_id,) = flaw.cluster_ids
    train = train_of(sorting, cluster_id)
    assert len(flaw.unit_ids) == 2
    for unit in flaw.unit_ids:
        own = true_train(truth, unit)
        assert n_near(train, own) > 0.9 * own.size
    assert n_near(train, true_train(truth, *flaw.unit_ids)) == train.size


def test_one_neuron_is_contaminated(truth, sorting):
    flaw = flaw_of(sorting, "contaminated")
    train = train_of(sorting, flaw.cluster_ids[0])
    share = 1 - n_near(train, true_train(truth, *flaw.unit_ids)) / train.size
    assert 0.18 < share < 0.27


def test_one_neuron_lost_its_smallest_spikes(truth, sorting):
    flaw = flaw_of(sorting, "missed")
    train = train_of(sorting, flaw.cluster_ids[0])
    is_own = truth.spike_units == flaw.unit_ids[0]
    own, scales = truth.spike_samples[is_own], truth.spike_scales[is_own]
    is_found = np.isin(own, [train - 1, train, train + 1])
    assert 0.5 < is_found.mean() < 0.75
    assert scales[~is_found].mean() < scales[is_found].mean() - 0.2


def test_noise_and_the_activity_of_many_are_clusters_of_their_own(truth, sorting):
    for kind, unit_kind, share in (("noise", "artefact", 1.0), ("multi_unit", "far", 0.6)):
        flaw = flaw_of(sorting, kind)
        assert flaw.unit_ids == tuple(truth.units_of_kind(unit_kind))
        train = train_of(sorting, flaw.cluster_ids[0])
        own = true_train(truth, *flaw.unit_ids)
        assert n_near(train, own) == train.size
        assert abs(train.size / own.size - share) < 0.06


def test_flaws_are_told_in_sentences(sorting):
    first, second = flaw_of(sorting, "split_at_random").cluster_ids
    assert flaw_of(sorting, "split_at_random").sentence == (
        f"Clusters {first} and {second} are one neuron, cut in two at random"
    )
    assert len({flaw.sentence for flaw in sorting.flaws}) == 7


def test_too_few_neurons_are_refused():
    truth = make_ground_truth(duration_s=5.0, n_neurons=5)
    with pytest.raises(ParameterError, match="5 neurons fire, which is too few"):
        sort_with_errors(truth)
