"""Merge and split the units of a spike table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.spike_selection import keep_spikes, relabel_units
from spikeloom.core.spike_trains import group_by_unit
from spikeloom.core.spike_vector import SpikeTable, read_only
from spikeloom.core.unit_ids import (
    UnitId,
    generate_unit_ids_for_merge_group,
    generate_unit_ids_for_split,
    plain_ids,
    unit_ids_after,
)
from spikeloom.errors import ParameterError


@dataclass(frozen=True, slots=True, eq=False)
class MergedUnits:
    """What a merge gives."""

    table: SpikeTable
    """The spikes that are kept, in the order that they had."""
    unit_ids: NDArray[Any]
    """All unit ids afterwards."""
    new_unit_ids: list[UnitId]
    """The id of each merged unit, in the order of the groups."""
    keep_mask: NDArray[np.bool_]
    """Which spikes were kept; shape (n_spikes before,)."""


@dataclass(frozen=True, slots=True, eq=False)
class SplitUnits:
    """What a split gives."""

    table: SpikeTable
    """All spikes, in the order that they had."""
    unit_ids: NDArray[Any]
    """All unit ids afterwards."""
    new_unit_ids: list[list[UnitId]]
    """The ids of the parts of each unit that was split."""


def merge_units(
    table: SpikeTable,
    unit_ids: ArrayLike,
    merge_unit_groups: Sequence[Sequence[UnitId]],
    *,
    new_unit_ids: Sequence[UnitId] | None = None,
    new_id_strategy: str = "append",
    censor_samples: float | None = None,
) -> MergedUnits:
    """Merge groups of units.

    Spikes keep their order, so that what was computed spike by spike needs only `keep_mask`:
    spikes of one sample may then not be in order of the new units.

    Parameters
    ----------
    table : SpikeTable
    unit_ids : array_like of shape (n_units,)
    merge_unit_groups : sequence of groups of at least two unit ids
    new_unit_ids, new_id_strategy
        See `spikeloom.core.unit_ids.generate_unit_ids_for_merge_group`.
    censor_samples : float, optional
        In a merged unit, a spike that follows the one before it by less than this is removed,
        whether that one is removed itself or not.

    Raises
    ------
    ParameterError
        If groups or ids make no sense, or `censor_samples` is negative.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 4, 30]), np.array([0, 2, 1]), np.array([0, 3]))
    >>> merged = merge_units(table, ["a", "b", "c"], [["a", "c"]], censor_samples=5)
    >>> merged.unit_ids, merged.table.sample_index, merged.table.unit_index, merged.keep_mask
    (array(['b', 'merge0'], dtype='<U6'), array([ 3, 30]), array([1, 0], dtype=int32),
     array([ True, False, True]))
    """
    if censor_samples is not None and censor_samples < 0:
        msg = f"The censored period is {censor_samples} samples; it is not negative."
        raise ParameterError(msg)
    old = plain_ids(unit_ids)
    new = generate_unit_ids_for_merge_group(old, merge_unit_groups, new_unit_ids, new_id_strategy)
    new_id_of = {
        unit: new_id
        for group, new_id in zip(merge_unit_groups, new, strict=True)
        for unit in plain_ids(group)
    }
    after = unit_ids_after(np.asarray(unit_ids), new_id_of, new)
    place = {unit: i for i, unit in enumerate(after.tolist())}
    new_index = np.array([place[new_id_of.get(unit, unit)] for unit in old], np.int32)
    merged = relabel_units(table, new_index, sort_ties=False)
    keep_mask = np.ones(table.n_spikes, np.bool_)
    if censor_samples:
        keep_mask = censor_mask(merged, [place[unit] for unit in new], censor_samples)
        merged = keep_spikes(merged, keep_mask)
    return MergedUnits(merged, after, new, keep_mask)


def censor_mask(
    table: SpikeTable, unit_indices: Sequence[int], censor_samples: float
) -> NDArray[np.bool_]:
    """Tell which spikes do not follow another of their unit too closely; linear.

    Parameters
    ----------
    table : SpikeTable
    unit_indices : sequence of int
        Units to look at; all spikes of others are kept.
    censor_samples : float
        A spike less than this after the one before it, of its unit and segment, is not kept.

    Returns
    -------
    ndarray of shape (n_spikes,)

    Examples
    --------
    >>> table = SpikeTable(np.array([0, 4, 8, 20]), np.zeros(4, np.int32), np.array([0, 4]))
    >>> censor_mask(table, [0], 5)
    array([ True, False, False, True])
    """
    keep_mask = np.ones(table.n_spikes, np.bool_)
    if table.n_spikes == 0:
        return keep_mask
    n_units = max([int(table.unit_index.max()), *unit_indices]) + 1
    group_of = np.full(n_units, -1, np.int32)
    group_of[list(unit_indices)] = np.arange(len(unit_indices))
    spikes = np.flatnonzero(group_of[table.unit_index] >= 0)
    offsets = np.searchsorted(spikes, table.segment_offsets)
    looked_at = SpikeTable(table.sample_index[spikes], group_of[table.unit_index[spikes]], offsets)
    groups = group_by_unit(looked_at, len(unit_indices))
    samples = looked_at.sample_index[groups.order]
    too_close = np.zeros(samples.size, np.bool_)
    too_close[1:] = np.diff(samples) < censor_samples
    begins = groups.slices[..., 0].ravel()
    too_close[begins[begins < samples.size]] = False  # the first of a unit in a segment
    keep_mask[spikes[groups.order[too_close]]] = False
    return keep_mask


def censor_samples_of(censor_ms: float, sampling_frequency: float) -> float:
    """Return a censored period in samples, exact where it is a whole number.

    Parameters
    ----------
    censor_ms : float
        In ms.
    sampling_frequency : float
        In Hz.

    Examples
    --------
    >>> censor_samples_of(0.3, 30000.0)
    9.0
    """
    return round(censor_ms * sampling_frequency / 1000, 6)


def split_units(
    table: SpikeTable,
    unit_ids: ArrayLike,
    unit_splits: Mapping[UnitId, Sequence[ArrayLike]],
    *,
    new_unit_ids: Sequence[Sequence[UnitId]] | None = None,
    new_id_strategy: str = "append",
) -> SplitUnits:
    """Split units.

    Parameters
    ----------
    table : SpikeTable
    unit_ids : array_like of shape (n_units,)
    unit_splits : mapping of unit id to a list of parts
        Each part lists some of the unit's spikes, counted through all segments; together the
        parts have each spike once.
    new_unit_ids, new_id_strategy
        See `spikeloom.core.unit_ids.generate_unit_ids_for_split`.

    Raises
    ------
    ParameterError
        If the parts do not have each spike of their unit once, or ids make no sense.

    Examples
    --------
    >>> table = SpikeTable(np.array([3, 4, 9]), np.array([0, 1, 0]), np.array([0, 3]))
    >>> split = split_units(table, [5, 6], {5: [[1], [0]]})
    >>> split.unit_ids, split.table.unit_index
    (array([6, 7, 8]), array([2, 0, 1], dtype=int32))
    """
    old = plain_ids(unit_ids)
    new = generate_unit_ids_for_split(old, unit_splits, new_unit_ids, new_id_strategy)
    split = plain_ids(unit_splits)
    after = unit_ids_after(np.asarray(unit_ids), split, [unit for parts in new for unit in parts])
    place = {unit: i for i, unit in enumerate(after.tolist())}
    new_index = np.array([place.get(unit, -1) for unit in old], np.int32)
    old_place = {unit: i for i, unit in enumerate(old)}
    groups = group_by_unit(table, len(old))
    new_units = new_index[table.unit_index]  # (n_spikes,)
    for unit, parts, part_ids in zip(split, unit_splits.values(), new, strict=True):
        spikes = groups.spikes_of(old_place[unit])
        part_of = np.full(spikes.size, -1, np.int32)
        listed = [np.asarray(part, np.int64).reshape(-1) for part in parts]
        _check_parts(unit, listed, spikes.size)
        for part, part_id in zip(listed, part_ids, strict=True):
            part_of[part] = place[part_id]
        new_units[spikes] = part_of
    changed = SpikeTable(table.sample_index, read_only(new_units), table.segment_offsets)
    return SplitUnits(changed, after, new)


def _check_parts(unit: UnitId, parts: Sequence[NDArray[np.int64]], n_spikes: int) -> None:
    """Raise unless the parts have each spike of the unit once."""
    spikes = np.concatenate(parts)
    inside = spikes[(spikes >= 0) & (spikes < n_spikes)]
    n_missing = int((np.bincount(inside, minlength=n_spikes) == 0).sum())
    if spikes.size != n_spikes or inside.size != n_spikes or n_missing:
        msg = (
            f"The parts of unit {unit!r} list {spikes.size} spikes, {inside.size} of them from 0 "
            f"to {n_spikes - 1}, and miss {n_missing}; they must list each of its {n_spikes} "
            "spikes once."
        )
        raise ParameterError(msg)
