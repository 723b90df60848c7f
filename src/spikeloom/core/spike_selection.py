"""Some of the spikes: of some units, of periods; and unit indices that follow other unit ids."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_building import sort_spikes
from spikeloom.core.spike_trains import UnitOrder, count_spikes, group_by_unit
from spikeloom.core.spike_vector import (
    SpikeTable,
    blocks,
    offsets_of,
    read_only,
    ties_are_in_order,
    unit_period_dtype,
    uses_kernels,
)
from spikeloom.errors import DataError, ParameterError


def select_units(
    table: SpikeTable, unit_indices: ArrayLike, n_units: int, *, sort_ties: bool = True
) -> SpikeTable:
    """Keep the spikes of some units, which get new indices: their places in `unit_indices`.

    Parameters
    ----------
    table : SpikeTable
    unit_indices : array_like of shape (n_kept_units,)
        Indices of the units to keep, in their new order.
    n_units : int
        Number of units before.
    sort_ties : bool
        Whether spikes of one sample are put in the new order of the units. Without it they keep
        the order of the table, as data computed spike by spike does.

    Raises
    ------
    ParameterError
        If a unit index is out of range, or occurs twice.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 4, 9]), np.array([1, 0, 2]), np.array([0, 3]))
    >>> kept = select_units(table, [2, 1], 3)
    >>> kept.sample_index, kept.unit_index
    (array([3, 9]), array([1, 0], dtype=int32))
    """
    chosen = np.asarray(unit_indices, np.int64).reshape(-1)
    outside = chosen[(chosen < 0) | (chosen >= n_units)]
    if outside.size or np.unique(chosen).size != chosen.size:
        msg = (
            f"Unit indices to keep differ from each other and are 0 to {n_units - 1}; got "
            f"{chosen[:10].tolist()}."
        )
        raise ParameterError(msg)
    new_index = np.full(n_units, -1, np.int32)
    new_index[chosen] = np.arange(chosen.size)
    return relabel_units(table, new_index, sort_ties=sort_ties)


def relabel_units(
    table: SpikeTable, new_index: NDArray[np.int32], *, sort_ties: bool = True
) -> SpikeTable:
    """Give units other indices, and drop the spikes of those whose new index is negative.

    Parameters
    ----------
    table : SpikeTable
    new_index : ndarray of shape (n_units,)
        New index of each unit; several units may get the same.
    sort_ties : bool
        Whether spikes of one sample are put in the new order of the units.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 4, 9]), np.array([1, 0, 2]), np.array([0, 3]))
    >>> relabel_units(table, np.array([-1, 0, 0], np.int32)).sample_index
    array([3, 9])
    """
    new_index = np.ascontiguousarray(new_index, np.int32)
    n_kept = count_spikes(table, new_index.size)[new_index >= 0].sum(axis=0)  # (n_segments,)
    offsets = offsets_of(n_kept)
    # One place more than needed: the kernel writes a spike before it knows whether it is kept.
    samples = np.empty(offsets[-1] + 1, np.int64)
    units = np.empty(offsets[-1] + 1, np.int32)
    compiled = uses_kernels(table.n_spikes)
    keep_block = _keep_block_compiled() if compiled else _keep_block_plain
    begin = 0
    for block in blocks(slice(0, table.n_spikes)):
        begin += keep_block(
            table.unit_index[block].astype(np.int32),
            table.sample_index[block].astype(np.int64),
            new_index,
            samples[begin:],
            units[begin:],
        )
    samples, units = samples[:-1], units[:-1]
    if sort_ties:
        for first, end in pairwise(offsets):
            if not ties_are_in_order(samples[first:end], units[first:end]):
                sort_spikes(samples[first:end], units[first:end])
    return SpikeTable(read_only(samples), read_only(units), read_only(offsets))


def _keep_block_plain(
    labels: NDArray[np.int32],
    samples: NDArray[np.int64],
    new_label: NDArray[np.int32],
    kept_samples: NDArray[np.int64],
    kept_labels: NDArray[np.int32],
) -> int:
    """Do what `spikeloom.kernels.spike_order.keep_labels` does, by numpy."""
    relabelled = new_label[labels]
    kept = np.flatnonzero(relabelled >= 0)
    kept_samples[: kept.size] = samples[kept]
    kept_labels[: kept.size] = relabelled[kept]
    return int(kept.size)


def _keep_block_compiled() -> Any:
    # Late: numba is slow to import.
    from spikeloom.kernels.spike_order import keep_labels  # noqa: PLC0415

    return keep_labels


def keep_spikes(table: SpikeTable, keep_mask: NDArray[np.bool_]) -> SpikeTable:
    """Keep the spikes that a mask tells, in their order.

    Parameters
    ----------
    table : SpikeTable
    keep_mask : ndarray of shape (n_spikes,)

    Raises
    ------
    ParameterError
        If the mask has another length.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 4, 9]), np.array([1, 0, 2]), np.array([0, 2, 3]))
    >>> keep_spikes(table, np.array([False, True, True])).segment_offsets
    array([0, 1, 2])
    """
    if keep_mask.shape != (table.n_spikes,):
        msg = f"The mask has shape {keep_mask.shape}; there are {table.n_spikes} spikes."
        raise ParameterError(msg)
    kept = np.flatnonzero(keep_mask)
    offsets = np.searchsorted(kept, table.segment_offsets).astype(np.int64)
    return SpikeTable(
        read_only(table.sample_index[kept]),
        read_only(table.unit_index[kept].astype(np.int32)),
        read_only(offsets),
    )


def remap_unit_indices_in_vector(
    vector: NDArray[np.void],
    all_old_unit_ids: ArrayLike,
    all_new_unit_ids: ArrayLike,
    keep_old_unit_ids: ArrayLike | None = None,
) -> tuple[NDArray[np.void], NDArray[np.bool_]]:
    """Let the unit indices of spikes or periods follow a new list of unit ids.

    Parameters
    ----------
    vector : ndarray with a field unit_index
        A spike vector, or periods of units.
    all_old_unit_ids, all_new_unit_ids : array_like
        Unit ids before and after.
    keep_old_unit_ids : array_like, optional
        The old units to keep; without it, all. Of these, units that are not among the new are
        dropped.

    Returns
    -------
    vector : ndarray
        A new array of the rows that are kept.
    keep_mask : ndarray of shape (n_rows,)

    Raises
    ------
    DataError
        If a unit index has no old unit id.

    Examples
    --------
    >>> from spikeloom.core.spike_vector import minimum_spike_dtype
    >>> spikes = np.array([(2, 0, 0), (5, 1, 0)], minimum_spike_dtype)
    >>> remap_unit_indices_in_vector(spikes, ["a", "b"], ["c", "b"])
    (array([(5, 1, 0)], dtype=...), array([False, True]))
    """
    old = np.asarray(all_old_unit_ids).tolist()
    new = {unit: i for i, unit in enumerate(np.asarray(all_new_unit_ids).tolist())}
    kept = set(old if keep_old_unit_ids is None else np.asarray(keep_old_unit_ids).tolist())
    new_index = np.array([new.get(unit, -1) if unit in kept else -1 for unit in old], np.int64)
    units = vector["unit_index"]
    if units.size and not 0 <= int(units.min()) <= int(units.max()) < len(old):
        msg = f"A unit index is {int(units.max())}; there are {len(old)} old unit ids."
        raise DataError(msg)
    relabelled = new_index[units]
    keep_mask = relabelled >= 0
    remapped = vector[keep_mask]
    remapped["unit_index"] = relabelled[keep_mask]
    return remapped, keep_mask


def cast_periods_to_unit_period_dtype(periods: ArrayLike) -> NDArray[np.void]:
    """Return periods of units as one structured array.

    Parameters
    ----------
    periods : array_like
        With the fields of `unit_period_dtype`, in any order, or whole numbers of shape
        (n_periods, 4): segment, first sample, end sample (exclusive), unit.

    Returns
    -------
    ndarray of shape (n_periods,) and dtype `unit_period_dtype`

    Raises
    ------
    DataError
        If the fields or the shape are others.

    Examples
    --------
    >>> cast_periods_to_unit_period_dtype([[0, 100, 200, 3]])["end_sample_index"]
    array([200])
    """
    array = np.asarray(periods)
    names = unit_period_dtype.names or ()
    if array.dtype.names is None and array.size == 0:
        return np.zeros(0, unit_period_dtype)
    plain = array.dtype.names is None and array.dtype.kind in "iu"
    if not (plain and array.ndim == 2 and array.shape[1] == len(names)):
        if array.dtype == unit_period_dtype:
            return array
        if array.dtype.names is None or set(array.dtype.names) != set(names):
            msg = (
                f"Periods of units have the fields {', '.join(names)}, or are whole numbers in 4 "
                f"columns in that order; got {array.dtype} of shape {array.shape}."
            )
            raise DataError(msg)
        columns: Sequence[NDArray[Any]] = [array[name] for name in names]
    else:
        columns = list(array.T)
    cast = np.empty(array.shape[0], unit_period_dtype)
    for name, column in zip(names, columns, strict=True):
        cast[name] = column
    return cast


def spikes_in_periods(
    table: SpikeTable, periods: NDArray[np.void], n_units: int, groups: UnitOrder | None = None
) -> NDArray[np.bool_]:
    """Tell which spikes lie in periods; linear, however the periods overlap.

    Parameters
    ----------
    table : SpikeTable
    periods : ndarray with the fields of `base_period_dtype` or of `unit_period_dtype`
        Ends are exclusive. Without a field unit_index they are for all units.
    n_units : int
    groups : UnitOrder, optional
        The spikes by unit, if known already (groups in order of units first).

    Returns
    -------
    ndarray of shape (n_spikes,)

    Raises
    ------
    DataError
        If a period is of a unit or segment that does not exist.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 4, 9]), np.array([1, 0, 1]), np.array([0, 3]))
    >>> periods = cast_periods_to_unit_period_dtype([[0, 0, 9, 1]])
    >>> spikes_in_periods(table, periods, 2)
    array([ True, False, False])
    """
    for_units = "unit_index" in (periods.dtype.names or ())
    _check_period_range("segment", periods["segment_index"], table.n_segments)
    if not for_units:
        return _in_ranges(
            table.sample_index, table.segment_offsets, periods["segment_index"], periods
        )
    _check_period_range("unit", periods["unit_index"], n_units)
    if groups is None or groups.major != "unit":
        groups = group_by_unit(table, n_units)
    n_segments = table.n_segments
    group_of_period = periods["unit_index"] * n_segments + periods["segment_index"]
    offsets = np.append(groups.slices[..., 0].ravel(), table.n_spikes)
    keep_mask = np.empty(table.n_spikes, np.bool_)
    keep_mask[groups.order] = _in_ranges(
        table.sample_index[groups.order], offsets, group_of_period, periods
    )
    return keep_mask


def _check_period_range(name: str, indices: NDArray[np.int64], n_max: int) -> None:
    """Raise if a period is of a unit or segment that does not exist."""
    wrong = indices[(indices < 0) | (indices >= n_max)]
    if wrong.size:
        msg = f"A period is of {name} {int(wrong[0])}; there are {n_max}."
        raise DataError(msg)


def _in_ranges(
    samples: NDArray[np.int64],
    offsets: NDArray[np.int64],
    group_of_period: NDArray[np.int64],
    periods: NDArray[np.void],
) -> NDArray[np.bool_]:
    """Tell which spikes, grouped, lie in a period of their group.

    Each period opens at its first spike and closes after its last: the sum of openings so far
    tells in how many periods a spike lies.
    """
    opened = np.zeros(samples.size + 1, np.int32)
    by_group = np.argsort(group_of_period, kind="stable")
    with_periods, begins = np.unique(group_of_period[by_group], return_index=True)
    for group, chosen in zip(with_periods, np.split(by_group, begins[1:]), strict=False):
        begin, end = offsets[group : group + 2]
        first = np.searchsorted(samples[begin:end], periods["start_sample_index"][chosen])
        last = np.searchsorted(samples[begin:end], periods["end_sample_index"][chosen])
        np.add.at(opened, begin + first, 1)
        np.add.at(opened, begin + np.maximum(first, last), -1)
    return np.asarray(np.cumsum(opened[:-1]) > 0)
