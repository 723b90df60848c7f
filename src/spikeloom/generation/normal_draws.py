"""Normal random numbers by numpy alone: those of `spikeloom.kernels.normal_numbers`, bit by bit."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.engine.executor import map_items
from spikeloom.generation.exponential_draws import Words, encrypt, exponentials

_N_BLOCK = 1 << 14  # pairs that are worked on at once, in the processor's cache
_RADIANS = np.float32(np.pi / 2**31)
_EIGHTH_TURN, _QUARTER_BITS = np.uint32(1 << 29), np.uint32(30)
_SINE = (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
_COSINE = (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)


def fill_normal_plain(values: NDArray[np.float32], keys: Words) -> None:
    """Write the first normal numbers of a stream.

    Parameters
    ----------
    values : ndarray of shape (n_values,) and dtype float32
        Overwritten.
    keys : ndarray of shape (2,) and dtype uint32
        The key of the stream.

    Examples
    --------
    >>> values, more = np.empty(5, np.float32), np.empty(100_000, np.float32)
    >>> fill_normal_plain(values, np.array([1, 2], np.uint32))
    >>> fill_normal_plain(more, np.array([1, 2], np.uint32))
    >>> bool((values == more[:5]).all()), bool(0.99 < more.std() < 1.01)
    (True, True)
    """
    n_pairs = -(-values.size // 2)

    def fill(begin: int) -> None:
        pairs = np.arange(begin, min(begin + _N_BLOCK, n_pairs))
        words = np.stack([pairs, pairs >> 32]).astype(np.uint32)
        spare = np.empty_like(words)
        encrypt(words[0], words[1], keys, spare[0])
        sines, cosines = _sines_and_cosines(words[1])
        radii = exponentials(words[0], spare)
        radii *= np.float32(2)
        np.sqrt(radii, out=radii)
        numbers = np.stack([radii * cosines, radii * sines], axis=1).reshape(-1)
        room = values[2 * begin : 2 * begin + numbers.size]
        room[:] = numbers[: room.size]

    map_items(fill, range(0, n_pairs, _N_BLOCK))


def _sines_and_cosines(words: Words) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return sines and cosines of the angles ``words / 2**32`` turns."""
    quarters = (words + _EIGHTH_TURN) >> _QUARTER_BITS
    x = (words - (quarters << _QUARTER_BITS)).view(np.int32).astype(np.float32)
    x *= _RADIANS
    x2 = x * x
    sines = x2 * np.float32(_SINE[0])
    for factor in _SINE[1:]:
        sines += np.float32(factor)
        sines *= x2
    sines *= x
    sines += x
    cosines = x2 * np.float32(_COSINE[0])
    for factor in _COSINE[1:]:
        cosines += np.float32(factor)
        cosines *= x2
    cosines *= x2
    cosines -= np.float32(0.5) * x2
    cosines += np.float32(1)
    is_odd = (quarters & np.uint32(1)).astype(np.bool_)
    low, high = np.where(is_odd, cosines, sines), np.where(is_odd, sines, cosines)
    np.negative(low, out=low, where=quarters >= np.uint32(2))
    np.negative(high, out=high, where=(quarters == np.uint32(1)) | (quarters == np.uint32(2)))
    return low, high
