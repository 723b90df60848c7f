"""Getting the content of annexed files: by git-annex, or over http without it.

Both ways write to ``.git/annex/tmp/KEY``, where an interrupted transfer goes on, and nothing is
moved to its place before its checksum is that of its key.
"""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from spikeloom.errors import DataError, MissingDependencyError, ReadError, WriteError
from spikeloom.extractors.annex_keys import AnnexKey, is_content_of
from spikeloom.extractors.git_clones import FileState, TrackedFile, base_branch, content_state
from spikeloom.extractors.git_commands import (
    find_program,
    git_environment,
    last_lines,
    run_git,
    without_credentials,
)
from spikeloom.extractors.git_sources import RepositorySource
from spikeloom.storage.locks import try_lock

Report = Callable[[str, int], None]
"""Takes the path of a file and how many of its bytes are here."""

INSTALL_HINT = "pip install git-annex (or conda install -c conda-forge git-annex)"

_BLOCK_N_BYTES = 1 << 18
_TIMEOUT_S = 60.0
_HTTP_PARTIAL = 206
_FREE_N_BYTES_MIN = 100 << 20
"""Space on the disk that a download leaves free."""

_NETWORK_ERRORS = (OSError, http.client.HTTPException)


def fetch_contents(
    source: RepositorySource,
    folder: Path,
    files: Sequence[TrackedFile],
    *,
    path: str,
    report: Report,
) -> None:
    """Get the content of annexed files of a clone.

    git-annex gets what it can, where it is installed; what is missing then comes over http from
    ``{repo}/raw/{branch}/{path}``, as GIN serves it.

    Parameters
    ----------
    source : RepositorySource
        Where the clone comes from.
    folder : Path
        The clone.
    files : sequence of TrackedFile
        Annexed files whose content is not here.
    path : str
        The path that they are at or under.
    report : callable
        Is told of the progress.

    Raises
    ------
    MissingDependencyError
        If only git-annex can do it and is not installed.
    ReadError
        If content cannot be got.
    DataError
        If what was got is not what the key says.
    WriteError
        If the disk is full.
    """
    git_annex = find_program("git-annex")
    complaints = _get_with_git_annex(git_annex, folder, path, report) if git_annex else ""
    absent = [file for file in files if not _is_here(folder, file)]
    if not absent:
        return
    if not source.is_http:
        _give_up(source, absent, git_annex, complaints)
    _require_space(folder, absent)
    try:
        for file in absent:
            if not _is_here(folder, file):  # two files may be of one key
                _get_over_http(source, folder, file, report)
    except (ReadError, DataError, MissingDependencyError) as error:
        if complaints:
            error.add_note(f"git-annex said: {complaints}")
        raise


def _is_here(folder: Path, file: TrackedFile) -> bool:
    if file.key is None:
        return True
    return content_state(folder / file.path, file.key, file.text) is FileState.PRESENT


def _give_up(
    source: RepositorySource, absent: Sequence[TrackedFile], git_annex: str | None, complaints: str
) -> None:
    what = f"The content of {absent[0].path!r}"
    if len(absent) > 1:
        what += f" and of {len(absent) - 1} other file(s)"
    if git_annex is None:
        msg = f"{what} can be got from {source} by git-annex only, which is absent: {INSTALL_HINT}."
        raise MissingDependencyError(msg)
    msg = f"{what} could not be got from {source}. git-annex said: {complaints or 'nothing'}"
    raise ReadError(0, msg)


# --------------------------------------------------------------------------- git-annex


def _get_with_git_annex(git_annex: str, folder: Path, path: str, report: Report) -> str:
    """Get all content at and under `path`; return what git-annex complained of."""
    if not _is_initialised(folder):
        # It would do this itself, except where content that came without it lies already.
        try:
            run_git(["annex", "init", "--quiet", "spikeloom"], folder)
        except ReadError as error:
            return str(error)
    options = ["--json", "--json-progress", "--json-error-messages"]
    command = [git_annex, "get", *options, "--", path]
    complaints: list[str] = []
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command,
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                complaints += _understand(line, report)
        except BaseException:
            process.terminate()  # it keeps what it has for the next time
            raise
        process.wait()
        errors.seek(0)
        complaints.append(last_lines(errors.read()))
    if process.returncode == 0:
        return ""
    return without_credentials(" ".join(filter(None, complaints)))


def _understand(line: bytes, report: Report) -> list[str]:
    """Report one line of git-annex's progress; return the complaints in it."""
    try:
        message = json.loads(line)
    except ValueError:
        return []
    if "byte-progress" in message:
        report(str(message["action"].get("file", "")), int(message["byte-progress"]))
        return []
    if message.get("success", True):
        return []
    return [*message.get("error-messages", ()), str(message.get("note", ""))]


def _hand_to_git_annex(git_annex: str, folder: Path, key: AnnexKey, content: Path) -> None:
    """Move verified content into git-annex's store, which fills links and pointers."""
    done = subprocess.run(
        [git_annex, "setkey", "--quiet", key.text, str(content)],
        cwd=folder,
        env=git_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        msg = f"git-annex could not store {key.text}: {last_lines(done.stderr)}"
        raise WriteError(done.returncode, msg)


# --------------------------------------------------------------------------- http


def raw_url(source: RepositorySource, branch: str, path: str) -> str:
    """Return the address of one file of a repository, as GIN (and GitHub) serve it.

    Examples
    --------
    >>> from spikeloom.extractors.git_sources import parse_source
    >>> raw_url(parse_source("https://gin.g-node.org/lab/data"), "master", "a b/c.h5")
    'https://gin.g-node.org/lab/data/raw/master/a%20b/c.h5'
    """
    return f"{source.scheme}://{source.host}/{source.path}/raw/{quote(branch)}/{quote(path)}"


def _require_space(folder: Path, files: Sequence[TrackedFile]) -> None:
    n_bytes = sum((file.key.n_bytes or 0) for file in files if file.key)
    n_free = shutil.disk_usage(folder).free
    if n_bytes + _FREE_N_BYTES_MIN > n_free:
        msg = (
            f"{n_bytes / 1e6:.0f} MB are to be downloaded into {folder}, where "
            f"{n_free / 1e6:.0f} MB are free: make room, or give another local_folder."
        )
        raise WriteError(0, msg)


def _get_over_http(
    source: RepositorySource, folder: Path, file: TrackedFile, report: Report
) -> None:
    key = file.key
    if key is None or key.algorithm is None:
        msg = (
            f"Only git-annex can verify {file.path!r} ({key.text if key else 'no key'}): "
            f"{INSTALL_HINT}."
        )
        raise MissingDependencyError(msg)
    url = raw_url(source, base_branch(folder), file.path)
    with _partial_file(folder, key) as (path, partial):
        if key.n_bytes is None:
            partial.truncate(0)  # nobody could tell whether it is complete
        was_begun = partial.seek(0, os.SEEK_END) > 0
        is_right = _transfer(url, partial, key, lambda n: report(file.path, n))
        if was_begun and not is_right:
            # What an earlier transfer left may be the part that is wrong.
            partial.truncate(0)
            is_right = _transfer(url, partial, key, lambda n: report(file.path, n))
        if not is_right:
            partial.truncate(0)
            msg = (
                f"What {url} gives is not the content that the repository describes "
                f"({key.text}); it was thrown away. The repository may have changed since it was "
                "cloned (then pass update_if_exists=True), or its server lacks the content (then "
                f"git-annex may find it elsewhere: {INSTALL_HINT})."
            )
            raise DataError(msg)
        os.fsync(partial.fileno())
    _store(folder, file, key, path)


@contextlib.contextmanager
def _partial_file(folder: Path, key: AnnexKey) -> Iterator[tuple[Path, BinaryIO]]:
    """Give the file that a transfer goes to: the one begun before, unless it is in use."""
    partials = folder / ".git" / "annex" / "tmp"
    path = partials / key.text
    try:
        partials.mkdir(parents=True, exist_ok=True)
        file = path.open("ab+")
        if not try_lock(file):  # another process downloads the same: do it apart from that
            file.close()
            path = partials / f"{key.text}.{secrets.token_hex(4)}"
            file = path.open("ab+")
    except OSError as error:
        msg = f"Cannot write to {partials}: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error
    try:
        with file:
            yield path, file
    except BaseException:
        with contextlib.suppress(OSError):
            if path.stat().st_size == 0 or path.name != key.text:
                path.unlink()
        raise


def _transfer(url: str, partial: BinaryIO, key: AnnexKey, report: Callable[[int], None]) -> bool:
    """Append what is missing to `partial` and tell whether the whole is what the key says.

    After an interruption it goes on, as long as that brings more bytes.
    """
    n_here = partial.seek(0, os.SEEK_END)
    while key.n_bytes is None or n_here < key.n_bytes:
        n_before, interruption = n_here, None
        try:
            is_whole = _append(url, partial, key, report)
        except WriteError:
            raise
        except _NETWORK_ERRORS as error:
            is_whole, interruption = False, error
        n_here = partial.seek(0, os.SEEK_END)
        if is_whole:
            break
        if n_here <= n_before:
            raise _network_error(url, interruption, n_here) from interruption
    partial.flush()
    return is_content_of(key, Path(partial.name))


def _append(url: str, partial: BinaryIO, key: AnnexKey, report: Callable[[int], None]) -> bool:
    """Ask for what is missing and write it; tell whether the server holds nothing more."""
    n_here = partial.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    if n_here:
        request.add_header("Range", f"bytes={n_here}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
        given = str(response.headers.get("Content-Range", ""))
        if not (response.status == _HTTP_PARTIAL and given.startswith(f"bytes {n_here}-")):
            n_here = partial.truncate(0)
        n_coming = response.headers.get("Content-Length")
        n_whole = n_here + int(n_coming) if n_coming else None
        if None not in {n_whole, key.n_bytes} and n_whole != key.n_bytes:
            return True  # another content, e.g. a page that says something
        while block := response.read(_BLOCK_N_BYTES):
            n_here += _write(partial, block)
            report(n_here)
            if key.n_bytes is not None and n_here > key.n_bytes:
                return True
        return n_whole is None or n_here >= n_whole


def _write(file: BinaryIO, block: bytes) -> int:
    try:
        return file.write(block)
    except OSError as error:
        msg = f"Cannot write {file.name}: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error


def _network_error(url: str, error: BaseException | None, n_here: int) -> ReadError:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        reason = f"the server answered {error.code} {error.reason}"
    elif isinstance(error, urllib.error.URLError):
        reason = f"the server cannot be reached ({error.reason}); check the network connection"
    else:
        reason = f"the connection broke ({error or 'too few bytes came'})"
    kept = f" {n_here} bytes are kept; the next call goes on from there." if n_here else ""
    return ReadError(0, f"Cannot download {url}: {reason}.{kept}")


def _store(folder: Path, file: TrackedFile, key: AnnexKey, content: Path) -> None:
    """Move verified content to where the link or the pointer of `file` wants it."""
    git_annex = find_program("git-annex")
    place = folder / file.path
    if git_annex and _is_initialised(folder):
        _hand_to_git_annex(git_annex, folder, key, content)
        return
    try:
        if place.is_symlink():
            place = Path(os.path.normpath(place.parent / place.readlink()))
            place.parent.mkdir(parents=True, exist_ok=True)
            content.chmod(0o444)  # as git-annex does: content is not to be edited
        content.replace(place)
    except OSError as error:
        if _is_here(folder, file):  # another process was quicker
            return
        msg = f"Cannot store {file.path} in {folder}: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error


def _is_initialised(folder: Path) -> bool:
    """Tell whether git-annex keeps books in a clone."""
    try:
        return bool(run_git(["config", "--get", "annex.uuid"], folder).strip())
    except ReadError:
        return False
