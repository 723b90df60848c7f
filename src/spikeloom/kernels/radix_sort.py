"""Sort whole numbers digit by digit, in a few linear passes."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def sort_by_digit(
    keys: NDArray[np.int64], shift: int, n_bits: int, sorted_keys: NDArray[np.int64]
) -> None:
    """Write `keys` into `sorted_keys`, both (n_keys,), in the order of one binary digit.

    The digit is the `n_bits` bits from bit `shift` on; keys are not negative. Keys with an equal
    digit keep their order, so passes from the lowest digit to the highest sort the keys.
    """
    mask = (1 << n_bits) - 1
    next_slot = np.zeros(mask + 1, np.int64)
    for i in range(keys.size):
        next_slot[(keys[i] >> shift) & mask] += 1
    begin = 0
    for digit in range(mask + 1):
        count = next_slot[digit]
        next_slot[digit] = begin
        begin += count
    for i in range(keys.size):
        digit = (keys[i] >> shift) & mask
        sorted_keys[next_slot[digit]] = keys[i]
        next_slot[digit] += 1
