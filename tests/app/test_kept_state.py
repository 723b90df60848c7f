import pytest

from spikeloom.app.kept_state import KeptState


@pytest.fixture
def kept(tmp_path):
    return KeptState.of("template-gui", tmp_path / "phy")


def test_at_first_there_is_none(kept):
    assert kept.load() == ({}, {})


def test_what_is_kept_is_loaded_for_the_same_dataset_and_shared_with_others(kept, tmp_path):
    kept.keep({"layout": [1, 2]}, {"zoom": 3.5})
    assert KeptState.of("template-gui", tmp_path / "phy").load() == (
        {"layout": [1, 2]},
        {"zoom": 3.5},
    )
    assert KeptState.of("template-gui", tmp_path / "other").load() == ({"layout": [1, 2]}, {})
    assert KeptState.of("kwik-gui", tmp_path / "phy").load() == ({}, {})


def test_nothing_is_written_beside_the_data(kept, tmp_path):
    kept.keep({"a": 1}, {"b": 2})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"5", b"\xff"])
def test_a_damaged_file_is_as_none(kept, content):
    kept.keep({"a": 1}, {"b": 2})
    kept.shared_path.write_bytes(content)
    assert kept.load() == ({}, {"b": 2})


def test_a_place_that_cannot_be_written_is_no_reason_to_stop(kept, own_folders):
    (own_folders / "state").write_text("a file where the folder should be")
    kept.keep({"a": 1}, {"b": 2})
    assert kept.load() == ({}, {})
    kept.clear()


def test_it_can_be_forgotten(kept):
    kept.keep({"a": 1}, {"b": 2})
    kept.clear()
    kept.clear()
    assert kept.load() == ({}, {})
