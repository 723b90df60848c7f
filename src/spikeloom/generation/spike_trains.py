"""When neurons fire: at random, but never twice within their refractory period.

A train is a renewal process: intervals are independent. Those of a bursty neuron are drawn from
two distributions, a few milliseconds inside a burst and long between bursts.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

_BURST_INTERVAL_MS = 2.5
"""Mean of what an interval inside a burst adds to the refractory period."""

_FATIGUE_MS = 20.0
"""How long spikes stay small after a spike."""


@dataclass(frozen=True, slots=True)
class Firing:
    """How a neuron fires."""

    rate_hz: float
    """Mean number of spikes per second."""
    refractory_ms: float = 2.5
    """Least interval between spikes."""
    burst_share: float = 0.0
    """Share of intervals that lie inside a burst, from 0 to below 1."""

    def __post_init__(self) -> None:
        if self.rate_hz <= 0 or self.refractory_ms < 0 or not 0 <= self.burst_share < 1:
            msg = (
                f"{self} makes no sense: the rate must be positive, the refractory period not "
                "negative and the share of bursts between 0 and 1."
            )
            raise ParameterError(msg)
        if self.pause_ms <= 0:
            msg = (
                f"A neuron with a refractory period of {self.refractory_ms} ms cannot fire at "
                f"{self.rate_hz} Hz; lower rate_hz or refractory_ms."
            )
            raise ParameterError(msg)

    @property
    def pause_ms(self) -> float:
        """Mean of what an interval outside bursts adds to the refractory period."""
        mean_ms = 1000 / self.rate_hz - self.refractory_ms
        return (mean_ms - self.burst_share * _BURST_INTERVAL_MS) / (1 - self.burst_share)


def draw_spike_train(
    firing: Firing, stream: np.random.Generator, *, n_samples: int, sampling_frequency: float
) -> NDArray[np.int64]:
    """Draw the spikes of one neuron.

    Parameters
    ----------
    firing : Firing
        How the neuron fires.
    stream : numpy.random.Generator
        Random numbers, used up by the call.
    n_samples : int
        Length of the recording in samples.
    sampling_frequency : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_spikes,) and dtype int64
        Samples in ``[0, n_samples)``, increasing by the refractory period at least.

    Examples
    --------
    >>> stream = np.random.default_rng(0)
    >>> train = draw_spike_train(
    ...     Firing(rate_hz=50), stream, n_samples=300_000, sampling_frequency=30_000.0
    ... )
    >>> 350 < train.size < 650, int(np.diff(train).min()) >= 75
    (True, True)
    """
    per_ms = sampling_frequency / 1000

    def draw_rests(n_draws: int) -> NDArray[np.float64]:
        is_in_burst = stream.random(n_draws) < firing.burst_share
        mean_ms = np.where(is_in_burst, _BURST_INTERVAL_MS, firing.pause_ms)
        return stream.standard_exponential(n_draws) * mean_ms * per_ms

    refractory_samples = math.ceil(firing.refractory_ms * sampling_frequency / 1000)
    n_expected = firing.rate_hz * n_samples / sampling_frequency
    n_draws = int(n_expected + 5 * math.sqrt(n_expected)) + 16
    parts = []
    end = 0
    while end < n_samples:
        intervals = draw_rests(n_draws).astype(np.int64)
        intervals += refractory_samples
        part = np.cumsum(intervals, out=intervals)
        part += end
        parts.append(part)
        end = int(part[-1])
    train = np.concatenate(parts) if len(parts) > 1 else parts[0]
    train -= refractory_samples
    return train[: np.searchsorted(train, n_samples)]


def draw_clock_train(
    period_ms: float, stream: np.random.Generator, *, n_samples: int, sampling_frequency: float
) -> NDArray[np.int64]:
    """Draw events that come with ticks of a clock, one tick in eight, at most 0.1 ms off.

    Parameters
    ----------
    period_ms : float
        Time between ticks.
    stream : numpy.random.Generator
        Random numbers, used up by the call.
    n_samples : int
        Length of the recording in samples.
    sampling_frequency : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_events,) and dtype int64
        Samples in ``[0, n_samples)``, increasing.

    Examples
    --------
    >>> train = draw_clock_train(
    ...     20.0, np.random.default_rng(0), n_samples=300_000, sampling_frequency=30_000.0
    ... )
    >>> int((((train + 3) % 600) <= 6).sum()) == train.size
    True
    """
    period = period_ms * sampling_frequency / 1000
    ticks = np.flatnonzero(stream.random(math.ceil(n_samples / period)) < 1 / 8)
    jitter = 1e-4 * sampling_frequency * stream.uniform(-1, 1, ticks.size)
    return np.clip(np.rint(ticks * period + jitter), 0, n_samples - 1).astype(np.int64)


def burst_scales(
    train: NDArray[np.int64], *, fatigue: float, sampling_frequency: float
) -> NDArray[np.float64]:
    """Return how much smaller spikes are that follow closely on others, as in bursts.

    Parameters
    ----------
    train : ndarray of shape (n_spikes,) and dtype int64
        Spikes of one neuron, in samples, increasing.
    fatigue : float
        Share of the amplitude that is lost right after a spike.
    sampling_frequency : float
        In Hz.

    Returns
    -------
    ndarray of shape (n_spikes,) and dtype float64
        1 for a spike after a long pause.

    Examples
    --------
    >>> train = np.array([0, 90, 90_000])
    >>> burst_scales(train, fatigue=0.3, sampling_frequency=30_000.0).round(2)
    array([1.  , 0.74, 1.  ])
    """
    scales = np.ones(train.size)
    intervals_ms = 1000 * np.diff(train) / sampling_frequency
    scales[1:] -= fatigue * np.exp(-intervals_ms / _FATIGUE_MS)
    return scales
