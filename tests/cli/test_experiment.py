"""``spikeloom experiment`` and ``spikeloom traces`` as far as they need no page."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from spikeloom.cli import traces as traces_module
from spikeloom.cli.main import app


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw" / "a.dat"
    path.parent.mkdir()
    np.arange(400, dtype="<i2").tofile(path)
    return path


FLAT = ("--n-channels=4", "--dtype=int16", "--sample-rate=20000")


def test_an_experiment_is_made_described_and_checked(run, raw, tmp_path):
    root = tmp_path / "exp"
    result = run("experiment", "init", root, raw, "--name=rat 7", *FLAT)
    assert result.exit_code == 0, result.output
    metadata = json.loads((root / "metadata.json").read_text())
    assert metadata["raw_files"][0]["n_channels"] == 4
    result = run("experiment", "describe", root)
    rows = {line[:24].strip(): line[24:] for line in result.stdout.splitlines()}
    assert rows["Name"] == "rat 7"
    assert rows["Duration"] == "0.005 s"
    assert rows["0/raw_0"] == "int16 (100, 4)"
    assert run("experiment", "check", root / "metadata.json").exit_code == 0
    (root / "metadata.json").write_text('{"arrays": {"x": 3}}')
    result = run("experiment", "check", root)
    assert result.exit_code == 1
    assert result.stdout.startswith("metadata.json: arrays['x']: 3 is not an array")
    result = run("experiment", "describe", root)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert run("experiment", "init", root).exit_code == 1
    assert run("experiment", "check", tmp_path).exit_code == 1


def test_traces_are_opened_as_the_options_say(run, raw, monkeypatch):
    opened = []
    monkeypatch.setattr(
        traces_module, "serve", lambda session, **how: opened.append((session, how))
    )
    raw.write_bytes(b"head" + raw.read_bytes() + b"x")
    result = run("traces", raw, raw, *FLAT, "--offset=4", "--fortran", "--no-browser")
    assert result.exit_code == 0, result.output
    session, how = opened[0]
    assert how["app_name"] == "traces"
    assert not how["opens_browser"]
    expected = np.arange(400).reshape(4, 100).T
    np.testing.assert_array_equal(session.model.traces.read(100, 200), expected)
    assert "ends within a sample" in result.stderr.replace("\n", " ")


@pytest.mark.parametrize("arguments", [["absent.dat"], []])
def test_what_cannot_be_shown_is_told(run, raw, arguments):
    result = run("traces", *(arguments or [raw]))
    assert result.exit_code == 1
    assert "Error:" in result.stderr
    assert "Traceback" not in result.output
