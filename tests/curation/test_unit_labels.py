import json

import numpy as np
import pandas as pd
import pytest

from making.curations import curation_v1, curation_v2
from spikeloom.curation import (
    curation_label_to_dataframe,
    curation_label_to_vectors,
    get_labeling_summary,
    threshold_metrics_label_units,
)
from spikeloom.errors import CurationError, ParameterError

METRICS = pd.DataFrame(
    {"snr": [2.0, 8.0, np.nan, 9.0], "drift": [-4.0, 1.0, 1.0, np.nan]}, index=["a", "b", "c", "d"]
)
BOTH = {"snr": {"greater": 5, "less": 9.0}, "drift": {"less": 3.0, "abs": True}}


def test_labels_as_columns():
    columns = curation_label_to_vectors(curation_v1())
    assert columns["quality"].tolist() == ["good", "good", "", "", "", ""]
    assert columns["excitatory"].tolist() == [False, True, True, False, False, False]
    assert columns["pyramidal"].tolist() == [False, True, False, False, False, False]
    table = curation_label_to_dataframe(curation_v2())
    assert table.index.tolist() == [1, 2, 3, 6, 10, 14]
    assert table.loc[14, "quality"] == "MUA"


def test_columns_of_one_name():
    clash = curation_v2()
    clash["label_definitions"] = {
        **clash["label_definitions"],
        "pyramidal": {"label_options": ["x", "y"], "exclusive": True},
    }
    with pytest.raises(CurationError, match="several columns"):
        curation_label_to_vectors(clash)


@pytest.mark.parametrize(
    ("operator", "nan_policy", "expected"),
    [
        ("and", "fail", [False, True, False, False]),
        ("and", "pass", [False, True, True, True]),
        ("and", "ignore", [False, True, True, True]),
        ("or", "fail", [False, True, True, True]),
        ("or", "pass", [False, True, True, True]),
        ("or", "ignore", [False, True, True, True]),
    ],
)
def test_thresholds(operator, nan_policy, expected):
    labels = threshold_metrics_label_units(
        METRICS, BOTH, operator=operator, nan_policy=nan_policy, column_name="kind"
    )
    assert labels["kind"].tolist() == ["good" if one else "noise" for one in expected]
    assert labels.index.tolist() == list("abcd")


def test_thresholds_of_a_file_and_those_that_are_off(tmp_path):
    path = tmp_path / "thresholds.json"
    path.write_text(json.dumps({"snr": {"greater": 5, "less": None}}))
    labels = threshold_metrics_label_units(METRICS, path, "in", "out")
    assert labels["label"].tolist() == ["out", "in", "out", "in"]
    off = {"snr": {"greater": None}, "drift": {"less": float("nan")}}
    assert set(threshold_metrics_label_units(METRICS, off, operator="or")["label"]) == {"good"}


def test_only_nan_is_ignored():
    metrics = pd.DataFrame({"x": [np.nan]})
    for operator, label in [("and", "good"), ("or", "noise")]:
        found = threshold_metrics_label_units(
            metrics, {"x": {"less": 1}}, operator=operator, nan_policy="ignore"
        )
        assert found["label"].tolist() == [label]


def test_thresholds_that_make_no_sense():
    for kwargs, match in [
        ({"thresholds": {"size": {"less": 1}}}, "size"),
        ({"thresholds": {"snr": {"above": 1}}}, "above"),
        ({"thresholds": 3}, "dictionary"),
        ({"thresholds": BOTH, "operator": "xor"}, "operator"),
        ({"thresholds": BOTH, "nan_policy": "drop"}, "nan_policy"),
    ]:
        with pytest.raises(ParameterError, match=match):
            threshold_metrics_label_units(METRICS, **kwargs)


def test_summary():
    summary = get_labeling_summary(["a", "b", "a"], ["a", "b", "c"])
    assert summary == {
        "total_units": 3,
        "counts": {"a": 2, "b": 1, "c": 0},
        "percentages": {"a": 66.7, "b": 33.3, "c": 0.0},
    }
    with pytest.raises(ParameterError, match="none of"):
        get_labeling_summary(["a"], ["b"])
    assert get_labeling_summary([])["total_units"] == 0
