"""A look at a path, shared by all readers that are asked whether they know it.

Each fact is found out once, and none of them takes more than a few kilobytes of reading, so that
dozens of readers may look at a file of a hundred gigabytes or a folder of many files.
"""

import os
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from spikeloom.errors import ReadError

N_HEAD_BYTES = 4096
"""How much of the beginning of a file is looked at."""

N_NAMES_MAX = 20_000
"""How many names of a folder are looked at."""

_N_MEMBERS_MAX = 1000

_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class Peek:
    """What a path looks like.

    Parameters
    ----------
    path : Path
        A file or folder, which must be there.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "traces.mda").write_bytes(b"abc")
    >>> Peek(folder).has("*.mda"), Peek(folder / "traces.mda").head
    (True, b'abc')
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_folder = path.is_dir()
        self.suffix = path.suffix.lower()

    @cached_property
    def head(self) -> bytes:
        """The first bytes of a file; of a folder none."""
        if self.is_folder:
            return b""
        return read_head(self.path)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names in a folder, in order; of a file none."""
        if not self.is_folder:
            return ()
        try:
            with os.scandir(self.path) as entries:
                return tuple(sorted(entry.name for entry in islice(entries, N_NAMES_MAX)))
        except OSError as error:
            msg = f"{self.path} cannot be listed: {error.strerror or error}."
            raise ReadError(error.errno or 0, msg) from error

    def has(self, pattern: str) -> bool:
        """Return whether a folder holds a name like `pattern`, such as ``"*.ap.meta"``."""
        return bool(self.matching(pattern))

    def matching(self, pattern: str) -> list[Path]:
        """Return what a folder holds whose name is like `pattern`, whatever its case."""
        before, star, after = pattern.lower().partition("*")
        if not star:
            return [self.path / name for name in self.names if name.lower() == before]
        shortest = len(before) + len(after)
        return [
            self.path / name
            for name, lower in zip(self.names, self._lower_names, strict=True)
            if lower.endswith(after) and lower.startswith(before) and len(lower) >= shortest
        ]

    @cached_property
    def _lower_names(self) -> list[str]:
        return [name.lower() for name in self.names]

    @cached_property
    def is_hdf5(self) -> bool:
        """Whether it is an HDF5 file."""
        return self.head.startswith(_HDF5_SIGNATURE)

    @cached_property
    def hdf5_members(self) -> tuple[str, ...]:
        """Names in the root of an HDF5 file; of anything else none."""
        return self._hdf5[0]

    @cached_property
    def hdf5_attributes(self) -> dict[str, Any]:
        """Attributes of the root of an HDF5 file; of anything else none."""
        return self._hdf5[1]

    @cached_property
    def _hdf5(self) -> tuple[tuple[str, ...], dict[str, Any]]:
        if not self.is_hdf5:
            return (), {}
        from spikeloom.extractors.hdf5_files import open_hdf5  # noqa: PLC0415 - imports h5py
        from spikeloom.extractors.hdf5_nodes import attributes  # noqa: PLC0415 - same

        try:
            with open_hdf5(self.path) as file:
                return tuple(str(name) for name in islice(file, _N_MEMBERS_MAX)), attributes(file)
        except ReadError:
            return (), {}  # damaged; whoever reads it says how


def read_head(path: Path, n_bytes: int = N_HEAD_BYTES) -> bytes:
    """Return the first bytes of a file; raises ReadError if it cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(n_bytes) or b""
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror or error}."
        raise ReadError(error.errno or 0, msg) from error
