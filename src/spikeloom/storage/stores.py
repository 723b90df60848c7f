"""Where keyed bytes are kept: a folder, or anything that fsspec reaches by a URL.

A zarr store is a set of keys with bytes, and that is all that the array code sees of it.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from spikeloom.errors import MissingFileError, ReadError
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.disk_space import write_error

Bytes = bytes | bytearray | memoryview

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")

NAME_BYTES_MAX = 255
"""Longest name of a file or folder that usual file systems take."""

_FILE_URLS = ("file://", "local://")


class Store(Protocol):
    """Keys with slashes, and the bytes kept under them."""

    location: str
    """Path or URL, for messages."""
    is_remote: bool
    """Whether each request costs a journey, so that many are better made at once."""

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`; None if there are none."""

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Return the bytes under several keys, fetched together where that is faster."""

    def put(self, key: str, content: Bytes) -> None:
        """Keep `content` under `key`."""

    def delete(self, prefix: str) -> None:
        """Delete `prefix` and all keys below it; nothing is fine."""

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names directly below `prefix`, of keys and of what holds more keys."""

    def n_bytes(self, prefix: str = "") -> int:
        """Return the size of everything below `prefix`, in bytes."""


def is_url(location: str | Path) -> bool:
    """Tell whether `location` is a URL rather than a path (as `file://` URLs are, too).

    Examples
    --------
    >>> is_url("s3://bucket/rec.zarr"), is_url("C:/data/rec.zarr")
    (True, False)
    """
    if not isinstance(location, str) or _URL.match(location) is None:
        return False
    return not location.startswith(_FILE_URLS)


def local_path(location: str | Path) -> Path:
    """Return the path that `location` is, or that a ``file://`` URL stands for.

    Raises
    ------
    MissingFileError
        If a name in it is longer than any file's.

    Examples
    --------
    >>> local_path("file:///data/rec%201.zarr").as_posix()
    '/data/rec 1.zarr'
    """
    if isinstance(location, str) and location.startswith(_FILE_URLS):
        from urllib.request import url2pathname  # noqa: PLC0415 - brings ssl and http along

        path = Path(url2pathname(location.split("://", 1)[1]))
    else:
        path = Path(location)
    # Path.exists and the like do not answer False for them, but raise.
    if any(len(part.encode(errors="replace")) > NAME_BYTES_MAX for part in path.parts):
        msg = f"There is nothing at {str(location)[:80]}..., a name in which is longer than any."
        raise MissingFileError(2, msg)
    return path


def require_file(path: Path) -> None:
    """Raise MissingFileError if a file is not there; of names that no file can have, none is.

    Examples
    --------
    >>> require_file(Path("absent.npy"))
    Traceback (most recent call last):
    spikeloom.errors.MissingFileError: There is no file absent.npy.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - Path.is_file raises for names that are too long
        msg = f"There is no file {path}."
        raise MissingFileError(2, msg)


class LocalStore:
    """A folder whose files are the keys.

    Parameters
    ----------
    folder : Path
        The folder; made by the first write.
    is_durable : bool, default: True
        Whether each write is atomic and flushed to the disk.
    """

    is_remote = False

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        self.folder = folder
        self.location = str(folder)
        self._is_durable = is_durable
        self._root = os.fspath(folder) + os.sep

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`; None if there are none."""
        try:
            with open(self._root + key, "rb", buffering=0) as file:  # noqa: PTH123 - hot
                return file.read()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except OSError as error:
            if os.path.isdir(self._root + key):  # noqa: PTH112 - Path's raises for long names
                return None  # Windows says "permission denied" of folders.
            msg = f"{self.folder / key} cannot be read: {error.strerror or error}."
            raise ReadError(error.errno or 0, msg) from error

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Return the bytes under several keys."""
        return {key: self.get(key) for key in keys}

    def put(self, key: str, content: Bytes) -> None:
        """Keep `content` under `key`."""
        path = self.folder / key
        try:
            if self._is_durable:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, bytes(content))
                return
            try:
                _write(path, content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, content)
        except OSError as error:
            raise write_error(path, error) from error

    def delete(self, prefix: str) -> None:
        """Delete `prefix` and all keys below it; nothing is fine."""
        path = self.folder / prefix
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names directly below `prefix`."""
        try:
            return sorted(path.name for path in (self.folder / prefix).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def n_bytes(self, prefix: str = "") -> int:
        """Return the size of everything below `prefix`, in bytes."""
        return sum(path.stat().st_size for path in (self.folder / prefix).rglob("*"))


def _write(path: Path, content: Bytes) -> None:
    view = memoryview(content).cast("B") if len(content) else memoryview(b"")
    try:
        with open(path, "wb", buffering=0) as file:  # noqa: PTH123 - hot
            while view:
                view = view[file.write(view) :]
    except FileNotFoundError:
        raise
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
