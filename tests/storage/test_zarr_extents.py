"""Descriptions of zarr arrays that are too large for what is stored."""

import json

import numpy as np
import pytest

from spikeloom.errors import ReadError
from spikeloom.storage.stores import LocalStore
from spikeloom.storage.zarr_opening import create_zarr, open_zarr


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("n", [1 << 34, 1 << 60])
def test_an_array_that_says_to_be_huge_is_refused(tmp_path, zarr_format, n):
    path = tmp_path / "a.zarr"
    create_zarr(str(path), zarr_format=zarr_format).write_array("ids", np.arange(4))
    described = path / "ids" / (".zarray" if zarr_format == 2 else "zarr.json")
    described.write_text(json.dumps({**json.loads(described.read_text()), "shape": [n]}))
    with pytest.raises(ReadError, match="is damaged"):
        open_zarr(str(path)).read_array("ids")


def test_an_array_of_one_value_may_be_large(tmp_path):
    path = tmp_path / "a.zarr"
    values = np.zeros((1 << 25) + 1, "i4")
    create_zarr(str(path)).write_array("zeros", values)
    np.testing.assert_array_equal(open_zarr(str(path)).read_array("zeros"), values)


def test_texts_of_characters_that_do_not_exist_are_refused(tmp_path):
    path = tmp_path / "a.zarr"
    values = np.zeros(4, "U3")
    values.view(np.uint8)[3:8] = 255
    create_zarr(str(path)).write_array("names", values)
    with pytest.raises(ReadError, match="do not exist"):
        open_zarr(str(path)).read_array("names")


def change(described, **changes):
    described.write_text(json.dumps({**json.loads(described.read_text()), **changes}))


@pytest.mark.parametrize("n", [10**300, 1 << 63])
def test_sizes_that_no_array_has_are_told(tmp_path, n):
    for zarr_format, name in ((2, ".zarray"), (3, "zarr.json")):
        path = tmp_path / f"{zarr_format}.zarr"
        create_zarr(str(path), zarr_format=zarr_format).write_array("x", np.arange(4))
        change(path / "x" / name, shape=[n])
        with pytest.raises(ReadError, match=r"contradicts itself|is damaged"):
            open_zarr(str(path)).array("x")


def test_chunks_of_nothing_are_told(tmp_path):
    path = tmp_path / "x.zarr"
    create_zarr(str(path), zarr_format=3).write_array("x", np.arange(4))
    chunks = {"name": "regular", "configuration": {"chunk_shape": [0]}}
    change(path / "x" / "zarr.json", chunk_grid=chunks)
    with pytest.raises(ReadError, match=r"x is damaged: \(4,\) in chunks of \(0,\)"):
        open_zarr(str(path)).array("x")


def test_keys_longer_than_names_can_be_are_told(tmp_path):
    with pytest.raises(ReadError, match="cannot be read"):
        LocalStore(tmp_path).get("6" * 1000)
