"""The time base of Kwik files: spikes are counted from the start of their recording.

A model shows all recordings one after the other, without gaps, as one time axis.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import DataError

_BACKWARDS_MAX_S = 0.01
"""klusta's spikes are out of order by a sample or two. Spikes that are so by more than this are not
of one recording after the other, and moving them would be inventing data."""


def concatenate_spikes(
    time_samples: ArrayLike, recordings: ArrayLike, offsets: ArrayLike
) -> NDArray[np.int64]:
    """Return the samples of spikes on the time axis of all recordings together.

    Parameters
    ----------
    time_samples : array_like of shape (n_spikes,)
        Samples, counted from the start of the spike's recording.
    recordings : array_like of shape (n_spikes,)
        Position of each spike's recording.
    offsets : array_like of shape (n_recordings,) or longer
        Where each recording begins.

    Examples
    --------
    >>> concatenate_spikes([2, 3, 5, 0, 11, 1], [0, 0, 0, 1, 1, 2], [0, 7, 100])
    array([  2,   3,   5,   7,  18, 101])
    """
    starts = np.asarray(offsets, np.int64)
    return np.asarray(time_samples, np.int64) + starts[np.asarray(recordings, np.int64)]


def recording_offsets(
    lengths: Sequence[int | None],
    start_samples: Sequence[int | None],
    last_samples: Sequence[int],
) -> NDArray[np.int64]:
    """Return where each recording begins when they follow each other without gaps.

    Parameters
    ----------
    lengths : sequence of int or None
        Samples of each recording, None where its raw data are not at hand.
    start_samples : sequence of int or None
        What the file says of where each recording begins.
    last_samples : sequence of int
        Last spike of each recording, counted from its start; -1 where there is none.

    Returns
    -------
    ndarray of shape (n_recordings,) and dtype int64
        From the lengths, as far as they are known. A recording of unknown length ends where the
        file says that the next one begins, if no spike contradicts that, else right after its last
        spike.

    Examples
    --------
    >>> recording_offsets([100, None, None], [0, 100, 150], [90, 40, 7])
    array([  0, 100, 150])
    >>> recording_offsets([None, None], [0, 0], [90, 40])
    array([ 0, 91])
    """
    offsets = np.zeros(len(lengths), np.int64)
    for k in range(1, len(lengths)):
        length, here, after = lengths[k - 1], start_samples[k - 1], start_samples[k]
        if length is None and here is not None and after is not None:
            stated = after - here
            length = stated if stated > last_samples[k - 1] else None
        if length is None:
            length = last_samples[k - 1] + 1
        offsets[k] = offsets[k - 1] + length
    return offsets


def put_in_order(
    samples: NDArray[np.int64], sampling_frequency: float
) -> tuple[NDArray[np.int64], int]:
    """Return spikes such that none comes before the one above it.

    klusta rounds the aligned times of spikes, and now and then one comes out a sample before its
    neighbour. Such a spike is moved to the sample of its neighbour.

    Parameters
    ----------
    samples : ndarray of shape (n_spikes,) and dtype int64
        As stored.
    sampling_frequency : float
        In Hz.

    Returns
    -------
    samples : ndarray of shape (n_spikes,) and dtype int64
        Not decreasing.
    n_moved : int
        How many were moved.

    Raises
    ------
    DataError
        If a spike would have to be moved by more than 10 ms.

    Examples
    --------
    >>> put_in_order(np.array([5, 9, 8, 9]), 20000.0)
    (array([5, 9, 9, 9]), 1)
    """
    ordered = np.maximum.accumulate(samples)
    moved = np.flatnonzero(ordered != samples)
    if moved.size:
        distances = ordered[moved] - samples[moved]
        worst = int(moved[np.argmax(distances)])
        if distances.max() > max(2.0, _BACKWARDS_MAX_S * sampling_frequency):
            msg = (
                f"Spikes are not in the order of time: spike {worst} is at sample "
                f"{samples[worst]}, after one at sample {ordered[worst]}. Recordings must follow "
                "each other, and spikes within each must be in order."
            )
            raise DataError(msg)
    return ordered, int(moved.size)
