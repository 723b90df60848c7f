"""Settings of the extensions of metrics do what they do in SpikeInterface, on the same analyzer."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest

import spikeloom as si

pytestmark = pytest.mark.peer

ASK = """
import json, sys, warnings
from pathlib import Path
import numpy as np
warnings.simplefilter("ignore")
import spikeinterface.core as si
import spikeinterface.postprocessing, spikeinterface.metrics

folder = Path(sys.argv[1])
cases = json.loads((folder / "cases.json").read_text())
si.set_global_job_kwargs(progress_bar=False, n_jobs=1)
recording, sorting = si.generate_ground_truth_recording(
    durations=[30.0], sampling_frequency=20000.0, num_channels=64, num_units=6, seed=5,
)
recording = recording.save(folder=folder / "recording")
sorting = sorting.rename_units(np.arange(6)).save(folder=folder / "sorting")
analyzer = si.create_sorting_analyzer(
    sorting, recording, sparse=False, format="binary_folder", folder=folder / "analyzer"
)
analyzer.compute("random_spikes", max_spikes_per_unit=100, seed=1)
analyzer.compute("waveforms")
analyzer.compute("templates", operators=["average", "median"])
analyzer.compute(["noise_levels", "spike_amplitudes", "principal_components"])
for name, (extension, params) in cases.items():
    copy = analyzer.copy()
    if "periods" in params:
        periods = np.zeros(len(params["periods"]), si.base.unit_period_dtype)
        for k, row in enumerate(params["periods"]):
            periods[k] = tuple(row)
        params["periods"] = periods
    copy.compute(extension, **params)
    table = copy.get_extension(extension).get_data()
    table.to_json(folder / f"{name}.json", double_precision=15, orient="split")
"""

CASES = {
    "plain": ["template_metrics", {}],
    "coarse": ["template_metrics", {"upsampling_factor": 1, "edge_exclusion_ms": 0.3}],
    "median": [
        "template_metrics",
        {"template_operator": "median", "upsampling_factor": 4, "depth_direction": "x"},
    ],
    "strict": [
        "template_metrics",
        {
            "min_thresh_detect_peaks_troughs": 0.05,
            "min_peak_trough_distance_ratio": 3.0,
            "min_extremum_distance_samples": 40,
            "metric_params": {"recovery_slope": {"recovery_window_ms": 0.4}},
        },
    ],
    "periods": [
        "quality_metrics",
        {
            "metric_names": ["num_spikes", "firing_rate", "amplitude_median", "rp_violation"],
            "metric_params": {"rp_violation": {"refractory_period_ms": 4.0}},
            "periods": [[0, 1000 * unit, 300000 + 1000 * unit, unit] for unit in range(6)],
        },
    ],
    "noise": [
        "quality_metrics",
        {
            "metric_names": ["nn_advanced"],
            "metric_params": {"nn_advanced": {"max_spikes": 60, "seed": 3}},
        },
    ],
    "without_pcs": [
        "quality_metrics",
        {"metric_names": ["snr", "d_prime", "silhouette"], "skip_pc_metrics": True},
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, peer_python):
    made = tmp_path_factory.mktemp("settings")
    cases = {name: case for name, case in CASES.items() if name != "without_pcs"}
    (made / "cases.json").write_text(json.dumps(cases))
    subprocess.run([peer_python, "-c", ASK, made], check=True, timeout=280)
    return made


@pytest.fixture(scope="module")
def analyzer(folder):
    with pytest.warns(UserWarning, match="pickle"):
        return si.load_sorting_analyzer(folder / "analyzer").copy()


def table_of(analyzer, name):
    extension, params = CASES[name]
    return analyzer.copy().compute(extension, **params).get_data()


@pytest.mark.parametrize("name", ["plain", "coarse", "median", "strict", "periods", "noise"])
def test_settings_do_what_they_do_in_the_peer(folder, analyzer, name):
    theirs = pd.read_json(folder / f"{name}.json", orient="split")
    ours = table_of(analyzer, name)
    assert set(ours.columns) == set(theirs.columns)
    for column in theirs.columns:
        if column == "spread":
            continue  # Channels of the same depth have no order, which changes a smoothing.
        expected = theirs[column].to_numpy(float, na_value=np.nan)
        found = ours[column].to_numpy(float, na_value=np.nan)
        tolerance = 0.02 if column.startswith("nn_") else 1e-4
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * 1e-2)


def test_settings_change_what_is_found(analyzer):
    plain = table_of(analyzer, "plain")
    for name in ("coarse", "median", "strict"):
        assert not plain.equals(table_of(analyzer, name)), name


def test_noise_of_the_recording_is_looked_at(analyzer):
    assert table_of(analyzer, "noise")["nn_noise_overlap"].notna().all()


def test_metrics_of_components_are_left_out(analyzer):
    assert table_of(analyzer, "without_pcs").columns.tolist() == ["snr"]
