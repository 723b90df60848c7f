"""Frames of Blosc that are not as long as they tell are refused before the library reads on."""

import struct

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import given, strategies as st

from spikeloom.errors import DataError, ReadError
from spikeloom.storage.blosc_frames import check_blosc
from spikeloom.storage.stores import LocalStore
from spikeloom.storage.zarr_codecs import make_codec
from spikeloom.storage.zarr_format3 import create_array3, open_array3
from spikeloom.storage.zarr_opening import create_zarr

CNAMES = numcodecs.blosc.list_compressors()


def frame(n=1000):
    return numcodecs.Blosc("lz4").encode(np.arange(n, dtype=np.int32))


@given(
    cname=st.sampled_from(CNAMES),
    clevel=st.integers(0, 9),
    shuffle=st.integers(0, 2),
    blocksize=st.sampled_from([0, 1, 100, 4096, 1 << 22]),
    dtype=st.sampled_from(["u1", "i2", "i4", "f8"]),
    n=st.integers(1, 5000),
    is_constant=st.booleans(),
)
def test_what_is_whole_passes(cname, clevel, shuffle, blocksize, dtype, n, is_constant):
    values = np.zeros(n, dtype) if is_constant else (np.arange(n) * 2654435761 % 251).astype(dtype)
    encoded = numcodecs.Blosc(cname, clevel, shuffle, blocksize).encode(values)
    check_blosc(encoded)
    decoded = make_codec({"id": "blosc", "cname": cname}, "x").decode(encoded)
    assert np.array_equal(np.frombuffer(decoded, dtype), values)


@given(n_left=st.integers(0, 10_000))
def test_frames_that_are_cut_are_refused(n_left):
    whole = frame()
    if n_left < len(whole):
        with pytest.raises(DataError):
            check_blosc(whole[:n_left])


@pytest.mark.parametrize(
    ("place", "number", "told"),
    [
        (12, 1 << 30, "tells 1073741824 bytes and has"),
        (12, 15, "tells 15 bytes and has"),
        (8, 1 << 31, "blocks of 2147483648 bytes, and 4000 in all"),
        (8, 0, "blocks of 0 bytes"),
    ],
)
def test_headers_that_lie_are_refused(place, number, told):
    changed = bytearray(frame())
    changed[place : place + 4] = struct.pack("<I", number)
    with pytest.raises(DataError, match=told):
        check_blosc(changed)
    with pytest.raises(DataError, match=told):
        make_codec({"id": "blosc"}, "x").decode(bytes(changed))


def damage_chunks(folder):
    """Make frames tell far more bytes than they have, with which the library crashes."""
    n_changed = 0
    for path in folder.rglob("*"):
        content = bytearray(path.read_bytes()) if path.is_file() else b""
        for start in range(len(content) - 15):
            if struct.unpack_from("<I", content, start + 12)[0] in range(20, 1 << 12) and (
                bytes(content[start : start + 2]) == b"\2\1"
            ):
                struct.pack_into("<I", content, start + 12, 1 << 30)
                n_changed += 1
                path.write_bytes(content)
                break
    assert n_changed


VALUES = np.arange(1000, dtype=np.int32)


def test_chunks_of_format_2_that_lie_are_told(tmp_path):
    group = create_zarr(tmp_path / "x.zarr")
    group.write_array("x", VALUES, compressor=numcodecs.Blosc("lz4"))
    damage_chunks(tmp_path / "x.zarr" / "x")
    with pytest.raises(ReadError, match="tells 1073741824 bytes"):
        group.read_array("x")


@pytest.mark.parametrize("shards", [None, (1000,)])
def test_chunks_of_format_3_that_lie_are_told(tmp_path, shards):
    store = LocalStore(tmp_path / "x.zarr")
    array = create_array3(
        store,
        "x",
        (1000,),
        VALUES.dtype,
        chunks=(500,),
        shards=shards,
        compressor={"id": "blosc", "cname": "lz4", "clevel": 5},
        filters=[],
    )
    array.write_all(VALUES)
    assert np.array_equal(open_array3(store, "x").read(), VALUES)
    damage_chunks(tmp_path / "x.zarr" / "x")
    with pytest.raises(ReadError, match="tells 1073741824 bytes"):
        open_array3(store, "x").read()


@pytest.mark.filterwarnings("ignore:Numcodecs codecs are not in the Zarr version 3")
def test_blosc_by_the_name_of_numcodecs_is_checked_too(tmp_path):
    path = tmp_path / "x.zarr" / "x"
    codec = zarr.codecs.numcodecs.Blosc(cname="lz4")
    made = zarr.create_array(path, shape=(1000,), chunks=(500,), dtype="i4", compressors=[codec])
    made[:] = VALUES
    store = LocalStore(tmp_path / "x.zarr")
    assert np.array_equal(open_array3(store, "x").read(), VALUES)
    damage_chunks(path)
    with pytest.raises(ReadError, match="tells 1073741824 bytes"):
        open_array3(store, "x").read()
