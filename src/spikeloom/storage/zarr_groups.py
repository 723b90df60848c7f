"""Groups of arrays with attributes, in zarr format 2 or 3, at a path or a URL.

Members are listed through the store and opened one by one: consolidated metadata, which may lag
behind or list what zarr-python does not open, are only looked at where servers cannot list.
"""

import logging
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.errors import MissingFileError, ParameterError, ReadError, WriteError
from spikeloom.storage.provenance_json import decode_json, encode_json
from spikeloom.storage.stores import Store
from spikeloom.storage.zarr_arrays import CACHE_BYTES, ZarrArray
from spikeloom.storage.zarr_codecs import CodecLike, codec_config, codec_configs
from spikeloom.storage.zarr_extents import read_whole
from spikeloom.storage.zarr_metadata import ArrayMetadata, default_chunks, new_metadata
from spikeloom.storage.zarr_nodes import (
    ZarrFormat,
    consolidate,
    documents,
    join,
    kind_of,
    node_kind,
    put_attributes3,
    put_group,
    read_attributes,
)
from spikeloom.storage.zarr_objects import encode_objects, is_refused, read_objects

_log = logging.getLogger(__name__)
_TEXT_ATTRIBUTE = "spikeloom_json"

AnyArray = Any
"""A `ZarrArray` or, in format 3, a `ZarrArray3`: they have the same methods."""


class ZarrGroup:
    """A group of a zarr store.

    Made by `open_zarr` and `create_zarr`. Names may be paths with slashes, ``"spikes/unit_index"``;
    groups between are made where something is written.

    Parameters
    ----------
    store : Store
        Where it is.
    path : str
        Its key; "" is the root.
    zarr_format : {2, 3}
        Of the store.
    is_writable : bool
        Whether it may be written to.

    Examples
    --------
    >>> from spikeloom.storage.zarr_opening import create_zarr, open_zarr
    >>> group = create_zarr("memory://doc-groups.zarr", overwrite=True)
    >>> group.write_array("channel_ids", np.array(["a", "b"]))
    >>> group.set_attributes({"sampling_frequency": 30000.0})
    >>> again = open_zarr("memory://doc-groups.zarr")
    >>> again.array_names(), again.read_array("channel_ids").tolist()
    (['channel_ids'], ['a', 'b'])
    >>> again.attributes
    {'sampling_frequency': 30000.0}
    """

    def __init__(
        self, store: Store, path: str, zarr_format: ZarrFormat, *, is_writable: bool
    ) -> None:
        self.store = store
        self.path = path
        self.format = zarr_format
        self.is_writable = is_writable
        self.where = f"{store.location}/{path}".rstrip("/")
        """Where it is, for messages."""

    def __repr__(self) -> str:
        return f"ZarrGroup({self.where}, format {self.format})"

    # Members

    def names(self) -> list[str]:
        """Return the sorted names of the groups and arrays in this one."""
        return sorted([*self.group_names(), *self.array_names()])

    def group_names(self) -> list[str]:
        """Return the sorted names of the groups in this one."""
        return [name for name, kind in self._kinds().items() if kind == "group"]

    def array_names(self, *, skip_refused: bool = True) -> list[str]:
        """Return the sorted names of the arrays in this group.

        Parameters
        ----------
        skip_refused : bool, default: True
            Whether to leave out arrays of pickled objects, which are never decoded.
        """
        names = [name for name, kind in self._kinds().items() if kind == "array"]
        if not skip_refused or self.format != 2:
            return names
        refused = set(self.refused_names())
        if refused:
            _log.info("%s: left out, as they are pickled: %s", self.where, sorted(refused))
        return [name for name in names if name not in refused]

    def refused_names(self) -> list[str]:
        """Return the sorted names of arrays that hold pickled objects."""
        if self.format != 2:
            return []
        arrays = [name for name, kind in self._kinds().items() if kind == "array"]
        return [name for name in arrays if is_refused(self._metadata(self._at(name)))]

    def _kinds(self) -> dict[str, str]:
        names = [name for name in self.store.names(self.path) if not name.startswith(".")]
        if not self.store.is_remote:
            return {n: kind for n in names if (kind := self._kind(self._at(n))) is not None}
        asked = documents(self.format)
        found = self.store.get_many(f"{self._at(n)}/{d}" for n in names for d in asked)
        kinds: dict[str, str] = {}
        for name in names:
            for document in asked:
                content = found[f"{self._at(name)}/{document}"]
                if content is not None:
                    kinds.setdefault(name, kind_of(document, content))
        return kinds

    def _kind(self, path: str) -> str | None:
        return node_kind(self.store, path, self.format)

    def __contains__(self, name: str) -> bool:
        return self._kind(self._at(name)) is not None

    def group(self, name: str) -> "ZarrGroup":
        """Return a group in this one.

        Raises
        ------
        MissingFileError
            If there is none of this name.
        """
        path = self._at(name)
        if self._kind(path) != "group":
            raise self._missing(name, "group")
        return ZarrGroup(self.store, path, self.format, is_writable=self.is_writable)

    def array(self, name: str, *, cache_bytes: int = CACHE_BYTES) -> AnyArray:
        """Return an array in this group, to be read in parts.

        Parameters
        ----------
        name : str
            Its name.
        cache_bytes : int
            How much of what was decoded may be kept for the next reads.

        Raises
        ------
        MissingFileError
            If there is none of this name.
        ReadError
            If it holds objects (see `read_object`) or makes no sense.
        """
        path = self._at(name)
        if self.format == 3:
            from spikeloom.storage.zarr_format3 import open_array3  # noqa: PLC0415 - imports zarr

            if self._kind(path) != "array":
                raise self._missing(name, "array")
            return open_array3(self.store, path)
        return ZarrArray(self.store, path, self._metadata(path), cache_bytes=cache_bytes)

    def _metadata(self, path: str) -> ArrayMetadata:
        content = self.store.get(f"{path}/.zarray")
        if content is None:
            raise self._missing(path, "array")
        return ArrayMetadata.decode(content, f"{self.store.location}/{path}")

    def _missing(self, name: str, kind: str) -> MissingFileError:
        return MissingFileError(2, f"There is no {kind} {name!r} in {self.where}.")

    def _at(self, name: str) -> str:
        parts = name.split("/")
        if any(part in {"", ".", ".."} or part.startswith(".z") for part in parts):
            msg = f"{name!r} is no name for a member of a zarr group."
            raise ParameterError(msg)
        return join(self.path, name)

    # Values

    def read_array(self, name: str) -> NDArray[Any]:
        """Return the values of a whole array.

        Raises
        ------
        MissingFileError
            If there is none of this name.
        ReadError
            If it cannot be decoded, or says that it is much larger than what is stored.
        """
        return read_whole(self.array(name, cache_bytes=0))

    def write_array(
        self,
        name: str,
        values: NDArray[Any],
        *,
        chunks: Sequence[int] | None = None,
        compressor: CodecLike | None = None,
        filters: Sequence[CodecLike] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a whole array, replacing one of the same name.

        Parameters
        ----------
        name : str
            Its name.
        values : ndarray
            Numbers, truth values, fixed-width text or bytes, or records of those.
        chunks, compressor, filters
            As in `create_array`; by default one chunk of up to 64 MiB, not compressed.
        attributes : mapping, optional
            Attributes of the array.

        Raises
        ------
        ParameterError
            If `values` are Python objects (see `write_object`).
        WriteError
            If it cannot be written.
        """
        values = np.asarray(values)
        if values.dtype.kind == "T":  # numpy's text of any width
            values = values.astype(str)
        if values.dtype.kind == "U" and values.dtype.itemsize == 0:
            values = values.astype("U1")
        array = self.create_array(
            name,
            values.shape,
            values.dtype,
            chunks=chunks,
            compressor=compressor,
            filters=filters,
            attributes=attributes,
        )
        array.write_all(values)

    def create_array(
        self,
        name: str,
        shape: Sequence[int],
        dtype: DTypeLike,
        *,
        chunks: Sequence[int] | None = None,
        shards: Sequence[int] | None = None,
        compressor: CodecLike | None = None,
        filters: Sequence[CodecLike] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> AnyArray:
        """Make an array whose chunks are to be written.

        An array of the same name and layout is continued: its chunks stay until they are written.

        Parameters
        ----------
        name : str
            Its name.
        shape : sequence of int
            Its shape.
        dtype : dtype
            Its dtype.
        chunks : sequence of int, optional
            Shape of a chunk; by default rows of up to 64 MiB.
        shards : sequence of int, optional
            In format 3, shape of the files, each of whole chunks.
        compressor : numcodecs codec or mapping, optional
            By default none.
        filters : sequence of numcodecs codecs or mappings, optional
            Applied before the compressor.
        attributes : mapping, optional
            Attributes of the array.

        Returns
        -------
        ZarrArray or ZarrArray3
            To be written with `write`.

        Raises
        ------
        ParameterError
            If the layout is not possible.
        WriteError
            If it cannot be written.
        """
        self._require_writable()
        dtype, path = np.dtype(dtype), self._at(name)
        layout = tuple(chunks) if chunks is not None else default_chunks(shape, dtype)
        if dtype.hasobject:
            msg = f"{name!r} holds Python objects; write them with write_object."
            raise ParameterError(msg)
        if len(layout) != len(shape) or any(n < 0 for n in (*shape, *layout)):
            msg = f"Chunks of shape {layout} do not divide an array of shape {tuple(shape)}."
            raise ParameterError(msg)
        config = codec_config(compressor) if compressor is not None else None
        self._require_parents(name)
        if self.format == 3:
            from spikeloom.storage.zarr_format3 import require_array3  # noqa: PLC0415 - imports zarr

            array3 = require_array3(
                self.store,
                path,
                shape,
                dtype,
                chunks=layout,
                shards=shards,
                compressor=config,
                filters=codec_configs(filters),
            )
            if attributes:
                put_attributes3(self.store, path, attributes)
            return array3
        if shards is not None:
            msg = "Shards exist in zarr format 3 only; pass zarr_format=3 for them."
            raise ParameterError(msg)
        metadata = new_metadata(
            shape, dtype, chunks=layout, compressor=config, filters=codec_configs(filters)
        )
        array = ZarrArray(self.store, path, metadata)
        self._put_array(path, metadata, attributes)
        return array

    def _put_array(
        self, path: str, metadata: ArrayMetadata, attributes: Mapping[str, Any] | None
    ) -> None:
        content = metadata.encode()
        if self.store.get(f"{path}/.zarray") != content:
            self.store.delete(path)
            self.store.put(f"{path}/.zarray", content)
        if attributes:
            self.store.put(f"{path}/.zattrs", encode_json(attributes))

    def read_object(self, name: str) -> Any:  # noqa: ANN401 - any plain value
        """Return what is kept as an array of objects: a dictionary, or a list.

        An array of shape (1,) gives its one object, as SpikeInterface keeps dictionaries; others
        give a list.

        Raises
        ------
        MissingFileError
            If there is none of this name.
        ReadError
            If it is pickled or damaged.
        """
        if self.format == 3:
            array = self.array(name)
            content = array.read().tobytes()
            if not self.array_attributes(name).get(_TEXT_ATTRIBUTE):
                msg = f"{self.where}/{name} holds no object."
                raise ReadError(0, msg)
            value = decode_json(content, f"{self.where}/{name}")
        else:
            path = self._at(name)
            metadata = self._metadata(path)
            if not metadata.is_object:
                msg = f"{self.where}/{name} holds {metadata.dtype}, no objects; use read_array."
                raise ReadError(0, msg)
            value = read_objects(self.store, path, metadata).tolist()
        return value[0] if len(value) == 1 else value

    def write_object(
        self, name: str, value: object, *, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Keep a plain value (of dictionaries, lists, text, numbers) as SpikeInterface does.

        Parameters
        ----------
        name : str
            Its name.
        value : object
            A list of text is kept as an array of its length; anything else as an array of shape
            (1,). In format 3, which has no arrays of objects, its JSON text is kept.
        attributes : mapping, optional
            Attributes of the array, such as ``{"dict": True}``.

        Raises
        ------
        ParameterError
            If JSON cannot hold it.
        WriteError
            If it cannot be written.
        """
        self._require_writable()
        is_list = (
            isinstance(value, (list, tuple))
            and len(value) > 1
            and all(isinstance(v, str) for v in value)
        )
        values = list(value) if is_list else [value]  # type: ignore[call-overload]
        if self.format == 3:
            content = np.frombuffer(encode_json(values, indent=None), np.uint8)
            noted = {**(attributes or {}), _TEXT_ATTRIBUTE: True}
            self.write_array(name, content, attributes=noted)
            return
        metadata, chunk = encode_objects(values)
        path = self._at(name)
        self._require_parents(name)
        self.store.delete(path)
        self.store.put(f"{path}/0", chunk)
        self._put_array_last(path, metadata, attributes)

    def _put_array_last(
        self, path: str, metadata: ArrayMetadata, attributes: Mapping[str, Any] | None
    ) -> None:
        if attributes:
            self.store.put(f"{path}/.zattrs", encode_json(attributes))
        self.store.put(f"{path}/.zarray", metadata.encode())

    # Attributes and groups

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the group, read anew; NaN may be among them."""
        return read_attributes(self.store, self.path, self.format)

    def array_attributes(self, name: str) -> dict[str, Any]:
        """Return the attributes of an array in this group."""
        return read_attributes(self.store, self._at(name), self.format)

    def set_attributes(self, attributes: Mapping[str, Any], name: str | None = None) -> None:
        """Replace all attributes of this group, or of one of its members.

        Raises
        ------
        ParameterError
            If JSON cannot hold them.
        """
        self._require_writable()
        path = self.path if name is None else self._at(name)
        if self.format == 3:
            put_attributes3(self.store, path, attributes)
        else:
            self.store.put(join(path, ".zattrs"), encode_json(attributes))

    def create_group(self, name: str, attributes: Mapping[str, Any] | None = None) -> "ZarrGroup":
        """Make a group in this one, or return the one that is there.

        Parameters
        ----------
        name : str
            Its name.
        attributes : mapping, optional
            Its attributes; they replace old ones.

        Raises
        ------
        WriteError
            If it cannot be written.
        """
        self._require_writable()
        path = self._at(name)
        self._require_parents(name)
        if self._kind(path) != "group":
            self.store.delete(path)
            put_group(self.store, path, self.format)
        group = ZarrGroup(self.store, path, self.format, is_writable=True)
        if attributes is not None:
            group.set_attributes(attributes)
        return group

    def delete(self, name: str) -> None:
        """Delete a member with all that is in it; an absent one is fine."""
        self._require_writable()
        self.store.delete(self._at(name))

    def _require_parents(self, name: str) -> None:
        path = posixpath.dirname(self._at(name))
        while len(path) > len(self.path):
            if self._kind(path) != "group":
                put_group(self.store, path, self.format)
            path = posixpath.dirname(path)

    def _require_writable(self) -> None:
        if not self.is_writable:
            msg = f"{self.where} is open for reading; open it with mode='r+' to write."
            raise WriteError(13, msg)

    def consolidate(self) -> None:
        """Gather all metadata in one object, so that one request opens the store (format 2).

        To be called at the root, after everything was written.
        """
        self._require_writable()
        if self.format != 3 and not self.path:
            consolidate(self.store)
