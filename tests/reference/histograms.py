"""Twins of the histograms, in exact arithmetic."""

from fractions import Fraction
from itertools import pairwise


def count_into_bins(values, low, bin_size, n_bins):
    counts = [0] * n_bins
    for value in values:
        position = (Fraction(value) - Fraction(low)) / Fraction(bin_size)
        if 0 <= position < n_bins:
            counts[int(position)] += 1
    return counts


def intervals(samples):
    return [int(b) - int(a) for a, b in pairwise(samples)]
