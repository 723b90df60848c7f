import io
import mmap
import os

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage import arrays
from spikeloom.storage.arrays import npy_writer, open_flat, open_npy, read_ahead
from spikeloom.storage.atomic import write_atomic


def npy_bytes(array, *, allow_pickle=False):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=allow_pickle)
    return file.getvalue()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<i4", ">i4", "<u8", "<f8", "<f2", "?"])
def test_arrays_are_opened_read_only_as_they_are(tmp_path, dtype, order):
    array = np.asarray(np.arange(6).reshape(3, 2), dtype, order=order)
    path = tmp_path / "a.npy"
    path.write_bytes(npy_bytes(array))
    opened = open_npy(path)
    np.testing.assert_array_equal(opened, array)
    assert opened.dtype == array.dtype
    assert type(opened) is np.ndarray
    assert not opened.flags.writeable


@pytest.mark.parametrize("shape", [(0,), (0, 3), (4, 0)])
def test_an_array_without_elements_is_opened(tmp_path, shape):
    path = tmp_path / "a.npy"
    path.write_bytes(npy_bytes(np.zeros(shape, np.int32)))
    assert open_npy(path).shape == shape


def test_a_large_array_is_mapped_not_read(tmp_path):
    path = tmp_path / "a.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.int8, shape=(1 << 33,))  # sparse: 8 GiB
    assert open_npy(path).shape == (1 << 33,)


def test_what_is_written_is_read_back(tmp_path):
    array = np.random.default_rng(0).normal(size=(5, 3))
    write_atomic(tmp_path / "a.npy", npy_writer(array))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), array)


def test_objects_are_neither_read_nor_written(tmp_path):
    path = tmp_path / "a.npy"
    objects = np.array([{"a": 1}, None], object)
    path.write_bytes(npy_bytes(objects, allow_pickle=True))
    with pytest.raises(ReadError, match=r"a\.npy"):
        open_npy(path)
    with pytest.raises(ValueError, match="Object arrays"):
        npy_writer(objects)(io.BytesIO())


@pytest.mark.parametrize(
    "array",
    [np.array(["a", "b"]), np.zeros(3, "i4,f4"), np.zeros(3, complex), np.zeros(2, "M8[s]")],
    ids=["text", "records", "complex", "dates"],
)
def test_what_is_not_an_array_of_numbers_is_an_error(tmp_path, array):
    path = tmp_path / "a.npy"
    path.write_bytes(npy_bytes(array))
    with pytest.raises(ReadError, match="numbers"):
        open_npy(path)


def test_an_absent_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(MissingFileError, match=r"a\.npy") as caught:
        open_npy(tmp_path / "a.npy")
    assert isinstance(caught.value, FileNotFoundError)


def test_a_file_cut_short_at_any_byte_is_an_error(tmp_path):
    whole = npy_bytes(np.arange(10, dtype=np.int64))
    path = tmp_path / "a.npy"
    for n_bytes in [*range(16), *range(16, len(whole), 5)]:
        path.write_bytes(whole[:n_bytes])
        with pytest.raises(ReadError, match=r"a\.npy"):
            open_npy(path)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + bytes(60), b"PK\x05\x06" + bytes(18), b"\x80\x04N."]
)
def test_archives_and_pickles_are_errors(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"a\.npy"):
        open_npy(path)


@pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning")
@given(st.data())
def test_damaged_bytes_give_numbers_or_a_clear_error(tmp_path_factory, data):
    content = bytearray(npy_bytes(np.arange(4, dtype=np.int32)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 100))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("npy") / "a.npy"
    path.write_bytes(bytes(content))
    kind, reason = "i", "a.npy"
    try:
        kind = open_npy(path).dtype.kind
    except ReadError as error:
        reason = str(error)
    assert kind in "biuf"
    assert "a.npy" in reason


def test_flat_files_are_mapped_and_an_unfinished_last_sample_is_left_out(tmp_path):
    path = tmp_path / "a.dat"
    path.write_bytes(b"head" + np.arange(10, dtype="<i2").tobytes() + b"x")
    opened = open_flat(path, dtype="<i2", n_channels=3, offset_bytes=4)
    assert opened.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert not opened.flags.writeable


@pytest.mark.parametrize(
    "options",
    [
        {"n_channels": 100},
        {"n_channels": 3, "offset_bytes": 20},
        {"n_channels": 0},
        {"n_channels": -2},
        {"n_channels": 2, "offset_bytes": -2},
    ],
    ids=str,
)
def test_flat_files_that_cannot_hold_a_sample_are_errors_that_say_what_to_check(tmp_path, options):
    path = tmp_path / "a.dat"
    path.write_bytes(bytes(20))
    with pytest.raises(DataError, match="n_channels_dat"):
        open_flat(path, dtype=np.int16, **options)


def test_an_absent_flat_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(MissingFileError, match=r"a\.dat"):
        open_flat(tmp_path / "a.dat", dtype=np.int16, n_channels=1)


@pytest.fixture
def big_file(tmp_path):
    """A file of 8 MiB, of which nothing is in memory any more where the system lets us drop it."""
    path = tmp_path / "big.dat"
    np.arange(1 << 22, dtype=np.int16).tofile(path)
    return path


def drop_from_memory(path):
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


needs_advice = pytest.mark.skipif(
    not (hasattr(mmap, "MADV_WILLNEED") and hasattr(os, "posix_fadvise")),
    reason="this system takes no hints about memory maps",
)


@needs_advice
def test_ranges_of_a_map_are_asked_for_once_if_any_is_not_in_memory(big_file, monkeypatch):
    monkeypatch.setattr(arrays, "_COLD_S", -1.0)  # as if every byte came from a disk
    array = open_flat(big_file, dtype=np.int16, n_channels=64)  # 32 rows a page
    page = mmap.PAGESIZE // 128
    assert read_ahead(array, np.array([0]), 1) == 1
    assert read_ahead(array, np.array([page - 1]), 2) == 2
    assert read_ahead(array, np.array([5, 0, 3]), 4) == 1  # one page, whatever the order
    assert read_ahead(array, np.array([0, 100 * page]), 1) == 2
    assert read_ahead(array, np.array([0, 4 * page]), 1) == 5  # with the gap between them
    assert read_ahead(array, np.array([-50, len(array) + 50]), 20) == 2  # cut to the file
    assert read_ahead(array[10 * page :], np.array([0]), page) == 1
    shifted = open_flat(big_file, dtype=np.int16, n_channels=64, offset_bytes=64)
    assert read_ahead(shifted, np.array([page - 1]), 1) == 2


@needs_advice
def test_nothing_is_asked_of_what_is_in_memory(big_file, monkeypatch):
    monkeypatch.setattr(arrays, "_COLD_S", 10.0)
    array = open_flat(big_file, dtype=np.int16, n_channels=64)
    assert read_ahead(array, np.arange(0, 1000, 10), 5) == 0


@needs_advice
def test_rows_are_the_same_whether_they_were_asked_for_or_not(big_file, monkeypatch):
    monkeypatch.setattr(arrays, "_COLD_S", -1.0)
    drop_from_memory(big_file)
    array = open_flat(big_file, dtype=np.int16, n_channels=64)
    read_ahead(array, np.array([0, 20_000]), 500)
    expected = np.fromfile(big_file, np.int16).reshape(-1, 64)
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize("starts", [[], [0, 3]])
def test_arrays_that_are_no_maps_need_no_reading_ahead(starts):
    starts = np.array(starts, np.int64)
    assert read_ahead(np.zeros((10, 2)), starts, 5) == 0
    assert read_ahead(np.zeros((0, 2)), starts, 5) == 0
    assert read_ahead(np.asfortranarray(np.zeros((10, 2))), starts, 0) == 0
