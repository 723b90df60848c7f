"""Labels by the thresholds of Bombcell are those of SpikeInterface, on tables of all kinds."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest

from spikeloom.curation import bombcell_get_default_thresholds, bombcell_label_units

pytestmark = pytest.mark.peer

ASK = """
import json, sys, warnings
import pandas as pd
warnings.simplefilter("ignore")
from spikeinterface.curation import bombcell_get_default_thresholds, bombcell_label_units
metrics = pd.read_json(sys.argv[1], orient="split")
answer = {"thresholds": bombcell_get_default_thresholds(), "labels": []}
extra = bombcell_get_default_thresholds()
extra["non-somatic"]["velocity_above"] = {"greater": 100, "less": None}
for thresholds in (None, extra):
    for split in (False, True):
        table = bombcell_label_units(
            external_metrics=metrics, thresholds=thresholds, split_non_somatic=split
        )
        answer["labels"].append(table["bombcell_label"].tolist())
print(json.dumps(answer))
"""

RANGES = {
    "num_positive_peaks": (0, 3),
    "num_negative_peaks": (0, 2),
    "peak_to_trough_duration": (0.0, 0.0013),
    "waveform_baseline_flatness": (0.0, 0.6),
    "peak_after_to_trough_ratio": (0.0, 0.9),
    "exp_decay": (0.005, 0.11),
    "amplitude_median": (-400, 0),
    "snr": (3, 20),
    "amplitude_cutoff": (0.0, 0.25),
    "num_spikes": (200, 2000),
    "sliding_rp_violation": (0.0, 0.12),
    "presence_ratio": (0.6, 1.0),
    "drift_ptp": (0, 120),
    "isolation_distance": (15, 100),
    "peak_before_to_trough_ratio": (0, 4),
    "peak_before_width": (0.0, 0.0005),
    "trough_width": (0.0, 0.0005),
    "peak_before_to_peak_after_ratio": (0, 4),
    "main_peak_to_trough_ratio": (0, 0.85),
    "velocity_above": (80, 900),
}


def test_labels_and_thresholds_are_those_of_the_peer(tmp_path, peer_python):
    rng = np.random.default_rng(0)
    metrics = pd.DataFrame({name: rng.uniform(*ends, 4000) for name, ends in RANGES.items()})
    counts = ["num_positive_peaks", "num_negative_peaks"]
    metrics[counts] = metrics[counts].round()
    # Most metrics are fine for most units, as otherwise few labels would occur.
    fine = {"num_positive_peaks": 1, "num_negative_peaks": 1, "exp_decay": 0.05}
    fine |= {"peak_to_trough_duration": 0.0005, "snr": 9.0, "amplitude_median": -80.0}
    for name, value in fine.items():
        metrics.loc[rng.random(4000) < 0.9, name] = value
    holes = rng.random(metrics.shape) < 0.02
    metrics = metrics.astype(float).mask(pd.DataFrame(holes, columns=metrics.columns))
    path = tmp_path / "metrics.json"
    metrics.to_json(path, orient="split", double_precision=15)
    done = subprocess.run(
        [peer_python, "-c", ASK, path], check=True, capture_output=True, text=True, timeout=120
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert bombcell_get_default_thresholds() == answer["thresholds"]
    extra = bombcell_get_default_thresholds()
    extra["non-somatic"]["velocity_above"] = {"greater": 100, "less": None}
    seen = set()
    k = 0
    for thresholds in (None, extra):
        for split in (False, True):
            with pytest.warns(UserWarning, match="l_ratio"):
                table = bombcell_label_units(
                    external_metrics=pd.read_json(path, orient="split"),
                    thresholds=thresholds,
                    split_non_somatic=split,
                )
            assert table["bombcell_label"].tolist() == answer["labels"][k]
            seen |= set(answer["labels"][k])
            k += 1
    assert seen == {"noise", "mua", "good", "non_soma", "non_soma_good", "non_soma_mua"}
