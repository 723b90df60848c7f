"""A single file behind a URL, of which only the parts are fetched that are read."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from spikeloom.errors import MissingFileError
from spikeloom.storage.chunk_cache import ChunkCache
from spikeloom.storage.fingerprints import fingerprint_text
from spikeloom.storage.remote import RemoteStore, ask_as_anyone
from spikeloom.storage.stores import LocalStore

_Block = NDArray[np.uint8]

_BLOCK_BYTES = 1 << 18
"""What is fetched at least: files are described by small pieces near each other."""

_KEPT_BYTES = 1 << 26

_N_BYTES_AHEAD_MAX = 1 << 25
"""How much is fetched before it is read: less than is kept."""


class RemoteBytes:
    """The bytes of a file behind a URL; blocks of it are kept for a while. Threads may share it.

    Parameters
    ----------
    url : str
        ``s3://bucket/mouse.nwb``, ``https://…``, and what else fsspec knows.
    storage_options : mapping, optional
        For the file system: keys, an endpoint, ``anon``. Without any, a bucket that refuses the
        signed-in user is asked again anonymously.
    cache_folder : Path, optional
        Keep what was fetched in this folder for good; it is fetched anew when the file changes.

    Raises
    ------
    MissingDependencyError
        If the package for this kind of URL is not installed.
    MissingFileError
        If there is no such file.
    ReadError
        If it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        storage_options: Mapping[str, Any] | None = None,
        cache_folder: Path | None = None,
    ) -> None:
        self.name = url
        self.storage_options = dict(storage_options or {})
        self.cache_folder = cache_folder
        store = RemoteStore(url, self.storage_options)
        self._store, facts = ask_as_anyone(store, lambda one: one.facts_of(""))
        if facts is None:
            msg = f"There is no file {url}."
            raise MissingFileError(2, msg)
        self.n_bytes = int(facts["size"])
        self._kept = None if cache_folder is None else _store_for(cache_folder, url, facts)
        self._blocks = ChunkCache(_KEPT_BYTES)

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[type[Self], tuple[str, dict[str, Any], Path | None]]:
        # Connections do not travel to other processes; their recipe does.
        return type(self), (self.name, self.storage_options, self.cache_folder)

    def read_into(self, position: int, buffer: memoryview) -> int:
        """Fill `buffer` from a position on, and return how many bytes were there.

        Raises
        ------
        ReadError
            If they cannot be fetched.
        """
        end = min(position + len(buffer), self.n_bytes)
        if end <= position:
            return 0
        blocks = range(position // _BLOCK_BYTES, -(-end // _BLOCK_BYTES))
        kept = {k: self._blocks.get(str(k)) for k in blocks}
        fetched = self._fetch([k for k, block in kept.items() if block is None])
        target = np.frombuffer(buffer, np.uint8)
        for k, block in (kept | fetched).items():
            assert block is not None
            start = k * _BLOCK_BYTES
            first, last = max(position, start), min(end, start + _BLOCK_BYTES)
            target[first - position : last - position] = block[first - start : last - start]
        return end - position

    def fetch_ahead(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch what will be read soon, many parts at once, as far as it would be kept.

        Parameters
        ----------
        ranges : list of tuple
            Position and number of bytes of each part.
        """
        wanted = dict.fromkeys(
            k
            for position, n_bytes in ranges
            for k in range(position // _BLOCK_BYTES, -(-(position + n_bytes) // _BLOCK_BYTES))
        )
        missing = [k for k in wanted if self._blocks.get(str(k)) is None]
        if len(missing) * _BLOCK_BYTES <= _N_BYTES_AHEAD_MAX:
            self._fetch(missing)

    def _fetch(self, blocks: list[int]) -> dict[int, _Block]:
        """Fetch blocks, those that follow each other in one request, and keep them."""
        found = {} if self._kept is None else _blocks_in(self._kept, blocks)
        missing = [k for k in blocks if k not in found]
        edges = [0, *(i for i in range(1, len(missing)) if missing[i] != missing[i - 1] + 1)]
        runs = [missing[a:b] for a, b in pairwise([*edges, len(missing)]) if a < b]
        ranges = [
            (run[0] * _BLOCK_BYTES, min((run[-1] + 1) * _BLOCK_BYTES, self.n_bytes)) for run in runs
        ]
        for run, content in zip(runs, self._store.get_ranges("", ranges), strict=True):
            values = np.frombuffer(content, np.uint8)
            for i, k in enumerate(run):
                # A copy, so that what is kept holds on to nothing larger.
                found[k] = values[i * _BLOCK_BYTES : (i + 1) * _BLOCK_BYTES].copy()
                if self._kept is not None:
                    self._kept.put(str(k), found[k].data)
        for k, block in found.items():
            self._blocks.put(str(k), block)
        return found


def _store_for(folder: Path, url: str, facts: Mapping[str, Any]) -> LocalStore:
    """Return a folder for the blocks of a file, another one when the file has changed."""
    said = {key: str(facts.get(key)) for key in ("size", "ETag", "LastModified", "mtime")}
    return LocalStore(folder / fingerprint_text(f"{url} {said}")[:32])


def _blocks_in(store: LocalStore, blocks: Iterable[int]) -> dict[int, _Block]:
    contents = {k: store.get(str(k)) for k in blocks}
    return {k: np.frombuffer(one, np.uint8) for k, one in contents.items() if one is not None}
