"""Write files so that a crash at any moment leaves the old content or the new, never a mix.

A file is written under a temporary name in its own folder, flushed to the disk and renamed over
the target; the folder entry is flushed too. `replace_together` stages several files before it
renames the first, so that the window in which only some are new is a few renames long.
"""

import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from spikeloom.errors import WriteError

Writer = Callable[[BinaryIO], None]

_LEFT_BEHIND_S = 3600
"""A temporary file of this age was left by a process that died: none takes so long to write."""


def flush_folder(folder: Path) -> None:
    """Flush the entries of `folder` to the disk, where the system can."""
    if os.name == "nt":
        return  # Windows cannot open folders; its renames are journaled by NTFS.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stage(path: Path, write: Writer) -> Path:
    """Write a flushed temporary file beside `path` and return it."""
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _remove_left_behind(path)
        with staged.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            staged.chmod(path.stat().st_mode)
    except OSError as error:
        staged.unlink(missing_ok=True)
        msg = f"Cannot write {path}: {error.strerror or error}. Nothing was changed."
        raise WriteError(error.errno or 0, msg) from error
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    return staged


def _remove_left_behind(path: Path) -> None:
    """Remove temporary files of `path` which a process that was killed left behind."""
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.tmp")
    for entry in os.scandir(path.parent):
        if name.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > _LEFT_BEHIND_S:
            Path(entry.path).unlink(missing_ok=True)


def write_atomic(path: Path, content: bytes | Writer) -> None:
    """Write `content` to `path`, replacing what is there in one step.

    Parameters
    ----------
    path : Path
        The file. Its folder must exist.
    content : bytes or callable
        The bytes, or a function that writes them to the binary file it is given.

    Raises
    ------
    WriteError
        If the file cannot be written; the old one is untouched.
    """
    replace_together({path: content})


def replace_together(contents: Mapping[Path, bytes | Writer]) -> None:
    """Write several files; none is replaced before all are staged and flushed.

    The files are renamed in the order of the mapping: put last the one whose change means
    "all is done".

    Raises
    ------
    WriteError
        If a file cannot be staged; no file was changed then.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            staged[path] = _stage(path, _as_writer(content))
        for path, temporary in staged.items():
            temporary.replace(path)
        for folder in {path.parent for path in contents}:
            flush_folder(folder)
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        msg = f"Cannot replace {', '.join(p.name for p in contents)}: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _as_writer(content: bytes | Writer) -> Writer:
    if not isinstance(content, bytes):
        return content

    def write(file: BinaryIO) -> None:
        file.write(content)

    return write
