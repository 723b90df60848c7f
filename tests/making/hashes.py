"""Notice any change of a folder."""

import hashlib


def folder_state(folder):
    """Return content, time stamp and mode of everything below `folder`."""
    state = {}
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        state[str(path.relative_to(folder))] = (content, status.st_mtime_ns, status.st_mode)
    return state


def folder_bytes(folder):
    """Return the content of each file in a folder, by its path there."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
