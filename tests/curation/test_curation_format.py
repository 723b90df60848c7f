"""Curations are read from files of all versions, and do not contradict themselves."""

import copy
import json

import numpy as np
import pytest

from making.curations import DEFINITIONS, SORTINGVIEW, curation_v1, curation_v2
from spikeloom.curation import (
    Curation,
    Merge,
    SequentialCuration,
    Split,
    curation_from_dict,
    load_curation,
    validate_curation_dict,
)
from spikeloom.curation.curation_format import as_curation
from spikeloom.errors import CurationError, DataError, MissingFileError

UNITS = {"format_version": "2", "unit_ids": [1, 2, 3]}
LABELS = {**UNITS, "label_definitions": DEFINITIONS}


def test_version_1():
    curation = curation_from_dict(curation_v1())
    assert curation.merges == [Merge([1, 2])]
    assert curation.removed == [6]
    assert curation.manual_labels[1].labels["putative_type"] == ["excitatory", "pyramidal"]
    assert curation.label_definitions["quality"].exclusive is True
    assert curation.format_version == "1"


def test_what_is_written_is_version_2_and_reads_as_the_same():
    for given in (curation_v1(), curation_v2(), SORTINGVIEW):
        curation = curation_from_dict(given)
        written = json.loads(json.dumps(curation.to_dict()))
        assert written["format_version"] == "2"
        again = curation_from_dict(written)
        assert again.to_dict() == curation.to_dict()


def test_sortingview():
    curation = curation_from_dict(SORTINGVIEW)
    assert curation.unit_ids == [1, 6, 14, 2, 10, 3]
    assert curation.merges == [Merge([2, 10]), Merge([3, 1])]
    assert curation.label_definitions["all_labels"].label_options == ["accept", "artifact"]
    text = {"labelsByUnit": {"a": ["accept"], "7": []}, "mergeGroups": [["a", 7]]}
    assert curation_from_dict(text).merges == [Merge(["a", "7"])]


def test_spellings_of_merges_and_splits():
    by_new_id = curation_from_dict({**UNITS, "merges": {9: [1, 2]}})
    assert by_new_id.merges == [Merge([1, 2], 9)]
    assert curation_from_dict({**UNITS, "merges": [[1, 2]]}).merges == [Merge([1, 2])]
    by_unit = curation_from_dict({**UNITS, "splits": {1: [[0, 1], [2]], 2: [0, 0, 1]}})
    assert by_unit.splits == [
        Split(1, "indices", [[0, 1], [2]]),
        Split(2, "labels", labels=[0, 0, 1]),
    ]
    arrays = {
        **UNITS,
        "unit_ids": np.array([1, 2, 3]),
        "splits": {1: [np.array([0]), np.array([1])]},
    }
    assert curation_from_dict(arrays).splits[0].indices == [[0], [1]]


def test_files(tmp_path):
    path = tmp_path / "curation.json"
    path.write_text(json.dumps(curation_v2()))
    assert load_curation(path).to_dict() == curation_from_dict(curation_v2()).to_dict()
    path.write_text("{not json")
    with pytest.raises(DataError, match="no JSON"):
        load_curation(path)
    with pytest.raises(MissingFileError):
        load_curation(tmp_path / "absent.json")


def test_a_dictionary_is_not_changed_by_reading_it():
    for given in (curation_v1(), curation_v2(), SORTINGVIEW):
        before = copy.deepcopy(given)
        validate_curation_dict(given)
        assert given == before


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([], "is a dictionary"),
        ({}, "neither a format_version nor labelsByUnit"),
        ({"format_version": "3", "unit_ids": [1]}, "unknown"),
        ({"format_version": "2"}, "no unit_ids"),
        ({**UNITS, "unit_ids": [1, 1]}, "listed more than once"),
        ({**UNITS, "removed": [7]}, "removed, but not among"),
        ({**UNITS, "merges": [[1, 7]]}, "merged, but not among"),
        ({**UNITS, "merges": [[1]]}, "fewer than two"),
        ({**UNITS, "merges": [[1, 2], [2, 3]]}, "merged more than once"),
        ({**UNITS, "merges": [[1, 2]], "removed": [2]}, "both merged and removed"),
        ({**UNITS, "merges": {3: [1, 2]}}, "those of other units"),
        ({**UNITS, "merges": [{"ids": [1, 2]}]}, "KeyError"),
        ({**UNITS, "splits": [{"unit_id": 9, "indices": [[0]]}]}, "split, but not among"),
        ({**UNITS, "splits": [{"unit_id": 1}]}, "no indices"),
        ({**UNITS, "splits": [{"unit_id": 1, "mode": "labels"}]}, "no labels"),
        ({**UNITS, "splits": [{"unit_id": 1, "mode": "maybe", "labels": [1]}]}, "'maybe'"),
        ({**UNITS, "splits": {1: [[0, 1], [1]]}}, "more than once"),
        ({**UNITS, "splits": {1: [[0], [1]]}, "removed": [1]}, "both split and removed"),
        ({**UNITS, "splits": {1: [[0], [1]]}, "merges": [[1, 2]]}, "both merged and split"),
        (
            {
                **UNITS,
                "splits": [
                    {"unit_id": 1, "labels": [0, 1], "mode": "labels", "new_unit_ids": [8, 9, 7]}
                ],
            },
            "3 new ids for 2 parts",
        ),
        (
            {**UNITS, "splits": [{"unit_id": 1, "indices": [[0]], "new_unit_ids": [8, 2]}]},
            "those of other units",
        ),
        ({**LABELS, "manual_labels": [{"unit_id": 9, "quality": ["good"]}]}, "labelled, but"),
        ({**LABELS, "manual_labels": [{"unit_id": 1, "hue": ["red"]}]}, "'hue'"),
        ({**LABELS, "manual_labels": [{"unit_id": 1, "quality": "good"}]}, "no list"),
        ({**LABELS, "manual_labels": [{"unit_id": 1, "quality": ["good", "MUA"]}]}, "exclusive"),
        ({**LABELS, "manual_labels": [{"unit_id": 1, "putative_type": ["odd"]}]}, "'odd'"),
    ],
)
def test_what_contradicts_itself(given, match):
    with pytest.raises(CurationError, match=match):
        validate_curation_dict(given)
    assert issubclass(CurationError, ValueError)


def test_parts_of_a_split():
    assert [p.tolist() for p in Split(1, indices=[[4], [0, 2]]).parts(5)] == [[4], [0, 2], [1, 3]]
    assert [p.tolist() for p in Split(1, indices=[[1], [0]]).parts(2)] == [[1], [0]]
    labels = Split(1, "labels", labels=[7, 2, 7])
    assert [p.tolist() for p in labels.parts(3)] == [[1], [0, 2]]
    with pytest.raises(CurationError, match="each spike needs one"):
        labels.parts(4)
    with pytest.raises(CurationError, match="from 0 to 4"):
        Split(1, indices=[[5]]).parts(5)


def test_steps_fit_each_other():
    first = {**UNITS, "merges": [{"unit_ids": [1, 2], "new_unit_id": 5}], "removed": []}
    second = {"format_version": "2", "unit_ids": [3, 5], "removed": [3]}
    steps = as_curation([first, second])
    assert isinstance(steps, SequentialCuration)
    assert steps.curation_steps[0].get_final_ids_from_new_unit_ids() == [3, 5]
    with pytest.raises(CurationError, match="other units than curation 0"):
        as_curation([first, {**second, "unit_ids": [3, 6]}])
    with pytest.raises(CurationError, match="no new_unit_id"):
        as_curation([{**UNITS, "merges": [[1, 2]]}, second])
    with pytest.raises(CurationError, match="no new_unit_ids"):
        as_curation([{**UNITS, "splits": {1: [[0], [1]]}}, second])


def test_final_ids_of_all_kinds():
    curation = Curation(
        [1, 2, 3, 4, 5],
        removed=[5],
        merges=[Merge([1, 3], 3)],
        splits=[Split(2, indices=[[0]], new_unit_ids=[8, 9])],
    )
    assert curation.final_unit_ids() == [3, 4, 8, 9]


def test_no_curation():
    with pytest.raises(CurationError, match="got int"):
        as_curation(3)
