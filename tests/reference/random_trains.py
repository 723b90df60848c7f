"""Twins of `spikeloom.kernels.exponential_numbers` and `spikeloom.kernels.random_trains`."""

import math
from itertools import pairwise

from reference.normal_numbers import random_words


def exponential_number(unit, i, keys):
    word = random_words((unit << 32) + i // 2, *keys)[i % 2]
    return -math.log((word // 2 + 0.5) / 2**31)


def renewal_train(unit, refractory, scale, n_samples, keys):
    train = []
    sample = -refractory
    while True:
        rest = math.floor(exponential_number(unit, len(train), keys) * scale)
        sample += refractory + rest
        if sample >= n_samples:
            return train
        train.append(sample)


def even_train(unit, n_spikes, refractory, n_free, keys):
    sums = [0.0]
    for i in range(n_spikes + 1):
        sums.append(sums[-1] + exponential_number(unit, i, keys))
    return [
        min(math.floor(sums[i + 1] / sums[-1] * n_free), n_free - 1) + i * refractory
        for i in range(n_spikes)
    ]


def shuffled_train(unit, n_draws, refractory, n_samples, keys):
    n_moved = n_draws // 2
    still = even_train(4 * unit, n_draws - n_moved, 0, n_samples, keys)
    moved = even_train(4 * unit + 1, n_moved, 0, n_samples, keys)
    for i in range(n_moved):
        share = random_words(((4 * unit + 2) << 32) + i // 2, *keys)[i % 2] / 2**32
        moved[i] += math.floor(refractory * (1 + 19 * share**2))
    train = sorted(sample for sample in still + moved if sample < n_samples)
    far = [b - a >= max(refractory, 1) for a, b in pairwise(train)]
    return [sample for sample, is_far in zip(train, [True, *far], strict=False) if is_far]
