"""Folders and zarr stores of waveforms, laid out as SpikeInterface 0.95 to 0.100 keep them.

In both there are arrays ``waveforms/waveforms_{unit}``, ``waveforms/sampled_index_{unit}`` and
``templates_{mode}``, and parameters.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.folder_metadata import name_of_property
from spikeloom.core.saving import is_saved_folder
from spikeloom.errors import DataError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import read_provenance, write_provenance
from spikeloom.storage.staged_saves import staged_save
from spikeloom.storage.stores import LocalStore
from spikeloom.storage.zarr_codecs import default_compressor
from spikeloom.storage.zarr_groups import ZarrGroup
from spikeloom.storage.zarr_opening import new_root

WAVEFORMS = "waveforms"
"""Folder, or group, of the waveforms of all units."""

_CONSOLIDATED = ".zmetadata"

OpenRoot = Callable[[Literal["r", "r+"]], ZarrGroup]
"""Opens the root group of a zarr store."""


class WaveformPlace(Protocol):
    """Arrays and parameters in a folder or a zarr store."""

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the arrays in a folder or group; none if it is not there."""

    def read(self, name: str) -> NDArray[Any]:
        """Return an array."""

    def write(self, name: str, values: NDArray[Any]) -> None:
        """Write an array in place of one of the same name."""

    def delete(self, name: str) -> None:
        """Delete an array; an absent one is fine."""

    def replace_waveforms(self, arrays: Mapping[str, NDArray[Any]] | None) -> None:
        """Put arrays in the place of all waveforms, in one step; None deletes them."""

    def write_params(self, params: Mapping[str, Any]) -> None:
        """Write the parameters."""

    def sub_params(self, folder: str) -> dict[str, Any] | None:
        """Return the parameters of something that was computed; None if it is not there."""


class FolderPlace:
    """Waveforms in a folder.

    Parameters
    ----------
    root : Path
        The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the arrays in a folder; none if it is not there."""
        paths = sorted((self.root / folder).glob("*.npy"))
        return [path.stem for path in paths if not path.name.startswith(".")]

    def read(self, name: str) -> NDArray[Any]:
        """Return an array, mapped into memory."""
        array: NDArray[Any] = open_records(self.root / f"{name}.npy")
        return array

    def write(self, name: str, values: NDArray[Any]) -> None:
        """Write an array in place of one of the same name."""
        write_atomic(self.root / f"{name}.npy", npy_writer(values))

    def delete(self, name: str) -> None:
        """Delete an array; an absent one is fine."""
        (self.root / f"{name}.npy").unlink(missing_ok=True)

    def replace_waveforms(self, arrays: Mapping[str, NDArray[Any]] | None) -> None:
        """Put arrays in the place of all waveforms, in one step; None deletes them."""
        target = self.root / WAVEFORMS
        if arrays is None:
            _delete_folder(target)
            return
        with staged_save(target, overwrite=True) as staging:
            staging.path.mkdir(exist_ok=True)
            for name, values in arrays.items():
                np.save(staging.path / f"{name}.npy", values, allow_pickle=False)

    def write_params(self, params: Mapping[str, Any]) -> None:
        """Write the parameters."""
        write_provenance(self.root / "params.json", dict(params))

    def sub_params(self, folder: str) -> dict[str, Any] | None:
        """Return the parameters of something that was computed; None if it is not there."""
        path = self.root / folder / "params.json"
        return dict(read_provenance(path)) if path.is_file() else None


class ZarrPlace:
    """Waveforms in a zarr store, in a folder.

    Parameters
    ----------
    open_root : callable
        Opens the root group.
    folder : Path
        Where it is.
    is_new : bool, default False
        Whether nobody reads it yet, and it is consolidated when all is written.
    """

    def __init__(self, open_root: OpenRoot, folder: Path, *, is_new: bool = False) -> None:
        self._open_root = open_root
        self._folder = folder
        self._is_new = is_new

    @contextmanager
    def _changing(self) -> Iterator[ZarrGroup]:
        root = self._open_root("r+")
        if not self._is_new:
            # What is gathered there would not fit what is there a moment later.
            root.store.delete(_CONSOLIDATED)
        yield root
        if not self._is_new:
            root.consolidate()

    def names(self, folder: str = "") -> list[str]:
        """Return the names of the arrays in a group; none if it is not there."""
        root = self._open_root("r")
        if not folder:
            return root.array_names()
        return root.group(folder).array_names() if folder in root else []

    def read(self, name: str) -> NDArray[Any]:
        """Return an array."""
        return self._open_root("r").read_array(name)

    def write(self, name: str, values: NDArray[Any]) -> None:
        """Write an array in place of one of the same name."""
        with self._changing() as root:
            root.write_array(name, np.asarray(values), compressor=default_compressor())

    def delete(self, name: str) -> None:
        """Delete an array; an absent one is fine."""
        with self._changing() as root:
            root.delete(name)

    def replace_waveforms(self, arrays: Mapping[str, NDArray[Any]] | None) -> None:
        """Put arrays in the place of all waveforms, in one step; None deletes them."""
        with self._changing() as root:
            if arrays is None:
                root.delete(WAVEFORMS)
                return
            with staged_save(self._folder / WAVEFORMS, overwrite=True) as staging:
                staging.path.mkdir(exist_ok=True)
                group = new_root(LocalStore(staging.path, is_durable=False), root.format)
                for name, values in arrays.items():
                    group.write_array(name, np.asarray(values), compressor=default_compressor())

    def write_params(self, params: Mapping[str, Any]) -> None:
        """Write the parameters."""
        with self._changing() as root:
            root.set_attributes({**root.attributes, "params": dict(params)})

    def sub_params(self, folder: str) -> dict[str, Any] | None:
        """Return the parameters of something that was computed; None if it is not there."""
        root = self._open_root("r")
        if folder not in root.group_names():
            return None
        params = root.group(folder).attributes.get("params")
        return None if params is None else dict(params)


def name_of_unit(prefix: str, unit_id: Any) -> str:
    """Return the name of an array of a unit, which is a file name on all systems.

    Examples
    --------
    >>> name_of_unit("waveforms", 3), name_of_unit("waveforms", "a/b")
    ('waveforms_3', 'waveforms_a~2Fb')
    """
    return name_of_property(f"{prefix}_{unit_id}")


def read_of_unit(place: WaveformPlace, folder: str, prefix: str, unit_id: Any) -> NDArray[Any]:
    """Return an array of a unit; raises DataError if there is none."""
    known = place.names(folder)
    # Before, names were not changed for the sake of other systems.
    for name in (name_of_unit(prefix, unit_id), f"{prefix}_{unit_id}"):
        if name in known:
            return place.read(f"{folder}/{name}")
    msg = f"There is no array {prefix}_{unit_id} in {folder}: the waveforms are incomplete."
    raise DataError(msg)


def is_waveform_folder(path: Path) -> bool:
    """Return whether a folder looks like one of waveforms, in this or in an older layout."""
    parts = ("recording_info", WAVEFORMS, "sorting.json", "sorting.pickle")
    return (path / "params.json").is_file() and any((path / name).exists() for name in parts)


def is_waveform_zarr(root: ZarrGroup) -> bool:
    """Return whether the root of a zarr store looks like one of waveforms."""
    return "params" in root.attributes and (WAVEFORMS in root or "sorting" in root.attributes)


def is_replaceable(path: Path) -> bool:
    """Return whether ``overwrite=True`` may replace a folder."""
    return is_waveform_folder(path) or is_saved_folder(path)


def _delete_folder(path: Path) -> None:
    import shutil  # noqa: PLC0415 - rarely needed

    if path.is_dir():
        gone = path.with_name(f".{path.name}.gone")
        shutil.rmtree(gone, ignore_errors=True)
        path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
