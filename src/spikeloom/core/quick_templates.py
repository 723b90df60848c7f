"""Templates from a few spikes of each unit: enough to see which channels it has."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.random_spikes import random_spike_indices
from spikeloom.core.recording import BaseRecording
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.template_estimation import estimate_templates_with_accumulator
from spikeloom.core.unit_conversion import ms_to_samples


def templates_of_some_spikes(
    recording: BaseRecording,
    sorting: BaseSorting,
    *,
    n_spikes: int = 100,
    ms_before: float = 1.0,
    ms_after: float = 2.5,
    seed: int | None = None,
    return_in_uV: bool = True,
    **job_kwargs: Any,
) -> NDArray[np.float32]:
    """Average some spikes of each unit, none of them at the ends of a segment.

    Parameters
    ----------
    recording : BaseRecording
        The recording.
    sorting : BaseSorting
        Its spikes.
    n_spikes : int, default 100
        Spikes of each unit.
    ms_before, ms_after : float
        Milliseconds around a spike.
    seed : int, optional
        For the choice of spikes.
    return_in_uV : bool, default True
        In microvolts rather than in steps of the file.
    **job_kwargs
        See `spikeloom.set_global_job_kwargs`.

    Returns
    -------
    ndarray of shape (n_units, n_samples, n_channels) and dtype float32
        Zero for units without such spikes.
    """
    nbefore = ms_to_samples(ms_before, recording.sampling_frequency)
    nafter = ms_to_samples(ms_after, recording.sampling_frequency)
    n_segments = recording.get_num_segments()
    chosen = random_spike_indices(
        sorting.spike_table(),
        sorting.get_num_units(),
        max_spikes_per_unit=n_spikes,
        num_samples=[recording.get_num_samples(k) for k in range(n_segments)],
        margin_size=max(nbefore, nafter),
        seed=seed,
    )
    averages: NDArray[np.float32] = estimate_templates_with_accumulator(
        recording,
        sorting.to_spike_vector()[chosen],
        sorting.unit_ids,
        nbefore,
        nafter,
        return_in_uV=return_in_uV,
        job_name="estimate_templates",
        **job_kwargs,
    )
    return averages
