"""Positions of channels or units: which they are for a selection, and selections of selections."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.core.base import BaseExtractor
from spikeloom.core.ids import Indices, as_ids
from spikeloom.errors import ParameterError


def positions_and_ids(
    extractor: BaseExtractor, known_ids: NDArray[Any], ids: Iterable[Any] | None
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return positions and ids of a selection, the ids as the object spells them.

    Parameters
    ----------
    extractor : BaseExtractor
        A recording, sorting or snippets.
    known_ids : ndarray of shape (n_ids,)
        Its ids.
    ids : list or None
        Those selected; None selects all.

    Raises
    ------
    ParameterError
        If an id is unknown or there twice.
    """
    positions = np.asarray(extractor.ids_to_indices(ids))
    if np.unique(positions).size < positions.size:
        values, counts = np.unique(positions, return_counts=True)
        twice = known_ids[values[counts > 1]].tolist()
        msg = f"The ids {twice} are selected more than once."
        raise ParameterError(msg)
    return positions, known_ids[positions]


def renamed(ids: NDArray[Any], new_ids: ArrayLike | None) -> NDArray[Any]:
    """Return `new_ids`, or `ids` if there are none.

    Raises
    ------
    ParameterError
        If there is not one new id for each, or if one is there twice.
    """
    if new_ids is None:
        return ids
    checked = as_ids(new_ids)
    if checked.size != ids.size:
        msg = f"One new id is needed for each of the {ids.size} ids; got {checked.size}."
        raise ParameterError(msg)
    return checked if checked.size else ids


def is_everything(indices: Indices | Sequence[int]) -> bool:
    """Return whether these indices pick everything."""
    return isinstance(indices, slice) and indices == slice(None)


def picked_positions(
    positions: NDArray[np.int64], indices: Indices | Sequence[int] | None
) -> NDArray[np.int64]:
    """Return `positions` at `indices`; all of them for None.

    Examples
    --------
    >>> picked_positions(np.array([5, 3, 4]), [2, 0])
    array([4, 5])
    """
    if indices is None:
        return positions
    if isinstance(indices, slice):
        return positions[indices]
    picked = np.asarray(indices)
    # An empty list is one of floats to numpy, which are no indices.
    return positions[picked] if picked.size else positions[:0]


def as_slice(positions: NDArray[np.int64]) -> Indices:
    """Return a slice for consecutive positions, which spares a copy; else the positions.

    Examples
    --------
    >>> as_slice(np.array([3, 4, 5]))
    slice(3, 6, None)
    """
    if positions.size and (positions.size == 1 or bool(np.all(np.diff(positions) == 1))):
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions
