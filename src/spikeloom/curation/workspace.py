"""`Workspace`: everything a curation session knows, as one immutable value.

Functions here take a workspace and return the next one. Tables are projections of it: `Rows`
works them out and keeps them as long as they are valid.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from spikeloom.curation.edits import Applied, Change, Edit
from spikeloom.curation.filter_language import Filter, parse_filter
from spikeloom.curation.history import History
from spikeloom.curation.selection import Selection, TableName, select_best
from spikeloom.curation.state import GROUP, CurationState, Spikes
from spikeloom.curation.tables import TableState, is_masked, shown_rows
from spikeloom.errors import CurationError
from spikeloom.storage.delimited import Cell

Facts = Callable[[int, Spikes], Mapping[str, Cell | None]]
"""Columns of a cluster that follow from its spikes (id and spikes to column and value)."""

Similarity = Callable[[int, CurationState], Mapping[int, float]]
"""Similarity of other clusters to a reference cluster."""

SIMILARITY = "similarity"
"""Column that only the Similarity view has."""

ID = "id"
"""Column that holds the cluster id."""

N_SPIKES = "n_spikes"
"""Column by which tables are sorted at first."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """State of a curation session."""

    state: CurationState
    """Clusters and labels."""
    history: History = History()
    """What can be undone and redone."""
    selection: Selection = Selection()
    """Selected clusters."""
    cluster_table: TableState = TableState(N_SPIKES, is_descending=True)
    """How the Cluster view is sorted and filtered."""
    similarity_table: TableState = TableState(SIMILARITY, is_descending=True)
    """How the Similarity view is sorted and filtered."""
    skips_masked: bool = True
    """Whether the wizard skips noise and multi-unit activity."""
    revision: int = 0
    """Counts all changes."""
    clustering_revision: int = 0
    """Counts the changes of clusters or labels."""
    saved_entry: int = 0
    """Number of the history entry that was last when the session was saved."""
    n_settled: int = 0
    """Number of the latest history entry when the session was saved."""

    @property
    def is_dirty(self) -> bool:
        """Whether there is something to save."""
        return self.history.top != self.saved_entry

    def table(self, name: TableName) -> TableState:
        """Return the state of one table."""
        return self.cluster_table if name == "cluster" else self.similarity_table


def with_selection(workspace: Workspace, selection: Selection) -> Workspace:
    """Return the workspace with another selection."""
    if selection == workspace.selection:
        return workspace
    workspace.state.check_known(selection.all)
    return replace(workspace, selection=selection, revision=workspace.revision + 1)


def with_table(workspace: Workspace, name: TableName, table: TableState) -> Workspace:
    """Return the workspace with a table sorted or filtered in another way."""
    revision = workspace.revision + 1
    if name == "cluster":
        return replace(workspace, cluster_table=table, revision=revision)
    return replace(workspace, similarity_table=table, revision=revision)


def with_edit(
    workspace: Workspace, edit: Edit, choose: Callable[[Applied], Selection]
) -> Workspace:
    """Apply an edit as one undoable action.

    Parameters
    ----------
    workspace : Workspace
        The workspace before.
    edit : Edit
        What to do.
    choose : callable
        Tells from what was done which clusters to select.
    """
    applied = edit.apply(workspace.state)
    after = choose(applied)
    history = workspace.history.push(
        applied.edit, applied.inverse, applied.change, workspace.selection, after
    )
    return _moved_on(workspace, applied.state, history, after)


def undone(workspace: Workspace) -> tuple[Workspace, Change]:
    """Take the last action back; return the workspace and what changed.

    Raises
    ------
    CurationError
        If there is nothing to undo.
    """
    if not workspace.history.done:
        msg = "There is nothing to undo."
        raise CurationError(msg)
    entry = workspace.history.done[-1]
    applied = entry.inverse.apply(workspace.state)
    history = workspace.history.undo(workspace.selection)
    return _moved_on(workspace, applied.state, history, entry.before), applied.change


def redone(workspace: Workspace) -> tuple[Workspace, Change]:
    """Do again what was taken back last; return the workspace and what changed.

    Raises
    ------
    CurationError
        If there is nothing to redo.
    """
    if not workspace.history.undone:
        msg = "There is nothing to redo."
        raise CurationError(msg)
    entry = workspace.history.undone[-1]
    applied = entry.edit.apply(workspace.state)
    return _moved_on(
        workspace, applied.state, workspace.history.redo(), entry.after
    ), applied.change


def undone_earlier(
    workspace: Workspace, edit: Edit, inverse: Edit, before: Selection
) -> tuple[Workspace, Change]:
    """Take back an action from before the history; return the workspace and what changed."""
    applied = inverse.apply(workspace.state)
    history = workspace.history.undo_earlier(
        edit, inverse, applied.change, before, workspace.selection
    )
    return _moved_on(workspace, applied.state, history, before), applied.change


def marked_saved(workspace: Workspace, saved: Workspace) -> Workspace:
    """Return the workspace as one of which `saved` is on the disk."""
    return replace(
        workspace,
        saved_entry=saved.history.top,
        n_settled=saved.history.n_actions,
        revision=workspace.revision + 1,
    )


def _moved_on(
    workspace: Workspace, state: CurationState, history: History, selection: Selection
) -> Workspace:
    return replace(
        workspace,
        state=state,
        history=history,
        selection=selection.restricted_to(state.spikes),
        revision=workspace.revision + 1,
        clustering_revision=workspace.clustering_revision + 1,
    )


def select_added(applied: Applied) -> Selection:
    """Select the new clusters, as after a merge or a split."""
    return select_best(applied.change.added)


class Rows:
    """Rows and orders of the tables of a workspace.

    Facts of a cluster never change while its id exists, so they are worked out once per id.

    Parameters
    ----------
    facts : callable
        Columns that follow from the spikes of a cluster.
    similarity : callable
        Similarity to a reference cluster.
    """

    def __init__(self, facts: Facts, similarity: Similarity) -> None:
        self._facts = facts
        self._similarity = similarity
        self._facts_of: dict[int, Mapping[str, Cell | None]] = {}
        self._rows: tuple[int, dict[int, dict[str, Cell | None]]] | None = None
        self._orders: dict[TableName, tuple[object, list[int]]] = {}
        self._similar: tuple[object, dict[int, float]] | None = None

    def rows(self, workspace: Workspace) -> Mapping[int, dict[str, Cell | None]]:
        """Return the row of each existing cluster: id, facts, then labels."""
        if self._rows is None or self._rows[0] != workspace.clustering_revision:
            rows = {i: self.row(workspace.state, i) for i in workspace.state.spikes}
            self._rows = (workspace.clustering_revision, rows)
        return self._rows[1]

    def row(self, state: CurationState, cluster_id: int) -> dict[str, Cell | None]:
        """Return the row of one cluster."""
        facts = self._facts_of.get(cluster_id)
        if facts is None:
            facts = self._facts(cluster_id, state.spikes[cluster_id])
            self._facts_of[cluster_id] = facts
        row = {ID: cluster_id, **facts, GROUP: None, **state.labels_of(cluster_id)}
        row[ID] = cluster_id  # whatever a column of some file is called
        return row

    def columns(self, workspace: Workspace) -> list[str]:
        """Return the names of all columns: id, facts, group, then labels in order of name."""
        fact_names: list[str] = []
        for cluster_id in workspace.state.spikes:
            self.row(workspace.state, cluster_id)
            fact_names = list(self._facts_of[cluster_id])
            break
        labels = sorted(n for n, values in workspace.state.labels.items() if values and n != GROUP)
        return list(dict.fromkeys([ID, *fact_names, GROUP, *labels]))

    def similar(self, workspace: Workspace) -> Mapping[int, float]:
        """Return the similarity of all clusters that the Similarity view can show."""
        reference = workspace.selection.reference
        if reference is None:
            return {}
        key = (workspace.clustering_revision, reference)
        if self._similar is None or self._similar[0] != key:
            found = self._similarity(reference, workspace.state)
            self._similar = (key, {i: s for i, s in found.items() if i in workspace.state.spikes})
        best = workspace.selection.best
        return {i: score for i, score in self._similar[1].items() if i not in best}

    def order(self, workspace: Workspace, name: TableName) -> list[int]:
        """Return the rows that a table shows, from top to bottom."""
        table = workspace.table(name)
        best = workspace.selection.best if name == "similarity" else ()
        key = (workspace.clustering_revision, table, best)
        known = self._orders.get(name)
        if known is None or known[0] != key:
            rows: Mapping[int, dict[str, Cell | None]] = self.rows(workspace)
            if name == "similarity":
                similar = self.similar(workspace)
                rows = {i: {**rows[i], SIMILARITY: score} for i, score in similar.items()}
            # Read without its columns: one may have gone since, with the last label in it.
            known = (key, shown_rows(rows, table, parse_filter(table.filter_text)))
            self._orders[name] = known
        return known[1]

    def filter(self, workspace: Workspace, text: str) -> Filter:
        """Return the filter that a text describes; raise `FilterSyntaxError` if it is none."""
        return parse_filter(text, frozenset([*self.columns(workspace), SIMILARITY]))

    def is_open(self, workspace: Workspace) -> Callable[[int], bool]:
        """Return a function that tells whether the wizard stops at a cluster."""
        if not workspace.skips_masked:
            return lambda _cluster_id: True
        masked = masked_clusters(workspace.state)
        return lambda cluster_id: cluster_id not in masked


def masked_clusters(state: CurationState) -> frozenset[int]:
    """Return the clusters that the wizard skips."""
    groups = state.labels.get(GROUP, {})
    return frozenset(i for i, group in groups.items() if is_masked({GROUP: group}))


def existing(workspace: Workspace, cluster_ids: Iterable[int]) -> tuple[int, ...]:
    """Return those of `cluster_ids` that exist."""
    return tuple(i for i in cluster_ids if i in workspace.state.spikes)
