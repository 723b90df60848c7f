"""Addresses of git repositories, and cloning them."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from spikeloom.errors import MissingFileError, ParameterError, ReadError, WriteError
from spikeloom.extractors.git_commands import run_git, without_credentials
from spikeloom.storage.staged_folder import staged_folder

_SCP_LIKE = re.compile(r"(?:[^/:@\s]+@)?(?P<host>[\w.-]+):(?P<path>[^\s]+)")
_URL = re.compile(r"(?P<scheme>[^:/]*)://(?:[^/@]*@)?(?P<host>[^/]*)(?P<path>.*)", re.DOTALL)
_SCHEMES = ("https", "http", "ssh", "git", "file")


@dataclass(frozen=True)
class RepositorySource:
    """Where a repository is cloned from."""

    address: str
    """What git is given: a URL, ``host:path`` or an absolute folder."""
    scheme: str
    """``https``, ``http``, ``ssh``, ``git`` or ``file``."""
    host: str
    """Host in lower case; empty for a folder."""
    path: str
    """Path on the host, without ``.git`` and slashes at the ends."""

    @property
    def name(self) -> str:
        """Name of the repository: the last part of its path."""
        return self.path.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def is_http(self) -> bool:
        """Whether single files can be asked for over http."""
        return self.scheme in {"http", "https"}

    def is_same_as(self, other: "RepositorySource") -> bool:
        """Tell whether both name one repository, be it over https or ssh."""
        return (self.host, self.path) == (other.host, other.path)

    def __str__(self) -> str:
        return without_credentials(self.address)


def parse_source(repo: str | Path) -> RepositorySource:
    """Understand the address of a repository.

    Parameters
    ----------
    repo : str or Path
        A URL (https, http, ssh, git or file), ``user@host:path``, or a folder.

    Returns
    -------
    RepositorySource
        Its parts.

    Raises
    ------
    ParameterError
        If it can be neither of these.

    Examples
    --------
    >>> parse_source("https://gin.g-node.org/NeuralEnsemble/ephy_testing_data.git").name
    'ephy_testing_data'
    """
    text = str(repo).strip()
    url = _URL.fullmatch(text)
    if url is not None:
        return _source_of_url(text, url)
    if not text or text.startswith("-"):
        msg = (
            f"repo is {text!r}: give a folder or the address of a repository "
            f"({', '.join(f'{scheme}://…' for scheme in _SCHEMES)} or user@host:path)."
        )
        raise ParameterError(msg)
    folder = Path(text).expanduser()
    scp = _SCP_LIKE.fullmatch(text)
    if scp is not None and len(scp["host"]) > 1 and not folder.exists():
        return RepositorySource(text, "ssh", scp["host"].lower(), _trimmed(scp["path"]))
    # A folder and its hidden .git are one repository; a bare one is called x.git. It may be
    # away, e.g. on a disk that is not plugged in, while its clone is used.
    resolved = folder.resolve()
    if resolved.name == ".git":
        resolved = resolved.parent
    return RepositorySource(str(resolved), "file", "", _trimmed(str(resolved)))


def _source_of_url(text: str, url: re.Match[str]) -> RepositorySource:
    scheme = url["scheme"].lower()
    if scheme not in _SCHEMES or not _trimmed(url["path"]):
        msg = (
            f"{without_credentials(text)!r} is not the address of a repository: that begins with "
            f"{', '.join(f'{scheme}://' for scheme in _SCHEMES)} and goes on with host and path."
        )
        raise ParameterError(msg)
    return RepositorySource(text.rstrip("/"), scheme, url["host"].lower(), _trimmed(url["path"]))


def _trimmed(path: str) -> str:
    return path.strip("/\\").removesuffix(".git").rstrip("/\\")


def make_clone(source: RepositorySource, folder: Path) -> None:
    """Clone the last commit of a repository, without the content that git-annex keeps.

    Parameters
    ----------
    source : RepositorySource
        The repository.
    folder : Path
        The folder to make; it appears when the clone is complete.

    Raises
    ------
    MissingFileError
        If it is a folder that does not exist.
    ReadError
        If the repository cannot be read.
    WriteError
        If the folder cannot be made.
    """
    # Both branches: git-annex notes in its own where content lies. Data are not to be
    # "corrected" at their line ends, and the folders of git-annex are deep.
    options = ["--no-single-branch", "--no-tags", "--no-recurse-submodules"]
    settings = ["--config", "core.autocrlf=false", "--config", "core.longpaths=true"]
    clone = ["clone", "--quiet", *options, *settings]
    is_plain_folder = source.scheme == "file" and "://" not in source.address
    if is_plain_folder and not Path(source.address).is_dir():
        msg = f"There is no folder {source}: give the folder or the address of a repository."
        raise MissingFileError(msg)
    # git links the files of a folder instead of copying the last commit only.
    depth = [] if is_plain_folder else ["--depth=1"]
    try:
        with staged_folder(folder) as staging:
            places = ["--", source.address, str(staging)]
            try:
                run_git([*clone, *depth, *places])
            except ReadError as error:
                if "shallow" not in str(error):
                    raise
                run_git([*clone, *places])  # the server has files only, no git
    except ReadError as error:
        msg = f"Cannot read {source}: {error} Check the address and the network connection."
        raise ReadError(error.errno or 0, msg) from error
    except (WriteError, ParameterError):
        if not is_clone(folder):  # else another process was quicker
            raise


def is_clone(folder: Path) -> bool:
    """Tell whether a folder is the top of a working tree of git."""
    return (folder / ".git").exists()


def remote_named_like(source: RepositorySource, folder: Path) -> str:
    """Return the name of the remote by which a clone knows a repository.

    Raises
    ------
    ParameterError
        If the folder is a clone of something else.
    """
    found = run_git(["config", "--null", "--list"], folder)
    addresses = []
    for item in os.fsdecode(found).split("\0"):
        name, _, address = item.partition("\n")
        if not (name.startswith("remote.") and name.endswith(".url")):
            continue
        addresses.append(without_credentials(address))
        try:
            known = parse_source(address)
        except ParameterError:
            continue  # a kind of remote that git-annex knows and git does not
        if known.is_same_as(source):
            return name.removeprefix("remote.").removesuffix(".url")
    msg = (
        f"{folder} is a clone of {', '.join(addresses) or 'nothing'}, not of {source}: give "
        "another local_folder, or move this one away."
    )
    raise ParameterError(msg)
