"""What electrodes record besides spikes: offsets, slow fields, mains hum and noise.

The noise is made in blocks of `BLOCK_SAMPLES` samples, each from its own random numbers, so any
block can be made without the others. It is smoothed in time, which needs the last random numbers
of the block before: those are drawn from a stream of their own, the seam.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeloom.generation.random_streams import Purpose, random_stream
from spikeloom.kernels.leaks import leak_twice

BLOCK_SAMPLES = 8192
"""Length of the blocks that noise is made in. Another value is other noise for the same seed."""

_TAPS = np.array([0.3, 0.8, 1.0, 0.55, 0.2], np.float32)
_NEIGHBOUR_SHARE = np.float32(0.3)
_N_SEAM = _TAPS.size - 1

_FIELD_HZ = 600.0
_FIELD_UV = (70.0, 40.0)
_LEAKS = (1.965, -0.9653)
_HUM_HZ = 50.0
_HUM_UV = 6.0


@dataclass(frozen=True, slots=True)
class Background:
    """What channels record besides spikes; turned into samples by `fill_background`."""

    seed: int
    """Seed of the dataset."""
    sampling_frequency: float
    """In Hz."""
    offsets_uV: NDArray[np.float32]
    """Constant of each channel; shape (n_channels,)."""
    noise_uV: NDArray[np.float32]
    """Standard deviation of the noise of each channel; shape (n_channels,)."""
    field_uV: NDArray[np.float32]
    """Slow fields, one value every ``1 / 600`` s; shape (n_fields, n_values)."""
    field_gains: NDArray[np.float32]
    """How much each channel records of each field; shape (n_fields, n_channels)."""

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.offsets_uV.size


def draw_background(
    channel_positions: NDArray[np.float64],
    *,
    duration_s: float,
    sampling_frequency: float,
    noise_uV: float,
    seed: int,
) -> Background:
    """Draw offsets, noise levels and slow fields.

    Parameters
    ----------
    channel_positions : ndarray of shape (n_channels, 2)
        In um; channels that follow each other are taken for neighbours.
    duration_s : float
        Length of the recording.
    sampling_frequency : float
        In Hz.
    noise_uV : float
        Mean standard deviation of the noise; channels differ by a tenth.
    seed : int
        Seed of the dataset.

    Returns
    -------
    Background
        What `fill_background` makes samples of.

    Examples
    --------
    >>> background = draw_background(
    ...     np.array([[0.0, 0.0], [0.0, 20.0]]),
    ...     duration_s=1.0,
    ...     sampling_frequency=30_000.0,
    ...     noise_uV=9.0,
    ...     seed=0,
    ... )
    >>> background.n_channels, len(background.field_uV)
    (2, 3)
    """
    stream = random_stream(seed, Purpose.CHANNELS)
    n_channels = len(channel_positions)
    along_um = channel_positions[:, 1] - channel_positions[:, 1].min()
    share = along_um / max(1.0, along_um.max())
    gains = [0.7 + 0.6 * share, np.cos(np.pi * share), stream.uniform(0.8, 1.2, n_channels)]
    return Background(
        seed=seed,
        sampling_frequency=sampling_frequency,
        offsets_uV=stream.uniform(-150, 150, n_channels).astype(np.float32),
        noise_uV=(noise_uV * stream.uniform(0.9, 1.1, n_channels)).astype(np.float32),
        field_uV=_draw_fields(duration_s, seed),
        field_gains=np.asarray(gains, np.float32),
    )


def fill_background(background: Background, block_index: int, block: NDArray[np.float32]) -> None:
    """Write the background of one block of samples.

    Parameters
    ----------
    background : Background
        From `draw_background`.
    block_index : int
        Which block; it begins at sample ``block_index * BLOCK_SAMPLES``.
    block : ndarray of shape (BLOCK_SAMPLES, n_channels) and dtype float32
        Overwritten, in uV.

    Examples
    --------
    >>> background = draw_background(
    ...     np.array([[0.0, 0.0], [0.0, 20.0]]),
    ...     duration_s=1.0,
    ...     sampling_frequency=30_000.0,
    ...     noise_uV=9.0,
    ...     seed=0,
    ... )
    >>> block = np.empty((BLOCK_SAMPLES, 2), np.float32)
    >>> fill_background(background, 3, block)
    >>> 5 < float(np.diff(block, axis=0).std()) < 10
    True
    """
    white = _white_noise(background, block_index)
    block[:] = _TAPS[0] * white[_N_SEAM:]
    for lag in range(1, _TAPS.size):
        block += _TAPS[lag] * white[_N_SEAM - lag : white.shape[0] - lag]
    _mix_neighbours(block)
    block *= background.noise_uV / np.float32(np.sqrt((_TAPS**2).sum()))
    block += background.offsets_uV
    samples = block_index * BLOCK_SAMPLES + np.arange(BLOCK_SAMPLES)
    positions = samples * (_FIELD_HZ / background.sampling_frequency)
    knots = np.arange(background.field_uV.shape[1])
    for field_uV, gains in zip(background.field_uV, background.field_gains, strict=True):
        block += np.interp(positions, knots, field_uV).astype(np.float32)[:, None] * gains


def _white_noise(background: Background, block_index: int) -> NDArray[np.float32]:
    """Return the normal numbers of a block and, before them, the last ones of the block before."""
    seed, n_channels = background.seed, background.n_channels
    white = np.empty((_N_SEAM + BLOCK_SAMPLES, n_channels), np.float32)
    inner = white[_N_SEAM:-_N_SEAM]
    random_stream(seed, Purpose.NOISE, block_index).standard_normal(dtype=np.float32, out=inner)
    # The seam before the first block has number 0.
    for number, rows in ((block_index, white[:_N_SEAM]), (block_index + 1, white[-_N_SEAM:])):
        random_stream(seed, Purpose.NOISE_SEAM, number).standard_normal(dtype=np.float32, out=rows)
    return white


def _mix_neighbours(block: NDArray[np.float32]) -> None:
    """Let each channel record some noise of the channels beside it; keeps the variance."""
    own = block.copy()
    block[:, 1:] += _NEIGHBOUR_SHARE * own[:, :-1]
    block[:, :-1] += _NEIGHBOUR_SHARE * own[:, 1:]
    n_neighbours = np.full(block.shape[1], 2.0)
    n_neighbours[0] -= 1
    n_neighbours[-1] -= 1
    block /= np.sqrt(1 + n_neighbours * _NEIGHBOUR_SHARE**2).astype(np.float32)


def _draw_fields(duration_s: float, seed: int) -> NDArray[np.float32]:
    """Draw two slow fields and the hum of the mains; shape (3, n_values)."""
    stream = random_stream(seed, Purpose.FIELD)
    n_values = int(duration_s * _FIELD_HZ) + BLOCK_SAMPLES
    fields = []
    for scale_uV in _FIELD_UV:
        # Two leaks in a row: power falls with the fourth power of frequency, so that the kinks
        # of linear interpolation stay far below the noise.
        field = stream.standard_normal(n_values)
        leak_twice(field, *_LEAKS)
        fields.append(scale_uV * field / field.std())
    hum = np.sin(2 * np.pi * _HUM_HZ * np.arange(n_values) / _FIELD_HZ + stream.uniform(0, 6))
    return np.asarray([*fields, _HUM_UV * hum], np.float32)
