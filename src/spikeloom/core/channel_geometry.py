"""Where channels are: their distances, their neighbours, their order along the probe."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.recording_snippets import BaseRecordingSnippets
from spikeloom.errors import ParameterError

_AXES = "xyz"


def distances_between(locations_um: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the distance of each pair of points, in the unit of the points.

    Parameters
    ----------
    locations_um : ndarray of shape (n_points, n_dimensions)

    Returns
    -------
    ndarray of shape (n_points, n_points) and dtype float64

    Examples
    --------
    >>> distances_between(np.array([[0.0, 0.0], [3.0, 4.0]]))
    array([[0., 5.], [5., 0.]])
    """
    differences = locations_um[:, np.newaxis] - locations_um[np.newaxis]
    return np.asarray(np.linalg.norm(differences, axis=2), np.float64)


def get_channel_distances(recording: BaseRecordingSnippets) -> NDArray[np.float64]:
    """Return the distance of each pair of channels in micrometres, shape (n_channels, n_channels).

    Raises
    ------
    ParameterError
        If there is no probe.
    """
    return distances_between(recording.get_channel_locations())


def get_closest_channels(
    recording: BaseRecordingSnippets,
    channel_ids: Iterable[Any] | None = None,
    num_channels: int | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the channels around each channel, the nearest first, without itself.

    Parameters
    ----------
    recording : BaseRecordingSnippets
        A recording with a probe.
    channel_ids : list, optional
        Channels to look at, and to choose from; all by default.
    num_channels : int, optional
        How many for each, at most; all others by default.

    Returns
    -------
    closest_channels_inds : ndarray of shape (n_channels, num_channels) and dtype int64
        Positions among `channel_ids`. Of channels at the same distance the first comes first.
    dists : ndarray of shape (n_channels, num_channels) and dtype float64
        Distances in micrometres.

    Raises
    ------
    ParameterError
        If there is no probe, a channel is unknown or `num_channels` is negative.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((9, 3))], 30000.0)
    >>> recording.set_dummy_probe_from_locations([[0, 0], [0, 20], [0, 50]])
    >>> indices, distances_um = get_closest_channels(recording, num_channels=1)
    >>> indices.tolist(), distances_um.tolist()
    ([[1], [0], [1]], [[20.0], [20.0], [30.0]])
    """
    ids = None if channel_ids is None else list(channel_ids)
    distances_um = distances_between(recording.get_channel_locations(channel_ids=ids))
    n_others = max(0, len(distances_um) - 1)
    n_chosen = n_others if num_channels is None else min(int(num_channels), n_others)
    if n_chosen < 0:
        msg = f"num_channels is a number of channels; got {num_channels}."
        raise ParameterError(msg)
    # A channel at the place of another must not take itself for a neighbour, nor the other for
    # itself: so it is put behind all others.
    ranks = distances_um.copy()
    np.fill_diagonal(ranks, np.inf)
    order = np.argsort(ranks, axis=1, kind="stable")[:, :n_chosen]
    return order, np.take_along_axis(distances_um, order, axis=1)


def order_channels_by_depth(
    recording: BaseRecordingSnippets,
    channel_ids: Iterable[Any] | None = None,
    dimensions: str | Sequence[str] = ("x", "y"),
    flip: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the order of channels along the probe.

    Parameters
    ----------
    recording : BaseRecordingSnippets
        A recording with a probe.
    channel_ids : list, optional
        Channels to order; all by default.
    dimensions : str or sequence of str, default ("x", "y")
        Axes to order by, the last one first of all.
    flip : bool, default False
        From the top down, rather than from the tip of the probe up.

    Returns
    -------
    order_f : ndarray of shape (n_channels,) and dtype int64
        Positions of the channels, in order.
    order_r : ndarray of shape (n_channels,) and dtype int64
        Places of the channels in that order, which undoes it.

    Raises
    ------
    ParameterError
        If there is no probe, or it has no such axis.

    Examples
    --------
    >>> from spikeloom.core.numpy_recording import NumpyRecording
    >>> recording = NumpyRecording([np.zeros((9, 3))], 30000.0)
    >>> recording.set_dummy_probe_from_locations([[0, 40], [0, 0], [20, 40]])
    >>> order_channels_by_depth(recording)
    (array([1, 0, 2]), array([1, 0, 2]))
    """
    axes = [dimensions] if isinstance(dimensions, str) else list(dimensions)
    n_dimensions = 3 if recording.has_3d_probe() else 2
    known = _AXES[:n_dimensions]
    if not axes or not all(axis in _AXES[:n_dimensions] and len(axis) == 1 for axis in axes):
        msg = f"dimensions are some of {', '.join(known)}, as the probe has; got {dimensions!r}."
        raise ParameterError(msg)
    locations_um = recording.get_channel_locations(axes="".join(axes))
    locations_um = locations_um[recording.ids_to_indices(channel_ids)]
    order = np.lexsort(locations_um.T)
    if flip:
        order = order[::-1]
    return np.asarray(order, np.int64), np.asarray(np.argsort(order, kind="stable"), np.int64)
