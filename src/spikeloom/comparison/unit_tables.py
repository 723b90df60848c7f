"""Tables of pandas whose rows and columns are units; the only place that makes them from arrays.

Inside this room a match is a position among the units of the other sorting, or -1 for none. In a
table it is the id of the unit, or -1 for none where ids are numbers and ``""`` where they are text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

NO_MATCH = -1
"""Position of a unit that is not there."""


def pair_table(values: NDArray[Any], unit_ids1: Any, unit_ids2: Any) -> "pd.DataFrame":
    """Return a table with a row for each unit of sorting 1 and a column for each of sorting 2."""
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    return pd.DataFrame(values, index=np.asarray(unit_ids1), columns=np.asarray(unit_ids2))


def unit_series(values: Any, unit_ids: Any) -> "pd.Series":
    """Return one value for each unit."""
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    return pd.Series(np.asarray(values), index=np.asarray(unit_ids))


def absent_id(unit_ids: NDArray[Any]) -> Any:
    """Return what stands for no unit among ids of this kind.

    Examples
    --------
    >>> absent_id(np.array([3, 4])), absent_id(np.array(["a"]))
    (-1, '')
    """
    return NO_MATCH if np.asarray(unit_ids).dtype.kind in "iu" else ""


def ids_at(positions: NDArray[np.int64], unit_ids: Any) -> NDArray[Any]:
    """Return the ids of units, those that are not there as `absent_id`.

    Examples
    --------
    >>> ids_at(np.array([1, -1]), np.array(["a", "b"]))
    array(['b', ''], dtype='<U1')
    """
    ids = np.asarray(unit_ids)
    # Unsigned numbers have no -1.
    found = np.zeros(positions.size, np.int64 if ids.dtype.kind == "u" else ids.dtype)
    is_there = positions >= 0
    found[is_there] = ids[positions[is_there]]
    found[~is_there] = absent_id(ids)
    return found


def match_series(
    positions: NDArray[np.int64], unit_ids: NDArray[Any], other_ids: NDArray[Any]
) -> "pd.Series":
    """Return the match of each unit, by id."""
    return unit_series(ids_at(positions, other_ids), unit_ids)


def ids_of(index: "pd.Index") -> NDArray[Any]:
    """Return unit ids that are the index of a table; text as an array of text, not of objects."""
    ids = np.asarray(index)
    if ids.size and ids.dtype.kind == "O" and all(isinstance(one, str) for one in ids):
        return ids.astype(np.str_)
    return ids


def positions_of(match: "pd.Series", other_ids: "pd.Index") -> NDArray[np.int64]:
    """Return the positions of matches that are ids, -1 for none; the way back of `match_series`.

    Raises
    ------
    ParameterError
        If a match is no unit of the other sorting.
    """
    position_of = {unit_id: k for k, unit_id in enumerate(ids_of(other_ids).tolist())}
    positions = np.full(len(match), NO_MATCH, np.int64)
    for k, unit_id in enumerate(np.asarray(match).tolist()):
        if unit_id in position_of:
            positions[k] = position_of[unit_id]
        elif unit_id not in {NO_MATCH, "", None}:
            msg = f"The match {unit_id!r} is none of the {len(position_of)} units of the other."
            raise ParameterError(msg)
    return positions


def as_output(table: Any, output: str) -> Any:
    """Return a table of pandas as it is, or as a dictionary.

    Raises
    ------
    ParameterError
        If `output` is neither "pandas" nor "dict".
    """
    check_choice("output", output, ("pandas", "dict"))
    return table.to_dict() if output == "dict" else table


def check_choice(what: str, got: str, allowed: tuple[str, ...]) -> None:
    """Raise ParameterError unless an argument is one of what is allowed.

    Examples
    --------
    >>> check_choice("match_mode", "best", ("hungarian", "best"))
    """
    if got not in allowed:
        msg = f"{what} is one of {', '.join(map(repr, allowed))}; got {got!r}."
        raise ParameterError(msg)


def count_series(counts: Mapping[str, int]) -> "pd.Series":
    """Return whole numbers by name."""
    import pandas as pd  # noqa: PLC0415 - takes a while to import

    return pd.Series(dict(counts), dtype="int64")
