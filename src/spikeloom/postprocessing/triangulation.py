"""Where sources are, from how their strength falls off with the distance to each channel.

The strength of a source ``alpha`` at a channel is taken for ``alpha / distance`` (a monopole). Many
sources are fitted at once, by damped Newton steps within bounds: a step that does not help is made
again, shorter, and a source that moves no more is done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

Optimizer = Literal["least_square", "minimize_with_log_penality"]
"""Least squares over position and strength; or over the position, which is drawn off the probe."""

_N_STEPS = 300
_N_TOGETHER = 1024
_INITIAL_Z_UM = 20.0
_SMALLEST_Z_UM = 1.0
_CHANGE = 1e-12
"""Relative change of the cost below which a fit is done, after two such steps."""
_LARGEST_DAMPING = 1e14

Floats = NDArray[np.float64]
Model = Callable[["_Data", Floats], tuple[Floats, Floats, Floats]]
"""Cost (n,), gradient (n, p) and curvature (n, p, p) at parameters (n, p)."""


@dataclass(frozen=True)
class _Data:
    features: Floats
    """Shape (n_sources, n_channels); zero outside the mask."""
    locations: Floats
    """Shape (n_channels, 2)."""
    mask: NDArray[np.bool_]
    """Shape (n_sources, n_channels)."""

    def some(self, chosen: NDArray[np.int64]) -> "_Data":
        return _Data(self.features[chosen], self.locations, self.mask[chosen])


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
    if optimizer not in {"least_square", "minimize_with_log_penality"}:
        msg = (
            f"optimizer must be 'least_square' or 'minimize_with_log_penality'; got {optimizer!r}."
        )
        raise ParameterError(msg)
    values = np.asarray(features, np.float64)
    used = np.ones(values.shape, bool) if mask is None else np.asarray(mask, bool)
    data = _Data(np.where(used, values, 0.0), np.asarray(locations_um, np.float64)[:, :2], used)
    found = np.full((len(values), 4), np.nan)
    is_finite = np.isfinite(data.features).all(axis=1)
    usable = np.flatnonzero(is_finite & (data.features.sum(axis=1) > 0))
    for first in range(0, len(usable), _N_TOGETHER):
        some = usable[first : first + _N_TOGETHER]
        found[some] = _triangulate(data.some(some), max_distance_um, optimizer)
    return found


def _triangulate(data: _Data, max_distance_um: float, optimizer: Optimizer) -> Floats:
    n = len(data.features)
    strongest = np.where(data.mask, data.features, -np.inf).argmax(axis=1)
    highest = data.features[np.arange(n), strongest]
    centers = data.features @ data.locations / data.features.sum(axis=1)[:, np.newaxis]
    to_strongest = np.linalg.norm(centers - data.locations[strongest], axis=1)
    alpha = np.hypot(to_strongest, _INITIAL_Z_UM) * highest
    start = np.column_stack([centers, np.full(n, _INITIAL_Z_UM), alpha])
    lower, upper = start.copy(), start.copy()
    lower[:, :2] -= max_distance_um
    upper[:, :2] += max_distance_um
    lower[:, 2], upper[:, 2] = _SMALLEST_Z_UM, max_distance_um * 10
    lower[:, 3], upper[:, 3] = 0.0, highest * max_distance_um
    if optimizer == "least_square":
        return _descend(_monopoles, data, start, lower, upper)
    scaled = _Data(data.features / highest[:, np.newaxis], data.locations, data.mask)
    place = _descend(_places, scaled, start[:, :3], lower[:, :3], upper[:, :3])
    _, inverse = _inverse_distances(data, place)
    strength = (data.features * inverse).sum(axis=1) / (inverse**2).sum(axis=1)
    return np.column_stack([place, strength])


def _inverse_distances(data: _Data, place: Floats) -> tuple[Floats, Floats]:
    """Return vectors from channels to places (n, n_channels, 3), and inverse distances."""
    offsets = np.empty((*data.features.shape, 3))
    offsets[..., :2] = place[:, np.newaxis, :2] - data.locations
    offsets[..., 2] = place[:, np.newaxis, 2]
    inverse = 1 / np.sqrt((offsets**2).sum(axis=2))
    return offsets, np.where(data.mask, inverse, 0.0)


def _monopoles(data: _Data, params: Floats) -> tuple[Floats, Floats, Floats]:
    """Half the sum of squared differences, over x, y, z and alpha."""
    offsets, inverse = _inverse_distances(data, params)
    alpha = params[:, 3, np.newaxis]
    residuals = alpha * inverse - data.features
    slopes = np.empty((*inverse.shape, 4))
    slopes[..., :3] = (-alpha * inverse**3)[..., np.newaxis] * offsets
    slopes[..., 3] = inverse
    return _squares(residuals, slopes)


def _places(data: _Data, params: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean squared difference with the best alpha, less a reward for z; over x, y and z."""
    offsets, inverse = _inverse_distances(data, params)
    power = (inverse**2).sum(axis=1, keepdims=True)
    alpha = (inverse * data.features).sum(axis=1, keepdims=True) / power
    residuals = alpha * inverse - data.features
    slopes = (-alpha * inverse**3)[..., np.newaxis] * offsets
    # What alpha makes up for is no change: take out of the slopes what is along the model.
    along = (slopes * inverse[..., np.newaxis]).sum(axis=1, keepdims=True) / power[..., np.newaxis]
    slopes -= along * inverse[..., np.newaxis]
    cost, gradient, curvature = _squares(residuals, slopes)
    scale = 2.0 / data.mask.sum(axis=1)
    z = params[:, 2]
    cost = cost * scale - np.log1p(10 * z) / 1e4
    gradient *= scale[:, np.newaxis]
    curvature *= scale[:, np.newaxis, np.newaxis]
    gradient[:, 2] -= 1e-3 / (1 + 10 * z)
    curvature[:, 2, 2] += 1e-2 / (1 + 10 * z) ** 2
    return cost, gradient, curvature


def _squares(residuals: Floats, slopes: Floats) -> tuple[Floats, Floats, Floats]:
    transposed = slopes.transpose(0, 2, 1)
    gradient = (transposed @ residuals[..., np.newaxis])[..., 0]
    return 0.5 * (residuals**2).sum(axis=1), gradient, transposed @ slopes


def _descend(model: Model, data: _Data, start: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return the parameters of least cost within bounds, from `start` on."""
    done = np.clip(start, lower, upper)
    active = np.arange(len(start))
    params, low, high = done.copy(), lower, upper
    cost, gradient, curvature = model(data, params)
    damping = np.full(len(params), 1e-3)
    n_small = np.zeros(len(params), np.int64)
    for _ in range(_N_STEPS):
        trial = np.clip(params + _steps(params, gradient, curvature, damping, low, high), low, high)
        new_cost, new_gradient, new_curvature = model(data, trial)
        is_better = new_cost <= cost
        change = np.abs(cost - new_cost) <= _CHANGE * np.abs(cost) + 1e-300
        n_small = np.where(is_better & change, n_small + 1, np.where(is_better, 0, n_small))
        params[is_better] = trial[is_better]
        cost = np.where(is_better, new_cost, cost)
        gradient[is_better] = new_gradient[is_better]
        curvature[is_better] = new_curvature[is_better]
        damping = np.where(is_better, np.maximum(damping / 10, 1e-15), damping * 10)
        is_done = (n_small >= 2) | (damping > _LARGEST_DAMPING)
        if not is_done.any():
            continue
        done[active[is_done]] = params[is_done]
        left = np.flatnonzero(~is_done)
        if not len(left):
            return done
        data, active = data.some(left), active[left]
        params, low, high, cost, damping = (x[left] for x in (params, low, high, cost, damping))
        gradient, curvature, n_small = gradient[left], curvature[left], n_small[left]
    done[active] = params
    return done


def _steps(
    params: Floats,
    gradient: Floats,
    curvature: Floats,
    damping: Floats,
    lower: Floats,
    upper: Floats,
) -> Floats:
    """Return a damped Newton step; parameters that press against a bound stay there."""
    stuck = ((params <= lower) & (gradient > 0)) | ((params >= upper) & (gradient < 0))
    n_params = params.shape[1]
    diagonal = np.arange(n_params)
    matrix = curvature.copy()
    scales = matrix[:, diagonal, diagonal]
    matrix[:, diagonal, diagonal] += damping[:, np.newaxis] * scales + 1e-300
    is_out = stuck[:, :, np.newaxis] | stuck[:, np.newaxis, :]
    matrix[is_out] = 0.0
    matrix[:, diagonal, diagonal] += stuck | (scales <= 0)
    # Equal scales keep a parameter of large numbers (alpha) from drowning the others.
    size = 1 / np.sqrt(matrix[:, diagonal, diagonal])
    scaled = matrix * size[:, :, np.newaxis] * size[:, np.newaxis, :]
    right = np.where(stuck, 0.0, gradient) * size
    return np.asarray(-np.linalg.solve(scaled, right[..., np.newaxis])[..., 0] * size)
