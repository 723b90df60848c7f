"""The wizard: which cluster comes next, by keyboard or after an action.

A row is open unless it is noise or multi-unit activity and those are skipped. All functions
return a selection, the same one where there is nowhere to go.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from spikeloom.curation.selection import Selection, select_best, select_similar
from spikeloom.curation.tables import row_after
from spikeloom.curation.workspace import Rows, Workspace, with_selection

Step = Literal[
    "next",
    "previous",
    "next_best",
    "previous_best",
    "first",
    "last",
    "reset_wizard",
    "select_first_similar",
    "unselect_similar",
]
"""Names of phy's actions."""

N_SIMILAR = 15
"""Rows that `select_first_similar` selects by default."""


def take_step(
    workspace: Workspace, rows: Rows, step: Step, *, n_similar: int = N_SIMILAR
) -> Selection:
    """Return the selection after a step of the wizard."""
    selection = workspace.selection
    if step == "unselect_similar":
        return select_best(selection.best)
    if step == "select_first_similar":
        is_open = rows.is_open(workspace)
        shown = [i for i in rows.order(workspace, "similarity") if is_open(i)]
        return select_similar(selection, shown[:n_similar])
    if step in {"next", "previous"} and selection.best:
        return _step_similar(workspace, rows, 1 if step == "next" else -1)
    return _step_best(workspace, rows, step)


def _step_best(workspace: Workspace, rows: Rows, step: Step) -> Selection:
    order = rows.order(workspace, "cluster")
    is_open = rows.is_open(workspace)
    best = workspace.selection.best
    found = None
    if step in {"first", "reset_wizard", "next", "previous"}:
        found = row_after(order, None, is_open)
    elif step == "last":
        found = row_after(order[::-1], None, is_open)
    else:
        anchor = best[0] if best else None
        found = row_after(order, anchor, is_open, step=1 if step == "next_best" else -1)
    return workspace.selection if found is None else select_best([found])


def _step_similar(workspace: Workspace, rows: Rows, step: int) -> Selection:
    order = rows.order(workspace, "similarity")
    similar = workspace.selection.similar
    found = row_after(order, similar[0] if similar else None, rows.is_open(workspace), step=step)
    return workspace.selection if found is None else select_similar(workspace.selection, [found])


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where the tables stood before an action moved rows about."""

    cluster_order: Sequence[int]
    """Rows of the Cluster view, as shown before the action."""
    similarity_order: Sequence[int]
    """Rows of the Similarity view, as shown before the action."""

    @classmethod
    def of(cls, workspace: Workspace, rows: Rows) -> "Anchors":
        """Note where the tables stand."""
        return cls(rows.order(workspace, "cluster"), rows.order(workspace, "similarity"))


def selection_after_move(
    before: Selection,
    moved: Sequence[int],
    anchors: Anchors,
    *,
    after: Workspace,
    rows: Rows,
) -> Selection:
    """Return what to select after clusters were moved to a group.

    "Next" is taken in the order of the tables before the move (in a table sorted by group the
    moved row has jumped since), but skips what is masked after it. Moving similar clusters only
    goes on to the next similar one; moving best ones only, to the next best one; moving both, to
    the next best one and its first similar one. At the end of a table the selection stays.
    """
    is_open = rows.is_open(after)
    has_best = any(i in before.best for i in moved)
    has_similar = any(i in before.similar for i in moved)
    if has_similar and not has_best:
        found = _next_after(anchors.similarity_order, before.similar, moved, is_open)
        return before if found is None else select_similar(before, [found])
    if not has_best:
        return before
    found = _next_after(anchors.cluster_order, before.best, moved, is_open)
    if found is None:
        return before
    selection = select_best([found])
    if not has_similar:
        return selection
    return _step_similar(with_selection(after, selection), rows, 1)


def _next_after(
    order: Sequence[int],
    selected: Sequence[int],
    moved: Sequence[int],
    is_open: Callable[[int], bool],
) -> int | None:
    anchor = next(i for i in selected if i in moved)
    if anchor not in order:
        return None
    # The moved rows themselves are done with, even where nothing is skipped.
    return row_after(order, anchor, lambda i: is_open(i) and i not in moved)
