"""The extensions that all others are made of: importing this module registers them."""

from spikeloom.analyzer.core_noise_levels import (
    ComputeNoiseLevels,
    compute_noise_levels,
)
from spikeloom.analyzer.core_random_spikes import (
    ComputeRandomSpikes,
    compute_random_spikes,
)
from spikeloom.analyzer.core_templates import (
    ComputeTemplates,
    compute_templates,
)
from spikeloom.analyzer.core_waveforms import (
    ComputeWaveforms,
    compute_waveforms,
)

__all__ = [
    "ComputeNoiseLevels",
    "ComputeRandomSpikes",
    "ComputeTemplates",
    "ComputeWaveforms",
    "compute_noise_levels",
    "compute_random_spikes",
    "compute_templates",
    "compute_waveforms",
]
