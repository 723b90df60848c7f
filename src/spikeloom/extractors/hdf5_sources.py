"""Where HDF5 files are read from: a place in each that bytes are taken of, and no more.

Nothing here needs h5py, so that files can be told apart before it is imported.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from spikeloom.errors import MissingFileError, ReadError

SIGNATURE = b"\x89HDF\r\n\x1a\n"

_BLOCK_BYTES_MIN = 512
"""The least that a file may have before its HDF5 part; MATLAB's have this."""


class Source(Protocol):
    """Bytes that are read from any place."""

    name: str
    """Path or URL, for messages."""
    n_bytes: int
    """How many there are."""

    def read_into(self, position: int, buffer: memoryview) -> int:
        """Fill `buffer` from a position on, and return how many bytes were there."""


class FarSource(Source, Protocol):
    """Bytes of another machine, of which it pays to fetch many at once; see `RemoteBytes`."""

    def fetch_ahead(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch what will be read soon: position and number of bytes of each part."""


Place = Path | FarSource
"""Where an HDF5 file is: on this machine, or elsewhere."""


def n_bytes_of(place: Place) -> int:
    """Return the size of a file."""
    return place.stat().st_size if isinstance(place, Path) else place.n_bytes


class LocalBytes:
    """The bytes of a file of this machine.

    Parameters
    ----------
    path : Path
        The file; `close` lets go of it.

    Raises
    ------
    MissingFileError, ReadError
        If there is no such file, or if it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        if not path.is_file():
            msg = f"There is no file {path}."
            raise MissingFileError(2, msg)
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror or error}."
            raise ReadError(error.errno or 0, msg) from error
        self.n_bytes = os.fstat(self._file.fileno()).st_size

    def read_into(self, position: int, buffer: memoryview) -> int:
        """Fill `buffer` from a position on, and return how many bytes were there."""
        self._file.seek(position)
        n_read = 0
        while n_read < len(buffer):
            n_more = self._file.readinto(buffer[n_read:])
            if not n_more:
                break
            n_read += n_more
        return n_read

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


@contextmanager
def opened_source(place: Place) -> Iterator[Source]:
    """Open a file for its bytes.

    Raises
    ------
    MissingFileError, ReadError
        If there is no such file, or if it cannot be read.
    """
    if isinstance(place, Path):
        with closing(LocalBytes(place)) as source:
            yield source
    else:
        yield place


def has_signature(source: Source) -> bool:
    """Tell whether an HDF5 file begins where one may: at byte 0, 512, 1024, 2048 and so on."""
    found = bytearray(len(SIGNATURE))
    place = 0
    while place + len(found) <= source.n_bytes:
        source.read_into(place, memoryview(found))
        if found == SIGNATURE:
            return True
        place = max(_BLOCK_BYTES_MIN, 2 * place)
    return False


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5.

    Raises
    ------
    MissingFileError, ReadError
        If there is no such file, or if it cannot be read.
    """
    with opened_source(path) as source:
        return has_signature(source)
