"""What pages are told after a change: the difference to what they were told before."""

from collections.abc import Sequence

from spikeloom.app.messages import RecoveryInfo, TableInfo, Update
from spikeloom.curation.journal import Recovery
from spikeloom.curation.session import CurationSession, Outcome
from spikeloom.curation.tables import TableState
from spikeloom.curation.wizard import take_step
from spikeloom.curation.workspace import Rows, Workspace
from spikeloom.storage.delimited import Cell

_N_LIKELY_CLUSTERS_MAX = 8


class Projector:
    """Makes the messages of a session, remembering what was sent last.

    All pages get the same messages, so one memory serves them all; a new page gets `full`.
    """

    def __init__(self, session: CurationSession) -> None:
        self._rows = session.rows
        self._columns: list[str] = []
        self._orders: dict[str, Sequence[int]] = {}

    def full(self, workspace: Workspace, recovery: Recovery | None) -> Update:
        """Return everything, for a page that knows nothing."""
        rows = self._rows
        columns = rows.columns(workspace)
        similar = rows.order(workspace, "similarity")
        return _update(
            workspace,
            rows,
            recovery,
            columns=columns,
            rows=[_wire_row(row) for row in rows.rows(workspace).values()],
            cluster_order=rows.order(workspace, "cluster"),
            similar=similar,
            is_full=True,
        )

    def difference(self, outcome: Outcome, recovery: Recovery | None) -> Update:
        """Return what an action changed."""
        workspace, change = outcome.after, outcome.change
        before = outcome.before.clustering_revision
        if change is None and workspace.clustering_revision != before:
            return self.full(workspace, recovery)  # many edits at once: a recovery
        rows = self._rows
        changed: list[dict[str, Cell | None]] | None = None
        removed: list[int] | None = None
        if change is not None:
            touched = [i for i in (*change.added, *change.labelled) if i in workspace.state.spikes]
            changed = [_wire_row(rows.row(workspace.state, i)) for i in touched]
            removed = [i for i in change.deleted if i not in workspace.state.spikes]
        columns = rows.columns(workspace)
        is_known = columns == self._columns
        self._columns = columns
        return _update(
            workspace,
            rows,
            recovery,
            columns=None if is_known else columns,
            rows=changed,
            removed=removed,
            cluster_order=self._new_order(workspace, "cluster"),
            similar=self._new_order(workspace, "similarity"),
        )

    def _new_order(self, workspace: Workspace, name: str) -> Sequence[int] | None:
        order = self._rows.order(workspace, "cluster" if name == "cluster" else "similarity")
        if self._orders.get(name) is order:
            return None
        self._orders[name] = order
        return order


def _update(  # noqa: PLR0913 - the sections of one message
    workspace: Workspace,
    projected: Rows,
    recovery: Recovery | None,
    *,
    columns: list[str] | None = None,
    rows: list[dict[str, Cell | None]] | None = None,
    removed: list[int] | None = None,
    cluster_order: Sequence[int] | None = None,
    similar: Sequence[int] | None = None,
    is_full: bool = False,
) -> Update:
    scores = projected.similar(workspace)
    return Update(
        revision=workspace.revision,
        clustering_revision=workspace.clustering_revision,
        best=list(workspace.selection.best),
        similar=list(workspace.selection.similar),
        can_undo=bool(workspace.history.done),
        can_redo=bool(workspace.history.undone),
        is_dirty=workspace.is_dirty,
        n_edits=len(workspace.history.done),
        skips_masked=workspace.skips_masked,
        cluster_table=_table_info(workspace.cluster_table),
        similarity_table=_table_info(workspace.similarity_table),
        likely=likely_selections(workspace, projected),
        columns=columns,
        is_full=is_full,
        rows=rows,
        removed=removed,
        cluster_order=None if cluster_order is None else list(cluster_order),
        similarity_order=None if similar is None else list(similar),
        similarities=None if similar is None else [scores[i] for i in similar],
        recovery=None if recovery is None else recovery_info(recovery),
    )


def likely_selections(workspace: Workspace, rows: Rows) -> list[list[int]]:
    """Return the selections that Space and Down would lead to, for the page to fetch ahead."""
    found: list[list[int]] = []
    for step in ("next", "next_best"):
        selection = take_step(workspace, rows, "next" if step == "next" else "next_best").all
        ids = list(selection[:_N_LIKELY_CLUSTERS_MAX])
        if ids and selection != workspace.selection.all and ids not in found:
            found.append(ids)
    return found


def recovery_info(recovery: Recovery) -> RecoveryInfo:
    """Return what the page is told of unsaved edits."""
    return RecoveryInfo(
        n_edits=recovery.n_edits,
        last_time=recovery.last_time,
        path=str(recovery.path),
        problem=recovery.problem,
    )


def _table_info(table: TableState) -> TableInfo:
    return TableInfo(table.sort_column, table.is_descending, table.filter_text)


def _wire_row(row: dict[str, Cell | None]) -> dict[str, Cell | None]:
    """Return a row without what JSON cannot say (infinities and nan become None)."""
    return {name: _wire_cell(value) for name, value in row.items()}


def _wire_cell(value: Cell | None) -> Cell | None:
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
