"""Recordings saved to a folder: flat binary files, with properties, probe, times and provenance."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from spikeloom.core import times as clock
from spikeloom.core.binary import BinaryRecordingExtractor
from spikeloom.core.class_names import stored_as, stored_name
from spikeloom.core.folder_metadata import (
    read_folder_description,
    read_metadata,
    write_metadata,
    write_si_folder,
)
from spikeloom.core.provenance import with_relative_paths
from spikeloom.core.recording import BaseRecording, BaseRecordingSegment
from spikeloom.core.writing import write_times
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.json_fields import arguments_from
from spikeloom.storage.provenance_json import write_provenance


@stored_as("spikeinterface.core.binaryfolder.BinaryFolderRecording")
class BinaryFolderRecording(BinaryRecordingExtractor):
    """A recording in a folder that ``recording.save(format="binary", folder=...)`` made.

    Parameters
    ----------
    folder_path : str or Path
        The folder, written by spikeloom or by SpikeInterface 0.95 to 0.105.

    Raises
    ------
    MissingFileError
        If a file is absent.
    DataError
        If the folder holds something else.
    """

    def __init__(self, folder_path: str | Path) -> None:
        folder = Path(folder_path).absolute()
        description = read_folder_description(folder, "binary.json", "BinaryRecordingExtractor")
        kwargs = self._handle_kwargs_backward_compatibility(description["kwargs"], description)
        with arguments_from(folder / "binary.json"):
            super().__init__(**kwargs, num_samples=description.get("num_samples"))
        read_metadata(self, folder)
        for k, segment in enumerate(self._segments):
            path = folder / f"times_cached_seg{k}.npy"
            if path.is_file():
                segment.times = clock.given_times(open_npy(path), segment.get_num_samples())
        self._kwargs = {"folder_path": str(folder)}


def read_binary_folder(folder_path: str | Path) -> BinaryFolderRecording:
    """Open a folder that ``recording.save(format="binary", folder=...)`` made."""
    return BinaryFolderRecording(folder_path)


def write_binary_folder_metadata(
    recording: BaseRecording, folder: Path, file_names: list[str], dtype: DTypeLike
) -> None:
    """Write all but the traces of a recording into `folder`.

    Parameters
    ----------
    recording : BaseRecording
        The recording that is saved.
    folder : Path
        Where to.
    file_names : list of str
        Files of the traces in `folder`, one for each segment.
    dtype : dtype
        Of the values in them.
    """
    starts: list[Any] = []
    for k, segment in enumerate(recording.segments):
        starts.append(segment.t_start)
        if clock.is_set(segment.times) and not isinstance(segment.times, clock.RegularTimes):
            _write_times(folder / f"times_cached_seg{k}.npy", segment)
    description = {
        "class": stored_name(BinaryRecordingExtractor)[0],
        "module": "spikeinterface",
        "version": stored_name(BinaryRecordingExtractor)[2],
        "kwargs": {
            "file_paths": [str(folder / name) for name in file_names],
            "sampling_frequency": recording.sampling_frequency,
            "t_starts": None if all(start is None for start in starts) else _numbers(starts),
            "num_channels": recording.get_num_channels(),
            "dtype": np.dtype(dtype).str,
            "channel_ids": recording.channel_ids,
            "time_axis": 0,
            "file_offset": 0,
            "gain_to_uV": recording.get_channel_gains(),
            "offset_to_uV": recording.get_channel_offsets(),
            "is_filtered": recording.is_filtered(),
        },
        "annotations": {},
        "properties": {},
        "relative_paths": False,
    }
    if not recording.get_num_channels():
        n_segments = recording.get_num_segments()
        description["num_samples"] = [recording.get_num_samples(k) for k in range(n_segments)]
    write_provenance(folder / "binary.json", with_relative_paths(description, folder))
    write_metadata(recording, folder, source=recording)
    write_si_folder(recording, folder, stored_name(BinaryFolderRecording)[0])


def _write_times(path: Path, segment: BaseRecordingSegment) -> None:
    header = {"descr": "<f8", "fortran_order": False, "shape": (segment.get_num_samples(),)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        write_times(segment, file)


def _numbers(starts: list[float | None]) -> list[float]:
    # SpikeInterface takes either a number for each segment or none for any.
    return [0.0 if start is None else start for start in starts]
