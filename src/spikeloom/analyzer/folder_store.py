"""Analyzers in folders of npy, csv and json files, as SpikeInterface 0.101 to 0.105 keep them."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from spikeloom.analyzer.extension_files import (
    checked_name,
    read_extension_files,
    read_notes,
    write_extension_files,
)
from spikeloom.analyzer.extension_folders import ExtensionFolders
from spikeloom.analyzer.provenance import open_sorting_source
from spikeloom.analyzer.stores import IN_MEMORY_BYTES, ExtensionNotes, n_bytes_of
from spikeloom.core.folder_metadata import name_of_property
from spikeloom.core.sorting import BaseSorting
from spikeloom.errors import MissingExtensionError, ParameterError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.disk_space import require_disk_space
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import read_provenance
from spikeloom.storage.staged_saves import flush_tree

if TYPE_CHECKING:
    from spikeloom.analyzer.extension import AnalyzerExtension


class _GivenUp(Exception):  # noqa: N818 - ends what is being written, and goes no further
    """What was being written is not wanted any more."""


class _Filling:
    """An extension whose arrays are being filled in the folder that will be its own."""

    def __init__(self, folders: ExtensionFolders, name: str) -> None:
        self.stack = ExitStack()
        self.folder = self.stack.enter_context(folders.replacing(name))
        self.arrays: dict[str, NDArray[Any]] = {}

    def ready(self, data: dict[str, Any]) -> list[str]:
        """Return the names of the arrays that became data as they are, flushed."""
        names = [name for name, array in self.arrays.items() if data.get(name) is array]
        for name in names:
            self.arrays[name].flush()  # type: ignore[attr-defined]  # a memory map
        for name in set(self.arrays) - set(names):
            (self.folder / f"{name}.npy").unlink()
        return names

    def give_up(self) -> None:
        """Remove what was written."""
        self.arrays.clear()
        with suppress(_GivenUp), self.stack:
            raise _GivenUp


class FolderStore:
    """Keeps the extensions of an analyzer in its folder.

    Parameters
    ----------
    folder : Path
        Of the analyzer; it must exist.
    is_read_only : bool, default False
        Refuse to write.
    """

    format = "binary_folder"

    def __init__(self, folder: Path, *, is_read_only: bool = False) -> None:
        self.location = folder
        self.is_read_only = is_read_only
        self._folders = ExtensionFolders(folder)
        self._fillings: dict[int, _Filling] = {}

    def extension_names(self) -> list[str]:
        """Return the names of the extensions that are kept, sorted."""
        folder = self._folders.folder
        if not folder.is_dir():
            return []
        return sorted(
            path.name
            for path in folder.iterdir()
            if not path.name.startswith(".") and (path / "params.json").is_file()
        )

    def read_notes(self, name: str) -> ExtensionNotes:
        """Return parameters and run_info of an extension that is kept."""
        return read_notes(self._folders.folder / name)

    def create_array(
        self, extension: "AnalyzerExtension", name: str, shape: Sequence[int], dtype: DTypeLike
    ) -> NDArray[Any]:
        """Return zeros to be filled: in the file itself if they are many."""
        n_bytes = n_bytes_of(shape, dtype)
        if n_bytes <= IN_MEMORY_BYTES:
            return np.zeros(tuple(shape), dtype)
        self._require_writable()
        require_disk_space(self.location, n_bytes)
        filling = self._fillings.get(id(extension))
        if filling is None:
            filling = _Filling(self._folders, extension.extension_name)
            self._fillings[id(extension)] = filling
        path = filling.folder / f"{checked_name(extension, name)}.npy"
        array: NDArray[Any] = np.lib.format.open_memmap(
            path, mode="w+", dtype=np.dtype(dtype), shape=tuple(shape)
        )
        filling.arrays[name] = array
        return array

    def discard_arrays(self, extension: "AnalyzerExtension") -> None:
        """Give up what `create_array` made for an extension."""
        filling = self._fillings.pop(id(extension), None)
        if filling is not None:
            filling.give_up()

    def write_extension(
        self, extension: "AnalyzerExtension", *, invalid: Sequence[str] = ()
    ) -> None:
        """Keep an extension, in place of one of the same name; `invalid` ones go just before."""
        self._require_writable()
        filling = self._fillings.pop(id(extension), None)
        if filling is None:
            filling = _Filling(self._folders, extension.extension_name)
        with filling.stack:
            ready = filling.ready(extension.data)
            write_extension_files(extension, filling.folder, ready)
            flush_tree(filling.folder)
            # If this ends here, what is left was computed from the old one.
            self._folders.remove([name for name in invalid if name != extension.extension_name])
        for name in ready:
            path = self._folders.folder / extension.extension_name / f"{name_of_property(name)}.npy"
            extension.data[name] = open_records(path)

    def read_extension(self, extension: "AnalyzerExtension", *, lazy: bool = False) -> None:
        """Set params, run_info and data of an extension from its folder."""
        folder = self._folders.folder / extension.extension_name
        if not (folder / "params.json").is_file():
            msg = f"The extension {extension.extension_name!r} is not saved in {self.location}."
            raise MissingExtensionError(msg)
        read_extension_files(extension, folder, lazy=lazy)

    def delete_extension(self, name: str) -> None:
        """Delete the folder of an extension."""
        self._require_writable()
        self._folders.remove([name])

    def write_sorting_property(self, key: str, values: NDArray[Any] | None) -> None:
        """Keep a property of the units; None deletes it.

        Raises
        ------
        ParameterError
            If values are Python objects, or nothing may be written.
        """
        self._require_writable()
        path = self.location / "sorting" / "properties" / f"{name_of_property(key)}.npy"
        if values is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, npy_writer(plain_values(key, values)))

    def read_sorting_source(self) -> BaseSorting | None:
        """Return the sorting that the kept one was copied from, if it can be opened."""
        # Before 0.105, the one beside the spikes is relative to their folder, not to this one.
        for name in ("sorting_provenance.json", "sorting/provenance.json"):
            if (self.location / name).is_file():
                return open_sorting_source(read_provenance(self.location / name), self.location)
        return None

    def _require_writable(self) -> None:
        if self.is_read_only:
            msg = f"{self.location} was opened read-only; save_as(...) a copy to change."
            raise ParameterError(msg)


def plain_values(key: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return values of a property; raises ParameterError if they are Python objects."""
    if values.dtype.hasobject:
        msg = (
            f"The property {key!r} holds Python objects, which are not added to a saved analyzer; "
            "use text or numbers, or save=False."
        )
        raise ParameterError(msg)
    return values
