"""Write pickles of plain values, in protocol 3, which every Python 3 reads."""

from pathlib import Path, PurePath
from typing import Any

import numpy as np

from spikeloom.errors import ParameterError
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.pickle_values import N_DEPTH_MAX


def encode_plain_pickle(value: object) -> bytes:
    """Return the pickle of a plain value, which any pickle reader reads.

    Parameters
    ----------
    value : object
        Of dictionaries, lists, tuples, text, bytes, numbers, None, numpy arrays and scalars;
        paths become text.

    Raises
    ------
    ParameterError
        If something in it is of another kind.
    """
    parts: list[bytes] = [b"\x80\x03"]
    _put(value, parts, 0)
    parts.append(b".")
    return b"".join(parts)


def _put(value: object, parts: list[bytes], depth: int) -> None:  # noqa: C901, PLR0912 - one branch a type
    if depth > N_DEPTH_MAX:
        msg = "The value is nested too deeply, or contains itself."
        raise ParameterError(msg)
    if value is None:
        parts.append(b"N")
    elif value is True or value is False:
        parts.append(b"\x88" if value else b"\x89")
    elif type(value) is int:
        # As text: short, and without an upper bound.
        parts.append(b"I%d\n" % value if -(1 << 31) <= value < 1 << 31 else b"L%dL\n" % value)
    elif type(value) is float:
        parts.append(b"G" + np.array(value, ">f8").tobytes())
    elif isinstance(value, (str, PurePath)) and not isinstance(value, np.generic):
        raw = str(value).encode("utf-8", "surrogatepass")
        parts.append(b"X" + len(raw).to_bytes(4, "little") + raw)
    elif type(value) is bytes:
        parts.append(b"B" + len(value).to_bytes(4, "little") + value)
    elif isinstance(value, (list, tuple)):
        parts.append(b"(")
        for each in value:
            _put(each, parts, depth + 1)
        parts.append(b"l" if isinstance(value, list) else b"t")
    elif isinstance(value, dict):
        parts.append(b"}(")
        for key, each in value.items():
            _put(key, parts, depth + 1)
            _put(each, parts, depth + 1)
        parts.append(b"u")
    elif isinstance(value, np.ndarray) and (value.dtype == object or not value.dtype.hasobject):
        _put_array(value, parts, depth)
    elif isinstance(value, np.generic) and not value.dtype.hasobject:
        parts.append(b"cnumpy.core.multiarray\nscalar\n(")
        _put_dtype(value.dtype, parts, depth)
        _put(value.tobytes(), parts, depth + 1)
        parts.append(b"tR")
    elif isinstance(value, np.dtype) and not value.hasobject:
        _put_dtype(value, parts, depth)
    else:
        msg = f"A {type(value).__name__} is not plain data, and only that is written."
        raise ParameterError(msg)


def _put_dtype(dtype: np.dtype[Any], parts: list[bytes], depth: int) -> None:
    parts.append(b"cnumpy\ndtype\n(")
    _put(dtype.str if dtype.names is None else dtype.descr, parts, depth + 1)
    parts.append(b"tR")


def _put_array(value: np.ndarray[Any, Any], parts: list[bytes], depth: int) -> None:
    parts.append(b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt")
    _put(b"b", parts, depth)
    parts.append(b"tR(I1\n")
    _put(tuple(value.shape), parts, depth + 1)
    _put_dtype(value.dtype, parts, depth)
    parts.append(b"\x89")
    is_object = value.dtype.hasobject
    _put(value.reshape(-1).tolist() if is_object else value.tobytes(), parts, depth + 1)
    parts.append(b"tb")


def write_plain_pickle(path: Path, value: object) -> None:
    """Write the pickle of a plain value in one step; see `encode_plain_pickle`.

    Raises
    ------
    ParameterError
        If `value` is not plain.
    WriteError
        If the file cannot be written.
    """
    write_atomic(path, encode_plain_pickle(value))
