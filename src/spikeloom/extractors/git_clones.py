"""What lies in a clone of a git repository, and bringing it up to date."""

import difflib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError
from spikeloom.extractors.annex_keys import (
    POINTER_N_BYTES_MAX,
    AnnexKey,
    is_content_of,
    key_of_link,
    key_of_pointer,
)
from spikeloom.extractors.git_commands import run_git

_LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"
_ADJUSTED_BRANCH = re.compile(r"adjusted/(?P<base>.+)\([^()]*\)")


class FileState(Enum):
    """What lies where a file of the repository belongs."""

    PRESENT = "the content"
    ABSENT = "a link or pointer whose content is not here"
    MISSING = "nothing"
    CHANGED = "something else"


@dataclass(frozen=True)
class TrackedFile:
    """A file of the commit that is checked out."""

    path: str
    """Path in the repository, with slashes."""
    blob: str
    """Name of its object in git."""
    n_bytes: int
    """Size of what git itself holds."""
    is_link: bool
    """Whether it is a symbolic link in git."""
    text: bytes = b""
    """Target of a link, content of a pointer; empty for others."""
    key: AnnexKey | None = None
    """The key of its content; None if git holds the content itself."""


def tracked_files(folder: Path, paths: Iterable[str] = ()) -> list[TrackedFile]:
    """Return the files of a clone's commit at and under `paths` (none: all).

    Raises
    ------
    ParameterError
        If a path holds a submodule, which is a repository of its own.
    ReadError
        If the clone cannot be read.
    """
    listed = os.fsdecode(run_git(["ls-tree", "-r", "-z", "--long", "HEAD", "--", *paths], folder))
    files = []
    for line in listed.split("\0")[:-1]:
        fields, path = line.split("\t", 1)
        mode, _, blob, n_bytes = fields.split()
        if mode == _SUBMODULE_MODE:
            msg = (
                f"{path!r} is a submodule, a repository of its own: download from that with repo=…."
            )
            raise ParameterError(msg)
        files.append(TrackedFile(path, blob, int(n_bytes), mode == _LINK_MODE))
    return _with_keys(folder, files)


def _with_keys(folder: Path, files: list[TrackedFile]) -> list[TrackedFile]:
    """Read the links, and the files that are short enough for pointers, in one go."""
    short = {f.blob for f in files if f.is_link or f.n_bytes <= POINTER_N_BYTES_MAX}
    feed = "".join(f"{blob}\n" for blob in short).encode()
    output = run_git(["cat-file", "--batch"], folder, feed)
    texts, start = {}, 0
    for _ in short:
        end = output.index(b"\n", start)
        blob, _, n_bytes = output[start:end].split()
        start = end + 1 + int(n_bytes)
        texts[blob.decode()] = output[end + 1 : start]
        start += 1
    return [_with_key(file, texts.get(file.blob, b"")) for file in files]


def _with_key(file: TrackedFile, text: bytes) -> TrackedFile:
    key = key_of_link(os.fsdecode(text)) if file.is_link else key_of_pointer(text)
    kept = text if file.is_link or key else b""
    return TrackedFile(file.path, file.blob, file.n_bytes, file.is_link, kept, key)


def states_of(
    folder: Path, files: Sequence[TrackedFile], paths: Sequence[str]
) -> dict[TrackedFile, FileState]:
    """Tell what lies in a clone where files belong.

    Parameters
    ----------
    folder : Path
        The clone.
    files : sequence of TrackedFile
        The files. Where a regular file lies at the place of a key's content, it is read and its
        checksum compared.
    paths : sequence of str
        The paths that `tracked_files` found them under.

    Returns
    -------
    dict of TrackedFile to FileState
        One state for each file.
    """
    changed: set[str] = set()
    if any(file.key is None for file in files):
        # git knows what line ends and filters do to its files.
        output = run_git(["diff", "--name-only", "-z", "HEAD", "--", *paths], folder)
        changed = set(os.fsdecode(output).split("\0"))
    return {file: _state_of(folder / file.path, file, changed) for file in files}


def _state_of(place: Path, file: TrackedFile, changed: set[str]) -> FileState:
    if not os.path.lexists(place):
        return FileState.MISSING
    if file.key is None:
        return FileState.CHANGED if file.path in changed else FileState.PRESENT
    return content_state(place, file.key, file.text)


def content_state(place: Path, key: AnnexKey, pointer: bytes = b"") -> FileState:
    """Tell what is at a place where the content of a key belongs.

    Parameters
    ----------
    place : Path
        Where the link, the pointer or the content lies.
    key : AnnexKey
        The key. The checksum of a regular file is compared with it.
    pointer : bytes, optional
        What git holds; file systems without links hold the target of a link as text.
    """
    if place.is_symlink():
        if key_of_link(str(place.readlink())) != key:
            return FileState.CHANGED
        # What lies there was verified before it was moved there.
        is_there = place.is_file() and key.n_bytes in {None, place.stat().st_size}
        return FileState.PRESENT if is_there else FileState.ABSENT
    if not place.is_file():
        return FileState.CHANGED if place.exists() else FileState.MISSING
    if place.stat().st_size <= POINTER_N_BYTES_MAX:
        content = place.read_bytes()
        if content == pointer or key_of_pointer(content) == key:
            return FileState.ABSENT
    return FileState.PRESENT if is_content_of(key, place) else FileState.CHANGED


def restore(folder: Path, files: Iterable[TrackedFile]) -> None:
    """Put links, pointers and files of git back where they belong, over what is there."""
    paths = [file.path for file in files]
    if paths:
        feed = b"".join(os.fsencode(path) + b"\0" for path in paths)
        listed = ["--pathspec-from-file=-", "--pathspec-file-nul"]
        run_git(["checkout", "--quiet", "HEAD", *listed], folder, feed)


def base_branch(folder: Path) -> str:
    """Return the branch that is checked out, or that git-annex adjusted.

    Raises
    ------
    DataError
        If a commit, not a branch, is checked out.
    """
    try:
        head = os.fsdecode(run_git(["symbolic-ref", "--short", "HEAD"], folder)).strip()
    except ReadError as error:
        msg = (
            f"{folder} has no branch checked out (detached HEAD): run git checkout <branch> there."
        )
        raise DataError(msg) from error
    adjusted = _ADJUSTED_BRANCH.fullmatch(head)
    return adjusted["base"] if adjusted else head


def update_clone(folder: Path, remote: str) -> None:
    """Fetch the branch that is checked out and move to its last commit.

    Raises
    ------
    ReadError
        If the repository cannot be reached, or the clone cannot move forward because files of
        it were changed or the repository's history was rewritten.
    """
    branch = base_branch(folder)
    target = f"refs/remotes/{remote}/{branch}"
    try:
        run_git(["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", remote], folder)
    except ReadError as error:
        msg = f"Cannot update {folder}: {error} What was downloaded before is as it was."
        raise ReadError(error.errno or 0, msg) from error
    output = run_git(["diff", "--name-only", "-z", "HEAD", target], folder)
    changed = [os.fsdecode(path) for path in output.split(b"\0")[:-1]]
    if not changed:
        return
    # Downloaded content in place of a pointer is a change to git, which would not overwrite it.
    restore(folder, [file for file in tracked_files(folder, changed) if _is_in_place(folder, file)])
    try:
        head = os.fsdecode(run_git(["symbolic-ref", "--short", "HEAD"], folder)).strip()
        if head == branch:
            run_git(["merge", "--quiet", "--ff-only", target], folder)
        else:
            run_git(["annex", "merge", "--quiet", target], folder)
    except ReadError as error:
        msg = (
            f"{folder} cannot be brought up to date: {error} Move changed files away, or the whole "
            "folder, and call again."
        )
        raise ReadError(error.errno or 0, msg) from error


def _is_in_place(folder: Path, file: TrackedFile) -> bool:
    place = folder / file.path
    is_regular = place.is_file() and not place.is_symlink()
    return is_regular and file.key is not None and is_content_of(file.key, place)


def near_matches(folder: Path, path: str, *, n: int = 5) -> list[str]:
    """Return up to `n` files and folders of a clone whose paths resemble `path`."""
    listed = os.fsdecode(run_git(["ls-tree", "-r", "-t", "-z", "--name-only", "HEAD"], folder))
    names = listed.split("\0")[:-1]
    last = path.rsplit("/", 1)[-1].lower()
    same_name = [name for name in names if name.rsplit("/", 1)[-1].lower() == last]
    close = difflib.get_close_matches(path, names, n=n)
    return list(dict.fromkeys([*same_name, *close]))[:n]


def require_commit(folder: Path) -> None:
    """Refuse a clone without any commit.

    Raises
    ------
    MissingFileError
        If nothing is in it.
    """
    try:
        run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], folder)
    except ReadError as error:
        msg = f"The repository in {folder} is empty: it has no commit."
        raise MissingFileError(msg) from error
