"""Save a folder or a file so that a crash at any moment leaves the old one or the new.

What is saved is written under a hidden name beside its target and renamed when it is complete.
A small journal beside it is locked for as long as the saving process lives. So the next save of
the same target can tell the leftovers of a dead process, which it removes or continues, from the
work of a living one, which it leaves alone.

The journal also says which parts are finished, with a check sum of each: a save that was killed
can be resumed, and what a failing machine lost of the finished parts is noticed and written anew.
"""

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from spikeloom.errors import JournalError, ParameterError, SpikeloomError, WriteError
from spikeloom.storage.atomic import flush_folder
from spikeloom.storage.disk_space import is_disk_full, require_disk_space, write_error
from spikeloom.storage.journal import encode_line, read_journal
from spikeloom.storage.locks import try_lock

_TOKEN = "[0-9a-f]{8}"

_N_FLUSHERS = 8


class BlockWriter(Protocol):
    """What writes rows in blocks and can tell whether they are still as they were written."""

    def write(self, row_start: int, block: Any) -> int:  # noqa: ANN401 - any array
        """Write rows; return their check sum."""

    def checksum(self, row_start: int, row_stop: int) -> int | None:
        """Return the check sum of what is there; None if nothing is."""


class Staging:
    """A save in progress.

    Made by `staged_save`. Threads may mark parts at the same time.
    """

    def __init__(
        self, target: Path, journal: Path, lock: BinaryIO, finished: dict[str, int]
    ) -> None:
        self.target = target
        """What will be there at the end."""
        self.path = journal.with_suffix(".saving")
        """Where to write: a folder or a file beside the target."""
        self.is_resumed = bool(finished) or self.path.exists()
        """Whether the save of a process that died is continued."""
        self.finished = finished
        """Check sum of each finished part."""
        self._journal = journal
        self._lock = lock
        self._guard = threading.Lock()

    def mark(self, part: str, checksum: int) -> None:
        """Note that a part is written; a later `staged_save` with ``resume`` will know.

        Raises
        ------
        WriteError
            If the journal cannot be written.
        """
        line = encode_line({"part": part, "crc": checksum})
        with self._guard:
            try:
                # Not flushed: what a failing machine loses, the check sums bring to light.
                if self._lock.write(line) != len(line):
                    self._lock.write(b"\n")
            except OSError as error:
                raise write_error(self._journal, error) from error
            self.finished[part] = checksum

    def is_done(self, part: str, checksum: Callable[[], int | None]) -> bool:
        """Tell whether a part was finished by the process before, and is still whole.

        Parameters
        ----------
        part : str
            As it was marked.
        checksum : callable
            Computes the check sum of what is there now; None if nothing is.
        """
        known = self.finished.get(part)
        return known is not None and checksum() == known

    def write_missing(
        self, writer: BlockWriter, name: str, *, rows: range, get_block: Callable[[], Any]
    ) -> None:
        """Write a block, unless the process before did; to be called from any thread.

        Parameters
        ----------
        writer : RawFileWriter, ZarrArray or ZarrArray3
            Writes the block and knows the check sum of what is there.
        name : str
            Of the file or array, the same in each process.
        rows : range
            The rows of the block.
        get_block : callable
            Returns the rows; not called for those that are done.
        """
        part = part_name(name, rows.start, rows.stop)
        if not self.is_done(part, lambda: writer.checksum(rows.start, rows.stop)):
            self.mark(part, writer.write(rows.start, get_block()))

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            if os.name == "nt":  # which does not delete open files
                self._lock.close()
            self._journal.unlink(missing_ok=True)
        self._lock.close()

    def discard(self) -> None:
        """Remove what was written."""
        _remove(self.path)
        self._close()

    def keep(self) -> None:
        """Leave what was written for a process that resumes."""
        self._lock.close()


def part_name(name: str, row_start: int, row_stop: int) -> str:
    """Return the name of some rows of an array, for `Staging.mark`.

    Examples
    --------
    >>> part_name("traces_seg0", 0, 30000)
    'traces_seg0[0:30000]'
    """
    return f"{name}[{row_start}:{row_stop}]"


@contextmanager
def staged_save(
    target: Path,
    *,
    overwrite: bool = False,
    is_replaceable: Callable[[Path], bool] | None = None,
    needed_bytes: int = 0,
    fingerprint: str = "",
    resume: bool = False,
    staging_folder: Path | None = None,
) -> Iterator[Staging]:
    """Give a place to write to, and make it the target when all went well.

    Parameters
    ----------
    target : Path
        The file or folder to make; folders above it are made too.
    overwrite : bool, default: False
        Whether something at the target is replaced, at the very end.
    is_replaceable : callable, optional
        Is given a target that exists and is not an empty folder; says whether it looks like
        something that was saved here. If not, it is not replaced even with `overwrite`.
    needed_bytes : int, default: 0
        About how much will be written, to be compared with what the disk has free.
    fingerprint : str, default: ""
        Of what is being saved and how: only a save with the same one can continue this one.
    resume : bool, default: False
        Whether to continue the save of a process that died, if there is one with this
        fingerprint; and to leave what is written when this one fails (unless the disk is full).
    staging_folder : Path, optional
        Folder to write in, on the same disk; made if need be. Beside the target by default.

    Yields
    ------
    Staging
        With the `path` to write to, which does not exist yet unless a save is resumed.

    Raises
    ------
    WriteError
        If something is at the target that is not to be replaced (also a FileExistsError then),
        if the disk is full, or if the files cannot be made or renamed. The target is as before.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "rec_2024.05.01"
    >>> with staged_save(target) as staging:
    ...     staging.path.mkdir()
    ...     _ = (staging.path / "a.txt").write_text("one")
    >>> [path.name for path in target.iterdir()]
    ['a.txt']
    """
    target = Path(os.path.abspath(target))  # noqa: PTH100 - a link at the target is replaced itself
    refuse_taken(target, overwrite=overwrite, is_replaceable=is_replaceable)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        place = target if staging_folder is None else staging_folder / target.name
        place.parent.mkdir(parents=True, exist_ok=True)
        staging = _claim(target, place, fingerprint, resume=resume)
        # What a dead process had put aside may be back.
        _refuse_taken_after_claim(staging, overwrite=overwrite, is_replaceable=is_replaceable)
    except OSError as error:
        if isinstance(error, SpikeloomError):
            raise
        raise write_error(target, error) from error
    try:
        require_disk_space(target, needed_bytes - _n_bytes(staging.path))
        yield staging
        if not staging.path.exists():
            msg = f"Nothing was written to {staging.path}, so there is no {target}."
            raise ParameterError(msg)  # noqa: TRY301 - what is staged is cleaned up here
        flush_tree(staging.path)
        refuse_taken(target, overwrite=overwrite, is_replaceable=is_replaceable)
        _replace(staging.path, target)
    except BaseException as error:
        if resume and not is_disk_full(error):
            staging.keep()
        else:
            staging.discard()
        if isinstance(error, OSError) and not isinstance(error, SpikeloomError):
            raise write_error(error.filename or target, error) from error
        raise
    staging._close()


def _refuse_taken_after_claim(
    staging: Staging, *, overwrite: bool, is_replaceable: Callable[[Path], bool] | None
) -> None:
    try:
        refuse_taken(staging.target, overwrite=overwrite, is_replaceable=is_replaceable)
    except BaseException:
        staging.discard()
        raise


class TakenError(WriteError, FileExistsError, ValueError):
    """Something is at the target already."""


def refuse_taken(
    target: Path, *, overwrite: bool, is_replaceable: Callable[[Path], bool] | None = None
) -> None:
    """Refuse a target that is taken and must not be replaced.

    Raises
    ------
    WriteError
        Which is also a FileExistsError.
    """
    if not os.path.lexists(target):
        return
    is_empty = target.is_dir() and not any(target.iterdir())
    if is_empty and target != Path.cwd():
        return
    if not overwrite:
        msg = f"{target} exists already; pass overwrite=True to replace it, or give another name."
        raise TakenError(17, msg)
    if target == Path.cwd() or target in Path.cwd().parents:
        msg = f"{target} is the working folder or above it, and is not replaced; give another name."
        raise TakenError(17, msg)
    if is_replaceable is not None and not is_replaceable(target):
        msg = (
            f"{target} does not look like something that was saved here, so it is not replaced "
            "even with overwrite=True; delete it yourself or give another name."
        )
        raise TakenError(17, msg)


def interrupted_saves(target: Path) -> list[Path]:
    """Return the journals of saves of `target` whose processes died; nothing is changed."""
    found = []
    for journal in _journals(Path(os.path.abspath(target))):  # noqa: PTH100 - see staged_save
        lock = _lock_dead(journal)
        if lock is not None:
            lock.close()
            found.append(journal)
    return found


def _journals(target: Path) -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(target.name)}\.{_TOKEN}\.journal")
    try:
        return sorted(path for path in target.parent.iterdir() if pattern.fullmatch(path.name))
    except OSError:
        return []


def _lock_dead(journal: Path) -> BinaryIO | None:
    """Lock the journal of a dead process; return None if it lives or cannot be told."""
    try:
        file = journal.open("r+b", buffering=0)
    except OSError:
        return None
    try:
        # Whoever removed it in the meantime was also faster.
        if try_lock(file) and os.path.samestat(os.fstat(file.fileno()), journal.stat()):
            return file
    except OSError:
        pass  # A file system without locks: nobody knows, so nothing is touched.
    file.close()
    return None


def _claim(target: Path, place: Path, fingerprint: str, *, resume: bool) -> Staging:
    """Take over or remove what dead processes left behind; begin a new save if need be."""
    taken: Staging | None = None
    for journal in _journals(place):
        lock = _lock_dead(journal)
        if lock is None:
            continue
        head, finished = _read_parts(journal)
        is_same = bool(head) and bool(fingerprint) and head.get("fingerprint") == fingerprint
        staging = Staging(target, journal, lock, finished)
        _restore_replaced(staging)
        if taken is None and resume and is_same and staging.path.exists():
            taken = staging
            lock.seek(0, os.SEEK_END)
        else:
            staging.discard()
    if taken is not None:
        return taken
    return _begin(target, place, fingerprint)


def _begin(target: Path, place: Path, fingerprint: str) -> Staging:
    while True:
        journal = place.with_name(f".{target.name}.{secrets.token_hex(4)}.journal")
        lock = journal.open("xb", buffering=0)
        with contextlib.suppress(OSError):  # A file system without locks saves all the same.
            if not try_lock(lock) or not journal.exists():
                lock.close()
                continue  # Another save took it for that of a dead process.
        head = {"fingerprint": fingerprint, "pid": os.getpid(), "host": socket.gethostname()}
        lock.write(encode_line(head))
        return Staging(target, journal, lock, {})


def _read_parts(journal: Path) -> tuple[dict[str, object], dict[str, int]]:
    try:
        content = read_journal(journal)
    except JournalError:
        return {}, {}
    entries = content.entries
    if content.n_bytes < journal.stat().st_size:
        with journal.open("r+b") as file:
            file.truncate(content.n_bytes)
    head = dict(entries[0]) if entries else {}
    return head, {entry["part"]: entry["crc"] for entry in entries[1:] if "part" in entry}


def flush_tree(path: Path) -> None:
    """Flush a file, or a folder with all that is in it, to the disk."""
    if not path.is_dir():
        _flush_file(path)
        flush_folder(path.parent)
        return
    files, folders = [], []
    for folder, _, names in os.walk(path):
        folders.append(Path(folder))
        files += [Path(folder, name) for name in names]
    # Waiting for the disk is most of the work, so many files wait at once.
    with ThreadPoolExecutor(_N_FLUSHERS) as pool:
        for _ in pool.map(_flush_file, files):
            pass
    for each in reversed(folders):
        flush_folder(each)


def _flush_file(path: Path) -> None:
    if path.is_symlink():  # flushed with its folder; there may be nothing at its end
        return
    # Windows flushes only what is open for writing; elsewhere a file may be read-only.
    flags = os.O_RDWR if sys.platform == "win32" else os.O_RDONLY
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace(staged: Path, target: Path) -> None:
    """Give the new one its name; what had it before goes afterwards."""
    if not os.path.lexists(target) or (not staged.is_dir() and not target.is_dir()):
        staged.replace(target)
    elif _exchange(staged, target):
        _remove(staged)
    else:
        old = staged.with_suffix(".old")
        target.rename(old)
        try:
            staged.rename(target)
        except BaseException:
            old.rename(target)
            raise
        _remove(old)
    flush_folder(target.parent)


def _restore_replaced(staging: Staging) -> None:
    """Bring back what a process had put aside when it died between two renames."""
    old = staging.path.with_suffix(".old")
    if old.exists():
        if os.path.lexists(staging.target):
            _remove(old)
        else:
            old.rename(staging.target)


def _exchange(one: Path, other: Path) -> bool:
    """Swap the names of two things in one step; return False where the system cannot."""
    if sys.platform != "linux":
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(one), here, os.fsencode(other), swap) == 0)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _n_bytes(path: Path) -> int:
    if path.is_dir():
        return sum(each.stat().st_blocks * 512 for each in path.rglob("*"))
    # A file with holes has not taken up yet what it will.
    return path.stat().st_blocks * 512 if path.exists() else 0
