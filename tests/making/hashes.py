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
