"""Choose some spikes of each unit of a sorting at random."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.random_spikes import RandomSpikesMethod, random_spike_indices
from spikeloom.core.sorting import BaseSorting


def random_spikes_selection(
    sorting: BaseSorting,
    num_samples: Sequence[int] | None = None,
    method: RandomSpikesMethod = "uniform",
    max_spikes_per_unit: int | None = 500,
    margin_size: int | None = None,
    seed: int | None = None,
    percentage: float | None = None,
    maximum_rate: float | None = None,
) -> NDArray[np.int64]:
    """Choose spikes of each unit at random; the same seed gives the same spikes.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    num_samples : sequence of int, optional
        Samples of each segment; by default those of the registered recording, if there is one.
    method : {"uniform", "all", "percentage", "maximum_rate"}
        "uniform" chooses up to `max_spikes_per_unit`; "percentage" the part `percentage` of each
        unit's spikes; "maximum_rate" so many as would fire at `maximum_rate` in the whole
        recording. The last two choose no more than `max_spikes_per_unit` either.
    max_spikes_per_unit : int, optional
        None is no limit.
    margin_size : int, optional
        Samples at both ends of a segment whose spikes are not chosen; needs `num_samples`.
    seed : int, optional
        Without it, each call chooses other spikes.
    percentage : float, optional
        Above 0, up to 1.
    maximum_rate : float, optional
        In spikes per second.

    Returns
    -------
    ndarray of shape (n_chosen,)
        Places in the spike vector, increasing.

    Raises
    ------
    ParameterError
        If the method is none of these, or a parameter that it needs is missing or makes no sense.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20]}, 30000.0)
    >>> random_spikes_selection(sorting, max_spikes_per_unit=1, seed=0).size
    2
    """
    if num_samples is None and sorting.has_recording():
        num_samples = [sorting.get_num_samples(k) for k in range(sorting.get_num_segments())]
    needs_groups = method != "all" or margin_size is not None
    return random_spike_indices(
        sorting.spike_table(),
        sorting.get_num_units(),
        method=method,
        max_spikes_per_unit=max_spikes_per_unit,
        num_samples=num_samples,
        margin_size=margin_size,
        percentage=percentage,
        maximum_rate=maximum_rate,
        sampling_frequency=sorting.sampling_frequency,
        seed=seed,
        groups=sorting._order("unit") if needs_groups else None,
    )
