"""Twins of what finds positions: loops, and scipy's solvers."""

import numpy as np
from scipy.optimize import least_squares


def triangulate(features, locations, max_distance_um):
    """Fit one source, to the last digit."""
    strongest = features.argmax()
    center = features @ locations / features.sum()
    alpha = np.hypot(np.linalg.norm(center - locations[strongest]), 20.0) * features[strongest]
    start = [*center, 20.0, alpha]
    low = [center[0] - max_distance_um, center[1] - max_distance_um, 1.0, 0.0]
    high = [
        center[0] + max_distance_um,
        center[1] + max_distance_um,
        max_distance_um * 10,
        features[strongest] * max_distance_um,
    ]

    def residuals(params):
        x, y, z, strength = params
        offsets = locations - [x, y]
        return strength / np.sqrt((offsets**2).sum(axis=1) + z**2) - features

    options = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15, "x_scale": [10, 10, 10, alpha]}
    return least_squares(residuals, start, bounds=(low, high), max_nfev=5000, **options)


def penalized_cost(place, features, locations):
    scaled = features / features.max()
    q = 1 / np.sqrt(((locations - place[:2]) ** 2).sum(axis=1) + place[2] ** 2)
    alpha = (q * scaled).sum() / (q * q).sum()
    return np.square(scaled - alpha * q).mean() - np.log1p(10.0 * place[2]) / 10000.0


def grid_location(waveform, near, grid, prototype, percentile):
    """Average the positions of the best sources near a channel, source by source."""
    found, total, products = np.zeros(3), 0.0, []
    for depth, weights in zip(grid.depths, grid.weights, strict=True):
        for point in np.flatnonzero(near):
            product = np.float32(
                (waveform * prototype[:, np.newaxis]).sum(axis=0) @ weights[:, point]
            )
            if product >= 0:
                products.append((product, [*grid.positions_um[point], depth]))
    threshold = np.percentile([p for p, _ in products], 100 - percentile) if products else 0
    for product, position in products:
        if product >= threshold:
            found += product * np.array(position)
            total += product
    return found / total if total else found
