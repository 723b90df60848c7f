"""The codecs of zarr format 3 that believe what they are given, made to check it first."""

import dataclasses
from typing import Any

import zarr
from zarr.abc.codec import Codec
from zarr.codecs import BloscCodec, ShardingCodec, numcodecs as wrapped
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer

from spikeloom.storage.blosc_frames import check_blosc


class CheckedBlosc(BloscCodec):
    """Blosc that refuses frames which are not as long as they tell."""

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> Buffer:
        check_blosc(chunk_data.as_numpy_array())
        return await super()._decode_single(chunk_data, chunk_spec)


class CheckedWrappedBlosc(wrapped.Blosc, codec_name="blosc"):
    """The same for the one that numcodecs brings along, which zarr 3 knows by another name."""

    async def _decode_single(self, chunk_data: Buffer, chunk_spec: ArraySpec) -> Buffer:
        check_blosc(chunk_data.as_numpy_array())
        return await super()._decode_single(chunk_data, chunk_spec)


def checked(codec: Codec) -> Codec:
    """Return a codec that checks what it decodes, or the same if it does anyway."""
    if isinstance(codec, ShardingCodec):
        return dataclasses.replace(
            codec,
            codecs=tuple(checked(one) for one in codec.codecs),
            index_codecs=tuple(checked(one) for one in codec.index_codecs),
        )
    if isinstance(codec, BloscCodec):
        return CheckedBlosc(
            typesize=codec.typesize,
            cname=codec.cname,
            clevel=codec.clevel,
            shuffle=codec.shuffle,
            blocksize=codec.blocksize,
        )
    if isinstance(codec, wrapped.Blosc):
        return CheckedWrappedBlosc(**codec.codec_config)
    return codec


def with_checked_codecs(array: Any) -> Any:  # noqa: ANN401 - zarr.Array, of which zarr has no types
    """Return an array of zarr-python that checks what it decodes.

    Parameters
    ----------
    array : zarr.Array
        In format 3.

    Returns
    -------
    zarr.Array
        The same place.
    """
    opened = array.async_array
    codecs = tuple(checked(codec) for codec in opened.metadata.codecs)
    metadata = dataclasses.replace(opened.metadata, codecs=codecs)
    return zarr.Array(zarr.AsyncArray(metadata, opened.store_path, opened.config))
