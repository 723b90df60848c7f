"""Analyzers in zarr stores, in a folder or at a URL, as SpikeInterface 0.101 to 0.105 keep them."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.extension_folders import ExtensionFolders
from spikeloom.analyzer.extension_groups import (
    notes_of,
    read_extension_group,
    write_extension_group,
)
from spikeloom.analyzer.folder_store import plain_values
from spikeloom.analyzer.provenance import open_sorting_source
from spikeloom.analyzer.stores import IN_MEMORY_BYTES, ExtensionNotes, n_bytes_of
from spikeloom.core.folder_metadata import name_of_property
from spikeloom.core.sorting import BaseSorting
from spikeloom.engine.folders import get_global_tmp_folder
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.storage.disk_space import require_disk_space
from spikeloom.storage.staged_saves import flush_tree
from spikeloom.storage.stores import LocalStore, is_url
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import new_root, open_zarr

if TYPE_CHECKING:
    from spikeloom.analyzer.extension import AnalyzerExtension

_CONSOLIDATED = ".zmetadata"

_ROOTS = (".zattrs", ".zgroup", "zarr.json")


class ZarrStore:
    """Keeps the extensions of an analyzer in its zarr store.

    Parameters
    ----------
    location : str or Path
        Folder or URL; there must be a store.
    storage_options : mapping, optional
        How to reach a URL, as fsspec takes it.
    saving_options : mapping, optional
        ``compressor`` and ``filters`` for arrays.
    is_read_only : bool, default False
        Refuse to write.
    """

    format = "zarr"

    def __init__(
        self,
        location: str | Path,
        *,
        storage_options: Mapping[str, Any] | None = None,
        saving_options: Mapping[str, Any] | None = None,
        is_read_only: bool = False,
    ) -> None:
        self.location = location
        self.is_read_only = is_read_only
        self._storage_options = dict(storage_options or {}) or None
        self._saving_options = dict(saving_options or {})
        self._folder = None if is_url(location) else Path(location)
        self._names: list[str] | None = None

    def root(self, mode: Literal["r", "r+"] = "r") -> ZarrGroup:
        """Return the root group, opened anew."""
        return open_zarr(self.location, mode=mode, storage_options=self._storage_options)

    def extension_names(self) -> list[str]:
        """Return the names of the extensions that are kept, sorted.

        Those at a URL are listed once only, unless something is written here.
        """
        if self._folder is not None or self._names is None:
            root = self.root()
            group = root.group("extensions") if "extensions" in root else None
            names = [] if group is None else group.group_names()
            self._names = [
                name for name in names if group is None or "params" in group.group(name).attributes
            ]
        return list(self._names)

    def read_notes(self, name: str) -> ExtensionNotes:
        """Return parameters and run_info of an extension that is kept."""
        return notes_of(self.root().group(f"extensions/{name}"))

    def create_array(
        self,
        extension: "AnalyzerExtension",  # noqa: ARG002 - the array is compressed at the end
        name: str,  # noqa: ARG002
        shape: Sequence[int],
        dtype: DTypeLike,
    ) -> NDArray[Any]:
        """Return zeros to be filled: in a file without a name if they are many."""
        n_bytes = n_bytes_of(shape, dtype)
        if n_bytes <= IN_MEMORY_BYTES:
            return np.zeros(tuple(shape), dtype)
        self._require_writable()
        place = get_global_tmp_folder() if self._folder is None else self._folder
        require_disk_space(place, n_bytes)
        # It is gone when the array is, or the process, however that ends.
        with tempfile.TemporaryFile(dir=place, prefix=".") as file:
            array: NDArray[Any] = np.memmap(file, np.dtype(dtype), "w+", shape=tuple(shape))
        return array

    def discard_arrays(self, extension: "AnalyzerExtension") -> None:
        """Do nothing: what is not wanted any more goes with the last that holds it."""

    def write_extension(
        self, extension: "AnalyzerExtension", *, invalid: Sequence[str] = ()
    ) -> None:
        """Keep an extension, in place of one of the same name; `invalid` ones go just before.

        In a folder, the old one is there until the new one is. At a URL nothing can be renamed: it
        goes when all is ready to be sent, and what was sent in part is not listed.
        """
        self._require_writable()
        name = extension.extension_name
        others = [other for other in invalid if other != name]
        root = self.root("r+")
        root.create_group("extensions")
        if self._folder is not None:
            folders = ExtensionFolders(self._folder)
            with folders.replacing(name) as path:
                self._write(extension, path, root)
                flush_tree(path)
                # What is gathered there would not fit what is there a moment later.
                root.store.delete(_CONSOLIDATED)
                folders.remove(others)
        else:
            with tempfile.TemporaryDirectory(dir=get_global_tmp_folder()) as path:
                self._write(extension, Path(path), root)
                root.store.delete(_CONSOLIDATED)
                for other in others:
                    root.delete(f"extensions/{other}")
                self._send(Path(path), root, f"extensions/{name}")
        root.consolidate()
        self._names = None

    def _write(self, extension: "AnalyzerExtension", path: Path, root: ZarrGroup) -> None:
        group = new_root(LocalStore(path, is_durable=False), root.format)
        write_extension_group(extension, group, self._saving_options)

    def _send(self, path: Path, root: ZarrGroup, key: str) -> None:
        """Put a local group into the store; the documents that make it one come last."""
        root.delete(key)
        files = [each for each in sorted(path.rglob("*")) if each.is_file()]
        last = [each for each in files if each.parent == path and each.name in _ROOTS]
        for each in [*(one for one in files if one not in last), *last]:
            root.store.put(f"{key}/{each.relative_to(path).as_posix()}", each.read_bytes())

    def read_extension(self, extension: "AnalyzerExtension", *, lazy: bool = False) -> None:  # noqa: ARG002 - what is compressed has to be read
        """Set params, run_info and data of an extension from its group."""
        key = f"extensions/{extension.extension_name}"
        root = self.root()
        if key not in root or "params" not in root.group(key).attributes:
            msg = f"The extension {extension.extension_name!r} is not saved in {self.location}."
            raise MissingExtensionError(msg)
        read_extension_group(extension, root.group(key))

    def delete_extension(self, name: str) -> None:
        """Delete the group of an extension."""
        self._require_writable()
        root = self.root("r+")
        if f"extensions/{name}" not in root:
            return
        root.store.delete(_CONSOLIDATED)
        if self._folder is not None:
            ExtensionFolders(self._folder).remove([name])
        else:
            root.delete(f"extensions/{name}")
        root.consolidate()
        self._names = None

    def write_sorting_property(self, key: str, values: NDArray[Any] | None) -> None:
        """Keep a property of the units; None deletes it.

        Raises
        ------
        ParameterError
            If values are Python objects, or nothing may be written.
        """
        self._require_writable()
        root = self.root("r+")
        path = f"sorting/properties/{name_of_property(key)}"
        if values is not None:
            values = plain_values(key, values)
        root.store.delete(_CONSOLIDATED)
        if values is None:
            root.delete(path)
        else:
            root.write_array(path, values)
        root.consolidate()

    def read_sorting_source(self) -> BaseSorting | None:
        """Return the sorting that the kept one was copied from, if it can be opened."""
        root = self.root()
        description = root.group("sorting").attributes.get("provenance")
        if description is None and "sorting_provenance" in root:
            if "sorting_provenance" in root.refused_names():
                return None
            description = root.read_object("sorting_provenance")
        return open_sorting_source(description, self._folder)

    def _require_writable(self) -> None:
        if self.is_read_only:
            msg = f"{self.location} was opened read-only; save_as(...) a copy to change."
            raise ParameterError(msg)
