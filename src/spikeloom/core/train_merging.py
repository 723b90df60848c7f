"""Merge the trains of the units of a segment into spikes in order of time.

What is in order already, train by train, takes less than to sort spikes in any order, for which
there is `spikeloom.core.spike_building`.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.spike_vector import offsets_of, uses_kernels
from spikeloom.engine.executor import map_items

N_SPIKES_COMPILED = 1 << 22
"""From so many spikes on, loading the compiler takes less than to merge them by numpy."""

_N_WINDOW_SPIKES = 12_000  # on the average: as many as a processor's cache takes
_N_WINDOW_BITS = (8, 30)
_N_PARALLEL_SPIKES = 1 << 17  # fewer are merged before a thread has woken up
_N_PARTS = 8
_N_KEY_BITS = 63


def merge_trains(
    samples: NDArray[np.int64],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    *,
    unit_dtype: DTypeLike = np.int32,
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Merge trains into spikes in order of sample, then unit.

    Parameters
    ----------
    samples : ndarray of shape (n_places,) and dtype int64
        Samples of the spikes of all trains, increasing within each. There may be gaps between
        trains.
    starts : ndarray of shape (n_units,) and dtype int64
        Where each train begins.
    counts : ndarray of shape (n_units,) and dtype int64
        How many spikes it has.
    unit_dtype : dtype, default int32
        Number type of the index of the train.

    Returns
    -------
    sample_index : ndarray of shape (n_spikes,) and dtype int64
        A new array.
    unit_index : ndarray of shape (n_spikes,)
        Train of each spike, a new array.

    Examples
    --------
    >>> merge_trains(np.array([3, 9, -1, 3, 7]), np.array([0, 3]), np.array([2, 2]))
    (array([3, 3, 7, 9]), array([0, 1, 1, 0], dtype=int32))
    """
    n_spikes = int(counts.sum())
    if n_spikes == 0:
        return np.zeros(0, np.int64), np.zeros(0, unit_dtype)
    fired = np.flatnonzero(counts)
    low = int(samples[starts[fired]].min())
    high = int(samples[starts[fired] + counts[fired] - 1].max()) + 1
    n_bits = ((high - low) * _N_WINDOW_SPIKES // n_spikes).bit_length()
    # In windows that are nearly empty, going through the trains would take the time.
    if uses_kernels(n_spikes, N_SPIKES_COMPILED) and n_bits <= _N_WINDOW_BITS[1]:
        return merge_by_windows(samples, starts, counts, low=low, high=high, unit_dtype=unit_dtype)
    return merge_by_sorting(samples, starts, counts, low=low, high=high, unit_dtype=unit_dtype)


def merge_by_windows(
    samples: NDArray[np.int64],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    *,
    low: int,
    high: int,
    unit_dtype: DTypeLike = np.int32,
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Do what `merge_trains` does by compiled code, side by side on threads.

    Parameters
    ----------
    samples, starts, counts : ndarray
        See `merge_trains`.
    low, high : int
        All samples lie in ``[low, high)``.
    unit_dtype : dtype, default int32
        See `merge_trains`.

    Returns
    -------
    sample_index, unit_index : ndarray of shape (n_spikes,)
        See `merge_trains`.

    Examples
    --------
    >>> trains = (np.array([3, 9, 3, 7]), np.array([0, 2]), np.array([2, 2]))
    >>> merge_by_windows(*trains, low=0, high=10)[0]
    array([3, 3, 7, 9])
    """
    # Late: numba is slow to import.
    from spikeloom.kernels import merge_trains as kernels  # noqa: PLC0415

    n_spikes = int(counts.sum())
    n_bits = (max(1, high - low) * _N_WINDOW_SPIKES // max(1, n_spikes)).bit_length()
    n_bits = min(max(n_bits, _N_WINDOW_BITS[0]), _N_WINDOW_BITS[1])
    sample_index, unit_index = np.empty(n_spikes, np.int64), np.empty(n_spikes, unit_dtype)
    n_parts = _N_PARTS if n_spikes >= _N_PARALLEL_SPIKES else 1
    n_part = -(-max(1, high - low) // n_parts)

    def merge_part(begin: int) -> None:
        end = min(begin + n_part, high)
        kernels.merge_trains(samples, starts, counts, begin, end, n_bits, sample_index, unit_index)

    map_items(merge_part, range(low, high, n_part))
    return sample_index, unit_index


def merge_by_sorting(
    samples: NDArray[np.int64],
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    *,
    low: int,
    high: int,
    unit_dtype: DTypeLike = np.int32,
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Do what `merge_trains` does by numpy alone.

    Parameters
    ----------
    samples, starts, counts : ndarray
        See `merge_trains`.
    low, high : int
        All samples lie in ``[low, high)``.
    unit_dtype : dtype, default int32
        See `merge_trains`.

    Returns
    -------
    sample_index, unit_index : ndarray of shape (n_spikes,)
        See `merge_trains`.

    Examples
    --------
    >>> trains = (np.array([3, 9, 3, 7]), np.array([0, 2]), np.array([2, 2]))
    >>> merge_by_sorting(*trains, low=0, high=10)[1]
    array([0, 1, 1, 0], dtype=int32)
    """
    order = np.argsort(starts, kind="stable")
    n_each = counts[order]
    units = np.repeat(order, n_each)
    gaps = starts[order] - offsets_of(n_each)[:-1]
    places = np.repeat(gaps, n_each) + np.arange(units.size) if gaps.any() else slice(units.size)
    keys = np.array(samples[places])
    n_unit_bits = int(counts.size).bit_length()
    if (high - low).bit_length() + n_unit_bits > _N_KEY_BITS:
        order = np.lexsort((units, keys))
        return keys[order], units[order].astype(unit_dtype)
    keys -= low
    keys <<= n_unit_bits
    keys |= units
    # A stable sort finds what is in order already, and merges it; the more in parts on threads.
    if keys.size >= _N_PARALLEL_SPIKES:
        parts = np.array_split(keys, 2)
        map_items(lambda part: part.sort(kind="stable"), parts)
    keys.sort(kind="stable")
    unit_index = (keys & ((1 << n_unit_bits) - 1)).astype(unit_dtype)
    keys >>= n_unit_bits
    keys += low
    return keys, unit_index
