"""Ask before writing whether a disk has room, and say plainly when it has run full."""

import errno
import os
import shutil
from pathlib import Path

from spikeloom.errors import WriteError

MARGIN_BYTES = 16 << 20
"""What is left free beside what is to be written: journals, metadata and other programs."""

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether `error`, or what caused it, says that there was no more room.

    Examples
    --------
    >>> is_disk_full(OSError(errno.ENOSPC, "No space left on device"))
    True
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__
    return False


def write_error(path: Path | str, error: OSError) -> WriteError:
    """Return the error that tells that `path` could not be written because of `error`."""
    if error.errno == errno.EFBIG:
        reason = "the file would grow over the largest size allowed here (see `ulimit -f`)"
    elif error.errno in _FULL:
        reason = "the disk (or your quota on it) is full; make room or save elsewhere"
    else:
        reason = error.strerror or str(error)
    return WriteError(error.errno or 0, f"Cannot write {path}: {reason}.")


def size_text(n_bytes: float) -> str:
    """Return a number of bytes as people read it.

    Examples
    --------
    >>> size_text(1536)
    '1.5 KiB'
    """
    k = 0
    while n_bytes >= 1024 and k < len(_UNITS) - 1:
        n_bytes /= 1024
        k += 1
    return f"{n_bytes:.0f} {_UNITS[k]}" if k == 0 else f"{n_bytes:.1f} {_UNITS[k]}"


def free_bytes(path: Path) -> int:
    """Return how many bytes the disk that `path` is or will be on has free for this user."""
    folder = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would need the file
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def require_disk_space(path: Path, needed_bytes: int) -> None:
    """Refuse to begin writing what will not fit.

    Parameters
    ----------
    path : Path
        What is to be written; it need not exist.
    needed_bytes : int
        An estimate of its size.

    Raises
    ------
    WriteError
        If the disk has less free than that and a small margin.

    Examples
    --------
    >>> require_disk_space(Path("anywhere"), 1000)
    """
    free = free_bytes(path)
    if needed_bytes + MARGIN_BYTES > free:
        msg = (
            f"{path} needs about {size_text(needed_bytes)}, but its disk has only "
            f"{size_text(free)} free. Nothing was written; make room or save elsewhere."
        )
        raise WriteError(errno.ENOSPC, msg)
