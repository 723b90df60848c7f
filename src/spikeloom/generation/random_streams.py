"""Independent random numbers for each thing that is drawn, from one seed.

A stream is named by a purpose and indices (the unit, the block of samples), never by what was
drawn before. So data do not depend on the order or the size of the chunks they are made in.
"""

from enum import IntEnum

import numpy as np

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
    if seed < 0:
        msg = f"seed={seed} is negative; give a whole number from 0 on."
        raise ParameterError(msg)
    sequence = np.random.SeedSequence(seed, spawn_key=(int(purpose), *indices))
    return np.random.Generator(np.random.Philox(sequence))
