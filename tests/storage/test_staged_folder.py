import os
from pathlib import Path

import pytest

from spikeloom.errors import ParameterError, WriteError
from spikeloom.storage.staged_folder import refuse_used_folder, staged_folder

is_root = hasattr(os, "geteuid") and os.geteuid() == 0


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_is_there_with_all_its_files_or_not_at_all(tmp_path, is_there):
    target = tmp_path / "deep" / "data"
    if is_there:
        target.mkdir(parents=True)
    with staged_folder(target) as staging:
        (staging / "a").write_text("1")
        assert not target.exists() or not any(target.iterdir())
        assert staging.parent == target.parent
    assert names_in(target) == ["a"]
    assert names_in(target.parent) == ["data"]


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt(), ParameterError("no")])
def test_nothing_stays_of_a_folder_that_was_not_finished(tmp_path, error):
    def fail():
        with staged_folder(tmp_path / "data") as staging:
            (staging / "a").write_text("1")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert names_in(tmp_path) == []


def test_errors_of_the_system_are_told_with_the_folder(tmp_path):
    with (
        pytest.raises(WriteError, match=r"Cannot make the folder .*data: No space left") as caught,
        staged_folder(tmp_path / "data"),
    ):
        raise OSError(28, "No space left on device")
    assert caught.value.errno == 28


def test_errors_of_ours_are_not_told_twice(tmp_path):
    with (
        pytest.raises(WriteError, match=r"^(\[Errno 5\] )?Cannot write x\.$"),
        staged_folder(tmp_path / "d"),
    ):
        raise WriteError(5, "Cannot write x.")


@pytest.mark.skipif(is_root, reason="root may write everywhere")
def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="Permission denied"), staged_folder(tmp_path / "data"):
        pass


def test_nothing_that_is_there_is_overwritten(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("1")
    with pytest.raises(ParameterError, match="file is a file; give the path of a new folder"):
        refuse_used_folder(tmp_path / "file")
    with pytest.raises(ParameterError, match="is not empty"), staged_folder(tmp_path):
        pytest.fail("the body was run")
    (tmp_path / "empty").mkdir()
    refuse_used_folder(tmp_path / "empty")
    refuse_used_folder(tmp_path / "new")
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(ParameterError, match="is the working folder"):
        refuse_used_folder(Path())
    assert names_in(tmp_path) == ["empty", "file"]
