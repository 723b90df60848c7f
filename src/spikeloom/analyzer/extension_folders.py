"""Sub-folders of an analyzer, one for each extension, that are replaced as a whole."""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from spikeloom.storage.staged_saves import staged_save

_SAVING = ".saving"
"""Folder, in that of the analyzer, for what is being written or deleted."""


class ExtensionFolders:
    """The folder ``extensions`` of an analyzer.

    Parameters
    ----------
    root : Path
        Folder of the analyzer.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "extensions"
        """Where the extensions are, each in a folder of its name."""

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Give a new folder to write an extension to; it takes its place when all went well.

        What a process left behind that was killed while it wrote the same extension goes.

        Yields
        ------
        Path
            An empty folder on the same disk.
        """
        self._clean()
        try:
            with staged_save(
                self.folder / name, overwrite=True, staging_folder=self.root / _SAVING
            ) as staging:
                staging.path.mkdir()
                yield staging.path
        finally:
            self._clean()

    def remove(self, names: Sequence[str]) -> None:
        """Delete extensions, each in one step; absent ones are fine."""
        for name in names:
            path = self.folder / name
            if not path.is_dir():
                continue
            trash = self.root / _SAVING / f"{name}.{secrets.token_hex(4)}.gone"
            trash.parent.mkdir(exist_ok=True)
            path.rename(trash)
            shutil.rmtree(trash, ignore_errors=True)
        self._clean()

    def _clean(self) -> None:
        place = self.root / _SAVING
        for trash in place.glob("*.gone"):
            shutil.rmtree(trash, ignore_errors=True)
        with suppress(OSError):  # somebody else is writing
            place.rmdir()
