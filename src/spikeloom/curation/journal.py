"""The journal of a dataset: every edit, on the disk before it is acknowledged.

Entries, in order (see `spikeloom.storage.journal` for the file):

``base``
    What the edits that follow start from: fingerprint of the clusters, number of spikes, the
    version of spikeloom, who and when. One at the start, and one whenever the files were changed
    by another program in between.
``edit``, ``undo``, ``redo``
    What was done (`spikeloom.curation.codec`), with the selection before and after.
``saving``, ``saved``
    Around a save: the fingerprint that the clusters will have, and the folder with a copy of the
    files as they were before. A ``saving`` without ``saved`` is a save that was cut short; the
    copy then tells what the edits before it start from.

The edits after the last ``base`` or ``saved`` are what a crash would have lost: the *tail*.
The journal lies in ``.spikeloom/`` beside the data, or in the user's own folder where the data
are read-only. It is made at the first edit.
"""

import getpass
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spikeloom.errors import JournalError
from spikeloom.storage.journal import Entry, Journal, read_journal
from spikeloom.storage.places import DATASET_FOLDER, is_writable, private_folder

JOURNAL_NAME = "journal.jsonl"

_EDITS = frozenset({"edit", "undo", "redo"})


@dataclass(frozen=True, slots=True)
class Recovery:
    """Edits of an earlier session that were never saved."""

    path: Path
    """The journal."""
    entries: tuple[Entry, ...]
    """The edits, undos and redos, oldest first."""
    last_time: str
    """When the last of them was made, in ISO format."""
    snapshot: Path | None
    """Copy of the files from before a save that was cut short, if there was one."""
    problem: str | None
    """Why the edits cannot be applied to the files as they are now; None if they can."""

    @property
    def n_edits(self) -> int:
        """How many edits, undos and redos there are."""
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class _Tail:
    """The end of a journal."""

    fingerprint: str
    """Of the clusters that the edits start from."""
    entries: tuple[Entry, ...]
    """Edits since then."""
    saving: Entry | None
    """The save that was cut short."""


def journal_folders(data_folder: Path) -> tuple[Path, Path]:
    """Return where the journal of a dataset may lie: beside the data, or in the user's folder."""
    return data_folder / DATASET_FOLDER, private_folder(data_folder)


def find_recovery(data_folder: Path, fingerprint: str) -> Recovery | None:
    """Look for edits that were never saved; nothing is written.

    Parameters
    ----------
    data_folder : Path
        Folder of the dataset.
    fingerprint : str
        Of the clusters as they are on disk now.

    Raises
    ------
    JournalError
        If a journal is there but cannot be read.
    """
    for folder in journal_folders(data_folder):
        path = folder / JOURNAL_NAME
        if not path.is_file():
            continue
        content = read_journal(path)
        tail = _tail_of(content.entries)
        if tail is None or not tail.entries:
            continue
        snapshot = None
        is_known = tail.fingerprint == fingerprint
        if tail.saving is not None:
            copy = folder / str(tail.saving.get("snapshot"))
            snapshot = copy if copy.is_dir() else None
            if tail.saving.get("fingerprint") == fingerprint and not is_known:
                continue  # the save was cut short after its last file: all of it is on the disk
        problem = content.damage
        if not is_known:
            problem = (
                "The clusters were changed by another program since these edits were made, so "
                "they cannot be applied."
            )
        last_time = str(tail.entries[-1].get("time", ""))
        return Recovery(path, tail.entries, last_time, snapshot, problem)
    return None


def _tail_of(entries: Sequence[Entry]) -> _Tail | None:
    fingerprint: str | None = None
    edits: list[Entry] = []
    saving: Entry | None = None
    for entry in entries:
        match entry.get("kind"):
            case "base" | "saved":
                fingerprint, edits, saving = str(entry["fingerprint"]), [], None
            case "saving":
                saving = entry
            case kind if kind in _EDITS:
                edits.append(entry)
    return None if fingerprint is None else _Tail(fingerprint, tuple(edits), saving)


class CurationJournal:
    """Writes the journal of one dataset; the file is made and locked at the first entry.

    Parameters
    ----------
    data_folder : Path
        Folder of the dataset.
    base : mapping
        What the first edit starts from: ``fingerprint`` and whatever else helps a reader.
    """

    def __init__(self, data_folder: Path, base: dict[str, Any]) -> None:
        self._data_folder = data_folder
        self._base = base
        self._journal: Journal | None = None
        self._goes_on = False

    @property
    def folder(self) -> Path:
        """Folder of the journal and of snapshots."""
        if self._journal is not None:
            return self._journal.path.parent
        beside, private = journal_folders(self._data_folder)
        for folder in (beside, private):
            if (folder / JOURNAL_NAME).is_file() and is_writable(folder):
                return folder
        is_open = is_writable(beside if beside.is_dir() else self._data_folder)
        return beside if is_open else private

    def go_on(self) -> None:
        """Append behind the edits that were recovered, instead of refusing to."""
        self._goes_on = True

    def append(self, entry: Entry) -> None:
        """Append an entry; it is on the disk when this returns.

        Raises
        ------
        LockedError
            If another process is curating this dataset.
        JournalError
            If the journal cannot be written, or holds edits that were neither recovered nor set
            aside.
        """
        if self._journal is None:
            self._journal = self._open()
        self._journal.append({**entry, "time": _now()})

    def set_aside(self) -> Path | None:
        """Give the journal another name, so that its edits are kept but no longer offered."""
        self.close()
        path = self.folder / JOURNAL_NAME
        if not path.is_file():
            return None
        with Journal(path):  # nobody else may be writing it
            stamp = _now().replace(":", "").split("+")[0]
            return path.rename(path.with_name(f"journal-set-aside-{stamp}.jsonl"))

    def close(self) -> None:
        """Close the file and let other processes curate."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _open(self) -> Journal:
        journal = Journal(self.folder / JOURNAL_NAME)
        try:
            tail = _tail_of(journal.entries)
            if not self._goes_on:
                _check_has_no_tail(journal.path, tail)
            if tail is None or (tail.fingerprint != self._base["fingerprint"] and not tail.entries):
                journal.append({"kind": "base", **self._base, **_whereabouts(), "time": _now()})
        except BaseException:
            journal.close()
            raise
        return journal

    def rebase(self, fingerprint: str) -> None:
        """Note that the clusters on the disk are now those of `fingerprint`, after a save."""
        self._base = {**self._base, "fingerprint": fingerprint}


def _check_has_no_tail(path: Path, tail: _Tail | None) -> None:
    if tail is not None and tail.entries:
        msg = (
            f"{path} holds {len(tail.entries)} edits that were not saved. "
            "Recover them or set them aside first."
        )
        raise JournalError(0, msg)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _whereabouts() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a process without an account
        user = ""
    return {"user": user, "host": socket.gethostname()}
