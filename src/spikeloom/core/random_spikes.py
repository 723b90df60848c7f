"""Choose some spikes of each unit at random: the same for the same seed, whatever the machine."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.spike_trains import UnitOrder, group_by_unit
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import ParameterError

RandomSpikesMethod = Literal["uniform", "all", "percentage", "maximum_rate"]
"""How many spikes of a unit are chosen."""

_METHODS = ("uniform", "all", "percentage", "maximum_rate")


def random_spike_indices(
    table: SpikeTable,
    n_units: int,
    *,
    method: RandomSpikesMethod = "uniform",
    max_spikes_per_unit: int | None = 500,
    num_samples: Sequence[int] | None = None,
    margin_size: int | None = None,
    percentage: float | None = None,
    maximum_rate: float | None = None,
    sampling_frequency: float | None = None,
    seed: int | None = None,
    groups: UnitOrder | None = None,
) -> NDArray[np.int64]:
    """Choose spikes of each unit at random.

    Units are gone through in order with one generator, ``numpy.random.default_rng(seed)``, so a
    seed always gives the same spikes. A unit that has too few gives all that it has.

    Parameters
    ----------
    table : SpikeTable
    n_units : int
    method : {"uniform", "all", "percentage", "maximum_rate"}
        "uniform" chooses up to `max_spikes_per_unit`; "percentage" the part `percentage` of each
        unit's spikes; "maximum_rate" so many as would fire at `maximum_rate` in the whole
        recording. The last two choose no more than `max_spikes_per_unit` either.
    max_spikes_per_unit : int, optional
        None is no limit.
    num_samples : sequence of int, optional
        Samples of each segment. Without it segments end at their last spike.
    margin_size : int, optional
        Samples at both ends of a segment whose spikes are not chosen; needs `num_samples`.
    percentage : float, optional
        Above 0, up to 1.
    maximum_rate : float, optional
        In spikes per second; needs `sampling_frequency`.
    sampling_frequency : float, optional
        In Hz.
    seed : int, optional
        Without it, each call chooses other spikes.
    groups : UnitOrder, optional
        The spikes by unit, if known already.

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
    >>> table = SpikeTable(np.arange(6), np.array([0, 1, 0, 1, 0, 0]), np.array([0, 6]))
    >>> random_spike_indices(table, 2, max_spikes_per_unit=2, seed=0).size
    4
    >>> random_spike_indices(table, 2, method="all", margin_size=2, num_samples=[6])
    array([2, 3])
    """
    _check_choice(table, method, num_samples, margin_size, percentage)
    if method == "all" and margin_size is None:
        return np.arange(table.n_spikes)
    part, n_max = 1.0, table.n_spikes
    if method == "percentage":
        part = percentage or 0.0
    elif method == "maximum_rate":
        n_max = _rate_limit(table, maximum_rate, sampling_frequency, num_samples)
    if max_spikes_per_unit is not None and method != "all":
        n_max = min(n_max, max_spikes_per_unit)
    groups = group_by_unit(table, n_units) if groups is None else groups
    rng = np.random.default_rng(seed)
    chosen = [np.zeros(0, np.int64)]
    for unit_index in range(n_units):
        spikes = _spikes_inside(table, groups, unit_index, margin_size, num_samples)
        if method != "all":
            n_chosen = min(int(part * spikes.size), n_max)
            spikes = rng.choice(spikes, n_chosen, replace=False, shuffle=False)
        chosen.append(spikes)
    return np.sort(np.concatenate(chosen))


def _check_choice(
    table: SpikeTable,
    method: str,
    num_samples: Sequence[int] | None,
    margin_size: int | None,
    percentage: float | None,
) -> None:
    """Raise if the parameters of a random choice make no sense."""
    if method not in _METHODS:
        msg = f"method is one of {', '.join(_METHODS)}; got {method!r}."
        raise ParameterError(msg)
    if margin_size is not None and num_samples is None:
        msg = "margin_size needs num_samples, the number of samples of each segment."
        raise ParameterError(msg)
    if num_samples is not None and len(num_samples) != table.n_segments:
        msg = f"num_samples has {len(num_samples)} entries for {table.n_segments} segments."
        raise ParameterError(msg)
    if method == "percentage" and not (percentage is not None and 0 < percentage <= 1):
        msg = f"percentage is above 0 and up to 1; got {percentage}."
        raise ParameterError(msg)


def _rate_limit(
    table: SpikeTable,
    maximum_rate: float | None,
    sampling_frequency: float | None,
    num_samples: Sequence[int] | None,
) -> int:
    """Return how many spikes a unit fires at the maximum rate."""
    if maximum_rate is None or sampling_frequency is None or maximum_rate < 0:
        msg = (
            "maximum_rate, in spikes per second and not negative, is needed with the sampling "
            f"frequency; got {maximum_rate} and {sampling_frequency} Hz."
        )
        raise ParameterError(msg)
    if num_samples is None:
        num_samples = [table.last_spike_frame(i) for i in range(table.n_segments)]
    return int(maximum_rate * sum(num_samples) / sampling_frequency)


def _spikes_inside(
    table: SpikeTable,
    groups: UnitOrder,
    unit_index: int,
    margin_size: int | None,
    num_samples: Sequence[int] | None,
) -> NDArray[np.int64]:
    """Return the places of a unit's spikes that are not in the margins of the segments."""
    if margin_size is None or num_samples is None:
        return groups.spikes_of(unit_index)
    parts = [np.zeros(0, np.int64)]
    for segment_index, n_samples in enumerate(num_samples):
        spikes = groups.spikes_of(unit_index, segment_index)
        samples = table.sample_index[spikes]
        first = np.searchsorted(samples, margin_size)
        end = np.searchsorted(samples, max(margin_size, n_samples - margin_size))
        parts.append(spikes[first:end])
    return np.concatenate(parts)
