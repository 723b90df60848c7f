"""Chunks that are unpacked here are those that the HDF5 library unpacks."""

import pathlib
import pickle
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikeloom.errors import DataError, ReadError
from spikeloom.extractors.hdf5_arrays import open_array
from spikeloom.extractors.hdf5_chunks import ChunkedArray, chunk_index
from spikeloom.extractors.hdf5_files import open_hdf5

FILTERS = {
    "none": {},
    "gzip": {"compression": "gzip"},
    "shuffled": {"compression": "gzip", "shuffle": True},
    "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "checked": {"fletcher32": True},
    "lzf": {"compression": "lzf"},  # which the library undoes
}


def write(path, values, **settings):
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("a", data=values, **settings)
    return opened(path)


def opened(path):
    with open_hdf5(path) as file:
        found = open_array(path, file["a"])
    assert isinstance(found, ChunkedArray)
    return found


@st.composite
def arrays(draw):
    shape = tuple(draw(st.lists(st.integers(1, 12), min_size=1, max_size=3)))
    chunks = tuple(draw(st.integers(1, n)) for n in shape)
    dtype = draw(st.sampled_from(["<i2", ">i2", "u1", "<f4", ">f8", "?"]))
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    rows = draw(st.lists(st.integers(0, shape[0] - 1), max_size=9))
    return values, chunks, slice(*sorted(draw(st.tuples(*[st.integers(0, shape[0])] * 2)))), rows


@settings(deadline=None, max_examples=60)
@given(case=arrays(), filters=st.sampled_from([*FILTERS]))
def test_rows_are_those_of_the_library(tmp_path_factory, case, filters):
    values, chunks, stretch, rows = case
    path = tmp_path_factory.mktemp("chunks") / "a.h5"
    found = write(path, values, chunks=chunks, **FILTERS[filters])
    for picked in (stretch, np.array(rows, np.int64), slice(None)):
        np.testing.assert_array_equal(found[picked], values[picked])
    assert found[stretch].dtype == values.dtype
    with h5py.File(path) as file:
        assert (chunk_index(file["a"]) is None) is (filters == "lzf")


def test_chunks_that_were_never_written_have_the_fill_value(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("a", (100, 3), "i4", chunks=(10, 2), fillvalue=7)
        made[25:27, 0] = 5
        whole = made[:]
    np.testing.assert_array_equal(opened(path)[:], whole)


def test_a_chunk_that_could_not_be_packed_is_read(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("a", (8, 4), "i2", chunks=(4, 4), compression="gzip")
        plain = np.arange(16, dtype="i2").reshape(4, 4)
        made.id.write_direct_chunk((0, 0), plain.tobytes(), filter_mask=1)
        made[4:] = plain
    np.testing.assert_array_equal(opened(path)[:], np.concatenate([plain, plain]))


def test_the_file_may_be_replaced_while_it_is_open(tmp_path):
    first, second = np.zeros((50, 2), "i2"), np.arange(100, dtype="i2").reshape(50, 2)
    found = write(tmp_path / "a.h5", first, chunks=(7, 2), compression="gzip")
    np.testing.assert_array_equal(found[3:9], first[3:9])
    write(tmp_path / "b.h5", second, chunks=(9, 1), shuffle=True)
    pathlib.Path(tmp_path / "b.h5").replace(tmp_path / "a.h5")
    np.testing.assert_array_equal(found[3:9], second[3:9])


@pytest.mark.parametrize("filters", ["gzip", "all", "checked"])
def test_a_damaged_chunk_is_told_with_its_place(tmp_path, filters):
    path = tmp_path / "a.h5"
    found = write(path, np.arange(4000).reshape(100, 40), chunks=(50, 40), **FILTERS[filters])
    with h5py.File(path) as file:
        place = chunk_index(file["a"]).places[1, 0]
    content = bytearray(path.read_bytes())
    content[place.offset + 40] ^= 255
    path.write_bytes(content)
    found[:50]
    with pytest.raises(DataError, match=rf"chunk \(1, 0\) of /a at byte {place.offset} is damaged"):
        found[40:60]
    path.write_bytes(content[: place.offset + 50])
    with pytest.raises((DataError, ReadError)):
        found[40:60]


def test_a_chunk_that_unpacks_to_more_than_it_may_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("a", (8, 4), "i2", chunks=(4, 4), compression="gzip")
        made[:] = 1
        made.id.write_direct_chunk((0, 0), zlib.compress(bytes(10_000_000)))
    with pytest.raises(DataError, match="is damaged: it has 36 bytes of 32, unpacked"):
        opened(path)[:2]


def test_chunked_arrays_may_be_pickled(tmp_path):
    values = np.arange(60).reshape(20, 3)
    found = write(tmp_path / "a.h5", values, chunks=(7, 2))
    found[:3]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found))[5:9], values[5:9])
