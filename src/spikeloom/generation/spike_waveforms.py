"""What the spike of a made-up neuron looks like over time: three exponential phases, smoothed.

The potential falls to its trough (depolarisation), rises above rest (repolarisation) and comes back
(recovery). The waveform is worked out on a fine grid of times, from which templates of any
sampling frequency read it at any delay; so its trough lies exactly where it should.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.core.spike_vector import uses_kernels
from spikeloom.errors import ParameterError

STEP_MS = 0.002
"""Of the grid, about. Reading it linearly is off by a two-thousandth of the trough at most."""

_N_VALUES_COMPILED = 1 << 27
"""From so many on, loading the compiler takes less than to read them by numpy."""

_SMOOTHING_REACH = 6.0  # standard deviations
_DEPOLARIZATION_TAU, _REPOLARIZATION_TAU, _RECOVERY_TAU = 0.2, 0.5, 0.5

Values = float | NDArray[np.float64]
"""A number, or one for each of several units; shape (n_units,)."""


@dataclass(frozen=True, slots=True, eq=False)
class SpikePhases:
    """Durations and heights of the phases of the spikes of one unit, or of several."""

    depolarization_ms: Values = 0.1
    """How long the potential falls."""
    repolarization_ms: Values = 0.6
    """How long it rises from the trough to the hump behind it."""
    recovery_ms: Values = 1.1
    """How long it comes back to rest."""
    negative_amplitude: Values = -1.0
    """Potential at the trough."""
    positive_amplitude: Values = 0.15
    """Potential at the hump."""
    smooth_ms: Values = 0.05
    """Standard deviation of the Gaussian that it is smoothed with."""

    def __post_init__(self) -> None:
        durations = (self.depolarization_ms, self.repolarization_ms, self.recovery_ms)
        if any(np.any(np.less_equal(each, 0)) for each in durations) or np.any(
            np.less(self.smooth_ms, 0)
        ):
            msg = f"{self} makes no sense: phases must be longer than 0, smoothing not negative."
            raise ParameterError(msg)

    def column(self, name: str) -> NDArray[np.float64]:
        """Return a field as a column, shape (n_units, 1), or (1, 1) of one number."""
        return np.asarray(getattr(self, name), np.float64).reshape(-1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class FineWaveforms:
    """The spikes of units on a fine grid of times; beyond the grid they are 0."""

    values: NDArray[np.floating]
    """Potentials; shape (n_units, n_values)."""
    troughs: NDArray[np.int64]
    """Which value is the trough of each unit, at time 0; shape (n_units,)."""
    step_ms: float
    """Step of the grid."""

    def at(self, times_ms: NDArray[np.float64], unit: int = 0) -> NDArray[np.float64]:
        """Return the potential of a unit at times relative to its trough, shaped like them."""
        values = self.values[unit]
        positions = times_ms / self.step_ms + self.troughs[unit]
        return np.asarray(np.interp(positions, np.arange(values.size), values), np.float64)


def delayed_waveforms(
    waveforms: FineWaveforms,
    delays_ms: NDArray[np.float64],
    *,
    n_before: int,
    n_samples: int,
    n_steps: int,
    gains: NDArray[np.floating] | None = None,
    out: NDArray[np.floating] | None = None,
) -> NDArray[np.floating]:
    """Return spikes on several channels, which they reach after different delays.

    Parameters
    ----------
    waveforms : FineWaveforms
        The spikes of units.
    delays_ms : ndarray of shape (n_units, n_channels)
        How much later each channel is.
    n_before : int
        Sample of the trough on a channel without a delay.
    n_samples : int
        Length of the waveforms.
    n_steps : int
        How many steps of the fine grid one sample is.
    gains : ndarray of shape (n_units, n_channels), optional
        Amplitude on each channel; 1 by default.
    out : ndarray of shape (n_units, n_samples, n_channels), optional
        Where to write them; a new array by default.

    Returns
    -------
    ndarray of shape (n_units, n_samples, n_channels)
        Of the number type of `waveforms` by default.

    Examples
    --------
    >>> waveforms = fine_waveforms(SpikePhases(), step_ms=1 / 600)
    >>> delays_ms = np.array([[0.0, 0.1]])
    >>> delayed_waveforms(waveforms, delays_ms, n_before=30, n_samples=120, n_steps=20).argmin(
    ...     axis=1
    ... )
    array([[30, 33]])
    """
    dtype = waveforms.values.dtype
    steps = delays_ms / waveforms.step_ms
    whole = np.floor(-steps)
    shares = (-steps - whole).astype(dtype)
    # Where, on the grid, the first sample of each channel is; n_steps apart are the next ones.
    first = whole.astype(np.int64) + waveforms.troughs[:, None] - n_steps * n_before
    n_left = max(0, -int(first.min(initial=0)))
    first += n_left
    n_units, n_values = waveforms.values.shape
    n_needed = max(n_left + n_values, int(first.max(initial=0)) + n_steps * n_samples + 1)
    n_rows = -(-n_needed // n_steps)
    grid = np.zeros((n_units, n_rows * n_steps), dtype)
    grid[:, n_left : n_left + n_values] = waveforms.values
    delayed = np.empty((n_units, n_samples, delays_ms.shape[1]), dtype) if out is None else out
    own_gains = np.ones(shares.shape, dtype) if gains is None else gains.astype(dtype)
    if delayed.dtype == dtype and uses_kernels(delayed.size, _N_VALUES_COMPILED):
        # Late: numba is slow to import.
        from spikeloom.kernels.delayed_waveforms import write_delayed  # noqa: PLC0415

        write_delayed(grid, first, shares, own_gains, n_steps, delayed)
        return delayed
    # What lies a sample apart is put side by side, so that each waveform is one stretch.
    by_step = np.ascontiguousarray(grid.reshape(n_units, n_rows, n_steps).swapaxes(1, 2))
    stretches = np.lib.stride_tricks.sliding_window_view(by_step, n_samples, axis=2)
    row, step = np.divmod(first, n_steps)
    next_row, next_step = np.divmod(first + 1, n_steps)
    # Unit by unit: new arrays of more would come from the system, page by page, each time.
    for unit in range(n_units):
        earlier = stretches[unit, step[unit], row[unit]]
        later = stretches[unit, next_step[unit], next_row[unit]]
        later -= earlier
        later *= shares[unit, :, None]
        earlier += later
        earlier *= own_gains[unit, :, None]
        delayed[unit] = earlier.T
    return delayed


def fine_waveforms(
    phases: SpikePhases, *, step_ms: float = STEP_MS, dtype: DTypeLike = "float64"
) -> FineWaveforms:
    """Work out the spikes of units on a fine grid of times, in numbers of 32 or 64 bits.

    Examples
    --------
    >>> waveforms = fine_waveforms(SpikePhases(recovery_ms=np.array([1.1, 1.2])))
    >>> waveforms.at(np.array([-5.0, 0.0, 5.0]), unit=1)
    array([ 0., -1.,  0.])
    """
    smooth_ms = phases.column("smooth_ms")
    margin_ms = _SMOOTHING_REACH * smooth_ms
    before_ms = float((phases.column("depolarization_ms") + margin_ms).max())
    after_ms = phases.column("repolarization_ms") + phases.column("recovery_ms") + margin_ms
    n_before = math.ceil(before_ms / step_ms) + 1
    n_values = n_before + math.ceil(float(after_ms.max()) / step_ms) + 2
    times_ms = (step_ms * (np.arange(n_values) - n_before)).astype(dtype)
    values = _phases_at(times_ms, n_before, phases)
    if np.any(smooth_ms > 0):
        # A Gaussian's spectrum is one, too. Zeros at both ends keep them from meeting.
        n_total = 1 << (n_values - 1).bit_length()
        turns = (2 * np.pi * np.fft.rfftfreq(n_total, step_ms)).astype(dtype)
        padded = np.zeros((len(values), n_total), dtype)
        padded[:, :n_values] = values
        spectrum = np.fft.rfft(padded)
        spectrum *= np.exp((-0.5 * smooth_ms**2).astype(dtype) * turns**2)
        values = np.fft.irfft(spectrum, n_total)[:, :n_values]
    # Smoothing lifts the trough and moves it a little to its slower side.
    troughs = np.abs(values).argmax(axis=1)
    peaks = np.abs(np.take_along_axis(values, troughs[:, None], axis=1))
    wanted = np.abs(phases.column("negative_amplitude"))
    values *= (wanted / np.maximum(peaks, 1e-30)).astype(dtype)
    values[:, [0, -1]] = 0.0
    return FineWaveforms(values, troughs, step_ms)


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
    return fine_waveforms(phases).at(times_ms).astype(dtype)


def window_times_ms(
    sampling_frequency: float, ms_before: float, ms_after: float
) -> NDArray[np.float64]:
    """Return the times of the samples of a template in ms, relative to its trough."""
    n_before = round(ms_before * sampling_frequency / 1000)
    n_after = round(ms_after * sampling_frequency / 1000)
    return 1000 * np.arange(-n_before, n_after) / sampling_frequency


def check_window(phases: SpikePhases, ms_before: float, ms_after: float) -> None:
    """Raise ParameterError if a spike does not fit into a window around its trough."""
    falls_ms = float(phases.column("depolarization_ms").max(initial=0.0))
    after_ms = phases.column("repolarization_ms") + phases.column("recovery_ms")
    returns_ms = float(after_ms.max(initial=0.0))
    if ms_before <= falls_ms or ms_after <= returns_ms:
        msg = (
            f"A spike that falls for {falls_ms:g} ms and comes back in {returns_ms:g} ms needs "
            f"more than that: ms_before={ms_before:g} is too short."
            if ms_before <= falls_ms
            else f"A spike that comes back to rest in {returns_ms:g} ms needs more than "
            f"ms_after={ms_after:g}: the window is too short."
        )
        raise ParameterError(msg)


def _phases_at(
    times_ms: NDArray[np.floating], n_before: int, phases: SpikePhases
) -> NDArray[np.floating]:
    """Return the potentials before smoothing; time 0, the trough, is ``times_ms[n_before]``."""
    dtype = times_ms.dtype
    low, high, fall_ms, rise_ms, recovery_ms = (
        phases.column(name).astype(dtype)
        for name in (
            "negative_amplitude",
            "positive_amplitude",
            "depolarization_ms",
            "repolarization_ms",
            "recovery_ms",
        )
    )
    before_ms, after_ms = times_ms[:n_before], times_ms[n_before:]
    n_units = max(each.size for each in (low, high, fall_ms, rise_ms, recovery_ms))
    values = np.empty((n_units, times_ms.size), dtype)
    # The fall speeds up, rise and recovery slow down.
    values[:, :n_before] = low * _exponential_share(1 + before_ms / fall_ms, _DEPOLARIZATION_TAU)
    rising = _exponential_share(1 - after_ms / rise_ms, _REPOLARIZATION_TAU)
    values[:, n_before:] = (low - high) * rising
    recovering = _exponential_share(1 - (after_ms - rise_ms) / recovery_ms, _RECOVERY_TAU)
    values[:, n_before:] += high * recovering
    return values


def _exponential_share(share: NDArray[np.floating], tau: float) -> NDArray[np.floating]:
    """Return 0 up to 0 and 1 from 1 on, between them growing by a factor of e every `tau`."""
    np.clip(share, 0, 1, out=share)
    share /= tau
    np.exp(share, out=share)
    share -= 1
    share /= math.expm1(1 / tau)
    return share
