"""Advisory locks on open files, which the system drops when their process dies."""

import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: BinaryIO) -> bool:
        """Lock `file` for this process; return False if another holds it."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def is_locked(path: Path) -> bool:
        """Tell whether a process holds a file locked; here reading such a file fails anyway."""
        return not path.exists()

else:
    import fcntl

    def try_lock(file: BinaryIO) -> bool:
        """Lock `file` for this process; return False if another holds it."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_locked(path: Path) -> bool:
        """Tell whether a process holds a file locked."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
