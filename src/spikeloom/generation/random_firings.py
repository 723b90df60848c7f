"""When made-up units fire: at random, but never within their refractory period."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_building import sorted_times
from spikeloom.core.train_merging import merge_trains
from spikeloom.errors import ParameterError
from spikeloom.generation.drawn_trains import (
    DrawnTrains,
    draw_even_trains,
    draw_renewal_trains,
    intervals_of_rates,
)
from spikeloom.generation.random_streams import (
    Purpose,
    given_or_new_seed,
    random_stream,
    stream_keys,
)
from spikeloom.generation.segment_lengths import segment_lengths
from spikeloom.generation.shuffled_trains import draw_shuffled_trains
from spikeloom.generation.spike_trains import Firing


def unit_firings(
    firing_rates: ArrayLike, refractory_period_ms: ArrayLike, num_units: int, seed: int
) -> list[Firing | None]:
    """Return how each unit fires; None for one that never does.

    Parameters
    ----------
    firing_rates : float, array_like of shape (n_units,) or tuple of two floats
        Mean rates in Hz, or least and largest one to draw from.
    refractory_period_ms : float or array_like of shape (n_units,)
        In ms.
    num_units : int
        Number of units.
    seed : int
        What rates are drawn from.

    Raises
    ------
    ParameterError
        If there is not one value for each unit, or if a unit cannot fire at its rate.

    Examples
    --------
    >>> [firing.rate_hz for firing in unit_firings([3.0, 8.0], 4.0, 2, seed=0)]
    [3.0, 8.0]
    """
    if num_units < 0:
        msg = f"num_units={num_units} must not be negative."
        raise ParameterError(msg)
    rates: ArrayLike = firing_rates
    if isinstance(firing_rates, tuple):
        low_hz, high_hz = firing_rates
        rates = random_stream(seed, Purpose.FIRING_RATES).uniform(low_hz, high_hz, num_units)
    columns = []
    for name, values in (("firing_rates", rates), ("refractory_period_ms", refractory_period_ms)):
        array = np.asarray(values, np.float64)
        if array.ndim > 1 or (array.ndim == 1 and array.size != num_units):
            msg = f"{name} has shape {array.shape}; give one number, or {num_units} of them."
            raise ParameterError(msg)
        columns.append(np.broadcast_to(array, num_units).tolist())
    # Many units fire alike, and one check is enough for them.
    made: dict[tuple[float, float], Firing | None] = {}
    for how in zip(*columns, strict=True):
        if how not in made:
            made[how] = Firing(*how) if how[0] != 0 else None
    return [made[how] for how in zip(*columns, strict=True)]


def synthesize_poisson_spike_vector(
    num_units: int = 20,
    sampling_frequency: float = 30000.0,
    duration: float = 60.0,
    refractory_period_ms: ArrayLike = 4.0,
    firing_rates: ArrayLike = 3.0,
    seed: int | None = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw spikes of units that fire at a mean rate, with a refractory period.

    Intervals are the refractory period and an exponential rest, long enough for the mean rate
    (Deger, Helias, Boucsein and Rotter. J. Comput. Neurosci. 32, 2012.
    :doi:`10.1007/s10827-011-0362-8`).

    Parameters
    ----------
    num_units : int, default 20
        Number of units.
    sampling_frequency : float, default 30000.0
        In Hz.
    duration : float, default 60.0
        In seconds.
    refractory_period_ms : float or array_like of shape (n_units,), default 4.0
        Least interval between two spikes of a unit.
    firing_rates : float, array_like of shape (n_units,) or tuple of two floats, default 3.0
        Mean rates in Hz, or least and largest one to draw from.
    seed : int, default 0
        The same seed gives the same spikes; None is a new seed.

    Returns
    -------
    spike_frames : ndarray of shape (n_spikes,) and dtype int64
        In samples, in order.
    unit_indices : ndarray of shape (n_spikes,) and dtype int64
        Unit of each spike, from 0.

    Raises
    ------
    ParameterError
        If a unit cannot fire at its rate with its refractory period.

    Examples
    --------
    >>> frames, units = synthesize_poisson_spike_vector(2, duration=100.0, firing_rates=5.0)
    >>> 800 < frames.size < 1200, np.unique(units)
    (True, array([0, 1]))
    """
    seed = given_or_new_seed(seed)
    (n_samples,) = segment_lengths([duration], sampling_frequency)
    firings = unit_firings(firing_rates, refractory_period_ms, num_units, seed)
    return _merged(draw_trains(firings, seed, 0, n_samples, sampling_frequency))


def draw_trains(
    firings: Sequence[Firing | None],
    seed: int,
    segment_index: int,
    n_samples: int,
    sampling_frequency: float,
    *,
    first_unit: int = 0,
) -> DrawnTrains:
    """Draw the spikes of units in a segment; those of `first_unit` are of ``firings[0]``.

    Returns
    -------
    DrawnTrains
        A train for each of `firings`; one of None has no spikes.

    Examples
    --------
    >>> options = {"seed": 0, "segment_index": 0, "n_samples": 300_000, "sampling_frequency": 3e4}
    >>> both = draw_trains([Firing(5.0), Firing(8.0)], **options)
    >>> alone = draw_trains([Firing(8.0)], **options, first_unit=1)
    >>> bool((both.train(1) == alone.train(0)).all()), 20 < both.train(0).size < 80
    (True, True)
    """
    firing = [k for k, each in enumerate(firings) if each is not None]
    how = [(each.rate_hz, each.refractory_ms) for each in firings if each is not None]
    rates_hz, refractory_ms = np.array(how, np.float64).reshape(-1, 2).T
    drawn = draw_renewal_trains(
        np.array(firing, np.int64) + first_unit,
        intervals_of_rates(rates_hz, refractory_ms, sampling_frequency),
        n_samples,
        stream_keys(seed, Purpose.SPIKE_TRAIN, segment_index),
    )
    starts, counts = np.zeros((2, len(firings)), np.int64)
    starts[firing], counts[firing] = drawn.starts, drawn.counts
    return DrawnTrains(drawn.samples, starts, counts)


def synthesize_random_firings(
    num_units: int = 20,
    sampling_frequency: float = 30000.0,
    duration: float = 60,
    refractory_period_ms: float = 4.0,
    firing_rates: ArrayLike = 3.0,
    add_shift_shuffle: bool = False,
    seed: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw spikes of units, as many as their rates say, evenly over a duration.

    Parameters
    ----------
    num_units : int, default 20
        Number of units.
    sampling_frequency : float, default 30000.0
        In Hz.
    duration : float, default 60
        In seconds.
    refractory_period_ms : float, default 4.0
        Least interval between two spikes of a unit.
    firing_rates : float, array_like of shape (n_units,) or tuple of two floats, default 3.0
        Rates in Hz, or least and largest one to draw from.
    add_shift_shuffle : bool, default False
        Put half of the spikes 1 to 20 refractory periods later, so that autocorrelograms are not
        flat.
    seed : int, optional
        The same seed gives the same spikes; None is a new seed.

    Returns
    -------
    times : ndarray of shape (n_spikes,) and dtype int64
        In samples, in order.
    labels : ndarray of shape (n_spikes,) and dtype int64
        Unit of each spike, from 0.

    Raises
    ------
    ParameterError
        If an argument makes no sense.

    Examples
    --------
    >>> times, labels = synthesize_random_firings(3, duration=10.0, firing_rates=5.0, seed=0)
    >>> np.bincount(labels)
    array([50, 50, 50])
    """
    seed = given_or_new_seed(seed)
    (n_samples,) = segment_lengths([duration], sampling_frequency)
    firings = unit_firings(firing_rates, refractory_period_ms, num_units, seed)
    n_spikes, refractory = np.zeros((2, num_units), np.int64)
    for unit, firing in enumerate(firings):
        if firing is not None:
            n_spikes[unit] = int(firing.rate_hz * duration)
            refractory[unit] = math.ceil(firing.refractory_ms * sampling_frequency / 1000)
    if add_shift_shuffle:
        keys = stream_keys(seed, Purpose.UNIFORM_TRAIN, 0)
        return _merged(draw_shuffled_trains(n_spikes, refractory, n_samples, keys))
    keys = stream_keys(seed, Purpose.UNIFORM_TRAIN)
    return _merged(draw_even_trains(n_spikes, refractory, n_samples, keys))


def clean_refractory_period(times: ArrayLike, refractory_period: float) -> NDArray[np.number]:
    """Remove spikes that follow another one within the refractory period.

    Spikes are removed that are too close to the one before them, until there are none. Once is
    enough: what is left was far enough from its former neighbour, and its new one is earlier.

    Parameters
    ----------
    times : array_like of shape (n_spikes,)
        Times of the spikes of one unit, in any unit and order.
    refractory_period : float
        In the same unit. Intervals that are not longer are too short.

    Returns
    -------
    ndarray of shape (n_kept,)
        In order.

    Examples
    --------
    >>> clean_refractory_period(np.array([10, 0, 12, 30]), 5)
    array([ 0, 10, 30])
    """
    train = sorted_times(times)
    is_kept = np.ones(train.size, np.bool_)
    np.greater(train[1:] - train[:-1], refractory_period, out=is_kept[1:])
    return train[is_kept]


def synthetize_spike_train_bad_isi(
    duration: float, baseline_rate: float, num_violations: int, violation_delta: float = 1e-5
) -> NDArray[np.float64]:
    """Make a regular spike train with some spikes that follow others too closely.

    Parameters
    ----------
    duration : float
        In seconds.
    baseline_rate : float
        Spikes per second of the regular train.
    num_violations : int
        Number of spikes that are added, each after one of the first.
    violation_delta : float, default 1e-5
        How much later they are, in seconds.

    Returns
    -------
    ndarray of shape (n_spikes,) and dtype float64
        Times in seconds, increasing.

    Raises
    ------
    ParameterError
        If the duration or the rate is not positive.

    Examples
    --------
    >>> synthetize_spike_train_bad_isi(1.0, 4.0, 1, 0.001)
    array([0.25 , 0.251, 0.5  , 0.75 , 1.   ])
    """
    if duration <= 0 or baseline_rate <= 0:
        msg = f"duration={duration} and baseline_rate={baseline_rate} must be positive."
        raise ParameterError(msg)
    regular = np.arange(1, int(duration * baseline_rate) + 1) / baseline_rate
    added = regular[: int(num_violations)] + violation_delta
    return np.sort(np.concatenate([regular, added[added < duration]]))


def _merged(trains: DrawnTrains) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the spikes of units in order of time, and the unit of each."""
    return merge_trains(trains.samples, trains.starts, trains.counts, unit_dtype=np.int64)
