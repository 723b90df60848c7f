"""What the cluster tables show: rows in an order, after a filter.

The order decides what "next" means, so it is part of the session, not of the page.
Rules: a missing value comes last whichever way the column is sorted; numbers, and text that is a
number, come before other text; equal values keep the order of their ids.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spikeloom.curation.filter_language import Filter, Row
from spikeloom.curation.state import GROUP

MASKED_GROUPS = frozenset({"noise", "mua"})
"""Groups that the wizard skips."""


@dataclass(frozen=True, slots=True)
class TableState:
    """How a table is sorted and filtered."""

    sort_column: str
    """Column by which rows are sorted."""
    is_descending: bool = False
    """Whether the largest value comes first."""
    filter_text: str = ""
    """Filter expression; empty for none."""


def sort_key(value: Any) -> tuple[int, float, str]:  # noqa: ANN401 - any cell
    """Return what a present value is sorted by: numbers first, then text."""
    text = value.casefold() if isinstance(value, str) else ""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return (1, 0.0, text)
    return (0, number, "") if number == number else (1, 0.0, text)


def sort_rows(rows: Mapping[int, Row], column: str, *, is_descending: bool) -> list[int]:
    """Return the ids of `rows` in the order of a column.

    Examples
    --------
    >>> rows = {i: {"ch": ch} for i, ch in enumerate(["2", "10", None, "b", "1"])}
    >>> sort_rows(rows, "ch", is_descending=False)
    [4, 0, 1, 3, 2]
    >>> sort_rows(rows, "ch", is_descending=True)
    [3, 1, 0, 4, 2]
    """
    present = sorted(i for i, row in rows.items() if _is_present(row.get(column)))
    absent = sorted(i for i, row in rows.items() if not _is_present(row.get(column)))
    present.sort(key=lambda i: sort_key(rows[i][column]), reverse=is_descending)
    return present + absent


def _is_present(value: object) -> bool:
    return value is not None and value == value


def shown_rows(rows: Mapping[int, Row], table: TableState, is_shown: Filter) -> list[int]:
    """Return the ids of the rows that a table shows, in its order."""
    order = sort_rows(rows, table.sort_column, is_descending=table.is_descending)
    return [i for i in order if is_shown(rows[i])]


def is_masked(row: Row) -> bool:
    """Tell whether the wizard skips this row when it skips noise and multi-unit activity."""
    return row.get(GROUP) in MASKED_GROUPS


def row_after(
    order: Sequence[int], anchor: int | None, is_open: Callable[[int], bool], *, step: int = 1
) -> int | None:
    """Return the next open row after `anchor`, or the first one if `anchor` is not in the table.

    Parameters
    ----------
    order : sequence of int
        Rows as shown.
    anchor : int or None
        Where to start; not itself a candidate.
    is_open : callable
        Tells whether the wizard stops at a row.
    step : {1, -1}, default 1
        Direction. Backwards without an anchor, the search still begins at the first row.
    """
    candidates: Iterable[int]
    if anchor is None or anchor not in order:
        candidates = order
    else:
        start = order.index(anchor)
        candidates = order[start + 1 :] if step > 0 else reversed(order[:start])
    return next((i for i in candidates if is_open(i)), None)
