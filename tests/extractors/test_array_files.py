"""Arrays in files whose ending says the format: text, .npy, the tar container, raw data."""

import tarfile
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from spikeloom.errors import (
    DataError,
    MissingFileError,
    ParameterError,
    ReadError,
    SpikeloomError,
)
from spikeloom.extractors.array_files import read_array_file, write_array_file
from spikeloom.extractors.tar_arrays import read_tar_array, write_tar_array
from spikeloom.extractors.trace_files import FlatLayout

NUMBERS = st.sampled_from(["u1", "i2", "<u4", ">i8", "u8", "f4", "f8", "?"])


@given(values=hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0)))
@pytest.mark.parametrize("ending", [".npy", ".tar", ".txt"])
def test_what_is_written_is_read_again(tmp_path, ending, values):
    path = tmp_path / f"values{ending}"
    if ending == ".txt" and values.ndim > 2:
        with pytest.raises(ParameterError, match="one or two axes"):
            write_array_file(path, values)
        return
    write_array_file(path, values)
    found = np.asarray(read_array_file(path))
    assert found.shape == values.shape
    assert found.dtype.kind == values.dtype.kind
    assert found.dtype.itemsize == values.dtype.itemsize
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("35\n795\n812\n", [35, 795, 812]),
        ("# times\n1.5 2\n\n3 4 # a comment\n", [[1.5, 2], [3, 4]]),
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("1\t2\r\n3\t4\r\n", [[1, 2], [3, 4]]),
        ("\ufeff7\n", [7]),
        ("", []),
        ("# nothing\n", []),
        ("nan\n1e3\n", [np.nan, 1000.0]),
        ("1 2 3\n", [[1, 2, 3]]),
    ],
)
def test_tables_of_others_are_read(tmp_path, text, expected):
    path = tmp_path / "x.txt"
    path.write_text(text, encoding="utf-8", newline="")
    np.testing.assert_array_equal(read_array_file(path), expected)


@pytest.mark.parametrize(
    "text",
    [
        *("a b c", "1 2\n3", "# dtype: int64, shape: 3\n1\n2", "# dtype: object, shape: 1\n1"),
        f"# dtype: {'9' * 5000}, shape: 1\n1",
    ],
)
def test_what_is_no_table_is_told(tmp_path, text):
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"x\.txt is not a table"):
        read_array_file(path)


def test_raw_data_are_arrays_too(data_folder, tmp_path):
    found = read_array_file(data_folder / "blackrock_repack" / "rat128.ns5")
    assert found.shape == (10_000, 128)
    np.testing.assert_array_equal(found[[5, 2]], np.asarray(found[:10])[[5, 2]])
    assert found[10:20, 3].shape == (10,)
    flat = data_folder / "raw_4ch_1s" / "test-4ch-1s.dat"
    layout = FlatLayout(n_channels=4, dtype="int16")
    expected = np.fromfile(flat, "<i2").reshape(-1, 4)
    np.testing.assert_array_equal(np.asarray(read_array_file(flat, layout)), expected)
    with pytest.raises(ParameterError, match="n_channels, dtype"):
        read_array_file(flat)


def test_what_cannot_be_written_is_refused(tmp_path):
    for name in ("x.dat", "x.ns5", "x.csv", "x"):
        with pytest.raises(ParameterError, match=r"\.npy, \.txt, \.tar"):
            write_array_file(tmp_path / name, [1])
    with pytest.raises(ParameterError, match="Python objects"):
        write_array_file(tmp_path / "x.npy", np.array([{}, 1]))
    with pytest.raises(ParameterError, match="numbers"):
        write_array_file(tmp_path / "x.txt", ["a"])
    assert not list(tmp_path.iterdir())
    with pytest.raises(MissingFileError):
        read_array_file(tmp_path / "x.npy")


# --- the tar container ---------------------------------------------------------------------------


def test_a_tar_file_begins_with_its_description_and_is_mapped(tmp_path):
    values = np.arange(60, dtype=np.float32).reshape(20, 3)
    path = tmp_path / "features.tar"
    write_tar_array(path, values, axes=("spike", "feature"), labels={1: ["a", "b", "c"]})
    with tarfile.open(path) as archive:
        names = archive.getnames()
        ini = archive.extractfile(names[0]).read().decode()
        data = archive.extractfile(names[1]).read()
    assert names == ["format.ini", "data_0.bin"]
    assert ini.startswith("# ")
    assert "docs/experiment.md" in ini
    assert data == values.tobytes()
    found = read_tar_array(path)
    assert found.axes == ("spike", "feature")
    assert found.labels == {1: ["a", "b", "c"]}
    assert not found.values.flags.writeable
    base = found.values
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)


def test_several_files_in_a_tar_file_hold_rows_one_after_the_other(tmp_path):
    values = np.arange(100, dtype=np.int16).reshape(50, 2)
    path = tmp_path / "x.tar"
    write_tar_array(path, values, n_file_rows=7)
    with tarfile.open(path) as archive:
        assert len(archive.getnames()) == 1 + 8
    found = read_tar_array(path).values
    np.testing.assert_array_equal(np.asarray(found), values)
    np.testing.assert_array_equal(found[5:30:3], values[5:30:3])
    np.testing.assert_array_equal(found[[49, 0, 7]], values[[49, 0, 7]])
    write_tar_array(tmp_path / "again.tar", found)
    np.testing.assert_array_equal(read_tar_array(tmp_path / "again.tar").values, values)


def make_tar(path, ini, **files):
    import io

    with tarfile.open(path, "w") as archive:
        for name, content in [("format.ini", ini.encode()), *files.items()]:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_a_tar_file_of_anybody_with_a_short_description(tmp_path):
    path = make_tar(
        tmp_path / "x.tar", "[array]\ndtype=>i2\nshape=2 3\norder=F\n", x=bytes(range(12))
    )
    expected = np.frombuffer(bytes(range(12)), ">i2").reshape(3, 2).T
    np.testing.assert_array_equal(read_tar_array(path).values, expected)


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ("", r"section \[array\]"),
        ("[array]\nshape=2", "dtype is missing"),
        ("[array]\ndtype=O\nshape=2", "neither of numbers"),
        ("[array]\ndtype=i2,i4\nshape=2", "neither of numbers|does not describe"),
        ("[array]\ndtype=<i2\nshape=-2", "make no sense"),
        ("[array]\ndtype=<i2\nshape=7", "12 bytes"),
        ("[array]\ndtype=<i2\nshape=6\nfiles=y", "names the file y"),
        ("[array]\ndtype=<i2\nshape=6\n[labels]\naxis_0=[1]", "labels"),
        ("[array]\ndtype=<i2\nshape=6\n[labels]\naxes=3", "no list"),
        ("[array]\ndtype=<i2\nshape=1000000000000, 1000000000000", "12 bytes"),
    ],
)
def test_descriptions_that_do_not_fit_are_told(tmp_path, ini, told):
    path = make_tar(tmp_path / "x.tar", ini, x=bytes(12))
    with pytest.raises(DataError, match=told) as error:
        read_tar_array(path)
    assert "x.tar" in str(error.value)


def test_other_files_are_told(tmp_path):
    for name, content in {"empty.tar": b"", "text.tar": b"hello " * 200}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SpikeloomError, match=name):
            read_tar_array(tmp_path / name)
    write_tar_array(tmp_path / "x.tar", np.arange(1000))
    whole = (tmp_path / "x.tar").read_bytes()
    (tmp_path / "x.tar").write_bytes(whole[:3000])
    with pytest.raises(ReadError, match="cut short"):
        read_tar_array(tmp_path / "x.tar")
    with tarfile.open(tmp_path / "link.tar", "w") as archive:
        info = tarfile.TarInfo("format.ini")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(ReadError, match="plain file"):
        read_tar_array(tmp_path / "link.tar")


@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.integers(0, 2100), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.integers(0, 4000),
)
def test_damaged_tar_files_give_clean_errors_in_little_memory(tmp_path, changes, cut):
    path = tmp_path / "x.tar"
    write_tar_array(path, np.arange(100.0), axes=("t",), labels={0: list(range(100))})
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place] = value
    path.write_bytes(bytes(content[: len(content) - min(cut, len(content) // 2)]))
    tracemalloc.start()
    try:
        np.asarray(read_tar_array(path).values)
    except SpikeloomError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 8 << 20
