"""What is kept for each unit when units are merged or split: the rows of those left alone."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.sorting import BaseSorting


def flat_ids(new_unit_ids: Iterable[Any]) -> list[Any]:
    """Return ids that are given one by one, or in groups, as one list.

    Examples
    --------
    >>> flat_ids([[1, 2], [3]]), flat_ids(["a", "b"])
    ([1, 2, 3], ['a', 'b'])
    """
    found: list[Any] = []
    for one in new_unit_ids:
        found += list(one) if isinstance(one, list | tuple | np.ndarray) else [one]
    return found


def places_of_kept(
    old: BaseSorting, new: BaseSorting, new_unit_ids: Sequence[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the units that were left alone stand before, and where they stand now."""
    made = set(_plain(new_unit_ids))
    ids = new.unit_ids.tolist()
    now = np.array([k for k, unit_id in enumerate(ids) if unit_id not in made], np.int64)
    return places_of(old, [ids[k] for k in now.tolist()]), now


def places_of(sorting: BaseSorting, unit_ids: Iterable[Any]) -> NDArray[np.int64]:
    """Return where units stand; shape (n_units,)."""
    return np.asarray(sorting.ids_to_indices(_plain(unit_ids)), np.int64)


def rows_after(
    old_rows: NDArray[Any],
    new_rows: NDArray[Any],
    old: BaseSorting,
    new: BaseSorting,
    new_unit_ids: Sequence[Any],
) -> NDArray[Any]:
    """Return the rows of all units: old ones where a unit was left alone, else new ones.

    Parameters
    ----------
    old_rows : ndarray of shape (n_units_before, ...)
    new_rows : ndarray of shape (n_new, ...)
        In the order of `new_unit_ids`.
    old, new : BaseSorting
        The units before and afterwards.
    new_unit_ids : sequence
        Units that are not what they were before.

    Returns
    -------
    ndarray of shape (n_units, ...)
    """
    before, now = places_of_kept(old, new, new_unit_ids)
    rows = np.empty((new.get_num_units(), *old_rows.shape[1:]), old_rows.dtype)
    rows[now] = np.asarray(old_rows)[before]
    rows[places_of(new, new_unit_ids)] = new_rows
    return rows


def _plain(ids: Iterable[Any]) -> list[Any]:
    """Return ids without numpy's scalars, which do not all hash as plain ones do."""
    return [one.item() if isinstance(one, np.generic) else one for one in ids]
