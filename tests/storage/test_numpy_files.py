"""Records, text and archives are read and written without pickles."""

import numpy as np
import pytest

from spikeloom.errors import MissingFileError, ParameterError, ReadError
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.numpy_files import open_records, read_npz, write_npz

SNIPPETS = np.zeros(3, [("frame", "i8"), ("snippet", "f4", (5, 2))])
SNIPPETS["frame"] = [4, 5, 9]


@pytest.mark.parametrize("is_mapped", [True, False])
@pytest.mark.parametrize(
    "array",
    [SNIPPETS, SNIPPETS[:0], np.array(["a", "µV"]), np.array([b"x"]), np.arange(4), np.array(2.5)],
    ids=["records", "no records", "text", "bytes", "numbers", "number"],
)
def test_npy_files_of_any_plain_kind(tmp_path, array, is_mapped):
    np.save(tmp_path / "a.npy", array)
    found = open_records(tmp_path / "a.npy", is_mapped=is_mapped)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_faulty_npy_files(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(MissingFileError):
        open_records(path)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(ReadError):
        open_records(path)
    np.save(path, SNIPPETS)
    whole = path.read_bytes()
    for n in range(0, len(whole), 7):
        path.write_bytes(whole[:n])
        with pytest.raises(ReadError):
            open_records(path)


def test_archives(tmp_path):
    path = tmp_path / "a.npz"
    arrays = {"unit_ids": np.array(["a", "b"]), "spikes": SNIPPETS, "n": np.array([2])}
    write_npz(path, arrays)
    found = read_npz(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    with np.load(path) as theirs:
        np.testing.assert_array_equal(theirs["spikes"], SNIPPETS)
    np.savez_compressed(path, x=np.arange(3))
    assert read_npz(path, ["x"])["x"].tolist() == [0, 1, 2]


def test_faulty_archives(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(MissingFileError):
        read_npz(path)
    np.savez(path, good=np.arange(3), bad=np.array([{}], object))
    with pytest.raises(ReadError, match="'bad'"):
        read_npz(path)
    assert list(read_npz(path, ["good"])) == ["good"]
    with pytest.raises(ReadError, match="'absent'"):
        read_npz(path, ["absent"])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ReadError):
        read_npz(path)
    with pytest.raises(ParameterError, match="'o'"):
        write_npz(path, {"o": np.array([{}], object)})


def test_encrypted_archives_are_told(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, good=np.arange(3))
    content = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + flags] |= 1
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"'good' .*is encrypted"):
        read_npz(path)


@pytest.mark.parametrize("dtype", ["<U3", ">U3", [("label", "U3"), ("n", "i4")]])
@pytest.mark.parametrize("is_mapped", [True, False])
def test_texts_of_characters_that_do_not_exist_are_refused(tmp_path, dtype, is_mapped):
    values = np.zeros(4, dtype)
    values.view(np.uint8)[3:8] = 255
    np.save(tmp_path / "a.npy", values)
    np.savez(tmp_path / "a.npz", labels=values)
    with pytest.raises(ReadError, match="do not exist"):
        open_records(tmp_path / "a.npy", is_mapped=is_mapped)
    with pytest.raises(ReadError, match="do not exist"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["absent.npy", "x" * 300 + ".npy"])
def test_files_that_cannot_be_there_are_told(tmp_path, name):
    for read in (open_records, open_npy, read_npz):
        with pytest.raises(MissingFileError):
            read(tmp_path / name)
