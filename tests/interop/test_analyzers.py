"""Analyzers that SpikeInterface wrote are opened here, and ours there, in three of its versions."""

import json
import subprocess

import numpy as np
import pytest

from making.absence import python_beside
from making.analyzers import make_saved_analyzer, register
from spikeloom.analyzer.extension import EXTENSIONS
from spikeloom.analyzer.loading import load_sorting_analyzer

pytestmark = pytest.mark.peer

VERSIONS = ["0.105", "0.104", "0.102"]
FORMATS = ["binary_folder", "zarr"]

HEAD = """
import json, sys
from importlib.util import find_spec
from pathlib import Path
import numpy as np
import spikeinterface as si
import spikeinterface.postprocessing

folder = Path(sys.argv[1])
has_tables = find_spec("pandas") is not None
"""

WRITE = """
recording, sorting = si.generate_ground_truth_recording(
    durations=[4.0, 3.0], num_channels=6, num_units=4, seed=0)
recording = recording.save(folder=folder / "recording", progress_bar=False)
sorting.set_property("quality", ["good", "mua", "noise", "good"])
sorting = sorting.save(folder=folder / "sorting")
answer = {}
for format, name in (("binary_folder", "folder"), ("zarr", "store.zarr")):
    analyzer = si.create_sorting_analyzer(
        sorting, recording, format=format, folder=folder / name, sparse=True)
    names = ["random_spikes", "waveforms", "templates", "noise_levels", "spike_amplitudes",
             "correlograms"]
    names += ["unit_locations"] if find_spec("scipy") else []
    names += ["principal_components"] if find_spec("sklearn") else []
    analyzer.compute(names, progress_bar=False)
    snr = None
    if has_tables:
        analyzer.compute("quality_metrics", metric_names=["num_spikes", "firing_rate", "snr"])
        snr = analyzer.get_extension("quality_metrics").get_data()["snr"].tolist()
    answer[format] = {
        "units": analyzer.unit_ids.tolist(),
        "channels": analyzer.channel_ids.tolist(),
        "spikes": [list(map(int, row)) for row in analyzer.sorting.to_spike_vector().tolist()],
        "mask": analyzer.sparsity.mask.tolist(),
        "extensions": sorted(analyzer.get_saved_extension_names()),
        "templates": float(np.sum(analyzer.get_extension("templates").data["average"])),
        "snr": snr,
        "locations": analyzer.get_channel_locations().tolist(),
    }
(folder / "answer.json").write_text(json.dumps(answer))
"""

READ = """
answer = {}
for format, name in (("binary_folder", "binary_folder/analyzer"), ("zarr", "zarr/analyzer.zarr")):
    analyzer = si.load_sorting_analyzer(folder / name, load_extensions=False)
    source = analyzer.get_sorting_provenance()
    told = {
        "units": analyzer.unit_ids.tolist(),
        "channels": analyzer.channel_ids.tolist(),
        "spikes": [list(map(int, row)) for row in analyzer.sorting.to_spike_vector().tolist()],
        "mask": analyzer.sparsity.mask.tolist(),
        "has_recording": analyzer.has_recording(),
        "traces": analyzer.recording.get_traces(segment_index=1).tolist(),
        "quality": analyzer.sorting.get_property("quality").tolist(),
        "main": np.asarray(analyzer.sorting.get_property("main_channel_id")).tolist(),
        "in_uV": bool(getattr(analyzer, "return_in_uV", getattr(analyzer, "return_scaled", None))),
        "locations": analyzer.get_channel_locations().tolist(),
        "source": None if source is None else source.unit_ids.tolist(),
        "saved": sorted(analyzer.get_saved_extension_names()),
    }
    analyzer.compute(["random_spikes", "waveforms", "templates", "noise_levels"],
                     progress_bar=False)
    if has_tables:
        analyzer.compute("quality_metrics", metric_names=["num_spikes", "snr"])
    answer[format] = told
(folder / "answer.json").write_text(json.dumps(answer))
"""

LOAD_EXTENSIONS = """
from spikeinterface.core.sortinganalyzer import register_result_extension, AnalyzerExtension

class Any(AnalyzerExtension):
    pass

for name in ("numbers", "table", "remarks"):
    register_result_extension(type(name, (Any,), {"extension_name": name}))

answer = {}
for format, name in (("binary_folder", "binary_folder/analyzer"), ("zarr", "zarr/analyzer.zarr")):
    analyzer = si.load_sorting_analyzer(folder / name, load_extensions=False)
    numbers, remarks = (analyzer.load_extension(one) for one in ("numbers", "remarks"))
    frame = analyzer.load_extension("table").data["table"] if has_tables else None
    answer[format] = {
        "values": numbers.data["values"].tolist(),
        "params": numbers.params,
        "index": None if frame is None else list(frame.index),
        "z_value": None if frame is None else frame["z_value"].tolist(),
        "text": remarks.data["remarks"]["text"],
        "completed": numbers.run_info["run_completed"],
    }
(folder / "answer.json").write_text(json.dumps(answer))
"""


@pytest.fixture(scope="module", params=VERSIONS)
def python(request, peer_python):
    """Interpreter of one version."""
    if request.param == "0.105":
        return peer_python
    return python_beside(peer_python, request.param)


def ask(python, code, folder):
    done = subprocess.run(
        [python, "-W", "ignore", "-c", HEAD + code, folder],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "answer.json").read_text())


@pytest.fixture(scope="module")
def theirs(python, tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    return folder, ask(python, WRITE, folder)


def rows_of(sorting):
    return [list(map(int, row)) for row in sorting.to_spike_vector().tolist()]


@pytest.mark.filterwarnings("ignore:.*unknown here")
@pytest.mark.filterwarnings("ignore:.*pickled")
@pytest.mark.parametrize("format", FORMATS)
def test_theirs_are_opened(theirs, format):
    folder, answers = theirs
    answer = answers[format]
    place = folder / ("folder" if format == "binary_folder" else "store.zarr")
    loaded = load_sorting_analyzer(place)
    assert loaded.recording_error is None
    assert loaded.unit_ids.tolist() == answer["units"]
    assert loaded.channel_ids.tolist() == answer["channels"]
    assert rows_of(loaded.sorting) == answer["spikes"]
    assert loaded.sparsity.mask.tolist() == answer["mask"]
    assert loaded.return_in_uV
    assert loaded.get_saved_extension_names() == answer["extensions"]
    assert loaded.get_channel_locations().tolist() == answer["locations"]
    assert loaded.get_sorting_property("quality").tolist() == ["good", "mua", "noise", "good"]
    assert loaded.get_sorting_provenance().unit_ids.tolist() == answer["units"]
    assert loaded.recording.get_num_segments() == 2
    assert len(loaded.main_channel_indices) == 4


@pytest.mark.filterwarnings("ignore:.*unknown here")
@pytest.mark.filterwarnings("ignore:.*pickled")
@pytest.mark.parametrize("format", FORMATS)
def test_data_of_their_extensions_are_read(theirs, format, monkeypatch):
    from making.analyzers import Small

    folder, answers = theirs
    for name in ("templates", "quality_metrics", "principal_components", "random_spikes"):
        plain = type(name, (Small,), {"extension_name": name})
        monkeypatch.setitem(EXTENSIONS._things, name, plain)
    place = folder / ("folder" if format == "binary_folder" else "store.zarr")
    loaded = load_sorting_analyzer(place, load_extensions=False)
    templates = loaded.get_extension("templates")
    assert float(templates.data["average"].sum()) == pytest.approx(answers[format]["templates"])
    assert templates.params["operators"] == ["average", "std"]
    if "quality_metrics" in answers[format]["extensions"]:
        table = loaded.get_extension("quality_metrics").data["metrics"]
        assert table.index.tolist() == answers[format]["units"]
        assert np.allclose(table["snr"].to_numpy(float), answers[format]["snr"])
    if "principal_components" in answers[format]["extensions"]:
        projections = loaded.get_extension("principal_components").data
        assert projections["pca_projection"].ndim == 3
        assert not [name for name in projections if "model" in name]


@pytest.mark.parametrize("is_extended", [False, True], ids=["bare", "extended"])
def test_ours_are_opened_there(python, tmp_path, is_extended, monkeypatch):
    register(monkeypatch)
    made = {format: make_saved_analyzer(tmp_path / format, format) for format in FORMATS}
    if is_extended:
        for analyzer in made.values():
            analyzer.compute(["numbers", "table", "remarks"])
        answers = ask(python, LOAD_EXTENSIONS, tmp_path)
        for answer in answers.values():
            assert answer["values"] == [0.5, 1.5, 2.5]
            assert answer["params"] == {"offset": 0.5, "fails": False}
            if answer["index"] is not None:
                assert answer["index"] == ["a", "b", "01"]
                assert answer["z_value"] == [0.5 / 3, 1.5 / 3, 2.5 / 3]
            assert answer["text"] == "hello"
            assert answer["completed"]
        return
    answers = ask(python, READ, tmp_path)
    for format, analyzer in made.items():
        answer = answers[format]
        assert answer["units"] == ["a", "b", "01"]
        assert answer["channels"] == analyzer.channel_ids.tolist()
        assert answer["spikes"] == rows_of(analyzer.sorting)
        assert answer["mask"] == analyzer.sparsity.mask.tolist()
        assert answer["has_recording"]
        assert answer["traces"] == analyzer.recording.get_traces(segment_index=1).tolist()
        assert answer["quality"] == ["good", "mua", "noise"]
        assert answer["main"] == [0, 2, 3]
        assert answer["in_uV"]
        assert answer["locations"] == analyzer.get_channel_locations().tolist()
        assert answer["source"] == ["a", "b", "01"]
        assert answer["saved"] == []
        # What they computed into ours is there.
        loaded = load_sorting_analyzer(analyzer.folder, load_extensions=False)
        assert "templates" in loaded.get_saved_extension_names()


READ_CORE = """
answer = {}
for format, name in (("binary_folder", "binary_folder/analyzer"), ("zarr", "zarr/analyzer.zarr")):
    analyzer = si.load_sorting_analyzer(folder / name)
    unit = analyzer.unit_ids[2]
    answer[format] = {
        "names": sorted(analyzer.get_loaded_extension_names()),
        "average": analyzer.get_extension("templates").get_templates(operator="average").tolist(),
        "waveforms": analyzer.get_extension("waveforms").get_waveforms_one_unit(unit).tolist(),
        "noise": analyzer.get_extension("noise_levels").get_data().tolist(),
        "spikes": analyzer.get_extension("random_spikes").get_data().tolist(),
    }
(folder / "answer.json").write_text(json.dumps(answer))
"""

CORE = ["noise_levels", "random_spikes", "templates", "waveforms"]


@pytest.mark.filterwarnings("ignore:Pieces are shortened")
def test_our_core_extensions_are_read_there(python, tmp_path):
    made = {format: make_saved_analyzer(tmp_path / format, format) for format in FORMATS}
    for analyzer in made.values():
        analyzer.compute(CORE, progress_bar=False)
    answers = ask(python, READ_CORE, tmp_path)
    for format, analyzer in made.items():
        answer = answers[format]
        templates, waveforms = (analyzer.get_extension(one) for one in ("templates", "waveforms"))
        assert answer["names"] == CORE
        assert answer["average"] == templates.get_templates(operator="average").tolist()
        assert answer["waveforms"] == waveforms.get_waveforms_one_unit("01").tolist()
        assert answer["noise"] == analyzer.get_extension("noise_levels").get_data().tolist()
        assert answer["spikes"] == analyzer.get_extension("random_spikes").get_data().tolist()
