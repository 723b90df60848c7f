import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from spikeloom.app.frames import ALIGNMENT, decode_frame, encode_frame


@dataclasses.dataclass
class Result:
    text: str
    numbers: list
    nothing: None
    first: np.ndarray
    second: np.ndarray


dtypes = st.sampled_from(["<i2", "<i4", "<i8", "<f4", "<f8", "|u1", ">i4", ">f8", "?"])
any_arrays = dtypes.flatmap(
    lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
)


@given(st.text(max_size=20), st.lists(st.integers(-99, 99)), any_arrays, any_arrays)
def test_what_is_encoded_is_decoded(text, numbers, first, second):
    frame = encode_frame(Result(text, numbers, None, first, second))
    meta, found = decode_frame(frame)
    assert meta == {"text": text, "numbers": numbers, "nothing": None}
    for name, array in (("first", first), ("second", second)):
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("<")


@given(any_arrays, any_arrays)
def test_data_are_aligned_and_little_endian_as_the_header_says(first, second):
    frame = encode_frame(Result("µ", [], None, first, second))
    n_header = int.from_bytes(frame[:4], "little")
    header = json.loads(frame[4 : 4 + n_header])
    start = 4 + n_header
    assert start % ALIGNMENT == 0
    assert len(frame) % ALIGNMENT == 0
    for name, array in (("first", first), ("second", second)):
        info = header["arrays"][name]
        assert (start + info["offset"]) % ALIGNMENT == 0
        assert info["shape"] == list(array.shape)
        plain = array.astype(array.dtype.newbyteorder("<"))
        at = start + info["offset"]
        assert frame[at : at + plain.nbytes] == plain.tobytes()


@pytest.mark.parametrize("order", ["F", "strided"])
def test_arrays_of_any_layout_travel_in_rows(order):
    array = np.arange(12).reshape(3, 4)
    given_array = np.asfortranarray(array) if order == "F" else np.repeat(array, 2, axis=1)[:, ::2]
    _, found = decode_frame(encode_frame(Result("", [], None, given_array, array[:0])))
    np.testing.assert_array_equal(found["first"], array)


def test_numbers_that_json_does_not_know_become_null():
    meta, _ = decode_frame(
        encode_frame(Result("", [np.nan, np.inf], None, np.zeros(1), np.zeros(1)))
    )
    assert meta["numbers"] == [None, None]
