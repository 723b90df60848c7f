"""Undo and redo: two stacks of entries, immutable.

`done` holds what was done, the last action at its end; `undone` what was taken back. An entry
holds an edit, its inverse and the selections around it, so that undo also restores what the user
was looking at. Doing something new empties `undone`. Each entry has a number of its own, by which
the session remembers what was saved: undoing back to the saved entry makes it clean again.

A session that was recovered may hold actions that were taken back after they had been saved: they
were done before its start, and are numbered downwards from `base`.
"""

from dataclasses import dataclass, replace

from spikeloom.curation.edits import Change, Edit
from spikeloom.curation.selection import Selection


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One action of the user."""

    number: int
    """Counts the actions of a session, from 1 on; those from before its start, from 0 down."""
    edit: Edit
    """What was done, with all ids filled in."""
    inverse: Edit
    """What takes it back."""
    change: Change
    """What it did."""
    before: Selection
    """Selection when it was done."""
    after: Selection
    """Selection afterwards; once it was undone, the one just before the undo."""


@dataclass(frozen=True, slots=True)
class History:
    """What can be undone and redone."""

    done: tuple[HistoryEntry, ...] = ()
    """Actions in force, oldest first."""
    undone: tuple[HistoryEntry, ...] = ()
    """Actions taken back, the next to redo at the end."""
    n_actions: int = 0
    """Number of the latest entry."""
    base: int = 0
    """Number of the last action in force before `done`."""

    def push(  # noqa: PLR0917
        self, edit: Edit, inverse: Edit, change: Change, before: Selection, after: Selection
    ) -> "History":
        """Return the history with a new action, and nothing to redo."""
        entry = HistoryEntry(self.n_actions + 1, edit, inverse, change, before, after)
        return History((*self.done, entry), (), entry.number, self.base)

    def undo(self, selection: Selection) -> "History":
        """Return the history with its last action taken back, made while `selection` was shown."""
        entry = replace(self.done[-1], after=selection)
        return replace(self, done=self.done[:-1], undone=(*self.undone, entry))

    def undo_earlier(  # noqa: PLR0917
        self, edit: Edit, inverse: Edit, change: Change, before: Selection, after: Selection
    ) -> "History":
        """Return the history with an action from before its start taken back; `done` is empty."""
        entry = HistoryEntry(self.base, edit, inverse, change, before, after)
        return replace(self, undone=(*self.undone, entry), base=self.base - 1)

    def redo(self) -> "History":
        """Return the history with the action that was taken back last in force again."""
        return replace(self, done=(*self.done, self.undone[-1]), undone=self.undone[:-1])

    @property
    def top(self) -> int:
        """Number of the last action in force."""
        return self.done[-1].number if self.done else self.base
