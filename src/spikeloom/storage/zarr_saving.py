"""Save a zarr store as a whole: it is there with all that belongs to it, or not at all.

A folder is written under a hidden name and renamed (`staged_saves`). Buckets cannot rename, so
there the document that makes a store of the keys, the root's ``.zgroup`` or ``zarr.json``, is
written last: until then nobody opens it, and a marker says why.
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeloom.errors import WriteError
from spikeloom.storage.provenance_json import decode_json, encode_json
from spikeloom.storage.staged_saves import Staging, TakenError, part_name, staged_save
from spikeloom.storage.stores import Bytes, LocalStore, Store, is_url, local_path
from spikeloom.storage.zarr_groups import AnyArray, ZarrGroup
from spikeloom.storage.zarr_nodes import ZarrFormat
from spikeloom.storage.zarr_opening import INCOMPLETE, new_root, open_store

_ROOTS = frozenset({".zgroup", "zarr.json"})


@dataclass(frozen=True)
class ZarrSave:
    """A zarr store that is being saved."""

    group: ZarrGroup
    """Its root, to be written to."""
    is_resumed: bool
    """Whether the save of a process that died is continued."""
    staging: Staging | None
    """Where a folder is staged; None for a URL."""

    def is_done(self, array: AnyArray, row_start: int, row_stop: int) -> bool:
        """Tell whether some rows of an array were finished by the process before.

        In a folder, their check sum is compared; in a bucket, objects are whole or absent.
        """
        if not self.is_resumed:
            return False
        if self.staging is None:
            return array.checksum(row_start, row_stop) is not None
        part = part_name(array.path, row_start, row_stop)
        return self.staging.is_done(part, lambda: array.checksum(row_start, row_stop))

    def mark(self, array: AnyArray, row_start: int, row_stop: int, checksum: int) -> None:
        """Note that rows are finished, with the check sum that ``array.write`` returned."""
        if self.staging is not None:
            self.staging.mark(part_name(array.path, row_start, row_stop), checksum)

    def write_missing(self, array: AnyArray, row_start: int, get_block: Callable[[], Any]) -> None:
        """Write a block, unless the process before did; to be called from any thread.

        Parameters
        ----------
        array : ZarrArray or ZarrArray3
            To write to; `block_rows` rows of it, or fewer at the end.
        row_start : int
            First row.
        get_block : callable
            Returns the rows; not called for those that are done.
        """
        row_stop = min(row_start + array.block_rows, array.shape[0])
        if not self.is_done(array, row_start, row_stop):
            checksum = array.write(row_start, get_block())
            self.mark(array, row_start, row_stop, checksum)


def is_zarr_folder(path: Path) -> bool:
    """Tell whether a folder is a zarr store, which ``overwrite=True`` may replace."""
    return any((path / name).is_file() for name in _ROOTS)


@contextmanager
def saving_zarr(
    location: str | Path,
    *,
    overwrite: bool = False,
    zarr_format: ZarrFormat = 2,
    storage_options: Mapping[str, Any] | None = None,
    needed_bytes: int = 0,
    fingerprint: str = "",
    resume: bool = False,
    is_consolidated: bool | None = None,
) -> Iterator[ZarrSave]:
    """Save a zarr store that is complete or absent.

    Parameters
    ----------
    location : str or Path
        A folder or URL; its name is taken as it is (see `zarr_location`).
    overwrite : bool, default: False
        Whether a store that is there is replaced: a folder once the new one is complete; in a
        bucket the old one goes first.
    zarr_format : {2, 3}, default: 2
        SpikeInterface up to 0.105 and zarr-python 2 read format 2 only.
    storage_options : mapping, optional
        For the file system of a URL.
    needed_bytes : int, default: 0
        An estimate of the size, to be compared with what the disk has free.
    fingerprint : str, default: ""
        Of what is being saved and how; see `staged_save`.
    resume : bool, default: False
        Whether to continue an interrupted save with this fingerprint; see `staged_save`.
    is_consolidated : bool, optional
        Whether all metadata are gathered at the end, which saves requests; by default for URLs.

    Yields
    ------
    ZarrSave

    Raises
    ------
    WriteError
        If something is there and `overwrite` is False (a FileExistsError, too), the disk is full,
        or the store cannot be written. What was there before is still there, if in a folder.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> target = Path(tempfile.mkdtemp()) / "rec.zarr"
    >>> with saving_zarr(target) as save:
    ...     traces = save.group.create_array("traces_seg0", (6, 2), "int16", chunks=(4, 2))
    ...     for row in range(0, 6, traces.block_rows):
    ...         rows = slice(row, row + traces.block_rows)
    ...         save.write_missing(traces, row, lambda: np.ones((6, 2), "int16")[rows])
    >>> sorted(path.name for path in target.iterdir())
    ['.zgroup', 'traces_seg0']
    """
    if is_url(location):
        saving = _saving_remote(
            str(location),
            overwrite=overwrite,
            zarr_format=zarr_format,
            storage_options=storage_options,
            fingerprint=fingerprint,
            resume=resume,
        )
    else:
        saving = _saving_local(
            local_path(location),
            overwrite=overwrite,
            zarr_format=zarr_format,
            needed_bytes=needed_bytes,
            fingerprint=fingerprint,
            resume=resume,
        )
    with saving as save:
        yield save
        if is_url(location) if is_consolidated is None else is_consolidated:
            save.group.consolidate()


@contextmanager
def _saving_local(
    target: Path,
    *,
    overwrite: bool,
    zarr_format: ZarrFormat,
    needed_bytes: int,
    fingerprint: str,
    resume: bool,
) -> Iterator[ZarrSave]:
    with staged_save(
        target,
        overwrite=overwrite,
        is_replaceable=is_zarr_folder,
        needed_bytes=needed_bytes,
        fingerprint=fingerprint,
        resume=resume,
    ) as staging:
        store = LocalStore(staging.path, is_durable=False)
        yield ZarrSave(new_root(store, zarr_format), staging.is_resumed, staging)


class DeferredRootStore:
    """A store that keeps the document of its root back until `release`.

    Parameters
    ----------
    inner : Store
        Where everything else goes at once.
    """

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.location = inner.location
        self.is_remote = inner.is_remote
        self._held: dict[str, Bytes] = {}

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`; None if there are none."""
        return bytes(self._held[key]) if key in self._held else self.inner.get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Return the bytes under several keys."""
        keys = list(keys)
        held: dict[str, bytes | None] = {k: bytes(self._held[k]) for k in keys if k in self._held}
        return held | self.inner.get_many(k for k in keys if k not in held)

    def put(self, key: str, content: Bytes) -> None:
        """Keep `content` under `key`; the root's document only here."""
        if key in _ROOTS:
            self._held[key] = content
        else:
            self.inner.put(key, content)

    def delete(self, prefix: str) -> None:
        """Delete `prefix` and all keys below it; nothing is fine."""
        self._held.pop(prefix, None)
        self.inner.delete(prefix)

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names directly below `prefix`."""
        return self.inner.names(prefix)

    def n_bytes(self, prefix: str = "") -> int:
        """Return the size of everything below `prefix`, in bytes."""
        return self.inner.n_bytes(prefix)

    def release(self) -> None:
        """Write what was kept back."""
        for key, content in self._held.items():
            self.inner.put(key, content)
        self._held.clear()


@contextmanager
def _saving_remote(
    url: str,
    *,
    overwrite: bool,
    zarr_format: ZarrFormat,
    storage_options: Mapping[str, Any] | None,
    fingerprint: str,
    resume: bool,
) -> Iterator[ZarrSave]:
    inner = open_store(url, storage_options=storage_options)
    is_resumed = _prepare(inner, overwrite=overwrite, fingerprint=fingerprint, resume=resume)
    marker = {"fingerprint": fingerprint, "pid": os.getpid(), "host": socket.gethostname()}
    inner.put(INCOMPLETE, encode_json(marker))
    store = DeferredRootStore(inner)
    try:
        yield ZarrSave(new_root(store, zarr_format), is_resumed, None)
        # Consolidated metadata, if any, are written before this, so they know the root as well.
    except BaseException:
        if not resume:
            _give_up(inner)
        raise
    store.release()
    inner.delete(INCOMPLETE)


def _prepare(inner: Store, *, overwrite: bool, fingerprint: str, resume: bool) -> bool:
    """Make room for a store; return whether what is there is to be continued."""
    names = inner.names()
    if not names:
        return False
    if any(content is not None for content in inner.get_many(_ROOTS).values()):
        if not overwrite:
            raise _taken(inner.location)
        inner.delete("")
        return False
    marker = inner.get(INCOMPLETE)
    if marker is None:
        if not overwrite:
            raise _taken(inner.location)
        msg = (
            f"{inner.location} is not a zarr store, so it is not replaced even with "
            "overwrite=True; delete it yourself or give another name."
        )
        raise TakenError(17, msg)
    known = decode_json(marker, f"{inner.location}/{INCOMPLETE}")
    if resume and fingerprint and known.get("fingerprint") == fingerprint:
        return True
    inner.delete("")
    return False


def _taken(url: str) -> TakenError:
    msg = f"{url} exists already; pass overwrite=True to replace it, or give another name."
    return TakenError(17, msg)


def _give_up(inner: Store) -> None:
    try:
        inner.delete("")
    except WriteError:
        return  # The marker is still there and says what this is.
