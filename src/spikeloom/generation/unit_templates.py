"""What the spike of a neuron looks like on each channel of a probe.

Near the cell body an extracellular spike is a sharp trough of about 0.2 ms, often after a small
positive bump, always before a slower and smaller positive wave. With distance it loses
amplitude, arrives later and grows broader (Gold, Henze, Koch and Buzsáki. J. Neurophysiol. 95,
2006. :doi:`10.1152/jn.00979.2005`). Here it is a sum of three Gaussians.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, random_stream

N_WINDOW_SAMPLES = 82
"""Length of a template in samples; its trough is at sample ``N_WINDOW_SAMPLES // 2``."""

_FRINGE_UM = 8.0
_PROPAGATION_UM_PER_MS = 600.0
_BROADENING_PER_UM = 0.004
_TAPER_MS = 0.35


@dataclass(frozen=True, slots=True)
class SpikeShape:
    """Waveform of one neuron at its nearest channel; the trough is one unit deep."""

    trough_ms: float
    """Standard deviation of the trough."""
    before: float
    """Height of the bump before the trough."""
    before_ms: float
    """How long before the trough it peaks."""
    after: float
    """Height of the wave after the trough."""
    after_ms: float
    """How long after the trough it peaks."""
    reach_um: float
    """Distance over which the amplitude falls to 1 / e."""


def draw_unit_positions(
    channel_positions: NDArray[np.float64], n_units: int, *, seed: int
) -> NDArray[np.float64]:
    """Place neurons along a probe, spread evenly but not regularly.

    Parameters
    ----------
    channel_positions : ndarray of shape (n_channels, 2)
        In um.
    n_units : int
        Number of neurons.
    seed : int
        Seed of the dataset.

    Returns
    -------
    ndarray of shape (n_units, 3) and dtype float64
        Across the probe, along it, and in front of it, in um; in no order.

    Examples
    --------
    >>> draw_unit_positions(np.array([[0.0, 0.0], [0.0, 20.0]]), 4, seed=0).shape
    (4, 3)
    """
    stream = random_stream(seed, Purpose.UNIT_POSITIONS)
    low, high = channel_positions.min(axis=0), channel_positions.max(axis=0)
    share = (np.arange(n_units) + stream.uniform(0.1, 0.9, n_units)) / n_units
    across_um = stream.uniform(low[0] - _FRINGE_UM, high[0] + _FRINGE_UM, n_units)
    along_um = low[1] + share * (high[1] - low[1])
    in_front_um = stream.uniform(12.0, 30.0, n_units)
    positions = np.column_stack([across_um, along_um, in_front_um])
    return np.asarray(stream.permutation(positions))


def draw_spike_shapes(n_units: int, *, seed: int) -> list[SpikeShape]:
    """Draw the waveforms of neurons: most broad, as of pyramidal cells, a third narrow.

    Parameters
    ----------
    n_units : int
        Number of neurons.
    seed : int
        Seed of the dataset.

    Returns
    -------
    list of SpikeShape
        One for each neuron.

    Examples
    --------
    >>> len(draw_spike_shapes(5, seed=0))
    5
    """
    stream = random_stream(seed, Purpose.UNIT_WAVEFORMS)
    shapes = []
    for _ in range(n_units):
        is_narrow = stream.random() < 1 / 3
        shapes.append(
            SpikeShape(
                trough_ms=stream.uniform(0.065, 0.08) if is_narrow else stream.uniform(0.08, 0.11),
                before=stream.uniform(0.0, 0.22),
                before_ms=stream.uniform(0.24, 0.32),
                after=stream.uniform(0.3, 0.5) if is_narrow else stream.uniform(0.15, 0.35),
                after_ms=stream.uniform(0.28, 0.36) if is_narrow else stream.uniform(0.45, 0.65),
                reach_um=stream.uniform(22.0, 38.0),
            )
        )
    return shapes


def make_templates(
    channel_positions: NDArray[np.float64],
    unit_positions_um: NDArray[np.float64],
    shapes: list[SpikeShape],
    *,
    amplitudes_uV: NDArray[np.float64],
    sampling_frequency: float = 30_000.0,
) -> NDArray[np.float32]:
    """Compute the templates of neurons.

    Parameters
    ----------
    channel_positions : ndarray of shape (n_channels, 2)
        In um.
    unit_positions_um : ndarray of shape (n_units, 3)
        From `draw_unit_positions`.
    shapes : list of SpikeShape
        One for each unit.
    amplitudes_uV : ndarray of shape (n_units,)
        Depth of the trough on the nearest channel.
    sampling_frequency : float, default 30000.0
        In Hz.

    Returns
    -------
    ndarray of shape (n_units, n_samples, n_channels) and dtype float32
        In uV. The trough on the main channel is at sample ``n_samples // 2``; both ends are zero.

    Raises
    ------
    ParameterError
        If the arguments are for different numbers of units.

    Examples
    --------
    >>> channel_positions = np.array([[0.0, 0.0], [0.0, 40.0]])
    >>> units = np.array([[0.0, 5.0, 20.0]])
    >>> shapes = draw_spike_shapes(1, seed=0)
    >>> templates_uV = make_templates(
    ...     channel_positions, units, shapes, amplitudes_uV=np.array([120.0])
    ... )
    >>> templates_uV.shape, int(templates_uV[0, :, 0].argmin()), round(float(templates_uV.min()))
    ((1, 82, 2), 41, -120)
    """
    n_units = len(unit_positions_um)
    if not n_units == len(shapes) == len(amplitudes_uV):
        msg = (
            f"There are {n_units} positions, {len(shapes)} shapes and {len(amplitudes_uV)} "
            "amplitudes of units; give one of each for every unit."
        )
        raise ParameterError(msg)
    time_ms = 1000 * (np.arange(N_WINDOW_SAMPLES) - N_WINDOW_SAMPLES // 2) / sampling_frequency
    taper = np.minimum(1, (np.abs(time_ms).max() - np.abs(time_ms)) / _TAPER_MS)
    templates_uV = np.empty((n_units, N_WINDOW_SAMPLES, len(channel_positions)), np.float32)
    for unit, (position_um, shape) in enumerate(zip(unit_positions_um, shapes, strict=True)):
        offsets_um = channel_positions - position_um[:2]
        distances_um = np.sqrt((offsets_um**2).sum(axis=1) + position_um[2] ** 2)
        waveform = _waveform(time_ms, distances_um - distances_um.min(), shape)
        templates_uV[unit] = amplitudes_uV[unit] * taper[:, None] * waveform
    return templates_uV


def make_artefact_template(
    n_channels: int, *, amplitude_uV: float, seed: int, sampling_frequency: float = 30_000.0
) -> NDArray[np.float32]:
    """Compute what a switching current leaves on all channels at once: a short ringing.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    amplitude_uV : float
        Depth of the first deflection on the channel that records most of it.
    seed : int
        Seed of the dataset.
    sampling_frequency : float, default 30000.0
        In Hz.

    Returns
    -------
    ndarray of shape (n_samples, n_channels) and dtype float32
        In uV, with the first and largest deflection at sample ``n_samples // 2``.

    Examples
    --------
    >>> make_artefact_template(4, amplitude_uV=100.0, seed=0).shape
    (82, 4)
    """
    stream = random_stream(seed, Purpose.UNIT_WAVEFORMS, 1)
    time_ms = 1000 * (np.arange(N_WINDOW_SAMPLES) - N_WINDOW_SAMPLES // 2) / sampling_frequency
    onset = np.clip(1 + time_ms / 0.05, 0, 1)
    ringing = -onset * np.exp(-np.maximum(time_ms, 0) / 0.22) * np.cos(2 * np.pi * 2.2 * time_ms)
    ringing *= np.minimum(1, (time_ms[-1] - time_ms) / _TAPER_MS)
    gains = stream.uniform(0.75, 1.0, n_channels)
    gains /= gains.max()
    return np.asarray(amplitude_uV * ringing[:, None] * gains, np.float32)


def _waveform(
    time_ms: NDArray[np.float64], extra_um: NDArray[np.float64], shape: SpikeShape
) -> NDArray[np.float64]:
    """Return a spike (n_samples, n_channels) on channels `extra_um` beyond the nearest one."""
    broadening = 1 + _BROADENING_PER_UM * extra_um
    local_ms = (time_ms[:, None] - extra_um / _PROPAGATION_UM_PER_MS) / broadening
    waveform = (
        -_bump(local_ms, 0.0, shape.trough_ms)
        + shape.before * _bump(local_ms, -shape.before_ms, 0.07)
        + shape.after * _bump(local_ms, shape.after_ms, 0.45 * shape.after_ms)
    )
    waveform /= -waveform[time_ms.size // 2, extra_um.argmin()]
    return np.asarray(waveform * np.exp(-extra_um / shape.reach_um))


def _bump(time_ms: NDArray[np.float64], centre_ms: float, width_ms: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * ((time_ms - centre_ms) / width_ms) ** 2))
