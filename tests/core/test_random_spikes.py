import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.spikes import N_SEGMENTS, N_UNITS, spikes_lists, table_of
from spikeloom.core.random_spikes import random_spike_indices
from spikeloom.core.spike_trains import group_by_unit
from spikeloom.errors import ParameterError

N_SAMPLES = [60, 61, 70]


def chosen_slowly(table, n_max, seed, margin=None):
    """Choose one unit after the other, as users know it."""
    vector = table.to_spike_vector()
    rng = np.random.default_rng(seed)
    chosen = []
    for unit in range(N_UNITS):
        spikes = np.flatnonzero(vector["unit_index"] == unit)
        if margin is not None:
            samples = vector["sample_index"][spikes]
            last = np.array(N_SAMPLES)[vector["segment_index"][spikes]] - margin
            spikes = spikes[(samples >= margin) & (samples < last)]
        n_chosen = min(n_max, spikes.size)
        chosen.extend(rng.choice(spikes, n_chosen, replace=False, shuffle=False).tolist())
    return sorted(chosen)


@given(
    spikes_lists,
    st.integers(0, 8),
    st.integers(0, 3),
    st.none() | st.integers(0, 40),
    st.sampled_from([None, "unit", "segment"]),
)
def test_a_seed_chooses_the_same_spikes_as_ever(spikes, n_max, seed, margin, major):
    table = table_of(spikes)
    chosen = random_spike_indices(
        table,
        N_UNITS,
        max_spikes_per_unit=n_max,
        seed=seed,
        margin_size=margin,
        num_samples=N_SAMPLES,
        groups=group_by_unit(table, N_UNITS, major=major) if major else None,
    )
    assert chosen.dtype == np.int64
    assert chosen.tolist() == chosen_slowly(table, n_max, seed, margin)


def counts_of(table, chosen):
    assert np.all(np.diff(chosen) > 0)
    return np.bincount(table.unit_index[chosen], minlength=N_UNITS).tolist()


@pytest.fixture
def table():
    units = np.repeat([0, 2, 3], [200, 7, 40])
    return table_of([(i % N_SEGMENTS, i, int(unit)) for i, unit in enumerate(units)])


def test_all_spikes_are_chosen(table):
    assert random_spike_indices(table, N_UNITS, method="all").tolist() == list(range(247))
    inside = random_spike_indices(
        table, N_UNITS, method="all", margin_size=50, num_samples=[247] * N_SEGMENTS
    )
    assert sorted(table.sample_index[inside].tolist()) == list(range(50, 197))


@pytest.mark.parametrize(
    ("percentage", "n_max", "expected"),
    [(1.0, None, [200, 0, 7, 40]), (0.2, None, [40, 0, 1, 8]), (0.2, 10, [10, 0, 1, 8])],
)
def test_a_part_of_each_unit_is_chosen(table, percentage, n_max, expected):
    chosen = random_spike_indices(
        table,
        N_UNITS,
        method="percentage",
        percentage=percentage,
        max_spikes_per_unit=n_max,
        seed=1,
    )
    assert counts_of(table, chosen) == expected


@pytest.mark.parametrize(
    ("num_samples", "expected"), [([100, 100, 100], [30, 0, 7, 30]), (None, [73, 0, 7, 40])]
)
def test_units_fire_no_faster_than_the_maximum_rate(table, num_samples, expected):
    chosen = random_spike_indices(
        table,
        N_UNITS,
        method="maximum_rate",
        maximum_rate=1.0,
        sampling_frequency=10.0,
        num_samples=num_samples,
        seed=1,
    )
    assert counts_of(table, chosen) == expected


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "best"}, "method is one of uniform, all, percentage, maximum_rate"),
        ({"margin_size": 3}, "margin_size needs num_samples"),
        ({"num_samples": [3]}, "1 entries for 3 segments"),
        ({"method": "percentage"}, "percentage is above 0 and up to 1; got None"),
        ({"method": "percentage", "percentage": 1.5}, "got 1.5"),
        ({"method": "maximum_rate", "sampling_frequency": 1.0}, "got None"),
        ({"method": "maximum_rate", "maximum_rate": 1.0}, "got 1.0 and None Hz"),
    ],
)
def test_parameters_that_make_no_sense_are_told(table, parameters, message):
    with pytest.raises(ParameterError, match=message):
        random_spike_indices(table, N_UNITS, **parameters)


def test_no_units_have_no_spikes_to_choose():
    assert random_spike_indices(table_of([], n_units=0), 0, seed=0).size == 0
