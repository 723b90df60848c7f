import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.compared import pairs_of_segment_lists, sorting_of
from reference import coincidences as twin
from spikeloom.comparison import do_count_event, make_match_count_matrix
from spikeloom.comparison.coincidences import (
    check_comparable,
    count_coincidences,
    delta_in_samples,
)
from spikeloom.errors import ParameterError

deltas = st.integers(0, 15)


@given(pairs_of_segment_lists, deltas)
def test_counts_are_summed_over_segments_and_bounded_by_the_tested_spikes(pair, delta):
    expected = sum(twin.count_matrix(*lists, delta) for lists in zip(*pair, strict=True))
    bound = [sum(len(units[k]) for units in pair[1]) for k in range(len(pair[1][0]))]
    counts = count_coincidences(*map(sorting_of, pair), delta)
    assert counts.tolist() == np.minimum(expected, np.array(bound, np.int64)).tolist()


@given(pairs_of_segment_lists, deltas)
def test_symmetric_counts_do_not_depend_on_which_sorting_is_first(pair, delta):
    one, two = map(sorting_of, pair)
    counts = count_coincidences(one, two, delta, is_symmetric=True)
    assert counts.tolist() == count_coincidences(two, one, delta, is_symmetric=True).T.tolist()
    # No more than either unit has spikes, so that no agreement is above 1.
    assert np.all(counts <= one.count_num_spikes_per_unit("array")[:, np.newaxis])
    assert np.all(counts <= two.count_num_spikes_per_unit("array"))


@given(pairs_of_segment_lists, deltas)
def test_spikes_shifted_beyond_all_others_coincide_with_none(pair, delta):
    one = sorting_of(pair[0])
    shifted = [[[s + 301 + delta for s in train] for train in units] for units in pair[1]]
    assert not count_coincidences(one, sorting_of(shifted), delta).any()


@pytest.mark.parametrize(("lag", "n_expected"), [(0, 3), (12, 3), (-12, 3), (13, 0), (-13, 0)])
def test_the_distance_is_included(lag, n_expected):
    train = np.array([100, 200, 300])
    one, two = sorting_of([[train]]), sorting_of([[train + lag]])
    assert count_coincidences(one, two, 12).tolist() == [[n_expected]]


def test_a_spike_of_a_segment_never_meets_one_of_another():
    one, two = sorting_of([[[50]], [[]]]), sorting_of([[[]], [[50]]])
    assert count_coincidences(one, two, 12).tolist() == [[0]]


def test_many_spikes_count_like_few():
    rng = np.random.default_rng(0)
    samples = np.flatnonzero(rng.random(2_000_000) < 0.2)
    units = rng.integers(0, 50, (2, samples.size))
    one, two = (sorting_of([[samples[each == k] for k in range(50)]]) for each in units)
    expected = np.histogram2d(*units, bins=50, range=[(0, 50)] * 2)[0]
    assert np.array_equal(count_coincidences(one, two, 0), expected)


def test_the_table_has_units_as_rows_and_columns():
    one = sorting_of([[[100, 200, 300], [150]]], unit_ids=[7, 9])
    two = sorting_of([[[103, 300], [151, 207]]], unit_ids=["a", "b"])
    table = make_match_count_matrix(one, two, 5)
    assert table.at[7, "a"] == 2
    assert table.to_numpy().tolist() == [[2, 0], [0, 1]]
    assert table.to_numpy().dtype == np.int64
    assert do_count_event(one).to_dict() == {7: 3, 9: 1}


@pytest.mark.parametrize(
    ("delta_ms", "fs", "n_samples"),
    [(0.4, 30_000, 12), (0.4, 32_000, 12), (0.3, 20_000, 6), (1.2, 25_000, 30), (0.0, 1.0, 0)],
)
def test_a_whole_number_of_samples_stays_one(delta_ms, fs, n_samples):
    # int(0.3 / 1000 * 20000) is 5: spikes that are 0.3 ms apart would not be within 0.3 ms.
    assert delta_in_samples(delta_ms, fs) == n_samples


@pytest.mark.parametrize("delta_ms", [-0.1, np.nan, np.inf])
def test_a_time_that_makes_no_sense_is_refused(delta_ms):
    with pytest.raises(ParameterError, match="delta_time"):
        delta_in_samples(delta_ms, 30_000)


def test_sortings_that_do_not_fit_are_refused():
    sorting = sorting_of([[[1]]])
    with pytest.raises(ParameterError, match="2 segments"):
        count_coincidences(sorting, sorting_of([[[1]], [[1]]]), 12)
    with pytest.raises(ParameterError, match="sampling frequency"):
        count_coincidences(sorting, sorting_of([[[1]]], fs=29_000.0), 12)
    with pytest.raises(ParameterError, match="A sorting is needed"):
        count_coincidences(sorting, [1, 2], 12)
    with pytest.raises(ParameterError, match="not negative"):
        count_coincidences(sorting, sorting, -1)


def test_sampling_frequencies_may_be_rounded():
    sortings = [sorting_of([[[1]]], fs=29_999.9), sorting_of([[[1]]], fs=30_000.0)]
    assert check_comparable(sortings) == sortings
