"""The time base of Kwik files."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import DataError
from spikeloom.extractors.kwik_times import concatenate_spikes, put_in_order, recording_offsets


def test_spikes_follow_the_offsets_of_their_recordings():
    found = concatenate_spikes([2, 3, 5, 0, 11, 1], [0, 0, 0, 1, 1, 2], [0, 7, 100])
    assert found.tolist() == [2, 3, 5, 7, 18, 101]


def test_known_lengths_give_the_offsets():
    assert recording_offsets([10, 20, 30], [0, 0, 0], [9, 9, 9]).tolist() == [0, 10, 30]


def test_without_raw_data_the_file_says_where_recordings_begin():
    assert recording_offsets([None, None], [0, 100], [90, 5]).tolist() == [0, 100]
    assert recording_offsets([None, None], [500, 600], [90, 5]).tolist() == [0, 100]


def test_a_start_that_spikes_contradict_is_not_believed():
    assert recording_offsets([None, None], [0, 90], [90, 5]).tolist() == [0, 91]
    assert recording_offsets([None, None, None], [None] * 3, [90, -1, 4]).tolist() == [0, 91, 91]


def fixed_one_by_one(samples):
    """What klusta does: add one to each spike that comes before the one above it, until none."""
    fixed = np.array(samples)
    while np.any(np.diff(fixed) < 0):
        fixed[np.flatnonzero(np.diff(fixed) < 0) + 1] += 1
    return fixed


@given(st.lists(st.integers(0, 30), max_size=20))
def test_spikes_are_put_in_order_as_klusta_does(samples):
    found, n_moved = put_in_order(np.array(samples, np.int64), 20_000.0)
    np.testing.assert_array_equal(found, fixed_one_by_one(np.array(samples, np.int64)))
    assert n_moved == np.count_nonzero(found != np.array(samples))


def test_spikes_in_another_order_are_refused_not_moved():
    with pytest.raises(DataError, match="spike 2 is at sample 5, after one at sample 100000"):
        put_in_order(np.array([1, 100_000, 5]), 20_000.0)
