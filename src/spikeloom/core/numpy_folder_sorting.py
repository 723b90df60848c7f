"""Sortings saved to a folder: the spike vector in one file, with properties and provenance."""

from pathlib import Path
from typing import Any, Literal

from spikeloom.core.class_names import stored_as, stored_name
from spikeloom.core.folder_metadata import read_metadata, write_metadata, write_si_folder
from spikeloom.core.numpy_recording import checked_t_starts
from spikeloom.core.sorting import BaseSorting, TableSortingSegment
from spikeloom.core.spike_building import table_from_spike_vector
from spikeloom.core.spike_vector import SpikeTable
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.arrays import npy_writer
from spikeloom.storage.atomic import write_atomic
from spikeloom.storage.json_fields import count_in, read_object
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import write_provenance

_INFO_FILE = "numpysorting_info.json"
_SPIKES_FILE = "spikes.npy"


@stored_as("spikeinterface.core.sortingfolder.NumpyFolderSorting")
class NumpyFolderSorting(BaseSorting):
    """A sorting in a folder that ``sorting.save(format="numpy_folder", folder=...)`` made.

    The file of spikes is mapped: its parts are read when they are needed, and never changed.

    Parameters
    ----------
    folder_path : str or Path
        The folder, written by spikeloom or by SpikeInterface 0.99 to 0.105.
    mmap_mode : {None, "r", "c"}
        Without effect; it is there for scripts that ask for a map.

    Raises
    ------
    MissingFileError
        If a file is absent.
    DataError
        If the folder holds something else.
    ParameterError
        If `mmap_mode` is one that would let the file be changed.
    """

    mode = "folder"

    def __init__(self, folder_path: str | Path, mmap_mode: Literal["r", "c"] | None = None) -> None:
        if mmap_mode not in {None, "r", "c"}:
            msg = (
                f"mmap_mode must be None, 'r' or 'c'; got {mmap_mode!r}. A saved sorting is not "
                "changed: save a new one instead."
            )
            raise ParameterError(msg)
        folder = Path(folder_path).absolute()
        info = _read_info(folder / _INFO_FILE)
        super().__init__(info["sampling_frequency"], info["unit_ids"])
        self._spikes = open_records(folder / _SPIKES_FILE)
        n_segments = count_in(info, "num_segments", folder / _INFO_FILE)
        for k, t_start in enumerate(checked_t_starts(info.get("t_starts") or None, n_segments)):
            self.add_sorting_segment(TableSortingSegment(self, k, t_start))
        read_metadata(self, folder)
        self._kwargs = {"folder_path": str(folder)}
        if mmap_mode is not None:  # an argument that older versions do not take
            self._kwargs["mmap_mode"] = mmap_mode

    def _make_spike_table(self) -> SpikeTable:
        return table_from_spike_vector(
            self._spikes, n_units=self.get_num_units(), n_segments=self.get_num_segments()
        )


def read_numpy_sorting_folder(
    folder_path: str | Path, mmap_mode: Literal["r", "c"] | None = None
) -> NumpyFolderSorting:
    """Open a folder that ``sorting.save(format="numpy_folder", folder=...)`` made."""
    return NumpyFolderSorting(folder_path, mmap_mode=mmap_mode)


def write_numpy_folder(sorting: BaseSorting, folder: Path) -> None:
    """Write a sorting into an empty folder.

    Parameters
    ----------
    sorting : BaseSorting
        The sorting.
    folder : Path
        An existing folder, which nobody reads yet.
    """
    vector = sorting.to_spike_vector(use_cache=False)
    write_atomic(folder / _SPIKES_FILE, npy_writer(vector))
    info: dict[str, Any] = {
        "sampling_frequency": sorting.sampling_frequency,
        "unit_ids": sorting.unit_ids,
        "num_segments": sorting.get_num_segments(),
    }
    starts = sorting.get_segment_t_starts()
    if starts is not None:
        info["t_starts"] = starts
    write_provenance(folder / _INFO_FILE, info)
    write_metadata(sorting, folder, source=sorting)
    write_si_folder(sorting, folder, stored_name(NumpyFolderSorting)[0])


def _read_info(path: Path) -> dict[str, Any]:
    """Return what the folder says of its sorting."""
    info = read_object(path)
    missing = {"sampling_frequency", "unit_ids", "num_segments"} - set(info)
    if missing:
        msg = f"{path} describes no sorting: it does not tell {', '.join(sorted(missing))}."
        raise DataError(msg)
    return info
