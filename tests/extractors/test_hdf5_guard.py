"""What would end the process, or take all its memory, inside the HDF5 library is refused before."""

import fcntl
import struct
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from making.processes import run_python
from spikeloom.errors import DataError, MissingFileError, ReadError
from spikeloom.extractors.hdf5_arrays import open_array, read_array, read_texts
from spikeloom.extractors.hdf5_chunks import ChunkedArray, chunk_index
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import attributes, child, dataset_at
from spikeloom.extractors.hdf5_sources import is_hdf5
from spikeloom.extractors.nwb_recording import read_nwb_recording
from spikeloom.extractors.peeking import Peek

TEXTS = ["one", "two and more", ""]

VARIABLE_LENGTH = bytes.fromhex("19010100")
"""How the type of a text of variable length begins in a file."""

READ_ALL = """
    import sys
    from pathlib import Path
    from spikeloom.extractors.hdf5_files import open_hdf5
    from spikeloom.extractors.hdf5_nodes import attributes

    with open_hdf5(Path(sys.argv[1])) as file:
        print(sorted(attributes(file)))
"""


@pytest.fixture
def path(tmp_path):
    """Return a file with texts of variable length as attribute and as dataset."""
    path = tmp_path / "texts.h5"
    with h5py.File(path, "w") as file:
        file.attrs["number"] = 3
        file.attrs["text"] = "something"
        file.create_dataset("texts", data=TEXTS, dtype=h5py.string_dtype())
    return path


def _change(path, place, new):
    content = bytearray(path.read_bytes())
    content[place : place + len(new)] = new
    path.write_bytes(content)


def _place_of(path, what):
    content = path.read_bytes()
    assert content.count(what) == 1
    return content.index(what)


def _reference(text, path):
    """Return where the file refers to a text, and how."""
    heap = _place_of(path, b"GCOL")
    content = path.read_bytes()
    places = range(len(content) - 16)
    return next(k for k in places if struct.unpack_from("<IQ", content, k) == (len(text), heap))


def test_what_is_whole_is_read(path):
    with open_hdf5(path) as file:
        assert attributes(file) == {"number": 3, "text": "something"}
        assert read_texts(path, file["texts"]).tolist() == TEXTS
    assert is_hdf5(path)
    assert Peek(path).hdf5_members == ("texts",)


@pytest.mark.parametrize(
    ("place", "size", "told"),
    [
        (8, 0, "collection at byte {}"),  # reading it goes on for ever, or crashes
        (8, 1 << 40, "collection at byte {}"),
        (16 + 8, 1 << 62, "object at byte {}"),
        (16 + 8, (1 << 64) - 8, "object at byte {}"),  # which would lead back to where it came from
    ],
)
def test_heaps_that_lie_are_refused(path, place, size, told):
    heap = _place_of(path, b"GCOL")
    _change(path, heap + place, struct.pack("<Q", size))
    where = heap if place == 8 else heap + 16
    with (
        pytest.raises(ReadError, match=f"{path.name} .*global heap {told.format(where)} says"),
        open_hdf5(path) as file,
    ):
        attributes(file)
    assert Peek(path).hdf5_attributes == {}


def test_a_heap_that_has_no_end_is_refused(path):
    """The HDF5 library reads it for ever."""
    heap = _place_of(path, b"GCOL")
    content = path.read_bytes()
    free = heap + 16
    while struct.unpack_from("<H", content, free)[0]:  # the objects are before the free space
        free += 16 + -(-struct.unpack_from("<Q", content, free + 8)[0] // 8) * 8
    _change(path, free + 8, bytes(8))
    with pytest.raises(ReadError, match=f"object at byte {free}"), open_hdf5(path) as file:
        attributes(file)


@pytest.mark.parametrize("kind", [2, 3, 7, 15])
def test_lists_that_are_neither_texts_nor_values_are_left_alone(path, kind):
    """The HDF5 library crashes when it reads them, so that this test has a process of its own."""
    content = path.read_bytes()
    place = content.index(VARIABLE_LENGTH, content.index(b"text\0\0\0\0"))
    _change(path, place + 1, bytes([kind]))
    assert "number" in run_python(READ_ALL, path)


def test_attributes_longer_than_the_file_are_refused(path):
    """The HDF5 library sets aside what they say, up to 4 GB."""
    start = _reference("something", path)
    _change(path, start, struct.pack("<I", 3 << 30))
    told = r"attribute at byte \d+ says that its values have 3221225472 bytes"
    with pytest.raises(ReadError, match=told), open_hdf5(path) as file:
        attributes(file)


def test_attributes_in_other_places_are_looked_at_too(tmp_path):
    """Behind a block of another program, and where a header goes on elsewhere."""
    path = tmp_path / "many.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("group")
        for k in range(40):
            group.attrs[f"text{k:02}"] = "x" * (100 + k)
    start = _place_of(path, b"text39\0")
    content = path.read_bytes()
    length = content.index(struct.pack("<I", 139), start)
    with open_hdf5(path) as file:
        assert len(attributes(file["group"])) == 40
    _change(path, length, struct.pack("<I", 1 << 31))
    with (
        pytest.raises(ReadError, match=r"attribute at byte \d+ says .* the whole file has"),
        open_hdf5(path) as file,
    ):
        attributes(file["group"])


@pytest.mark.parametrize("options", [{}, {"chunks": (2,)}])
def test_texts_longer_than_the_file_are_refused(tmp_path, options):
    path = tmp_path / "texts.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("texts", data=TEXTS, dtype=h5py.string_dtype(), **options)
    _change(path, _reference("two and more", path), struct.pack("<I", 1 << 31))
    with pytest.raises(ReadError, match="/texts says that its values have"), open_hdf5(path) as f:
        read_texts(path, f["texts"])


def test_texts_of_which_no_byte_is_said_to_be_stored_are_looked_at_too(path):
    """The library reads them all the same."""
    with h5py.File(path) as file:
        found = file["texts"].id
        layout = struct.pack("<BBQQ", 3, 1, found.get_offset(), found.get_storage_size())
    _change(path, _place_of(path, layout) + 10, bytes(8))
    _change(path, _reference("two and more", path), struct.pack("<I", 1 << 31))
    with pytest.raises(ReadError, match="/texts says that its values have"), open_hdf5(path) as f:
        read_texts(path, f["texts"])


@pytest.mark.parametrize("name", ["text", "texts"])
def test_texts_whose_letters_are_larger_than_any_are_refused(path, name):
    """The library takes as much memory for each."""
    described = VARIABLE_LENGTH + struct.pack("<I", 16) + bytes.fromhex("10000000")
    letter, large = struct.pack("<I", 1), struct.pack("<I", 1 << 30)
    content = path.read_bytes()
    assert content.count(described + letter) == 2
    path.write_bytes(content.replace(described + letter, described + large))
    with pytest.raises(ReadError, match="parts of the values"), open_hdf5(path) as file:
        attributes(file) if name == "text" else file["texts"]


def test_lists_of_variable_length_are_left_alone(tmp_path):
    path = tmp_path / "lists.h5"
    with h5py.File(path, "w") as file:
        dtype = h5py.vlen_dtype(np.dtype((np.float64, (100,))))
        file.create_dataset("lists", (2,), dtype)
    with open_hdf5(path) as file:
        assert file["lists"].shape == (2,)


def test_arrays_larger_than_what_is_stored_are_refused(tmp_path):
    path = tmp_path / "arrays.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("never written", (1 << 40,), "f8")
        lists = file.create_dataset("lists", (2,), h5py.vlen_dtype("int64"))
        lists[0] = np.arange(3)
        file["texts"] = np.array([b"a"])
        file["values"] = np.zeros(1 << 20)
    with open_hdf5(path) as file:
        with pytest.raises(DataError, match="never written says that it is of shape"):
            read_array(path, file["never written"])
        with pytest.raises(DataError, match="numbers or texts are expected"):
            read_array(path, file["lists"])
        with pytest.raises(DataError, match="texts are expected"):
            read_texts(path, file["values"])
        with pytest.raises(DataError, match="numbers are expected"):
            open_array(path, file["texts"])


def test_links_within_a_file_are_followed(path):
    with h5py.File(path, "a") as file:
        file["group/inner/number"] = 7
        file["far"] = h5py.SoftLink("/group/inner")
        file["group/near"] = h5py.SoftLink("inner/number")
        file["circle"] = h5py.SoftLink("/circle/number")
        file["nowhere"] = h5py.SoftLink("/absent")
    with open_hdf5(path) as file:
        for name in ("far/number", "group/near", "group/inner/number", "/far/number"):
            assert dataset_at(file, name)[()] == 7
        assert child(file, "far").name == "/group/inner"
        assert [child(file, name) for name in ("circle", "nowhere", "far/absent")] == [None] * 3


def test_values_in_other_files_are_told(path):
    with h5py.File(path, "a") as file:
        file["link"] = h5py.ExternalLink("other.h5", "/texts")  # a name that this file has, too
        file["soft"] = h5py.SoftLink("/link/values")
        layout = h5py.VirtualLayout((3,), "int64")
        layout[:] = h5py.VirtualSource("other.h5", "group/values", (3,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("external", (3,), "int64", external=[("values.bin", 0, 24)])
    with open_hdf5(path) as file:
        for name in ("link/values", "soft"):
            with pytest.raises(DataError, match=r"link is in another file, other\.h5: open that"):
                dataset_at(file, name)
        for name in ("virtual", "external"):
            with pytest.raises(DataError, match=f"the values of /{name} are in other files"):
                open_array(path, file[name])


def test_files_that_are_cut_off_or_none(path, tmp_path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ReadError, match=r"texts\.h5 is damaged"), open_hdf5(path):
        pass
    path.write_bytes(b"\x89HDF but no more")
    with pytest.raises(ReadError, match="is no HDF5 file: it begins with"), open_hdf5(path):
        pass
    assert not is_hdf5(path)
    with pytest.raises(MissingFileError, match="no file"), open_hdf5(tmp_path / "absent.h5"):
        pass


def test_files_that_are_being_written_are_refused(path):
    with path.open("rb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        with pytest.raises(ReadError, match="open in another program"), open_hdf5(path):
            pass
    with open_hdf5(path) as file:
        assert "texts" in file


def _n_bytes_read():
    return int(Path("/proc/self/io").read_text().split()[1])


def test_opening_large_files_takes_no_time(tmp_path):
    path = tmp_path / "large.nwb"
    n_samples, n_channels = 130_000_000, 384
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        series = file.create_group("acquisition/traces")
        series.attrs["neurodata_type"] = "ElectricalSeries"
        series["starting_time"] = 0.0
        series["starting_time"].attrs["rate"] = 30_000.0
        layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)  # so that it stays a file of holes
        space = h5py.h5s.create_simple((n_samples, n_channels))
        h5py.h5d.create(series.id, b"data", h5py.h5t.STD_I16LE, space, layout)
    assert path.stat().st_size > 99e9
    read_nwb_recording(path)  # imports what it takes
    before, started = _n_bytes_read(), time.perf_counter()
    recording = read_nwb_recording(path)
    assert time.perf_counter() - started < 0.2
    assert _n_bytes_read() - before < 100_000
    assert recording.get_traces(0, n_samples - 5).shape == (5, n_channels)


def test_a_list_of_free_space_that_has_no_end_is_refused(tmp_path):
    """The HDF5 library follows it for ever."""
    path = tmp_path / "groups.h5"
    with h5py.File(path, "w") as file:
        file["a" * 40] = 3
    heap = _place_of(path, b"HEAP")
    free, data = struct.unpack_from("<QQ", path.read_bytes(), heap + 16)
    _change(path, data + free, struct.pack("<Q", free))
    code = """
        import sys
        from pathlib import Path
        from spikeloom.errors import ReadError
        from spikeloom.extractors.hdf5_files import open_hdf5
        from spikeloom.extractors.hdf5_nodes import child

        try:
            with open_hdf5(Path(sys.argv[1])) as file:
                child(file, "a")
        except ReadError as error:
            print(error)
    """
    assert f"local heap at byte {heap} has no end" in run_python(code, path)


FILL = 0x1122334455667788


@pytest.mark.parametrize("size", [-5, 1, 4, 7, 1 << 30])
def test_fill_values_of_other_sizes_are_refused(tmp_path, size):
    """The HDF5 library reads what lies behind them, and crashes over sizes below -1."""
    path = tmp_path / "fill.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (100,), "<i8", chunks=(10,), fillvalue=FILL)
    value = struct.pack("<q", FILL)
    told = path.read_bytes().replace(struct.pack("<i", 8) + value, struct.pack("<i", size) + value)
    path.write_bytes(told)
    with pytest.raises(ReadError, match="fill value at byte"), open_hdf5(path) as file:
        chunk_index(file["x"])


def test_arrays_without_fill_values_are_read(tmp_path):
    path = tmp_path / "fill.h5"
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((10,))
    with h5py.File(path, "w") as file:
        space, dtype = h5py.h5s.create_simple((100,)), h5py.h5t.NATIVE_INT64
        h5py.h5d.create(file.id, b"x", dtype, space, dcpl=settings)
        file["x"][:10] = 5
    place = _place_of(path, bytes.fromhex("0203020100000000"))
    _change(path, place + 4, struct.pack("<i", -1))
    array = ChunkedArray(path, "x", (100,), np.dtype("<i8"))
    assert array[5:15].tolist() == [5] * 5 + [0] * 5
