"""Blocks of a flat file land where they belong, and files are read in either orientation."""

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.processes import run_python
from spikeloom.errors import DataError, MissingFileError, ParameterError, WriteError
from spikeloom.storage.raw_files import RawFileWriter, open_raw
from spikeloom.storage.staged_saves import staged_save


@given(
    st.integers(0, 40),
    st.integers(1, 5),
    st.sampled_from(["<i2", ">i2", "<f4", "u1", "<f8"]),
    st.integers(0, 9),
    st.integers(1, 4),
    st.randoms(),
)
def test_blocks_in_any_order(tmp_path, n, n_channels, dtype, offset, n_threads, random):
    values = np.random.default_rng(n).integers(0, 99, (n, n_channels)).astype(dtype)
    edges = sorted({0, n, *(random.randint(0, n) for _ in range(4))})
    parts = list(pairwise(edges))
    random.shuffle(parts)
    path = tmp_path / "a.raw"
    path.unlink(missing_ok=True)
    with RawFileWriter(path, values.shape, dtype, file_offset=offset, header=b"h" * offset) as file:
        with ThreadPoolExecutor(n_threads) as pool:
            sums = list(pool.map(lambda p: file.write(p[0], values[slice(*p)]), parts))
        assert sums == [file.checksum(*part) for part in parts]
    assert path.read_bytes() == b"h" * offset + values.tobytes()
    with path.open("ab") as file:
        file.write(b"\0" * (n_channels * np.dtype(dtype).itemsize - 1))  # no whole sample
    found = open_raw(path, dtype=dtype, n_channels=n_channels, file_offset=offset)
    np.testing.assert_array_equal(found, values)
    assert not found.flags.writeable or not found.size


@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 30), st.integers(0, 30))
def test_channels_one_after_the_other(tmp_path, n, n_channels, start, stop):
    values = np.arange(n * n_channels, dtype="i4").reshape(n, n_channels)
    path = tmp_path / "a.raw"
    path.write_bytes(b"head" + values.T.tobytes())
    found = open_raw(path, dtype="i4", n_channels=n_channels, file_offset=4, time_axis=1)
    assert found.shape == values.shape
    np.testing.assert_array_equal(found[start:stop], values[start:stop])
    np.testing.assert_array_equal(found[start:stop, [-1]], values[start:stop, [-1]])


def test_other_processes_write_to_the_same_file(tmp_path):
    with RawFileWriter(tmp_path / "a.raw", (4, 1), "i2") as file:
        file.write(0, np.array([[1], [2]], "i2"))
        with pickle.loads(pickle.dumps(file)) as other:
            other.write(2, np.array([[3], [4]], "i2"))
        file.close()
    assert np.fromfile(tmp_path / "a.raw", "i2").tolist() == [1, 2, 3, 4]


def test_what_does_not_fit(tmp_path):
    with RawFileWriter(tmp_path / "a.raw", (4, 2), "i2") as file:
        for row, block in [(3, np.zeros((2, 2), "i2")), (-1, np.zeros((1, 2), "i2"))]:
            with pytest.raises(ParameterError, match="do not fit"):
                file.write(row, block)
        with pytest.raises(ParameterError, match="shape"):
            file.write(0, np.zeros((2, 3), "i2"))
        with pytest.raises(ParameterError, match="dtype"):
            file.write(0, np.zeros((2, 2), "f4"))
    with pytest.raises(ParameterError, match="header"):
        RawFileWriter(tmp_path / "b.raw", (4, 2), "i2", header=b"x")
    with pytest.raises(WriteError, match="No such file"):
        RawFileWriter(tmp_path / "absent" / "b.raw", (4, 2), "i2")
    assert not (tmp_path / "b.raw").exists()


def test_faulty_files(tmp_path):
    with pytest.raises(MissingFileError):
        open_raw(tmp_path / "a.raw", dtype="i2", n_channels=2)
    (tmp_path / "a.raw").write_bytes(b"abc")
    assert open_raw(tmp_path / "a.raw", dtype="i2", n_channels=2).shape == (0, 2)
    with pytest.raises(DataError, match="offset"):
        open_raw(tmp_path / "a.raw", dtype="i2", n_channels=2, file_offset=4)
    for options in ({"n_channels": 0}, {"n_channels": 1, "time_axis": 2}):
        with pytest.raises(ParameterError):
            open_raw(tmp_path / "a.raw", dtype="i2", **options)


@pytest.mark.skipif(os.name == "nt", reason="limits of a process")
def test_a_file_that_may_not_grow(tmp_path):
    code = """
        import resource, sys
        from pathlib import Path
        from spikeloom.errors import WriteError
        from spikeloom.storage.raw_files import RawFileWriter
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            RawFileWriter(Path(sys.argv[1]), (1000, 2), "i2")
        except WriteError as error:
            print(error)
    """
    assert "largest size" in run_python(code, tmp_path / "a.raw")


KILLED = """
import os, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import test_raw_files as here
here.save(Path(sys.argv[1]), die_at=60)
"""

VALUES = np.arange(300, dtype="i2").reshape(100, 3) + 1


def save(target, die_at=None):
    """Save in blocks of 20 rows, continuing what a process before left; return the rows read."""
    asked = []

    def get_block(rows):
        if rows.start == die_at:
            os._exit(9)
        asked.append(rows.start)
        return VALUES[rows.start : rows.stop]

    with staged_save(target, fingerprint="f", resume=True) as staging:
        staging.path.mkdir(exist_ok=True)
        with RawFileWriter(staging.path / "traces.raw", VALUES.shape, "i2") as file:
            for row in range(0, 100, 20):
                rows = range(row, row + 20)
                block = partial(get_block, rows)
                staging.write_missing(file, "traces.raw", rows=rows, get_block=block)
    return asked


def test_a_killed_save_is_resumed(tmp_path):
    target = tmp_path / "rec"
    run_python(KILLED, target, Path(__file__).parent, code_expected=9)
    assert not target.exists()
    staged = next(tmp_path.glob(".rec.*.saving")) / "traces.raw"
    content = bytearray(staged.read_bytes())
    content[20 * 6] ^= 1  # what a failing machine did not bring to the disk
    staged.write_bytes(content)
    assert save(target) == [20, 60, 80]
    assert (target / "traces.raw").read_bytes() == VALUES.tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["rec"]


def test_rows_come_from_another_file(tmp_path):
    values = np.arange(30, dtype="<i2").reshape(10, 3)
    source = tmp_path / "source.raw"
    source.write_bytes(b"head" + values.tobytes())
    path = tmp_path / "a.raw"
    with RawFileWriter(path, values.shape, "<i2", file_offset=5, header=b"12345") as file:
        file.write(0, values[:4])
        if not file.copy(4, 6, source, 4 + 4 * 6):
            pytest.skip("this system cannot copy from file to file")
        assert not file.copy(0, 10, source, 6)  # the source ends before
        assert not file.copy(0, 10, tmp_path / "nowhere.raw", 0)
        file.write(0, values)
    assert path.read_bytes() == b"12345" + values.tobytes()
