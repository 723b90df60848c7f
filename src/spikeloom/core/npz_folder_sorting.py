"""Sortings saved to a folder in the oldest format: a ``.npz`` file, with its properties."""

from pathlib import Path

from spikeloom.core.class_names import stored_as, stored_name
from spikeloom.core.folder_metadata import (
    read_folder_description,
    read_metadata,
    write_metadata,
    write_si_folder,
)
from spikeloom.core.npz_sorting import NpzSortingExtractor
from spikeloom.core.sorting import BaseSorting
from spikeloom.storage.json_fields import arguments_from
from spikeloom.storage.provenance_json import write_provenance

_NPZ_FILE = "sorting_cached.npz"
_DESCRIPTION_FILE = "npz.json"


@stored_as("spikeinterface.core.sortingfolder.NpzFolderSorting")
class NpzFolderSorting(NpzSortingExtractor):
    """A sorting in a folder that ``sorting.save(format="npz_folder", folder=...)`` made.

    Parameters
    ----------
    folder_path : str or Path
        The folder, written by spikeloom or by SpikeInterface up to 0.105.

    Raises
    ------
    MissingFileError
        If a file is absent.
    DataError
        If the folder holds something else.
    """

    mode = "folder"

    def __init__(self, folder_path: str | Path) -> None:
        folder = Path(folder_path).absolute()
        description = read_folder_description(folder, _DESCRIPTION_FILE, "NpzSortingExtractor")
        with arguments_from(folder / _DESCRIPTION_FILE):
            super().__init__(**description["kwargs"])
        read_metadata(self, folder)
        self._kwargs = {"folder_path": str(folder)}


def read_npz_folder(folder_path: str | Path) -> NpzFolderSorting:
    """Open a folder that ``sorting.save(format="npz_folder", folder=...)`` made."""
    return NpzFolderSorting(folder_path)


def write_npz_folder(sorting: BaseSorting, folder: Path) -> None:
    """Write a sorting into an empty folder.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    folder : Path
        An existing folder, which nobody reads yet.
    """
    NpzSortingExtractor.write_sorting(sorting, folder / _NPZ_FILE)
    path, module, version = stored_name(NpzSortingExtractor)
    description = {
        "class": path,
        "module": module,
        "version": version,
        "kwargs": {"file_path": _NPZ_FILE},
        "annotations": {},
        "properties": {"main_channel_id": None},
        "relative_paths": True,
    }
    write_provenance(folder / _DESCRIPTION_FILE, description)
    write_metadata(sorting, folder, source=sorting)
    write_si_folder(sorting, folder, stored_name(NpzFolderSorting)[0])
