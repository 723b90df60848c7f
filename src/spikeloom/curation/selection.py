"""Which clusters are selected, in which order, and how clicks change that.

`best` are the clusters selected in the Cluster view, `similar` those selected in the Similarity
view. The position in `best + similar` gives a cluster its colour. The last of `best` is the
reference that similarity refers to. All functions return a new selection.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Gesture = Literal["replace", "toggle", "range", "transfer"]
"""Click, Ctrl+click, Shift+click, Ctrl+right-click."""

TableName = Literal["cluster", "similarity"]
"""The two tables."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Selected clusters."""

    best: tuple[int, ...] = ()
    """Selected in the Cluster view."""
    similar: tuple[int, ...] = ()
    """Selected in the Similarity view."""

    @property
    def all(self) -> tuple[int, ...]:
        """All selected clusters, each once, in the order that gives them their colours."""
        return tuple(dict.fromkeys(self.best + self.similar))

    @property
    def reference(self) -> int | None:
        """The cluster that similarity refers to."""
        return self.best[-1] if self.best else None

    def restricted_to(self, existing: Iterable[int]) -> "Selection":
        """Return the part of the selection that exists."""
        known = set(existing)
        return Selection(
            tuple(cluster_id for cluster_id in self.best if cluster_id in known),
            tuple(cluster_id for cluster_id in self.similar if cluster_id in known),
        )


def select_best(cluster_ids: Iterable[int]) -> Selection:
    """Select clusters in the Cluster view; the Similarity view starts afresh."""
    return Selection(tuple(dict.fromkeys(cluster_ids)))


def select_similar(selection: Selection, cluster_ids: Iterable[int]) -> Selection:
    """Select clusters in the Similarity view; selected best ones are left out."""
    kept = (cluster_id for cluster_id in cluster_ids if cluster_id not in selection.best)
    return replace(selection, similar=tuple(dict.fromkeys(kept)))


def click(
    selection: Selection,
    table: TableName,
    cluster_id: int,
    gesture: Gesture,
    *,
    order: Sequence[int],
) -> Selection:
    """Return the selection after a click on a row.

    Parameters
    ----------
    selection : Selection
        The selection before.
    table : {"cluster", "similarity"}
        Where the row is.
    cluster_id : int
        The row.
    gesture : {"replace", "toggle", "range", "transfer"}
        Click replaces; Ctrl+click toggles, appending at the end; Shift+click adds the rows from
        the last selected one to this one; Ctrl+right-click moves the row to the other table's
        selection.
    order : sequence of int
        Rows of the table, as shown.

    Examples
    --------
    >>> click(Selection((10, 30), (20, 11)), "similarity", 11, "transfer", order=[20, 11])
    Selection(best=(10, 11, 30), similar=(20,))
    """
    if gesture == "transfer":
        return _transfer(selection, table, cluster_id)
    selected = selection.best if table == "cluster" else selection.similar
    if gesture == "toggle":
        if cluster_id in selected:
            clicked = tuple(other for other in selected if other != cluster_id)
        else:
            clicked = (*selected, cluster_id)
    elif gesture == "range" and selected and selected[-1] in order:
        clicked = (*selected, *_rows_between(order, selected[-1], cluster_id))
    else:
        clicked = (cluster_id,)
    if table == "cluster":
        return select_best(clicked)
    return select_similar(selection, clicked)


def _rows_between(order: Sequence[int], anchor: int, cluster_id: int) -> Sequence[int]:
    start, end = order.index(anchor), order.index(cluster_id)
    # In the order of the table from top to bottom, whichever end was clicked.
    return order[min(start, end) : max(start, end) + 1]


def _transfer(selection: Selection, table: TableName, cluster_id: int) -> Selection:
    """Move a cluster between `best` and `similar`; the reference stays."""
    best, similar = selection.best, selection.similar
    if table == "similarity":
        if not best or cluster_id in best:
            return selection
        rest = tuple(other for other in similar if other != cluster_id)
        return Selection((*best[:-1], cluster_id, best[-1]), rest)
    if cluster_id not in best or len(best) == 1:
        return selection
    rest = tuple(other for other in best if other != cluster_id)
    return Selection(rest, (*similar, cluster_id))
