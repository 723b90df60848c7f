import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.storage.arrays import npy_writer, open_flat, open_npy
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
