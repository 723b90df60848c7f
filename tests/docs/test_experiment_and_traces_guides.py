"""The examples of docs/experiment.md and docs/traces.md run as they are printed."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spikeloom.cli import traces as traces_module
from spikeloom.cli.main import app
from spikeloom.datasets.experiment_metadata import experiment_schema

DOCS = Path(__file__).parents[2] / "docs"


def blocks_of(name, kind):
    text = (DOCS / f"{name}.md").read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


@pytest.fixture
def here(tmp_path, monkeypatch, data_folder):
    """A folder with the files that the guides speak of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    shutil.copy(data_folder / "blackrock_repack" / "rat128.ns5", "20160101_1.ns5")
    np.zeros((500, 128), np.int16).tofile("20160101_2.dat")
    for name in "ab":
        shutil.copy(data_folder / "raw_4ch_1s" / "test-4ch-1s.dat", f"{name}.dat")
    Path("tetrode.prb").write_text("channel_groups = {0: {'channels': list(range(4))}}")
    group = Path("20160101/main/0")
    group.mkdir(parents=True)
    np.save(group / "spike_times.npy", np.arange(3))
    (group / "params.json").write_text("{}")
    shutil.copy("20160101_1.ns5", "20160101")
    metadata = {"raw_files": ["20160101_1.ns5"]}
    Path("20160101/metadata.json").write_text(json.dumps(metadata))
    return tmp_path


@pytest.mark.parametrize("name", ["traces", "experiment"])
def test_the_python_of_the_guides_runs(here, name, capsys):
    codes = blocks_of(name, "python")
    assert len(codes) == {"traces": 3, "experiment": 2}[name]
    namespace = {}
    for code in codes:
        exec(compile(code, f"docs/{name}.md", "exec"), namespace)
    told = {
        "traces": "a.dat 0 20000\nb.dat 20000 20000\n",
        "experiment": "(2, 2) ('spike', 'channel')\n",
    }
    assert capsys.readouterr().out == told[name]
    if name == "traces":
        import matplotlib.pyplot as plt

        plt.close("all")


def test_the_commands_of_the_guides_run(here, monkeypatch):
    opened = []
    monkeypatch.setattr(traces_module, "serve", lambda session, **_: opened.append(session.model))
    shutil.rmtree("20160101")
    np.zeros((500, 128), np.int16).tofile("20160101_1.dat")
    lines = "".join(blocks_of("traces", "") + blocks_of("experiment", "")).splitlines()
    commands = [line for line in lines if line.startswith("spikeloom ")]
    assert len(commands) == 5
    for command in commands:
        arguments = shlex.split(command.replace("/data/", f"{here}/data/"))[1:]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output + result.stderr
    assert [model.n_channels for model in opened] == [128, 128]
    assert [len(model.stretches) for model in opened] == [1, 2]


def test_the_guide_lists_the_entries_of_the_schema():
    guide = (DOCS / "experiment.md").read_text()
    for name in experiment_schema()["properties"]:
        assert f"`{name}`" in guide
    for name in experiment_schema()["$defs"]["flatFile"]["properties"]:
        assert f"`{name}`" in guide
