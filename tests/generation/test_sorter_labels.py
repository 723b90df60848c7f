import numpy as np

from spikeloom.generation.sorter_labels import label_clusters


def label(trains, n_samples=3_000_000):
    samples = np.concatenate(trains)
    clusters = np.repeat(np.arange(len(trains), dtype=np.int32), [len(t) for t in trains])
    order = np.argsort(samples, kind="stable")
    return label_clusters(
        samples[order], clusters[order], n_samples=n_samples, sampling_frequency=30_000.0
    )


def test_random_spikes_are_mua_and_those_of_one_neuron_good():
    rng = np.random.default_rng(0)
    random = np.sort(rng.integers(0, 3_000_000, 3000))
    neuron = np.cumsum(rng.integers(100, 1900, 2900))
    assert label([random, neuron]) == {0: "mua", 1: "good"}


def test_a_few_violations_are_forgiven():
    rng = np.random.default_rng(1)
    neuron = np.cumsum(rng.integers(100, 1900, 2900))
    # At random times 2900 spikes would violate 168 times; a fifth of that is 34.
    for n_violations, expected in ((20, "good"), (60, "mua")):
        extra = neuron[::40][:n_violations] + 30
        assert label([np.sort(np.concatenate([neuron, extra]))]) == {0: expected}


def test_clusters_of_one_spike_are_good():
    assert label([np.array([5]), np.array([7])]) == {0: "good", 1: "good"}
