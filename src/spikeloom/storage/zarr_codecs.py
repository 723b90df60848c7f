"""Compressors and filters of zarr arrays, as numcodecs names them.

Whatever numcodecs knows may be used, with one exception: the ``pickle`` codec, which would run
code from data, is neither read nor written.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numcodecs
from numcodecs.abc import Codec

from spikeloom.errors import ParameterError, ReadError
from spikeloom.storage.blosc_frames import check_blosc

REFUSED = frozenset({"pickle"})
"""Codecs that are never used: decoding them runs what the data say."""

CodecLike = Any
"""A codec of numcodecs, or its configuration."""


class CheckedBlosc(numcodecs.Blosc):  # type: ignore[misc]  # numcodecs has no types
    """Blosc that refuses frames which are not as long as they tell."""

    def decode(self, buf: Any, out: Any = None) -> Any:  # noqa: ANN401 - as numcodecs has it
        """Unpack a frame; DataError if it is cut short or tells what cannot be."""
        check_blosc(buf)
        return super().decode(buf, out)


def default_compressor(clevel: int = 5) -> Codec:
    """Return the compressor that traces are saved with: Blosc zstd with bit shuffling.

    Parameters
    ----------
    clevel : int, default: 5
        0 (none) to 9 (smallest, slowest).

    Examples
    --------
    >>> default_compressor().get_config()["cname"]
    'zstd'
    """
    return numcodecs.Blosc(cname="zstd", clevel=clevel, shuffle=numcodecs.Blosc.BITSHUFFLE)


def delta_filter(dtype: str) -> Codec:
    """Return a filter that keeps differences, which suits sorted integers.

    Examples
    --------
    >>> delta_filter("<i8").get_config()["id"]
    'delta'
    """
    return numcodecs.Delta(dtype=dtype)


def codec_config(codec: CodecLike) -> dict[str, Any]:
    """Return what ``.zarray`` says of a codec.

    Parameters
    ----------
    codec : numcodecs codec or mapping
        Such as ``numcodecs.LZMA()``, or its configuration ``{"id": "lzma"}``.

    Raises
    ------
    ParameterError
        If it is not a codec that numcodecs knows, or one that is refused.

    Examples
    --------
    >>> codec_config({"id": "zstd", "level": 3})["id"]
    'zstd'
    """
    if not isinstance(codec, Codec):
        if not isinstance(codec, Mapping) or "id" not in codec:
            msg = (
                f"{codec!r} is not a compressor or filter; give a codec of numcodecs, such as "
                "numcodecs.Blosc(), or its configuration with an 'id'."
            )
            raise ParameterError(msg)
        try:
            codec = numcodecs.get_codec(dict(codec)) if codec["id"] not in REFUSED else None
        except (ValueError, TypeError, ImportError) as error:
            msg = f"There is no codec {dict(codec)}: {error}."
            raise ParameterError(msg) from error
    config = codec.get_config() if codec is not None else {"id": "pickle"}
    if config["id"] in REFUSED:
        msg = "The codec 'pickle' is not used: reading it would run code from data. Use JSON."
        raise ParameterError(msg)
    return dict(config)


def codec_configs(codecs: Sequence[CodecLike] | None) -> tuple[dict[str, Any], ...]:
    """Return the configurations of several filters, in the order in which they encode."""
    return tuple(codec_config(codec) for codec in codecs or ())


def make_codec(config: Mapping[str, Any], where: str) -> Codec:
    """Return the codec for a configuration that was read from a file.

    Raises
    ------
    ReadError
        If it is refused, or unknown to the numcodecs that is installed.
    """
    name = config.get("id")
    if name in REFUSED:
        msg = f"{where} holds pickled Python objects, which are never decoded."
        raise ReadError(0, msg)
    try:
        if name == CheckedBlosc.codec_id:
            return CheckedBlosc(**{key: value for key, value in config.items() if key != "id"})
        return numcodecs.get_codec(dict(config))
    except (ValueError, TypeError, ImportError) as error:
        msg = f"{where} uses the codec {name!r}, which is not installed here: {error}."
        raise ReadError(0, msg) from error
