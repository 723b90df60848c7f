import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.spike_labels import check_unit_ids, index_labels
from spikeloom.errors import DataError

numbers = st.integers(-5, 5) | st.integers(-(2**62), 2**62)
# No text ends in the character zero: numpy's text of fixed width cannot hold it.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10) | st.text(
    "0123", max_size=3
)
labels_lists = st.lists(st.lists(numbers, max_size=20), max_size=3) | st.lists(
    st.lists(texts, max_size=20), max_size=3
)


@given(labels_lists)
def test_each_label_finds_itself_among_the_sorted_labels(labels_list):
    ids, indices = index_labels(labels_list)
    assert ids.tolist() == sorted({label for labels in labels_list for label in labels})
    assert [ids[part].tolist() for part in indices] == labels_list
    assert {part.dtype for part in indices} <= {np.dtype(np.int32)}


@given(labels_lists, st.randoms(use_true_random=False))
def test_given_ids_keep_their_order(labels_list, random):
    wanted = list({label for labels in labels_list for label in labels})
    random.shuffle(wanted)
    ids, indices = index_labels(labels_list, wanted)
    assert ids.tolist() == wanted
    assert [ids[part].tolist() for part in indices] == labels_list


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint64])
def test_labels_of_every_integer_type_are_fine(dtype):
    limits = np.iinfo(dtype)
    labels = np.array([limits.max, limits.min, 3, limits.max], dtype)
    ids, (indices,) = index_labels([labels])
    assert ids.dtype == dtype
    assert np.array_equal(ids[indices], labels)


def test_labels_of_different_integer_types_share_their_ids():
    ids, parts = index_labels([np.array([2], np.uint64), np.array([1], np.int64)])
    assert ids.tolist() == [1, 2]
    assert [part.tolist() for part in parts] == [[1], [0]]


@pytest.mark.parametrize(
    ("labels", "unit_ids", "named"),
    [
        ([3, 9, 1], [1, 3], "9"),
        ([3, 2, 1], [1, 3], "2"),
        ([3, 2 * 10**9, 1], [1, 3, 10**9], str(2 * 10**9)),
        ([3, 4], [10**15, 4], "3"),
        (["a", "b"], ["a", "c"], "'b'"),
        (["a", "long enough to be looked up"], ["a", "c"], "'long enough to be looked up'"),
        ([3], ["3"], "3"),
        (["3"], [3], "'3'"),
        ([3], [], "3"),
        (["x"], [], "'x'"),
    ],
)
def test_labels_that_are_no_ids_are_named(labels, unit_ids, named):
    with pytest.raises(DataError, match=rf"Labels {named} are not among"):
        index_labels([labels], unit_ids)


def test_only_some_of_many_wrong_labels_are_named():
    with pytest.raises(DataError, match=r"and 15 more are not among the 1 unit ids"):
        index_labels([np.arange(21)], [0])


@pytest.mark.parametrize("labels", [[1.5], [True], [[1, 2]], [None], [1, "a", None]])
def test_labels_that_are_neither_numbers_nor_text_are_refused(labels):
    with pytest.raises(DataError, match="whole numbers or of text"):
        index_labels([labels])


def test_numbers_and_text_are_not_mixed():
    with pytest.raises(DataError, match="use one kind"):
        index_labels([[1], ["1"]])


def test_no_labels_have_no_ids():
    ids, indices = index_labels([[], []])
    assert ids.size == 0
    assert [part.size for part in indices] == [0, 0]
    assert index_labels([], ["a"])[0].tolist() == ["a"]


def test_an_id_is_given_once():
    with pytest.raises(DataError, match=r"given twice: \[4\]"):
        check_unit_ids([4, 1, 4])
