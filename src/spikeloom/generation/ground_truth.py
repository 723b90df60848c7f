"""A recording whose spikes are known: everything but the samples themselves.

Samples are made from it piece by piece, see `spikeloom.generation.truth_traces`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.generation.background import Background, draw_background
from spikeloom.generation.probes import two_column_probe
from spikeloom.generation.random_streams import Purpose, random_stream
from spikeloom.generation.spike_trains import (
    Firing,
    burst_scales,
    draw_clock_train,
    draw_spike_train,
)
from spikeloom.generation.unit_templates import (
    draw_spike_shapes,
    draw_unit_positions,
    make_artefact_template,
    make_templates,
)

UnitKind = Literal["neuron", "far", "artefact"]
"""A neuron that can be sorted, one that is too far away for that, or no neuron at all."""

GAIN_UV = 0.195
"""What one step of the samples stands for; that of a common amplifier chip."""

_N_FAR = 8
_MAINS_PERIOD_MS = 20.0
_DRIFTS = (-0.5, 0.3)
_BURSTY_EVERY = 4
_BURST_FATIGUE = 0.22
_JITTERS = (0.04, 0.09)
_FAINTEST_JITTER = 0.3


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """A recording whose spikes are known."""

    seed: int
    """What everything was drawn from."""
    n_samples: int
    """Length of the recording."""
    sampling_frequency: float
    """In Hz."""
    gain_uV: float
    """What one step of the samples stands for."""
    channel_positions: NDArray[np.float64]
    """In um; shape (n_channels, 2)."""
    background: Background
    """What channels record besides spikes."""
    unit_kinds: tuple[UnitKind, ...]
    """What each unit is."""
    unit_positions_um: NDArray[np.float64]
    """Across, along and in front of the probe; shape (n_units, 3), nan for no neuron."""
    unit_drifts: NDArray[np.float64]
    """How much a unit's amplitude changes from start to end, relative; shape (n_units,)."""
    templates_uV: NDArray[np.float32]
    """Trough on the main channel at ``n_samples // 2``; shape (n_units, n_samples, n_channels)."""
    spike_samples: NDArray[np.int64]
    """Sample of the trough of each spike, not decreasing; shape (n_spikes,)."""
    spike_units: NDArray[np.int32]
    """Unit of each spike, an index; shape (n_spikes,)."""
    spike_scales: NDArray[np.float32]
    """Amplitude of each spike, relative to its template; shape (n_spikes,)."""

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return len(self.channel_positions)

    @property
    def n_units(self) -> int:
        """Number of units of all kinds."""
        return len(self.unit_kinds)

    def units_of_kind(self, kind: UnitKind) -> list[int]:
        """Return the units of one kind."""
        return [unit for unit, its_kind in enumerate(self.unit_kinds) if its_kind == kind]


def make_ground_truth(
    *,
    duration_s: float = 60.0,
    seed: int = 0,
    n_neurons: int = 18,
    n_channels: int = 32,
    sampling_frequency: float = 30_000.0,
    noise_uV: float = 9.0,
) -> GroundTruth:
    """Make up a recording of neurons beside a linear probe.

    Besides `n_neurons` neurons of 60 to 280 uV there are eight that are too far away to be told
    apart, and an electric artefact that comes with the mains. Every fourth neuron fires in bursts
    of falling amplitude; two others drift; the amplitude of the faintest one varies most.

    Parameters
    ----------
    duration_s : float, default 60.0
        Length of the recording, one second at least.
    seed : int, default 0
        The same seed and the same other arguments give the same recording.
    n_neurons : int, default 18
        Neurons that can be told apart, at least one.
    n_channels : int, default 32
        Channels of the probe.
    sampling_frequency : float, default 30000.0
        In Hz.
    noise_uV : float, default 9.0
        Mean standard deviation of the noise.

    Returns
    -------
    GroundTruth
        Everything but the samples, which `make_traces` makes.

    Raises
    ------
    ParameterError
        If an argument is outside what is allowed.

    Examples
    --------
    >>> truth = make_ground_truth(duration_s=2.0, n_neurons=6, n_channels=8)
    >>> truth.n_samples, truth.n_units, truth.templates_uV.shape
    (60000, 15, (15, 82, 8))
    """
    if not 1 <= duration_s < np.inf:
        msg = f"duration_s={duration_s} is too short (or no number); give one second at least."
        raise ParameterError(msg)
    if n_neurons < 1:
        msg = f"n_neurons={n_neurons}; give one at least."
        raise ParameterError(msg)
    channel_positions = two_column_probe(n_channels)
    n_samples = round(duration_s * sampling_frequency)
    units = _make_units(channel_positions, n_neurons, seed, sampling_frequency)
    samples, spike_units, scales = _draw_spikes(
        units, n_samples=n_samples, sampling_frequency=sampling_frequency, seed=seed
    )
    return GroundTruth(
        seed=seed,
        n_samples=n_samples,
        sampling_frequency=sampling_frequency,
        gain_uV=GAIN_UV,
        channel_positions=channel_positions,
        background=draw_background(
            channel_positions,
            duration_s=duration_s,
            sampling_frequency=sampling_frequency,
            noise_uV=noise_uV,
            seed=seed,
        ),
        unit_kinds=units.kinds,
        unit_positions_um=units.positions_um,
        unit_drifts=units.drifts,
        templates_uV=units.templates_uV,
        spike_samples=samples,
        spike_units=spike_units,
        spike_scales=scales,
    )


@dataclass(frozen=True, slots=True)
class _Units:
    """All units; fields as in `GroundTruth`."""

    kinds: tuple[UnitKind, ...]
    positions_um: NDArray[np.float64]
    drifts: NDArray[np.float64]
    jitters: NDArray[np.float64]  # standard deviation of the scales of its spikes
    templates_uV: NDArray[np.float32]


def _make_units(
    channel_positions: NDArray[np.float64], n_neurons: int, seed: int, sampling_frequency: float
) -> _Units:
    stream = random_stream(seed, Purpose.UNIT_WAVEFORMS, 2)
    near_um = draw_unit_positions(channel_positions, n_neurons, seed=seed)
    # The far ones lie around one place, where they sum up to the activity of many.
    centre_um = near_um[stream.integers(n_neurons)]
    far_um = centre_um + stream.uniform(-1, 1, (_N_FAR, 3)) * [30.0, 25.0, 0.0] + [0.0, 0.0, 40.0]
    positions_um = np.concatenate([near_um, far_um])
    amplitudes_uV = _draw_amplitudes(n_neurons, stream)
    templates_uV = make_templates(
        channel_positions,
        positions_um,
        draw_spike_shapes(len(positions_um), seed=seed),
        amplitudes_uV=amplitudes_uV,
        sampling_frequency=sampling_frequency,
    )
    artefact_uV = make_artefact_template(
        len(channel_positions), amplitude_uV=90.0, seed=seed, sampling_frequency=sampling_frequency
    )
    n_units = n_neurons + _N_FAR + 1
    drifts = np.zeros(n_units)
    drifts[: min(len(_DRIFTS), n_neurons)] = _DRIFTS[:n_neurons]
    jitters = stream.uniform(*_JITTERS, n_units)
    jitters[amplitudes_uV[:n_neurons].argmin()] = _FAINTEST_JITTER
    counts: dict[UnitKind, int] = {"neuron": n_neurons, "far": _N_FAR, "artefact": 1}
    return _Units(
        kinds=tuple(kind for kind, count in counts.items() for _ in range(count)),
        positions_um=np.append(positions_um, np.full((1, 3), np.nan), axis=0),
        drifts=drifts,
        jitters=jitters,
        templates_uV=np.append(templates_uV, artefact_uV[None], axis=0),
    )


def _draw_amplitudes(n_neurons: int, stream: np.random.Generator) -> NDArray[np.float64]:
    """Return the amplitudes of neurons and of far ones, in uV."""
    near_uV = stream.permutation(np.geomspace(60.0, 280.0, n_neurons))
    # A neuron that loses half of its amplitude must have some to lose.
    largest = int(near_uV.argmax())
    near_uV[[0, largest]] = near_uV[[largest, 0]]
    near_uV[0] *= 0.6
    return np.concatenate([near_uV, stream.uniform(26.0, 42.0, _N_FAR)])


def _draw_spikes(
    units: _Units, *, n_samples: int, sampling_frequency: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
    """Return samples, units and scales of all spikes, in the order of time."""
    trains, scales = [], []
    for unit, kind in enumerate(units.kinds):
        stream = random_stream(seed, Purpose.SPIKE_TRAIN, unit)
        fatigue = 0.0
        if kind == "artefact":
            train = draw_clock_train(
                _MAINS_PERIOD_MS, stream, n_samples=n_samples, sampling_frequency=sampling_frequency
            )
        else:
            firing = _draw_firing(kind, unit, seed)
            fatigue = _BURST_FATIGUE if firing.burst_share else 0.0
            train = draw_spike_train(
                firing, stream, n_samples=n_samples, sampling_frequency=sampling_frequency
            )
        trains.append(train)
        normal = random_stream(seed, Purpose.SPIKE_SCALES, unit).standard_normal(train.size)
        jitter = np.clip(1 + units.jitters[unit] * normal, 0.3, 1.9)
        slope = 1 + units.drifts[unit] * (train / n_samples - 0.5)
        bursts = burst_scales(train, fatigue=fatigue, sampling_frequency=sampling_frequency)
        scales.append(jitter * slope * bursts)
    samples = np.concatenate(trains)
    spike_units = np.repeat(
        np.arange(len(trains), dtype=np.int32), [train.size for train in trains]
    )
    order = np.argsort(samples, kind="stable")
    return samples[order], spike_units[order], np.concatenate(scales)[order].astype(np.float32)


def _draw_firing(kind: UnitKind, unit: int, seed: int) -> Firing:
    stream = random_stream(seed, Purpose.FIRING, unit)
    if kind == "far":
        return Firing(rate_hz=stream.uniform(3.0, 7.0))
    is_bursty = unit % _BURSTY_EVERY == _BURSTY_EVERY - 1
    return Firing(
        rate_hz=float(np.exp(stream.uniform(np.log(4.0), np.log(25.0)))),
        refractory_ms=stream.uniform(2.0, 3.5),
        burst_share=stream.uniform(0.3, 0.5) if is_bursty else 0.0,
    )
