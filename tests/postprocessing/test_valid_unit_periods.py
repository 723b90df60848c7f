import json
import subprocess

import numpy as np
import pytest

from making.unit_analyzers import put
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.core.joined_periods import joined_periods
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.spike_vector import unit_period_dtype
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.postprocessing.unit_periods import common_periods

FS = 5000.0
N_SAMPLES = (600_000, 300_000)
PARAMS = {
    "period_duration_s_absolute": 10.0,
    "minimum_valid_period_duration": 25.0,
    "num_histogram_bins": 20,
}


def make_trains():
    """Unit a is fine; b has many foreign spikes, and c few large ones, after half of segment 0."""
    rng = np.random.default_rng(0)

    def train(n, rate, low=0):
        # Refractory: at least 10 samples apart.
        starts = np.sort(rng.choice((n - low) // 10, int(rate * (n - low) / FS), replace=False))
        return starts * 10 + low

    segments = []
    for k, n in enumerate(N_SAMPLES):
        b = train(n, 25)
        if k == 0:
            late = b[b > n // 2]
            b = np.sort(np.concatenate([b, late[::3] + 2]))
        segments.append({"a": train(n, 20), "b": b, "c": train(n, 15), "d": train(n, 0)})
    return segments


def make_analyzer():
    trains = make_trains()
    sorting = NumpySorting.from_unit_dict(trains, FS)
    recording = NumpyRecording([np.zeros((n, 2), np.int16) for n in N_SAMPLES], FS)
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    recording.set_dummy_probe_from_locations([[0, 0], [0, 20]])
    analyzer = create_sorting_analyzer(
        sorting, recording, sparse=False, main_channel_indices=[0] * 4, progress_bar=False
    )
    spikes = sorting.to_spike_vector()
    scalings = np.random.default_rng(1).normal(1, 0.1, len(spikes)).astype(np.float32)
    is_late = (spikes["sample_index"] > 300_000) & (spikes["segment_index"] == 0)
    cut_off = is_late & (spikes["unit_index"] == 2)
    scalings[cut_off] = 1 + np.abs(scalings[cut_off] - 1)
    put(
        analyzer,
        "amplitude_scalings",
        {},
        amplitude_scalings=scalings,
        collision_mask=np.zeros(len(spikes), bool),
    )
    return analyzer


@pytest.fixture
def analyzer():
    return make_analyzer()


def periods_of(*rows):
    return np.array(list(rows), unit_period_dtype)


def test_units_are_valid_while_they_are_well_isolated(analyzer):
    extension = analyzer.compute("valid_unit_periods", **PARAMS)
    first, second = extension.get_data()
    assert first["a"] == [(0, 600_000)]
    assert second["a"] == [(0, 300_000)]
    for unit_id in "bc":
        [(start, end)] = first[unit_id]
        # Margins make the change less sharp, by a period.
        assert start == 0
        assert 250_000 <= end <= 350_000
        assert second[unit_id] == [(0, 300_000)]
    assert first["d"] == second["d"] == []
    fps, fns = extension.get_fps_and_fns()
    assert (fps[0]["d"] == 1).all()
    assert len(fps[0]["d"]) == 12
    assert fps[0]["b"][-1] > 0.1 > fns[0]["b"][-1]
    assert fns[0]["c"][-1] > 0.1 > fps[0]["c"][-1]
    centers = extension.get_period_centers(["b"])
    assert centers[1]["b"].tolist() == [25_000 + 50_000 * k for k in range(6)]


def test_periods_of_so_many_spikes(analyzer):
    params = {**PARAMS, "period_mode": "relative", "period_target_num_spikes": 400}
    extension = analyzer.compute("valid_unit_periods", **params)
    fps, _ = extension.get_fps_and_fns()
    lengths = {unit_id: len(values) for unit_id, values in fps[0].items()}
    assert lengths["a"] == 6
    assert lengths["b"] > lengths["a"] > lengths["c"] == lengths["d"] == 5


def test_given_periods(analyzer):
    given = [[0, 500, 250_000, 1], [0, 100_000, 590_000, 0]]
    extension = analyzer.compute(
        "valid_unit_periods", method="user_defined", user_defined_periods=given, **PARAMS
    )
    assert extension.get_data()[0]["a"] == [(100_000, 590_000)]
    assert extension.get_fps_and_fns() == (None, None)
    assert extension.get_period_centers() is None
    merged = analyzer.merge_units([["a", "b"]], new_unit_ids=["x"])
    assert merged.get_extension("valid_unit_periods").get_data()[0]["x"] == [(500, 590_000)]
    n = int(analyzer.sorting.count_num_spikes_per_unit("array")[0])
    split = analyzer.split_units({"a": [[0], np.arange(1, n)]}, new_unit_ids=[["y", "z"]])
    found = split.get_extension("valid_unit_periods").get_data()[0]
    assert found["y"] == found["z"] == [(100_000, 590_000)]
    assert found["b"] == [(500, 250_000)]


def test_combined_periods_are_in_both(analyzer):
    given = [[0, 50_000, 500_000, 1], [1, 0, 200_000, 1]]
    extension = analyzer.compute(
        "valid_unit_periods", method="combined", user_defined_periods=given, **PARAMS
    )
    first, second = extension.get_data()
    assert first["b"][0][0] == 50_000
    assert first["b"][0][1] <= 300_000
    assert second["b"] == [(0, 200_000)]
    assert first["a"] == []
    smaller = analyzer.select_units(["c", "b"])
    assert smaller.get_extension("valid_unit_periods").get_data()[1]["b"] == [(0, 200_000)]


def assert_same(extension):
    kept = dict(extension.data)
    fresh = extension.sorting_analyzer.compute("valid_unit_periods", **PARAMS).data
    assert kept.keys() == fresh.keys()
    for key, values in fresh.items():
        np.testing.assert_array_equal(kept[key], values)


def test_compute_and_change_is_change_and_compute(analyzer):
    analyzer.compute("valid_unit_periods", **PARAMS)
    for merged in (
        analyzer.merge_units([["c", "b"]]),
        analyzer.merge_units([["a", "d"]], censor_ms=1.0, new_id_strategy="take_first"),
    ):
        assert_same(merged.get_extension("valid_unit_periods"))
    n = int(analyzer.sorting.count_num_spikes_per_unit("array")[0])
    split = analyzer.split_units({"a": [np.arange(0, n, 2), np.arange(1, n, 2)]})
    assert_same(split.get_extension("valid_unit_periods"))
    selected = analyzer.select_units(["c", "a"])
    assert_same(selected.get_extension("valid_unit_periods"))


def test_joined_and_common_periods():
    first = periods_of((0, 0, 10, 1), (0, 10, 20, 1), (0, 15, 18, 1), (0, 5, 9, 0), (1, 0, 4, 1))
    expected = periods_of((0, 5, 9, 0), (0, 0, 20, 1), (1, 0, 4, 1))
    np.testing.assert_array_equal(joined_periods(first), expected)
    second = periods_of((0, 8, 12, 1), (0, 0, 5, 0), (1, 3, 9, 1))
    np.testing.assert_array_equal(
        common_periods(first, second), periods_of((0, 8, 12, 1), (1, 3, 4, 1))
    )
    assert len(joined_periods(periods_of())) == 0


@pytest.mark.parametrize(
    "params",
    [
        {"method": "luck"},
        {"method": "user_defined"},
        {"period_mode": "long"},
        {"period_duration_s_absolute": 0},
        {"refractory_period_ms": 0.1, "censored_period_ms": 0.2},
        {"method": "user_defined", "user_defined_periods": [[0, 0, 10, 1]]},
        {"method": "user_defined", "user_defined_periods": [[0, 0, 10**7, 9]]},
    ],
)
def test_what_makes_no_sense_is_refused(analyzer, params):
    with pytest.raises(ParameterError):
        analyzer.compute("valid_unit_periods", **params)


def test_scalings_are_needed(analyzer):
    analyzer.delete_extension("amplitude_scalings")
    with pytest.raises(MissingExtensionError, match="amplitude_scalings"):
        analyzer.compute("valid_unit_periods")


ASK = """
import json, sys
from pathlib import Path
import numpy as np
import spikeinterface.core as si
import spikeinterface.postprocessing
from spikeinterface.core.sortinganalyzer import get_extension_class

folder = Path(sys.argv[1])
given = json.loads((folder / "question.json").read_text())
recording = si.NumpyRecording([np.zeros((n, 2), "i2") for n in given["n_samples"]], given["fs"])
recording.set_channel_gains(1.0)
recording.set_channel_offsets(0.0)
recording.set_dummy_probe_from_locations(np.array([[0, 0], [0, 20]]))
dicts = [{k: np.array(v, "i8") for k, v in d.items()} for d in given["dicts"]]
sorting = si.NumpySorting.from_unit_dict(dicts, given["fs"])
analyzer = si.create_sorting_analyzer(
    sorting, recording, sparse=False, main_channel_indices=np.zeros(len(sorting.unit_ids), int))
extension = get_extension_class("amplitude_scalings")(analyzer)
scalings = np.load(folder / "scalings.npy")
extension.data = dict(amplitude_scalings=scalings, collision_mask=np.zeros(len(scalings), bool))
extension.params, extension.run_info = {}, dict(run_completed=True, runtime_s=0.0)
analyzer.extensions["amplitude_scalings"] = extension
si.set_global_job_kwargs(progress_bar=False, n_jobs=1)
found = analyzer.compute("valid_unit_periods", **given["params"])
np.savez(folder / "answer.npz", **found.data)
"""


@pytest.mark.peer
def test_periods_and_rates_are_those_of_spikeinterface(peer_python, tmp_path):
    analyzer = make_analyzer().select_units(["a", "b", "c"])
    ids = ("a", "b", "c")
    question = {
        "fs": FS,
        "n_samples": N_SAMPLES,
        "dicts": [{k: units[k].tolist() for k in ids} for units in make_trains()],
        "params": PARAMS,
    }
    (tmp_path / "question.json").write_text(json.dumps(question))
    scalings = analyzer.get_extension("amplitude_scalings").data["amplitude_scalings"]
    np.save(tmp_path / "scalings.npy", scalings)
    done = subprocess.run(
        [peer_python, "-W", "ignore", "-c", ASK, tmp_path],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    data = analyzer.compute("valid_unit_periods", **PARAMS).data
    with np.load(tmp_path / "answer.npz") as answer:
        for key in ("valid_unit_periods", "all_periods"):
            np.testing.assert_array_equal(data[key], answer[key])
        np.testing.assert_allclose(data["fps"], answer["fps"], atol=1e-12)
        # SpikeInterface truncates smoothed counts to whole numbers.
        np.testing.assert_allclose(data["fns"], answer["fns"], atol=0.05)
