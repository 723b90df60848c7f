"""Units as a group of time series of pynapple."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.exporters.common_times import CommonTimes, common_times
from spikeloom.exporters.unit_columns import (
    UnitColumn,
    location_columns,
    metric_columns,
    property_columns,
    sorting_and_analyzer,
)
from spikeloom.optional import require

_TABLES = ("quality_metrics", "template_metrics", "spiketrain_metrics")


def to_pynapple_tsgroup(
    sorting_analyzer_or_sorting: Any,
    attach_unit_metadata: bool = True,
    attach_unit_properties: bool = True,
    segment_index: int | None = None,
) -> Any:
    """Return the spike trains of units as a TsGroup of pynapple, in seconds.

    Parameters
    ----------
    sorting_analyzer_or_sorting : SortingAnalyzer or BaseSorting
        The units.
    attach_unit_metadata : bool, default True
        Attach locations and metrics of units, as far as an analyzer has them: columns ``x``, ``y``,
        ``z`` and one for each metric.
    attach_unit_properties : bool, default True
        Attach properties of units.
    segment_index : int, optional
        The only segment; by default all, on one time axis: with their own times if each begins
        after the one before it has ended, otherwise one right after the other.

    Returns
    -------
    pynapple.TsGroup
        Its time support is the recording's, segment by segment; if it is not known how long these
        are, they end with their last spikes.

    Raises
    ------
    ParameterError
        If it is neither a sorting nor an analyzer, or there is no such segment.
    MissingDependencyError
        If pynapple is not installed.

    Notes
    -----
    Keys are ids of units if they are whole numbers or text that reads as such, each another one.
    Otherwise they are 0, 1, 2, …, and the column ``unit_id`` has the ids. A column whose name means
    something else to pynapple is called ``<name>_property``.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({"4": [300, 600], "7": [450]}, 30000.0)
    >>> group = to_pynapple_tsgroup(sorting)
    >>> group[4].t
    array([0.01, 0.02])
    """
    nap = require("pynapple", feature="to_pynapple_tsgroup", extra="pynapple")
    sorting, analyzer = sorting_and_analyzer(sorting_analyzer_or_sorting)
    times = common_times(sorting, analyzer, segment_index)
    keys, columns = _keys(sorting.unit_ids)
    if analyzer is not None and attach_unit_metadata:
        columns += [*location_columns(analyzer), *metric_columns(analyzer, _TABLES)]
    if attach_unit_properties:
        taken = {*(column.name for column in columns), *dir(nap.TsGroup), "rate"}
        columns += property_columns(sorting, taken=taken)
    unit_ids = sorting.unit_ids.tolist()
    support = _support(nap, times)
    series = {
        key: nap.Ts(times.train_s(unit_id), time_support=support)
        for key, unit_id in zip(keys, unit_ids, strict=True)
    }
    metadata = {column.name: _values(column) for column in columns}
    return nap.TsGroup(series, time_support=support, metadata=metadata or None)


def _keys(unit_ids: NDArray[Any]) -> tuple[list[int], list[UnitColumn]]:
    """Return a whole number for each unit, and the ids if these are not that."""
    try:
        keys = [int(unit_id) for unit_id in unit_ids.tolist()]
    except ValueError:
        keys = []
    if len(set(keys)) == len(unit_ids):
        return keys, []
    text = np.empty(len(unit_ids), object)
    text[:] = unit_ids.astype(str).tolist()
    return list(range(len(unit_ids))), [UnitColumn("unit_id", text, "Id of the unit.")]


def _support(nap: Any, times: CommonTimes) -> Any:
    starts_s, ends_s = times.intervals_s.T
    # pynapple takes an interval that begins where another ends for the same one; there is no spike
    # after the last sample.
    half_s = 0.5 / times.sorting.sampling_frequency
    ends_s = np.minimum(ends_s, np.append(starts_s[1:] - half_s, np.inf))
    return nap.IntervalSet(start=starts_s, end=ends_s)


def _values(column: UnitColumn) -> Any:
    """Return the values of a column, one object for each unit."""
    return column.values if column.values.ndim == 1 else list(column.values)
