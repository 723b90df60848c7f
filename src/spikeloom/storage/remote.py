"""Keyed bytes behind a URL, through fsspec."""

import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar
from urllib.parse import unquote

import fsspec

from spikeloom.errors import ReadError, WriteError
from spikeloom.optional import require
from spikeloom.storage.provenance_json import decode_json, encode_json
from spikeloom.storage.stores import Bytes, Store

R = TypeVar("R")

_ALIASES = {"gcs://": "gs://"}

_NOT_FOUND = 404
"""What web servers answer where there is nothing."""

_EXTRAS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "http": "aiohttp", "https": "aiohttp"}


class RemoteStore:
    """What lies below a URL.

    Parameters
    ----------
    url : str
        ``s3://bucket/rec.zarr`` and the like.
    storage_options : mapping, optional
        For the file system: keys, an endpoint, ``anon``.

    Raises
    ------
    MissingDependencyError
        If the package for this kind of URL is not installed.
    ReadError
        If the file system refuses its options.
    """

    is_remote = True

    def __init__(self, url: str, storage_options: Mapping[str, Any] | None = None) -> None:
        for alias, scheme in _ALIASES.items():
            if url.startswith(alias):
                url = scheme + url.removeprefix(alias)
        self.location = url.rstrip("/")
        self.storage_options = dict(storage_options or {})
        protocol = url.split("://", 1)[0]
        package = _EXTRAS.get(protocol)
        if package is not None:
            require(package, feature=url, extra="remote")
        try:
            self._fs, root = fsspec.core.url_to_fs(self.location, **self.storage_options)
        except (ValueError, TypeError, OSError) as error:
            msg = f"{url} cannot be opened: {error}. Check the URL and storage_options."
            raise ReadError(0, msg) from error
        self._root = root.rstrip("/")

    def __reduce__(self) -> tuple[type[Self], tuple[str, dict[str, Any]]]:
        # Connections do not travel to other processes; their recipe does.
        return type(self), (self.location, self.storage_options)

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`; None if there are none."""
        try:
            content = self._fs.cat_file(self._path(key))
        except (FileNotFoundError, IsADirectoryError):
            return None
        except Exception as error:
            raise self._read_error(key, error) from error
        return bytes(content)

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Return the bytes under several keys, fetched together."""
        paths = {self._path(key): key for key in keys}
        if not paths:
            return {}
        try:
            # Not `cat`, which may hand paths back under other names (with or without the scheme).
            contents = self._fs.cat_ranges(
                list(paths), [None] * len(paths), [None] * len(paths), on_error="return"
            )
        except Exception as error:
            where = "…"
            raise self._read_error(where, error) from error
        found: dict[str, bytes | None] = {}
        for key, content in zip(paths.values(), contents, strict=True):
            if isinstance(content, (FileNotFoundError, IsADirectoryError)):
                found[key] = None
            elif isinstance(content, BaseException):
                raise self._read_error(key, content) from content
            else:
                found[key] = bytes(content)
        return found

    def facts_of(self, key: str) -> dict[str, Any] | None:
        """Return what the server says of the bytes under a key, "size" at least; None if absent."""
        try:
            known = self._fs.info(self._path(key))
        except (FileNotFoundError, IsADirectoryError) as error:
            # Of web servers fsspec says so whatever happened; the cause is what did.
            cause = error.__cause__
            is_absent = cause is None or isinstance(cause, FileNotFoundError)
            if is_absent or getattr(cause, "status", None) == _NOT_FOUND:
                return None
            raise self._read_error(key, cause or error) from error
        except Exception as error:
            raise self._read_error(key, error) from error
        if known.get("type") == "directory":
            return None
        if known.get("size") is None:
            msg = "the server does not say how large it is"
            raise self._read_error(key, ValueError(msg))
        return dict(known)

    def get_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return parts of what is under a key, from a byte to before another, fetched together.

        Raises
        ------
        ReadError
            If they cannot be fetched, or if the server sends something else.
        """
        if not ranges:
            return []
        starts, ends = zip(*ranges, strict=True)
        try:
            contents = self._fs.cat_ranges(
                [self._path(key)] * len(ranges), starts, ends, on_error="raise"
            )
        except Exception as error:
            raise self._read_error(key, error) from error
        for (start, end), content in zip(ranges, contents, strict=True):
            if len(content) != end - start:
                msg = f"{len(content)} bytes came where bytes {start} to {end} were asked for"
                raise self._read_error(key, ValueError(msg))
        return [bytes(content) for content in contents]

    def put(self, key: str, content: Bytes) -> None:
        """Keep `content` under `key`."""
        try:
            self._fs.pipe_file(self._path(key), bytes(content))
        except Exception as error:
            msg = f"Cannot write {self.location}/{key}: {error}."
            raise WriteError(getattr(error, "errno", 0) or 0, msg) from error

    def delete(self, prefix: str) -> None:
        """Delete `prefix` and all keys below it; nothing is fine."""
        try:
            self._fs.invalidate_cache()
            path = self._path(prefix)
            if glob.has_magic(path):  # which `rm` would take for a pattern
                for each in self._fs.find(path):
                    self._fs.rm_file(each)
            else:
                self._fs.rm(path, recursive=True)
        except FileNotFoundError:
            pass
        except Exception as error:
            msg = f"Cannot delete {self.location}/{prefix}: {error}."
            raise WriteError(getattr(error, "errno", 0) or 0, msg) from error

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names directly below `prefix`; nothing if the server lists nothing."""
        path = self._path(prefix)
        try:
            self._fs.invalidate_cache()
            found = self._fs.ls(path, detail=False)
        except (FileNotFoundError, NotADirectoryError, NotImplementedError):
            return []
        except Exception as error:
            raise self._read_error(prefix, error) from error
        names = {str(each).rstrip("/").rsplit("/", 1)[-1] for each in found}
        if self.location.startswith(("http://", "https://")):  # which list links
            names = {unquote(name) for name in names}
        names.discard(path.rsplit("/", 1)[-1] if not found else "")
        return sorted(name for name in names if name)

    def n_bytes(self, prefix: str = "") -> int:
        """Return the size of everything below `prefix`, in bytes."""
        try:
            self._fs.invalidate_cache()
            return int(self._fs.du(self._path(prefix)))
        except FileNotFoundError:
            return 0

    def _read_error(self, key: str, error: BaseException) -> ReadError:
        where = f"{self.location}/{key}" if key else self.location
        msg = (
            f"{where} cannot be read: {type(error).__name__}: {error}. "
            "Check the URL, the network and storage_options (credentials, endpoint, anon)."
        )
        return ReadError(getattr(error, "errno", 0) or 0, msg)


class ConsolidatedStore:
    """A remote store whose metadata were all fetched at once; for reading.

    Parameters
    ----------
    inner : RemoteStore
        Where the chunks are.
    documents : mapping
        Content of the metadata by key, from ``.zmetadata``.
    """

    is_remote = True

    def __init__(self, inner: RemoteStore, documents: Mapping[str, bytes]) -> None:
        self.inner = inner
        self.location = inner.location
        self._documents = dict(documents)

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`; None if there are none."""
        return self.get_many([key])[key]

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Return the bytes under several keys; metadata that are not listed do not exist."""
        keys = list(keys)
        known: dict[str, bytes | None] = {
            key: self._documents.get(key) for key in keys if _is_metadata(key)
        }
        rest = [key for key in keys if key not in known]
        return known | self.inner.get_many(rest)

    def put(self, key: str, content: Bytes) -> None:
        """Refuse."""
        msg = f"{self.location} is open for reading; {len(content)} bytes of {key} do not go there."
        raise WriteError(13, msg)

    def delete(self, prefix: str) -> None:
        """Refuse."""
        self.put(prefix, b"")

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names directly below `prefix`."""
        start = f"{prefix}/" if prefix else ""
        below = (key.removeprefix(start) for key in self._documents if key.startswith(start))
        return sorted({rest.split("/", 1)[0] for rest in below})

    def n_bytes(self, prefix: str = "") -> int:
        """Return the size of everything below `prefix`, in bytes."""
        return self.inner.n_bytes(prefix)


class RememberingStore:
    """A remote store that asks for no document and no list of names twice; for reading.

    Parameters
    ----------
    inner : RemoteStore
        Where everything is.
    """

    is_remote = True

    def __init__(self, inner: RemoteStore) -> None:
        self.inner = inner
        self.location = inner.location
        self._documents: dict[str, bytes | None] = {}
        self._names: dict[str, list[str]] = {}

    def get(self, key: str) -> bytes | None:
        """Return the bytes under `key`; None if there are none."""
        return self.get_many([key])[key]

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes | None]:
        """Return the bytes under several keys, fetching together what is not known."""
        keys = list(keys)
        known = {key: self._documents[key] for key in keys if key in self._documents}
        fetched = self.inner.get_many(key for key in keys if key not in known)
        self._documents |= {key: each for key, each in fetched.items() if _is_metadata(key)}
        return known | fetched

    def put(self, key: str, content: Bytes) -> None:
        """Refuse."""
        msg = f"{self.location} is open for reading; {len(content)} bytes of {key} do not go there."
        raise WriteError(13, msg)

    def delete(self, prefix: str) -> None:
        """Refuse."""
        self.put(prefix, b"")

    def names(self, prefix: str = "") -> list[str]:
        """Return the sorted names directly below `prefix`."""
        if prefix not in self._names:
            self._names[prefix] = self.inner.names(prefix)
        return self._names[prefix]

    def n_bytes(self, prefix: str = "") -> int:
        """Return the size of everything below `prefix`, in bytes."""
        return self.inner.n_bytes(prefix)


def _is_metadata(key: str) -> bool:
    return key.rsplit("/", 1)[-1] in {".zarray", ".zgroup", ".zattrs", "zarr.json"}


def ask_as_anyone(store: RemoteStore, ask: Callable[[RemoteStore], R]) -> tuple[RemoteStore, R]:
    """Ask a store something, again as nobody in particular if it refuses the signed-in user.

    Parameters
    ----------
    store : RemoteStore
        The place; if its options say who asks, there is no second time.
    ask : callable
        Takes the store, returns its answer.

    Returns
    -------
    store : RemoteStore
        As whom it answered.
    answer : object

    Raises
    ------
    ReadError
        If it does not answer.
    """
    try:
        return store, ask(store)
    except ReadError:
        options: dict[str, dict[str, Any]] = {
            "s3": {"anon": True},
            "s3a": {"anon": True},
            "gs": {"token": "anon"},
        }
        scheme = store.location.split("://", 1)[0]
        if store.storage_options or scheme not in options:
            raise
        anonymous = RemoteStore(store.location, options[scheme])
        return anonymous, ask(anonymous)


def for_reading(store: RemoteStore, *, is_writable: bool) -> Store:
    """Return a remote store that costs few requests to read from.

    Without options, a bucket that refuses the signed-in user, or finds none, is asked again
    anonymously: public data need no account.
    """
    store, content = ask_as_anyone(store, lambda one: one.get(".zmetadata"))
    if is_writable:
        return store
    if content is None:
        return RememberingStore(store)
    value = decode_json(content, f"{store.location}/.zmetadata")
    documents = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(documents, dict) or ".zgroup" not in documents:
        return store
    encoded = {key: encode_json(document, indent=None) for key, document in documents.items()}
    return ConsolidatedStore(store, encoded)
