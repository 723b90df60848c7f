"""Arrays come back as they were written, by us and by zarr-python, whole and in parts."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from spikeloom.errors import MissingFileError, ParameterError, ReadError, WriteError
from spikeloom.storage.zarr_codecs import default_compressor, delta_filter
from spikeloom.storage.zarr_opening import create_zarr, open_zarr, zarr_location

NUMBERS = ["<i2", "<i8", "<u1", "<f4", "<f8", ">i2", "|b1", "<c8"]

COMPRESSORS = [
    None,
    default_compressor(),
    numcodecs.Blosc("lz4", 5, numcodecs.Blosc.SHUFFLE),
    numcodecs.Zstd(3),
    numcodecs.LZMA(preset=1),
    numcodecs.GZip(1),
]


def fill(group, name, values, chunks, **options):
    array = group.create_array(name, values.shape, values.dtype, chunks=chunks, **options)
    for row in range(0, len(values), array.block_rows):
        array.write(row, values[row : row + array.block_rows])
    return array


@st.composite
def tables(draw, dtypes=tuple(NUMBERS)):
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = (draw(st.integers(0, 20)), draw(st.integers(1, 9)))
    values = draw(hnp.arrays(dtype, shape))
    chunks = (draw(st.integers(1, 12)), draw(st.integers(1, 9)))
    return values, chunks


@given(tables(), st.sampled_from(COMPRESSORS), st.data())
def test_parts_are_those_of_the_whole(tmp_path, table, compressor, data):
    values, chunks = table
    group = create_zarr(tmp_path / "a.zarr", overwrite=True)
    fill(group, "x", values, chunks, compressor=compressor)
    array = open_zarr(tmp_path / "a.zarr").array("x")
    n, n_columns = values.shape
    start, stop = data.draw(st.integers(-3, n + 3)), data.draw(st.integers(-3, n + 3))
    columns = data.draw(
        st.none()
        | st.builds(slice, st.integers(0, n_columns), st.integers(0, n_columns))
        | st.lists(st.integers(-n_columns, n_columns - 1), max_size=12)
    )
    chosen = slice(None) if columns is None else columns
    if isinstance(chosen, list):
        chosen = np.array(chosen, int)
    for _ in range(2):  # the second time from the chunks that were kept
        part = array.read(slice(start, stop), columns)
        np.testing.assert_array_equal(part, values[start:stop][:, chosen])
        assert part.dtype == values.dtype
        assert part.flags.c_contiguous


@given(tables(), st.sampled_from(COMPRESSORS))
def test_zarr_python_reads_format_2(tmp_path, table, compressor):
    values, chunks = table
    group = create_zarr(tmp_path / "a.zarr", overwrite=True)
    fill(group, "x", values, chunks, compressor=compressor)
    theirs = zarr.open_group(tmp_path / "a.zarr", mode="r", zarr_format=2, use_consolidated=False)
    np.testing.assert_array_equal(theirs["x"][:], values)
    assert theirs["x"].chunks == chunks


@given(tables(), st.sampled_from(COMPRESSORS), st.sampled_from("CF"))
def test_reads_what_zarr_python_writes(tmp_path, table, compressor, order):
    values, chunks = table
    theirs = zarr.create_array(
        tmp_path / "a.zarr",
        name="x",
        shape=values.shape,
        dtype=values.dtype,
        chunks=chunks,
        compressors=compressor,
        order=order,
        zarr_format=2,
        overwrite=True,
        fill_value=0,
    )
    theirs[...] = values
    zarr.open_group(tmp_path / "a.zarr", zarr_format=2)
    # Chunks that hold nothing but the fill value are not even there.
    array = open_zarr(tmp_path / "a.zarr").array("x")
    np.testing.assert_array_equal(array.read(), values)
    np.testing.assert_array_equal(array.read(slice(1, 7), [0]), values[1:7][:, [0]])


@given(tables(("<i2", "<f4", "<i8")), st.integers(1, 3), st.data())
def test_format_3_with_shards(tmp_path, table, n_together, data):
    values, chunks = table
    group = create_zarr(tmp_path / "a.zarr", overwrite=True, zarr_format=3)
    shards = (chunks[0] * n_together, chunks[1] * math.ceil(values.shape[1] / chunks[1]))
    fill(group, "x", values, chunks, shards=shards, compressor=default_compressor())
    array = open_zarr(tmp_path / "a.zarr").array("x")
    assert (array.format, array.chunks, array.block_rows) == (3, chunks, shards[0])
    columns = data.draw(st.lists(st.integers(0, values.shape[1] - 1), max_size=5))
    np.testing.assert_array_equal(array.read(), values)
    chosen = values[2:9][:, np.array(columns, int)]
    np.testing.assert_array_equal(array.read(slice(2, 9), columns), chosen)
    theirs = zarr.open_group(tmp_path / "a.zarr", mode="r")
    np.testing.assert_array_equal(theirs["x"][:], values)


RECORDS = np.zeros(5, [("x", "<f4"), ("y", "<i2", (3,)), ("name", "<U4")])
RECORDS["x"], RECORDS["y"][2], RECORDS["name"][1] = np.arange(5), [1, 2, 3], "µV"

SMALL = {
    "text": np.array(["a", "µV", ""]),
    "bytes": np.array([b"ab", b"c\x01"]),
    "integers": np.arange(3),
    "records": RECORDS,
    "number": np.array(3.5),
    "nothing": np.zeros((0, 4), "f4"),
    "cube": np.arange(60.0).reshape(3, 4, 5),
    "not numbers": np.array([np.nan, np.inf, -np.inf]),
}


@pytest.mark.parametrize("compressor", [None, default_compressor()], ids=["plain", "blosc"])
@pytest.mark.parametrize("name", SMALL)
def test_small_arrays_of_every_kind(tmp_path, name, compressor):
    group = create_zarr(tmp_path / "a.zarr")
    group.write_array(f"properties/{name}", SMALL[name], compressor=compressor)
    found = open_zarr(tmp_path / "a.zarr").group("properties").read_array(name)
    np.testing.assert_array_equal(found, SMALL[name])
    assert found.dtype == SMALL[name].dtype
    if name == "records":
        return  # zarr-python 3 knows no arrays inside of records; zarr-python 2 does
    theirs = zarr.open_group(tmp_path / "a.zarr", mode="r", zarr_format=2, use_consolidated=False)
    np.testing.assert_array_equal(theirs[f"properties/{name}"][...], SMALL[name])


@pytest.mark.parametrize("name", ["text", "integers", "number", "nothing", "cube"])
def test_small_arrays_in_format_3(tmp_path, name):
    group = create_zarr(tmp_path / "a.zarr", zarr_format=3)
    group.write_array(f"properties/{name}", SMALL[name], compressor=default_compressor())
    again = open_zarr(tmp_path / "a.zarr")
    assert again.group_names() == ["properties"]
    np.testing.assert_array_equal(again.read_array(f"properties/{name}"), SMALL[name])


def test_large_arrays_are_several_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeloom.storage.zarr_metadata.WHOLE_CHUNK_BYTES", 100)
    values = np.arange(1000)
    group = create_zarr(tmp_path / "a.zarr")
    filters = [delta_filter("<i8")]
    group.write_array("spikes", values, compressor=default_compressor(), filters=filters)
    assert group.array("spikes").chunks == (12,)
    np.testing.assert_array_equal(group.read_array("spikes"), values)


def test_filters_of_the_user(tmp_path):
    values = np.random.default_rng(0).integers(-99, 99, (100, 3)).astype("i2")
    group = create_zarr(tmp_path / "a.zarr")
    options = {"compressor": numcodecs.LZMA(), "filters": [numcodecs.Delta(dtype="int16")]}
    fill(group, "x", values, (30, 2), **options)
    np.testing.assert_array_equal(group.read_array("x"), values)
    theirs = zarr.open_group(tmp_path / "a.zarr", mode="r", zarr_format=2)
    np.testing.assert_array_equal(theirs["x"][:], values)


def test_one_channel_costs_its_chunks_only(tmp_path):
    values = np.random.default_rng(0).normal(size=(100, 8)).astype("f4")
    group = create_zarr(tmp_path / "a.zarr")
    array = fill(group, "x", values, (50, 2), compressor=default_compressor())
    for column in (0, 1, 2, 3, 6, 7):
        for row in (0, 1):
            (tmp_path / "a.zarr" / "x" / f"{row}.{column // 2}").write_bytes(b"damaged")
    np.testing.assert_array_equal(array.read(columns=[5, 4]), values[:, [5, 4]])
    with pytest.raises(ReadError, match=r"x/0\.0 is damaged"):
        array.read(columns=[5, 0])


def test_what_was_read_is_kept_up_to_a_bound(tmp_path):
    values = np.random.default_rng(0).normal(size=(100, 4))
    group = create_zarr(tmp_path / "a.zarr")
    fill(group, "x", values, (10, 4), compressor=default_compressor())
    array = group.array("x", cache_bytes=700)
    array.read(slice(3, 5))
    assert array.cache.n_bytes == 320
    (tmp_path / "a.zarr" / "x" / "0.0").unlink()
    np.testing.assert_array_equal(array.read(slice(5, 9)), values[5:9])
    for row in range(0, 100, 7):
        array.read(slice(row, row + 3))
        assert array.cache.n_bytes <= 700
    assert not array.read(slice(5, 9)).any()  # let go of; what is missing is the fill value
    kept = array.read(slice(3, 5))
    kept[:] = 9  # belongs to the caller
    assert not array.read(slice(3, 5)).any()


def test_threads_write_what_one_would(tmp_path):
    values = np.random.default_rng(0).integers(-500, 500, (5000, 6)).astype("i2")
    folders = []
    for n_threads in (1, 4):
        folder = tmp_path / f"{n_threads}.zarr"
        group = create_zarr(folder)
        options = {"chunks": (128, 4), "compressor": default_compressor()}
        array = group.create_array("x", values.shape, values.dtype, **options)
        rows = range(0, 5000, 256)
        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(lambda row, a=array: a.write(row, values[row : row + 256]), rows))
        folders.append({p.name: p.read_bytes() for p in (folder / "x").iterdir()})
    assert folders[0] == folders[1]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_arrays_travel_to_other_processes(tmp_path, zarr_format):
    group = create_zarr(tmp_path / "a.zarr", zarr_format=zarr_format)
    array = group.create_array("x", (4, 2), "i2", chunks=(2, 2))
    there = pickle.loads(pickle.dumps(array))
    assert there.write(2, np.ones((2, 2), "i2")) == array.checksum(2, 4)
    np.testing.assert_array_equal(array.read(), [[0, 0], [0, 0], [1, 1], [1, 1]])


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_blocks_that_cut_chunks_are_refused(tmp_path, zarr_format):
    group = create_zarr(tmp_path / "a.zarr", zarr_format=zarr_format)
    array = group.create_array("x", (10, 2), "i2", chunks=(4, 2))
    for row, n in ((2, 4), (0, 3), (4, 2)):
        with pytest.raises(ParameterError, match="multiples of 4"):
            array.write(row, np.zeros((n, 2), "i2"))
    for block in (np.zeros((4, 3), "i2"), np.zeros((12, 2), "i2")):
        with pytest.raises(ParameterError, match="does not fit"):
            array.write(0, block)
    with pytest.raises(ParameterError, match="do not fit into"):
        array.write(0, np.zeros((4, 2), "f4"))
    array.write(8, np.zeros((2, 2), "i2"))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_faulty_requests(tmp_path, zarr_format):
    group = create_zarr(tmp_path / "a.zarr", zarr_format=zarr_format)
    group.write_array("x", np.zeros((4, 2)))
    group.write_array("line", np.zeros(4))
    array = group.array("x")
    with pytest.raises(ParameterError, match="there are 2"):
        array.read(columns=[2])
    with pytest.raises(ParameterError, match="step"):
        array.read(slice(0, 4, 2))
    with pytest.raises(ParameterError, match="no columns"):
        group.array("line").read(columns=[0])
    with pytest.raises(MissingFileError, match="no array"):
        group.array("y")
    with pytest.raises(MissingFileError, match="no group"):
        group.group("x")
    with pytest.raises(ParameterError, match="write_object"):
        group.write_array("o", np.array([{}], object))
    with pytest.raises(ParameterError, match="no name"):
        group.array("../x")
    with pytest.raises(ParameterError, match="not a compressor"):
        group.write_array("z", np.zeros(3), compressor=5)
    with pytest.raises(ParameterError, match="'pickle' is not used"):
        group.write_array("z", np.zeros(3), filters=[numcodecs.Pickle()])
    with pytest.raises(WriteError, match="open for reading"):
        open_zarr(tmp_path / "a.zarr").write_array("y", np.zeros(3))
    with pytest.raises(FileExistsError):
        create_zarr(tmp_path / "a.zarr")
    with pytest.raises(MissingFileError, match="no zarr folder"):
        open_zarr(tmp_path / "b.zarr")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "file").touch()
    with pytest.raises(ReadError, match="not a zarr store"):
        open_zarr(tmp_path / "c")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_attributes(tmp_path, zarr_format):
    group = create_zarr(tmp_path / "a.zarr", zarr_format=zarr_format)
    group.set_attributes({"a": np.float32(0.5), "nan": math.nan, "ids": np.array(["x"])})
    group.write_array("x", np.zeros(2), attributes={"unit": "µV"})
    group.create_group("extensions/pca", {"params": {"n": 3}})
    again = open_zarr(tmp_path / "a.zarr", mode="r+")
    attributes = again.attributes
    assert math.isnan(attributes.pop("nan"))
    assert attributes == {"a": 0.5, "ids": ["x"]}
    assert again.array_attributes("x") == {"unit": "µV"}
    assert again.group("extensions").group("pca").attributes == {"params": {"n": 3}}
    assert again.names() == ["extensions", "x"]
    again.delete("extensions")
    assert again.names() == ["x"]
    assert "x" in again
    assert "extensions" not in again


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    "value", [{"a": [1, {"b": None}], "nan": 2.5}, ["x", "µV"], ["only"], [], [1, 2]]
)
def test_objects(tmp_path, value, zarr_format):
    group = create_zarr(tmp_path / "a.zarr", zarr_format=zarr_format)
    group.write_object("o", value, attributes={"dict": True})
    group.write_object("o", value, attributes={"dict": True})
    again = open_zarr(tmp_path / "a.zarr")
    assert again.read_object("o") == value
    assert again.array_attributes("o")["dict"] is True


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("rec_2024.05.01", "rec_2024.05.01.zarr"),
        ("a/b.zarr", "a/b.zarr"),
        ("rec.v1.zarr/", "rec.v1.zarr"),
        ("s3://bucket/rec.1", "s3://bucket/rec.1.zarr"),
        ("gs://bucket/rec.zarr/", "gs://bucket/rec.zarr"),
    ],
)
def test_names_with_dots_stay_whole(given, expected):
    assert str(zarr_location(given)) == expected


def test_metadata_that_contradict_themselves(tmp_path):
    group = create_zarr(tmp_path / "a.zarr")
    group.write_array("x", np.zeros((4, 2)))
    path = tmp_path / "a.zarr" / "x" / ".zarray"
    sound = path.read_text()
    for old, new in [('"<f8"', '"nonsense"'), ('"C"', '"Q"'), ('"shape"', '"form"'), ("{", "[")]:
        path.write_text(sound.replace(old, new, 1))
        with pytest.raises(ReadError):
            open_zarr(tmp_path / "a.zarr").array("x")


@pytest.mark.parametrize("shards", [None, (20, 3)])
def test_chunks_of_zeros_are_written_in_format_3_too(tmp_path, shards):
    """What is there is finished: a save that goes on looks for it."""
    group = create_zarr(tmp_path / "x.zarr", zarr_format=3)
    array = group.create_array("x", (20, 3), np.int16, chunks=(10, 3), shards=shards)
    assert array.checksum(0, 20) is None
    array.write(0, np.zeros((20, 3), np.int16))
    assert array.checksum(0, 20) is not None
