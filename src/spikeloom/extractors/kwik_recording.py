"""Recordings of Kwik datasets: ``.raw.kwd`` files, or whatever a ``.kwik`` file refers to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikeloom.core.class_names import stored_as
from spikeloom.core.recording import BaseRecording
from spikeloom.errors import DataError, MissingFileError
from spikeloom.extractors.array_segments import ArraySegment
from spikeloom.extractors.hdf5_files import open_hdf5
from spikeloom.extractors.kwik_contents import KwikFile
from spikeloom.extractors.kwik_file import read_kwik_file, read_recordings
from spikeloom.extractors.kwik_probe import probe_of_groups
from spikeloom.extractors.kwik_traces import (
    RAW_SUFFIX,
    RecordingTraces,
    Traces,
    find_traces,
    open_kwd_data,
    read_gains_uV,
)


@stored_as("spikeloom.KwikRecordingExtractor")
class KwikRecordingExtractor(BaseRecording):
    """The raw data of a Kwik dataset, a segment for each of its recordings.

    Parameters
    ----------
    file_path : str or Path
        A ``.raw.kwd`` (or other ``.kwd``) file, or a ``.kwik`` file, whose raw data are looked for
        where it says and beside it.

    Raises
    ------
    MissingFileError
        If the file is absent, or the raw data that it refers to.
    ReadError, DataError
        If a file is damaged, or contradicts another.

    Notes
    -----
    Channel ids are the columns of the raw data. A ``.kwik`` file (for a ``.raw.kwd`` file, the one
    beside it) tells names and positions, which become the property ``channel_name`` and a probe;
    its channel groups are the shanks of the probe. Gains are known of files of Open Ephys.
    """

    def __init__(self, file_path: str | Path) -> None:
        path = Path(file_path).absolute()
        kwik, found, rate = _look_into(path)
        traces: list[Any] = [_traces_of(each) for each in found]
        shapes = {(each.shape[1], each.dtype) for each in traces}
        if len(shapes) != 1:
            kinds = " and ".join(f"{n} channels of {dtype}" for n, dtype in shapes)
            msg = f"The recordings of {path} have {kinds}; all must have the same channels."
            raise DataError(msg)
        ((n_channels, dtype),) = shapes
        super().__init__(rate, np.arange(n_channels), dtype)
        for each, one in zip(found, traces, strict=True):
            start_s = each.recording.start_time_s or None
            self.add_recording_segment(ArraySegment(one, self.sampling_frequency, start_s))
        self._describe_channels(found, kwik)
        self._kwargs = {"file_path": str(path)}

    def _describe_channels(self, found: Sequence[RecordingTraces], kwik: KwikFile | None) -> None:
        source, n_channels = found[0].source, self.get_num_channels()
        if source is not None and source.suffix == ".kwd":
            gains = read_gains_uV(source, found[0].recording.index)
            if gains is not None and gains.size == n_channels:
                self.set_channel_gains(gains)
                self.set_channel_offsets(0.0)
        if kwik is None:
            return
        groups = list(kwik.channel_groups.values())
        known = {c for group in groups for c in group.channels}
        if not known or max(known) >= n_channels:
            return
        names = {c: name for group in groups for c, name in group.channel_names.items()}
        self.set_property("channel_name", [names.get(c, str(c)) for c in range(n_channels)])
        kept = [c for group in groups for c in group.channel_order]
        if len(set(kept)) == len(kept) == n_channels:
            self.set_probe(probe_of_groups(groups), in_place=True, group_mode="by_shank")


def read_kwik_recording(file_path: str | Path) -> KwikRecordingExtractor:
    """Open the raw data of a Kwik dataset; see `KwikRecordingExtractor`."""
    return KwikRecordingExtractor(file_path)


def _look_into(path: Path) -> tuple[KwikFile | None, list[RecordingTraces], float]:
    """Return what is beside the raw data, the raw data, and the sampling frequency."""
    if path.suffix == ".kwik":
        kwik = read_kwik_file(path)
        return kwik, find_traces(kwik), kwik.sampling_frequency
    with open_hdf5(path) as file:
        recordings = read_recordings(file)
    rates = [each.sampling_frequency for each in recordings if each.sampling_frequency]
    beside = path.with_name(path.name.removesuffix(RAW_SUFFIX) + ".kwik")
    described = read_kwik_file(beside) if beside.is_file() else None
    if not rates and described is not None:
        rates = [described.sampling_frequency]
    if not rates or not recordings:
        msg = (
            f"{path} has {len(recordings)} recordings, with the sampling frequencies {rates}: one "
            "group recordings/0 with an attribute sample_rate is expected at least."
        )
        raise DataError(msg)
    found = [RecordingTraces(each, open_kwd_data(path, each.index), path) for each in recordings]
    return described, found, rates[0]


def _traces_of(found: RecordingTraces) -> Traces:
    if found.traces is None:
        raise MissingFileError(2, found.problem)
    return found.traces
