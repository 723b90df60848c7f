"""MATLAB's files of version 5 as scipy writes and reads them."""

import struct

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import loadmat, savemat
from scipy.sparse import eye

from spikeloom.errors import DataError, ReadError
from spikeloom.extractors.matlab_version_5 import MatlabStruct, read_version_5, version_5_names

numbers = st.sampled_from(["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "c16", "?"])


@given(
    values=numbers.flatmap(
        lambda dtype: arrays(dtype, st.tuples(st.integers(0, 4), st.integers(0, 4)))
    ),
    is_compressed=st.booleans(),
)
def test_arrays_are_what_scipy_reads(tmp_path_factory, values, is_compressed):
    path = tmp_path_factory.mktemp("mat") / "a.mat"
    savemat(path, {"first": np.arange(3), "values": values}, do_compression=is_compressed)
    found = read_version_5(path, ["values"])
    expected = loadmat(path)["values"]
    assert list(found) == ["values"]
    np.testing.assert_array_equal(found["values"], expected)
    assert found["values"].shape == expected.shape
    assert version_5_names(path) == ["first", "values"]


@pytest.mark.parametrize("is_compressed", [True, False])
def test_cells_structures_and_text(tmp_path, is_compressed):
    path = tmp_path / "a.mat"
    cells = np.empty((1, 3), object)
    cells[0, :] = [np.arange(3.0), "tetrode", np.zeros((0, 0))]
    content = {
        "cells": cells,
        "par": {"sr": 30_000.0, "name": "größe", "deep": {"deeper": [1.0, 2.0]}},
        "long_text": "x" * 5000,
    }
    savemat(path, content, do_compression=is_compressed)
    found = read_version_5(path, content)
    assert found["cells"][0].tolist() == [[0.0, 1.0, 2.0]]
    assert str(found["cells"][1]) == "tetrode"
    assert found["cells"][2].size == 0
    assert isinstance(found["par"], MatlabStruct)
    assert found["par"].fields["sr"][0].tolist() == [[30_000.0]]
    assert str(found["par"].fields["name"][0]) == "größe"
    assert found["par"].fields["deep"][0].fields["deeper"][0].tolist() == [[1.0, 2.0]]
    assert str(found["long_text"]) == "x" * 5000


def test_arrays_of_structures(tmp_path):
    path = tmp_path / "a.mat"
    units = np.zeros((1, 3), [("ID", object), ("train", object)])
    for k in range(3):
        units[0, k] = (float(k), np.arange(k))
    savemat(path, {"Units": units})
    found = read_version_5(path, ["Units"])["Units"]
    assert found.n_structs == 3
    assert [one.item() for one in found.fields["ID"]] == [0.0, 1.0, 2.0]
    assert [one.size for one in found.fields["train"]] == [0, 1, 2]


def test_what_is_not_read_is_none(tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, {"sparse": eye(3), "after": np.arange(2)})
    found = read_version_5(path, ["sparse", "after"])
    assert found["sparse"] is None
    assert found["after"].tolist() == [[0, 1]]


def test_numbers_in_the_other_order_of_bytes(tmp_path):
    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data.ljust(-(-len(data) // 8) * 8, b"\0")

    body = (
        element(6, struct.pack(">II", 6, 0))
        + element(5, struct.pack(">ii", 1, 2))
        + element(1, b"a")
        + element(9, struct.pack(">dd", 1.5, -2.0))
    )
    head = b"MATLAB 5.0 MAT-file".ljust(124, b" ") + b"\x01\x00MI"
    (tmp_path / "a.mat").write_bytes(head + element(14, body))
    assert read_version_5(tmp_path / "a.mat", ["a"])["a"].tolist() == [[1.5, -2.0]]


def test_sizes_are_not_believed(tmp_path):
    path = tmp_path / "a.mat"
    savemat(path, {"a": np.arange(4.0)})
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    with pytest.raises(DataError, match="byte 128"):
        read_version_5(path, ["a"])
    place = whole.index(struct.pack("<ii", 1, 4))
    path.write_bytes(whole[:place] + struct.pack("<ii", 1 << 20, 1 << 20) + whole[place + 8 :])
    with pytest.raises(DataError, match="values"):
        read_version_5(path, ["a"])
    path.write_bytes(whole[:126])
    with pytest.raises(ReadError, match="byte 126"):
        read_version_5(path, ["a"])
