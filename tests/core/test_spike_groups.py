import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core import spike_groups
from spikeloom.core.spike_groups import count_by_label, group_spikes
from spikeloom.errors import DataError

label_lists = st.lists(st.sampled_from([0, 1, 2, 7, 100, 5000, 2**31 - 1]), max_size=40)


def expected_groups(labels):
    return {label: [i for i, x in enumerate(labels) if x == label] for label in sorted(set(labels))}


@given(label_lists, st.sampled_from([np.int32, np.int64, np.uint32]))
def test_each_label_has_its_spikes_in_order(labels, dtype):
    groups = group_spikes(np.array(labels, dtype))
    expected = expected_groups(labels)
    assert groups.labels.tolist() == list(expected)
    assert groups.counts().tolist() == [len(spikes) for spikes in expected.values()]
    for label, spikes in expected.items():
        assert groups.spikes_of(label).tolist() == spikes
    assert sorted(groups.order.tolist()) == list(range(len(labels)))


@given(label_lists)
def test_a_label_that_does_not_occur_has_no_spikes(labels):
    groups = group_spikes(np.array(labels, np.int64))
    for absent in (-1, 3, 99, 2**31 - 2):
        assert groups.spikes_of(absent).size == 0


def test_spikes_are_views_not_copies():
    groups = group_spikes(np.array([1, 0, 1]))
    assert np.shares_memory(groups.spikes_of(1), groups.order)


def test_a_few_huge_labels_need_no_table_as_long_as_the_largest(monkeypatch):
    def refuse(_labels, counts):
        pytest.fail(f"a table of {counts.size} counts was made")

    monkeypatch.setattr(spike_groups, "count_labels", refuse)
    labels, counts, positions = count_by_label(np.array([5, 2**30, 5], np.int64))
    assert labels.tolist() == [5, 2**30]
    assert counts.tolist() == [2, 1]
    assert positions.tolist() == [0, 1, 0]


def test_a_negative_label_is_an_error():
    with pytest.raises(DataError, match="-3"):
        group_spikes(np.array([0, -3]))


def test_no_spikes_make_no_groups():
    groups = group_spikes(np.zeros(0, np.int32))
    assert groups.labels.size == groups.order.size == 0
    assert groups.offsets.tolist() == [0]
