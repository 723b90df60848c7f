"""Exponential random numbers by numpy alone: those of `spikeloom.kernels.exponential_numbers`.

Not close to them, but the same bits: what a seed stands for must not depend on whether the compiler
has been loaded, which takes longer than to draw a million spikes this way.
"""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_N_BLOCK = 1 << 14  # pairs that are worked on at once, in the processor's cache
_PARITY = np.uint32(0x1BD11BDA)
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_SQRT_HALF_BITS = 0x3F3504F3  # of the float32 nearest to the square root of one half
_N_FRACTION_BITS = 23
_LN_2 = np.float32(0.6931471805599453)
_LOG_SERIES = (
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)


def exponential_numbers(
    units: NDArray[np.int64], n_numbers: int, keys: Words
) -> NDArray[np.float32]:
    """Return the first exponential numbers of some units.

    Parameters
    ----------
    units : ndarray of shape (n_units,)
        Which units of the stream.
    n_numbers : int
        How many numbers of each, even.
    keys : ndarray of shape (2,) and dtype uint32
        The key of the stream.

    Returns
    -------
    ndarray of shape (n_units, n_numbers) and dtype float32
        Of mean 1.

    Examples
    --------
    >>> keys = np.array([3, 4], np.uint32)
    >>> both = exponential_numbers(np.array([5, 8]), 4, keys)
    >>> alone = exponential_numbers(np.array([8]), 2, keys)
    >>> both.shape, bool((both[1, :2] == alone).all())
    ((2, 4), True)
    """
    n_pairs = n_numbers >> 1
    values = np.empty((units.size * n_pairs, 2), np.float32)
    words = np.empty((2, units.size, n_pairs), np.uint32)
    words[0] = np.arange(n_pairs, dtype=np.uint32)
    words[1] = units.astype(np.uint32)[:, None]
    flat = words.reshape(2, -1)
    spare = np.empty((2, 2, min(_N_BLOCK, len(values))), np.uint32)
    for begin in range(0, len(values), _N_BLOCK):
        block = flat[:, begin : begin + _N_BLOCK]
        n_block = block.shape[1]
        encrypt(block[0], block[1], keys, spare[0, 0, :n_block])
        values[begin : begin + _N_BLOCK] = exponentials(block, spare[..., :n_block]).T
    return values.reshape(units.size, 2 * n_pairs)


def random_words(unit: int, n_words: int, keys: Words) -> Words:
    """Return the first random words of a unit: those that its exponential numbers are made of.

    Parameters
    ----------
    unit : int
        Which unit of the stream.
    n_words : int
        How many.
    keys : ndarray of shape (2,) and dtype uint32
        The key of the stream.

    Returns
    -------
    ndarray of shape (n_words,) and dtype uint32

    Examples
    --------
    >>> random_words(0, 2, np.zeros(2, np.uint32))
    array([1797259609, 2579123966], dtype=uint32)
    """
    words = np.empty(((n_words + 1) // 2, 2), np.uint32)
    x, y = np.arange(len(words), dtype=np.uint32), np.full(len(words), unit, np.uint32)
    encrypt(x, y, keys, np.empty(len(words), np.uint32))
    words[:, 0], words[:, 1] = x, y
    return words.reshape(-1)[:n_words]


def encrypt(x: Words, y: Words, keys: Words, spare: Words) -> None:
    """Turn positions into random words in place: Threefry-2x32, 20 rounds.

    Parameters
    ----------
    x, y : ndarray of shape (n_pairs,) and dtype uint32
        Low and high bits of positions.
    keys : ndarray of shape (2,) and dtype uint32
        The key of the stream.
    spare : ndarray of shape (n_pairs,) and dtype uint32
        Overwritten.

    Examples
    --------
    >>> x, y, spare = np.zeros((3, 1), np.uint32)
    >>> encrypt(x, y, np.zeros(2, np.uint32), spare)
    >>> hex(x[0]), hex(y[0])
    ('0x6b200159', '0x99ba4efe')
    """
    schedule = [keys[0], keys[1], keys[0] ^ keys[1] ^ _PARITY]
    x += schedule[0]
    y += schedule[1]
    for group in range(5):
        for n_bits in _ROTATIONS[group % 2]:
            x += y
            np.right_shift(y, np.uint32(32 - n_bits), out=spare)
            y <<= np.uint32(n_bits)
            y |= spare
            y ^= x
        x += schedule[(group + 1) % 3]
        # Plain numbers would warn when they wrap around, which arrays do silently.
        y += schedule[(group + 2) % 3]
        y += np.uint32(group + 1)


def exponentials(words: Words, spare: Words) -> NDArray[np.float32]:
    """Turn random words into exponential numbers: minus the logarithm of a share of 1.

    Parameters
    ----------
    words : ndarray of dtype uint32
        Overwritten.
    spare : ndarray of shape (2, *words.shape) and dtype uint32
        Overwritten.

    Examples
    --------
    >>> exponentials(np.array([1 << 31], np.uint32), np.zeros((2, 1), np.uint32)).round(4)
    array([0.6931], dtype=float32)
    """
    words >>= np.uint32(1)
    share = words.view(np.int32).astype(np.float32)
    share += np.float32(0.5)
    bits = share.view(np.int32)
    exponent = np.subtract(bits, np.int32(_SQRT_HALF_BITS), out=spare[0].view(np.int32))
    exponent >>= np.int32(_N_FRACTION_BITS)
    bits -= np.left_shift(exponent, np.int32(_N_FRACTION_BITS), out=spare[1].view(np.int32))
    x = share
    x -= np.float32(1)
    x2 = x * x
    y = x * np.float32(7.0376836292e-2)
    for k, factor in enumerate(_LOG_SERIES):
        if k:
            y *= x
        y += np.float32(factor)
    y *= x
    y *= x2
    y -= np.multiply(x2, np.float32(0.5), out=x2)
    x += y
    exponent -= np.int32(31)
    x += np.multiply(exponent.astype(np.float32), _LN_2, out=y)
    np.negative(x, out=x)
    return np.maximum(x, np.float32(0), out=x)
