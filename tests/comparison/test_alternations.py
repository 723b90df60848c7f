from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.compared import sorting_of, trains
from spikeloom.comparison import (
    count_match_spikes,
    count_matching_events,
    make_match_count_matrix,
)
from spikeloom.comparison.alternations import make_matching_events
from spikeloom.errors import ParameterError

deltas = st.integers(0, 15)


def neighbours(train1, train2, delta):
    """Return close neighbours of different trains in the list of all spikes, in order."""
    spikes = sorted(
        [(s, 0, k) for k, s in enumerate(train1)] + [(s, 1, k) for k, s in enumerate(train2)]
    )
    for k, (one, two) in enumerate(pairwise(spikes)):
        if one[1] != two[1] and two[0] - one[0] <= delta:
            first, second = sorted([one, two], key=lambda spike: spike[1])
            yield k, (first[2], second[2], second[0] - first[0])


@given(trains, trains, deltas)
def test_events_are_close_neighbours(train1, train2, delta):
    expected = sorted(event for _, event in neighbours(train1, train2, delta))
    assert sorted(make_matching_events(train1, train2, delta).tolist()) == expected


@given(trains, trains, deltas)
def test_alternating_spikes_count_once(train1, train2, delta):
    places = [k for k, _ in neighbours(train1, train2, delta)]
    n_runs = sum(1 for k in places if k - 1 not in places)
    assert count_matching_events(train1, train2, delta) == n_runs


def test_trains_without_bursts_count_as_in_the_table():
    rng = np.random.default_rng(2)
    train = np.cumsum(rng.integers(30, 90, 200))
    others = [
        [],
        train + 12,
        np.sort(np.unique(train + rng.integers(-4, 5, train.size))[::2]),
    ]
    counts = count_match_spikes(train, others, 12)
    assert counts.tolist() == [0, 200, 100]
    table = make_match_count_matrix(sorting_of([[train]]), sorting_of([others]), 12)
    assert table.to_numpy().tolist() == [counts.tolist()]


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ParameterError, match="in order"):
        count_matching_events([2, 1], [])
    with pytest.raises(ParameterError, match="not negative"):
        count_matching_events([], [], -1)
