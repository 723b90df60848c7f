from pathlib import Path

import pytest

from spikeloom.engine import folders
from spikeloom.engine.folders import (
    get_global_dataset_folder,
    get_global_tmp_folder,
    is_set_global_dataset_folder,
    is_set_global_tmp_folder,
    reset_global_dataset_folder,
    reset_global_tmp_folder,
    set_global_dataset_folder,
    set_global_tmp_folder,
)


@pytest.fixture(autouse=True)
def fresh_folders(monkeypatch, tmp_path):
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path / "system"))
    for variable in folders.DATASET_FOLDER_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    reset_global_tmp_folder()
    reset_global_dataset_folder()
    yield
    reset_global_tmp_folder()
    reset_global_dataset_folder()


def test_the_temporary_folder_stays_the_same_and_comes_back_when_deleted():
    folder = get_global_tmp_folder()
    assert folder.is_dir()
    folder.rmdir()
    assert get_global_tmp_folder() == folder
    assert folder.is_dir()
    assert not is_set_global_tmp_folder()


def test_a_temporary_folder_is_set_and_reset(tmp_path):
    set_global_tmp_folder(tmp_path / "mine" / "deep")
    assert is_set_global_tmp_folder()
    assert get_global_tmp_folder() == tmp_path / "mine" / "deep"
    reset_global_tmp_folder()
    assert not is_set_global_tmp_folder()
    assert get_global_tmp_folder() != tmp_path / "mine" / "deep"


def test_datasets_are_found_where_they_were_downloaded_before(monkeypatch, tmp_path):
    assert get_global_dataset_folder() == Path.home() / "spikeinterface_datasets"
    monkeypatch.setenv("SPIKEINTERFACE_DATASET_FOLDER", str(tmp_path / "theirs"))
    assert get_global_dataset_folder() == tmp_path / "theirs"
    monkeypatch.setenv("SPIKELOOM_DATASET_FOLDER", str(tmp_path / "ours"))
    assert get_global_dataset_folder() == tmp_path / "ours"
    assert not is_set_global_dataset_folder()
    set_global_dataset_folder(tmp_path / "set")
    assert is_set_global_dataset_folder()
    assert get_global_dataset_folder() == tmp_path / "set"
    assert list(tmp_path.iterdir()) == []
