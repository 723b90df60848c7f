"""The command line beside the demo: what is printed, and how it ends."""

import pytest
from typer.testing import CliRunner

from making.hashes import folder_state
from making.phy_folders import params_text, write_phy_folder
from making.processes import run_python
from spikeloom import __version__
from spikeloom.cli import template_gui as template_gui_module
from spikeloom.cli.main import COMMANDS, app


@pytest.fixture
def run():
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments])


def test_the_version_is_printed(run):
    result = run("--version")
    assert result.exit_code == 0
    assert result.output.strip() == __version__


def _words(text):
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    assert _words(f"{command} {COMMANDS[command]}") in _words(run("--help").output)
    result = run(command, "-h")
    assert result.exit_code == 0
    assert COMMANDS[command] in _words(result.output)


def test_a_command_that_there_is_not_is_told(run):
    result = run("descrbe", "x")
    assert result.exit_code == 2
    assert "Did you mean 'describe'" in _words(result.output)


def test_listing_commands_imports_none_of_them():
    code = """
        import sys
        from typer.testing import CliRunner
        from spikeloom.cli.main import app

        assert CliRunner().invoke(app, ["--help"]).exit_code == 0
        print(*(name for name in ("numpy", "numba", "uvicorn") if name in sys.modules))
    """
    assert run_python(code).strip() == ""


def test_a_dataset_is_described_with_the_words_of_phy(run, tmp_path):
    folder = write_phy_folder(tmp_path / "phy")
    before = folder_state(folder)
    for path in (folder, folder / "params.py"):
        result = run("template-describe", path)
        assert result.exit_code == 0
        rows = {line[:24].strip(): line[24:] for line in result.stdout.splitlines()}
        assert rows["Duration"] == "2.0s"
        assert rows["Sample rate"] == "20.0 kHz"
        assert rows["Data type"] == "int16"
        assert rows["# of channels"] == "8"
        assert rows["# of channels (raw)"] == "10"
        assert rows["# of templates"] == "6"
        assert rows["# of spikes"] == "400"
        assert rows["Directory"] == str(folder)
    assert folder_state(folder) == before


def test_what_is_wrong_with_a_dataset_is_told_beside_its_description(run, tmp_path):
    folder = write_phy_folder(tmp_path / "phy", has_raw=False)
    result = run("template-describe", folder)
    assert result.exit_code == 0
    assert "recording.dat is not there" in result.stderr.replace("\n", " ")
    assert "Warning" not in result.stdout


@pytest.mark.parametrize("command", ["template-describe", "template-gui"])
def test_a_dataset_that_cannot_be_opened_is_one_sentence_not_a_traceback(run, tmp_path, command):
    result = run(command, tmp_path / "absent")
    assert result.exit_code == 1
    assert "Error:" in result.stderr
    assert "params.py" in result.stderr or "absent" in result.stderr
    assert "Traceback" not in result.output
    assert "Errno" not in result.stderr


def test_a_params_file_is_run_only_if_asked(run, tmp_path):
    folder = write_phy_folder(tmp_path / "phy", has_raw=False)
    made = tmp_path / "made"
    (folder / "params.py").write_text(params_text() + f"open({str(made)!r}, 'w').close()\n")
    result = run("template-describe", folder)
    assert result.exit_code == 1
    assert "--trust-params" in result.stderr
    assert not made.exists()
    assert run("template-describe", folder, "--trust-params").exit_code == 0
    assert made.exists()


def test_the_gui_opens_the_dataset_and_serves_it(run, tmp_path, monkeypatch, own_folders):
    folder = write_phy_folder(tmp_path / "phy", has_raw=False)
    served = []
    monkeypatch.setattr(
        template_gui_module, "serve", lambda session, **options: served.append((session, options))
    )
    (own_folders / "cache").mkdir()
    (own_folders / "cache" / "old.npy").write_bytes(b"x")
    result = run("template-gui", folder, "--no-browser", "--port", "0", "--clear-cache")
    assert result.exit_code == 0
    ((app_session, options),) = served
    assert app_session.model.n_spikes == 400
    assert options == {"host": "127.0.0.1", "port": 0, "opens_browser": False}
    assert not (own_folders / "cache" / "old.npy").exists()
