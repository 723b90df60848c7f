"""Checking values against a JSON schema, with another program's judgement as the measure."""

import json

import pytest
from hypothesis import given, strategies as st

from spikeloom.datasets.experiment_metadata import experiment_schema
from spikeloom.errors import ParameterError
from spikeloom.storage.json_schema import find_faults

PATHS = st.sampled_from([
    "main/0/x.npy",
    "a.dat",
    "../x",
    "/x",
    "a/../b",
    "..a",
    "c:/x",
    "a\\b",
    "",
])
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(0, 2), PATHS)
LISTS = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
FILES = st.dictionaries(
    st.sampled_from(["path", "unit", "n_channels", "dtype", "sample_rate", "fortran", "other"]),
    PLAIN,
)
KEYS = [*experiment_schema()["properties"], "other"]
METADATA = st.dictionaries(
    st.sampled_from(KEYS),
    st.one_of(
        PLAIN,
        LISTS,
        st.lists(st.one_of(PATHS, FILES), max_size=3),
        st.dictionaries(PATHS, st.one_of(LISTS, FILES), max_size=3),
    ),
    max_size=4,
)


@given(metadata=st.one_of(METADATA, LISTS))
def test_the_same_is_allowed_as_by_another_program(metadata):
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(experiment_schema())
    # To JSON Schema 1.0 is a whole number; to Python, and to us, it is none.
    metadata = json.loads(json.dumps(metadata), parse_float=lambda text: float(text) + 0.001)
    assert validator.is_valid(metadata) == (not find_faults(metadata, experiment_schema()))


@pytest.mark.parametrize(
    ("value", "schema", "told"),
    [
        (1, {"type": "string"}, "1 is an integer where a string is allowed."),
        (True, {"type": "number"}, "True is a boolean where a number is allowed."),
        (
            None,
            {"type": ["string", "array"]},
            "None is null where a string or an array is allowed.",
        ),
        ("b", {"enum": ["a", "c"]}, "'b' is not allowed; it must be 'a' or 'c'."),
        (0, {"exclusiveMinimum": 0}, "0 is not more than 0."),
        ([], {"minItems": 1}, "it has 0 entries, fewer than 1."),
        ("", {"minLength": 1}, "it is empty."),
        ({}, {"required": ["path"]}, "'path' is missing."),
        (
            {"a": [{"b": 1}]},
            {"properties": {"a": {"items": {"properties": {"b": {"type": "null"}}}}}},
            "a[0].b: 1 is an integer where null is allowed.",
        ),
        (
            {"pat": 1},
            {"properties": {"path": {}}, "additionalProperties": False},
            "'pat' is not known here; allowed are path.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(value, schema, told):
    assert [str(fault) for fault in find_faults(value, schema)] == [told]


def test_a_schema_that_says_more_than_is_checked_is_refused():
    with pytest.raises(ParameterError, match="maxLength"):
        find_faults("x", {"maxLength": 3})
