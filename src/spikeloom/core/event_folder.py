"""Folders of saved events: a ``.npy`` file for each channel and segment."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as, stored_name
from spikeloom.core.events import BaseEvent, are_events
from spikeloom.core.folder_metadata import read_metadata, write_metadata, write_si_folder
from spikeloom.core.ids import as_ids
from spikeloom.core.numpy_events import NumpyEventSegment
from spikeloom.errors import DataError, ParameterError
from spikeloom.storage.json_fields import count_in, read_object
from spikeloom.storage.numpy_files import open_records
from spikeloom.storage.provenance_json import write_provenance
from spikeloom.storage.staged_saves import staged_save

_INFO_FILE = "events.json"


@stored_as("spikeloom.core.event_folder.FolderEvent")
class FolderEvent(BaseEvent):
    """Events that were saved to a folder.

    Parameters
    ----------
    folder_path : str or Path
        The folder.

    Raises
    ------
    MissingFileError, ReadError
        If a file is absent or damaged.
    DataError
        If a file holds other events than the folder says.
    """

    def __init__(self, folder_path: str | Path) -> None:
        folder = Path(folder_path)
        info = read_object(folder / _INFO_FILE)
        if "channel_ids" not in info:
            msg = f"{folder / _INFO_FILE} does not say which channels there are."
            raise DataError(msg)
        n_segments = count_in(info, "n_segments", folder / _INFO_FILE)
        channel_ids = as_ids(info["channel_ids"], "channel id")
        ids = channel_ids.tolist()
        segments = [
            {channel_id: _read_events(folder, k, c) for c, channel_id in enumerate(ids)}
            for k in range(n_segments)
        ]
        dtypes = {channel_id: np.dtype(np.float64) for channel_id in ids}
        for events in segments:
            dtypes |= {channel_id: values.dtype for channel_id, values in events.items()}
        super().__init__(channel_ids, dtypes)
        for events in segments:
            self.add_event_segment(NumpyEventSegment(events))
        read_metadata(self, folder)
        self._kwargs = {"folder_path": str(folder.absolute())}


def save_events(event: BaseEvent, folder: str | Path, *, overwrite: bool = False) -> FolderEvent:
    """Save events to a folder and return the saved ones; this is ``event.save(folder=...)``.

    Parameters
    ----------
    event : BaseEvent
        The events.
    folder : str or Path
        Where to.
    overwrite : bool, default False
        Replace what was saved there before.

    Raises
    ------
    WriteError
        If the folder is there already (a FileExistsError, too), or cannot be written.
    ParameterError
        If events hold Python objects, which files cannot.

    Examples
    --------
    >>> import tempfile
    >>> from spikeloom.core.numpy_events import NumpyEvent
    >>> event = NumpyEvent.from_dict({"stim": [0.5, 1.5]})
    >>> saved = save_events(event, Path(tempfile.mkdtemp()) / "events")
    >>> saved.get_event_times("stim")
    array([0.5, 1.5])
    """
    for channel_id, dtype in event.structured_dtype.items():
        if dtype.hasobject:
            msg = (
                f"The events of {channel_id!r} hold Python objects ({dtype}), which cannot be "
                "saved; give strings a width, e.g. ('label', '<U32')."
            )
            raise ParameterError(msg)
    target = Path(folder)
    with staged_save(target, overwrite=overwrite, is_replaceable=_is_saved) as staging:
        staging.path.mkdir()
        for k in range(event.get_num_segments()):
            for c, channel_id in enumerate(event.channel_ids):
                values = event.get_events(channel_id, k)
                np.save(_path_of(staging.path, k, c), values, allow_pickle=False)
        info = {"channel_ids": event.channel_ids, "n_segments": event.get_num_segments()}
        write_provenance(staging.path / _INFO_FILE, info)
        write_metadata(event, staging.path, source=None)
        write_si_folder(event, staging.path, stored_name(FolderEvent)[0])
    return FolderEvent(target)


def _is_saved(folder: Path) -> bool:
    return (folder / "si_folder.json").is_file()


def _path_of(folder: Path, segment_index: int, channel_index: int) -> Path:
    return folder / f"events_seg{segment_index}_ch{channel_index}.npy"


def _read_events(folder: Path, segment_index: int, channel_index: int) -> NDArray[Any]:
    path = _path_of(folder, segment_index, channel_index)
    events = open_records(path, is_mapped=False)
    if events.ndim != 1:
        msg = f"{path} holds an array of shape {events.shape} where a list of events is expected."
        raise DataError(msg)
    if not are_events(events):
        msg = f"{path} holds {events.dtype}, or values that are no times in seconds."
        raise DataError(msg)
    return events
