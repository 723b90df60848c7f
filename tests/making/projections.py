"""Projections of spikes for tests of isolation: clouds of points on the channels of a probe."""

import numpy as np

from spikeloom.metrics.pc_features import pc_features


def clouds(
    n_spikes, *, n_channels=6, n_components=2, radius=2, apart=3.0, seed=0, dtype=np.float32
):
    """Return projections, units, main channels and mask of units along a line of channels."""
    rng = np.random.default_rng(seed)
    n_units = len(n_spikes)
    main = np.arange(n_units) * n_channels // n_units
    mask = np.abs(np.arange(n_channels) - main[:, None]) <= radius
    centres = rng.normal(0, apart, (n_units, n_components, n_channels))
    units = rng.permutation(np.repeat(np.arange(n_units), n_spikes))
    points = rng.normal(size=(units.size, n_components, n_channels)) + centres[units]
    points[~np.broadcast_to(mask[units][:, None], points.shape)] = 0
    return points.astype(dtype), units, main, mask


def features_of(made, *, is_sparse=True):
    points, units, main, mask = made
    return pc_features(
        points,
        units,
        len(main),
        main_channels=main,
        sparsity_mask=mask if is_sparse else None,
    )


def own_and_others(made, unit):
    """Return a unit's features and its neighbours', on its channels, in order of time."""
    points, units, main, mask = made
    is_near = np.isin(units, np.flatnonzero(mask[unit][main])) & (units != unit)
    on_channels = points[:, :, mask[unit]].reshape(len(points), -1)
    return on_channels[units == unit], on_channels[is_near], units[is_near]
