"""Extensions of other packages: found by their entry point, written as for SpikeInterface."""

import json
import subprocess
import sys

import numpy as np
import pytest

from making.analyzers import make_recording, make_saved_analyzer, make_sorting
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.core.spike_vector import spike_peak_dtype

MODULE = '''
import numpy as np
from spikeloom import (
    AnalyzerExtension, ExtractDenseWaveforms, PipelineNode, SpikeRetriever,
    register_result_extension,
)


class PeakToPeak(PipelineNode):
    def __init__(self, recording, parents, return_output=True):
        PipelineNode.__init__(self, recording, return_output=return_output, parents=parents)

    def get_dtype(self):
        return np.dtype("float64")

    def compute(self, traces, peaks, waveforms):
        return np.ptp(waveforms, axis=1)[np.arange(peaks.size), peaks["channel_index"]]


class ComputeHeights(AnalyzerExtension):
    """One value for each spike, from a pipeline of nodes."""

    extension_name = "heights"
    depend_on = ["random_spikes", "templates|waveforms"]
    need_recording = True
    use_nodepipeline = True
    nodepipeline_variables = ["spikes", "heights"]
    need_job_kwargs = True

    def __init__(self, sorting_analyzer):
        AnalyzerExtension.__init__(self, sorting_analyzer)

    def _set_params(self, ms_before=0.5, ms_after=0.5):
        return dict(ms_before=ms_before, ms_after=ms_after)

    def _get_pipeline_nodes(self):
        recording = self.sorting_analyzer.recording
        source = SpikeRetriever(self.sorting_analyzer.sorting, recording)
        source.return_output = True
        waveforms = ExtractDenseWaveforms(recording, parents=[source], **self.params)
        return [source, waveforms, PeakToPeak(recording, parents=[source, waveforms])]

    def _get_data(self, outputs="numpy"):
        return self.data["heights"]

    def _select_units_extension_data(self, unit_ids):
        keep = np.flatnonzero(np.isin(self.sorting_analyzer.sorting.unit_ids, unit_ids))
        mask = np.isin(self.sorting_analyzer.sorting.to_spike_vector()["unit_index"], keep)
        return {name: values[mask] for name, values in self.data.items()}

    def _merge_extension_data(
        self, merge_unit_groups, new_unit_ids, new_sorting_analyzer, keep_mask=None, verbose=False,
        **job_kwargs,
    ):
        keep = slice(None) if keep_mask is None else keep_mask
        return {name: values[keep] for name, values in self.data.items()}

    def _split_extension_data(
        self, split_units, new_unit_ids, new_sorting_analyzer, verbose=False, **job_kwargs
    ):
        return dict(self.data)


@register_result_extension
class ComputeTotals(AnalyzerExtension):
    extension_name = "totals"
    depend_on = ["heights"]

    def _set_params(self, factor=2):
        return {"factor": factor}

    def _run(self, verbose=False):
        heights = self.sorting_analyzer.get_extension("heights").get_data()
        self.data["total"] = np.array([heights.sum() * self.params["factor"]])

    def _get_data(self):
        return self.data["total"]


compute_totals = ComputeTotals.function_factory()
'''

USE = """
import json, sys, warnings
warnings.simplefilter("error")
import spikeloom as si
for known in ("of another package is left out", "The extensions totals do not know"):
    warnings.filterwarnings("ignore", message=f".*{known}.*")
analyzer = si.load_sorting_analyzer(sys.argv[1], load_extensions=False)
known = si.get_available_analyzer_extensions()
assert {"heights", "totals", "waveforms"} <= set(known), known
import elsewhere
analyzer.compute(["random_spikes", "templates", "heights"], progress_bar=False)
total = elsewhere.compute_totals(analyzer, factor=3, progress_bar=False)
merged = analyzer.merge_units([["a", "01"]], sparsity_overlap=0.0)
assert not merged.has_extension("totals")
split = analyzer.split_units({"a": [list(range(20)), list(range(20, 40))]})
loaded = si.load_sorting_analyzer(sys.argv[1])
jobs = {"n_jobs": 2, "pool_engine": "process", "mp_context": "spawn", "chunk_size": 900}
copied = analyzer.copy()
elsewhere_too = copied.compute("heights", progress_bar=False, **jobs)
assert elsewhere_too.get_data().tolist() == loaded.get_extension("heights").get_data().tolist()
print(json.dumps({
    "total": float(total[0]),
    "again": float(loaded.compute("totals", factor=3).get_data()[0]),
    "loaded": sorted(loaded.extensions),
    "heights": loaded.get_extension("heights").get_data().tolist(),
    "spikes": loaded.get_extension("heights").data["spikes"].tolist(),
    "defaults": si.get_default_analyzer_extension_params("heights"),
    "merged": merged.get_extension("heights").get_data().tolist(),
    "split": split.get_extension("heights").get_data().tolist(),
    "fewer": analyzer.select_units(["b"]).get_extension("heights").get_data().tolist(),
}))
"""


@pytest.fixture
def site(tmp_path):
    """Return a folder with an installed package that brings extensions, and a broken one."""
    place = tmp_path / "site"
    for name, points in (
        ("elsewhere", "heights = elsewhere:ComputeHeights\nall = elsewhere"),
        ("broken", "gone = no_such_module:Thing\nwrong = json:JSONDecoder"),
    ):
        info = place / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[spikeloom.extensions]\n{points}\n")
    (place / "elsewhere.py").write_text(MODULE)
    return place


@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
def test_an_installed_package_brings_extensions(tmp_path, site, format):
    saved = make_saved_analyzer(tmp_path, format)
    done = subprocess.run(
        [sys.executable, "-c", USE, str(saved.folder)],
        env={"PYTHONPATH": str(site), "PATH": "", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    expected = expected_heights(saved)
    assert told["heights"] == expected.tolist()
    assert told["total"] == told["again"] == 3 * expected.sum()
    assert set(told["loaded"]) == {"random_spikes", "templates", "heights", "totals"}
    assert told["defaults"] == {"ms_before": 0.5, "ms_after": 0.5}
    assert told["merged"] == told["split"] == told["heights"]
    spikes = saved.sorting.to_spike_vector()
    assert [row[0] for row in told["spikes"]] == spikes["sample_index"].tolist()
    assert told["fewer"] == expected[spikes["unit_index"] == 1].tolist()
    with pytest.warns(UserWarning, match="unknown here, and are left as they are: heights"):
        load_sorting_analyzer(saved.folder)


def expected_heights(analyzer):
    channels = analyzer.main_channel_indices
    heights = []
    for spike in analyzer.sorting.to_spike_vector():
        traces = analyzer.recording.get_traces(spike["segment_index"])
        start = spike["sample_index"] - 5
        heights.append(np.ptp(traces[start : start + 10, channels[spike["unit_index"]]]))
    return np.array(heights)


def extension_class():
    namespace = {}
    exec(MODULE.replace("@register_result_extension\n", ""), namespace)
    return namespace["ComputeHeights"]


@pytest.mark.parametrize(
    "spread",
    [
        {"n_jobs": 1, "chunk_size": 100_000},
        {"n_jobs": 3, "chunk_size": 217},
        {"n_jobs": 2, "chunk_size": 100, "pool_engine": "thread"},
    ],
    ids=str,
)
def test_its_nodes_share_the_pass_of_others(spread, monkeypatch):
    from spikeloom.analyzer.extension import EXTENSIONS

    cls = extension_class()
    cls.__module__ = "elsewhere"
    monkeypatch.setitem(EXTENSIONS._things, "heights", cls)
    analyzer = create_sorting_analyzer(
        make_sorting(), make_recording(), main_channel_indices=[0, 2, 3], progress_bar=False
    )
    names = ["random_spikes", "heights", "waveforms", "templates"]
    analyzer.compute(names, progress_bar=False, **spread)
    heights = analyzer.get_extension("heights")
    assert np.array_equal(heights.get_data(), expected_heights(analyzer))
    assert heights.data["spikes"].dtype == spike_peak_dtype
    empty = analyzer.select_units([])
    empty.compute("heights", progress_bar=False)
    found = empty.get_extension("heights").data
    assert found["heights"].shape == (0,)
    assert found["spikes"].dtype == spike_peak_dtype
