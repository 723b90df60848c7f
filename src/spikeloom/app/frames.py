"""Bulk data for the page: one binary frame for each view.

Layout, little-endian: u32 length of the header; the header, JSON padded with spaces so that the
data begin at a multiple of 8; then the arrays, each at a multiple of 8. The header is
``{"meta": {...}, "arrays": {name: {"dtype": "<f4", "shape": [...], "offset": n}}}`` with offsets
from the start of the data. Fields of the result that are arrays travel as arrays, all others in
``meta``.
"""

import dataclasses
from typing import Any

import msgspec
import numpy as np

ALIGNMENT = 8
_LENGTH_BYTES = 4


def encode_frame(result: Any) -> bytes:  # noqa: ANN401 - any dataclass
    """Encode a dataclass of plain values and arrays as one frame.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Point:
    ...     name: str
    ...     xy: np.ndarray
    >>> frame = encode_frame(Point("a", np.array([1.0, 2.0], "f4")))
    >>> meta, arrays = decode_frame(frame)
    >>> meta, arrays["xy"]
    ({'name': 'a'}, array([1., 2.], dtype=float32))
    """
    meta: dict[str, Any] = {}
    arrays: dict[str, dict[str, Any]] = {}
    parts: list[bytes | memoryview] = []
    offset = 0
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if not isinstance(value, np.ndarray):
            meta[field.name] = value
            continue
        array = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        arrays[field.name] = {"dtype": array.dtype.str, "shape": value.shape, "offset": offset}
        padding = -array.nbytes % ALIGNMENT
        # A view: the bytes are copied once, when the parts are joined.
        parts += [array.reshape(-1).view(np.uint8).data, b"\0" * padding]
        offset += array.nbytes + padding
    header = msgspec.json.encode({"meta": meta, "arrays": arrays})
    header += b" " * (-(len(header) + _LENGTH_BYTES) % ALIGNMENT)
    return b"".join([len(header).to_bytes(_LENGTH_BYTES, "little"), header, *parts])


def decode_frame(frame: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Decode a frame into its plain values and its arrays."""
    n_header = int.from_bytes(frame[:_LENGTH_BYTES], "little")
    header = msgspec.json.decode(frame[_LENGTH_BYTES : _LENGTH_BYTES + n_header])
    start = _LENGTH_BYTES + n_header
    arrays = {}
    for name, info in header["arrays"].items():
        dtype = np.dtype(info["dtype"])
        count = int(np.prod(info["shape"]))
        flat = np.frombuffer(frame, dtype, count, start + info["offset"])
        arrays[name] = flat.reshape(info["shape"])
    return header["meta"], arrays
