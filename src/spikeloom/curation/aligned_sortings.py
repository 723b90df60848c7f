"""Sortings whose spikes are moved to where units peak."""

from collections.abc import Mapping

import numpy as np

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.spike_vector import SpikeTable, read_only
from spikeloom.core.unit_ids import UnitId


def align_sorting(sorting: BaseSorting, unit_peak_shifts: Mapping[UnitId, float]) -> NumpySorting:
    """Move the spikes of units.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting, which stays as it is.
    unit_peak_shifts : mapping of unit id to float
        By how many samples the spikes of a unit are moved back; units that are not there stay.

    Returns
    -------
    NumpySorting
        With properties and times; samples may lie outside the recording.

    Raises
    ------
    ParameterError
        If a unit is unknown.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [9]}, 30000.0)
    >>> align_sorting(sorting, {"a": 2}).get_unit_spike_train("a")
    array([ 8, 28])
    """
    shifts = np.zeros(sorting.get_num_units(), np.int64)
    units = list(unit_peak_shifts)
    shifts[sorting.ids_to_indices(units)] = np.round([unit_peak_shifts[unit] for unit in units])
    table = sorting.spike_table()
    samples = table.sample_index - shifts[table.unit_index]
    order = np.lexsort((table.unit_index, samples, table.segment_index()))
    moved = SpikeTable(
        read_only(samples[order]), read_only(table.unit_index[order]), table.segment_offsets
    )
    aligned = NumpySorting(moved, sorting.sampling_frequency, sorting.unit_ids)
    sorting.copy_metadata(aligned)
    sorting.copy_time_info(aligned)
    return aligned
