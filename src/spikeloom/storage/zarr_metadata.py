"""What ``.zarray`` says of an array in zarr format 2."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ReadError
from spikeloom.storage.provenance_json import decode_json

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}

_FILLED_WITH_ZERO = "biufc"
"""Kinds of dtype whose missing chunks are zeros; of others nothing is said, as all are written."""

SIZE_MAX = (1 << 63) - 1
"""The longest axis that numpy can have."""

WHOLE_CHUNK_BYTES = 64 << 20
"""Arrays up to this size are one chunk unless asked otherwise."""


@dataclass(frozen=True)
class ArrayMetadata:
    """The layout of an array: chunk (i, j) lies under the key ``i.j`` below the array's own."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    compressor: dict[str, Any] | None
    filters: tuple[dict[str, Any], ...]
    order: str = "C"
    fill_value: Any = None
    separator: str = "."

    @property
    def chunk_grid(self) -> tuple[int, ...]:
        """Number of chunks along each axis."""
        return tuple(-(-n // c) for n, c in zip(self.shape, self.chunks, strict=True))

    @property
    def chunk_n_bytes(self) -> int:
        """Size of a decoded chunk, in bytes."""
        return math.prod(self.chunks) * self.dtype.itemsize

    @cached_property
    def is_object(self) -> bool:
        """Whether the elements are Python objects, which one of the filters makes bytes of."""
        return self.dtype.kind == "O"

    @property
    def codec_ids(self) -> tuple[str, ...]:
        """Names of the filters and of the compressor."""
        configs = [*self.filters, *([self.compressor] if self.compressor else [])]
        return tuple(str(config.get("id")) for config in configs)

    def chunk_key(self, index: Sequence[int]) -> str:
        """Return the key of a chunk, below the array's."""
        return self.separator.join(map(str, index)) if index else "0"

    def empty_chunk(self) -> NDArray[Any]:
        """Return what a chunk holds that was never written."""
        if self.fill_value is None:
            return np.zeros(self.chunks, self.dtype)
        return np.full(self.chunks, self.fill_value, self.dtype)

    @classmethod
    def decode(cls, content: bytes, where: str) -> Self:
        """Read a ``.zarray``.

        Raises
        ------
        ReadError
            If it makes no sense.
        """
        try:
            fields = decode_json(content, f"{where}/.zarray")
            dtype = _decode_dtype(fields["dtype"])
            metadata = cls(
                shape=_sizes(fields["shape"]),
                chunks=_sizes(fields["chunks"]),
                dtype=dtype,
                compressor=_codec(fields["compressor"]) if fields.get("compressor") else None,
                filters=tuple(map(_codec, fields.get("filters") or ())),
                order=str(fields.get("order", "C")),
                fill_value=_decode_fill_value(fields.get("fill_value"), dtype),
                separator=str(fields.get("dimension_separator", ".")),
            )
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
            msg = f"{where}/.zarray cannot be understood: {type(error).__name__}: {error}."
            raise ReadError(0, msg) from error
        is_sound = (
            len(metadata.shape) == len(metadata.chunks)
            and all(0 <= n <= SIZE_MAX for n in metadata.shape)
            and all(1 <= n <= SIZE_MAX for n in metadata.chunks)
            and metadata.order in {"C", "F"}
            and metadata.separator in {".", "/"}
        )
        if not is_sound:
            msg = f"{where}/.zarray contradicts itself: {content[:200]!r}."
            raise ReadError(0, msg)
        return metadata

    def encode(self) -> bytes:
        """Return the ``.zarray`` for this array."""
        fields = {
            "chunks": list(self.chunks),
            "compressor": self.compressor,
            "dtype": encode_dtype(self.dtype),
            "fill_value": 0 if self.is_object else _encode_fill_value(self.fill_value),
            "filters": list(self.filters) or None,
            "order": self.order,
            "shape": list(self.shape),
            "zarr_format": 2,
        }
        if self.separator != ".":
            fields["dimension_separator"] = self.separator
        return json.dumps(fields, indent=4, sort_keys=True).encode()


def new_metadata(
    shape: Sequence[int],
    dtype: np.dtype[Any],
    *,
    chunks: Sequence[int],
    compressor: Mapping[str, Any] | None,
    filters: Sequence[Mapping[str, Any]] = (),
) -> ArrayMetadata:
    """Return the layout of a new array.

    Examples
    --------
    >>> layout = new_metadata((10, 4), np.dtype("i2"), chunks=(4, 4), compressor=None)
    >>> layout.chunk_grid
    (3, 1)
    """
    return ArrayMetadata(
        shape=tuple(shape),
        chunks=tuple(max(1, n) for n in chunks),
        dtype=dtype,
        compressor=dict(compressor) if compressor else None,
        filters=tuple(dict(each) for each in filters),
        fill_value=dtype.type(0) if dtype.kind in _FILLED_WITH_ZERO else None,
    )


def default_chunks(shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Return chunks of whole rows, of up to 64 MiB.

    Examples
    --------
    >>> default_chunks((10, 4), np.dtype("i2")), default_chunks((1 << 30,), np.dtype("i8"))
    ((10, 4), (8388608,))
    """
    if not shape:
        return ()
    row_bytes = dtype.itemsize
    for n in shape[1:]:
        row_bytes *= max(1, n)
    rows = max(1, min(shape[0], WHOLE_CHUNK_BYTES // max(1, row_bytes)))
    return (rows, *(max(1, n) for n in shape[1:]))


def _sizes(values: Any) -> tuple[int, ...]:  # noqa: ANN401 - any JSON
    if not isinstance(values, list) or not all(type(n) is int for n in values):
        msg = f"{values!r:.100} is no list of whole numbers"
        raise TypeError(msg)
    return tuple(values)


def _codec(config: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    if not isinstance(config, dict) or not isinstance(config.get("id"), str):
        msg = f"{config!r:.100} names no codec"
        raise TypeError(msg)
    return config


def _decode_dtype(value: Any) -> np.dtype[Any]:  # noqa: ANN401 - a string or nested lists
    if isinstance(value, str):
        return np.dtype(value)
    fields: list[Any] = []
    for field in value:
        name, inner, *shape = field
        fields.append((str(name), _decode_dtype(inner), *(tuple(each) for each in shape)))
    return np.dtype(fields)


def encode_dtype(dtype: np.dtype[Any]) -> str | list[Any]:
    """Return how ``.zarray`` names a dtype: ``"<i2"``, or a list of fields.

    Examples
    --------
    >>> encode_dtype(np.dtype([("x", "f4"), ("y", "i2", (2,))]))
    [['x', '<f4'], ['y', '<i2', [2]]]
    """
    if dtype.names is None:
        return dtype.str
    fields = []
    for name in dtype.names:
        inner = dtype[name]
        shape = [list(inner.shape)] if inner.shape else []
        fields.append([name, encode_dtype(inner.base), *shape])
    return fields


def _decode_fill_value(value: Any, dtype: np.dtype[Any]) -> Any:  # noqa: ANN401 - any JSON
    if value is None or dtype.kind == "O":
        return None
    if isinstance(value, str):
        if dtype.kind == "f":
            return dtype.type(_NON_FINITE[value])
        if dtype.kind in "SV":
            raw = base64.standard_b64decode(value)
            if len(raw) != dtype.itemsize:
                return None
            return np.frombuffer(raw, dtype)[0]
    if dtype.kind == "c" and isinstance(value, list):
        real, imaginary = (float(part) for part in value)  # takes "NaN" and "Infinity" as text
        return dtype.type(complex(real, imaginary))
    if dtype.kind == "V":
        return None
    with np.errstate(over="raise"):
        return dtype.type(value)


def _encode_fill_value(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if value is None:
        return None
    if isinstance(value, (np.floating, float)) and not math.isfinite(value):
        return next(name for name, x in _NON_FINITE.items() if x == value or x != x != value)
    if isinstance(value, (complex, np.complexfloating)):
        return [float(value.real), float(value.imag)]
    return value.item() if isinstance(value, np.generic) else value
