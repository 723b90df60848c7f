import sys

import pytest

from making.processes import run_python
from spikeloom.storage.places import (
    cache_folder,
    is_writable,
    private_folder,
    state_folder,
)


def test_the_environment_says_where_caches_and_state_go(own_folders):
    assert cache_folder() == own_folders / "cache"
    assert state_folder() == own_folders / "state"


def test_without_the_environment_they_go_to_the_users_own_folders(monkeypatch):
    monkeypatch.delenv("SPIKELOOM_CACHE_DIR")
    monkeypatch.delenv("SPIKELOOM_STATE_DIR")
    assert cache_folder().is_absolute()
    assert state_folder().is_absolute()
    assert "spikeloom" in str(cache_folder())
    assert "spikeloom" in str(state_folder())


def test_two_datasets_of_the_same_name_have_private_folders_of_their_own(tmp_path):
    one, two = tmp_path / "a" / "phy", tmp_path / "b" / "phy"
    assert private_folder(one) != private_folder(two)
    assert private_folder(one) == private_folder(tmp_path / "a" / "x" / ".." / "phy")
    assert private_folder(one).name.startswith("phy-")
    assert private_folder(one).is_relative_to(state_folder())


def test_asking_whether_a_folder_is_writable_makes_no_file_in_it(tmp_path):
    assert is_writable(tmp_path)
    assert not is_writable(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="uses capabilities of Linux")
def test_a_read_only_folder_is_not_writable(tmp_path):
    tmp_path.chmod(0o500)
    output = run_python(
        """
        import sys
        from pathlib import Path
        from making.processes import drop_powers
        from spikeloom.storage.places import is_writable

        drop_powers()
        print(is_writable(Path(sys.argv[1])))
        """,
        tmp_path,
    )
    tmp_path.chmod(0o700)
    assert output.strip() == "False"
