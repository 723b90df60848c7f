"""`CurationSession`: the one place where a workspace changes.

Every method takes the session's lock, works out the next workspace with pure functions, writes a
journal entry where something was edited, and only then makes the new workspace the current one.
If the journal cannot be written, nothing has changed.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikeloom.curation.codec import (
    decode_edit,
    decode_selection,
    encode_edit,
    encode_selection,
)
from spikeloom.curation.edits import Applied, Change, Edit, Label, Merge, Restore, Split
from spikeloom.curation.history import HistoryEntry
from spikeloom.curation.selection import (
    Gesture,
    Selection,
    TableName,
    click,
    select_best,
    select_similar as with_similar,
)
from spikeloom.curation.state import GROUP, CurationState
from spikeloom.curation.wizard import N_SIMILAR, Anchors, Step, selection_after_move, take_step
from spikeloom.curation.workspace import (
    Rows,
    Workspace,
    existing,
    marked_saved,
    redone,
    select_added,
    undone,
    undone_earlier,
    with_edit,
    with_selection,
    with_table,
)
from spikeloom.errors import CurationError, ParameterError
from spikeloom.storage.delimited import Cell

Which = Literal["best", "similar", "all"]
"""Part of the selection that an action applies to."""

Log = Callable[[dict[str, Any]], None]
"""Keeps a journal entry; raises if it cannot."""

_NAMES_SHOWN_MAX = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did to a session."""

    before: Workspace
    """The workspace before."""
    after: Workspace
    """The workspace now."""
    change: Change | None = None
    """What was edited, if anything."""
    text: str = ""
    """One sentence for the status line."""


class CurationSession:
    """A curation in progress.

    Parameters
    ----------
    workspace : Workspace
        Where it starts.
    rows : Rows
        Projects the workspace onto the tables.
    spike_clusters : ndarray of shape (n_spikes,) and dtype int32
        Cluster of each spike at the start; copied at the first edit.
    """

    def __init__(self, workspace: Workspace, rows: Rows, spike_clusters: NDArray[np.int32]) -> None:
        self.rows = rows
        self.log: Log | None = None
        """Where edits are written before they take effect."""
        self.lock = threading.RLock()
        """Held while the workspace changes; hold it to read `spike_clusters` consistently."""
        self._workspace = workspace
        self._spike_clusters = spike_clusters
        self._owns_spike_clusters = False

    @property
    def workspace(self) -> Workspace:
        """The current workspace."""
        return self._workspace

    @property
    def spike_clusters(self) -> NDArray[np.int32]:
        """Current cluster of each spike; do not write. Shape (n_spikes,)."""
        return self._spike_clusters

    def select(self, best: Iterable[int] | None, similar: Iterable[int] | None = None) -> Outcome:
        """Select clusters; None for `best` keeps those, and changes the similar ones only."""
        with self.lock:
            selection = self._workspace.selection if best is None else select_best(best)
            if similar is not None:
                selection = with_similar(selection, similar)
            return self._move_to(with_selection(self._workspace, selection))

    def click_row(self, table: TableName, cluster_id: int, gesture: Gesture) -> Outcome:
        """Do what a click on a row of a table does."""
        with self.lock:
            order = self.rows.order(self._workspace, table)
            if cluster_id not in order and gesture != "transfer":
                return Outcome(self._workspace, self._workspace)
            selection = click(self._workspace.selection, table, cluster_id, gesture, order=order)
            return self._move_to(with_selection(self._workspace, selection))

    def step(self, step: Step, *, n_similar: int = N_SIMILAR) -> Outcome:
        """Take a step of the wizard."""
        with self.lock:
            selection = take_step(self._workspace, self.rows, step, n_similar=n_similar)
            return self._move_to(with_selection(self._workspace, selection))

    def sort(self, table: TableName, column: str, *, is_descending: bool | None = None) -> Outcome:
        """Sort a table; without a direction, ascending, or the other way if sorted already."""
        with self.lock:
            state = self._workspace.table(table)
            if column not in {*self.rows.columns(self._workspace), "similarity"}:
                known = ", ".join(self.rows.columns(self._workspace))
                msg = f"There is no column {column!r}. Known: {known}."
                raise ParameterError(msg)
            if is_descending is None:
                is_descending = state.sort_column == column and not state.is_descending
            state = replace(state, sort_column=column, is_descending=is_descending)
            return self._move_to(with_table(self._workspace, table, state))

    def filter(self, table: TableName, text: str) -> Outcome:
        """Filter a table; an expression that cannot be read raises and changes nothing."""
        with self.lock:
            self.rows.filter(self._workspace, text)
            state = replace(self._workspace.table(table), filter_text=text.strip())
            return self._move_to(with_table(self._workspace, table, state))

    def skip_masked(self, *, is_on: bool) -> Outcome:
        """Let the wizard skip noise and multi-unit activity, or not."""
        with self.lock:
            revision = self._workspace.revision + 1
            return self._move_to(replace(self._workspace, skips_masked=is_on, revision=revision))

    def merge(self, cluster_ids: Iterable[int] | None = None) -> Outcome:
        """Merge clusters (the selected ones by default) and select the result."""
        with self.lock:
            ids = self._selected(cluster_ids)
            if len(set(ids)) < 2:
                text = "Select at least two clusters to merge."
                return Outcome(self._workspace, self._workspace, text=text)
            return self._edit(Merge(ids), select_added)

    def split(
        self, spikes: NDArray[np.integer], parts: NDArray[np.integer] | None = None
    ) -> Outcome:
        """Take spikes out of their clusters and select all that comes of it."""
        with self.lock:
            if spikes.size == 0:
                text = "No spike was chosen; nothing was split."
                return Outcome(self._workspace, self._workspace, text=text)
            order = np.argsort(spikes, kind="stable")
            ordered = spikes[order].astype(np.int64)
            n_spikes = self._spike_clusters.size
            if not 0 <= ordered[0] <= ordered[-1] < n_spikes:
                msg = f"Spikes {ordered[0]} to {ordered[-1]} were given; there are {n_spikes}."
                raise CurationError(msg)
            ids = np.unique(self._spike_clusters[ordered]).tolist()
            ordered.setflags(write=False)
            edit = Split(tuple(ids), ordered, None if parts is None else parts[order])
            return self._edit(edit, select_added)

    def label(
        self,
        name: str,
        value: Cell | None,
        *,
        which: Which = "all",
        cluster_ids: Iterable[int] | None = None,
    ) -> Outcome:
        """Set a field of clusters (of the selected ones by default); the selection stays."""
        with self.lock:
            if name == GROUP:
                group = "unsorted" if value is None else str(value)
                return self.move(group, which, cluster_ids=cluster_ids)
            ids = self._selected(cluster_ids, which)
            if not ids:
                text = "Select clusters to label."
                return Outcome(self._workspace, self._workspace, text=text)
            selection = self._workspace.selection
            return self._edit(Label(name, dict.fromkeys(ids, value)), lambda _applied: selection)

    def move(
        self,
        group: str,
        which: Which = "all",
        *,
        cluster_ids: Iterable[int] | None = None,
    ) -> Outcome:
        """Move clusters to a group and go on to the next ones."""
        with self.lock:
            ids = self._selected(cluster_ids, which)
            if not ids:
                text = "Select clusters to move."
                return Outcome(self._workspace, self._workspace, text=text)
            before = self._workspace
            anchors = Anchors.of(before, self.rows)

            def choose(applied: Applied) -> Selection:
                # Only the groups differ, which is all that the wizard looks at afterwards.
                after = replace(
                    before,
                    state=applied.state,
                    clustering_revision=before.clustering_revision + 1,
                )
                return selection_after_move(
                    before.selection, ids, anchors, after=after, rows=self.rows
                )

            return self._edit(Label(GROUP, dict.fromkeys(ids, group)), choose)

    def undo(self) -> Outcome:
        """Take the last action back, with the selection that there was before it."""
        with self.lock:
            after, change = undone(self._workspace)
            record = {"kind": "undo", **self._account_of(after.history.undone[-1], after)}
            return self._commit(after, change, record, "Undid: ")

    def redo(self) -> Outcome:
        """Do again what was undone last."""
        with self.lock:
            after, change = redone(self._workspace)
            record = {"kind": "redo", **self._account_of(after.history.done[-1], after)}
            return self._commit(after, change, record, "Did again: ")

    def mark_saved(self, saved: Workspace) -> Outcome:
        """Remember that the workspace `saved` (now, or a little earlier) is what is on the disk."""
        with self.lock:
            return self._move_to(marked_saved(self._workspace, saved))

    def touch(self) -> Outcome:
        """Count a change of something beside the workspace, so that everybody looks again."""
        with self.lock:
            revision = self._workspace.revision + 1
            return self._move_to(replace(self._workspace, revision=revision))

    def start_from(self, state: CurationState) -> None:
        """Start over from another state; for a session in which nothing was edited yet."""
        with self.lock:
            self._workspace = replace(self._workspace, state=state, selection=Selection())

    def replay(self, entries: Sequence[dict[str, Any]]) -> int:
        """Do again what journal entries say, without writing them again; return how many edits.

        Raises
        ------
        JournalError
            If an entry cannot be read.
        CurationError
            If an entry does not apply; those before it stay applied.
        """
        with self.lock:
            log, self.log = self.log, None
            try:
                for entry in entries:
                    self._replay_entry(entry)
            finally:
                self.log = log
            return len(self._workspace.history.done)

    def _replay_entry(self, entry: dict[str, Any]) -> None:
        match entry.get("kind"):
            case "edit":
                edit = decode_edit(entry["edit"])
                before, after = (decode_selection(entry[key]) for key in ("before", "after"))
                selection = before.restricted_to(self._workspace.state.spikes)
                self._workspace = with_selection(self._workspace, selection)
                self._edit(edit, lambda _applied: after)
            case "undo" if self._workspace.history.done or "edit" not in entry:
                self.undo()
            case "undo":
                edit, inverse = decode_edit(entry["edit"]), decode_edit(entry["inverse"])
                before = decode_selection(entry["before"])
                after_undo, change = undone_earlier(self._workspace, edit, inverse, before)
                self._commit(after_undo, change, {}, "")
            case "redo" if self._workspace.history.undone or "edit" not in entry:
                self.redo()
            case "redo":
                selection = decode_selection(entry["after"])
                self._edit(decode_edit(entry["edit"]), lambda _applied: selection)

    def _account_of(self, entry: HistoryEntry, after: Workspace) -> dict[str, Any]:
        """Return what a journal must tell of an action that is taken back or done again.

        Nothing, if it was done since the last save: then it stands in the journal. What was saved
        before is not done again by who recovers the rest, so that all of it must be told.
        """
        if entry.number > after.n_settled:
            return {}
        inverse = entry.inverse
        if isinstance(inverse, Restore):
            inverse = inverse.with_labels_of(after.state)
        return {
            "edit": encode_edit(entry.edit),
            "inverse": encode_edit(inverse),
            "before": encode_selection(entry.before),
            "after": encode_selection(entry.after),
        }

    def _selected(self, cluster_ids: Iterable[int] | None, which: Which = "all") -> tuple[int, ...]:
        if cluster_ids is not None:
            return tuple(dict.fromkeys(cluster_ids))
        selection = self._workspace.selection
        return {"best": selection.best, "similar": selection.similar, "all": selection.all}[which]

    def _edit(self, edit: Edit, choose: Callable[[Applied], Selection]) -> Outcome:
        after = with_edit(self._workspace, edit, choose)
        entry = after.history.done[-1]
        record = {
            "kind": "edit",
            "edit": encode_edit(entry.edit),
            "before": encode_selection(entry.before),
            "after": encode_selection(entry.after),
        }
        return self._commit(after, entry.change, record, "")

    def _commit(
        self, after: Workspace, change: Change, record: dict[str, Any], verb: str
    ) -> Outcome:
        before = self._workspace
        if self.log is not None:
            self.log(record)
        if change.touches_clusters:
            self._relabel(after, change)
        self._workspace = after
        return Outcome(before, after, change, verb + describe_change(change, after))

    def _relabel(self, after: Workspace, change: Change) -> None:
        if not self._owns_spike_clusters:
            self._spike_clusters = self._spike_clusters.copy()
            self._owns_spike_clusters = True
        for cluster_id in existing(after, change.added):
            self._spike_clusters[after.state.spikes[cluster_id]] = cluster_id

    def _move_to(self, after: Workspace) -> Outcome:
        before, self._workspace = self._workspace, after
        return Outcome(before, after)


def describe_change(change: Change, after: Workspace) -> str:
    """Return one sentence about a change, for the status line."""
    if not change.touches_clusters:
        if not change.labelled:
            return "nothing."
        word = "group" if change.description == "group" else "label"
        return f"{word} of {_names(change.labelled)} changed."
    sizes = ", ".join(
        f"{i} ({after.state.spikes[i].size:,} spikes)"
        for i in existing(after, change.added[:_NAMES_SHOWN_MAX])
    )
    return f"{change.description} of {_names(change.deleted)} into {sizes}."


def _names(cluster_ids: Sequence[int]) -> str:
    shown = ", ".join(map(str, cluster_ids[:_NAMES_SHOWN_MAX]))
    n_more = len(cluster_ids) - _NAMES_SHOWN_MAX
    return f"{shown} and {n_more} more" if n_more > 0 else shown
