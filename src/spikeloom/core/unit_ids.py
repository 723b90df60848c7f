"""Ids of the units that merges and splits make, and where they stand among the others."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError

_MERGE_STRATEGIES = ("append", "take_first", "join")
_SPLIT_STRATEGIES = ("append", "split")

UnitId = Any
"""A whole number or text."""


def generate_unit_ids_for_merge_group(
    old_unit_ids: ArrayLike,
    merge_unit_groups: Sequence[Sequence[UnitId]],
    new_unit_ids: Sequence[UnitId] | None = None,
    new_id_strategy: str = "append",
) -> list[UnitId]:
    """Return an id for the unit that each group of units becomes.

    Parameters
    ----------
    old_unit_ids : array_like of shape (n_units,)
    merge_unit_groups : sequence of groups of at least two unit ids
    new_unit_ids : sequence of unit ids, optional
        One for each group; only checked then.
    new_id_strategy : {"append", "take_first", "join"}
        "append": the numbers after the largest id, as text if ids are text of digits; other text
        gives "merge0" and so on. "take_first": the first id of the group. "join": the ids joined
        by "-" ("append" if ids are numbers).

    Returns
    -------
    list of unit ids

    Raises
    ------
    ParameterError
        If groups or ids make no sense.

    Examples
    --------
    >>> generate_unit_ids_for_merge_group([0, 1, 7], [[0, 7]])
    [8]
    >>> generate_unit_ids_for_merge_group(["0", "1", "7"], [["0", "7"]], new_id_strategy="join")
    ['0-7']
    """
    ids = plain_ids(old_unit_ids)
    groups = [plain_ids(group) for group in merge_unit_groups]
    _check_groups(ids, groups)
    removed = {unit for group in groups for unit in group}
    if new_unit_ids is not None:
        given = plain_ids(new_unit_ids)
        if len(given) != len(groups):
            msg = f"Got {len(given)} new unit ids for {len(groups)} merges; give one for each."
            raise ParameterError(msg)
        _check_new_ids(ids, removed, given)
        return given
    _check_strategy(new_id_strategy, _MERGE_STRATEGIES)
    if new_id_strategy == "take_first":
        return [group[0] for group in groups]
    taken = set(ids)
    if new_id_strategy == "join" and not _are_numbers(ids):
        return [_unused("-".join(group), taken) for group in groups]
    numbers = _next_numbers(ids, len(groups))
    if numbers is not None:
        return numbers
    return _unused_series("merge", len(groups), taken)


def generate_unit_ids_for_split(
    old_unit_ids: ArrayLike,
    unit_splits: Mapping[UnitId, Sequence[ArrayLike]],
    new_unit_ids: Sequence[Sequence[UnitId]] | None = None,
    new_id_strategy: str = "append",
) -> list[list[UnitId]]:
    """Return ids for the parts that each unit is split into.

    Parameters
    ----------
    old_unit_ids : array_like of shape (n_units,)
    unit_splits : mapping of unit id to a list of parts
        A part lists spikes of the unit; only the number of parts matters here.
    new_unit_ids : sequence of sequences of unit ids, optional
        One for each part; only checked then.
    new_id_strategy : {"append", "split"}
        "append": the numbers after the largest id, as text if ids are text of digits; other text
        gives "a-split0" and so on. "split": "a-0" and so on ("append" if ids are numbers).

    Returns
    -------
    list of list of unit ids

    Raises
    ------
    ParameterError
        If splits or ids make no sense.

    Examples
    --------
    >>> generate_unit_ids_for_split([4, 5], {4: [[0, 1], [2]]})
    [[6, 7]]
    >>> generate_unit_ids_for_split(["a", "b"], {"b": [[0, 1], [2]]}, new_id_strategy="split")
    [['b-0', 'b-1']]
    """
    ids = plain_ids(old_unit_ids)
    split = plain_ids(list(unit_splits))
    _check_known(ids, split)
    n_parts = [len(parts) for parts in unit_splits.values()]
    for unit, n in zip(split, n_parts, strict=True):
        if n < 2:
            msg = f"Unit {unit!r} is split into {n} part; a split has at least two."
            raise ParameterError(msg)
    if new_unit_ids is not None:
        given = [plain_ids(parts) for parts in new_unit_ids]
        if [len(parts) for parts in given] != n_parts:
            msg = f"Splits have {n_parts} parts; got {[len(parts) for parts in given]} new ids."
            raise ParameterError(msg)
        _check_new_ids(ids, set(split), [unit for parts in given for unit in parts])
        return given
    _check_strategy(new_id_strategy, _SPLIT_STRATEGIES)
    taken = set(ids)
    if new_id_strategy == "append" or _are_numbers(ids):
        numbers = _next_numbers(ids, sum(n_parts))
        if numbers is not None:
            return [[numbers.pop(0) for _ in range(n)] for n in n_parts]
    between = "-" if new_id_strategy == "split" else "-split"
    return [
        _unused_series(f"{unit}{between}", n, taken) for unit, n in zip(split, n_parts, strict=True)
    ]


def unit_ids_after(
    old_unit_ids: ArrayLike, removed: Iterable[UnitId], added: Iterable[UnitId]
) -> NDArray[Any]:
    """Return the unit ids after a merge or split.

    Removed ids drop out and new ids are appended; an id that is removed and added again keeps
    its place.

    Raises
    ------
    ParameterError
        If a new id is of another kind (number or text) than the old ones.

    Examples
    --------
    >>> unit_ids_after([0, 1, 2, 3], removed=[0, 2], added=[4])
    array([1, 3, 4])
    >>> unit_ids_after([0, 1, 2, 3], removed=[0, 2], added=[2])
    array([1, 2, 3])
    """
    old = np.asarray(old_unit_ids)
    ids, gone, new = plain_ids(old), set(plain_ids(removed)), plain_ids(added)
    if new and _are_numbers(new) != _are_numbers(ids):
        msg = f"New unit ids {new[:5]} are of another kind than the old ones, as {ids[0]!r}."
        raise ParameterError(msg)
    kept = [unit for unit in ids if unit not in gone or unit in new]
    all_ids = kept + [unit for unit in new if unit not in gone]
    if not all_ids:
        return old[:0]
    made = np.array(all_ids)
    fits = made.dtype.kind in "iu" and old.dtype.kind in "iu"
    if fits and np.can_cast(np.min_scalar_type(made.max()), old.dtype) and made.min() >= 0:
        return made.astype(old.dtype)
    return made


def plain_ids(ids: Any) -> list[UnitId]:
    """Return ids as numbers and text of Python, which compare and hash as one expects.

    Examples
    --------
    >>> plain_ids(np.array([3, 4])), plain_ids(["a", np.str_("b")])
    ([3, 4], ['a', 'b'])
    """
    return [getattr(unit, "item", lambda unit=unit: unit)() for unit in list(ids)]


def _are_numbers(ids: Sequence[UnitId]) -> bool:
    return all(isinstance(unit, int) for unit in ids)


def _check_strategy(strategy: str, allowed: Sequence[str]) -> None:
    if strategy not in allowed:
        msg = f"new_id_strategy is one of {', '.join(allowed)}; got {strategy!r}."
        raise ParameterError(msg)


def _check_known(ids: Sequence[UnitId], wanted: Sequence[UnitId]) -> None:
    known = set(ids)
    unknown = [unit for unit in wanted if unit not in known]
    if unknown:
        msg = f"Units {unknown[:5]} are not among the {len(ids)} unit ids of the sorting."
        raise ParameterError(msg)


def _check_groups(ids: Sequence[UnitId], groups: Sequence[Sequence[UnitId]]) -> None:
    """Raise unless groups have two units or more, all known, and none twice."""
    seen: set[UnitId] = set()
    for group in groups:
        if len(group) < 2:
            msg = f"The group {list(group)} cannot be merged; a merge has at least two units."
            raise ParameterError(msg)
        _check_known(ids, group)
        twice = [unit for i, unit in enumerate(group) if unit in seen or unit in group[:i]]
        if twice:
            msg = f"Units {twice[:5]} occur twice in the merges; a unit is merged once."
            raise ParameterError(msg)
        seen.update(group)


def _check_new_ids(ids: Sequence[UnitId], removed: set[UnitId], given: Sequence[UnitId]) -> None:
    """Raise if new ids are taken by units that stay, or given twice."""
    taken = [unit for unit in given if unit in set(ids) - removed]
    if taken:
        msg = f"New unit ids {taken[:5]} are those of units that stay; choose others."
        raise ParameterError(msg)
    if len(set(given)) < len(given):
        msg = f"New unit ids must differ from each other; got {list(given)[:10]}."
        raise ParameterError(msg)


def _next_numbers(ids: Sequence[UnitId], n_wanted: int) -> list[UnitId] | None:
    """Return the numbers after the largest id, as text if ids are text; None if ids are words."""
    if _are_numbers(ids):
        first = max(ids, default=-1) + 1
        return list(range(first, first + n_wanted))
    if all(unit.isdecimal() for unit in ids):
        first = max(int(unit) for unit in ids) + 1
        return [str(number) for number in range(first, first + n_wanted)]
    return None


def _unused(name: str, taken: set[UnitId]) -> str:
    """Return a name that is not taken yet, `name` itself if possible, and take it."""
    unused, i = name, 1
    while unused in taken:
        unused, i = f"{name}-{i}", i + 1
    taken.add(unused)
    return unused


def _unused_series(stem: str, n_wanted: int, taken: set[UnitId]) -> list[UnitId]:
    """Return the stem with the first numbers that are not taken yet, and take them."""
    names: list[UnitId] = []
    i = 0
    while len(names) < n_wanted:
        name = f"{stem}{i}"
        if name not in taken:
            names.append(name)
            taken.add(name)
        i += 1
    return names
