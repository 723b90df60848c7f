"""Add the waveforms of spikes to traces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.kernels.jit import kernel


@kernel
def add_templates(
    block: NDArray[Any],
    starts: NDArray[np.int64],
    units: NDArray[np.integer],
    scales: NDArray[np.floating],
    templates: NDArray[Any],
) -> None:
    """Add the scaled template of each spike to `block` (n_samples, n_channels).

    `starts` (n_spikes,) is the sample of the block where each template begins, maybe before the
    block or beyond its end: what lies outside is left out. `templates` is
    (n_units, n_window_samples, n_channels). Spikes are added in the order they are given, so
    that a sample comes out the same in whichever block it lies; each product is turned into the
    number type of the block before it is added.
    """
    n_samples, n_channels = block.shape
    n_window_samples = templates.shape[1]
    cast = block.dtype.type
    for i in range(starts.size):
        unit = units[i]
        scale = scales[i]
        first = max(0, -starts[i])
        last = min(n_window_samples, n_samples - starts[i])
        for t in range(first, last):
            samples = block[starts[i] + t]
            template = templates[unit, t]
            for c in range(n_channels):
                samples[c] += cast(scale * template[c])


@kernel
def add_templates_to_channels(
    block: NDArray[Any],
    channels: NDArray[np.int64],
    starts: NDArray[np.int64],
    units: NDArray[np.integer],
    scales: NDArray[np.floating],
    templates: NDArray[Any],
) -> None:
    """Do what `add_templates` does for a block of some `channels` (n_block_channels,)."""
    n_samples, n_channels = block.shape
    n_window_samples = templates.shape[1]
    cast = block.dtype.type
    for i in range(starts.size):
        unit = units[i]
        scale = scales[i]
        first = max(0, -starts[i])
        last = min(n_window_samples, n_samples - starts[i])
        for t in range(first, last):
            samples = block[starts[i] + t]
            template = templates[unit, t]
            for c in range(n_channels):
                samples[c] += cast(scale * template[channels[c]])
