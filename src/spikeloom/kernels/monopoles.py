"""Where sources are whose strength falls off with one over the distance.

Each source is fitted by itself, by damped Newton steps (Levenberg and Marquardt's) within bounds: a
step that does not help is made again, shorter, and a source that moves no more is done.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel

_N_STEPS = 300
_INITIAL_Z = 20.0
_SMALLEST_Z = 1.0
_CHANGE = 1e-12
"""Relative change of the cost below which a fit is done, after two such steps."""
_SMALLEST_DAMPING, _LARGEST_DAMPING = 1e-15, 1e14

Floats = NDArray[np.float64]


class Seen(NamedTuple):
    """A source, as its channels see it."""

    values: Floats
    """How strong it is at each; shape (n_channels,)."""
    x: Floats
    """Where they are."""
    y: Floats
    inverse: Floats
    """Room for one over the distances."""
    slopes: Floats
    """Room for derivatives; shape (n_channels, 4)."""


@kernel
def _add_squares(seen: Seen, alpha: float, gradient: Floats, curvature: Floats) -> float:
    """Fill gradient and curvature of half the sum of squared differences, and return that."""
    n_params = gradient.size
    gradient[:] = 0.0
    curvature[:] = 0.0
    cost = 0.0
    for k in range(seen.values.size):
        residual = alpha * seen.inverse[k] - seen.values[k]
        cost += residual * residual
        for a in range(n_params):
            slope = seen.slopes[k, a]
            gradient[a] += slope * residual
            for b in range(a + 1):
                curvature[a, b] += slope * seen.slopes[k, b]
    return 0.5 * cost


@kernel
def _look_from(seen: Seen, params: Floats) -> None:
    """Fill one over the distances between a place and the channels."""
    for k in range(seen.values.size):
        dx, dy = params[0] - seen.x[k], params[1] - seen.y[k]
        seen.inverse[k] = 1 / np.sqrt(dx * dx + dy * dy + params[2] * params[2])


@kernel
def _fill_slopes(seen: Seen, params: Floats, alpha: float) -> None:
    """Fill how what each channel sees changes with x, y, z and alpha."""
    for k in range(seen.values.size):
        inverse = seen.inverse[k]
        outwards = -alpha * inverse * inverse * inverse
        seen.slopes[k, 0] = outwards * (params[0] - seen.x[k])
        seen.slopes[k, 1] = outwards * (params[1] - seen.y[k])
        seen.slopes[k, 2] = outwards * params[2]
        seen.slopes[k, 3] = inverse


@kernel
def _best_alpha(seen: Seen) -> tuple[float, float]:
    """Return the strength that fits a place best, and the sum of the squared inverse distances."""
    power = total = 0.0
    for k in range(seen.values.size):
        power += seen.inverse[k] * seen.inverse[k]
        total += seen.inverse[k] * seen.values[k]
    return total / power, power


@kernel
def _cost_of_monopole(seen: Seen, params: Floats, gradient: Floats, curvature: Floats) -> float:
    """Return half the sum of squared differences, over x, y, z and alpha."""
    _look_from(seen, params)
    _fill_slopes(seen, params, params[3])
    return _add_squares(seen, params[3], gradient, curvature)


@kernel
def _cost_of_place(seen: Seen, params: Floats, gradient: Floats, curvature: Floats) -> float:
    """Return the mean squared difference with the best alpha, less a reward for z."""
    _look_from(seen, params)
    alpha, power = _best_alpha(seen)
    _fill_slopes(seen, params, alpha)
    # What alpha makes up for is no change: take out of the slopes what is along the model.
    for a in range(3):
        along = 0.0
        for k in range(seen.values.size):
            along += seen.slopes[k, a] * seen.inverse[k]
        for k in range(seen.values.size):
            seen.slopes[k, a] -= along / power * seen.inverse[k]
    scale = 2.0 / seen.values.size
    z = params[2]
    cost = _add_squares(seen, alpha, gradient, curvature) * scale
    cost -= float(np.log1p(10 * z)) / 1e4
    for a in range(3):
        gradient[a] *= scale
        for b in range(a + 1):
            curvature[a, b] *= scale
    gradient[2] -= 1e-3 / (1 + 10 * z)
    curvature[2, 2] += 1e-2 / (1 + 10 * z) ** 2
    return cost


class Fit(NamedTuple):
    """Parameters, what is known at them, and how far they may go."""

    params: Floats
    gradient: Floats
    curvature: Floats
    """Its lower triangle."""
    low: Floats
    high: Floats


@kernel
def _fill_downhill(fit: Fit, size: Floats, step: Floats) -> None:
    """Fill the scale of each parameter, zero for one that stays, and the slope downwards."""
    for a in range(fit.params.size):
        slope, diagonal = fit.gradient[a], fit.curvature[a, a]
        # What presses against a bound stays there.
        is_stuck = fit.params[a] <= fit.low[a] and slope > 0
        is_stuck |= fit.params[a] >= fit.high[a] and slope < 0
        # Equal scales keep a parameter of large numbers (alpha) from drowning the others.
        size[a] = 1 / np.sqrt(diagonal) if diagonal > 0 and not is_stuck else 0.0
        step[a] = -slope * size[a]


@kernel
def _decompose(fit: Fit, damping: float, size: Floats, lower: Floats) -> bool:
    """Fill the Cholesky factor of the scaled and damped curvature; False if there is none."""
    for a in range(size.size):
        for b in range(a + 1):
            value = fit.curvature[a, b] * size[a] * size[b]
            if a == b:
                value = 1.0 + damping if size[a] > 0 else 1.0
            for c in range(b):
                value -= lower[a, c] * lower[b, c]
            if a > b:
                lower[a, b] = value / lower[b, b]
            elif value > 0:
                lower[a, a] = np.sqrt(value)
            else:
                return False
    return True


@kernel
def _fill_trial(fit: Fit, damping: float, room: Floats, trial: Floats) -> bool:
    """Fill the parameters after a step; False if there is none. `room` has n + 2 rows."""
    n = fit.params.size
    lower, size, step = room[:n], room[n], room[n + 1]
    _fill_downhill(fit, size, step)
    if not _decompose(fit, damping, size, lower):
        return False
    for a in range(n):
        for c in range(a):
            step[a] -= lower[a, c] * step[c]
        step[a] /= lower[a, a]
    for a in range(n - 1, -1, -1):
        for c in range(a + 1, n):
            step[a] -= lower[c, a] * step[c]
        step[a] /= lower[a, a]
        trial[a] = min(max(fit.params[a] + step[a] * size[a], fit.low[a]), fit.high[a])
    return True


@kernel
def _cost(seen: Seen, params: Floats, gradient: Floats, curvature: Floats) -> float:
    """Return what is made small: with four parameters the one, with three the other."""
    if params.size == 4:
        return _cost_of_monopole(seen, params, gradient, curvature)
    return _cost_of_place(seen, params, gradient, curvature)


@kernel
def _descend(seen: Seen, fit: Fit) -> None:
    """Move the parameters to where the cost is least."""
    n = fit.params.size
    trial, gradient = np.empty(n), np.empty(n)
    curvature, room = np.empty((n, n)), np.empty((n + 2, n))
    for a in range(n):
        fit.params[a] = min(max(fit.params[a], fit.low[a]), fit.high[a])
    cost = _cost(seen, fit.params, fit.gradient, fit.curvature)
    damping, n_small = 1e-3, 0
    for _ in range(_N_STEPS):
        new_cost = np.inf
        if _fill_trial(fit, damping, room, trial):
            new_cost = _cost(seen, trial, gradient, curvature)
        if not new_cost <= cost:
            damping *= 10
            if damping > _LARGEST_DAMPING:
                return
            continue
        n_small = n_small + 1 if cost - new_cost <= _CHANGE * abs(cost) + 1e-300 else 0
        cost = new_cost
        fit.params[:] = trial
        fit.gradient[:] = gradient
        fit.curvature[:] = curvature
        damping = max(damping / 10, _SMALLEST_DAMPING)
        if n_small >= 2:
            return


@kernel
def _begin(
    features: Floats,
    near: NDArray[np.int64],
    locations: Floats,
    seen: Seen,
    start: NDArray[np.float64],
) -> bool:
    """Fill what is seen from the center of mass, where a fit begins; False without strength.

    `start` gets that center, the greatest strength, and the alpha that it means.
    """
    total, strongest = 0.0, 0
    start[:] = 0.0
    for k in range(near.size):
        seen.values[k] = value = features[k]
        if not np.isfinite(value):
            return False
        total += value
        start[0] += value * locations[near[k], 0]
        start[1] += value * locations[near[k], 1]
        if value > features[strongest]:
            strongest = k
    if not total > 0:
        return False
    start[0] /= total
    start[1] /= total
    for k in range(near.size):
        seen.x[k] = locations[near[k], 0] - start[0]
        seen.y[k] = locations[near[k], 1] - start[1]
    start[2] = features[strongest]
    square = seen.x[strongest] ** 2 + seen.y[strongest] ** 2
    start[3] = np.sqrt(square + _INITIAL_Z**2) * start[2]
    return True


@kernel
def fit_monopoles(
    features: Floats,
    which: NDArray[np.int64],
    first: NDArray[np.int64],
    columns: NDArray[np.int64],
    locations: Floats,
    max_distance: float,
    n_params: int,
    found: Floats,
) -> None:
    """Fill `found` (n_sources, 4) with x, y, z and alpha; nan for a source without strength.

    Source ``i`` is seen by the channels ``columns[first[which[i]]:first[which[i] + 1]]``, as strong
    as its row of `features` (n_sources, n_channels_max) begins. With 4 for `n_params` all four are
    fitted; with 3 the place, with the best alpha for it and a small reward for distance to the
    probe.
    """
    n_most = features.shape[1]
    values, inverse = np.empty(n_most), np.empty(n_most)
    x, y = np.empty(n_most), np.empty(n_most)
    slopes, start = np.empty((n_most, 4)), np.empty(4)
    params, gradient = np.empty(n_params), np.empty(n_params)
    low, high = np.empty(n_params), np.empty(n_params)
    curvature = np.empty((n_params, n_params))
    low[:2], high[:2] = -max_distance, max_distance
    low[2], high[2] = _SMALLEST_Z, max_distance * 10
    for i in range(which.size):
        near = columns[first[which[i]] : first[which[i] + 1]]
        n = near.size
        seen = Seen(values[:n], x[:n], y[:n], inverse[:n], slopes[:n])
        found[i] = np.nan
        if not _begin(features[i], near, locations, seen, start):
            continue
        params[:2], params[2] = 0.0, _INITIAL_Z
        if n_params == 4:
            params[3], low[3], high[3] = start[3], 0.0, start[2] * max_distance
        else:
            values[:n] /= start[2]
        _descend(seen, Fit(params, gradient, curvature, low, high))
        found[i, 0], found[i, 1] = params[0] + start[0], params[1] + start[1]
        found[i, 2] = params[2]
        if n_params == 4:
            found[i, 3] = params[3]
        else:
            _look_from(seen, params)
            found[i, 3] = _best_alpha(seen)[0] * start[2]
