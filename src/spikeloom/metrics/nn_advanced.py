"""The metric ``nn_advanced``: isolation from units and from noise, of waveforms on few channels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.metrics.inputs import MetricInputs, UnitTemplates
from spikeloom.metrics.nn_isolation import nn_isolation, nn_noise_overlap
from spikeloom.metrics.spiketrain import firing_rates


def nn_advanced(
    inputs: MetricInputs, *, radius_um: float = 100, min_spatial_overlap: float = 0.5, **params: Any
) -> Mapping[str, NDArray[np.float64]]:
    """Compute ``nn_isolation`` and ``nn_noise_overlap``.

    Parameters
    ----------
    inputs : MetricInputs
        With waveforms, templates, and pieces of noise; without those the overlap is NaN.
    radius_um : float, default 100
        If waveforms are dense, channels so near to the main channel are taken.
    min_spatial_overlap : float, default 0.5
        See `nn_isolation`.
    **params
        Others of `nn_isolation` and `nn_noise_overlap`.

    Returns
    -------
    dict of column name to ndarray of shape (n_units,)

    Raises
    ------
    MissingExtensionError
        If there are no waveforms or templates.
    """
    waveforms, of = inputs.need("waveforms"), inputs.need("templates")
    n_units = len(of.main_channels)
    channels = [of.channels_of(unit) for unit in range(n_units)]
    if of.sparsity_mask is None:
        channels = [_within(of, unit, radius_um) for unit in range(n_units)]
        waveforms = [one[:, :, near] for one, near in zip(waveforms, channels, strict=True)]
    shared: dict[str, Any] = {
        "units": inputs.units,
        "num_spikes": inputs.spikes.counts,
        "firing_rates": np.nan_to_num(firing_rates(inputs.spikes)),
        **params,
    }
    isolation = nn_isolation(
        waveforms, channels, min_spatial_overlap=min_spatial_overlap, **shared
    ).nn_isolation
    overlap = np.full(n_units, np.nan)
    if inputs.noise_snippets is not None:
        templates = of.templates if of.median_templates is None else of.median_templates
        overlap = nn_noise_overlap(waveforms, channels, inputs.noise_snippets, templates, **shared)
    return {"nn_isolation": isolation, "nn_noise_overlap": overlap}


def _within(of: UnitTemplates, unit_index: int, radius_um: float) -> NDArray[np.int64]:
    offsets = of.channel_locations - of.channel_locations[of.main_channels[unit_index]]
    return np.flatnonzero(np.linalg.norm(offsets, axis=1) <= radius_um)
