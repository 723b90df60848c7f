import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.curation.codec import (
    decode_edit,
    decode_integers,
    decode_selection,
    encode_edit,
    encode_integers,
    encode_selection,
)
from spikeloom.curation.edits import Label, Merge, Restore, Split
from spikeloom.curation.selection import Selection
from spikeloom.errors import JournalError

ids = st.integers(0, 2**31 - 1)
spikes_arrays = st.sets(st.integers(0, 10**9), min_size=1, max_size=30).map(
    lambda s: np.array(sorted(s))
)
cells = st.none() | st.integers(-(2**62), 2**62) | st.floats() | st.text(max_size=10)
names = st.text(min_size=1, max_size=10)
edits = st.one_of(
    st.builds(Merge, st.lists(ids, max_size=5).map(tuple), st.none() | ids),
    st.builds(Label, names, st.dictionaries(ids, cells, max_size=4)),
    st.builds(
        Restore,
        st.lists(ids, max_size=3).map(tuple),
        st.dictionaries(ids, spikes_arrays, max_size=3),
        st.dictionaries(
            names, st.dictionaries(ids, cells.filter(lambda v: v is not None), max_size=2)
        ),
    ),
    st.builds(
        lambda clusters, spikes, has_parts, first: Split(
            tuple(clusters), spikes, np.arange(spikes.size) % 3 if has_parts else None, first
        ),
        st.lists(ids, max_size=5),
        spikes_arrays,
        st.booleans(),
        st.none() | ids,
    ),
)


def through_json(edit):
    return decode_edit(msgspec.json.decode(msgspec.json.encode(encode_edit(edit))))


def comparable(value):
    """Return an edit as plain values, in which nan equals itself."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if hasattr(value, "__dataclass_fields__"):
        return [comparable(getattr(value, name)) for name in value.__dataclass_fields__]
    return value


@given(edits)
def test_every_edit_is_the_same_after_a_journal(edit):
    again = through_json(edit)
    assert type(again) is type(edit)
    assert comparable(again) == comparable(edit)


@given(st.lists(st.integers(-(2**40), 2**40), max_size=50))
def test_integers_are_the_same_after_a_journal(values):
    decoded = decode_integers(encode_integers(np.array(values, np.int64)))
    assert decoded.tolist() == values
    assert not decoded.flags.writeable


def test_many_spikes_take_little_room():
    spikes = np.cumsum(np.random.default_rng(0).integers(1, 50, 100_000))
    assert len(msgspec.json.encode(encode_integers(spikes))) < 200_000


@given(st.lists(ids, max_size=4), st.lists(ids, max_size=4))
def test_selections_are_the_same_after_a_journal(best, similar):
    selection = Selection(tuple(best), tuple(similar))
    assert decode_selection(
        msgspec.json.decode(msgspec.json.encode(encode_selection(selection)))
    ) == (selection)


SPIKES = encode_integers(np.arange(5))


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"op": "merge"},
        {"op": "merge", "clusters": 5, "to": 1},
        {"op": "unheard of"},
        {"op": "split", "clusters": [1], "first": 2, "parts": None},
        {"op": "split", "clusters": [1], "first": 2, "parts": None, "spikes": {"n": 5, "z": "!!"}},
        {
            "op": "split",
            "clusters": [1],
            "first": 2,
            "parts": None,
            "spikes": {"n": 4} | {"z": SPIKES["z"]},
        },
        {
            "op": "split",
            "clusters": [1],
            "first": 2,
            "parts": None,
            "spikes": {"n": 6} | {"z": SPIKES["z"]},
        },
        {"op": "label", "name": "x", "values": 5},
        {"op": "label", "name": "x", "values": [[1, [2]]]},
        {"op": "label", "name": "x", "values": [[1, {"float": "no"}]]},
        {"op": "restore", "removed": [1]},
    ],
    ids=str,
)
def test_an_edit_that_cannot_be_read_is_an_error(entry):
    with pytest.raises(JournalError):
        decode_edit(entry)


def test_a_journal_that_promises_little_cannot_fill_the_memory():
    bomb = encode_integers(np.zeros(2_000_000, np.int64))
    assert len(bomb["z"]) < 500_000
    with pytest.raises(ValueError, match="5 integers were promised"):
        decode_integers({"n": 5, "z": bomb["z"]})


def test_what_is_no_edit_is_not_written():
    with pytest.raises(JournalError, match="not kept in journals"):
        encode_edit(object())
