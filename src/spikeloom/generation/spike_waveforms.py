"""What the spike of a made-up neuron looks like over time: three exponential phases, smoothed.

The potential falls to its trough (depolarisation), rises above rest (repolarisation) and comes back
(recovery). The waveform is worked out on a fine grid of times, from which templates of any
sampling frequency read it at any delay; so its trough lies exactly where it should.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import ParameterError

_STEP_MS = 0.002
"""Of the grid. Reading it linearly is off by a two-thousandth of the trough at most."""

_N_FRACTIONS = 64
"""Fractions of a sample at which a spike is worked out, to be read linearly in between."""

_SMOOTHING_REACH = 4.0
_DEPOLARIZATION_TAU, _REPOLARIZATION_TAU, _RECOVERY_TAU = 0.2, 0.5, 0.5


@dataclass(frozen=True, slots=True)
class SpikePhases:
    """Durations and heights of the phases of a spike."""

    depolarization_ms: float = 0.1
    """How long the potential falls."""
    repolarization_ms: float = 0.6
    """How long it rises from the trough to the hump behind it."""
    recovery_ms: float = 1.1
    """How long it comes back to rest."""
    negative_amplitude: float = -1.0
    """Potential at the trough."""
    positive_amplitude: float = 0.15
    """Potential at the hump."""
    smooth_ms: float = 0.05
    """Standard deviation of the Gaussian that it is smoothed with."""

    def __post_init__(self) -> None:
        durations = (self.depolarization_ms, self.repolarization_ms, self.recovery_ms)
        if min(durations) <= 0 or self.smooth_ms < 0:
            msg = f"{self} makes no sense: phases must be longer than 0, smoothing not negative."
            raise ParameterError(msg)


@dataclass(frozen=True, slots=True)
class FineWaveform:
    """A spike on a fine grid of times; beyond the grid it is 0."""

    values: NDArray[np.float64]
    """Potential; shape (n_values,)."""
    trough: int
    """Which value is the trough, at time 0."""

    def at(self, times_ms: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the potential at times relative to the trough, in an array of their shape."""
        positions = np.clip(times_ms / _STEP_MS + self.trough, 0, self.values.size - 1)
        lower = np.minimum(positions.astype(np.int64), self.values.size - 2)
        share = positions - lower
        here: NDArray[np.float64] = self.values[lower]
        return np.asarray(here + share * (self.values[lower + 1] - here))


def delayed_waveforms(
    waveform: FineWaveform, times_ms: NDArray[np.float64], delays_ms: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a spike on several channels, which it reaches after different delays.

    Parameters
    ----------
    waveform : FineWaveform
        The spike.
    times_ms : ndarray of shape (n_samples,)
        Times of the samples, evenly spaced.
    delays_ms : ndarray of shape (n_channels,)
        How much later each channel is.

    Returns
    -------
    ndarray of shape (n_channels, n_samples) and dtype float64

    Examples
    --------
    >>> waveform = fine_waveform(SpikePhases())
    >>> times_ms = np.arange(-30, 90) / 30
    >>> delayed_waveforms(waveform, times_ms, np.array([0.0, 0.1])).argmin(axis=1)
    array([30, 33])
    """
    step_ms = times_ms[1] - times_ms[0] if times_ms.size > 1 else 1.0
    delays = delays_ms / step_ms
    whole = np.floor(delays).astype(np.int64)
    positions = (delays - whole) * _N_FRACTIONS
    lower = np.minimum(positions.astype(np.int64), _N_FRACTIONS - 1)
    share = (positions - lower)[:, None]
    # The spike at a few fractions of a sample; each channel is cut out of two of them.
    latest = int(whole.max(initial=0))
    n_wide = times_ms.size + latest - int(whole.min(initial=0))
    fractions = np.arange(_N_FRACTIONS + 1)[:, None] / _N_FRACTIONS
    table = waveform.at(times_ms[0] + (np.arange(n_wide) - latest - fractions) * step_ms)
    cut = np.lib.stride_tricks.sliding_window_view(table, times_ms.size, axis=1)
    earlier = cut[lower, latest - whole]
    return np.asarray(earlier + share * (cut[lower + 1, latest - whole] - earlier))


def fine_waveform(phases: SpikePhases) -> FineWaveform:
    """Work out a spike on a fine grid of times.

    Examples
    --------
    >>> waveform = fine_waveform(SpikePhases())
    >>> waveform.at(np.array([-5.0, 0.0, 5.0]))
    array([ 0., -1.,  0.])
    """
    before_ms = phases.depolarization_ms + 1.5 * _SMOOTHING_REACH * phases.smooth_ms
    after_ms = (
        phases.repolarization_ms + phases.recovery_ms + 1.5 * (_SMOOTHING_REACH * phases.smooth_ms)
    )
    n_before, n_after = (int(np.ceil(span / _STEP_MS)) + 1 for span in (before_ms, after_ms))
    times_ms = np.asarray(_STEP_MS * np.arange(-n_before, n_after + 1), np.float64)
    values = _phases_at(times_ms, phases)
    if phases.smooth_ms > 0:
        reach = int(np.ceil(_SMOOTHING_REACH * phases.smooth_ms / _STEP_MS))
        offsets_ms = _STEP_MS * np.arange(-reach, reach + 1)
        window = np.exp(-0.5 * (offsets_ms / phases.smooth_ms) ** 2)
        values = _convolved(values, window / window.sum())
    # Smoothing lifts the trough and moves it a little to its slower side.
    trough = int(np.abs(values).argmax())
    values *= abs(phases.negative_amplitude) / max(abs(values[trough]), 1e-300)
    values[0] = values[-1] = 0.0
    return FineWaveform(values, trough)


def generate_single_fake_waveform(
    sampling_frequency: float | None = None,
    ms_before: float = 1.0,
    ms_after: float = 3.0,
    negative_amplitude: float = -1.0,
    positive_amplitude: float = 0.15,
    depolarization_ms: float = 0.1,
    repolarization_ms: float = 0.6,
    recovery_ms: float = 1.1,
    smooth_ms: float = 0.05,
    dtype: DTypeLike = "float32",
) -> NDArray[np.floating]:
    """Make the waveform of a spike on one channel.

    Parameters
    ----------
    sampling_frequency : float
        In Hz.
    ms_before, ms_after : float
        How much to make before and after the trough, in ms.
    negative_amplitude, positive_amplitude : float
        Potential at the trough and at the hump behind it.
    depolarization_ms, repolarization_ms, recovery_ms : float
        How long the potential falls, rises to the hump, and comes back to rest.
    smooth_ms : float
        Standard deviation of the Gaussian that it is smoothed with.
    dtype : dtype
        Number type of the result.

    Returns
    -------
    ndarray of shape (n_samples,)
        The trough is at sample ``round(ms_before * sampling_frequency / 1000)``.

    Raises
    ------
    ParameterError
        If no sampling frequency is given, or if the spike does not fit between `ms_before` and
        `ms_after`.

    Examples
    --------
    >>> waveform = generate_single_fake_waveform(30_000.0)
    >>> waveform.shape, int(waveform.argmin()), float(waveform.min())
    ((120,), 30, -1.0)
    """
    if sampling_frequency is None:
        msg = "generate_single_fake_waveform needs sampling_frequency=..., in Hz."
        raise ParameterError(msg)
    phases = SpikePhases(
        depolarization_ms=depolarization_ms,
        repolarization_ms=repolarization_ms,
        recovery_ms=recovery_ms,
        negative_amplitude=negative_amplitude,
        positive_amplitude=positive_amplitude,
        smooth_ms=smooth_ms,
    )
    check_window(phases, ms_before, ms_after)
    times_ms = window_times_ms(sampling_frequency, ms_before, ms_after)
    return fine_waveform(phases).at(times_ms).astype(dtype)


def window_times_ms(
    sampling_frequency: float, ms_before: float, ms_after: float
) -> NDArray[np.float64]:
    """Return the times of the samples of a template in ms, relative to its trough."""
    n_before = round(ms_before * sampling_frequency / 1000)
    n_after = round(ms_after * sampling_frequency / 1000)
    return 1000 * np.arange(-n_before, n_after) / sampling_frequency


def check_window(phases: SpikePhases, ms_before: float, ms_after: float) -> None:
    """Raise ParameterError if a spike does not fit into a window around its trough."""
    n_after_ms = phases.repolarization_ms + phases.recovery_ms
    if ms_before <= phases.depolarization_ms or ms_after <= n_after_ms:
        msg = (
            f"A spike that falls for {phases.depolarization_ms:g} ms and comes back in "
            f"{n_after_ms:g} ms needs more than that: ms_before={ms_before:g} is too short."
            if ms_before <= phases.depolarization_ms
            else f"A spike that comes back to rest in {n_after_ms:g} ms needs more than "
            f"ms_after={ms_after:g}: the window is too short."
        )
        raise ParameterError(msg)


def _phases_at(times_ms: NDArray[np.float64], phases: SpikePhases) -> NDArray[np.float64]:
    """Return the potential before smoothing at times relative to the trough."""
    low, high = phases.negative_amplitude, phases.positive_amplitude
    fall_ms, rise_ms = phases.depolarization_ms, phases.repolarization_ms
    end_ms = rise_ms + phases.recovery_ms
    values = np.zeros(times_ms.size)
    is_falling = (times_ms >= -fall_ms) & (times_ms < 0)
    is_rising = (times_ms >= 0) & (times_ms < rise_ms)
    is_recovering = (times_ms >= rise_ms) & (times_ms < end_ms)
    # The fall speeds up, rise and recovery slow down.
    share = 1 + times_ms[is_falling] / fall_ms
    values[is_falling] = low * _exponential_share(share, _DEPOLARIZATION_TAU)
    share = 1 - times_ms[is_rising] / rise_ms
    values[is_rising] = high + (low - high) * _exponential_share(share, _REPOLARIZATION_TAU)
    share = (end_ms - times_ms[is_recovering]) / phases.recovery_ms
    values[is_recovering] = high * _exponential_share(share, _RECOVERY_TAU)
    return values


def _exponential_share(share: NDArray[np.float64], tau: float) -> NDArray[np.float64]:
    """Return 0 at 0 and 1 at 1, growing by a factor of e every `tau`."""
    return np.asarray(np.expm1(share / tau) / np.expm1(1 / tau))


def _convolved(values: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a convolution of the same length, with zeros beyond the ends."""
    n_values = values.size
    n_total = 1 << (n_values + window.size - 2).bit_length()
    spectrum = np.fft.rfft(values, n_total) * np.fft.rfft(window, n_total)
    first = window.size // 2
    return np.fft.irfft(spectrum, n_total)[first : first + n_values].copy()
