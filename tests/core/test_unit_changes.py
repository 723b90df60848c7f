import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.spikes import N_UNITS, spikes_lists, spikes_of, table_of
from reference import spike_vector as twin
from spikeloom.core.unit_changes import (
    censor_mask,
    censor_samples_of,
    merge_units,
    split_units,
)
from spikeloom.errors import ParameterError

IDS = np.array(["a", "b", "c", "d"])


@given(spikes_lists, st.none() | st.integers(0, 8))
def test_merged_units_have_the_spikes_of_all(spikes, censor):
    table = table_of(spikes)
    merged = merge_units(table, IDS, [["c", "a"]], censor_samples=censor)
    assert merged.unit_ids.tolist() == ["b", "d", "merge0"]
    assert merged.new_unit_ids == ["merge0"]
    relabelled = [(s, t, [2, 0, 2, 1][u]) for s, t, u in spikes_of(table)]
    keep = twin.censor(relabelled, {2}, censor or 0)
    assert merged.keep_mask.tolist() == keep
    assert spikes_of(merged.table) == [x for x, k in zip(relabelled, keep, strict=True) if k]


@given(spikes_lists, st.lists(st.integers(0, N_UNITS - 1), unique=True), st.floats(0, 20))
def test_spikes_that_follow_too_closely_are_told(spikes, units, n_samples):
    table = table_of(spikes)
    expected = twin.censor(spikes_of(table), set(units), n_samples)
    assert censor_mask(table, units, n_samples).tolist() == expected


def test_segments_do_not_censor_each_other():
    table = table_of([(0, 50, 0), (1, 51, 0), (1, 52, 0)])
    assert censor_mask(table, [0], 10).tolist() == [True, True, False]


def test_several_merges_are_done_at_once():
    table = table_of([(0, 1, 0), (0, 2, 1), (0, 3, 2), (0, 4, 3)])
    merged = merge_units(table, [5, 6, 7, 8], [[8, 5], [6, 7]], new_id_strategy="take_first")
    assert merged.unit_ids.tolist() == [6, 8]
    assert merged.new_unit_ids == [8, 6]
    assert merged.table.unit_index.tolist() == [1, 0, 0, 1]


@given(spikes_lists, st.randoms(use_true_random=False))
def test_parts_of_a_split_unit_have_their_spikes(spikes, random):
    table = table_of(spikes)
    ordered = spikes_of(table)
    places = [i for i, spike in enumerate(ordered) if spike[2] == 1]
    chosen = [random.randrange(3) for _ in places]
    parts = [[i for i, c in enumerate(chosen) if c == part] for part in range(3)]
    split = split_units(table, IDS, {"b": parts})
    assert split.unit_ids.tolist() == ["a", "c", "d", "b-split0", "b-split1", "b-split2"]
    assert split.new_unit_ids == [["b-split0", "b-split1", "b-split2"]]
    new = {0: 0, 2: 1, 3: 2}
    expected = [(s, t, new.get(u, -1)) for s, t, u in ordered]
    for place, part in zip(places, chosen, strict=True):
        expected[place] = (*expected[place][:2], 3 + part)
    assert spikes_of(split.table) == expected


@given(spikes_lists)
def test_a_merge_is_undone_by_a_split(spikes):
    table = table_of(spikes)
    merged = merge_units(table, IDS, [["a", "b"]], new_unit_ids=["m"])
    was_first = [u == 0 for _, _, u in spikes_of(table) if u < 2]
    parts = [np.flatnonzero(was_first), np.flatnonzero(~np.array(was_first, bool))]
    split = split_units(merged.table, merged.unit_ids, {"m": parts}, new_unit_ids=[["a", "b"]])
    assert split.unit_ids.tolist() == ["c", "d", "a", "b"]
    names = split.unit_ids[split.table.unit_index].tolist()
    assert names == IDS[table.unit_index].tolist()


def test_a_unit_may_keep_its_id_for_a_part():
    table = table_of([(0, 1, 0), (0, 2, 0), (0, 3, 1)])
    split = split_units(table, [5, 6, 7, 8], {5: [[1], [0]]}, new_unit_ids=[[9, 5]])
    assert split.unit_ids.tolist() == [5, 6, 7, 8, 9]
    assert split.table.unit_index.tolist() == [0, 4, 1]


@pytest.mark.parametrize(
    "parts", [[[0], [2]], [[0, 0], [1]], [[0, 1, 2], [3]], [[0, 1, 2], [1]], [[-1], [0, 1]]]
)
def test_parts_must_have_each_spike_once(parts):
    table = table_of([(0, 1, 0), (1, 2, 0), (1, 3, 0), (1, 3, 1)])
    with pytest.raises(ParameterError, match="each of its 3 spikes once"):
        split_units(table, [5, 6, 7, 8], {5: parts})


def test_a_censored_period_is_not_negative():
    with pytest.raises(ParameterError, match="not negative"):
        merge_units(table_of([]), IDS, [["a", "b"]], censor_samples=-1)


def test_a_censored_period_in_samples_is_exact():
    assert censor_samples_of(0.3, 30000.0) == 9.0
    assert censor_samples_of(0.0, 30000.0) == 0.0
