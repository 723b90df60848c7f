"""The documents that make groups and arrays of the keys of a zarr store."""

from collections.abc import Mapping
from typing import Any, Literal

from spikeloom.errors import ReadError
from spikeloom.storage.provenance_json import decode_json, encode_json, to_plain
from spikeloom.storage.stores import Store

ZarrFormat = Literal[2, 3]


def documents(zarr_format: ZarrFormat) -> tuple[str, ...]:
    """Return the names of the documents by which groups and arrays are known."""
    return ("zarr.json",) if zarr_format == 3 else (".zarray", ".zgroup")


def node_kind(store: Store, path: str, zarr_format: ZarrFormat) -> str | None:
    """Return "group" or "array"; None if there is neither."""
    for name in documents(zarr_format):
        content = store.get(join(path, name))
        if content is not None:
            return kind_of(name, content)
    return None


def join(path: str, name: str) -> str:
    """Return the key of a name below a path."""
    return f"{path}/{name}" if path else name


def kind_of(document: str, content: bytes) -> str:
    """Return "group" or "array" from the name and the content of a document."""
    if document == ".zarray":
        return "array"
    if document == ".zgroup":
        return "group"
    described = decode_json(content, document)
    if not isinstance(described, dict):
        msg = f"A {document} of the store holds {described!r:.100} where an object is expected."
        raise ReadError(0, msg)
    return str(described.get("node_type", "group"))


def read_attributes(store: Store, path: str, zarr_format: ZarrFormat) -> dict[str, Any]:
    """Return the attributes of a group or array.

    Raises
    ------
    ReadError
        If they are damaged.
    """
    name = "zarr.json" if zarr_format == 3 else ".zattrs"
    content = store.get(join(path, name))
    if content is None:
        return {}
    value = decode_json(content, f"{store.location}/{join(path, name)}")
    if zarr_format == 3 and isinstance(value, dict):
        value = value.get("attributes", {})
    if not isinstance(value, dict):
        msg = f"{store.location}/{join(path, name)} holds no attributes but {value!r:.100}."
        raise ReadError(0, msg)
    return value


def put_attributes3(store: Store, path: str, attributes: Mapping[str, Any]) -> None:
    """Replace the attributes of a group or array of format 3."""
    key = join(path, "zarr.json")
    document = decode_json(store.get(key) or b"{}", key)
    document["attributes"] = to_plain(attributes)
    store.put(key, encode_json(document, indent=2))


def put_group(store: Store, path: str, zarr_format: ZarrFormat) -> None:
    """Write the document of an empty group."""
    if zarr_format == 3:
        document = {"attributes": {}, "zarr_format": 3, "node_type": "group"}
        store.put(join(path, "zarr.json"), encode_json(document, indent=2))
    else:
        store.put(join(path, ".zgroup"), b'{\n    "zarr_format": 2\n}')


def consolidate(store: Store) -> None:
    """Gather all metadata of a store of format 2 in one document."""
    metadata: dict[str, Any] = {}
    _gather(store, "", metadata)
    document = {"metadata": metadata, "zarr_consolidated_format": 1}
    store.put(".zmetadata", encode_json(document))


def _gather(store: Store, path: str, metadata: dict[str, Any]) -> None:
    for name in (".zgroup", ".zarray", ".zattrs"):
        key = join(path, name)
        content = store.get(key)
        if content is not None:
            metadata[key] = decode_json(content, key)
    if join(path, ".zarray") not in metadata:
        for name in store.names(path):
            if not name.startswith("."):
                _gather(store, join(path, name), metadata)
