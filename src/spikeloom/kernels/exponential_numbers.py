"""Exponential random numbers, each worked out of its own position in an endless stream.

Number ``i`` of unit ``u`` is a function of both and of the key of the stream alone: the words are
those of `spikeloom.kernels.normal_numbers`, at ``(u << 32) | (i // 2)``. One number costs 2 ns.
`spikeloom.generation.exponential_draws` computes the very same ones by numpy.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel_part
from spikeloom.kernels.normal_numbers import log_of_share, random_words

N_TOGETHER = 128
"""Numbers that are worked out at once, a buffer in the processor's cache."""


@kernel_part
def exponential_pair(
    index: int, key_0: np.uint32, key_1: np.uint32
) -> tuple[np.float32, np.float32]:
    """Return the two exponential numbers of mean 1 at `index`."""
    x, y = random_words(index, key_0, key_1)
    zero = np.float32(0)
    return np.maximum(-log_of_share(x), zero), np.maximum(-log_of_share(y), zero)


@kernel_part
def fill_exponential(
    values: NDArray[np.float32], unit: int, first: int, key_0: np.uint32, key_1: np.uint32
) -> None:
    """Write the numbers `first`, `first` + 1, … of a unit into `values`; both counts are even."""
    n_pairs = values.size >> 1
    first_pair = (unit << 32) | (first >> 1)
    for i in range(n_pairs):
        values[2 * i], values[2 * i + 1] = exponential_pair(first_pair + i, key_0, key_1)
