"""Periods that spikes were taken from, after units were selected, merged or split."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spikeloom.core.joined_periods import joined_periods
from spikeloom.core.spike_selection import cast_periods_to_unit_period_dtype
from spikeloom.core.spike_vector import unit_period_dtype


def periods_of_units_now(
    periods: Any,
    unit_ids_before: Sequence[Any],
    unit_ids: Sequence[Any],
    sources: Mapping[Any, Sequence[Any]],
) -> Any:
    """Return periods as units are numbered after a change.

    Parameters
    ----------
    periods : array_like or None
        As `spikes_of_table` takes them.
    unit_ids_before, unit_ids : sequence
        All units before the change, and after it.
    sources : mapping of id to sequence of ids
        Units that came of others have the periods of all these.

    Returns
    -------
    ndarray of dtype `unit_period_dtype`
        Or `periods`, if they are None or for all units.

    Examples
    --------
    >>> periods = [(0, 0, 50, 0), (0, 40, 90, 1), (0, 10, 20, 2)]
    >>> periods_of_units_now(periods, ["a", "b", "c"], ["c", "d"], {"d": ["a", "b"]}).tolist()
    [(0, 10, 20, 0), (0, 0, 90, 1)]
    """
    if periods is None or not len(periods):
        return periods
    array = np.asarray(periods)
    if array.dtype.names is not None and "unit_index" not in array.dtype.names:
        return periods
    of_units = cast_periods_to_unit_period_dtype(array)
    place_before = {unit_id: k for k, unit_id in enumerate(unit_ids_before)}
    moved = [np.zeros(0, unit_period_dtype)]
    for place, unit_id in enumerate(unit_ids):
        origins = [place_before[one] for one in sources.get(unit_id, [unit_id])]
        of_unit = of_units[np.isin(of_units["unit_index"], origins)]
        of_unit["unit_index"] = place
        moved.append(of_unit)
    return joined_periods(np.concatenate(moved))
