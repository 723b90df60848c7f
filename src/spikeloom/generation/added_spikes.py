"""Spikes to add to a sorting: synchronous ones, and ones that do not disturb its own."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.spike_building import table_from_unit_dicts
from spikeloom.core.spike_vector import SpikeTable, minimum_spike_dtype
from spikeloom.errors import ParameterError
from spikeloom.generation.random_streams import Purpose, given_or_new_seed, random_stream
from spikeloom.generation.transformed_sortings import TransformSorting, distance_to_nearest


def add_synchrony_to_sorting(
    sorting: BaseSorting, sync_event_ratio: float = 0.3, seed: int | None = None
) -> TransformSorting:
    """Let units fire at the very sample at which another one fires.

    Parameters
    ----------
    sorting : BaseSorting
        What spikes are added to.
    sync_event_ratio : float, default 0.3
        Number of spikes to add, relative to those that are there.
    seed : int, optional
        The same seed gives the same spikes; None is a new seed.

    Returns
    -------
    TransformSorting
        No unit has two spikes at a sample where it had one before.

    Raises
    ------
    ParameterError
        If the ratio is negative, or if there are too few units for so many spikes.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 20, 30], "b": [15]}, 30_000.0)
    >>> add_synchrony_to_sorting(sorting, 0.5, seed=0).to_spike_vector().size
    6
    """
    if not sync_event_ratio >= 0:
        msg = f"sync_event_ratio={sync_event_ratio} must not be negative."
        raise ParameterError(msg)
    table, n_units = sorting.spike_table(), sorting.get_num_units()
    n_added = int(table.n_spikes * sync_event_ratio)
    segments = table.segment_index()
    is_event = np.ones(table.n_spikes, bool)
    is_event[1:] = (np.diff(table.sample_index) != 0) | (np.diff(segments) != 0)
    # Each place that a spike can be at is one number: its event, times units, plus its unit.
    event_of = np.cumsum(is_event) - 1
    taken = np.unique(event_of * n_units + table.unit_index)
    n_free = int(is_event.sum()) * n_units - taken.size
    if n_added > n_free:
        msg = (
            f"There is room for {n_free} synchronous spikes, not for {n_added}: lower "
            "sync_event_ratio."
        )
        raise ParameterError(msg)
    stream = random_stream(given_or_new_seed(seed), Purpose.SYNCHRONY)
    places = _free_places(event_of, n_units, taken, n_added, stream)
    events = np.flatnonzero(is_event)[places // n_units] if n_added else np.zeros(0, np.int64)
    added = np.zeros(n_added, minimum_spike_dtype)
    added["sample_index"] = table.sample_index[events]
    added["segment_index"] = segments[events]
    added["unit_index"] = places % n_units if n_added else 0
    return TransformSorting(sorting, added_spikes_existing_units=added)


def _free_places(
    event_of: NDArray[np.int64],
    n_units: int,
    taken: NDArray[np.int64],
    n_places: int,
    stream: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw different places that are not taken; events of many spikes are drawn more often."""
    n_all = (int(event_of[-1]) + 1) * n_units if event_of.size else 0
    if 2 * n_places > n_all - taken.size:
        # Most of what is free is needed: guessing would take long.
        free = np.setdiff1d(np.arange(n_all), taken, assume_unique=True)
        return np.sort(stream.permutation(free)[:n_places])
    places = np.zeros(0, np.int64)
    while places.size < n_places:
        n_guesses = 2 * (n_places - places.size) + 16
        guesses = event_of[stream.integers(0, event_of.size, n_guesses)] * n_units
        guesses += stream.integers(0, n_units, n_guesses)
        guesses = guesses[~np.isin(guesses, taken)]
        _, first = np.unique(np.concatenate([places, guesses]), return_index=True)
        places = np.concatenate([places, guesses])[np.sort(first)][:n_places]
    return np.sort(places)


def generate_sorting_to_inject(
    sorting: BaseSorting,
    num_samples: Sequence[int],
    max_injected_per_unit: int = 1000,
    injected_rate: float = 0.05,
    refractory_period_ms: float = 1.5,
    seed: int | None = None,
) -> NumpySorting:
    """Draw spikes that could be added to units without breaking their refractory periods.

    Parameters
    ----------
    sorting : BaseSorting
        The units.
    num_samples : list of int
        Length of each segment in samples.
    max_injected_per_unit : int, default 1000
        Most spikes for a unit in a segment.
    injected_rate : float, default 0.05
        Number of spikes, relative to those that the unit has.
    refractory_period_ms : float, default 1.5
        Least distance to other spikes of the unit.
    seed : int, optional
        The same seed gives the same spikes; None is a new seed.

    Returns
    -------
    NumpySorting
        The drawn spikes alone, with the same units and segments.

    Raises
    ------
    ParameterError
        If there is not one length for each segment, or if a number is negative.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": range(0, 30_000, 300)}, 30_000.0)
    >>> generate_sorting_to_inject(sorting, [30_000], seed=0).get_unit_spike_train("a").size
    5
    """
    n_segments = sorting.get_num_segments()
    if len(num_samples) != n_segments:
        msg = f"num_samples has {len(num_samples)} lengths for {n_segments} segments."
        raise ParameterError(msg)
    if min(max_injected_per_unit, injected_rate, refractory_period_ms) < 0:
        msg = "max_injected_per_unit, injected_rate and refractory_period_ms must not be negative."
        raise ParameterError(msg)
    seed = given_or_new_seed(seed)
    period = round(refractory_period_ms * sorting.sampling_frequency / 1000)
    dicts = []
    for segment_index, n_samples in enumerate(num_samples):
        trains = {}
        for unit_index, unit_id in enumerate(sorting.unit_ids.tolist()):
            train = sorting.get_unit_spike_train(unit_id, segment_index=segment_index)
            n_wanted = min(max_injected_per_unit, round(injected_rate * train.size))
            stream = random_stream(seed, Purpose.INJECTION, segment_index, unit_index)
            n_draws = int(n_wanted + 10 * math.sqrt(n_wanted)) if n_samples > 0 else 0
            drawn = np.sort(stream.integers(0, max(1, n_samples), n_draws))
            is_far = np.ones(n_draws, bool)
            is_far[1:] = np.diff(drawn) >= period
            drawn = drawn[is_far & (distance_to_nearest(drawn, train) >= period)]
            kept = stream.permutation(drawn.size)[:n_wanted]
            trains[unit_id] = drawn[np.sort(kept)]
        dicts.append(trains)
    table, _ = table_from_unit_dicts(dicts, sorting.unit_ids)
    return _like(sorting, table)


def _like(sorting: BaseSorting, table: SpikeTable) -> NumpySorting:
    """Return other spikes of the same units, with the same times."""
    other = NumpySorting(table, sorting.sampling_frequency, sorting.unit_ids)
    sorting.copy_time_info(other)
    return other
