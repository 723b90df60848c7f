"""Folders that Open Ephys writes in its binary format: nodes, experiments, recordings, streams."""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spikeloom.errors import DataError, MissingFileError, ParameterError
from spikeloom.extractors.json_files import count_in, number_in, read_json_object
from spikeloom.storage.stores import NAME_BYTES_MAX

STRUCTURE = "structure.oebin"

SYNC = "SYNC"

_N_FOLDERS_MAX = 100_000


@dataclass(frozen=True)
class OebinStream:
    """A stream as one ``structure.oebin`` file tells of it.

    Parameters
    ----------
    folder : Path
        The folder with ``continuous.dat``.
    name : str
        Name of its folder, with that of the node before it.
    sampling_frequency : float
        In Hz.
    channel_names : list of str
        Of all channels in the file.
    channels : list of dict
        What is told of them besides.
    told_by : Path
        The file that tells it.
    """

    folder: Path
    name: str
    sampling_frequency: float
    channel_names: list[str]
    channels: list[dict[str, Any]]
    told_by: Path

    @cached_property
    def units(self) -> list[str]:
        """Units of the channels: volts of analogue inputs, microvolts of others, if not told."""
        return [
            str(one.get("units") or ("V" if "ADC" in name else "uV"))
            for one, name in zip(self.channels, self.channel_names, strict=True)
        ]

    @cached_property
    def gains(self) -> list[float]:
        """Units per step; raises DataError if they are no numbers."""
        return [number_in(one, "bit_volts", self.told_by, low=-1e30) for one in self.channels]


@dataclass(frozen=True)
class OebinRecording:
    """A folder with ``structure.oebin``.

    Parameters
    ----------
    folder : Path
        The folder.
    node : str
        Name of the record node, empty before version 0.5.
    experiment, number : int
        Of the experiment, and of the recording in it.
    """

    folder: Path
    node: str
    experiment: int
    number: int

    @property
    def settings_path(self) -> Path:
        """The settings of the experiment."""
        name = "settings.xml" if self.experiment == 1 else f"settings_{self.experiment}.xml"
        return self.folder.parents[1] / name


@dataclass(frozen=True)
class StreamChoice:
    """A stream that can be chosen: some of the channels of a file.

    Parameters
    ----------
    id, name : str
        What to choose it by.
    source : str
        Name of the stream of the file.
    columns : list of int
        Channels of the file.
    """

    id: str
    name: str
    source: str
    columns: list[int]


def find_recordings(folder: Path) -> list[OebinRecording]:
    """Return what was recorded in a folder and below it, in order.

    Raises
    ------
    MissingFileError
        If there is no ``structure.oebin``.
    DataError
        If there are too many folders.
    """
    found = []
    n_folders = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in {"continuous", "events"})
        n_folders += len(folders)
        if n_folders > _N_FOLDERS_MAX:
            msg = f"{folder} holds more than {_N_FOLDERS_MAX} folders: give that of one session."
            raise DataError(msg)
        if STRUCTURE in names:
            path = Path(root)
            node = path.parents[1].name if len(path.parents) > 1 else ""
            found.append(
                OebinRecording(
                    path,
                    node if node.startswith("Record") else "",
                    _number(path.parent.name),
                    _number(path.name),
                )
            )
    if not found:
        msg = f"{folder} holds no {STRUCTURE}, which the binary format of Open Ephys has."
        raise MissingFileError(2, msg)
    return sorted(found, key=lambda one: (one.experiment, one.number, one.node))


def chosen_experiment(
    recordings: list[OebinRecording],
    folder: Path,
    *,
    experiment_name: str | None,
    block_index: int | None,
) -> list[OebinRecording]:
    """Return the recordings of one experiment.

    Raises
    ------
    ParameterError
        If there are several experiments and none was chosen, or no such one.
    """
    numbers = sorted({one.experiment for one in recordings})
    names = [f"experiment{number}" for number in numbers]
    if experiment_name is not None and block_index is not None:
        msg = "Give experiment_name or block_index, not both."
        raise ParameterError(msg)
    if experiment_name is not None:
        if experiment_name not in names:
            msg = f"{folder} has no {experiment_name!r}. There are {', '.join(names)}."
            raise ParameterError(msg)
        number = numbers[names.index(experiment_name)]
    elif block_index is not None:
        if not 0 <= block_index < len(numbers):
            msg = f"block_index must be 0 to {len(numbers) - 1}; got {block_index}."
            raise ParameterError(msg)
        number = numbers[block_index]
    elif len(numbers) > 1:
        msg = f"{folder} has several experiments: choose experiment_name={' or '.join(names)}."
        raise ParameterError(msg)
    else:
        number = numbers[0]
    return [one for one in recordings if one.experiment == number]


def read_streams(recording: OebinRecording) -> dict[str, OebinStream]:
    """Return the streams of a recording by name, those whose folder is there.

    Raises
    ------
    DataError, ReadError
        If ``structure.oebin`` cannot be read or makes no sense.
    """
    path = recording.folder / STRUCTURE
    listed = read_json_object(path).get("continuous", [])
    if not isinstance(listed, list):
        msg = f"{path}: continuous must be a list; got {type(listed).__name__}."
        raise DataError(msg)
    found = {}
    for info in listed:
        if not isinstance(info, dict):
            msg = f"{path}: continuous lists {type(info).__name__} where streams are expected."
            raise DataError(msg)
        stream = _stream(info, recording, path)
        if (stream.folder / "continuous.dat").is_file():
            found[stream.name] = stream
    return found


def stream_choices(streams: dict[str, OebinStream]) -> list[StreamChoice]:
    """Return what can be chosen: traces of each stream, its analogue inputs, its sync words."""
    names = sorted(streams)
    traces, inputs, syncs = [], [], []
    for k, name in enumerate(names):
        labels = streams[name].channel_names
        is_sync = [SYNC in label for label in labels]
        # OneBoxes have their inputs in a stream of their own.
        is_input = ["ADC" in label and "OneBox" not in name for label in labels]
        groups: dict[str, list[int]] = {"traces": [], "inputs": [], "sync": []}
        for c in range(len(labels)):
            groups["sync" if is_sync[c] else "inputs" if is_input[c] else "traces"].append(c)
        if groups["traces"]:
            traces.append(StreamChoice(str(k), name, name, groups["traces"]))
        if groups["inputs"]:
            id_ = str(k + len(names))
            inputs.append(StreamChoice(id_, f"{name}_ADC", name, groups["inputs"]))
        if groups["sync"]:
            syncs.append(StreamChoice(name + SYNC, name + SYNC, name, groups["sync"]))
    return [*traces, *inputs, *syncs]


def _number(name: str) -> int:
    found = re.search(r"\d{1,9}$", name)
    return int(found.group()) if found else 1


def _stream(info: dict[str, Any], recording: OebinRecording, path: Path) -> OebinStream:
    folder_name = str(info.get("folder_name", "")).strip("/\\")
    is_name = folder_name and not any(part in folder_name for part in ("..", "/", "\\", "\0"))
    if not is_name or len(folder_name.encode()) > NAME_BYTES_MAX:
        msg = f"{path}: folder_name {folder_name!r:.100} is no name of a folder beside it."
        raise DataError(msg)
    channels = info.get("channels")
    if (
        not isinstance(channels, list)
        or not channels
        or not all(isinstance(one, dict) for one in channels)
    ):
        msg = f"{path}: the stream {folder_name} lists no channels."
        raise DataError(msg)
    if "num_channels" in info and count_in(info, "num_channels", path) != len(channels):
        msg = (
            f"{path}: the stream {folder_name} has num_channels {info['num_channels']}, and lists "
            f"{len(channels)} channels."
        )
        raise DataError(msg)
    names = [str(one.get("channel_name", f"CH{k}")) for k, one in enumerate(channels)]
    return OebinStream(
        recording.folder / "continuous" / folder_name,
        f"{recording.node}#{folder_name}" if recording.node else folder_name,
        number_in(info, "sample_rate", path),
        names,
        channels,
        path,
    )
