"""Spikes of units as points: when they are, and a value of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError
from spikeloom.widgets.sources import chosen_units, sorting_of
from spikeloom.widgets.timeline import Timeline

SEED = 0
"""Of which spikes are shown, where these are not all."""


@dataclass(frozen=True, eq=False)
class UnitSpikes:
    """Spikes of a unit that are shown."""

    rows: NDArray[np.int64]
    """Their places in the spike vector; shape (n_shown,)."""
    times_s: NDArray[np.float64]
    """When they are; shape (n_shown,)."""
    n_all: int
    """How many spikes the unit has in these segments."""

    def every(self, step: int) -> "UnitSpikes":
        """Return each `step`-th of them; raises ParameterError if that is less than 1."""
        if step < 1:
            msg = f"scatter_decimate is 1 (all spikes) or more; got {step}."
            raise ParameterError(msg)
        return UnitSpikes(self.rows[::step], self.times_s[::step], self.n_all)


def spikes_of_units(
    source: Any,
    timeline: Timeline,
    unit_ids: Sequence[Any] | None = None,
    n_max: int | None = None,
) -> dict[Any, UnitSpikes]:
    """Return the spikes of units, in order of time.

    Parameters
    ----------
    source : BaseSorting or SortingAnalyzer
    timeline : Timeline
        Segments, and where they lie.
    unit_ids : list, optional
        Units; all by default.
    n_max : int, optional
        As many spikes of a unit as this, chosen by chance but always the same; all by default.

    Returns
    -------
    dict of unit id to UnitSpikes

    Raises
    ------
    ParameterError
        If there is no such unit.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> from spikeloom.widgets.timeline import timeline_of
    >>> sorting = NumpySorting.from_unit_dict({"a": [0, 500], "b": [250]}, 1000.0)
    >>> spikes_of_units(sorting, timeline_of(sorting))["a"].times_s
    array([0. , 0.5])
    """
    sorting = sorting_of(source)
    listed, positions = chosen_units(sorting, unit_ids)
    samples = sorting.spike_table().sample_index
    order = sorting._order("unit")
    found = {}
    for unit_id, position in zip(listed, positions.tolist(), strict=True):
        rows = [order.spikes_of(position, segment) for segment in timeline.segments]
        times = [timeline.times_s(place, samples[some]) for place, some in enumerate(rows)]
        found[unit_id] = _at_most(
            np.concatenate(rows).astype(np.int64), np.concatenate(times), position, n_max
        )
    return found


def _at_most(
    rows: NDArray[np.int64], times_s: NDArray[np.float64], position: int, n_max: int | None
) -> UnitSpikes:
    n_all = len(rows)
    if n_max is None or n_all <= n_max:
        return UnitSpikes(rows, times_s, n_all)
    rng = np.random.default_rng([SEED, position])
    kept = np.sort(rng.choice(n_all, n_max, replace=False))
    return UnitSpikes(rows[kept], times_s[kept], n_all)


def count_shown(spikes: Mapping[Any, UnitSpikes]) -> tuple[int, int]:
    """Return how many spikes are shown, and of how many."""
    units = spikes.values()
    return sum(len(unit.rows) for unit in units), sum(unit.n_all for unit in units)
