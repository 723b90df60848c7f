import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.spikes import (
    N_SEGMENTS,
    N_UNITS,
    columns_of,
    many_spikes,
    spikes_lists,
    spikes_of,
    table_of,
)
from reference import spike_vector as twin
from spikeloom.core.spike_building import (
    sort_spikes,
    sorted_times,
    table_from_columns,
    table_from_peaks,
    table_from_samples_and_labels,
    table_from_spike_vector,
    table_from_unit_dicts,
)
from spikeloom.core.spike_vector import (
    N_SPIKES_COMPILED,
    base_peak_dtype,
    minimum_spike_dtype,
    spike_peak_dtype,
)
from spikeloom.errors import DataError

NAMES = np.array(["d", "a", "c", "b"])


def vector_of(spikes, dtype=minimum_spike_dtype):
    vector = np.zeros(len(spikes), dtype)
    vector["sample_index"], vector["unit_index"], vector["segment_index"] = columns_of(spikes)
    return vector


@given(spikes_lists, st.sampled_from([np.arange(N_UNITS) * 7, NAMES]))
def test_samples_and_labels_in_any_order_give_the_same_table(spikes, ids):
    by_segment = [[x for x in spikes if x[0] == s] for s in range(N_SEGMENTS)]
    samples = [[sample for _, sample, _ in part] for part in by_segment]
    labels = [ids[[unit for _, _, unit in part]] for part in by_segment]
    table, unit_ids = table_from_samples_and_labels(samples, labels, ids)
    assert unit_ids.tolist() == ids.tolist()
    assert spikes_of(table) == twin.in_order(spikes)
    assert table.n_segments == N_SEGMENTS


@given(spikes_lists)
def test_without_ids_units_are_the_labels_that_occur(spikes):
    samples, units, _ = columns_of(spikes)
    table, unit_ids = table_from_samples_and_labels([samples], [NAMES[units]])
    assert unit_ids.tolist() == sorted(set(NAMES[units].tolist()))
    found = zip(table.sample_index.tolist(), unit_ids[table.unit_index].tolist(), strict=True)
    assert list(found) == sorted((t, str(NAMES[u])) for _, t, u in spikes)


@given(spikes_lists)
def test_trains_of_units_give_the_same_table(spikes):
    dicts = [
        {
            str(name): [t for s, t, v in spikes if (s, v) == (segment, u)]
            for u, name in enumerate(NAMES)
        }
        for segment in range(N_SEGMENTS)
    ]
    table, unit_ids = table_from_unit_dicts(dicts)
    assert unit_ids.tolist() == NAMES.tolist()
    assert spikes_of(table) == twin.in_order(spikes)


def test_a_unit_may_be_missing_in_a_segment():
    table, unit_ids = table_from_unit_dicts([{}, {5: [3]}, {2: [4], 5: []}, {}])
    assert unit_ids.tolist() == [5, 2]
    assert spikes_of(table) == [(1, 3, 0), (2, 4, 1)]
    assert table.n_segments == 4
    with pytest.raises(DataError, match=r"Units \[2\] are not among"):
        table_from_unit_dicts([{5: [3], 2: []}], unit_ids=[5])


@given(spikes_lists, st.randoms(use_true_random=False))
def test_columns_in_any_order_give_the_same_table(spikes, random):
    shuffled = random.sample(spikes, len(spikes))
    assert spikes_of(table_of(shuffled)) == spikes_of(table_of(spikes)) == twin.in_order(spikes)


@given(spikes_lists, st.sampled_from([minimum_spike_dtype, spike_peak_dtype]))
def test_a_spike_vector_in_any_order_gives_the_same_table(spikes, dtype):
    vector = vector_of(spikes, dtype)
    before = vector.copy()
    table = table_from_spike_vector(vector, n_segments=N_SEGMENTS, sort_ties=True)
    assert spikes_of(table) == twin.in_order(spikes)
    assert table.n_segments == N_SEGMENTS
    assert np.array_equal(vector, before)


@given(spikes_lists)
def test_a_spike_vector_in_order_is_not_copied(spikes):
    vector = vector_of(twin.in_order(spikes))
    table = table_from_spike_vector(vector, n_units=N_UNITS)
    assert table.vector is vector
    assert spikes_of(table) == twin.in_order(spikes)
    assert vector.size == 0 or np.shares_memory(table.sample_index, vector)


def test_the_order_of_ties_in_a_file_is_kept():
    spikes = [(0, 5, 1), (0, 5, 0), (0, 6, 0)]
    assert spikes_of(table_from_spike_vector(vector_of(spikes))) == spikes
    in_order = table_from_spike_vector(vector_of(spikes), sort_ties=True)
    assert spikes_of(in_order) == sorted(spikes)


def test_spike_vectors_of_segments_are_put_together():
    parts = [vector_of([(0, 5, 1)]), vector_of([]), vector_of([(2, 1, 0)]), vector_of([])]
    table = table_from_spike_vector(parts)
    assert spikes_of(table) == [(0, 5, 1), (2, 1, 0)]
    assert table.n_segments == 4
    assert table_from_spike_vector([]).n_spikes == 0


def test_a_spike_vector_of_other_types_is_converted():
    dtype = [("sample_index", ">i4"), ("unit_index", "u2"), ("segment_index", "i1")]
    table = table_from_spike_vector(np.array([(4, 1, 0), (9, 0, 0)], dtype))
    assert table.sample_index.dtype == np.int64
    assert spikes_of(table) == [(0, 4, 1), (0, 9, 0)]


def test_a_spike_vector_without_a_field_is_refused():
    with pytest.raises(DataError, match=r"missing: \['segment_index'\]"):
        table_from_spike_vector(np.zeros(2, [("sample_index", "i8"), ("unit_index", "i8")]))


def test_segments_at_the_end_may_be_empty():
    table = table_from_columns([4], [0], [1], n_units=1, n_segments=4)
    assert table.segment_offsets.tolist() == [0, 0, 1, 1, 1]
    assert table_from_columns([], [], n_units=0, n_segments=3).n_segments == 3
    assert table_from_columns([], [], [], n_units=0).n_segments == 1
    with pytest.raises(DataError, match="there are 1 segments"):
        table_from_columns([4], [0], [1], n_units=1, n_segments=1)


@given(spikes=spikes_lists)
def test_columns_that_are_taken_over_give_the_same_table(spikes):
    samples, units, segments = columns_of(spikes)
    samples, units = samples.copy(), units.astype(np.int32)
    known = {"n_units": N_UNITS, "n_segments": N_SEGMENTS}
    table = table_from_columns(samples, units, segments, in_place=True, **known)
    assert spikes_of(table) == spikes_of(table_of(spikes))


def test_columns_are_taken_over_where_they_can_be():
    samples, units = np.array([9, 3, 3]), np.array([0, 1, 0], np.int32)
    apart = table_from_columns(samples, units, n_units=2)
    assert samples.tolist() == [9, 3, 3]
    assert not np.shares_memory(apart.sample_index, samples)
    table = table_from_columns(samples, units, n_units=2, in_place=True)
    assert np.shares_memory(table.sample_index, samples)
    assert (samples.tolist(), units.tolist()) == ([3, 3, 9], [0, 1, 0])
    locked, narrow = np.array([9, 3]), np.array([1, 0], np.int16)
    locked.flags.writeable = False
    table = table_from_columns(locked, narrow, n_units=2, in_place=True)
    assert table.sample_index.tolist() == [3, 9]
    assert (locked.tolist(), narrow.tolist()) == ([9, 3], [1, 0])


def test_peaks_are_spikes_of_their_channels():
    peaks = np.array([(8, 1, -4.5, 0), (3, 0, -9.0, 0), (3, 1, -9.0, 1)], base_peak_dtype)
    table = table_from_peaks(peaks, ["left", "right"], n_segments=3)
    assert spikes_of(table) == [(0, 3, 0), (0, 8, 1), (1, 3, 1)]
    with pytest.raises(DataError, match="unit index 1"):
        table_from_peaks(peaks, ["left"])


@pytest.mark.parametrize("far", [0, 2**30, 2**55, 2**62])
def test_samples_may_lie_far_apart(far):
    samples, units = np.array([far, -far, far, 3, far]), np.array([5, 2, 1, 0, 5], np.int32)
    expected = sorted(zip(samples.tolist(), units.tolist(), strict=True))
    sort_spikes(samples, units)
    assert list(zip(samples.tolist(), units.tolist(), strict=True)) == expected


@pytest.mark.parametrize("kind", ["no order", "trains", "ties", "many ties"])
def test_many_spikes_are_sorted_like_few(kind):
    samples, units = many_spikes(N_SPIKES_COMPILED + 1000)
    if kind == "many ties":
        samples //= 1000
    order = np.lexsort((units, samples))
    expected = samples[order], units[order]
    if kind == "trains":
        given_order = np.argsort(units, kind="stable")
    elif kind == "no order":
        given_order = np.arange(samples.size)
    else:
        given_order = np.argsort(samples, kind="stable")
    sorted_samples, sorted_units = samples[given_order], units[given_order].astype(np.int32)
    sort_spikes(sorted_samples, sorted_units)
    assert np.array_equal(sorted_samples, expected[0])
    assert np.array_equal(sorted_units, expected[1])


def test_what_was_given_is_not_changed_and_the_table_is_not_written_through():
    samples, labels = np.array([5, 3]), np.array([1, 0])
    table, _ = table_from_samples_and_labels([samples], [labels])
    assert samples.tolist() == [5, 3]
    assert not np.shares_memory(samples, table.sample_index)
    with pytest.raises(ValueError, match="read-only"):
        table.sample_index[0] = 7


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_floats_must_be_whole(dtype):
    table, _ = table_from_samples_and_labels([np.array([3, 1], dtype)], [[0, 0]])
    assert table.sample_index.tolist() == [1, 3]
    for wrong in (0.5, np.nan, np.inf, 1e19, -1e300):
        with pytest.raises(DataError, match="whole numbers"):
            table_from_samples_and_labels([[wrong]], [[0]])


def test_samples_and_labels_must_match():
    with pytest.raises(DataError, match="Segment 1 has 2 samples and 1 labels"):
        table_from_samples_and_labels([[], [1, 2]], [[], [0]])
    with pytest.raises(DataError, match="samples of 1 segments and labels of 2"):
        table_from_samples_and_labels([[]], [[], []])
    with pytest.raises(DataError, match="Labels 8 are not among"):
        table_from_samples_and_labels([[1, 2]], [[3, 8]], unit_ids=[3, 4])
    with pytest.raises(DataError, match="same number"):
        table_from_columns([1, 2], [0], n_units=1)


@pytest.mark.parametrize("n_times", [0, 1, 1000, 20_000])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint64", "float64"])
def test_times_are_sorted_only_if_they_are_not(n_times, dtype):
    random = np.random.default_rng(0).integers(0, 10**9, n_times)
    times = (random if dtype[0] == "u" else random - 5 * 10**8).astype(dtype)
    before = times.copy()
    in_order = sorted_times(times)
    assert in_order.dtype == dtype
    np.testing.assert_array_equal(in_order, np.sort(before))
    np.testing.assert_array_equal(times, before)
    assert sorted_times(in_order) is in_order


def test_times_that_lie_far_apart_are_sorted():
    times = np.array([2**62, -(2**62), 2**63 - 1, 0] * 5000)
    np.testing.assert_array_equal(sorted_times(times), np.sort(times))
