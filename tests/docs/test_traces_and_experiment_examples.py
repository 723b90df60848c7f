"""The documented examples of raw traces and of experiments run, with spikeloom in phy's place."""

import json
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import spikeloom as si
from making.printed import run_printed
from spikeloom.cli import traces as traces_module
from spikeloom.cli.main import app
from spikeloom.datasets.experiment import _read_array, _write_array
from spikeloom.errors import MissingFileError

COMMANDS = """
phy traces 20160101_1.ns5
phy traces 20160101_2.dat --n-channels=128 --dtype=int16 --sample-rate=20000
"""

IN_IPYTHON = """
import phy.io
import phy.plot as plt
traces = phy.io.read_traces(['20160101_1.ns5', '20160101_2.dat'])
plt.plot_traces(traces)
plt.show()
"""

EXPERIMENT = """
exp = Experiment(metadata_path=None, metadata_dict=None, base_dir=None)
base_dir = exp.base_dir
metadata = exp.metadata
params = exp.read_metadata(alias_or_path)
exp.write_metadata(alias_or_path, {"new": 1})
path = exp._resolve_alias(alias)
array = exp.read_array('0/spike_times')
exp.write_array('0/spike_times', array[:2])
again = exp.read_array('0/spike_times')
"""

N_SAMPLES = {"20160101_1.ns5": 10_000, "20160101_2.dat": 500}
SPIKES = np.array([35, 795, 812], np.uint64)


@pytest.fixture
def root(tmp_path, monkeypatch, data_folder):
    """The folder of the document, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    shutil.copy(data_folder / "blackrock_repack" / "rat128.ns5", "20160101_1.ns5")
    values = np.arange(N_SAMPLES["20160101_2.dat"] * 128) % 999
    values.astype(np.int16).tofile("20160101_2.dat")
    Path("metadata.json").write_text(json.dumps({"raw_files": list(N_SAMPLES)}))
    Path("params.prm").write_text("traces = dict(n_channels=128, dtype='int16', sample_rate=30000)")
    for name in ("main/0", "test/0"):
        folder = Path(name)
        folder.mkdir(parents=True)
        (folder / "params.json").write_text('{"raw": ["20160101_1.ns5", "20160101_2.dat"]}')
        (folder / "clusters.json").write_text('{"2": {"group": "good"}}')
        np.save(folder / "spike_times.npy", SPIKES)
        np.save(folder / "spike_clusters.npy", np.array([2, 3, 2], np.int32))
        np.save(folder / "mean_waveforms.npy", np.zeros((2, 40, 128), np.float32))
        (folder / "raw_0.ns5").symlink_to("../../20160101_1.ns5")
        (folder / "raw_1.dat").symlink_to("../../20160101_2.dat")
    return tmp_path


def test_traces_are_looked_at_in_the_terminal(root, monkeypatch):
    opened = []
    monkeypatch.setattr(traces_module, "serve", lambda session, **_: opened.append(session.model))
    for command in COMMANDS.strip().splitlines():
        name, *arguments = shlex.split(command)
        assert name == "phy"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output + result.stderr
    assert [model.n_channels for model in opened] == [128, 128]
    assert [model.traces.n_samples for model in opened] == [*N_SAMPLES.values()]
    assert opened[1].sampling_frequency == 20_000


def test_traces_are_looked_at_in_ipython(root):
    import matplotlib.pyplot as plt

    found = run_printed(IN_IPYTHON.replace("phy", "spikeloom"))
    assert found.traces.get_num_samples() == sum(N_SAMPLES.values())
    assert [one.start_sample for one in found.traces.stretches] == [0, 10_000]
    assert len(plt.get_fignums()) == 1
    plt.close("all")


def test_modules_of_phys_names_have_what_lives_in_our_rooms():
    assert si.io.KwikModel is si.KwikModel
    assert si.io.export_to_phy is si.exporters.export_to_phy
    assert si.io.load is si.load
    assert si.plot.plot_unit_templates is si.widgets.plot_unit_templates
    assert {"read_traces", "Experiment"} <= set(dir(si.io))
    assert {"plot_traces", "show"} <= set(dir(si.plot))
    for module in (si.io, si.plot):
        with pytest.raises(AttributeError, match="nonsense"):
            _ = module.nonsense


def test_experiments(root):
    found = run_printed(EXPERIMENT, alias="0/spike_times", alias_or_path="0/params")
    assert found.base_dir.resolve() == root
    assert found.metadata == {"raw_files": list(N_SAMPLES)}
    assert found.params == {"raw": list(N_SAMPLES)}
    assert json.loads(Path("main/0/params.json").read_text()) == {**found.params, "new": 1}
    assert found.path == "main/0/spike_times.npy"
    np.testing.assert_array_equal(found.array, SPIKES)
    np.testing.assert_array_equal(found.again, SPIKES[:2])


def test_experiments_of_a_path_a_dictionary_and_a_folder(root):
    for arguments in (
        {"metadata_path": "metadata.json"},
        {"metadata_path": root / "metadata.json", "base_dir": root},
        {"metadata_dict": {"default": "test"}, "base_dir": root},
        {"metadata_dict": {"arrays": {"0/spike_times": {"path": "test/0/spike_times.npy"}}}},
        {"metadata_dict": {"arrays": {"0/spike_times": SPIKES.tolist()}}},
    ):
        exp = si.Experiment(**arguments)
        np.testing.assert_array_equal(exp.read_array("0/spike_times"), SPIKES)
    assert si.Experiment(metadata_dict={"default": "test"})._resolve_alias("0/spike_times") == (
        "test/0/spike_times.npy"
    )


def test_arrays_of_each_format_of_an_experiment(root):
    exp = si.Experiment()
    assert exp.read_array("0/spike_clusters").tolist() == [2, 3, 2]
    assert exp.read_array("test/0/mean_waveforms").shape == (2, 40, 128)
    assert exp.read_metadata("0/clusters") == {"2": {"group": "good"}}
    assert exp.read_array("20160101_1.ns5").shape == (10_000, 128)
    for alias in ("0/raw_0", "0/raw_1", "20160101_2.dat"):  # links and files
        assert exp.read_array(alias).shape[1] == 128
    np.testing.assert_array_equal(exp.read_array("0/raw_1")[1, :3], [128, 129, 130])
    assert exp.read_traces().get_num_samples() == sum(N_SAMPLES.values())
    for ending in ("txt", "npy", "tar"):
        exp.write_array(f"0/depths.{ending}", [1.5, 2.0])
        assert exp.read_array(f"0/depths.{ending}").tolist() == [1.5, 2.0]
    with pytest.raises(MissingFileError):
        exp.read_array("0/nothing")


def test_arrays_by_their_path(root):
    _write_array("times.npy", SPIKES)
    np.testing.assert_array_equal(_read_array("times.npy"), SPIKES)
    assert _read_array("20160101_1.ns5").shape == (10_000, 128)
