import numpy as np
import pytest

from making.sortings import recording_of, sorting_of
from spikeloom.core.random_selection import random_spikes_selection
from spikeloom.core.random_spikes import random_spike_indices
from spikeloom.errors import ParameterError


@pytest.fixture
def sorting():
    rng = np.random.default_rng(1)
    return sorting_of([
        {unit: np.sort(rng.integers(0, 5000, n)).tolist() for unit, n in {"a": 300, "b": 9}.items()}
        for _ in range(2)
    ])


def test_it_is_the_choice_of_the_table(sorting):
    for options in (
        {"max_spikes_per_unit": 20},
        {"method": "percentage", "percentage": 0.2},
        {"method": "all"},
        {"margin_size": 500, "num_samples": [5000, 5000], "max_spikes_per_unit": 30},
    ):
        chosen = random_spikes_selection(sorting, seed=4, **options)
        expected = random_spike_indices(sorting.spike_table(), 2, seed=4, **options)
        assert chosen.tolist() == expected.tolist()


def test_it_knows_sampling_frequency_and_recording(sorting):
    options = {"method": "maximum_rate", "maximum_rate": 3.0, "seed": 0}
    units = sorting.to_spike_vector()["unit_index"]
    alone = random_spikes_selection(sorting, **options)
    assert np.bincount(units[alone]).tolist() == [29, 18]
    with pytest.raises(ParameterError, match="num_samples"):
        random_spikes_selection(sorting, margin_size=10)
    sorting.register_recording(recording_of([5000, 5000]))
    assert np.bincount(units[random_spikes_selection(sorting, **options)]).tolist() == [30, 18]
    inside = random_spikes_selection(sorting, method="all", margin_size=500)
    samples = sorting.to_spike_vector()["sample_index"]
    assert samples[inside].min() >= 500
    assert samples[inside].max() < 4500
    with pytest.raises(ParameterError, match="method"):
        random_spikes_selection(sorting, method="best")
