"""The journal of a dataset: every edit, on the disk before it is acknowledged.

Entries, in order (see `spikeloom.storage.journal` for the file):

``base``
    What the edits that follow start from: fingerprint of the clusters, number of spikes, the
    version of spikeloom, who and when. One at the start, and one whenever the files were changed
    by another program in between.
``edit``, ``undo``, ``redo``
    What was done (`spikeloom.curation.codec`), with the selection before and after. An undo or
    redo of what was saved before also tells the edit and its inverse.
``saving``, ``saved``
    Around a save: the fingerprint that the clusters will have, the folder with a copy of the
    files as they were before, and the names of files that there were none of. A ``saving``
    without ``saved`` is a save that was cut short; the copy then tells what the edits before it
    start from.

The edits after the last ``base`` or ``saving`` that came to its end are what a crash would have
lost: the *tail*. The journal lies in ``.spikeloom/`` beside the data, or in the user's own folder
where the data are read-only. It is made at the first edit.
"""

import getpass
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spikeloom.errors import JournalError
from spikeloom.storage.journal import Entry, Journal, locked_file, read_journal
from spikeloom.storage.locks import is_locked
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
    new_files: tuple[str, ...]
    """Files that there were none of before that save."""
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
    n_before_saving: int
    """Edits that it would have saved."""

    def seen_from(self, fingerprint: str) -> "_Tail":
        """Return the tail as the clusters on the disk show it to be.

        They may be those of the save that was cut short: it came to its end, and only the note
        of it is missing.
        """
        saving = self.saving
        if saving is None or self.fingerprint == fingerprint:
            return self
        if saving.get("fingerprint") != fingerprint:
            return self
        return _Tail(fingerprint, self.entries[self.n_before_saving :], None, 0)


def journal_folders(data_folder: Path) -> tuple[Path, Path]:
    """Return where the journal of a dataset may lie: beside the data, or in the user's folder."""
    return data_folder / DATASET_FOLDER, private_folder(data_folder)


def find_recovery(data_folder: Path, fingerprint: str) -> Recovery | None:
    """Look for edits that were never saved; nothing is written.

    Those of a process that is curating the dataset now are its own affair.

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
    found = []
    for folder in journal_folders(data_folder):
        path = folder / JOURNAL_NAME
        recovery = _recovery_from(path, fingerprint) if path.is_file() else None
        if recovery is not None:
            found.append(recovery)
    # Where data became read-only, edits go on in the other folder, behind a copy of the first ones.
    found.sort(key=lambda one: (one.problem is None, one.last_time, one.n_edits))
    return found[-1] if found else None


def _recovery_from(path: Path, fingerprint: str) -> Recovery | None:
    content = read_journal(path)
    if is_locked(path):
        return None
    tail = _tail_of(content.entries)
    if tail is not None:
        tail = tail.seen_from(fingerprint)
    if (tail is None or not tail.entries) and not content.damage:
        return None
    entries = () if tail is None else tail.entries
    saving = {} if tail is None else tail.saving or {}
    snapshot = path.parent / str(saving["snapshot"]) if "snapshot" in saving else None
    problem = content.damage
    if tail is not None and tail.fingerprint != fingerprint:
        problem = (
            "The clusters were changed by another program since these edits were made, so "
            "they cannot be applied."
        )
    return Recovery(
        path,
        entries,
        last_time=str(entries[-1].get("time", "")) if entries else "",
        snapshot=snapshot if snapshot is not None and snapshot.is_dir() else None,
        new_files=tuple(map(str, saving.get("new_files", ()))),
        problem=problem,
    )


def _tail_of(entries: Sequence[Entry]) -> _Tail | None:
    fingerprint: str | None = None
    edits: list[Entry] = []
    saving: Entry | None = None
    n_before_saving = 0
    for entry in entries:
        match entry.get("kind"):
            case "base":
                fingerprint, edits, saving = str(entry.get("fingerprint")), [], None
                n_before_saving = 0
            case "saving":
                saving, n_before_saving = entry, len(edits)
            case "saved":
                fingerprint, saving = str(entry.get("fingerprint")), None
                edits = edits[n_before_saving:]
                n_before_saving = 0
            case kind if kind in _EDITS:
                edits.append(entry)
    if fingerprint is None:
        return None
    return _Tail(fingerprint, tuple(edits), saving, n_before_saving)


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
        self._recovered: Recovery | None = None

    @property
    def folder(self) -> Path:
        """Folder of the journal and of snapshots."""
        if self._journal is not None:
            return self._journal.path.parent
        if self._recovered is not None and is_writable(self._recovered.path.parent):
            return self._recovered.path.parent
        beside, private = journal_folders(self._data_folder)
        for folder in (beside, private):
            if (folder / JOURNAL_NAME).is_file() and is_writable(folder):
                return folder
        is_open = is_writable(beside if beside.is_dir() else self._data_folder)
        return beside if is_open else private

    def go_on(self, recovery: Recovery) -> None:
        """Append behind the edits that were recovered, instead of refusing to."""
        self._recovered = recovery

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
        self.open().append({**entry, "time": _now()})

    def set_aside(self, recovery: Recovery) -> Path:
        """Give a journal another name, so that its edits are kept but no longer offered.

        One that lies in a folder that became read-only stays as it is.

        Raises
        ------
        LockedError
            If another process is curating this dataset.
        """
        self.close()
        path = recovery.path
        if not is_writable(path.parent):
            return path
        with locked_file(path):  # nobody else may be writing it
            stamp = _now().replace(":", "").split("+")[0]
            return path.rename(path.with_name(f"journal-set-aside-{stamp}.jsonl"))

    def close(self) -> None:
        """Close the file and let other processes curate."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def open(self) -> Journal:
        """Open and lock the file, which otherwise the first entry does.

        Raises
        ------
        LockedError
            If another process is curating this dataset.
        JournalError
            As `append` does.
        """
        if self._journal is None:
            journal = Journal(self.folder / JOURNAL_NAME)
            try:
                self._prepare(journal)
            except BaseException:
                journal.close()
                raise
            self._journal = journal
        return self._journal

    def _prepare(self, journal: Journal) -> None:
        """Bring a journal to where the next edit can follow."""
        fingerprint = self._base["fingerprint"]
        known = _tail_of(journal.entries)
        tail = None if known is None else known.seen_from(fingerprint)
        if self._recovered is None or self._recovered.path != journal.path:
            _check_has_no_tail(journal.path, tail)
        elif tail is not None and tail.entries != self._recovered.entries:
            msg = (
                "Another process has edited this dataset since its unsaved edits were recovered "
                "here. Open it again."
            )
            raise JournalError(0, msg)
        if tail is not known:
            journal.append({"kind": "saved", "fingerprint": fingerprint, "time": _now()})
        if tail is None or (tail.fingerprint != fingerprint and not tail.entries):
            journal.append({"kind": "base", **self._base, **_whereabouts(), "time": _now()})
        if self._recovered is not None and self._recovered.path != journal.path:
            for entry in self._recovered.entries:
                journal.append(entry)

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
