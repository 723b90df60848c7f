"""How git is run: the same everywhere.

The environment is made so that there are no questions, messages are in English, git has an
identity (git-annex commits its notes), and none of the variables that would redirect it is set.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from spikeloom.errors import MissingDependencyError, ReadError

_REDIRECTING_VARIABLES = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
)
_IDENTITY = {"NAME": "spikeloom", "EMAIL": "spikeloom@localhost"}
_N_LINES_SHOWN_MAX = 4


def git_environment() -> dict[str, str]:
    """Return the environment variables that git and git-annex run with."""
    environment = {
        name: value for name, value in os.environ.items() if name not in _REDIRECTING_VARIABLES
    }
    for role in ("AUTHOR", "COMMITTER"):
        for field, value in _IDENTITY.items():
            environment[f"GIT_{role}_{field}"] = value
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        # git-annex may lie in the environment of this Python, which need not be activated.
        "PATH": os.pathsep.join([environment.get("PATH", os.defpath), _scripts_folder()]),
    }
    environment.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    return environment


def _scripts_folder() -> str:
    return str(Path(sys.executable).parent)


def find_program(name: str) -> str | None:
    """Return the path of a program, also from the folder of this Python; None if absent."""
    return shutil.which(name) or shutil.which(name, path=_scripts_folder())


def run_git(arguments: Sequence[str], folder: Path | None = None, feed: bytes = b"") -> bytes:
    """Run git and return what it prints.

    Parameters
    ----------
    arguments : sequence of str
        What follows ``git``.
    folder : Path, optional
        The clone to run it in.
    feed : bytes, optional
        What it reads from its standard input.

    Raises
    ------
    MissingDependencyError
        If git is not installed.
    ReadError
        If git fails; the message holds what it said.
    """
    git = find_program("git")
    if git is None:
        msg = (
            "Downloading datasets needs git, which was not found: install it from "
            "https://git-scm.com, with conda (conda install git) or the system's packages."
        )
        raise MissingDependencyError(msg)
    done = subprocess.run(
        [git, *arguments],
        cwd=folder,
        input=feed,
        capture_output=True,
        env=git_environment(),
        check=False,
    )
    if done.returncode:
        said = last_lines(done.stderr).rstrip(".") or "it said nothing"
        msg = f"git {arguments[0]} failed: {said}."
        raise ReadError(done.returncode, msg)
    return done.stdout


def last_lines(output: bytes) -> str:
    """Return the end of what a program said, as one line without credentials."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    return without_credentials(" / ".join([line for line in lines if line][-_N_LINES_SHOWN_MAX:]))


def without_credentials(text: str) -> str:
    """Return `text` without what stands before ``@`` in URLs, which may be a password."""
    return re.sub(r"(?<=://)[^/@\s]*@", "", text)
