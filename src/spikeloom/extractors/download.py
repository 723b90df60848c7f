"""Downloading datasets from git-annex repositories, such as NEO's collection of test files.

A repository is cloned once, which brings the names of all files and the content of the short
ones; the content of the others comes when it is asked for. The clone is an ordinary one: git,
git-annex and DataLad work in it, and clones that those made are used as they are.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath

from spikeloom.engine.folders import get_global_dataset_folder
from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.annex_downloads import Report, fetch_contents
from spikeloom.extractors.git_clones import (
    FileState,
    TrackedFile,
    near_matches,
    require_commit,
    restore,
    states_of,
    tracked_files,
    update_clone,
)
from spikeloom.extractors.git_sources import (
    RepositorySource,
    is_clone,
    make_clone,
    parse_source,
    remote_named_like,
)

_N_CHANGED_SHOWN_MAX = 3


def download_dataset(
    repo: str | Path = "https://gin.g-node.org/NeuralEnsemble/ephy_testing_data",
    remote_path: str | PurePath = "mearec/mearec_test_10s.h5",
    local_folder: str | Path | None = None,
    update_if_exists: bool = False,
) -> Path:
    """Download a file or a folder of a git-annex repository, unless it is here already.

    Needs git. Where git-annex is installed it gets the content, from wherever the repository
    says; without it, content comes over http from servers that offer ``{repo}/raw/...``, as GIN
    does. All content is compared with its checksum. An interrupted download is never taken for
    a complete one; the next call goes on where it ended.

    Parameters
    ----------
    repo : str or Path, default: "https://gin.g-node.org/NeuralEnsemble/ephy_testing_data"
        URL (https, ssh, file), ``user@host:path`` or folder of the repository.
    remote_path : str or PurePath, default: "mearec/mearec_test_10s.h5"
        Path of the file or folder in the repository, with or without a slash in front; ``"."``
        is the whole repository.
    local_folder : str or Path, optional
        Folder of the clone. By default ``get_global_dataset_folder() / <name of repository>``.
    update_if_exists : bool, default: False
        Bring an existing clone up to date first. Otherwise what is here is not looked for
        elsewhere, and nothing touches the network.

    Returns
    -------
    Path
        The file or folder, in `local_folder`. Files that git-annex keeps may be symbolic links
        to read-only files.

    Raises
    ------
    ParameterError
        If `repo` or `remote_path` make no sense, or `local_folder` is something else.
    MissingFileError
        If the repository has no such path.
    MissingDependencyError
        If git, or git-annex where nothing else helps, is not installed.
    ReadError
        If the repository cannot be reached.
    DataError
        If content is not what its checksum says, or a file was changed here.
    WriteError
        If the files cannot be written.

    Examples
    --------
    >>> file_path = download_dataset(remote_path="mearec/mearec_test_10s.h5")  # doctest: +SKIP
    >>> file_path.name  # doctest: +SKIP
    'mearec_test_10s.h5'
    """
    path = _checked_path(remote_path)
    source = parse_source(repo)
    folder = _clone_folder(source, local_folder)
    _provide_clone(source, folder, update=update_if_exists)
    paths = [] if path == "." else [path]
    files = tracked_files(folder, paths)
    if not files:
        _refuse_unknown(folder, path)
    _provide_files(source, folder, files, path=path)
    return folder if path == "." else folder / path


def _checked_path(remote_path: str | PurePath) -> str:
    """Return a path of a repository without slashes at its ends."""
    text = remote_path.as_posix() if isinstance(remote_path, PurePath) else str(remote_path)
    path = PurePosixPath(text.strip("/"))
    if not text.strip("/") or "\0" in text:
        msg = f"remote_path is {text!r}: give a path, e.g. 'mearec', or '.' for everything."
        raise ParameterError(msg)
    if ".." in path.parts:
        msg = f"remote_path {text!r} leads out of the repository: give it without '..'."
        raise ParameterError(msg)
    return str(path)


def _clone_folder(source: RepositorySource, local_folder: str | Path | None) -> Path:
    if local_folder is not None:
        return Path(local_folder).expanduser().absolute()
    return get_global_dataset_folder().absolute() / source.name


def _provide_clone(source: RepositorySource, folder: Path, *, update: bool) -> None:
    if is_clone(folder):
        remote = remote_named_like(source, folder)
        require_commit(folder)
        if update:
            with _status(f"Updating {folder.name}"):
                update_clone(folder, remote)
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = (
            f"{folder} is there already and is not a clone of {source}; nothing in it is touched. "
            "Move it away, or give another local_folder."
        )
        raise ParameterError(msg)
    with _status(f"Cloning {source} (names of files; their content comes when asked for)"):
        make_clone(source, folder)
    require_commit(folder)


def _refuse_unknown(folder: Path, path: str) -> None:
    near = near_matches(folder, path)
    hint = f"Did you mean {', '.join(map(repr, near))}? " if near else ""
    msg = (
        f"There is no {path!r} in the repository in {folder}. {hint}"
        "If it is new there, pass update_if_exists=True."
    )
    raise MissingFileError(msg)


def _provide_files(
    source: RepositorySource, folder: Path, files: list[TrackedFile], *, path: str
) -> None:
    paths = [] if path == "." else [path]
    states = states_of(folder, files, paths)
    changed = [file.path for file in files if states[file] is FileState.CHANGED]
    if changed:
        shown = ", ".join(changed[:_N_CHANGED_SHOWN_MAX])
        n_more = len(changed) - _N_CHANGED_SHOWN_MAX
        msg = (
            f"In {folder} these are not the files of the repository any more: {shown}"
            f"{f' and {n_more} more' if n_more > 0 else ''}. Nothing was overwritten: move them "
            "away and call again, or give another local_folder."
        )
        raise DataError(msg)
    missing = [file for file in files if states[file] is FileState.MISSING]
    if missing:
        restore(folder, missing)
        states |= states_of(folder, missing, paths)
    absent = [file for file in files if states[file] is not FileState.PRESENT]
    if absent:
        with _transfer_progress(absent) as report:
            fetch_contents(source, folder, absent, path=path, report=report)


@contextlib.contextmanager
def _status(text: str) -> Iterator[None]:
    """Show what is being waited for, on a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only for people who wait

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(text):
        yield


@contextlib.contextmanager
def _transfer_progress(files: list[TrackedFile]) -> Iterator[Report]:
    """Give a function that is told of bytes and shows them, on a terminal, in one bar."""
    from rich.console import Console  # noqa: PLC0415 - only for people who wait
    from rich.progress import (  # noqa: PLC0415 - the same
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    done: dict[str, int] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        total = sum(file.key.n_bytes or 0 for file in files if file.key)
        task = progress.add_task("Downloading", total=total or None)

        def report(path: str, n_bytes: int) -> None:
            done[path] = n_bytes
            name = path.rsplit("/", 1)[-1]
            progress.update(task, completed=sum(done.values()), description=name)

        yield report
