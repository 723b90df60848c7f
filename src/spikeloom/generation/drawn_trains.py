"""Random spike trains of many units at once, by compiled code or by numpy: the same spikes.

Each number is worked out of the unit and its place in the train (see
`spikeloom.kernels.exponential_numbers`), so a unit can be drawn alone, and on any thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.spike_vector import offsets_of, uses_kernels
from spikeloom.core.train_merging import N_SPIKES_COMPILED
from spikeloom.engine.executor import map_items
from spikeloom.generation.exponential_draws import exponential_numbers

R = TypeVar("R")

_N_PARALLEL_SPIKES = 1 << 18  # fewer are drawn before a thread has woken up
_N_PARTS = 8  # how many parts threads share, to be done at about the same time
_N_TOGETHER = 1 << 15  # numbers that numpy works on at once, in the processor's cache
_SCALE_MAX = 2.0**50  # samples: so long a rest that no sum of a few overflows
_FIXED_POINT = 2.0**32  # as in `spikeloom.kernels.random_trains`


@dataclass(frozen=True, slots=True, eq=False)
class DrawnTrains:
    """Spike trains of several units, in one array."""

    samples: NDArray[np.int64]
    """Samples of the spikes, increasing within a train; there may be gaps between trains."""
    starts: NDArray[np.int64]
    """Where each train begins; shape (n_units,)."""
    counts: NDArray[np.int64]
    """How many spikes each has; shape (n_units,)."""

    def train(self, k: int) -> NDArray[np.int64]:
        """Return the samples of a train, a view."""
        return self.samples[self.starts[k] : self.starts[k] + self.counts[k]]


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """How long units wait between two spikes."""

    refractory: NDArray[np.int64]
    """Least interval of each unit, in samples; shape (n_units,)."""
    scales: NDArray[np.float64]
    """Scale of the exponential numbers that, rounded down, are what it waits beyond that."""

    def of_units(self, units: NDArray[np.int64]) -> "Intervals":
        """Return the intervals of some units."""
        return Intervals(self.refractory[units], self.scales[units])


def intervals_of_rates(
    rates_hz: NDArray[np.float64], refractory_ms: NDArray[np.float64], sampling_frequency: float
) -> Intervals:
    """Return intervals that are the refractory period at least, and make up a rate on the average.

    Parameters
    ----------
    rates_hz, refractory_ms : ndarray of shape (n_units,)
        Rates are positive.
    sampling_frequency : float
        In Hz.

    Examples
    --------
    >>> intervals = intervals_of_rates(np.array([50.0]), np.array([4.0]), 30_000.0)
    >>> intervals.refractory, intervals.scales.round(2)
    (array([120]), array([480.5]))
    """
    refractory = np.ceil(refractory_ms * (sampling_frequency / 1000)).astype(np.int64)
    rests = np.maximum(sampling_frequency / rates_hz - refractory, 1e-9)
    # An exponential number rounded down is a geometric one; this is the scale for its mean.
    return Intervals(refractory, np.minimum(1 / np.log1p(1 / rests), _SCALE_MAX))


def draw_renewal_trains(
    units: NDArray[np.int64], intervals: Intervals, n_samples: int, keys: NDArray[np.uint32]
) -> DrawnTrains:
    """Draw trains of independent intervals.

    Parameters
    ----------
    units : ndarray of shape (n_units,)
        What the numbers of each are drawn for: the same unit has the same train.
    intervals : Intervals
        Of these units.
    n_samples : int
        Spikes lie in ``[0, n_samples)``.
    keys : ndarray of shape (2,) and dtype uint32
        From `stream_keys`.

    Examples
    --------
    >>> intervals = intervals_of_rates(np.full(9, 50.0), np.full(9, 4.0), 30_000.0)
    >>> keys = np.array([3, 4], np.uint32)
    >>> drawn = draw_renewal_trains(np.arange(9), intervals, 300_000, keys)
    >>> 350 < int(drawn.counts.min()), int(np.diff(drawn.train(2)).min()) >= 120
    (True, True)
    """
    means = intervals.refractory + intervals.scales
    n_expected = n_samples / means
    # Six standard deviations more, which hardly ever is too few. Numbers are drawn in pairs.
    n_room = 2 * ((n_expected + 6 * np.sqrt(n_expected)).astype(np.int64) // 2 + 16)
    compiled = uses_kernels(int(n_room.sum()), N_SPIKES_COMPILED)
    draw = renewal_trains_compiled if compiled else renewal_trains_plain
    while (drawn := draw(units, intervals, n_samples, keys=keys, n_room=n_room)) is None:
        n_room = 2 * n_room
    return drawn


def renewal_trains_compiled(
    units: NDArray[np.int64],
    intervals: Intervals,
    n_samples: int,
    *,
    keys: NDArray[np.uint32],
    n_room: NDArray[np.int64],
) -> DrawnTrains | None:
    """Do what `draw_renewal_trains` does by compiled code; None if `n_room` is too few spikes.

    Examples
    --------
    >>> rates, keys = intervals_of_rates(np.ones(1), np.ones(1), 1e4), np.array([3, 4], np.uint32)
    >>> renewal_trains_compiled(np.arange(1), rates, 300_000, keys=keys, n_room=np.array([2]))
    """
    # Late: numba is slow to import.
    from spikeloom.kernels.random_trains import fill_renewal_trains  # noqa: PLC0415

    offsets = offsets_of(n_room)
    samples = np.empty(offsets[-1], np.int64)
    counts = np.zeros(units.size, np.int64)

    def draw(part: slice, ends: slice) -> bool:
        return fill_renewal_trains(
            units[part],
            intervals.refractory[part],
            intervals.scales[part],
            n_samples,
            keys,
            offsets[ends],
            samples,
            counts[part],
        )

    have_room = map_units(draw, units.size, samples.size)
    return DrawnTrains(samples, offsets[:-1], counts) if all(have_room) else None


def renewal_trains_plain(
    units: NDArray[np.int64],
    intervals: Intervals,
    n_samples: int,
    *,
    keys: NDArray[np.uint32],
    n_room: NDArray[np.int64],
) -> DrawnTrains | None:
    """Do what `draw_renewal_trains` does by numpy; None if `n_room` is too few spikes.

    Examples
    --------
    >>> rates, keys = intervals_of_rates(np.ones(1), np.ones(1), 1e4), np.array([3, 4], np.uint32)
    >>> renewal_trains_plain(np.arange(1), rates, 300_000, keys=keys, n_room=np.array([2]))
    """
    starts, counts = np.zeros((2, units.size), np.int64)
    parts = [np.zeros(0, np.int64)]
    n_before = 0
    for trains, n_drawn in _alike(n_room):
        rests = exponential_numbers(units[trains], n_drawn, keys).astype(np.float64)
        rests *= intervals.scales[trains, None]
        samples = rests.astype(np.int64)
        refractory = intervals.refractory[trains, None]
        samples += refractory
        np.cumsum(samples, axis=1, out=samples)
        samples -= refractory
        is_inside = samples < n_samples
        if is_inside[:, -1].any():
            return None
        counts[trains] = np.count_nonzero(is_inside, axis=1)
        starts[trains] = n_before + offsets_of(counts[trains])[:-1]
        parts.append(samples[is_inside])
        n_before += parts[-1].size
    return DrawnTrains(np.concatenate(parts), starts, counts)


def map_units(draw: Callable[[slice, slice], R], n_units: int, n_spikes: int) -> list[R]:
    """Call `draw` for some units at a time, on threads if there are enough spikes.

    Parameters
    ----------
    draw : callable
        Takes a slice of units, and that of the offsets where their spikes begin and the last end.
    n_units : int
        Number of units.
    n_spikes : int
        For how many spikes there is room.

    Examples
    --------
    >>> map_units(lambda units, ends: (units.start, ends.stop), 3, 90)
    [(0, 4)]
    """
    n_parts = _N_PARTS if n_spikes >= _N_PARALLEL_SPIKES else 1
    n_part = max(1, -(-n_units // n_parts))

    def draw_part(begin: int) -> R:
        return draw(slice(begin, begin + n_part), slice(begin, begin + n_part + 1))

    return map_items(draw_part, range(0, n_units, n_part))


def draw_even_trains(
    n_spikes: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_samples: int,
    keys: NDArray[np.uint32],
) -> DrawnTrains:
    """Draw trains of a known number of spikes, spread evenly but for refractory periods.

    Parameters
    ----------
    n_spikes : ndarray of shape (n_units,)
        Number of spikes of each unit.
    refractory : ndarray of shape (n_units,)
        Least interval of each unit, in samples.
    n_samples : int
        Spikes lie in ``[0, n_samples)``, if there is room.
    keys : ndarray of shape (2,) and dtype uint32
        From `stream_keys`.

    Examples
    --------
    >>> n_spikes, keys = np.array([3, 40]), np.array([3, 4], np.uint32)
    >>> drawn = draw_even_trains(n_spikes, np.array([5, 6]), 300, keys)
    >>> drawn.counts, int(np.diff(drawn.train(1)).min()) >= 6, int(drawn.train(1).max()) < 300
    (array([ 3, 40]), True, True)
    """
    # Without the refractory periods between spikes, any arrangement will do.
    n_free = np.maximum(1, n_samples - np.maximum(0, n_spikes - 1) * refractory)
    compiled = uses_kernels(int(n_spikes.sum()), N_SPIKES_COMPILED)
    draw = even_trains_compiled if compiled else even_trains_plain
    return draw(n_spikes, refractory, n_free, keys)


def even_trains_compiled(
    n_spikes: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_free: NDArray[np.int64],
    keys: NDArray[np.uint32],
) -> DrawnTrains:
    """Do what `draw_even_trains` does by compiled code, in `n_free` samples of each unit.

    Examples
    --------
    >>> drawn = even_trains_compiled(
    ...     np.array([2]), np.array([5]), np.array([90]), np.array([3, 4], np.uint32)
    ... )
    >>> drawn.counts
    array([2])
    """
    # Late: numba is slow to import.
    from spikeloom.kernels.random_trains import fill_even_trains  # noqa: PLC0415

    offsets = offsets_of(n_spikes)
    samples = np.empty(offsets[-1], np.int64)
    units = np.arange(n_spikes.size)

    def draw(part: slice, ends: slice) -> None:
        fill_even_trains(units[part], refractory[part], n_free[part], keys, offsets[ends], samples)

    map_units(draw, units.size, samples.size)
    return DrawnTrains(samples, offsets[:-1], n_spikes)


def even_trains_plain(
    n_spikes: NDArray[np.int64],
    refractory: NDArray[np.int64],
    n_free: NDArray[np.int64],
    keys: NDArray[np.uint32],
) -> DrawnTrains:
    """Do what `draw_even_trains` does by numpy, in `n_free` samples of each unit.

    Examples
    --------
    >>> drawn = even_trains_plain(
    ...     np.array([2]), np.array([5]), np.array([90]), np.array([3, 4], np.uint32)
    ... )
    >>> drawn.counts
    array([2])
    """
    starts = np.zeros(n_spikes.size, np.int64)
    parts = [np.zeros(0, np.int64)]
    n_before = 0
    n_room = 2 * (n_spikes // 2 + 1)  # one more than spikes at least, in pairs
    for trains, n_drawn in _alike(n_room):
        samples = even_samples(trains, n_spikes[trains], n_free[trains], n_drawn, keys)
        order = np.arange(n_drawn)
        samples += order * refractory[trains, None]
        starts[trains] = n_before + offsets_of(n_spikes[trains])[:-1]
        parts.append(samples[order < n_spikes[trains, None]])
        n_before += parts[-1].size
    return DrawnTrains(np.concatenate(parts), starts, n_spikes)


def even_samples(
    units: NDArray[np.int64],
    n_spikes: NDArray[np.int64],
    n_free: NDArray[np.int64],
    n_drawn: int,
    keys: NDArray[np.uint32],
) -> NDArray[np.int64]:
    """Return spikes anywhere in `n_free` samples, in order, of some units by numpy.

    Parameters
    ----------
    units, n_spikes, n_free : ndarray of shape (n_units,)
        What numbers are drawn for, and how many spikes in how many samples.
    n_drawn : int
        Even, and more than any of `n_spikes`.
    keys : ndarray of shape (2,) and dtype uint32
        From `stream_keys`.

    Returns
    -------
    ndarray of shape (n_units, n_drawn) and dtype int64
        The first `n_spikes` of each row count.

    Examples
    --------
    >>> one, keys = np.ones(1, np.int64), np.array([3, 4], np.uint32)
    >>> even_samples(one, 3 * one, 90 * one, 4, keys).shape
    (1, 4)
    """
    rests = exponential_numbers(units, n_drawn, keys).astype(np.float64)
    rests *= _FIXED_POINT
    totals = rests.astype(np.int64)
    np.cumsum(totals, axis=1, out=totals)
    whole = np.take_along_axis(totals, n_spikes[:, None], axis=1).astype(np.float64)
    shares = totals.astype(np.float64)
    shares /= whole
    room = n_free[:, None]
    shares *= room.astype(np.float64)
    return np.minimum(shares.astype(np.int64), room - 1)


def _alike(n_room: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield groups of trains for which about as many numbers are drawn, and how many at most."""
    order = np.argsort(n_room, kind="stable")
    begin = 0
    while begin < order.size:
        n_drawn = n_room[order[begin:]]
        # Each row is as long as the last one, which is the longest.
        n_together = np.arange(1, n_drawn.size + 1) * n_drawn <= _N_TOGETHER
        n_rows = max(1, int(np.count_nonzero(n_together & (n_drawn <= 2 * n_drawn[0]))))
        yield order[begin : begin + n_rows], int(n_drawn[n_rows - 1])
        begin += n_rows
