"""Dictionaries become JSON that SpikeInterface reads, and come back."""

import enum
import json
import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import MissingFileError, ParameterError, ReadError
from spikeloom.storage.provenance_json import (
    decode_json,
    encode_json,
    read_provenance,
    to_plain,
    write_provenance,
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(plain)
def test_plain_values_stay_what_they_are(tmp_path, value):
    write_provenance(tmp_path / "a" / "b.json", value)
    assert read_provenance(tmp_path / "a" / "b.json") == value
    assert to_plain(value) == value


class Mode(enum.StrEnum):
    RAW = "raw"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int16(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([["a"], ["b"]]), [["a"], ["b"]]),
        (np.array([1, None], object), [1, None]),
        (np.array([(1, 2.5)], [("x", "i4"), ("y", "f8")]), [[1, 2.5]]),
        (np.dtype("<i2"), "int16"),
        (np.float32, "float32"),
        (Path("a") / "b", str(Path("a") / "b")),
        (datetime(2024, 5, 1, 12, tzinfo=UTC), "2024-05-01T12:00:00+00:00"),
        ((1, (2,)), [1, [2]]),
        ({3, 1, 2}, [1, 2, 3]),
        ({np.int64(1): {np.str_("a"): 1}, 2.5: 2, None: 3}, {"1": {"a": 1}, "2.5": 2, "null": 3}),
        (Mode.RAW, "raw"),
    ],
)
def test_what_becomes_of_other_types(value, expected):
    assert to_plain(value) == expected
    assert json.loads(encode_json(value)) == expected


def test_not_a_number_stands_bare():
    assert encode_json([math.nan, -math.inf], indent=None) == b"[NaN, -Infinity]"
    assert math.isnan(decode_json(b"[NaN]", "x")[0])


def test_the_message_leads_to_the_fault():
    with pytest.raises(ParameterError, match=r"value\['kwargs'\]\['list'\]\[1\] is a object"):
        to_plain({"kwargs": {"list": [1, object()]}})
    with pytest.raises(ParameterError, match="key"):
        to_plain({(1, 2): 3})
    assert to_plain([object()], default=lambda _: {"x": np.int8(1)}) == [{"x": 1}]


def test_faulty_files(tmp_path):
    with pytest.raises(MissingFileError):
        read_provenance(tmp_path / "a.json")
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(ReadError, match="JSON"):
            read_provenance(tmp_path / "a.json")
