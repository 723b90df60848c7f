"""The codecs of zarr format 3 that believe what they are given, made to check it first."""

import dataclasses
from typing import Any

import zarr
from zarr.abc.codec import Codec
from zarr.codecs import BloscCodec, ShardingCodec, numcodecs as wrapped
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer
from zarr.storage import StorePath

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


def checked_array(metadata: Any, place: StorePath, config: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return an array of zarr-python that checks what it decodes.

    Parameters
    ----------
    metadata : dict
        What its ``zarr.json`` holds.
    place : StorePath
        Where it is.
    config : dict
        Settings of the array, as zarr-python has them.

    Returns
    -------
    zarr.Array
        Of format 3.

    Raises
    ------
    Exception
        Whatever zarr-python raises if it can make nothing of the metadata.
    """
    make: Any = zarr.AsyncArray  # whose types leave no room for a plain dictionary
    opened = make(metadata, place, config)
    codecs = tuple(checked(codec) for codec in opened.metadata.codecs)
    return zarr.Array(make(dataclasses.replace(opened.metadata, codecs=codecs), place, config))
