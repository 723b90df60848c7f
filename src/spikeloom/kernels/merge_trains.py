"""Merge the trains of many units into spikes in order of time.

The trains are walked through side by side, window by window of samples. A window's spikes fit into
the processor's cache, where two counting passes sort them: 5 ns a spike, whatever the number of
units, where passes over all spikes wait for memory.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel, kernel_part

# Unsigned, as are all indices here: those that could be negative are looked at once more each.
_UNIT_BITS = np.uint64(32)
_UNIT_MASK = np.uint64((1 << 32) - 1)
_ONE = np.uint64(1)


@kernel_part
def _first_at(samples: NDArray[np.int64], begin: int, end: int, low: int) -> int:
    """Return the first of ``samples[begin:end]``, increasing, that is not below `low`."""
    while begin < end:
        middle = (begin + end) >> 1
        if samples[middle] < low:
            begin = middle + 1
        else:
            end = middle
    return begin


@kernel_part
def _start_slots(slots: NDArray[np.uint32]) -> None:
    """Turn counts into where each group begins."""
    begin = np.uint32(0)
    for digit in range(slots.size):
        count = slots[digit]
        slots[digit] = begin
        begin += count


@kernel_part
def _gallop(samples: NDArray[np.int64], begin: int, end: int, low: int) -> int:
    """Return what `_first_at` does, quickly if it is near `begin`."""
    reach = 1
    while begin + reach < end and samples[begin + reach] < low:
        begin += reach
        reach <<= 1
    return _first_at(samples, begin, min(begin + reach, end), low)


@kernel
def _sort_window(
    samples: NDArray[np.int64],
    heads: NDArray[np.int64],
    next_heads: NDArray[np.int64],
    begin: int,
    n_window_bits: int,
    scratch: NDArray[np.uint64],
    merged_samples: NDArray[np.int64],
    merged_units: NDArray[np.integer],
) -> None:
    """Sort the spikes of a window into the first places of the merged arrays.

    They are ``samples[heads[u]:next_heads[u]]`` of each unit, `begin` is the window's first sample.
    """
    low_bits = np.uint64(n_window_bits >> 1)
    low_mask = np.uint64((_ONE << low_bits) - _ONE)
    high_shift = np.uint64(low_bits + _UNIT_BITS)
    low_slots = np.zeros(1 << (n_window_bits >> 1), np.uint32)
    high_slots = np.zeros(1 << (n_window_bits - (n_window_bits >> 1)), np.uint32)
    packed, spare = scratch[0], scratch[1]
    n_spikes = np.uint64(0)
    for unit in range(heads.size):
        for head in range(heads[unit], next_heads[unit]):
            offset = np.uint64(samples[head] - begin)
            low_slots[offset & low_mask] += np.uint32(1)
            high_slots[offset >> low_bits] += np.uint32(1)
            packed[n_spikes] = (offset << _UNIT_BITS) | np.uint64(unit)
            n_spikes += _ONE
    _start_slots(low_slots)
    _start_slots(high_slots)
    for i in range(n_spikes):
        spike = packed[np.uint64(i)]
        digit = (spike >> _UNIT_BITS) & low_mask
        slot = low_slots[digit]
        low_slots[digit] = slot + np.uint32(1)
        spare[slot] = spike
    for i in range(n_spikes):
        spike = spare[np.uint64(i)]
        slot = high_slots[spike >> high_shift]
        high_slots[spike >> high_shift] = slot + np.uint32(1)
        merged_samples[slot] = begin + np.int64(spike >> _UNIT_BITS)
        merged_units[slot] = np.int64(spike & _UNIT_MASK)


@kernel
def merge_trains(
    samples: NDArray[np.int64],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    low: int,
    high: int,
    n_window_bits: int,
    merged_samples: NDArray[np.int64],
    merged_units: NDArray[np.integer],
) -> None:
    """Write the spikes from sample `low` to before `high` where they belong in the merged arrays.

    Train ``u`` is ``samples[starts[u]:starts[u] + counts[u]]``, increasing. Spikes of one sample
    stand in order of units. Windows have ``2**n_window_bits`` samples, from 2 to 2**30.
    """
    n_units = counts.size
    heads, next_heads = np.empty(n_units, np.int64), np.empty(n_units, np.int64)
    ends = starts[:n_units] + counts
    place = 0
    for unit in range(n_units):
        heads[unit] = _first_at(samples, starts[unit], ends[unit], low)
        place += heads[unit] - starts[unit]
    scratch = np.empty((2, 1024), np.uint64)
    for begin in range(low, high, 1 << n_window_bits):
        end = min(begin + (1 << n_window_bits), high)
        n_spikes = 0
        for unit in range(n_units):
            next_heads[unit] = _gallop(samples, heads[unit], ends[unit], end)
            n_spikes += next_heads[unit] - heads[unit]
        if n_spikes > scratch.shape[1]:
            scratch = np.empty((2, n_spikes + n_spikes // 2), np.uint64)
        _sort_window(
            samples,
            heads,
            next_heads,
            begin,
            n_window_bits,
            scratch,
            merged_samples[place:],
            merged_units[place:],
        )
        heads, next_heads = next_heads, heads
        place += n_spikes
