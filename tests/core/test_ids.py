import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.ids import IdIndex, as_ids
from spikeloom.errors import ParameterError

id_lists = st.one_of(
    st.lists(st.integers(-1000, 1000), unique=True, max_size=20),
    st.lists(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1), unique=True),
)


@given(id_lists, st.data())
def test_every_selection_is_found_in_its_order(ids, data):
    index = IdIndex(as_ids(ids), "channel id")
    picked = data.draw(st.lists(st.sampled_from(ids))) if ids else []
    expected = [ids.index(id) for id in picked]
    for spelling in (picked, tuple(picked), np.array(picked, as_ids(ids).dtype), iter(picked)):
        assert np.asarray(index.positions(spelling)).tolist() == expected
    positions = np.arange(len(ids))[index.positions(picked, prefer_slice=True)]
    assert positions.tolist() == expected
    assert [index.position(id) for id in ids] == list(range(len(ids)))


def test_a_slice_is_preferred_where_ids_are_consecutive():
    index = IdIndex(as_ids(list("abcd")), "channel id")
    assert index.positions(["b", "c"], prefer_slice=True) == slice(1, 3)
    assert index.positions(["d"], prefer_slice=True) == slice(3, 4)
    assert index.positions(None, prefer_slice=True) == slice(None)
    for ids in (["c", "b"], ["a", "c"], []):
        assert isinstance(index.positions(ids, prefer_slice=True), np.ndarray)


def test_all_ids_and_none():
    index = IdIndex(as_ids([5, 6]), "unit id")
    assert index.positions(None).tolist() == [0, 1]
    assert index.positions([]).tolist() == []
    assert IdIndex(as_ids([]), "unit id").positions(None).tolist() == []


def test_numpy_scalars_are_ids():
    assert IdIndex(as_ids([5, 6]), "id").position(np.uint8(6)) == 1
    assert IdIndex(as_ids(["a", "b"]), "id").position(np.str_("b")) == 1


@pytest.mark.parametrize(
    ("ids", "asked", "says"),
    [
        (["1", "2"], [1], "These ids are of type str, not int"),
        ([1, 2], ["1"], "These ids are of type int, not str"),
        (["left", "right"], ["lefft"], "Did you mean 'left'"),
        (list(range(100)), [100], "…"),
        ([], ["a"], "Known: none"),
        ([1, 2], [[1]], "Unknown channel id"),
        ([1, 2], [None], "Unknown channel id: None"),
        (["ab", "b"], "ab", "A list of channel ids is needed"),
        ([1, 2], 1, "A list of channel ids is needed"),
        ([0, 1], [True, False], "ids\\[mask\\]"),
        ([0, 1], np.array([True, False]), "truth values"),
    ],
)
def test_mistyped_ids_are_refused_with_a_hint(ids, asked, says):
    with pytest.raises(ParameterError, match=says):
        IdIndex(as_ids(ids), "channel id").positions(asked)


def test_a_single_unknown_id_is_refused():
    index = IdIndex(as_ids([0, 1]), "unit id")
    for id in (2, "0", None, [0], True):
        with pytest.raises(ParameterError, match="Unknown unit id"):
            index.position(id)
    assert 1 in index
    assert [1] not in index
    assert 7 not in index


@pytest.mark.parametrize(
    "ids", [[1.5, 2.5], [[1, 2]], [None, "a"], [1, "a", None], 3, np.array(["a", 1], object)]
)
def test_only_whole_numbers_and_strings_are_ids(ids):
    with pytest.raises(ParameterError, match="must be a list of whole numbers or of strings"):
        as_ids(ids, "unit id")


def test_ids_are_there_once():
    with pytest.raises(ParameterError, match=r"The unit ids \['a'\] are there more than once"):
        as_ids(["a", "b", "a"], "unit id")


def test_strings_of_variable_length_become_fixed_ones():
    for ids in (np.array(["a", "bcd"], object), np.array(["a", "bcd"], np.dtypes.StringDType())):
        assert as_ids(ids).dtype == "<U3"
    assert as_ids([]).dtype.kind == "i"


def test_ids_that_would_fill_the_memory_are_refused():
    """Texts of an array are all as wide as the longest."""
    with pytest.raises(ParameterError, match=r"400 unit ids take .* 100000 characters"):
        as_ids([*map(str, range(399)), "x" * 100_000], "unit id")
    assert as_ids(["a", "b" * 1000]).tolist() == ["a", "b" * 1000]
