"""Normal random numbers, each worked out of its own position in an endless stream.

Number pair ``i`` of a stream is a function of ``i`` and of the key of the stream alone, so any
stretch can be written without what lies before it. The bits are those of Threefry-2x32 with 20
rounds (Salmon, Moraes, Dror and Shaw. SC 2011. :doi:`10.1145/2063384.2063405`), which pass all
common tests of randomness; Box and Muller's method turns two words into two normal numbers.

Logarithm, sine and cosine are the polynomials of the Cephes library in single precision, written
out: those of a system's own library differ from one machine to the next in the last bit, and do
not run on several numbers at once. This takes 1.5 ns a number, numpy's ``standard_normal`` 9 ns.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel, kernel_part

_ONE = np.float32(1)
_HALF = np.float32(0.5)
_LN_2 = np.float32(0.6931471805599453)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)  # of the float32 nearest to the square root of one half
_N_FRACTION_BITS = np.int32(23)
_PARITY = np.uint32(0x1BD11BDA)
_EIGHTH_TURN = np.uint32(1 << 29)
_RADIANS = np.float32(np.pi / 2**31)


@kernel_part
def _rotated(word: np.uint32, n_bits: int) -> np.uint32:
    return np.uint32((word << np.uint32(n_bits)) | (word >> np.uint32(32 - n_bits)))


@kernel_part
def _four_rounds(
    x: np.uint32, y: np.uint32, first: int, second: int, third: int, fourth: int
) -> tuple[np.uint32, np.uint32]:
    x = np.uint32(x + y)
    y = np.uint32(_rotated(y, first) ^ x)
    x = np.uint32(x + y)
    y = np.uint32(_rotated(y, second) ^ x)
    x = np.uint32(x + y)
    y = np.uint32(_rotated(y, third) ^ x)
    x = np.uint32(x + y)
    y = np.uint32(_rotated(y, fourth) ^ x)
    return x, y


@kernel_part
def random_words(index: int, key_0: np.uint32, key_1: np.uint32) -> tuple[np.uint32, np.uint32]:
    """Return the two random words of 32 bits at `index`: Threefry-2x32, 20 rounds."""
    key_2 = np.uint32(key_0 ^ key_1 ^ _PARITY)
    x = np.uint32(np.uint32(index) + key_0)
    y = np.uint32(np.uint32(index >> 32) + key_1)
    x, y = _four_rounds(x, y, 13, 15, 26, 6)
    x, y = np.uint32(x + key_1), np.uint32(y + key_2 + np.uint32(1))
    x, y = _four_rounds(x, y, 17, 29, 16, 24)
    x, y = np.uint32(x + key_2), np.uint32(y + key_0 + np.uint32(2))
    x, y = _four_rounds(x, y, 13, 15, 26, 6)
    x, y = np.uint32(x + key_0), np.uint32(y + key_1 + np.uint32(3))
    x, y = _four_rounds(x, y, 17, 29, 16, 24)
    x, y = np.uint32(x + key_1), np.uint32(y + key_2 + np.uint32(4))
    x, y = _four_rounds(x, y, 13, 15, 26, 6)
    return np.uint32(x + key_2), np.uint32(y + key_0 + np.uint32(5))


@kernel_part
def log_of_share(word: np.uint32) -> np.float32:
    """Return the natural logarithm of (word // 2 + 0.5) / 2**31, which is above 0 and at most 1."""
    share = np.float32(np.int32(word >> np.uint32(1))) + _HALF
    bits = np.float32(share).view(np.int32)
    exponent = (bits - _SQRT_HALF_BITS) >> _N_FRACTION_BITS
    x = np.int32(bits - (exponent << _N_FRACTION_BITS)).view(np.float32) - _ONE
    x2 = x * x
    y = np.float32(7.0376836292e-2)
    y = y * x - np.float32(1.1514610310e-1)
    y = y * x + np.float32(1.1676998740e-1)
    y = y * x - np.float32(1.2420140846e-1)
    y = y * x + np.float32(1.4249322787e-1)
    y = y * x - np.float32(1.6668057665e-1)
    y = y * x + np.float32(2.0000714765e-1)
    y = y * x - np.float32(2.4999993993e-1)
    y = y * x + np.float32(3.3333331174e-1)
    return np.float32(
        x + (y * x * x2 - _HALF * x2) + np.float32(np.int32(exponent) - np.int32(31)) * _LN_2
    )


@kernel_part
def _sine_and_cosine(word: np.uint32) -> tuple[np.float32, np.float32]:
    """Return sine and cosine of the angle ``word / 2**32`` turns."""
    quarter = np.uint32(np.uint32(word + _EIGHTH_TURN) >> np.uint32(30))
    x = np.float32(np.int32(np.uint32(word - np.uint32(quarter << np.uint32(30))))) * _RADIANS
    x2 = x * x
    sine = np.float32(-1.9515295891e-4) * x2 + np.float32(8.3321608736e-3)
    sine = (sine * x2 - np.float32(1.6666654611e-1)) * x2 * x + x
    cosine = np.float32(2.443315711809948e-5) * x2 - np.float32(1.388731625493765e-3)
    cosine = (cosine * x2 + np.float32(4.166664568298827e-2)) * x2 * x2 - _HALF * x2 + _ONE
    is_odd = (quarter & np.uint32(1)) != 0
    low = cosine if is_odd else sine
    high = sine if is_odd else cosine
    low = -low if quarter >= np.uint32(2) else low
    high = -high if (quarter == np.uint32(1)) or (quarter == np.uint32(2)) else high
    return low, high


@kernel_part
def normal_pair(index: int, key_0: np.uint32, key_1: np.uint32) -> tuple[np.float32, np.float32]:
    """Return the two normal numbers at `index`, a pair's position in the stream of the keys."""
    x, y = random_words(index, key_0, key_1)
    radius = np.sqrt(np.maximum(np.float32(-2) * log_of_share(x), np.float32(0)))
    sine, cosine = _sine_and_cosine(y)
    return np.float32(radius * cosine), np.float32(radius * sine)


@kernel
def fill_normal(
    values: NDArray[np.float32], first: int, key_0: np.uint32, key_1: np.uint32
) -> None:
    """Write the normal numbers `first`, `first` + 1, … of a stream into `values` (n_values,)."""
    n_before = min(first & 1, values.size)  # the second number of a pair comes first
    if n_before == 1:
        _, values[0] = normal_pair(first >> 1, key_0, key_1)
    pairs = values[n_before:]  # indices that cannot be negative let the loop run on many at once
    n_pairs = pairs.size >> 1
    first_pair = (first + n_before) >> 1
    for i in range(n_pairs):
        pairs[2 * i], pairs[2 * i + 1] = normal_pair(first_pair + i, key_0, key_1)
    if 2 * n_pairs < pairs.size:
        pairs[2 * n_pairs], _ = normal_pair(first_pair + n_pairs, key_0, key_1)
