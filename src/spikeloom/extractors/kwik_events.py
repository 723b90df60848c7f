"""Events in ``.kwik`` files, and in the ``.kwe`` files that Open Ephys writes beside them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.events import BaseEvent
from spikeloom.core.numpy_events import NumpyEventSegment
from spikeloom.errors import DataError
from spikeloom.extractors.hdf5_arrays import read_array, read_vector
from spikeloom.extractors.hdf5_nodes import (
    attributes,
    child,
    dataset_at,
    group_at,
    names_in,
    number_in,
    text_of,
)
from spikeloom.extractors.kwik_contents import KwikRecording
from spikeloom.extractors.kwik_file import open_kwik, read_recordings

OPEN_EPHYS_SUFFIX = ".kwe"

_N_CHARACTERS_MAX = 1024


@stored_as("spikeloom.KwikEventExtractor")
class KwikEventExtractor(BaseEvent):
    """The events of a Kwik dataset: a channel for each type, a segment for each recording.

    Parameters
    ----------
    file_path : str or Path
        A ``.kwik`` file, or a ``.kwe`` file of Open Ephys.

    Raises
    ------
    MissingFileError
        If there is no such file.
    ReadError, DataError
        If it is damaged, or makes no sense.

    Notes
    -----
    Events have the fields ``time`` in seconds, ``sample`` as in the file, and what else the file
    notes of each: of Open Ephys ``eventID`` (1 for a rising edge) and ``event_channels``, or
    ``Text``. In ``.kwik`` files samples count from the start of a recording, which begins at its
    ``start_time``; in ``.kwe`` files from the start of acquisition.
    """

    def __init__(self, file_path: str | Path) -> None:
        path = Path(file_path).absolute()
        with open_kwik(path) as file:
            recordings = read_recordings(file) or (KwikRecording(0),)
            rate = _rate_of(path, file, recordings)
            types = group_at(file, "event_types")
            tables = {name: _read_events(path, types, name) for name in names_in(types)}
        is_absolute = path.suffix == OPEN_EPHYS_SUFFIX
        events = {
            name: [_of_recording(*table, each, rate, is_absolute) for each in recordings]
            for name, table in tables.items()
        }
        super().__init__(
            np.array(list(events), np.str_), {name: each[0].dtype for name, each in events.items()}
        )
        for k in range(len(recordings)):
            self.add_event_segment(
                NumpyEventSegment({name: each[k] for name, each in events.items()})
            )
        self._kwargs = {"file_path": str(path)}


def read_kwik_event(file_path: str | Path) -> KwikEventExtractor:
    """Open the events of a Kwik dataset; see `KwikEventExtractor`."""
    return KwikEventExtractor(file_path)


def _rate_of(path: Path, file: h5py.File, recordings: tuple[KwikRecording, ...]) -> float:
    stated = number_in(attributes(child(file, "application_data/spikedetekt")), "sample_rate")
    rates = [stated, *(recording.sampling_frequency for recording in recordings)]
    rate = next((rate for rate in rates if rate), None)
    if rate is None:
        msg = f"{path} does not say its sampling frequency (sample_rate), which gives times."
        raise DataError(msg)
    return rate


def _read_events(
    path: Path, types: h5py.Group | None, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Return samples, numbers of recordings, and what else is known of the events of a type."""
    events = group_at(types, f"{name}/events")
    stored = dataset_at(events, "time_samples")
    if stored is None:
        none = np.zeros(0, np.int64)
        return none, none, {}
    samples = read_vector(path, stored, np.int64)
    numbers = dataset_at(events, "recording")
    recordings = np.zeros(samples.size, np.int64)
    if numbers is not None:
        recordings = read_vector(path, numbers, np.int64)
    fields: dict[str, NDArray[Any]] = {}
    data = group_at(events, "user_data")
    for field in names_in(data):
        values = dataset_at(data, field)
        column = None if values is None else _read_column(path, values, samples.size)
        if column is not None and field not in {"time", "sample"}:
            fields[field] = column
    if recordings.size != samples.size:
        msg = (
            f"{path}: event type {name} has {samples.size} times and {recordings.size} recordings."
        )
        raise DataError(msg)
    return samples, recordings, fields


def _read_column(path: Path, dataset: h5py.Dataset, length: int) -> NDArray[Any] | None:
    """Return a value for each event, or None if that is not what is there."""
    if length == 0 or dataset.size != length:
        return None
    values = read_array(path, dataset).reshape(-1)
    if values.dtype.kind in "SO":
        texts = [text_of(each)[:_N_CHARACTERS_MAX] for each in values.tolist()]
        return np.array(texts, np.str_)
    return values if values.dtype.kind in "iufb" else None


def _of_recording(
    samples: NDArray[np.int64],
    numbers: NDArray[np.int64],
    fields: dict[str, NDArray[Any]],
    recording: KwikRecording,
    rate: float,
    is_absolute: bool,
) -> NDArray[Any]:
    rows = np.flatnonzero(numbers == recording.index)
    start_s = 0.0 if is_absolute else recording.start_time_s or 0.0
    described = [(field, values.dtype) for field, values in fields.items()]
    events = np.zeros(rows.size, [("time", "f8"), ("sample", "i8"), *described])
    events["sample"] = samples[rows]
    events["time"] = samples[rows] / rate + start_s
    for field, values in fields.items():
        events[field] = values[rows]
    return events[np.argsort(events["time"], kind="stable")]
