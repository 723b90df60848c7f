import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.round_trips import digest
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.errors import ParameterError
from spikeloom.generation.added_spikes import (
    add_synchrony_to_sorting,
    generate_sorting_to_inject,
)
from spikeloom.generation.generated_sortings import generate_sorting
from spikeloom.generation.transformed_sortings import distance_to_nearest


@given(st.floats(0, 2.5), st.integers(2, 6), st.integers(0, 1000))
def test_synchronous_spikes_are_of_other_units(ratio, n_units, seed):
    sorting = generate_sorting(n_units, 1000.0, [2.0, 1.0], firing_rates=5.0, seed=seed)
    before = sorting.to_spike_vector()
    n_added = int(before.size * ratio)
    events = np.unique(before[["segment_index", "sample_index"]])
    if n_added > events.size * n_units - before.size:
        with pytest.raises(ParameterError, match="room"):
            add_synchrony_to_sorting(sorting, ratio, seed=seed)
        return
    more = add_synchrony_to_sorting(sorting, ratio, seed=seed)
    after = more.to_spike_vector()
    assert after.size == before.size + n_added
    assert np.unique(after).size == after.size
    assert set(after[["segment_index", "sample_index"]].tolist()) == set(events.tolist())
    assert more.get_added_spikes_indices().size == n_added
    np.testing.assert_array_equal(after[~more.added_spikes_mask], before)


def test_seeds_decide_synchrony():
    sorting = generate_sorting(seed=0)
    first, again, other = (add_synchrony_to_sorting(sorting, 0.5, seed=seed) for seed in (1, 1, 2))
    assert digest(first) == digest(again) != digest(other)


def test_ratios_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="sync_event_ratio"):
        add_synchrony_to_sorting(generate_sorting(seed=0), -0.1)
    with pytest.raises(ParameterError, match="room"):
        add_synchrony_to_sorting(NumpySorting.from_unit_dict({"a": [1, 2]}, 1000.0), 0.5)


def test_a_sorting_without_spikes_stays_empty():
    sorting = generate_sorting(firing_rates=0.0, seed=0)
    assert add_synchrony_to_sorting(sorting).to_spike_vector().size == 0


@given(st.integers(0, 1000), st.floats(0, 1.0), st.floats(0, 6))
def test_injected_spikes_keep_away_from_others(seed, rate, refractory_ms):
    sorting = generate_sorting(3, 1000.0, [20.0, 5.0], firing_rates=8.0, seed=seed)
    options = {"injected_rate": rate, "refractory_period_ms": refractory_ms, "seed": seed}
    injected = generate_sorting_to_inject(
        sorting, [20_000, 5000], max_injected_per_unit=60, **options
    )
    assert injected.unit_ids.tolist() == sorting.unit_ids.tolist()
    assert injected.get_num_segments() == 2
    period = round(refractory_ms)
    for k in range(2):
        for unit_id in sorting.unit_ids:
            known = sorting.get_unit_spike_train(unit_id, segment_index=k)
            train = injected.get_unit_spike_train(unit_id, segment_index=k)
            assert train.size <= min(60, round(rate * known.size))
            assert np.all((train >= 0) & (train < [20_000, 5000][k]))
            assert np.all(np.diff(train) >= period)
            assert np.all(distance_to_nearest(train, known) >= period)


def test_as_many_are_injected_as_asked_for():
    sorting = generate_sorting(3, durations=[200.0], firing_rates=10.0, seed=0)
    injected = generate_sorting_to_inject(sorting, [6_000_000], injected_rate=0.1, seed=1)
    for unit_id in sorting.unit_ids:
        expected = round(0.1 * sorting.get_unit_spike_train(unit_id).size)
        assert injected.get_unit_spike_train(unit_id).size == expected
    again = generate_sorting_to_inject(sorting, [6_000_000], injected_rate=0.1, seed=1)
    assert digest(injected) == digest(again)


@pytest.mark.parametrize(
    "options", [{"num_samples": [1, 2]}, {"injected_rate": -1.0}, {"refractory_period_ms": -1.0}]
)
def test_what_makes_no_sense_is_refused(options):
    sorting = generate_sorting(durations=[1.0], seed=0)
    with pytest.raises(ParameterError):
        generate_sorting_to_inject(sorting, **{"num_samples": [30_000], **options})
