"""Recordings of Open Ephys, in its binary format; the legacy format is read with neo."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.core import times as clock
from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError
from spikeloom.extractors.array_segments import FlatColumnsSegment
from spikeloom.extractors.neuropixels import set_neuropixels_probe
from spikeloom.extractors.openephys_folder import (
    STRUCTURE,
    OebinRecording,
    OebinStream,
    StreamChoice,
    chosen_experiment,
    find_recordings,
    read_streams,
    stream_choices,
)
from spikeloom.extractors.peeking import Peek
from spikeloom.extractors.physical_units import set_physical_units
from spikeloom.extractors.reader_registry import Certainty, Reader, Recognition, known, unknown
from spikeloom.extractors.streams import chosen_stream
from spikeloom.storage.arrays import open_npy

_TO_UV = {"uV": 1.0, "µV": 1.0, "mV": 1e3, "V": 1e6}


@stored_as("spikeinterface.extractors.neoextractors.openephys.OpenEphysBinaryRecordingExtractor")
class OpenEphysBinaryRecordingExtractor(BaseRecording):
    """A stream of an experiment that Open Ephys recorded in its binary format.

    Parameters
    ----------
    folder_path : str or Path
        The folder of the session, or of a record node, experiment or recording in it.
    experiment_name : str, optional
        Which experiment (``"experiment2"``), if there are several.
    stream_id, stream_name : str, optional
        Which stream, such as ``"Record Node 104#Neuropix-PXI-100.ProbeA-AP"``. With ``_ADC`` behind
        it, the analogue inputs that were saved with it; with ``SYNC``, the sync words. Not needed
        if there is one that is neither.
    block_index : int, optional
        Position of the experiment, instead of its name.
    load_sync_timestamps : bool, default False
        Take the time of each sample from the synchronised timestamps, where there are such.
    all_annotations : bool, default False
        Annotate the recording with the version of the program and where traces came from.

    Raises
    ------
    MissingFileError, ReadError
        If files are absent or cannot be read.
    DataError
        If ``structure.oebin`` makes no sense, or recordings of the experiment differ.
    ParameterError
        If there are several experiments or streams and none was chosen, or no such one.

    Notes
    -----
    Recordings of the experiment are segments, each beginning at the time of its first sample.
    """

    def __init__(
        self,
        folder_path: str | Path,
        experiment_name: str | None = None,
        stream_id: str | None = None,
        stream_name: str | None = None,
        block_index: int | None = None,
        load_sync_timestamps: bool = False,
        all_annotations: bool = False,
    ) -> None:
        folder = Path(folder_path).absolute()
        recordings = chosen_experiment(
            find_recordings(folder),
            folder,
            experiment_name=experiment_name,
            block_index=block_index,
        )
        read = [(one, read_streams(one)) for one in recordings]
        choices = stream_choices({
            name: one for _, streams in read for name, one in streams.items()
        })
        plain = [k for k, choice in enumerate(choices) if choice.name == choice.source]
        k = chosen_stream(
            [choice.id for choice in choices],
            [choice.name for choice in choices],
            stream_id=stream_id,
            stream_name=stream_name,
            where=folder,
            default=plain[0] if len(plain) == 1 else None,
        )
        choice = choices[k]
        self.stream_id, self.stream_name = choice.id, choice.name
        found = [(one, streams[choice.source]) for one, streams in read if choice.source in streams]
        first = found[0][1]
        ids = [first.channel_names[c] for c in choice.columns]
        super().__init__(first.sampling_frequency, ids, np.dtype("<i2"))
        self.set_property("channel_name", ids)
        for _, stream in found:
            self.add_recording_segment(
                _segment(stream, first, choice, is_synchronised=load_sync_timestamps)
            )
        self._set_scale(first, choice)
        self.annotate(experiment_name=f"experiment{recordings[0].experiment}")
        if all_annotations:
            self.annotate(stream_name=choice.name, folder=str(first.folder))
        if choice.name == choice.source:
            _set_probe(self, found[0][0], choice.source)
        self._kwargs = {
            "folder_path": str(folder),
            "experiment_name": self.get_annotation("experiment_name"),
            "stream_id": self.stream_id,
            "load_sync_timestamps": load_sync_timestamps,
            "all_annotations": all_annotations,
        }

    def _set_scale(self, stream: OebinStream, choice: StreamChoice) -> None:
        units = [stream.units[c] for c in choice.columns]
        gains = np.array([stream.gains[c] for c in choice.columns])
        if all(unit in _TO_UV for unit in units):
            self.set_channel_gains(gains * [_TO_UV[unit] for unit in units])
            self.set_channel_offsets(0.0)
        set_physical_units(self, units, gains)

    @classmethod
    def _handle_kwargs_backward_compatibility(
        cls,
        old_kwargs: dict[str, Any],
        full_dict: Any,  # noqa: ARG003 - a protocol
    ) -> dict[str, Any]:
        return {k: v for k, v in old_kwargs.items() if k != "load_sync_channel"}

    @staticmethod
    def get_available_experiments(folder_path: str | Path) -> list[str]:
        """Return the names of the experiments in a folder."""
        found = find_recordings(Path(folder_path).absolute())
        return [f"experiment{number}" for number in sorted({one.experiment for one in found})]

    @staticmethod
    def get_streams(
        folder_path: str | Path, experiment_name: str | None = None
    ) -> tuple[list[str], list[str]]:
        """Return the names and the ids of the streams of an experiment, by default the first."""
        folder = Path(folder_path).absolute()
        found = find_recordings(folder)
        name = experiment_name or f"experiment{min(one.experiment for one in found)}"
        recordings = chosen_experiment(found, folder, experiment_name=name, block_index=None)
        streams = {k: v for one in recordings for k, v in read_streams(one).items()}
        choices = stream_choices(streams)
        return [choice.name for choice in choices], [choice.id for choice in choices]


def read_openephys(folder_path: str | Path, **kwargs: Any) -> BaseRecording:
    """Open a stream of Open Ephys, in the binary or the legacy format.

    Parameters
    ----------
    folder_path : str or Path
        A folder with ``structure.oebin`` in it or below, or with ``.continuous`` files.
    **kwargs
        See `OpenEphysBinaryRecordingExtractor`; for the legacy format ``stream_id``,
        ``stream_name``, ``block_index``, ``all_annotations`` and ``use_names_as_ids``.

    Returns
    -------
    BaseRecording
        The recording.

    Raises
    ------
    MissingFileError
        If there is neither.
    """
    folder = Path(folder_path)
    if _has_legacy_files(Peek(folder)):
        from spikeloom.extractors.neo_readers import read_neo  # noqa: PLC0415 - imports neo

        return read_neo(folder, "openephys_legacy", **kwargs)
    return OpenEphysBinaryRecordingExtractor(folder, **kwargs)


def _segment(
    stream: OebinStream, first: OebinStream, choice: StreamChoice, *, is_synchronised: bool
) -> FlatColumnsSegment:
    if stream.channel_names != first.channel_names or (
        stream.sampling_frequency != first.sampling_frequency
    ):
        msg = (
            f"{first.folder} and {stream.folder} differ in channels or sampling frequency, so they "
            "are no segments of one recording: give the folder of one."
        )
        raise DataError(msg)
    # Before version 0.6, timestamps.npy had what sample_numbers.npy has now.
    numbers_path = stream.folder / "sample_numbers.npy"
    is_new = numbers_path.is_file()
    if not is_new:
        numbers_path = stream.folder / "timestamps.npy"
    numbers = open_npy(numbers_path) if numbers_path.is_file() else np.zeros(0, np.int64)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        msg = f"{numbers_path} holds {numbers.dtype} of {numbers.shape}, not numbers of samples."
        raise DataError(msg)
    segment = FlatColumnsSegment(
        stream.folder / "continuous.dat",
        stream.sampling_frequency,
        float(numbers[0]) / stream.sampling_frequency if numbers.size else 0.0,
        n_columns=len(stream.channel_names),
        columns=choice.columns,
    )
    if is_synchronised:
        times_path = stream.folder / ("timestamps.npy" if is_new else "synchronized_timestamps.npy")
        vector = open_npy(times_path)
        if vector.shape == (segment.get_num_samples(),):
            segment.times = clock.given_times(vector, segment.get_num_samples())
        else:
            warnings.warn(
                f"{times_path} has {vector.shape[0]} times for {segment.get_num_samples()} "
                "samples, so times count regularly from the first.",
                stacklevel=4,
            )
    return segment


def _set_probe(recording: BaseRecording, folder: OebinRecording, stream: str) -> None:
    settings = folder.settings_path
    if "NI-DAQmx" in stream or not settings.is_file():
        return
    import probeinterface  # noqa: PLC0415 - takes a while to import

    name = stream.partition("#")[2] or stream
    try:
        if not probeinterface.has_neuropixels_probes(settings, stream_name=name):
            return
        probe = probeinterface.read_openephys_neuropixels(settings, stream_name=name)
    except Exception as error:  # noqa: BLE001 - it trusts what it reads, and raises anything
        reason = f"probeinterface cannot read {settings}: {error!r}"
    else:
        if probe.get_contact_count() == recording.get_num_channels():
            set_neuropixels_probe(recording, probe, name)
            return
        reason = (
            f"{settings} describes {probe.get_contact_count()} contacts of "
            f"{recording.get_num_channels()} channels"
        )
    warnings.warn(
        f"The recording is opened without a probe: {reason}. Set one with set_probe(...).",
        stacklevel=4,
    )


def _has_legacy_files(peek: Peek) -> bool:
    return peek.has("*.continuous")


def _recognise(peek: Peek) -> Recognition:
    if not peek.is_folder:
        return unknown("it is no folder")
    if STRUCTURE in peek.names:
        return known(Certainty.CONTENT, f"it has {STRUCTURE}")
    if _has_legacy_files(peek):
        return known(Certainty.CONTENT, "it has .continuous files")
    for pattern in ("Record Node *", "experiment*", "recording*"):
        for inner in peek.matching(pattern)[:16]:
            if _leads_to_structure(inner, 3):
                return known(Certainty.LAYOUT, f"{inner.name} in it has {STRUCTURE}")
    return unknown(f"it has no {STRUCTURE}, nor record nodes or experiments that have")


def _leads_to_structure(folder: Path, depth: int) -> bool:
    inner = Peek(folder)
    if STRUCTURE in inner.names:
        return True
    return depth > 0 and any(
        _leads_to_structure(folder / name, depth - 1)
        for name in inner.names[:16]
        if name.startswith(("experiment", "recording"))
    )


READERS = (
    Reader(
        name="openephys",
        kind="recording",
        recognise=_recognise,
        read=read_openephys,
        function="read_openephys",
        extensions=(".oebin", ".continuous"),
        description="Open Ephys, binary and legacy",
    ),
)
"""Readers of this module."""
