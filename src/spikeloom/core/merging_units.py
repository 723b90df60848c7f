"""Sortings whose units are merged or split, and what becomes of their properties."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.properties import MISSING_VALUES
from spikeloom.core.sorting import BaseSorting
from spikeloom.core.unit_changes import censor_samples_of, merge_units, split_units
from spikeloom.core.unit_ids import UnitId, plain_ids


def apply_merges_to_sorting(
    sorting: BaseSorting,
    merge_unit_groups: Sequence[Sequence[UnitId]],
    new_unit_ids: Sequence[UnitId] | None = None,
    censor_ms: float | None = None,
    return_extra: bool = False,
    new_id_strategy: str = "append",
) -> Any:
    """Return a sorting in memory in which groups of units are merged.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting, which stays as it is.
    merge_unit_groups : sequence of groups of at least two unit ids
        What is merged. No unit may be in two groups.
    new_unit_ids : sequence of unit ids, optional
        One for each group; by default by `new_id_strategy`.
    censor_ms : float, optional
        In a merged unit, a spike that follows the one before it by less than this is left out.
    return_extra : bool, default False
        Also return which spikes were kept, and the new ids.
    new_id_strategy : {"append", "take_first", "join"}
        See `generate_unit_ids_for_merge_group`.

    Returns
    -------
    sorting : NumpySorting
        Spikes keep their order, and the sorting its times; for properties see
        `set_properties_after_merging`.
    keep_mask : ndarray of shape (n_spikes,), with `return_extra`
        Which spikes of the spike vector were kept.
    new_unit_ids : list of unit ids, with `return_extra`

    Raises
    ------
    ParameterError
        If groups or ids make no sense.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({"a": [10, 30], "b": [20], "c": [5]}, 30000.0)
    >>> merged = apply_merges_to_sorting(sorting, [["a", "b"]], new_unit_ids=["d"])
    >>> merged.unit_ids, merged.get_unit_spike_train("d")
    (array(['c', 'd'], dtype='<U1'), array([10, 20, 30]))
    """
    fs = sorting.sampling_frequency
    merged = merge_units(
        sorting.spike_table(),
        sorting.unit_ids,
        merge_unit_groups,
        new_unit_ids=new_unit_ids,
        new_id_strategy=new_id_strategy,
        censor_samples=None if censor_ms is None else censor_samples_of(censor_ms, fs),
    )
    result = NumpySorting(merged.table, fs, merged.unit_ids)
    _copy_common(sorting, result)
    set_properties_after_merging(result, sorting, merge_unit_groups, merged.new_unit_ids)
    return (result, merged.keep_mask, merged.new_unit_ids) if return_extra else result


def apply_splits_to_sorting(
    sorting: BaseSorting,
    unit_splits: Mapping[UnitId, Sequence[ArrayLike]],
    new_unit_ids: Sequence[Sequence[UnitId]] | None = None,
    return_extra: bool = False,
    new_id_strategy: str = "append",
) -> Any:
    """Return a sorting in memory in which units are split.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting, which stays as it is.
    unit_splits : mapping of unit id to a list of parts
        Each part lists some of the unit's spikes, counted through all segments; together the
        parts have each spike once.
    new_unit_ids : sequence of sequences of unit ids, optional
        One for each part; by default by `new_id_strategy`.
    return_extra : bool, default False
        Also return the new ids.
    new_id_strategy : {"append", "split"}
        See `generate_unit_ids_for_split`.

    Returns
    -------
    sorting : NumpySorting
        Spikes keep their order, and the sorting its times; parts have the properties of their
        unit, and the property ``is_split``.
    new_unit_ids : list of list of unit ids, with `return_extra`

    Raises
    ------
    ParameterError
        If the parts do not have each spike of their unit once, or ids make no sense.

    Examples
    --------
    >>> sorting = NumpySorting.from_unit_dict({0: [10, 30, 50], 1: [20]}, 30000.0)
    >>> split = apply_splits_to_sorting(sorting, {0: [[0, 2], [1]]})
    >>> split.unit_ids, split.get_unit_spike_train(2)
    (array([1, 2, 3]), array([10, 50]))
    """
    split = split_units(
        sorting.spike_table(),
        sorting.unit_ids,
        unit_splits,
        new_unit_ids=new_unit_ids,
        new_id_strategy=new_id_strategy,
    )
    result = NumpySorting(split.table, sorting.sampling_frequency, split.unit_ids)
    _copy_common(sorting, result)
    set_properties_after_splits(result, sorting, list(unit_splits), split.new_unit_ids)
    return (result, split.new_unit_ids) if return_extra else result


def set_properties_after_merging(
    sorting_post_merge: BaseSorting,
    sorting_pre_merge: BaseSorting,
    merge_unit_groups: Sequence[Sequence[UnitId]],
    new_unit_ids: Sequence[UnitId],
) -> None:
    """Give a sorting the properties that its units had before some of them were merged.

    Units that were not merged keep theirs. A merged unit has the value that all of its group had;
    where they differ, the missing value, or for ``main_channel_id`` that of the unit with most
    spikes. A property of whole numbers or truth values, which has no missing value, is left out if
    a group differs in it. The property ``is_merged`` tells which units are merged, now or before.

    Parameters
    ----------
    sorting_post_merge : BaseSorting
        The sorting after the merge; it is changed.
    sorting_pre_merge : BaseSorting
        The sorting before.
    merge_unit_groups : sequence of groups of unit ids
        What was merged.
    new_unit_ids : sequence of unit ids
        What the groups became.

    Raises
    ------
    ParameterError
        If a unit is in neither sorting.
    """
    positions = [np.asarray(sorting_pre_merge.ids_to_indices(g)) for g in merge_unit_groups]
    source_of = _source_of_units(sorting_post_merge, sorting_pre_merge, new_unit_ids)
    new_positions = np.asarray(sorting_post_merge.ids_to_indices(new_unit_ids))
    for group, new in zip(positions, new_positions, strict=True):
        source_of[new] = group[0]
    for key in sorting_pre_merge.get_property_keys():
        old = sorting_pre_merge._properties[key]
        values = old[source_of]
        for group, new in zip(positions, new_positions, strict=True):
            if all(_are_same(old[k], old[group[0]]) for k in group[1:]):
                continue
            if key == "main_channel_id":
                counts = sorting_pre_merge.count_num_spikes_per_unit(outputs="array")
                values[new] = old[group[np.argmax(counts[group])]]
            elif key == "is_merged":
                values[new] = True
            elif old.dtype.kind in MISSING_VALUES:
                values[new] = MISSING_VALUES[old.dtype.kind]
            else:
                break
        else:
            sorting_post_merge.set_property(key, values)
    _mark(sorting_post_merge, "is_merged", new_positions)


def set_properties_after_splits(
    sorting_post_split: BaseSorting,
    sorting_pre_split: BaseSorting,
    split_unit_ids: Sequence[UnitId],
    new_unit_ids: Sequence[Sequence[UnitId]],
) -> None:
    """Give a sorting the properties that its units had before some of them were split.

    Parts have the values of their unit. The property ``is_split`` tells which units are parts, now
    or before.

    Parameters
    ----------
    sorting_post_split : BaseSorting
        The sorting after the split; it is changed.
    sorting_pre_split : BaseSorting
        The sorting before.
    split_unit_ids : sequence of unit ids
        What was split.
    new_unit_ids : sequence of sequences of unit ids
        What each unit became.

    Raises
    ------
    ParameterError
        If a unit is in neither sorting.
    """
    parts = [unit for ids in new_unit_ids for unit in plain_ids(ids)]
    source_of = _source_of_units(sorting_post_split, sorting_pre_split, parts)
    for unit, ids in zip(split_unit_ids, new_unit_ids, strict=True):
        source_of[sorting_post_split.ids_to_indices(ids)] = sorting_pre_split.id_to_index(unit)
    for key in sorting_pre_split.get_property_keys():
        sorting_post_split.set_property(key, sorting_pre_split._properties[key][source_of])
    _mark(sorting_post_split, "is_split", np.asarray(sorting_post_split.ids_to_indices(parts)))


def _copy_common(source: BaseSorting, target: BaseSorting) -> None:
    """Give a sorting of the same segments annotations and times."""
    source.copy_metadata(target, skip_properties=source.get_property_keys())
    source.copy_time_info(target)


def _source_of_units(
    after: BaseSorting, before: BaseSorting, new_unit_ids: Iterable[UnitId]
) -> NDArray[np.int64]:
    """Return the position before of each unit; 0 for new ones, which is to be replaced."""
    new = set(plain_ids(new_unit_ids))
    return np.array(
        [0 if unit in new else before.id_to_index(unit) for unit in after.unit_ids.tolist()],
        np.int64,
    )


def _are_same(value: Any, other: Any) -> bool:
    """Return whether two values of a property are the same; numbers that are missing are."""
    if np.asarray(value).dtype.kind in "fc":
        return bool(np.array_equal(value, other, equal_nan=True))
    return bool(np.array_equal(value, other))


def _mark(sorting: BaseSorting, key: str, positions: NDArray[np.int64]) -> None:
    """Set a property to True for some units; others keep what they have, or get False."""
    known = sorting.get_property(key)
    is_so = np.zeros(sorting.get_num_units(), bool) if known is None else known.astype(bool)
    is_so[positions] = True
    sorting.set_property(key, is_so)
