"""Twin of `spikeloom.kernels.normal_numbers`."""

import math

_MASK = 0xFFFFFFFF
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)


def random_words(index, key_0, key_1):
    keys = (key_0, key_1, key_0 ^ key_1 ^ 0x1BD11BDA)
    x = ((index & _MASK) + key_0) & _MASK
    y = ((index >> 32) + key_1) & _MASK
    for k in range(20):
        x = (x + y) & _MASK
        n_bits = _ROTATIONS[k % 8]
        y = ((y << n_bits | y >> (32 - n_bits)) & _MASK) ^ x
        if k % 4 == 3:
            group = k // 4 + 1
            x = (x + keys[group % 3]) & _MASK
            y = (y + keys[(group + 1) % 3] + group) & _MASK
    return x, y


def normal_numbers(first, n_numbers, key_0, key_1):
    numbers = []
    for position in range(first, first + n_numbers):
        x, y = random_words(position // 2, key_0, key_1)
        radius = math.sqrt(-2 * math.log((x // 2 + 0.5) / 2**31))
        angle = 2 * math.pi * y / 2**32
        numbers.append(radius * (math.sin(angle) if position % 2 else math.cos(angle)))
    return numbers
