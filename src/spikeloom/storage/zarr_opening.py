"""Find, make and open zarr stores at a path or a URL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from spikeloom.errors import MissingFileError, ParameterError, ReadError
from spikeloom.storage.staged_saves import TakenError, interrupted_saves
from spikeloom.storage.stores import LocalStore, Store, is_url, local_path
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_nodes import ZarrFormat, kind_of, node_kind, put_group

INCOMPLETE = ".spikeloom-incomplete"
"""Object that stands beside a remote store for as long as it is being written."""


def open_store(
    location: str | Path,
    *,
    storage_options: Mapping[str, Any] | None = None,
    is_durable: bool = True,
) -> Store:
    """Open the store at a path or URL; nothing is made and nothing is looked for.

    Parameters
    ----------
    location : str or Path
        A folder, or a URL that fsspec knows: ``s3://``, ``gs://``, ``gcs://``, ``http(s)://``,
        ``memory://``, ``file://``.
    storage_options : mapping, optional
        What the file system of a URL takes: keys, an endpoint, ``anon``.
    is_durable : bool, default: True
        Whether each write to a folder is flushed to the disk. Writers into a staging folder
        flush once, at the end.

    Raises
    ------
    MissingDependencyError
        If the URL needs a package that is not installed.
    """
    if is_url(location):
        from spikeloom.storage.remote import RemoteStore  # noqa: PLC0415 - fsspec is for URLs

        return RemoteStore(str(location), storage_options)
    return LocalStore(local_path(location), is_durable=is_durable)


def zarr_location(location: str | Path) -> str | Path:
    """Return a path or URL with ``.zarr`` at its end, added if need be.

    Examples
    --------
    >>> str(zarr_location("rec_2024.05.01")), str(zarr_location("s3://b/rec.zarr/"))
    ('rec_2024.05.01.zarr', 's3://b/rec.zarr')
    """
    if is_url(location):
        url = str(location).rstrip("/")
        return url if url.endswith(".zarr") else f"{url}.zarr"
    path = local_path(location)
    if not path.name:
        msg = f"{location!r} is no name for a zarr folder."
        raise ParameterError(msg)
    return path if path.name.endswith(".zarr") else path.with_name(f"{path.name}.zarr")


def new_root(store: Store, zarr_format: ZarrFormat) -> ZarrGroup:
    """Make the root group of a store, or return the one that is there.

    Raises
    ------
    ParameterError
        If `zarr_format` is neither 2 nor 3.
    """
    if zarr_format not in {2, 3}:
        msg = f"zarr_format is 2 or 3, not {zarr_format!r}."
        raise ParameterError(msg)
    group = ZarrGroup(store, "", zarr_format, is_writable=True)
    if node_kind(store, "", zarr_format) != "group":
        put_group(store, "", zarr_format)
    return group


def create_zarr(
    location: str | Path,
    *,
    overwrite: bool = False,
    zarr_format: ZarrFormat = 2,
    storage_options: Mapping[str, Any] | None = None,
) -> ZarrGroup:
    """Make a zarr store in place. `saving_zarr` is safer: it makes a whole one or none.

    Raises
    ------
    WriteError
        If something is there and `overwrite` is False.
    """
    store = open_store(location, storage_options=storage_options)
    if store.names():
        if not overwrite:
            msg = f"{location} exists already; pass overwrite=True to replace it."
            raise TakenError(17, msg)
        store.delete("")
    return new_root(store, zarr_format)


def open_zarr(
    location: str | Path,
    *,
    mode: Literal["r", "r+"] = "r",
    storage_options: Mapping[str, Any] | None = None,
) -> ZarrGroup:
    """Open the root group of a zarr store of format 2 or 3.

    Parameters
    ----------
    location : str or Path
        A folder, or a URL that fsspec knows.
    mode : {"r", "r+"}, default: "r"
        For reading, or also for writing.
    storage_options : mapping, optional
        For the file system of a URL. Without any, a bucket that refuses us is tried once more
        without credentials.

    Raises
    ------
    MissingFileError
        If there is nothing.
    ReadError
        If it is no zarr store, or its saving was never finished.
    """
    if mode not in {"r", "r+"}:
        msg = f"mode is 'r' or 'r+', not {mode!r}."
        raise ParameterError(msg)
    store: Store
    if is_url(location):
        from spikeloom.storage.remote import RemoteStore, for_reading  # noqa: PLC0415 - for URLs

        store = for_reading(RemoteStore(str(location), storage_options), is_writable=mode == "r+")
    else:
        store = open_store(location)
    found = store.get_many([".zgroup", "zarr.json"])
    if found[".zgroup"] is not None:
        return ZarrGroup(store, "", 2, is_writable=mode == "r+")
    if found["zarr.json"] is not None and kind_of("zarr.json", found["zarr.json"]) == "group":
        return ZarrGroup(store, "", 3, is_writable=mode == "r+")
    raise _not_a_store(store, location)


def _not_a_store(store: Store, location: str | Path) -> ReadError:
    if store.get(INCOMPLETE) is not None:
        msg = (
            f"{location} is incomplete: its saving is still going on or was interrupted. "
            "Save it again, with resume=True to continue."
        )
        return ReadError(0, msg)
    if not store.names():
        if not store.is_remote and interrupted_saves(local_path(location)):
            msg = (
                f"There is no zarr folder {location}: its saving was interrupted. Save it again, "
                "with resume=True to continue."
            )
            return MissingFileError(2, msg)
        return MissingFileError(2, f"There is no zarr folder {location}.")
    msg = f"{location} is not a zarr store: it has neither .zgroup nor zarr.json."
    return ReadError(0, msg)
