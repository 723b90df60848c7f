"""Ids of channels and units, and the way from an id to its position."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikeloom.errors import ParameterError

_KINDS = "uiSU"

_TEXT_BYTES_MAX = 64 << 20
"""Each text takes the room of the longest, so that a single damaged one could fill the memory."""

Indices = slice | NDArray[np.int64]
"""Positions along an axis: a slice where they are consecutive, which spares a copy."""


def as_ids(ids: ArrayLike, kind: str = "id") -> NDArray[Any]:
    """Return `ids` as a one-dimensional array of whole numbers or strings.

    Parameters
    ----------
    ids : array_like of shape (n_ids,)
        Integers or strings, each there once.
    kind : str
        What they are ids of, for messages.

    Raises
    ------
    ParameterError
        If they are of another type or far too long, or if an id is there twice.

    Examples
    --------
    >>> as_ids(["a", "b"])
    array(['a', 'b'], dtype='<U1')
    """
    if isinstance(ids, (list, tuple)):
        n_longest = max((len(one) for one in ids if isinstance(one, (str, bytes))), default=0)
        if 4 * n_longest * len(ids) > _TEXT_BYTES_MAX:
            msg = f"{len(ids)} {kind}s take too much room: the longest has {n_longest} characters."
            raise ParameterError(msg)
    try:
        array = np.asarray(ids)
    except ValueError as error:  # lists of different lengths
        msg = (
            f"{kind.capitalize()}s must be a list of whole numbers or of strings; got {ids!r:.80}."
        )
        raise ParameterError(msg) from error
    if array.size == 0 and array.dtype.kind not in _KINDS:
        array = np.zeros(0, np.int64)
    if array.dtype.kind not in _KINDS:
        array = _as_fixed_strings(array)
    if array.dtype.kind not in _KINDS or array.ndim != 1:
        msg = (
            f"{kind.capitalize()}s must be a list of whole numbers or of strings; "
            f"got {array.dtype} of shape {array.shape}."
        )
        raise ParameterError(msg)
    if len(set(array.tolist())) < array.size:
        values, counts = np.unique(array, return_counts=True)
        msg = f"The {kind}s {values[counts > 1].tolist()} are there more than once."
        raise ParameterError(msg)
    return array


def _as_fixed_strings(array: NDArray[Any]) -> NDArray[Any]:
    """Turn strings of variable length, which numpy keeps as objects, into strings of a width."""
    values = array.tolist()
    if isinstance(values, list) and values and all(isinstance(value, str) for value in values):
        return np.array(values, dtype=np.str_)
    return array


class IdIndex:
    """Positions of ids, looked up in constant time.

    Parameters
    ----------
    ids : ndarray of shape (n_ids,)
        As `as_ids` returns them.
    kind : str
        What they are ids of, for messages.

    Examples
    --------
    >>> index = IdIndex(np.array(["a", "b", "c"]), "channel id")
    >>> index.position("b")
    1
    >>> index.positions(["c", "a"])
    array([2, 0])
    >>> index.positions(["b", "c"], prefer_slice=True)
    slice(1, 3, None)
    """

    def __init__(self, ids: NDArray[Any], kind: str) -> None:
        self._ids = ids
        self._kind = kind
        self._position_of: dict[Any, int] | None = None

    def position(self, id: object) -> int:
        """Return the position of one id.

        Raises
        ------
        ParameterError
            If there is no such id.
        """
        position = self._positions.get(id) if _is_hashable(id) else None
        # True == 1 for a dictionary, but nobody means channel 1 when saying True.
        if position is None or isinstance(id, bool | np.bool_):
            raise ParameterError(self._unknown([id]))
        return position

    def positions(self, ids: Iterable[Any] | None, *, prefer_slice: bool = False) -> Indices:
        """Return the positions of `ids` (all of them for None).

        Raises
        ------
        ParameterError
            If `ids` is a single string instead of a list, or names an unknown id.
        """
        if ids is None:
            return slice(None) if prefer_slice else np.arange(len(self._ids))
        positions = self._look_up(ids)
        if prefer_slice and _are_consecutive(positions):
            return slice(int(positions[0]), int(positions[-1]) + 1)
        return positions

    def __contains__(self, id: object) -> bool:
        return _is_hashable(id) and id in self._positions

    @property
    def _positions(self) -> dict[Any, int]:
        if self._position_of is None:
            self._position_of = {id: k for k, id in enumerate(self._ids.tolist())}
        return self._position_of

    def _look_up(self, ids: Iterable[Any]) -> NDArray[np.int64]:
        if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
            msg = (
                f"A list of {self._kind}s is needed; got {ids!r}. Write [{ids!r}] for a single one."
            )
            raise ParameterError(msg)
        values: Sequence[Any] = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
        if any(isinstance(id, bool | np.bool_) for id in values):
            msg = (
                f"{self._kind.capitalize()}s are needed; got truth values. Pick the ids with them: "
                "ids[mask]."
            )
            raise ParameterError(msg)
        known = self._positions
        try:
            return np.array([known[id] for id in values], np.int64)
        except (KeyError, TypeError):
            unknown = [id for id in values if id not in self]
            raise ParameterError(self._unknown(unknown)) from None

    def _unknown(self, ids: Sequence[object]) -> str:
        known = self._ids.tolist()
        shown = ", ".join(map(repr, known[:8])) + (", …" if len(known) > 8 else "")
        hint = ""
        if ids and known and isinstance(ids[0], str) != isinstance(known[0], str):
            wanted, got = type(known[0]).__name__, type(ids[0]).__name__
            hint = f" These ids are of type {wanted}, not {got}."
        elif ids and (close := get_close_matches(str(ids[0]), map(str, known), 1)):
            hint = f" Did you mean {close[0]!r}?"
        listed = ", ".join(map(repr, ids[:8]))
        return f"Unknown {self._kind}: {listed}. Known: {shown or 'none'}.{hint}"


def _is_hashable(value: object) -> bool:
    return getattr(value, "__hash__", None) is not None


def _are_consecutive(positions: NDArray[np.int64]) -> bool:
    return positions.size > 0 and bool(np.all(np.diff(positions) == 1))
