"""Medians of whole numbers by counting: traces have few different values, so this is exact and
reads each number twice, while sorting or selecting moves each around many times.
"""  # noqa: D205

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def value_ranges(traces: NDArray[np.integer], ranges: NDArray[np.int64]) -> None:
    """Write least and greatest value of each channel of `traces` into `ranges` (n_channels, 2).

    `traces` is (n_samples, n_channels) and has a sample at least.
    """
    n_samples, n_channels = traces.shape
    for c in range(n_channels):
        ranges[c, 0] = ranges[c, 1] = traces[0, c]
    for t in range(1, n_samples):
        for c in range(n_channels):
            value = traces[t, c]
            ranges[c, 0] = min(ranges[c, 0], value)
            ranges[c, 1] = max(ranges[c, 1], value)


@kernel
def count_values(
    traces: NDArray[np.integer], lowest: NDArray[np.int64], counts: NDArray[np.int32]
) -> None:
    """Count ``counts[c, value - lowest[c]]`` up for each value of `traces`."""
    n_samples, n_channels = traces.shape
    for t in range(n_samples):
        for c in range(n_channels):
            counts[c, traces[t, c] - lowest[c]] += 1


@kernel
def median_deviations(
    counts: NDArray[np.int32], n_samples: int, deviations: NDArray[np.float64]
) -> None:
    """Write the median distance from the median of each row of counted values.

    `counts` is (n_channels, n_values) with `n_samples` counted in each row. Twice the median is a
    whole number, so that all is done in whole numbers: twice the distances, too.
    """
    n_channels, n_values = counts.shape
    first_rank = (n_samples - 1) // 2
    second_rank = n_samples // 2
    for c in range(n_channels):
        n_below = 0
        twice_median = np.int64(0)
        has_first = False
        for v in range(n_values):
            n_below += counts[c, v]
            if not has_first and n_below > first_rank:
                has_first = True
                twice_median += v
            if n_below > second_rank:
                twice_median += v
                break
        # From the median outwards, the closer of the two sides first.
        below = twice_median // 2
        above = below + 1
        n_closer = 0
        twice_deviation = np.int64(0)
        has_first = False
        while True:
            distance_below = twice_median - 2 * below
            distance_above = 2 * above - twice_median
            if below >= 0 and (above >= n_values or distance_below <= distance_above):
                n_closer += counts[c, below]
                distance = distance_below
                below -= 1
            else:
                n_closer += counts[c, above]
                distance = distance_above
                above += 1
            if not has_first and n_closer > first_rank:
                has_first = True
                twice_deviation += distance
            if n_closer > second_rank:
                twice_deviation += distance
                break
        # Twice the one and twice the other, of which the median is the mean.
        deviations[c] = twice_deviation / 4
