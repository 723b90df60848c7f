"""``spikeloom kwik-describe``."""

import pytest
from typer.testing import CliRunner

from making.hashes import folder_state
from making.kwik_datasets import group_data, klusta_dataset
from spikeloom.cli.main import app


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


def rows_of(result):
    assert result.exit_code == 0, result.output
    return {line[:24].strip(): line[24:] for line in result.stdout.splitlines()}


def test_a_dataset_is_described_with_the_words_of_phy(run, tmp_path):
    path = klusta_dataset(tmp_path, groups={0: group_data(), 2: group_data(n_spikes=20)})
    before = folder_state(tmp_path)
    assert rows_of(run("kwik-describe", path)) == {
        "Kwik file": str(path),
        "Recordings": "2",
        "List of shanks": "0*, 2",
        "Clusterings": "main*, original",
        "Channels": "4",
        "Spikes": "80",
        "Clusters": "5",
        "Duration": "0s",
    }
    rows = rows_of(run("kwik-describe", path, "--channel-group", 2, "--clustering", "original"))
    assert rows["List of shanks"] == "0, 2*"
    assert rows["Clusterings"] == "main, original*"
    assert rows["Spikes"] == "20"
    assert folder_state(tmp_path) == before


def test_what_is_absent_is_told_beside_the_description(run, tmp_path):
    path = klusta_dataset(tmp_path)
    path.with_suffix(".raw.kwd").unlink()
    result = run("kwik-describe", path)
    assert result.exit_code == 0
    assert "session.raw.kwd" in result.stderr
    assert "Warning" not in result.stdout


@pytest.mark.parametrize("arguments", [[], ["--channel-group", "7"], ["--clustering", "x"]])
def test_what_cannot_be_opened_is_one_sentence(run, tmp_path, arguments):
    path = klusta_dataset(tmp_path) if arguments else tmp_path / "absent.kwik"
    result = run("kwik-describe", path, *arguments)
    assert result.exit_code == 1
    assert "Error:" in result.stderr
    assert "Traceback" not in result.output
