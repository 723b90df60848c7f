"""Where waveforms come from: functions of arrays that units and spikes share.

All take waveforms (n, n_samples, n_channels), or one number for each channel (n, n_channels), and
positions of channels in micrometres, and return positions in micrometres: x and y on the probe, z
away from it. Sources that cannot be placed are nan, with the grid zero. The monopolar triangulation
is `spikeloom.postprocessing.triangulation`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

FEATURES = ("ptp", "mean", "energy", "peak_voltage")
"""What stands for the strength at a channel; the monopolar triangulation takes no mean."""

LOCATION_DTYPES: dict[str, list[tuple[str, str]]] = {
    "center_of_mass": [("x", "float32"), ("y", "float32")],
    "grid_convolution": [("x", "float32"), ("y", "float32"), ("z", "float32")],
    "peak_channel": [("x", "float32"), ("y", "float32")],
    "monopolar_triangulation": [
        ("x", "float32"),
        ("y", "float32"),
        ("z", "float32"),
        ("alpha", "float32"),
    ],
}
"""Fields of the positions of spikes, by method."""

_N_TOGETHER = 512


def channel_features(
    waveforms: NDArray[np.floating], feature: str, nbefore: int, *, absolute: bool = False
) -> NDArray[np.float64]:
    """Return how strong waveforms are at each channel.

    Parameters
    ----------
    waveforms : ndarray of shape (n, n_samples, n_channels)
    feature : {"ptp", "mean", "energy", "peak_voltage"}
        From the lowest to the highest value, the average, the root of the sum of squares, or the
        value at the spike.
    nbefore : int
        Samples before the spike.
    absolute : bool, default False
        Without the sign, which "peak_voltage" has (and "mean").

    Returns
    -------
    ndarray of shape (n, n_channels) and dtype float64

    Raises
    ------
    ParameterError
        If there is no such feature.

    Examples
    --------
    >>> waveforms = np.array([[[0.0, 1.0], [-4.0, -2.0], [3.0, 0.0]]])
    >>> channel_features(waveforms, "ptp", 1), channel_features(waveforms, "peak_voltage", 1)
    (array([[7., 3.]]), array([[-4., -2.]]))
    """
    if feature not in FEATURES:
        msg = f"feature must be one of {', '.join(FEATURES)}; got {feature!r}."
        raise ParameterError(msg)
    values: NDArray[Any]
    if feature == "ptp":
        values = waveforms.max(axis=1) - waveforms.min(axis=1)
    elif feature == "mean":
        values = waveforms.mean(axis=1)
    elif feature == "energy":
        values = np.linalg.norm(waveforms, axis=1)
    else:
        values = waveforms[:, nbefore]
    return np.asarray(np.abs(values) if absolute else values, np.float64)


def centers_of_mass(
    features: NDArray[np.floating],
    locations_um: NDArray[np.floating],
    mask: NDArray[np.bool_] | None = None,
) -> NDArray[np.float64]:
    """Return the average position of channels, weighted by how strong sources are there.

    Parameters
    ----------
    features : ndarray of shape (n_sources, n_channels)
        Strength at each channel.
    locations_um : ndarray of shape (n_channels, 2)
        Positions of the channels.
    mask : ndarray of shape (n_sources, n_channels) or (n_channels,) and dtype bool, optional
        Channels to be used; all by default.

    Returns
    -------
    ndarray of shape (n_sources, 2) and dtype float64
        Nan for sources of no strength.

    Examples
    --------
    >>> centers_of_mass(np.array([[1.0, 3.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 20.0]]))
    array([[ 0., 15.],
           [nan, nan]])
    """
    weights = np.asarray(features, np.float64)
    if mask is not None:
        weights = np.where(mask, weights, 0.0)
    total = weights.sum(axis=1)[:, np.newaxis]
    weighted = weights @ np.asarray(locations_um, np.float64)[:, :2]
    found = np.full(weighted.shape, np.nan)
    np.divide(weighted, total, out=found, where=total != 0)
    return found


@dataclass(frozen=True)
class LocationGrid:
    """Made-up sources at the points of a grid, and what channels would see of them."""

    positions_um: NDArray[np.float64]
    """Points on the probe; shape (n_points, 2)."""
    weights: NDArray[np.float32]
    """Of each depth, channel and point; shape (n_depths, n_channels, n_points)."""
    is_near: NDArray[np.bool_]
    """Points that are tried for sources of a main channel; shape (n_channels, n_points)."""
    depths: NDArray[np.float64]
    """Distance to the probe in micrometres, or spread of "gaussian_2d"; shape (n_depths,)."""


def location_grid(
    locations_um: NDArray[np.floating],
    radius_um: float = 40.0,
    upsampling_um: float = 5.0,
    margin_um: float = 50.0,
    weight_method: Mapping[str, Any] | None = None,
) -> LocationGrid:
    """Return a grid of made-up sources around channels.

    Parameters
    ----------
    locations_um : ndarray of shape (n_channels, 2)
        Positions of the channels.
    radius_um : float, default 40
        How far from its main channel a source may be.
    upsampling_um : float, default 5
        Distance of the points.
    margin_um : float, default 50
        How far the grid goes beyond the channels.
    weight_method : mapping, optional
        ``mode`` ("exponential_3d" by default, or "gaussian_2d"), ``z_list_um``,
        ``sigma_list_um``, ``sparsity_threshold`` (in [0, 1]), ``sigma_3d``.

    Raises
    ------
    ParameterError
        If there is no such mode or option.

    Examples
    --------
    >>> grid = location_grid(np.array([[0.0, 0.0], [0.0, 20.0]]), margin_um=10.0)
    >>> grid.positions_um.shape, grid.weights.shape
    ((45, 2), (5, 2, 45))
    """
    locations = np.asarray(locations_um, np.float64)[:, :2]
    low, high = locations.min(axis=0) - margin_um, locations.max(axis=0) + margin_um
    along = [
        np.arange(a, b + upsampling_um / 10, upsampling_um) for a, b in zip(low, high, strict=True)
    ]
    x, y = np.meshgrid(*along)
    positions = np.column_stack([x.ravel(), y.ravel()])
    distances = np.linalg.norm(locations[:, np.newaxis] - positions, axis=2)
    weights, depths = _grid_weights(distances, **(weight_method or {}))
    return LocationGrid(positions, weights, distances <= radius_um, depths)


def _grid_weights(
    distances: NDArray[np.float64],
    *,
    z_list_um: Any = None,
    sigma_list_um: Any = None,
    sparsity_threshold: float | None = None,
    sigma_3d: float = 2.5,
    mode: str = "exponential_3d",
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the weights (n_depths, n_channels, n_points) of unit norm, and the depths."""
    if sparsity_threshold is None:
        sparsity_threshold = 0.5 / np.sqrt(len(distances))
    if not 0 <= sparsity_threshold <= 1:
        msg = f"sparsity_threshold must be in [0, 1]; got {sparsity_threshold}."
        raise ParameterError(msg)
    if mode == "exponential_3d":
        depths = np.linspace(0, 120.0, 5) if z_list_um is None else np.asarray(z_list_um, float)
        spread = [np.exp(-np.hypot(distances, z) / sigma_3d) for z in depths]
    elif mode == "gaussian_2d":
        depths = (
            np.linspace(5, 25, 5) if sigma_list_um is None else np.asarray(sigma_list_um, float)
        )
        spread = [np.exp(-(distances**2) / (2 * sigma**2)) for sigma in depths]
    else:
        msg = f"The mode of the weights must be 'exponential_3d' or 'gaussian_2d'; got {mode!r}."
        raise ParameterError(msg)
    weights = _of_unit_norm(np.asarray(spread, np.float32))
    weights[weights < sparsity_threshold] = 0
    return _of_unit_norm(weights), depths


def _of_unit_norm(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(weights, axis=1)[:, np.newaxis]
    scaled = np.zeros_like(weights)
    np.divide(weights, norms, out=scaled, where=norms > 0)
    return scaled


def gaussian_prototype(
    nbefore: int,
    nafter: int,
    sampling_frequency: float,
    sigma_ms: float = 0.25,
    *,
    negative: bool = True,
) -> NDArray[np.float64]:
    """Return the waveform that sources of a grid are taken to have, shape (nbefore + nafter,).

    Examples
    --------
    >>> gaussian_prototype(1, 2, 1000.0, 1.0).round(3)
    array([-0.607, -1.   , -0.607])
    """
    times_ms = np.arange(-nbefore, nafter) * 1000 / sampling_frequency
    waveform = np.exp(-(times_ms**2) / (2 * sigma_ms**2))
    return -waveform if negative else waveform


def grid_locations(
    waveforms: NDArray[np.floating],
    main_channels: NDArray[np.integer],
    grid: LocationGrid,
    prototype: NDArray[np.floating],
    percentile: float = 5.0,
) -> NDArray[np.float64]:
    """Return the positions of the sources of a grid that are most like waveforms, averaged.

    Parameters
    ----------
    waveforms : ndarray of shape (n, n_samples, n_channels)
    main_channels : ndarray of shape (n,)
        Main channel of each.
    grid : LocationGrid
        The made-up sources.
    prototype : ndarray of shape (n_samples,)
        Their waveform.
    percentile : float, default 5
        How many of the sources are averaged, the best ones, in percent.

    Returns
    -------
    ndarray of shape (n, 3) and dtype float64
        Zero where no source is alike.

    Raises
    ------
    ParameterError
        If `percentile` is not in [0, 100], or the prototype has another number of samples.
    """
    shape = np.asarray(prototype, np.float64).ravel()
    if not 0 <= percentile <= 100:
        msg = f"percentile must be in [0, 100]; got {percentile}."
        raise ParameterError(msg)
    if len(shape) != waveforms.shape[1]:
        msg = f"The prototype has {len(shape)} samples, the waveforms have {waveforms.shape[1]}."
        raise ParameterError(msg)
    found = np.zeros((len(waveforms), 3))
    for channel in np.unique(main_channels):
        near = grid.is_near[channel]
        weights = grid.weights[:, :, near]
        seen = (weights > 0).any(axis=(0, 2))
        which = np.flatnonzero(main_channels == channel)
        for first in range(0, len(which), _N_TOGETHER):
            some = which[first : first + _N_TOGETHER]
            likeness = np.tensordot(waveforms[some][:, :, seen], shape, axes=(1, 0))
            products = np.matmul(likeness, weights[:, seen].astype(np.float64)).astype(np.float32)
            best = _best(products, 100 - percentile)
            found[some] = _average(best, grid.positions_um[near], grid.depths)
    return found


def _best(products: NDArray[np.float32], percentile: float) -> NDArray[np.float64]:
    """Return products (n_depths, n, n_points) with all but the best ones of each source zero."""
    n = products.shape[1]
    together = products.transpose(1, 0, 2).reshape(n, -1)
    is_valid = together >= 0
    if percentile > 0 and together.shape[1]:
        # Ascending, those that are not valid behind all others.
        ordered = np.sort(np.where(is_valid, together, np.inf), axis=1)
        last = np.maximum(is_valid.sum(axis=1) - 1, 0)
        position = percentile / 100 * last
        below = np.floor(position).astype(np.int64)
        rows = np.arange(n)
        a = ordered[rows, below].astype(np.float64)
        b = ordered[rows, np.minimum(below + 1, last)].astype(np.float64)
        a, b = (np.where(np.isfinite(x), x, 0.0) for x in (a, b))
        threshold = (a + (b - a) * (position - below)).astype(np.float32)
        is_valid &= together >= threshold[:, np.newaxis]
    kept = np.where(is_valid, together, 0.0).astype(np.float64)
    return kept.reshape(n, len(products), -1)


def _average(
    products: NDArray[np.float64], positions: NDArray[np.float64], depths: NDArray[np.float64]
) -> NDArray[np.float64]:
    by_depth = products.sum(axis=2)
    total = by_depth.sum(axis=1)[:, np.newaxis]
    summed = np.column_stack([products.sum(axis=1) @ positions, by_depth @ depths])
    average = np.zeros_like(summed)
    np.divide(summed, total, out=average, where=total > 0)
    return average
