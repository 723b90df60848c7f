"""Make a new folder of files so that it is there with all of them, or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spikeloom.errors import ParameterError, SpikeloomError, WriteError
from spikeloom.storage.staged_saves import staged_save


def refuse_used_folder(target: Path) -> None:
    """Refuse a place where something is already.

    Raises
    ------
    ParameterError
        If `target` is a file, a folder that is not empty, or the working folder (which cannot
        be replaced under the feet of the user).
    """
    if target.exists() and not target.is_dir():
        msg = f"{target} is a file; give the path of a new folder."
        raise ParameterError(msg)
    if target.is_dir() and any(target.iterdir()):
        msg = f"{target} is not empty, and nothing in it is overwritten; give a new folder."
        raise ParameterError(msg)
    if target.resolve() == Path.cwd():
        msg = f"{target} is the working folder; give the path of a new folder inside it."
        raise ParameterError(msg)


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """Give a folder to write files to, and rename it to `target` when all went well.

    Parameters
    ----------
    target : Path
        The folder to make. Folders above it are made too; an empty one is replaced.

    Yields
    ------
    Path
        An empty folder beside the target. Files in it must be closed at the end.

    Raises
    ------
    ParameterError
        If there is something at `target` already.
    WriteError
        If the folder cannot be made or renamed; `target` is as before then.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "data"
    >>> with staged_folder(target) as staging:
    ...     _ = (staging / "a.txt").write_text("one")
    >>> [path.name for path in target.iterdir()]
    ['a.txt']
    """
    refuse_used_folder(target)
    with staged_save(target.resolve()) as staging:
        try:
            staging.path.mkdir()
            yield staging.path
        except OSError as error:
            if isinstance(error, SpikeloomError):
                raise
            msg = f"Cannot make the folder {target}: {error.strerror or error}."
            raise WriteError(error.errno or 0, msg) from error


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Give an empty folder beside a target, on the same disk, which is gone at the end.

    Parameters
    ----------
    target : Path
        What is made of the files in it. Folders above it are made, too.

    Raises
    ------
    WriteError
        If the folder cannot be made.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        msg = f"{target.parent} cannot be written to: {error.strerror or error}."
        raise WriteError(error.errno or 0, msg) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
