"""Groups of units out of pairs that belong together."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from spikeloom.core.sorting import BaseSorting
from spikeloom.core.unit_ids import UnitId, plain_ids


def resolve_merging_graph(
    sorting: BaseSorting, potential_merges: Iterable[Sequence[UnitId]]
) -> list[list[UnitId]]:
    """Return groups of units of pairs: units that are in a group are so by a chain of pairs.

    Parameters
    ----------
    sorting : BaseSorting
        Whose units they are.
    potential_merges : iterable of pairs of unit ids
        The pairs.

    Returns
    -------
    list of list of unit ids
        Groups and units in the order of the sorting.

    Raises
    ------
    ParameterError
        If a unit is unknown.

    Examples
    --------
    >>> from spikeloom.core.numpy_sorting import NumpySorting
    >>> sorting = NumpySorting.from_unit_dict({u: [10] for u in "abcde"}, 30000.0)
    >>> resolve_merging_graph(sorting, [("a", "d"), ("d", "c"), ("b", "e")])
    [['a', 'c', 'd'], ['b', 'e']]
    """
    ids = plain_ids(sorting.unit_ids)
    first_of = list(range(len(ids)))  # position of another unit of its group, or its own

    def root(position: int) -> int:
        while first_of[position] != position:
            first_of[position] = first_of[first_of[position]]
            position = first_of[position]
        return position

    for pair in potential_merges:
        one, *others = np.asarray(sorting.ids_to_indices(plain_ids(pair))).tolist()
        for other in others:
            low, high = sorted((root(one), root(other)))
            first_of[high] = low
    groups: dict[int, list[UnitId]] = {}
    for position, unit in enumerate(ids):
        groups.setdefault(root(position), []).append(unit)
    return [group for group in groups.values() if len(group) > 1]


def resolve_pairs(
    existing_merges: Mapping[UnitId, Sequence[UnitId]] | None,
    new_merges: Mapping[UnitId, Sequence[UnitId]],
) -> dict[UnitId, list[UnitId]]:
    """Return what units were made of after several rounds of merges.

    Parameters
    ----------
    existing_merges : mapping of unit id to unit ids, or None
        What units were made of by earlier rounds.
    new_merges : mapping of unit id to unit ids
        What new units are made of.

    Examples
    --------
    >>> resolve_pairs({8: [0, 1]}, {9: [8, 2], 10: [3, 4]})
    {9: [0, 1, 2], 10: [3, 4]}
    """
    resolved = {new: list(units) for new, units in (existing_merges or {}).items()}
    made = {
        new: [part for unit in units for part in resolved.get(unit, [unit])]
        for new, units in new_merges.items()
    }
    merged = {unit for units in new_merges.values() for unit in units}
    return {new: units for new, units in resolved.items() if new not in merged} | made
