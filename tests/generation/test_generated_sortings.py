import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.round_trips import digest, digest_in_another_process, through_json
from spikeloom.errors import ParameterError
from spikeloom.generation.generated_sortings import (
    SortingGenerator,
    create_sorting_npz,
    generate_sorting,
)

RATE = 30_000.0


def test_defaults_are_those_that_people_know():
    sorting = generate_sorting(seed=0)
    assert sorting.unit_ids.tolist() == ["0", "1", "2", "3", "4"]
    assert sorting.get_num_segments() == 2
    assert sorting.sampling_frequency == RATE
    vectors = sorting.to_spike_vector(concatenated=False)
    for vector, duration in zip(vectors, [10.325, 3.5], strict=True):
        assert vector["sample_index"].min() >= 0
        assert vector["sample_index"].max() < duration * RATE
        assert 5 * 3 * duration * 0.5 < vector.size < 5 * 3 * duration * 1.6


def test_both_spellings_are_the_same():
    one = generate_sorting(firing_rate=15, refractory_period=1.5, seed=3)
    other = generate_sorting(firing_rates=15, refractory_period_ms=1.5, seed=3)
    assert digest(one) == digest(other) != digest(generate_sorting(seed=3))


def test_rates_and_refractory_periods_of_units():
    rates = np.array([0.0, 3.0, 30.0])
    sorting = generate_sorting(
        3, durations=[300.0], firing_rates=rates, refractory_period_ms=[1.0, 2.0, 8.0], seed=1
    )
    counts = np.array(list(sorting.count_num_spikes_per_unit().values()))
    np.testing.assert_allclose(counts / 300, rates, rtol=0.1)
    for unit_id, least in (("1", 60), ("2", 240)):
        assert np.diff(sorting.get_unit_spike_train(unit_id)).min() >= least


def test_rates_from_a_range_survive_a_file():
    sorting = generate_sorting(6, durations=[50.0], firing_rates=(2.0, 40.0), seed=8)
    counts = list(sorting.count_num_spikes_per_unit().values())
    assert max(counts) > 2 * min(counts)
    assert digest(through_json(sorting)) == digest(sorting)


@given(st.integers(0, 10_000), st.lists(st.floats(0, 3), min_size=1, max_size=3), st.booleans())
def test_a_unit_alone_is_as_it_is_among_all(seed, durations, has_borders):
    options = {"add_spikes_on_borders": has_borders, "empty_units": [1], "seed": seed}
    sorting = generate_sorting(4, 1000.0, durations, firing_rates=20.0, **options)
    alone = generate_sorting(4, 1000.0, durations, firing_rates=20.0, **options)
    for k in range(len(durations)):
        for unit_id in sorting.unit_ids:
            train = sorting.get_unit_spike_train(unit_id, segment_index=k)
            window = alone.get_unit_spike_train(unit_id, k, 100, 900, use_cache=False)
            np.testing.assert_array_equal(window, train[(train >= 100) & (train < 900)])
    assert alone.get_num_segments() == len(durations)


def test_empty_units_are_empty_by_index_or_id():
    options = {"add_spikes_on_borders": True, "seed": 4}
    by_index, by_id = (generate_sorting(empty_units=e, **options) for e in ([1, 3], ["1", "3"]))
    assert digest(by_index) == digest(by_id)
    counts = by_index.count_num_spikes_per_unit()
    assert [unit_id for unit_id, count in counts.items() if count == 0] == ["1", "3"]


def test_borders_have_spikes():
    plain = generate_sorting(seed=5)
    sorting = generate_sorting(
        add_spikes_on_borders=True, num_spikes_per_border=7, border_size_samples=15, seed=5
    )
    assert sorting.to_spike_vector().size == plain.to_spike_vector().size + 2 * 2 * 7
    for vector, duration in zip(
        sorting.to_spike_vector(concatenated=False), [10.325, 3.5], strict=True
    ):
        samples = vector["sample_index"]
        n_samples = int(duration * RATE)
        assert np.sum(samples < 15) >= 7
        assert np.sum(samples >= n_samples - 15) >= 7
        assert 0 <= samples.min() <= samples.max() < n_samples
        assert np.all(np.diff(samples) >= 0)


def test_segments_may_start_later():
    sorting = generate_sorting(t_starts=[100.0, 200.0], seed=0)
    for one in (sorting, through_json(sorting)):
        times = one.get_unit_spike_train("0", segment_index=1, return_times=True)
        assert 200 <= times.min() <= times.max() < 203.5


def test_the_same_in_another_process(tmp_path):
    sorting = generate_sorting(
        firing_rates=(3.0, 20.0), add_spikes_on_borders=True, empty_units=["2"], seed=7
    )
    expected = digest(sorting)
    assert sorting.check_serializability("json")
    assert digest_in_another_process(sorting, tmp_path) == expected
    assert digest(pickle.loads(pickle.dumps(sorting))) == expected
    assert digest(sorting.clone()) == expected


def test_seeds_decide():
    assert digest(generate_sorting(seed=1)) != digest(generate_sorting(seed=2))
    assert digest(generate_sorting()) != digest(generate_sorting())
    assert digest(SortingGenerator()) == digest(SortingGenerator(seed=0))


@pytest.mark.parametrize(
    "options",
    [
        {"firing_rates": 500.0},
        {"firing_rates": [1.0]},
        {"t_starts": [1.0]},
        {"empty_units": [9]},
        {"empty_units": ["x"]},
        {"durations": []},
        {"num_spikes_per_border": -1, "add_spikes_on_borders": True},
        {"border_size_samples": 0, "add_spikes_on_borders": True},
        {"seed": -1},
    ],
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(ParameterError):
        generate_sorting(**options)


def test_no_units_are_fine():
    assert generate_sorting(0, seed=0).to_spike_vector().size == 0


@pytest.mark.parametrize("name", ["sorting.npz", "sorting"])
def test_npz_files_hold_three_units(tmp_path, name):
    create_sorting_npz(3, tmp_path / name)
    with np.load(tmp_path / "sorting.npz") as arrays:
        assert arrays["num_segment"].tolist() == [3]
        assert arrays["unit_ids"].tolist() == [0, 1, 2]
        assert arrays["sampling_frequency"].tolist() == [30_000.0]
        assert arrays["spike_indexes_seg2"][:3].tolist() == [0, 10, 20]
        assert arrays["spike_labels_seg2"][:4].tolist() == [0, 1, 2, 0]
    with pytest.raises(ParameterError):
        create_sorting_npz(0, tmp_path / name)
