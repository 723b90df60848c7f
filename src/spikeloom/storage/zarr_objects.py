"""Arrays of Python objects in zarr format 2, of which only plain ones are read and written.

SpikeInterface keeps dictionaries in arrays of shape (1,) with the codec ``json2``, and lists of
strings with the same codec. zarr-python 3 does not open such arrays, so their one chunk is
decoded and encoded here. Pickled objects are never decoded.
"""

import itertools
from typing import Any

import numpy as np
from numcodecs import JSON
from numpy.typing import NDArray

from spikeloom.errors import ReadError
from spikeloom.storage.provenance_json import to_plain
from spikeloom.storage.stores import Store
from spikeloom.storage.zarr_codecs import REFUSED, default_compressor, make_codec
from spikeloom.storage.zarr_metadata import ArrayMetadata, new_metadata

_PLAIN_CODECS = frozenset({"json2", "json", "vlen-utf8", "vlen-bytes", "vlen-array", "msgpack2"})
"""Codecs that make plain values of bytes, whatever the bytes say."""


def is_refused(metadata: ArrayMetadata) -> bool:
    """Tell whether an array holds pickled objects, which are skipped."""
    return not REFUSED.isdisjoint(metadata.codec_ids)


def read_objects(store: Store, path: str, metadata: ArrayMetadata) -> NDArray[Any]:
    """Return an array of plain Python objects.

    Raises
    ------
    ReadError
        If the objects are pickled, in an unknown code, or damaged.
    """
    where = f"{store.location}/{path}"
    if is_refused(metadata):
        msg = f"{where} holds pickled Python objects, which are never decoded; it is left out."
        raise ReadError(0, msg)
    unknown = [str(f.get("id")) for f in metadata.filters if f.get("id") not in _PLAIN_CODECS]
    if unknown or not metadata.filters:
        msg = f"{where} holds objects in a code that is not read here: {unknown or 'none named'}."
        raise ReadError(0, msg)
    filters = [make_codec(config, where) for config in metadata.filters]
    compressor = make_codec(metadata.compressor, where) if metadata.compressor else None
    result = np.full(metadata.shape, None, dtype=object)
    for index in itertools.product(*map(range, metadata.chunk_grid)):
        encoded = store.get(f"{path}/{metadata.chunk_key(index)}")
        if encoded is None:
            continue
        try:
            value: Any = compressor.decode(encoded) if compressor is not None else encoded
            for codec in reversed(filters):
                value = codec.decode(value)
            chunk = np.empty(len(value.reshape(-1)), dtype=object)
            chunk[:] = list(value.reshape(-1))
            chunk = chunk.reshape(metadata.chunks, order=metadata.order)  # type: ignore[call-overload]
        except Exception as error:
            msg = f"{where} is damaged ({type(error).__name__}: {error})."
            raise ReadError(0, msg) from error
        starts = [k * size for k, size in zip(index, metadata.chunks, strict=True)]
        place = tuple(
            slice(start, min(start + size, n))
            for start, size, n in zip(starts, metadata.chunks, metadata.shape, strict=True)
        )
        sizes = tuple(slice(0, where_.stop - where_.start) for where_ in place)
        result[place] = chunk[sizes]
    return result


def encode_objects(values: list[Any]) -> tuple[ArrayMetadata, bytes]:
    """Return the layout and the one chunk of a list of plain values, in the codec ``json2``.

    Raises
    ------
    ParameterError
        If a value is not what JSON can hold.
    """
    codec = JSON()
    array = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        array[k] = to_plain(value)
    compressor = default_compressor()
    metadata = new_metadata(
        array.shape,
        array.dtype,
        chunks=array.shape,
        compressor=compressor.get_config(),
        filters=[codec.get_config()],
    )
    return metadata, bytes(compressor.encode(codec.encode(array)))
