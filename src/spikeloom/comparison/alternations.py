"""Spikes of two trains that follow each other closely, in turn: matches, or collisions.

Both trains are merged into one list, in order of time; neighbours in it that belong to different
trains and are at most so many samples apart are an event.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.comparison.coincidences import check_delta
from spikeloom.errors import ParameterError

matching_event_dtype = np.dtype([
    ("index1", np.int64),
    ("index2", np.int64),
    ("delta_frame", np.int64),
])
"""Positions of two spikes in their trains, and how much later the second is, in samples."""


def samples_in_order(train: ArrayLike) -> NDArray[np.int64]:
    """Return a spike train as an array; raises ParameterError if its samples are not in order."""
    samples = np.asarray(train).astype(np.int64)
    if np.any(samples[1:] < samples[:-1]):
        msg = "The samples of a spike train must be in order; sort them first."
        raise ParameterError(msg)
    return samples


def make_matching_events(times1: ArrayLike, times2: ArrayLike, delta: int) -> NDArray[np.void]:
    """Return the events of two trains.

    Parameters
    ----------
    times1, times2 : array_like of shape (n_spikes,)
        Samples in order.
    delta : int
        How far apart two spikes may be, in samples; included.

    Returns
    -------
    ndarray of shape (n_events,) and dtype `matching_event_dtype`
        In order of ``index1``. A spike that has a close spike of the other train on either side is
        in two events.

    Raises
    ------
    ParameterError
        If `delta` is negative or if samples are not in order.

    Examples
    --------
    >>> make_matching_events([10, 20, 40], [12, 37], 3).tolist()
    [(0, 0, 2), (2, 1, -3)]
    """
    train1, train2 = samples_in_order(times1), samples_in_order(times2)
    check_delta(delta)
    both = np.concatenate((train1, train2))
    # Stable, so that at the same sample the spikes of the first train come first.
    order = np.argsort(both, kind="stable")
    samples = both[order]
    is_second = order >= train1.size
    (earlier,) = np.nonzero((np.diff(samples) <= delta) & (is_second[1:] != is_second[:-1]))
    is_swapped = is_second[earlier]
    spike1, spike2 = earlier + is_swapped, earlier + ~is_swapped
    events = np.empty(earlier.size, matching_event_dtype)
    events["index1"] = order[spike1]
    events["index2"] = order[spike2] - train1.size
    events["delta_frame"] = samples[spike2] - samples[spike1]
    return events[np.argsort(events["index1"], kind="stable")]


def count_matching_events(times1: ArrayLike, times2: ArrayLike, delta: int = 10) -> int:
    """Count the matches of two trains, where spikes that alternate closely count once together.

    `spikeloom.comparison.make_match_count_matrix` counts all pairs of units at once, and gives the
    same wherever spikes of a unit are further apart than twice `delta`.

    Parameters
    ----------
    times1, times2 : array_like of shape (n_spikes,)
        Samples in order.
    delta : int, default 10
        How far apart two spikes may be, in samples; included.

    Raises
    ------
    ParameterError
        If `delta` is negative or if samples are not in order.

    Examples
    --------
    >>> count_matching_events([10, 20, 40], [12, 41], 3)
    2
    >>> count_matching_events([10, 20, 40], [15, 41], 5)
    2
    """
    events = make_matching_events(times1, times2, delta)
    # Two events belong together if they share a spike.
    order = np.lexsort((events["index2"], events["index1"]))
    index1, index2 = events["index1"][order], events["index2"][order]
    is_joined = (index1[1:] == index1[:-1]) | (index2[1:] == index2[:-1])
    return int(events.size - np.count_nonzero(is_joined))


def count_match_spikes(
    times1: ArrayLike, all_times2: Sequence[ArrayLike], delta_frames: int
) -> NDArray[np.int64]:
    """Return `count_matching_events` of one train with each of several; shape (n_trains,)."""
    counts = [count_matching_events(times1, times2, delta_frames) for times2 in all_times2]
    return np.array(counts, np.int64)
