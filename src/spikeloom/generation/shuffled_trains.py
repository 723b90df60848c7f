"""Random spike trains with correlograms that are not flat: half of the spikes follow others.

As in `spikeloom.generation.drawn_trains`, compiled code and numpy draw the same spikes.
"""

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.spike_vector import offsets_of, uses_kernels
from spikeloom.core.train_merging import N_SPIKES_COMPILED
from spikeloom.generation.drawn_trains import DrawnTrains, even_samples, map_units
from spikeloom.generation.exponential_draws import random_words

# As in `spikeloom.kernels.random_trains`:
_SHUFFLE_PERIODS = 20.0
_N_PURPOSES = 4
_PER_WORD = 2.0**-32


def draw_shuffled_trains(
    n_spikes: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_samples: int,
    keys: NDArray[np.uint32],
) -> DrawnTrains:
    """Draw spikes evenly, move half of them, and drop those that are too close or too many.

    Parameters
    ----------
    n_spikes : ndarray of shape (n_units,)
        Number of spikes of each unit, at most.
    refractory : ndarray of shape (n_units,)
        Least interval of each unit, in samples. Spikes are moved by 1 to 20 of them.
    n_samples : int
        Spikes lie in ``[0, n_samples)``.
    keys : ndarray of shape (2,) and dtype uint32
        From `stream_keys`.

    Examples
    --------
    >>> n_spikes, keys = np.array([3, 40]), np.array([3, 4], np.uint32)
    >>> drawn = draw_shuffled_trains(n_spikes, np.array([5, 6]), 9000, keys)
    >>> drawn.counts, int(np.diff(drawn.train(1)).min()) >= 6
    (array([ 3, 40]), True)
    """
    compiled = uses_kernels(int(n_spikes.sum()), N_SPIKES_COMPILED)
    draw = shuffled_trains_compiled if compiled else shuffled_trains_plain
    return draw(n_spikes, refractory, n_samples, keys)


def shuffled_trains_compiled(
    n_spikes: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_samples: int,
    keys: NDArray[np.uint32],
) -> DrawnTrains:
    """Do what `draw_shuffled_trains` does by compiled code.

    Examples
    --------
    >>> ones, keys = np.ones(1, np.int64), np.array([3, 4], np.uint32)
    >>> shuffled_trains_compiled(9 * ones, 5 * ones, 9000, keys).counts
    array([9])
    """
    # Late: numba is slow to import.
    from spikeloom.kernels.random_trains import fill_shuffled_trains  # noqa: PLC0415

    offsets = offsets_of(_n_draws(n_spikes))
    samples = np.empty(offsets[-1], np.int64)
    units, counts = np.arange(n_spikes.size), np.zeros(n_spikes.size, np.int64)

    def draw(part: slice, ends: slice) -> None:
        fill_shuffled_trains(
            units[part],
            n_spikes[part],
            refractory[part],
            n_samples,
            keys,
            offsets[ends],
            samples,
            counts[part],
        )

    map_units(draw, units.size, samples.size)
    return DrawnTrains(samples, offsets[:-1], counts)


def shuffled_trains_plain(
    n_spikes: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_samples: int,
    keys: NDArray[np.uint32],
) -> DrawnTrains:
    """Do what `draw_shuffled_trains` does by numpy.

    Examples
    --------
    >>> ones, keys = np.ones(1, np.int64), np.array([3, 4], np.uint32)
    >>> shuffled_trains_plain(9 * ones, 5 * ones, 9000, keys).counts
    array([9])
    """
    columns = (n_spikes.tolist(), refractory.tolist(), _n_draws(n_spikes).tolist())
    trains = [np.zeros(0, np.int64)]
    for unit, (n_wanted, period, n_draws) in enumerate(zip(*columns, strict=True)):
        first = unit * _N_PURPOSES
        n_moved = n_draws // 2
        n_still = n_draws - n_moved
        even = even_samples(
            np.array([first, first + 1]),
            np.array([n_still, n_moved]),
            np.full(2, max(1, n_samples)),
            2 * (n_still // 2 + 1),
            keys,
        )
        still, moved = even[0, :n_still], even[1, :n_moved]
        shares = random_words(first + 2, n_moved, keys) * _PER_WORD
        moved += (period * (1.0 + (_SHUFFLE_PERIODS - 1.0) * (shares * shares))).astype(np.int64)
        # Both are nearly in order, which a stable sort finds.
        train = np.sort(np.concatenate([still, moved]), kind="stable")
        is_kept = train < n_samples
        is_kept[1:] &= np.diff(train) >= max(period, 1)
        train = train[is_kept]
        if train.size > n_wanted:
            left_out = _some_places(first + 3, train.size, train.size - n_wanted, keys)
            is_kept = np.ones(train.size, np.bool_)
            is_kept[left_out] = False
            train = train[is_kept]
        trains.append(train)
    counts = np.array([train.size for train in trains[1:]], np.int64)
    return DrawnTrains(np.concatenate(trains), offsets_of(counts)[:-1], counts)


def _n_draws(n_spikes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of how many spikes enough are left."""
    return np.asarray(n_spikes + 10 * np.sqrt(n_spikes), np.int64)


def _some_places(
    stream: int, n_all: int, n_wanted: int, keys: NDArray[np.uint32]
) -> NDArray[np.int64]:
    """Return the first different ones of an endless row of random places."""
    n_words = n_wanted + n_wanted // 4 + 16
    drawn_at = np.empty(n_all, np.int64)
    while True:
        words = random_words(stream, n_words, keys).astype(np.uint64)
        places = ((words * np.uint64(n_all)) >> np.uint64(32)).astype(np.int64)
        # Of several the last one is assigned, which here is the one that was drawn first.
        drawn_at[places[::-1]] = np.arange(n_words)[::-1]
        different: NDArray[np.int64] = places[drawn_at[places] == np.arange(n_words)]
        if different.size >= n_wanted:
            return different[:n_wanted]
        n_words *= 2
