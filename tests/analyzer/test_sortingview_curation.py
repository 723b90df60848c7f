"""Curations of sortingview, from a file."""

import json

import pytest

import spikeloom as si
from spikeloom.errors import ParameterError

GIVEN = {
    "labelsByUnit": {"1": ["accept"], "2": ["accept", "artifact"], "3": ["accept"], "4": ["noise"]},
    "mergeGroups": [["1", "2", "3"]],
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "curation.json").write_text(json.dumps(GIVEN))
    return tmp_path / "curation.json"


@pytest.fixture
def sorting():
    return si.NumpySorting.from_unit_dict({str(k): [100 * k] for k in range(1, 6)}, 30000.0)


@pytest.mark.parametrize(
    ("options", "unit_ids"),
    [
        ({}, ["4", "5", "1-2-3"]),
        ({"skip_merge": True}, ["1", "2", "3", "4", "5"]),
        ({"exclude_labels": ["artifact", "noise"]}, ["5", "1-3"]),
        ({"include_labels": ["accept"]}, ["1-2-3"]),
        ({"include_labels": ["accept", "artifact"]}, ["2"]),
    ],
)
def test_units_are_merged_and_chosen(sorting, path, options, unit_ids):
    curated = si.apply_sortingview_curation(sorting, path, **options)
    assert curated.unit_ids.tolist() == unit_ids


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude_labels": ["a"], "include_labels": ["b"]}, "not both"),
        ({"exclude_labels": ["strange"]}, "strange"),
    ],
)
def test_what_makes_no_sense_is_said(sorting, path, options, message):
    with pytest.raises(ParameterError, match=message):
        si.apply_sortingview_curation(sorting, path, **options)


def test_links_are_not_followed(sorting):
    with pytest.raises(ParameterError, match="download"):
        si.apply_sortingview_curation(sorting, "gh://somebody/curation.json")
