"""An append-only journal: what was acknowledged is on the disk, whatever happens next.

One line of JSON per entry, ``{"crc": "…", "entry": {…}}``; the check sum is the CRC-32 of the
entry's own text. `Journal.append` returns after the line was flushed to the disk. A line that
was being written when the process died fails its check and is cut off by the next writer: it was
never acknowledged. A line that fails in the middle of the file means damage: reading stops there
and says so, and nothing is appended behind it. (Two lines run into one are damage too, not an
unfinished last line: a line begins in the middle of them.)

Writers take a lock that the system drops with the process; readers need none.
"""

import contextlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from spikeloom.errors import JournalError, LockedError
from spikeloom.storage.atomic import flush_folder
from spikeloom.storage.locks import try_lock

Entry = dict[str, Any]

_LINE_START = b'{"crc":"'
"""How each line begins; inside a line its quotes would be escaped."""


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal file holds."""

    entries: tuple[Entry, ...]
    """The entries that pass their check, in order."""
    n_bytes: int
    """Length of the part of the file that they fill."""
    is_torn: bool
    """Whether an unfinished last line follows, which was never acknowledged."""
    damage: str | None
    """What is wrong in the middle of the file; None for a sound journal."""


def encode_line(entry: Entry) -> bytes:
    """Return the line that stands for `entry`."""
    text = msgspec.json.encode(entry)
    return b'{"crc":"%08x","entry":%b}\n' % (zlib.crc32(text), text)


class _Line(msgspec.Struct):
    crc: str
    entry: msgspec.Raw


def _decode_line(line: bytes) -> Entry | None:
    try:
        parsed = msgspec.json.decode(line, type=_Line)
    except msgspec.DecodeError:
        return None
    if f"{zlib.crc32(bytes(parsed.entry)):08x}" != parsed.crc:
        return None
    entry: Entry = msgspec.json.decode(parsed.entry)
    return entry


def read_journal(path: Path) -> JournalContent:
    """Read the journal at `path`.

    Raises
    ------
    JournalError
        If the file cannot be read at all.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"The journal {path} cannot be read: {error.strerror or error}."
        raise JournalError(error.errno or 0, msg) from error
    entries: list[Entry] = []
    position = 0
    while position < len(content):
        end = content.find(b"\n", position)
        line = content[position : end if end >= 0 else len(content)]
        entry = _decode_line(line) if end >= 0 else None
        if entry is None:
            is_last = end < 0 or end == len(content) - 1
            is_last &= content.find(_LINE_START, position + 1) < 0
            damage = None if is_last else f"line {len(entries) + 1} of {path} fails its check"
            return JournalContent(tuple(entries), position, is_last, damage)
        entries.append(entry)
        position = end + 1
    return JournalContent(tuple(entries), position, is_torn=False, damage=None)


class Journal:
    """A journal open for appending, locked for this process.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made if absent.

    Raises
    ------
    LockedError
        If another process has it open for appending.
    JournalError
        If it cannot be opened or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = locked_file(path)
        try:
            content = _read_sound(path)
        except BaseException:
            self._file.close()
            raise
        self._n_bytes = content.n_bytes
        self.entries = content.entries
        """What the journal held when it was opened."""

    def append(self, entry: Entry) -> None:
        """Append `entry` and flush it to the disk.

        Raises
        ------
        JournalError
            If the disk refuses (full, gone); the journal is as before.
        """
        line = encode_line(entry)
        try:
            # What an unfinished line left behind, now or when the process before this one died.
            if os.fstat(self._file.fileno()).st_size != self._n_bytes:
                self._file.truncate(self._n_bytes)
            self._write_all(line)
            os.fsync(self._file.fileno())
        except OSError as error:
            # If this fails too: the unfinished line is cut off before the next one.
            with contextlib.suppress(OSError):
                self._file.truncate(self._n_bytes)
            msg = f"The journal {self.path} cannot be written: {error.strerror or error}."
            raise JournalError(error.errno or 0, msg) from error
        self._n_bytes += len(line)

    def _write_all(self, line: bytes) -> None:
        """Write a whole line: without a buffer, a disk that is all but full takes a part of it."""
        written = 0
        while written < len(line):
            written += self._file.write(line[written:])

    def close(self) -> None:
        """Close the file and drop the lock."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _read_sound(path: Path) -> JournalContent:
    content = read_journal(path)
    if content.damage:
        msg = f"The journal is damaged: {content.damage}. Move it away to start a new one."
        raise JournalError(0, msg)
    return content


def locked_file(path: Path) -> BinaryIO:
    """Open a journal's file for appending and lock it for this process, whatever it holds.

    Raises
    ------
    LockedError
        If another process has it open for appending.
    JournalError
        If it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        # Unbuffered, so that a failed write leaves nothing behind to be flushed later.
        file = path.open("a+b", buffering=0)
        if is_new:
            flush_folder(path.parent)
    except OSError as error:
        msg = f"The journal {path} cannot be opened: {error.strerror or error}."
        raise JournalError(error.errno or 0, msg) from error
    if not try_lock(file):
        file.close()
        msg = (
            f"{path.parent.parent} is being curated by another spikeloom process. "
            "Close it first, or look at the data there."
        )
        raise LockedError(11, msg)
    return file
