import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.spikes import (
    N_SEGMENTS,
    N_UNITS,
    many_spikes,
    spikes_lists,
    spikes_of,
    table_of,
)
from reference import spike_vector as twin
from spikeloom.core.spike_building import table_from_columns, table_from_spike_vector
from spikeloom.core.spike_trains import (
    count_spikes,
    group_by_unit,
    spike_vector_to_indices,
    spike_vector_to_spike_trains,
    trains_by_unit,
)
from spikeloom.core.spike_vector import N_SPIKES_COMPILED, SpikeTable
from spikeloom.errors import DataError, ParameterError

GROUPS = [(unit, segment) for unit in range(N_UNITS) for segment in range(N_SEGMENTS)]


@given(spikes_lists, st.sampled_from(["unit", "segment"]))
def test_groups_partition_the_spike_vector(spikes, major):
    table = table_of(spikes)
    groups = group_by_unit(table, N_UNITS, major=major)
    ordered = spikes_of(table)
    assert sorted(groups.order.tolist()) == list(range(len(spikes)))
    for unit, segment in GROUPS:
        found = groups.spikes_of(unit, segment).tolist()
        assert found == twin.places(ordered, unit, segment)
    for unit in range(N_UNITS):
        everywhere = [i for i, spike in enumerate(ordered) if spike[2] == unit]
        assert groups.spikes_of(unit).tolist() == everywhere
    major_index = 2 if major == "unit" else 0
    found = [ordered[i][major_index] for i in groups.order]
    assert found == sorted(found)


@given(spikes_lists)
def test_trains_of_all_units_partition_the_spikes(spikes):
    table = table_of(spikes)
    trains = trains_by_unit(table, N_UNITS)
    for unit, segment in GROUPS:
        found = trains.train(unit, segment)
        assert found.tolist() == twin.train(sorted(spikes), unit, segment)
        assert found.size == 0 or np.shares_memory(found, trains.samples)
    assert sum(trains.train(*group).size for group in GROUPS) == len(spikes)


@given(spikes_lists, st.integers(-25, 65), st.integers(-25, 65))
def test_trains_are_cut(spikes, start, end):
    trains = trains_by_unit(table_of(spikes), N_UNITS)
    for unit, segment in GROUPS:
        expected = [t for t in twin.train(sorted(spikes), unit, segment) if start <= t < end]
        assert trains.train(unit, segment, start, end).tolist() == expected


@given(spikes_lists)
def test_spikes_are_counted(spikes):
    counts = count_spikes(table_of(spikes), N_UNITS)
    expected = [[len(twin.train(spikes, u, s)) for s in range(N_SEGMENTS)] for u in range(N_UNITS)]
    assert counts.tolist() == expected


@pytest.mark.parametrize("over_a_vector", [False, True])
def test_many_spikes_are_grouped_like_few(over_a_vector):
    samples, units = many_spikes(N_SPIKES_COMPILED + 1000)
    segments = (samples % 3 == 0).astype(np.int64)
    table = table_from_columns(samples, units, segments, n_units=300)
    if over_a_vector:
        table = table_from_spike_vector(table.to_spike_vector())
    all_segments = table.segment_index()
    order = np.lexsort((all_segments, table.unit_index))
    groups, trains = group_by_unit(table, 300), trains_by_unit(table, 300)
    assert np.array_equal(groups.order, order)
    assert np.array_equal(trains.samples, table.sample_index[order])
    by_segment = group_by_unit(table, 300, major="segment")
    assert np.array_equal(by_segment.order, np.lexsort((table.unit_index, all_segments)))
    counts = np.bincount(table.unit_index * 2 + all_segments, minlength=600).reshape(300, 2)
    assert np.array_equal(count_spikes(table, 300), counts)
    assert np.array_equal(np.diff(groups.slices)[..., 0], counts)


def test_more_units_than_16_bits_count():
    units = np.array([70000, 3, 65536 + 3, 3], np.int32)
    groups = group_by_unit(SpikeTable(np.arange(4), units, np.array([0, 4])), 70001)
    assert groups.order.tolist() == [1, 3, 2, 0]


def test_no_units_and_no_segments_are_fine():
    empty = table_of([], n_units=0, n_segments=0)
    assert group_by_unit(empty, 0).slices.shape == (0, 0, 2)
    assert trains_by_unit(empty, 3).slices.shape == (3, 0, 2)
    assert group_by_unit(empty, 3).spikes_of(1).size == 0


def test_what_makes_no_sense_is_refused():
    with pytest.raises(DataError, match="unit index 3"):
        group_by_unit(table_of([(0, 5, 3)]), 3)
    with pytest.raises(ParameterError, match="'unit' or 'segment'"):
        group_by_unit(table_of([]), 3, major="time")


@given(spikes_lists)
def test_lists_of_spike_vectors_give_dictionaries(spikes):
    table, ids = table_of(spikes), ["a", "b", "c", "d"]
    vector = table.to_spike_vector()
    parts = [vector[table.segment_slice(s)] for s in range(N_SEGMENTS)]
    trains = spike_vector_to_spike_trains(parts, ids)
    absolute = spike_vector_to_indices(parts, ids, absolute_index=True)
    relative = spike_vector_to_indices(parts, ids)
    assert list(trains) == list(absolute) == list(range(N_SEGMENTS))
    for unit, segment in GROUPS:
        expected = twin.train(sorted(spikes), unit, segment)
        name = ids[unit]
        assert trains[segment][name].tolist() == expected
        assert vector["sample_index"][absolute[segment][name]].tolist() == expected
        assert parts[segment]["sample_index"][relative[segment][name]].tolist() == expected
