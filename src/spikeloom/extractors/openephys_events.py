"""Events of Open Ephys in its binary format: pulses of TTL lines, and messages."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.core.events import BaseEvent
from spikeloom.errors import DataError, MissingFileError
from spikeloom.extractors.json_files import number_in, read_json_object
from spikeloom.extractors.listed_events import ListedEvents, described_events, pulses
from spikeloom.extractors.neo_spikes import NeoEventExtractor
from spikeloom.extractors.openephys_folder import STRUCTURE, chosen_experiment, find_recordings
from spikeloom.extractors.openephys_recording import READERS as RECORDING_READERS
from spikeloom.extractors.reader_registry import Reader
from spikeloom.storage.arrays import open_npy
from spikeloom.storage.numpy_files import open_records

_STATES = ("states.npy", "channel_states.npy")
"""From version 0.6 on, and before."""


@stored_as(
    "spikeinterface.extractors.neoextractors.openephys.OpenEphysBinaryEventExtractor",
    "OpenEphysEventExtractor",
)
class OpenEphysBinaryEventExtractor(ListedEvents):
    """The events of a session of Open Ephys: a channel for each source, a segment a recording.

    Parameters
    ----------
    folder_path : str or Path
        The folder of the session, of a record node, an experiment or a recording.
    experiment_name : str, optional
        Such as ``"experiment1"``; needed if there are several.
    block_index : int, optional
        The same, counted from 0.

    Raises
    ------
    MissingFileError, ReadError
        If files are absent or damaged.
    DataError
        If files contradict each other, or there are no events.
    ParameterError
        If there are several experiments and none was chosen.

    Notes
    -----
    An event is a pulse of a line: its time, its duration (NaN where the recording ends before the
    pulse), and as its label the number of the line; or a message, with its text. Times are those of
    the recording's clock.
    """

    def __init__(
        self,
        folder_path: str | Path,
        experiment_name: str | None = None,
        block_index: int | None = None,
    ) -> None:
        folder = Path(folder_path).absolute()
        if not folder.is_dir():
            msg = f"There is no folder {folder}."
            raise MissingFileError(2, msg)
        chosen = chosen_experiment(
            find_recordings(folder),
            folder,
            experiment_name=experiment_name,
            block_index=block_index,
        )
        # Several record nodes may have noted the same recording, and the same events.
        numbers = sorted({one.number for one in chosen})
        segments: list[dict[str, NDArray[Any]]] = [{} for _ in numbers]
        for one in reversed(chosen):
            segments[numbers.index(one.number)].update(_read_recording(one.folder))
        names = list(dict.fromkeys(name for one in segments for name in one))
        if not names:
            msg = f"{folder} has no events."
            raise DataError(msg)
        empty = described_events(np.zeros(0), None, "")
        super().__init__([{name: one.get(name, empty) for name in names} for one in segments])
        self._kwargs = {
            "folder_path": str(folder),
            "experiment_name": experiment_name,
            "block_index": block_index,
        }


def read_openephys_event(
    folder_path: str | Path,
    experiment_name: str | None = None,
    block_index: int | None = None,
) -> BaseEvent:
    """Read the events of a session of Open Ephys; see `OpenEphysBinaryEventExtractor`.

    Events in the legacy format are read by neo; see `NeoEventExtractor`.
    """
    folder = Path(folder_path)
    if folder.is_dir() and any(folder.glob("*.continuous")):
        return NeoEventExtractor(folder, "openephys_legacy", block_index)
    return OpenEphysBinaryEventExtractor(folder_path, experiment_name, block_index)


def _read_recording(folder: Path) -> dict[str, NDArray[Any]]:
    described = read_json_object(folder / STRUCTURE).get("events")
    found: dict[str, NDArray[Any]] = {}
    for one in described if isinstance(described, list) else []:
        name, place = (
            (one.get("channel_name"), one.get("folder_name")) if isinstance(one, dict) else (0, 0)
        )
        if not isinstance(name, str) or not isinstance(place, str):
            msg = f"{folder / STRUCTURE}: events have a channel_name and a folder_name."
            raise DataError(msg)
        inner = (folder / "events" / place).resolve()
        if not inner.is_relative_to((folder / "events").resolve()):
            msg = f"{folder / STRUCTURE}: {place!r} leads out of the recording."
            raise DataError(msg)
        events = _read_folder(inner, one, folder / STRUCTURE)
        if events is not None:
            found[name if name not in found else f"{name} ({place.strip('/')})"] = events
    return found


def _read_folder(folder: Path, described: dict[str, Any], where: Path) -> NDArray[Any] | None:
    if not (folder / "timestamps.npy").is_file():
        return None
    times = open_npy(folder / "timestamps.npy").reshape(-1)
    with np.errstate(invalid="ignore", over="ignore"):  # what is no time is told below
        times_s = times.astype(np.float64)
    if not (folder / "sample_numbers.npy").is_file():  # before version 0.6 the times are samples
        times_s = times_s / number_in(described, "sample_rate", where)
    if not np.isfinite(times_s).all():
        msg = f"{folder / 'timestamps.npy'} holds values that are no times."
        raise DataError(msg)
    if (folder / "text.npy").is_file():
        texts = open_records(folder / "text.npy").reshape(-1)
        _check_length(texts, times_s, folder / "text.npy")
        if texts.dtype.kind not in "SU":
            msg = f"{folder / 'text.npy'} holds {texts.dtype} where text is expected."
            raise DataError(msg)
        is_bytes = texts.dtype.kind == "S"
        decoded = np.char.decode(texts, "utf-8", "replace") if is_bytes else texts.astype(np.str_)
        return described_events(times_s, None, decoded)
    states_path = next((folder / name for name in _STATES if (folder / name).is_file()), None)
    if states_path is None:
        return None
    states = open_npy(states_path).reshape(-1)
    _check_length(states, times_s, states_path)
    with np.errstate(invalid="ignore", over="ignore"):
        lines = states.astype(np.int64) if states.dtype.kind in "iuf" else np.empty(0, np.int64)
    if not np.array_equal(lines, states):
        msg = f"{states_path} holds {states.dtype}; numbers of lines are expected."
        raise DataError(msg)
    return _pulses_of_lines(times_s, lines)


def _check_length(values: NDArray[Any], times_s: NDArray[np.float64], path: Path) -> None:
    if values.size != times_s.size:
        msg = f"{path} has {values.size} values for {times_s.size} times."
        raise DataError(msg)


def _pulses_of_lines(times_s: NDArray[np.float64], states: NDArray[np.int64]) -> NDArray[Any]:
    begins, lasts, labels = [], [], []
    for line in np.unique(np.abs(states)).tolist():
        edges = np.flatnonzero(np.abs(states) == line)
        first, last = pulses(edges, states[edges] > 0)
        begins.append(times_s[first])
        lasts.append(np.where(last >= 0, times_s[last] - times_s[first], np.nan))
        labels.append(np.full(first.size, str(line)))
    empty = np.zeros(0)
    return described_events(
        np.concatenate([empty, *begins]),
        np.concatenate([empty, *lasts]),
        np.concatenate([np.zeros(0, np.str_), *labels]),
    )


READERS = (
    Reader(
        name="openephys",
        kind="event",
        recognise=RECORDING_READERS[0].recognise,
        read=read_openephys_event,
        function="read_openephys_event",
        description="TTL pulses and messages of Open Ephys, binary format",
    ),
)
"""Readers of this module."""
