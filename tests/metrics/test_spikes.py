import numpy as np
import pytest
from hypothesis import given

from making.sortings import FS, N_SAMPLES, UNIT_IDS, segments_lists, sorting_of
from spikeloom.core.spike_vector import base_period_dtype
from spikeloom.errors import DataError, ParameterError
from spikeloom.metrics.spikes import spikes_of_sorting


@given(segments_lists)
def test_trains_and_places_are_those_of_the_sorting(dicts):
    sorting = sorting_of(dicts)
    spikes = spikes_of_sorting(sorting, [N_SAMPLES] * len(dicts))
    vector = sorting.to_spike_vector()
    for u, unit in enumerate(UNIT_IDS):
        assert spikes.counts[u] == sum(len(d[unit]) for d in dicts)
        for k, d in enumerate(dicts):
            assert spikes.train(u, k).tolist() == d[unit]
            assert vector["sample_index"][spikes.places(u, k)].tolist() == d[unit]
        assert (vector["unit_index"][spikes.places(u)] == u).all()
    assert spikes.total_samples.tolist() == [N_SAMPLES * len(dicts)] * 4


@given(segments_lists)
def test_keys_keep_intervals_and_part_trains(dicts):
    spikes = spikes_of_sorting(sorting_of(dicts), [N_SAMPLES] * len(dicts))
    keys = spikes.keys(gap=7)
    place = 0
    for u in range(4):
        for k in range(len(dicts)):
            train = spikes.train(u, k)
            mine = keys[place : place + train.size]
            assert np.array_equal(np.diff(mine), np.diff(train))
            if 0 < place < keys.size and train.size:
                assert mine[0] - keys[place - 1] > 7
            place += train.size


def test_periods_choose_spikes_and_say_how_long_units_were_looked_at():
    sorting = sorting_of([{"a": [1, 5, 9], "b": [5]}, {"a": [3], "b": [3, 8]}])
    periods = [[0, 4, 10, 0], [1, 0, 4, 1]]  # segment, start, end, unit
    spikes = spikes_of_sorting(sorting, [20, 20], periods=periods)
    assert spikes.train(0, 0).tolist() == [5, 9]
    assert spikes.train(0, 1).size == 0
    assert spikes.train(1, 1).tolist() == [3]
    assert spikes.total_samples.tolist() == [6, 4]
    values = spikes.values_by_unit(np.arange(6.0))  # spike vector: a1 a5 b5 a9 | a3 b3 b8 is 7 long
    assert [v.tolist() for v in values] == [[1.0, 3.0], [5.0]]


def test_periods_without_a_unit_are_for_all_units():
    periods = np.array([(0, 0, 6)], base_period_dtype)
    spikes = spikes_of_sorting(sorting_of([{"a": [1, 7], "b": [5]}]), [20], periods=periods)
    assert spikes.counts.tolist() == [1, 1]
    assert spikes.durations_s.tolist() == [6 / FS, 6 / FS]


def test_lengths_and_values_have_to_fit():
    sorting = sorting_of([{"a": [1, 7]}])
    with pytest.raises(ParameterError, match="of 2 segments"):
        spikes_of_sorting(sorting, [20, 20])
    with pytest.raises(DataError, match="3 values for 2 spikes"):
        spikes_of_sorting(sorting, [20]).values_by_unit(np.zeros(3))
