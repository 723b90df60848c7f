"""Read whole arrays of zarr stores whose description nobody vouches for."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ReadError
from spikeloom.storage.numpy_files import check_characters

_SMALL_BYTES = 1 << 26

_COMPRESSION_MAX = 100_000
"""More than arrays shrink by, even if all their values are the same."""

_N_CHUNKS_MAX = 1 << 20


def read_whole(array: Any) -> NDArray[Any]:  # noqa: ANN401 - an array of either format
    """Return all values of an array.

    Parameters
    ----------
    array : ZarrArray or ZarrArray3
        An array of either format.

    Raises
    ------
    ReadError
        If it cannot be decoded, or says that it is much larger than what is stored.
    """
    n_chunks = math.prod(-(-n // size) for n, size in zip(array.shape, array.chunks, strict=True))
    is_large = array.n_bytes > _SMALL_BYTES
    if n_chunks > _N_CHUNKS_MAX or (
        is_large and array.n_bytes > array.n_stored_bytes() * _COMPRESSION_MAX
    ):
        msg = (
            f"{array.where} is damaged: its shape is {array.shape} in chunks of {array.chunks}, "
            f"{array.n_bytes} bytes, but {array.n_stored_bytes()} bytes are stored."
        )
        raise ReadError(0, msg)
    values = np.asarray(array.read())
    try:
        check_characters(values)
    except ValueError as error:
        msg = f"{array.where} is damaged: {error}."
        raise ReadError(0, msg) from error
    return values
