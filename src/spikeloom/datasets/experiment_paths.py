"""Paths inside the folder of an experiment, none of which leads out of it.

A path is relative, with slashes and without ``..``. Folders on the way may be links to other
folders of the experiment only. A file may be a link to another file of the experiment; a link to
elsewhere is followed for raw data alone, whose name and target must both end like raw data
(``raw_0.ns5``, ``raw_1.dat``), since those are too large to be copied. So no ``metadata.json`` that
comes from somebody else makes one of a user's own tables or settings readable as an array. Nothing
is ever written through a link.
"""

import re
from pathlib import Path, PurePosixPath

from spikeloom.errors import MissingFileError, ParameterError, ReadError
from spikeloom.storage.stores import NAME_BYTES_MAX

OWN_SUFFIXES = frozenset({
    *(".json", ".npy", ".npz", ".txt", ".csv", ".tsv", ".tar", ".ini", ".prm", ".prb", ".py"),
    *(".kwik", ".pkl", ".pickle", ".md", ".yaml", ".yml", ".toml", ".cfg", ".log", ".sh", ".pem"),
})
"""Endings of files that are no raw data: links to such files do not lead out of an experiment."""

_DRIVE = re.compile(r"^[A-Za-z]:")


def checked_relative(path: str) -> str:
    """Return a path as it is, or without a slash at its end.

    Raises
    ------
    ParameterError
        If it is absolute, has ``..`` in it, or is no path at all.

    Examples
    --------
    >>> checked_relative("main/0/spike_times.npy")
    'main/0/spike_times.npy'
    >>> checked_relative("../other/spike_times.npy")
    Traceback (most recent call last):
    spikeloom.errors.ParameterError: '../other/spike_times.npy' is no path below the folder of the
    experiment: it must be relative, with slashes and without '..'.
    """
    parts = PurePosixPath(path).parts if path else ()
    are_names = all(part != ".." and len(part.encode()) <= NAME_BYTES_MAX for part in parts)
    is_below = bool(parts) and not path.startswith("/") and are_names
    if not is_below or "\\" in path or "\0" in path or _DRIVE.match(path):
        msg = (
            f"{path!r:.200} is no path below the folder of the experiment: it must be relative, "
            "with slashes and without '..'."
        )
        raise ParameterError(msg)
    return path.rstrip("/")


def path_to_read(root: Path, relative: str) -> Path:
    """Return where a file of an experiment is.

    Raises
    ------
    ParameterError
        If the path leads out of the experiment.
    MissingFileError
        If there is no such file.
    """
    path = _inside(root, relative)
    if path.is_symlink():
        _check_link(root, path, relative)
    if not path.exists():
        is_broken = path.is_symlink()
        what = f"{path} is a link to nothing." if is_broken else f"There is no file {path}."
        raise MissingFileError(2, what)
    return path


def path_to_write(root: Path, relative: str) -> Path:
    """Return where to write a file of an experiment; its folder is made if need be.

    Raises
    ------
    ParameterError
        If the path leads out of the experiment, or is a link.
    """
    path = _inside(root, relative)
    if path.is_symlink():
        msg = f"{relative} is a link, and nothing is written through links: it may be raw data."
        raise ParameterError(msg)
    if path.is_dir():
        msg = f"{relative} is a folder; give the path of a file."
        raise ParameterError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _inside(root: Path, relative: str) -> Path:
    path = root / checked_relative(relative)
    try:
        is_inside = path.parent.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # links that go round
        msg = f"{relative} cannot be followed: {error}."
        raise ReadError(0, msg) from error
    if not is_inside:
        msg = f"{relative} leads out of the experiment in {root}, through a link to a folder."
        raise ParameterError(msg)
    return path


def _check_link(root: Path, path: Path, relative: str) -> None:
    try:
        target = path.resolve()
    except (OSError, RuntimeError) as error:
        msg = f"{relative} is a link that cannot be followed: {error}."
        raise ReadError(0, msg) from error
    if target.is_relative_to(root.resolve()):
        return
    ends = (path.suffix.lower(), target.suffix.lower())
    if any(not suffix or suffix in OWN_SUFFIXES for suffix in ends):
        msg = (
            f"{relative} is a link to {target}, out of the experiment in {root}. Only links to raw "
            "data may lead there, both ending like raw data (.dat, .ns5, …). Copy the file instead."
        )
        raise ParameterError(msg)
