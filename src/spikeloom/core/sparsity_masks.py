"""Which channels belong to a unit, in several ways; masks of shape (n_units, n_channels)."""

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.channel_geometry import distances_between
from spikeloom.errors import ParameterError

Mask = NDArray[np.bool_]


def best_mask(amplitudes: NDArray[np.floating], n_channels: int) -> Mask:
    """Return the channels with the largest amplitudes.

    Parameters
    ----------
    amplitudes : ndarray of shape (n_units, n_channels)
        Without sign.
    n_channels : int
        How many, at most.

    Examples
    --------
    >>> best_mask(np.array([[1.0, 9.0, 5.0]]), 2)
    array([[False, True, True]])
    """
    _check_number(n_channels)
    mask = np.zeros(amplitudes.shape, bool)
    order = np.argsort(-amplitudes, axis=1, kind="stable")[:, :n_channels]
    np.put_along_axis(mask, order, values=True, axis=1)
    return mask


def closest_mask(
    main_channels: NDArray[np.int64], locations_um: NDArray[np.floating], n_channels: int
) -> Mask:
    """Return the channels closest to each unit's main channel, which is the first of them.

    Examples
    --------
    >>> closest_mask(np.array([2]), np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 30.0]]), 2)
    array([[False, True, True]])
    """
    _check_number(n_channels)
    ranks = distances_between(locations_um)
    # A channel at the same place as the main channel must not take its part.
    np.fill_diagonal(ranks, -1)
    return best_mask(-ranks[main_channels], n_channels)


def radius_mask(
    main_channels: NDArray[np.int64], locations_um: NDArray[np.floating], radius_um: float
) -> Mask:
    """Return the channels within a radius around each unit's main channel.

    Examples
    --------
    >>> radius_mask(np.array([0]), np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 30.0]]), 20.0)
    array([[ True,  True, False]])
    """
    mask: Mask = distances_between(locations_um)[main_channels] <= radius_um
    return mask


def threshold_mask(
    amplitudes: NDArray[np.floating],
    threshold: float,
    noise_levels: NDArray[np.floating] | None = None,
) -> Mask:
    """Return the channels with amplitudes of `threshold` at least, or so many times the noise.

    Raises
    ------
    ParameterError
        If there is not one noise level for each channel.

    Examples
    --------
    >>> threshold_mask(np.array([[30.0, 30.0]]), 5, np.array([5.0, 10.0]))
    array([[ True, False]])
    """
    scale = np.ones(amplitudes.shape[1])
    if noise_levels is not None:
        scale = np.asarray(noise_levels, np.float64)
    if scale.shape != (amplitudes.shape[1],):
        msg = (
            f"Noise levels of shape {scale.shape} do not fit {amplitudes.shape[1]} channels; give "
            "one for each."
        )
        raise ParameterError(msg)
    mask: Mask = amplitudes >= threshold * scale
    # A dead channel has no noise, and nothing on it stands out.
    return mask if noise_levels is None else mask & (amplitudes > 0)


def _check_number(n_channels: int) -> None:
    if n_channels < 0:
        msg = f"num_channels must be a number of channels; got {n_channels}."
        raise ParameterError(msg)
