"""Independent random numbers for each thing that is drawn, from one seed.

A stream is named by a purpose and indices (the unit, the block of samples), never by what was
drawn before. So data do not depend on the order or the size of the chunks they are made in.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError


class Purpose(IntEnum):
    """What random numbers are for; the values are part of what a seed stands for."""

    UNIT_POSITIONS = 0
    UNIT_WAVEFORMS = 1
    FIRING = 2
    SPIKE_TRAIN = 3
    SPIKE_SCALES = 4
    CHANNELS = 5
    FIELD = 6
    NOISE = 7
    NOISE_SEAM = 8
    SORTING = 9
    FIRING_RATES = 10
    UNIFORM_TRAIN = 11
    BORDER_SPIKES = 12
    CHANNEL_NOISE = 13
    NOISE_LEVELS = 14
    TEMPLATE_SHAPES = 15
    UNIT_LOCATIONS = 16
    SPIKE_JITTER = 17
    SYNCHRONY = 18
    INJECTION = 19
    DUPLICATION = 20
    DIVISION = 21


def random_stream(seed: int, purpose: Purpose, *indices: int) -> np.random.Generator:
    """Return the random numbers of one purpose.

    Parameters
    ----------
    seed : int
        Seed of the whole dataset, not negative.
    purpose : Purpose
        What the numbers are for.
    *indices : int
        Which one of several, each not negative.

    Returns
    -------
    numpy.random.Generator
        The same numbers for the same arguments.

    Raises
    ------
    ParameterError
        If `seed` is negative.

    Examples
    --------
    >>> first, again, other = (random_stream(0, Purpose.NOISE, i).random() for i in (1, 1, 2))
    >>> first == again, first == other
    (True, False)
    """
    return np.random.Generator(np.random.Philox(_sequence(seed, purpose, indices)))


def stream_keys(seed: int, purpose: Purpose, *indices: int) -> NDArray[np.uint32]:
    """Return the key of numbers that are worked out of their position; see `random_stream`.

    Returns
    -------
    ndarray of shape (2,) and dtype uint32
        As `spikeloom.kernels.normal_numbers` takes them.

    Examples
    --------
    >>> first, again, other = (stream_keys(0, Purpose.NOISE, i).tolist() for i in (1, 1, 2))
    >>> first == again, first == other
    (True, False)
    """
    return _sequence(seed, purpose, indices).generate_state(2).astype(np.uint32)


def _sequence(seed: int, purpose: Purpose, indices: tuple[int, ...]) -> np.random.SeedSequence:
    if seed < 0:
        msg = f"seed={seed} is negative; give a whole number from 0 on."
        raise ParameterError(msg)
    return np.random.SeedSequence(seed, spawn_key=(int(purpose), *indices))


def given_or_new_seed(seed: int | None) -> int:
    """Return `seed` as a plain number, or a new one for None, never the same again.

    What is drawn from a new seed can still be drawn again: the seed is kept with the data.

    Raises
    ------
    ParameterError
        If `seed` is negative or no whole number.

    Examples
    --------
    >>> given_or_new_seed(np.int64(5)), given_or_new_seed(None) == given_or_new_seed(None)
    (5, False)
    """
    if seed is None:
        # 63 bits: fits every reader of JSON that has whole numbers of 64 bits.
        return int(np.random.default_rng().integers(0, 2**63))
    if isinstance(seed, bool) or seed != int(seed) or seed < 0:
        msg = f"seed={seed!r}; give a whole number from 0 on, or None for a new one."
        raise ParameterError(msg)
    return int(seed)
