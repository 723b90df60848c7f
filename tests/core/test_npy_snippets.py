import numpy as np
import pytest

from spikeloom.core import npy_snippets
from spikeloom.core.npy_snippets import NpySnippetsExtractor, read_npy_snippets, write_npy_snippets
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError

RATE = 30_000.0


@pytest.fixture
def snippets():
    rng = np.random.default_rng(1)
    waves = [rng.integers(-99, 99, (n, 12, 3)).astype(np.int16) for n in (40, 0, 5)]
    frames = [np.sort(rng.integers(0, 10**10, len(each))) for each in waves]
    return NumpySnippets(waves, frames, RATE, nbefore=4, channel_ids=["a", "b", "c"])


@pytest.mark.parametrize("dtype", [None, "float32"])
@pytest.mark.parametrize("block_bytes", [1, 500, 1 << 25])
def test_what_is_written_is_read(snippets, tmp_path, monkeypatch, dtype, block_bytes):
    monkeypatch.setattr(npy_snippets, "_BLOCK_BYTES", block_bytes)
    paths = [tmp_path / "new" / f"{k}.npy" for k in range(3)]
    write_npy_snippets(snippets, paths, dtype)
    read = read_npy_snippets(
        paths, RATE, channel_ids=["a", "b", "c"], nbefore=4, gain_to_uV=2.0, offset_to_uV=[0, 1, 2]
    )
    assert isinstance(read, NpySnippetsExtractor)
    assert read.dtype == np.dtype(dtype or np.int16)
    assert (read.nbefore, read.snippet_len) == (4, 12)
    for k in range(3):
        np.testing.assert_array_equal(
            read.get_snippets(segment_index=k), snippets.get_snippets(segment_index=k)
        )
        np.testing.assert_array_equal(
            read.get_frames(segment_index=k), snippets.get_frames(segment_index=k)
        )
    np.testing.assert_array_equal(
        read.get_snippets([3, 1], 0, ["c", "a"]), snippets.get_snippets([3, 1], 0, ["c", "a"])
    )
    np.testing.assert_array_equal(
        read.get_snippets([2], 2, return_in_uV=True),
        snippets.get_snippets([2], 2) * np.float32(2) + np.float32([0, 1, 2]),
    )
    first = np.load(paths[0])  # numpy itself finds the records of the format
    assert first.dtype == np.dtype([("frame", "i8"), ("snippet", read.dtype, (12, 3))])
    assert read.check_if_json_serializable()
    again = read.clone()
    np.testing.assert_array_equal(again.get_snippets(segment_index=2), read.get_snippets(None, 2))
    assert again.get_channel_offsets().tolist() == [0, 1, 2]


def test_one_file_stands_for_one_segment(snippets, tmp_path):
    one = snippets.select_segments(0)
    NpySnippetsExtractor.write_snippets(one, str(tmp_path / "one.npy"))
    read = read_npy_snippets(str(tmp_path / "one.npy"), RATE)
    assert read.get_num_segments() == 1
    assert read.channel_ids.tolist() == [0, 1, 2]
    assert not read.is_aligned()
    with pytest.raises(ParameterError, match="2 channel ids"):
        read_npy_snippets(tmp_path / "one.npy", RATE, channel_ids=[1, 2])


def test_files_that_are_there_stay_unless_asked(snippets, tmp_path):
    paths = [tmp_path / f"{k}.npy" for k in range(3)]
    paths[1].write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        write_npy_snippets(snippets, paths)
    assert [path.name for path in tmp_path.iterdir()] == ["1.npy"]
    write_npy_snippets(snippets, paths, overwrite=True)
    assert read_npy_snippets(paths, RATE).get_total_snippets() == 45
    with pytest.raises(ParameterError, match="1 files do not fit 3 segments"):
        write_npy_snippets(snippets, paths[0])


def test_other_files_are_refused(snippets, tmp_path):
    path = tmp_path / "x.npy"
    with pytest.raises(MissingFileError, match="no file"):
        read_npy_snippets(path, RATE)
    with pytest.raises(ParameterError, match="got none"):
        read_npy_snippets([], RATE)
    np.save(path, np.zeros(3))
    with pytest.raises(DataError, match="holds no snippets"):
        read_npy_snippets(path, RATE)
    np.save(path, np.zeros(3, [("frame", "i8"), ("snippet", "f4")]))
    with pytest.raises(DataError, match="holds no snippets"):
        read_npy_snippets(path, RATE)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(ReadError, match="not a complete"):
        read_npy_snippets(path, RATE)
    np.savez(tmp_path / "x.npz", a=1)
    with pytest.raises(ReadError, match="not a complete"):
        read_npy_snippets(tmp_path / "x.npz", RATE)
    write_npy_snippets(snippets.select_segments(0), path, overwrite=True)
    write_npy_snippets(snippets.select_segments(0), tmp_path / "f.npy", "f4")
    with pytest.raises(DataError, match="those before"):
        read_npy_snippets([path, tmp_path / "f.npy"], RATE)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ReadError, match="not a complete"):
        read_npy_snippets(path, RATE)
