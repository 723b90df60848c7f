"""Labels by the thresholds of Bombcell."""

import json

import numpy as np
import pandas as pd
import pytest

from spikeloom.curation import bombcell_label_units, save_bombcell_results
from spikeloom.errors import ParameterError

LIMITS = {
    "noise": {"num_positive_peaks": {"less": 2}},
    "mua": {"snr": {"greater": 5}, "amplitude_median": {"greater": 30, "abs": True}},
}
METRICS = pd.DataFrame(
    {
        "num_positive_peaks": [1, 3, 1, 1],
        "snr": [9.0, 9.0, 2.0, np.nan],
        "amplitude_median": [-80.0, -80.0, -80.0, -80.0],
    },
    index=["a", "b", "c", "d"],
)


def test_noise_comes_before_activity_of_several_units(tmp_path):
    (tmp_path / "limits.json").write_text(json.dumps(LIMITS))
    for given in (LIMITS, tmp_path / "limits.json"):
        labels = bombcell_label_units(external_metrics=[METRICS], thresholds=given)
        assert labels["bombcell_label"].to_dict() == {
            "a": "good",
            "b": "noise",
            "c": "mua",
            "d": "good",
        }


def test_results_are_written_as_tables(tmp_path):
    labels = bombcell_label_units(external_metrics=METRICS, thresholds=LIMITS)["bombcell_label"]
    save_bombcell_results(METRICS, labels, LIMITS, tmp_path / "labels")
    wide = pd.read_csv(tmp_path / "labels" / "labeling_results_wide.csv", index_col=0)
    assert wide["label"].to_dict() == labels.to_dict()
    narrow = pd.read_csv(tmp_path / "labels" / "labeling_results_narrow.csv")
    assert len(narrow) == 12
    passed = narrow.pivot_table(index="unit_id", columns="metric_name", values="passed")
    assert passed["snr"].tolist() == [1, 1, 0, 0]
    assert passed["amplitude_median"].all()


def test_what_makes_no_sense_is_said():
    with pytest.raises(ParameterError, match="no metrics"):
        bombcell_label_units()
    with pytest.raises(ParameterError, match="sections"):
        bombcell_label_units(external_metrics=METRICS, thresholds={"snr": {"greater": 5}})
