import pytest

from spikeloom.errors import ReadError, WriteError
from spikeloom.storage.json_codec import read_json, write_json


def test_json_is_read_back_from_a_folder_made_for_it(tmp_path):
    path = tmp_path / "deep" / "a.json"
    value = {"text": "µ", "numbers": [1, 2.5, None], "nested": {"x": True}}
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text(encoding="utf-8").count("\n") > 3  # for people


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"{'a': 1}"])
def test_what_is_not_json_is_an_error_that_names_the_file(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"a\.json"):
        read_json(path)


def test_an_absent_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ReadError, match=r"a\.json"):
        read_json(tmp_path / "a.json")


def test_an_old_file_survives_a_write_that_fails(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def refuse(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(WriteError):
        write_json(path, {"new": 1})
    assert read_json(path) == {"old": 1}
