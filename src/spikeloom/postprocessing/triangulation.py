"""Where sources are, from how their strength falls off with the distance to each channel.

The strength of a source ``alpha`` at a channel is taken for ``alpha / distance`` (a monopole).
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

Optimizer = Literal["least_square", "minimize_with_log_penality"]
"""Least squares over position and strength; or over the position, which is drawn off the probe."""


def triangulate_monopoles(
    features: NDArray[np.floating],
    locations_um: NDArray[np.floating],
    mask: NDArray[np.bool_] | None = None,
    *,
    max_distance_um: float = 1000.0,
    optimizer: Optimizer = "least_square",
) -> NDArray[np.float64]:
    """Return position and strength of sources.

    Parameters
    ----------
    features : ndarray of shape (n_sources, n_channels)
        Strength at each channel, not negative, e.g. peak-to-peak amplitudes.
    locations_um : ndarray of shape (n_channels, 2)
        Positions of the channels.
    mask : ndarray of shape (n_sources, n_channels) and dtype bool, optional
        Channels to be used for each source; all by default.
    max_distance_um : float, default 1000
        How far a source may be from the center of mass, along each axis of the probe.
    optimizer : {"least_square", "minimize_with_log_penality"}, default "least_square"
        The second, with a small reward for distance to the probe, finds the strength as the best
        one for each position.

    Returns
    -------
    ndarray of shape (n_sources, 4) and dtype float64
        x, y, z (the distance to the plane of the probe) in micrometres, and alpha, in the unit of
        the features times micrometres; nan for a source without strength.

    Raises
    ------
    ParameterError
        If there is no such optimizer.

    Examples
    --------
    >>> locations = np.array([[0.0, 0.0], [0.0, 20.0], [20.0, 0.0], [20.0, 20.0], [0.0, 40.0]])
    >>> source = np.array([5.0, 12.0, 30.0])
    >>> distances = np.linalg.norm(np.c_[locations, np.zeros(5)] - source, axis=1)
    >>> triangulate_monopoles(2000 / distances[np.newaxis], locations).round(3)
    array([[   5.,   12.,   30., 2000.]])
    """
    values = np.asarray(features, np.float64)
    used = np.ones(values.shape, bool) if mask is None else np.asarray(mask, bool)
    n_used = used.sum(axis=1)
    sources, columns = np.nonzero(used)
    first = np.concatenate([[0], np.cumsum(n_used)]).astype(np.int64)
    packed = np.zeros((len(values), int(n_used.max(initial=0))))
    packed[sources, np.arange(columns.size) - first[sources]] = values[used]
    return triangulate_near(
        packed,
        np.arange(len(values)),
        (first, columns.astype(np.int64)),
        locations_um,
        max_distance_um=max_distance_um,
        optimizer=optimizer,
    )


def triangulate_near(
    features: NDArray[np.float64],
    channels: NDArray[np.int64],
    around: tuple[NDArray[np.int64], NDArray[np.int64]],
    locations_um: NDArray[np.floating],
    *,
    max_distance_um: float = 1000.0,
    optimizer: Optimizer = "least_square",
) -> NDArray[np.float64]:
    """Return position and strength of sources, each seen by the channels around one channel.

    Parameters
    ----------
    features : ndarray of shape (n_sources, n_around_max) and dtype float64
        Strength at the channels around each source's; the rest of a row does not count.
    channels : ndarray of shape (n_sources,) and dtype int64
        From which channel each source is looked at.
    around : tuple of two ndarray of dtype int64
        Where the channels around each channel begin in the second array, and the end.
    locations_um : ndarray of shape (n_channels, 2)
        Positions of the channels.
    max_distance_um, optimizer
        As in `triangulate_monopoles`.

    Returns
    -------
    ndarray of shape (n_sources, 4) and dtype float64
        As of `triangulate_monopoles`.

    Raises
    ------
    ParameterError
        If there is no such optimizer.

    Notes
    -----
    Four channels at the corners of a rectangle do not tell where a source is: the squared
    distances to opposite corners have the same sum, wherever it is, so that one of four equations
    says nothing new. One of the places that fit equally well is returned then.

    Examples
    --------
    >>> locations = np.array([[0.0, 0.0], [0.0, 20.0], [20.0, 0.0], [20.0, 20.0], [0.0, 40.0]])
    >>> distances = np.linalg.norm(np.c_[locations, np.zeros(5)] - [5.0, 12.0, 30.0], axis=1)
    >>> around = np.array([0, 5]), np.arange(5)
    >>> triangulate_near(2000 / distances[np.newaxis], np.array([0]), around, locations).round(3)
    array([[   5.,   12.,   30., 2000.]])
    """
    from spikeloom.kernels.monopoles import fit_monopoles  # noqa: PLC0415 - imports numba

    if optimizer not in get_args(Optimizer):
        msg = (
            f"optimizer must be 'least_square' or 'minimize_with_log_penality'; got {optimizer!r}."
        )
        raise ParameterError(msg)
    found = np.empty((len(channels), 4))
    places = np.ascontiguousarray(np.asarray(locations_um, np.float64)[:, :2])
    n_params = 4 if optimizer == "least_square" else 3
    fit_monopoles(features, channels, *around, places, float(max_distance_um), n_params, found)
    return found
