import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.spikes import N_SEGMENTS, N_UNITS, many_spikes, spikes_lists, spikes_of, table_of
from reference import spike_vector as twin
from spikeloom.core.spike_building import table_from_columns
from spikeloom.core.spike_selection import (
    cast_periods_to_unit_period_dtype,
    keep_spikes,
    relabel_units,
    remap_unit_indices_in_vector,
    select_units,
    spikes_in_periods,
)
from spikeloom.core.spike_trains import group_by_unit
from spikeloom.core.spike_vector import (
    N_SPIKES_COMPILED,
    base_period_dtype,
    unit_period_dtype,
)
from spikeloom.errors import DataError, ParameterError

units_lists = st.lists(st.integers(0, N_UNITS - 1), unique=True)
periods_lists = st.lists(
    st.tuples(
        st.integers(0, N_SEGMENTS - 1),
        st.integers(-25, 65),
        st.integers(-25, 65),
        st.integers(0, N_UNITS - 1),
    ),
    max_size=10,
)


@given(spikes_lists, units_lists)
def test_selected_units_are_numbered_anew(spikes, units):
    selected = select_units(table_of(spikes), units, N_UNITS)
    assert spikes_of(selected) == twin.select_units(spikes, units)
    assert selected.n_segments == N_SEGMENTS


@given(spikes_lists, st.lists(st.integers(-1, 3), min_size=N_UNITS, max_size=N_UNITS))
def test_spikes_keep_their_order_if_ties_are_left(spikes, new_index):
    table = table_of(spikes)
    relabelled = relabel_units(table, np.array(new_index), sort_ties=False)
    expected = [(s, t, new_index[u]) for s, t, u in spikes_of(table) if new_index[u] >= 0]
    assert spikes_of(relabelled) == expected


@pytest.mark.parametrize("reverse", [False, True])
def test_many_spikes_are_selected_like_few(reverse):
    samples, units = many_spikes(N_SPIKES_COMPILED + 1000)
    table = table_from_columns(samples, units, samples % 3, n_units=300)
    chosen = np.arange(0, 300, 2)[:: -1 if reverse else 1]
    place = np.full(300, -1)
    place[chosen] = np.arange(chosen.size)
    kept = place[units] >= 0
    expected = table_from_columns(
        samples[kept], place[units][kept], samples[kept] % 3, n_units=150, n_segments=3
    )
    selected = select_units(table, chosen, 300)
    assert np.array_equal(selected.sample_index, expected.sample_index)
    assert np.array_equal(selected.unit_index, expected.unit_index)
    assert np.array_equal(selected.segment_offsets, expected.segment_offsets)


@pytest.mark.parametrize("units", [[4], [-1], [1, 1]])
def test_units_that_cannot_be_selected_are_refused(units):
    with pytest.raises(ParameterError, match="0 to 3"):
        select_units(table_of([]), units, N_UNITS)


@given(spikes_lists, st.randoms(use_true_random=False))
def test_a_mask_keeps_spikes(spikes, random):
    table = table_of(spikes)
    mask = np.array([random.random() < 0.5 for _ in spikes], np.bool_)
    kept = keep_spikes(table, mask)
    ordered = spikes_of(table)
    assert spikes_of(kept) == [x for x, keep in zip(ordered, mask, strict=True) if keep]
    with pytest.raises(ParameterError, match="mask has shape"):
        keep_spikes(table, np.ones(len(spikes) + 1, np.bool_))


@given(spikes_lists, periods_lists)
def test_spikes_in_periods_of_units_are_found(spikes, periods):
    table = table_of(spikes)
    cast = cast_periods_to_unit_period_dtype(np.array(periods, np.int64).reshape(-1, 4))
    expected = twin.in_periods(spikes_of(table), periods)
    assert spikes_in_periods(table, cast, N_UNITS).tolist() == expected
    for major in ("unit", "segment"):
        groups = group_by_unit(table, N_UNITS, major=major)
        assert spikes_in_periods(table, cast, N_UNITS, groups).tolist() == expected


@given(spikes_lists, periods_lists)
def test_periods_without_units_are_for_all(spikes, periods):
    table = table_of(spikes)
    all_units = np.array([period[:3] for period in periods], base_period_dtype)
    for_each = [(*period[:3], unit) for period in periods for unit in range(N_UNITS)]
    expected = twin.in_periods(spikes_of(table), for_each)
    assert spikes_in_periods(table, all_units, N_UNITS).tolist() == expected


def test_periods_of_nothing_that_exists_are_refused():
    table = table_of([(0, 1, 0)])
    with pytest.raises(DataError, match="unit 4; there are 4"):
        spikes_in_periods(table, cast_periods_to_unit_period_dtype([[0, 1, 2, 4]]), N_UNITS)
    with pytest.raises(DataError, match="segment 3; there are 3"):
        spikes_in_periods(table, cast_periods_to_unit_period_dtype([[3, 1, 2, 0]]), N_UNITS)


def test_periods_are_cast():
    expected = np.array([(0, 1, 2, 3)], unit_period_dtype)
    other = np.array(
        [(3, 0, 2, 1)], [(n, "i4") for n in np.array(unit_period_dtype.names)[[3, 0, 2, 1]]]
    )
    for periods in ([[0, 1, 2, 3]], [(0, 1, 2, 3)], np.array([[0, 1, 2, 3]], "i2"), other):
        cast = cast_periods_to_unit_period_dtype(periods)
        assert cast.dtype == unit_period_dtype
        assert np.array_equal(cast, expected)
    assert cast_periods_to_unit_period_dtype(expected) is expected
    assert cast_periods_to_unit_period_dtype([]).size == 0
    for wrong in ([[0, 1, 2]], np.zeros(1, base_period_dtype), [[0.5, 1, 2, 3]], [0, 1, 2, 3]):
        with pytest.raises(DataError, match="Periods of units have the fields"):
            cast_periods_to_unit_period_dtype(wrong)


@given(spikes_lists, units_lists, st.none() | units_lists)
def test_unit_indices_follow_new_ids(spikes, new, kept):
    vector = table_of(spikes).to_spike_vector()
    ids = np.array(["u0", "u1", "u2", "u3"])
    kept_ids = None if kept is None else ids[kept]
    remapped, mask = remap_unit_indices_in_vector(vector, ids, [*ids[new], "new"], kept_ids)
    stay = [u in new and (kept is None or u in kept) for u in vector["unit_index"].tolist()]
    assert mask.tolist() == stay
    assert [new[i] for i in remapped["unit_index"]] == vector["unit_index"][mask].tolist()
    assert np.array_equal(remapped["sample_index"], vector["sample_index"][mask])


def test_a_unit_index_without_an_old_id_is_refused():
    vector = table_of([(0, 1, 3)]).to_spike_vector()
    with pytest.raises(DataError, match="there are 2 old unit ids"):
        remap_unit_indices_in_vector(vector, [0, 1], [0])
