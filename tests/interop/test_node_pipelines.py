"""Pipelines of nodes give what SpikeInterface's give; notes of ours do not disturb it."""

import json
import subprocess

import numpy as np
import pytest

from making.analyzers import make_saved_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.core.node_pipeline import run_node_pipeline
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.peak_retrieval import PeakRetriever, SpikeRetriever, sorting_to_peaks
from spikeloom.core.pipeline_nodes import PeakDetector, PipelineNode
from spikeloom.core.spike_vector import base_peak_dtype
from spikeloom.core.waveform_nodes import ExtractDenseWaveforms, ExtractSparseWaveforms

pytestmark = pytest.mark.peer

FS = 10_000.0

NODES = """
class Threshold(PeakDetector):
    def get_margin(self):
        return 3

    def compute(self, traces, start_frame, end_frame, segment_index, max_margin):
        inner = traces[3:-3]
        rows, channels = np.nonzero((inner < -95) & (inner < traces[2:-4]))
        peaks = np.zeros(rows.size, base_peak_dtype)
        peaks["sample_index"] = rows + 3
        peaks["channel_index"] = channels
        peaks["amplitude"] = inner[rows, channels]
        peaks["segment_index"] = segment_index
        return (peaks,)


class Energy(PipelineNode):
    _compute_has_extended_signature = True

    def get_margin(self):
        return 11

    def compute(self, traces, start_frame, end_frame, segment_index, max_margin, peaks, waveforms):
        energy = (waveforms.astype("float64") ** 2).sum(axis=(1, 2))
        return energy, peaks["sample_index"] + start_frame - max_margin


def run_all(recording, sorting, peaks, jobs):
    found = {}
    for name, source in (
        ("detected", Threshold(recording)),
        ("retrieved", PeakRetriever(recording, peaks)),
        ("spikes", SpikeRetriever(sorting, recording)),
        *(
            (f"near_{sign}", SpikeRetriever(
                sorting, recording, channel_from_template=False, radius_um=35, peak_sign=sign))
            for sign in ("neg", "pos", "both")
        ),
    ):
        dense = ExtractDenseWaveforms(
            recording, ms_before=0.42, ms_after=1.0, parents=[source], return_output=True)
        sparse = ExtractSparseWaveforms(
            recording, nbefore=2, nafter=4, parents=[source], return_output=True, radius_um=35)
        energy = Energy(recording, return_output=(True, False), parents=[source, sparse])
        outs = run_node_pipeline(recording, [source, dense, sparse, energy], jobs)
        found.update({f"{name}_{k}": out for k, out in enumerate(outs)})
    return found
"""

ASK = """
import json, sys
from pathlib import Path
import numpy as np
import spikeinterface.core as si
from spikeinterface.core.base import base_peak_dtype
from spikeinterface.core.node_pipeline import *
from spikeinterface.core.node_pipeline import (
    ExtractDenseWaveforms, ExtractSparseWaveforms, PeakDetector, PeakRetriever, PipelineNode,
    SpikeRetriever, run_node_pipeline,
)
{nodes}
folder = Path(sys.argv[1])
traces = [np.load(folder / "traces0.npy"), np.load(folder / "traces1.npy")]
recording = si.NumpyRecording(traces, 10_000.0)
recording.set_dummy_probe_from_locations(np.load(folder / "locations.npy"))
spikes = np.load(folder / "spikes.npy")
sorting = si.NumpySorting(spikes, 10_000.0, np.array(["a", "b", "c"]))
sorting.set_property("main_channel_id", recording.channel_ids[[0, 2, 4]])
jobs = dict(n_jobs=1, chunk_size=400, progress_bar=False)
np.savez(folder / "answer.npz", **run_all(recording, sorting, np.load(folder / "peaks.npy"), jobs))
"""


def run_there(python, code, folder):
    done = subprocess.run(
        [python, "-W", "ignore", "-c", code, folder],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_nodes_make_the_same(peer_python, tmp_path):
    rng = np.random.default_rng(5)
    traces = [rng.integers(-100, 100, (n, 5)).astype(np.int16) for n in (3_000, 1_100)]
    locations = np.stack([np.zeros(5), 30.0 * np.arange(5)], axis=1)
    recording = NumpyRecording(traces, FS)
    recording.set_dummy_probe_from_locations(locations)
    dicts = [
        {u: np.sort(rng.choice(np.arange(30, len(t) - 30), 30, replace=False)) for u in "abc"}
        for t in traces
    ]
    sorting = NumpySorting.from_unit_dict(dicts, FS)
    sorting.set_property("main_channel_id", recording.channel_ids[[0, 2, 4]])
    peaks = sorting_to_peaks(sorting, [1, 0, 3])
    for name, values in (
        ("traces0", traces[0]),
        ("traces1", traces[1]),
        ("locations", locations),
        ("spikes", sorting.to_spike_vector()),
        ("peaks", peaks),
    ):
        np.save(tmp_path / f"{name}.npy", values)
    run_there(peer_python, ASK.replace("{nodes}", NODES), tmp_path)
    names = [base_peak_dtype, ExtractDenseWaveforms, ExtractSparseWaveforms, PeakDetector]
    names += [PeakRetriever, PipelineNode, SpikeRetriever, run_node_pipeline]
    space = {getattr(one, "__name__", "base_peak_dtype"): one for one in names} | {"np": np}
    space["base_peak_dtype"] = base_peak_dtype
    exec(NODES, space)
    jobs = {"n_jobs": 2, "chunk_size": 777, "progress_bar": False}
    ours = space["run_all"](recording, sorting, peaks, jobs)
    with np.load(tmp_path / "answer.npz") as theirs:
        assert sorted(theirs) == sorted(ours)
        for key, values in ours.items():
            assert np.array_equal(values, theirs[key]), key
            assert values.dtype == theirs[key].dtype, key
            assert len(values) > 20


MERGE_THERE = """
import sys
from pathlib import Path
import spikeinterface.core as si

folder = Path(sys.argv[1])
analyzer = si.load_sorting_analyzer(folder / "analyzer")
merged = analyzer.merge_units(
    [["a", "b"]], sparsity_overlap=0.0, new_id_strategy="take_first", format="binary_folder",
    folder=folder / "merged")
assert "hash" in merged.get_extension("templates").run_info
"""


def test_what_was_merged_there_is_computed_anew(peer_python, tmp_path):
    analyzer = make_saved_analyzer(tmp_path)
    analyzer.compute(["random_spikes", "templates"], progress_bar=False)
    run_there(peer_python, MERGE_THERE, tmp_path)
    merged = load_sorting_analyzer(tmp_path / "merged")
    carried = merged.get_extension("templates")
    assert merged.compute("templates", progress_bar=False) is not carried


COMPUTE_THERE = """
import sys
from pathlib import Path
import spikeinterface.core as si

for path in (Path(sys.argv[1]) / "a" / "analyzer", Path(sys.argv[1]) / "b" / "analyzer.zarr"):
    analyzer = si.load_sorting_analyzer(path)
    assert len(analyzer.get_extension("templates").run_info["hash"]) == 32
    analyzer.compute("templates", progress_bar=False)
    copied = analyzer.save_as(format="memory")
    assert copied.get_extension("random_spikes").run_info["run_completed"]
"""


def test_what_was_computed_there_has_no_hash_and_is_computed_anew(peer_python, tmp_path):
    made = [
        make_saved_analyzer(tmp_path / "a", "binary_folder"),
        make_saved_analyzer(tmp_path / "b", "zarr"),
    ]
    for analyzer in made:
        analyzer.compute(["random_spikes", "templates"], progress_bar=False)
    run_there(peer_python, COMPUTE_THERE, tmp_path)
    for analyzer in made:
        loaded = load_sorting_analyzer(analyzer.folder)
        before = {name: loaded.get_extension(name) for name in ("random_spikes", "templates")}
        assert "hash" not in before["templates"].run_info
        again = {"force_recompute": False, "progress_bar": False}
        loaded.compute(["random_spikes", "templates"], **again)
        assert loaded.get_extension("random_spikes") is before["random_spikes"]
        fresh = loaded.get_extension("templates")
        assert fresh is not before["templates"]
        assert loaded.compute("templates", **again) is fresh
        assert json.dumps(fresh.run_info)
