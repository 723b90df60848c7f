"""Pulses on the digital inputs of MaxOne, in the HDF5 files of MaxWell Biosystems."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.events import BaseEvent
from spikeloom.core.numpy_events import NumpyEventSegment
from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_arrays import checked_shape, read_array
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.hdf5_nodes import dataset_at

_VERSION = "20160704"
"""Of files whose layout is known."""

_FRAMES_PER_S = 20_000.0

_OFF = -1

_N_CHANNELS_MAX = 256

_DTYPE = np.dtype([
    *[("time", "f8"), ("duration", "f8"), ("label", "<U3")],
    *[("frame", "i8"), ("state", "i8")],
])  # fmt: skip


@stored_as("spikeinterface.extractors.neoextractors.maxwell.MaxwellEventExtractor")
class MaxwellEventExtractor(BaseEvent):
    """Changes of the digital inputs of a MaxOne file.

    Parameters
    ----------
    file_path : str or Path
        The file, of the layout of 2016.

    Raises
    ------
    MissingFileError, ReadError
        If the file is absent or damaged.
    DataError
        If it is of another layout, or contradicts itself.

    Notes
    -----
    There is a channel for each value that the inputs had, which is not 0. Its events are where they
    got this value (``state`` is the value, ``duration`` the time until the next change) and where
    they got 0 (``state`` is -1). ``frame`` is the sample of the recording.
    """

    def __init__(self, file_path: str | Path) -> None:
        path = Path(file_path).absolute()
        with open_hdf5(path) as file:
            _check_version(path, file)
            frames, states = _changes(path, file)
            frames = frames - _first_frame(path, file)
        channels = np.unique(states[states != 0])
        if channels.size > _N_CHANNELS_MAX:
            msg = f"{path}: the digital inputs have {channels.size} values; 8 lines have fewer."
            raise DataError(msg)
        events = {value: _of_channel(value, frames, states) for value in channels.tolist()}
        super().__init__(channels, dict.fromkeys(events, _DTYPE))
        self.add_event_segment(NumpyEventSegment(events))
        self._kwargs = {"file_path": str(path)}


def read_maxwell_event(file_path: str | Path) -> MaxwellEventExtractor:
    """Read the digital inputs of a MaxOne file; see `MaxwellEventExtractor`."""
    return MaxwellEventExtractor(file_path)


def _check_version(path: Path, file: h5py.File) -> None:
    dataset = dataset_at(file, "version")
    values = np.zeros(0) if dataset is None else read_array(path, dataset).reshape(-1)
    found = values[0] if values.size else "none"
    version = found.decode("ascii", "replace") if isinstance(found, bytes) else str(found)
    if version != _VERSION:
        msg = f"{path}: events are known of files of version {_VERSION}; this one's is {version}."
        raise DataError(msg)


def _changes(path: Path, file: h5py.File) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the frames at which inputs changed, and their values from then on."""
    dataset = dataset_at(file, "bits")
    fields = () if dataset is None else dataset.dtype.names or ()
    if dataset is None or not {"frameno", "bits"} <= set(fields):
        msg = f"{path} has no table bits with frameno and bits."
        raise DataError(msg)
    table = read_array(path, dataset).reshape(-1)
    if any(table[name].dtype.kind not in "iu" for name in ("frameno", "bits")):
        msg = f"{path}: frameno and bits must be whole numbers; got {table.dtype}."
        raise DataError(msg)
    table = table[np.argsort(table["frameno"], kind="stable")]
    return table["frameno"].astype(np.int64), table["bits"].astype(np.int64)


def _first_frame(path: Path, file: h5py.File) -> int:
    """Return the number of the first sample, of which the last two rows have 16 bits each."""
    dataset = dataset_at(file, "sig")
    shape = () if dataset is None else checked_shape(path, dataset)
    if dataset is None or len(shape) != 2 or shape[0] < 2 or shape[1] < 1:
        msg = f"{path} has no sig of shape (n_rows, n_samples)."
        raise DataError(msg)
    low, high = np.asarray(dataset[-2:, 0]).astype("<u2").tolist()
    return int(high) << 16 | int(low)


def _of_channel(
    value: int, frames: NDArray[np.int64], states: NDArray[np.int64]
) -> NDArray[np.void]:
    lasts = np.diff(frames, append=frames[-1:])
    chosen = np.flatnonzero((states == value) | (states == 0))
    events = np.zeros(chosen.size, _DTYPE)
    is_on = states[chosen] != 0
    events["frame"] = frames[chosen]
    events["time"] = frames[chosen] / _FRAMES_PER_S
    events["duration"] = np.where(is_on, lasts[chosen] / _FRAMES_PER_S, 0.0)
    events["label"] = np.where(is_on, "on", "off")
    events["state"] = np.where(is_on, value, _OFF)
    return events
