import os

import numpy as np
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from spikeloom.storage import fingerprints
from spikeloom.storage.fingerprints import fingerprint_array, fingerprint_file, fingerprint_text


@given(arrays(np.int32, st.tuples(st.integers(1, 4), st.integers(1, 4))), st.data())
def test_the_fingerprint_of_an_array_changes_with_any_value(array, data):
    before = fingerprint_array(array)
    i = data.draw(st.integers(0, array.shape[0] - 1))
    j = data.draw(st.integers(0, array.shape[1] - 1))
    changed = array.copy()
    changed[i, j] ^= 1
    assert fingerprint_array(changed) != before
    assert fingerprint_array(array) == before


def test_the_fingerprint_of_an_array_tells_dtype_and_shape_but_not_memory_layout():
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert fingerprint_array(np.asfortranarray(array)) == fingerprint_array(array)
    assert fingerprint_array(array[:, ::-1][:, ::-1]) == fingerprint_array(array)
    different = [array.reshape(3, 2), array.astype(np.int64), array.view(np.uint32), array[:0]]
    prints = {fingerprint_array(other) for other in [array, *different]}
    assert len(prints) == 5


def test_the_fingerprint_of_an_array_is_the_same_in_every_process():
    # Written into journals: it must never change between versions.
    assert fingerprint_array(np.arange(3, dtype="<i4")) == "8ae59610221a74744f940f4e341fc31b"


def test_the_fingerprint_of_a_file_changes_with_its_content_but_not_with_its_time(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"content")
    before = fingerprint_file(path)
    os.utime(path, (1, 1))
    assert fingerprint_file(path) == before
    path.write_bytes(b"Content")
    assert fingerprint_file(path) != before


def test_large_files_are_told_by_samples_size_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprints, "WHOLE_BYTES_MAX", 1000)
    monkeypatch.setattr(fingerprints, "_BLOCK_BYTES", 10)
    path = tmp_path / "a"
    path.write_bytes(bytes(5000))
    os.utime(path, (1, 1))
    before = fingerprint_file(path)
    assert fingerprint_file(path) == before
    os.utime(path, (2, 2))
    assert fingerprint_file(path) != before
    path.write_bytes(bytes(4999) + b"x")
    os.utime(path, (1, 1))
    assert fingerprint_file(path) != before
    path.write_bytes(bytes(5001))
    os.utime(path, (1, 1))
    assert fingerprint_file(path) != before


def test_the_fingerprint_of_text_tells_texts_apart():
    assert fingerprint_text("a") == fingerprint_text("a") != fingerprint_text("b")
