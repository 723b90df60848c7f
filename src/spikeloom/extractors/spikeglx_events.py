"""Pulses on the sync channels and digital lines of SpikeGLX."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.class_names import stored_as
from spikeloom.errors import DataError, ParameterError
from spikeloom.extractors.listed_events import ListedEvents, described_events, pulses
from spikeloom.extractors.reader_registry import Reader
from spikeloom.extractors.spikeglx_folder import SYNC, find_spikeglx_files, stream_names
from spikeloom.extractors.spikeglx_recording import (
    READERS as RECORDING_READERS,
    SpikeGLXRecordingExtractor,
)

_N_SAMPLES = 1 << 20
"""Samples that are looked at in one go."""

_N_BITS = 16


@stored_as("spikeinterface.extractors.neoextractors.spikeglx.SpikeGLXEventExtractor")
class SpikeGLXEventExtractor(ListedEvents):
    """The pulses on the digital lines of SpikeGLX: a channel for each line that is ever on.

    Parameters
    ----------
    folder_path : str or Path
        The folder of a run, or a file.
    stream_name : str, optional
        A stream, such as ``"imec0.ap"``; all that have sync words by default.

    Raises
    ------
    MissingFileError, ReadError
        If there are no such files, or they are damaged.
    DataError
        If there are no sync words.
    ParameterError
        If there is no such stream.

    Notes
    -----
    Channels are called ``imec0.ap:6``, for the stream and the bit of its sync words (of the words
    that come after the first, bits count on from 16). The sync pulse of a probe is bit 6. An event
    is the time of a pulse in seconds, by the clock of the stream, and its duration: NaN where the
    recording ends before the pulse. A line that is on at the very beginning is a pulse from there.
    """

    def __init__(self, folder_path: str | Path, stream_name: str | None = None) -> None:
        path = Path(folder_path).absolute()
        pairs = find_spikeglx_files(path)
        streams = [name for name in stream_names(pairs) if name.endswith(SYNC)]
        if not streams:
            msg = f"{path} has no stream with sync words."
            raise DataError(msg)
        if stream_name is not None:
            wanted = stream_name.removesuffix(SYNC) + SYNC
            if wanted not in streams:
                listed = ", ".join(name.removesuffix(SYNC) for name in streams)
                msg = f"{path} has no sync words of {stream_name!r}. There are those of {listed}."
                raise ParameterError(msg)
            streams = [wanted]
        segments: list[dict[str, NDArray[Any]]] = []
        for stream in streams:
            recording = SpikeGLXRecordingExtractor(path, stream_name=stream)
            for k in range(recording.get_num_segments()):
                if len(segments) <= k:
                    segments.append({})
                segments[k].update(_read_segment(recording, k, stream.removesuffix(SYNC)))
        names = sorted({name for one in segments for name in one}, key=_order)
        empty = described_events(np.zeros(0), None, "")
        super().__init__([{name: one.get(name, empty) for name in names} for one in segments])
        self._kwargs = {"folder_path": str(path)}
        if stream_name is not None:
            self._kwargs["stream_name"] = stream_name


def read_spikeglx_event(
    folder_path: str | Path, stream_name: str | None = None, block_index: int | None = None
) -> SpikeGLXEventExtractor:
    """Read the pulses on the digital lines of SpikeGLX; see `SpikeGLXEventExtractor`.

    ``block_index`` is SpikeInterface's, and may be 0 only: a run is one block.
    """
    if block_index not in {None, 0}:
        msg = f"A run of SpikeGLX is one block: block_index may be 0; got {block_index}."
        raise ParameterError(msg)
    return SpikeGLXEventExtractor(folder_path, stream_name)


def _order(name: str) -> tuple[str, int]:
    stream, _, bit = name.rpartition(":")
    return stream, int(bit)


def _read_segment(
    recording: SpikeGLXRecordingExtractor, segment_index: int, stream: str
) -> dict[str, NDArray[Any]]:
    edges = _edges(recording, segment_index)
    found = {}
    for bit, (samples, is_on) in edges.items():
        begins, ends = pulses(samples, is_on)
        times_s = np.asarray(recording.sample_index_to_time(begins, segment_index), np.float64)
        lasts = np.full(begins.size, np.nan)
        closed = ends >= 0
        lasts[closed] = (
            np.asarray(recording.sample_index_to_time(ends[closed], segment_index))
            - times_s[closed]
        )
        name = f"{stream}:{bit}"
        found[name] = described_events(times_s, lasts, name)
    return found


def _edges(
    recording: SpikeGLXRecordingExtractor, segment_index: int
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Return where each line changes, and whether it is on from there, by number of the line."""
    n_samples = recording.get_num_samples(segment_index)
    before = np.zeros(recording.get_num_channels(), np.uint16)
    changes: dict[int, list[tuple[NDArray[np.int64], NDArray[np.bool_]]]] = {}
    for start in range(0, n_samples, _N_SAMPLES):
        words = recording.get_traces(segment_index, start, min(start + _N_SAMPLES, n_samples)).view(
            np.uint16
        )
        for column in range(words.shape[1]):
            word = words[:, column]
            changed = np.flatnonzero(np.diff(word, prepend=before[column]))
            previous = np.where(changed > 0, word[changed - 1], before[column])
            flipped = word[changed] ^ previous
            for bit in range(_N_BITS):
                rows = changed[(flipped >> bit) & 1 == 1]
                if rows.size:
                    is_on = (word[rows] >> bit) & 1 == 1
                    changes.setdefault(column * _N_BITS + bit, []).append((rows + start, is_on))
            before[column] = word[-1]
    return {
        bit: (
            np.concatenate([samples for samples, _ in parts]),
            np.concatenate([is_on for _, is_on in parts]),
        )
        for bit, parts in sorted(changes.items())
    }


READERS = (
    Reader(
        name="spikeglx",
        kind="event",
        recognise=RECORDING_READERS[0].recognise,
        read=read_spikeglx_event,
        function="read_spikeglx_event",
        description="sync words and digital lines of SpikeGLX",
    ),
)
"""Readers of this module."""
