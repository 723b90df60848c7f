"""When made-up units fire: at random, but never within their refractory period."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_building import sort_spikes
from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream
from spikeloom.generation.segment_lengths import segment_lengths
from spikeloom.generation.spike_trains import Firing, draw_poisson_train

_SHUFFLE_PERIODS = 20


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
    return [
        Firing(rate_hz, refractory_ms) if rate_hz != 0 else None
        for rate_hz, refractory_ms in zip(*columns, strict=True)
    ]


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
    trains = [
        draw_unit_train(firing, (0, unit), seed, n_samples, sampling_frequency)
        for unit, firing in enumerate(firings)
    ]
    return _merged(trains)


def draw_unit_train(
    firing: Firing | None,
    place: tuple[int, int],
    seed: int,
    n_samples: int,
    sampling_frequency: float,
) -> NDArray[np.int64]:
    """Draw the spikes of a unit; `place` is its segment and its index.

    Returns
    -------
    ndarray of shape (n_spikes,) and dtype int64
        In samples, increasing.

    Examples
    --------
    >>> train = draw_unit_train(Firing(5.0), (0, 3), 0, 300_000, 30_000.0)
    >>> 20 < train.size < 80
    True
    """
    if firing is None or n_samples == 0:
        return np.zeros(0, np.int64)
    stream = random_stream(seed, Purpose.SPIKE_TRAIN, *place)
    return draw_poisson_train(
        firing, stream, n_samples=n_samples, sampling_frequency=sampling_frequency
    )


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
    trains = []
    for unit, firing in enumerate(firings):
        stream = random_stream(seed, Purpose.UNIFORM_TRAIN, unit)
        if firing is None:
            trains.append(np.zeros(0, np.int64))
            continue
        period = math.ceil(firing.refractory_ms * sampling_frequency / 1000)
        n_spikes = int(firing.rate_hz * duration)
        if add_shift_shuffle:
            n_draws = int(n_spikes + 10 * math.sqrt(n_spikes))
            trains.append(_draw_shuffled_train(n_draws, period, n_samples, stream)[:n_spikes])
        else:
            trains.append(_draw_uniform_train(n_spikes, period, n_samples, stream))
    return _merged([np.sort(train) for train in trains])


def _draw_uniform_train(
    n_spikes: int, period: int, n_samples: int, stream: np.random.Generator
) -> NDArray[np.int64]:
    """Draw spikes evenly, all arrangements that keep a least interval being as likely."""
    # Without the refractory periods between spikes, any arrangement will do.
    n_free = n_samples - max(0, n_spikes - 1) * period
    train = np.sort(stream.integers(0, max(1, n_free), n_spikes))
    return train + period * np.arange(n_spikes)


def _draw_shuffled_train(
    n_draws: int, period: int, n_samples: int, stream: np.random.Generator
) -> NDArray[np.int64]:
    """Draw spikes evenly, move half of them, and drop those that are too close; in any order."""
    train = stream.integers(0, max(1, n_samples), n_draws)
    moved = stream.permutation(n_draws)[: n_draws // 2]
    periods = 1 + (_SHUFFLE_PERIODS - 1) * stream.random(moved.size) ** 2
    train[moved] += (period * periods).astype(np.int64)
    # One sample less: intervals of just the refractory period are fine.
    clean = clean_refractory_period(train[train < n_samples], max(0, period - 1))
    return stream.permutation(clean.astype(np.int64))


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
    train = np.sort(np.asarray(times))
    if train.size == 0:
        return train
    is_kept = np.ones(train.size, bool)
    is_kept[1:] = np.diff(train) > refractory_period
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


def _merged(trains: list[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the spikes of units in order of time, and the unit of each."""
    if not trains:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    samples = np.concatenate(trains)
    sizes = [train.size for train in trains]
    units = np.repeat(np.arange(len(trains), dtype=np.int32), sizes)
    sort_spikes(samples, units)
    return samples, units.astype(np.int64)
