"""What raw readers of neo get wrong, put right once their header is parsed.

Each function says what is wrong; tests compare what is read with what was written.
"""

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeloom.core.unit_conversion import SAMPLE_MAX

_LETTERS = "abcd"


def _take_channels(reader: Any, places: NDArray[np.int64]) -> None:
    """Let channels of a stream be what neo knows by these numbers."""
    read = reader._get_analogsignal_chunk

    def chunk(*args: Any) -> NDArray[Any]:
        *where, channels = args
        chunk: NDArray[Any] = read(*where, places if channels is None else places[channels])
        return chunk

    reader._get_analogsignal_chunk = chunk


def _mend_axona(reader: Any) -> None:
    """Take the channels of tetrodes that were recorded, rather than those after the first one."""
    header = reader.header["signal_channels"]
    if not len(header):
        return
    tetrodes = reader.get_active_tetrode()
    gains = reader._get_channel_gain()
    places = np.array([4 * (tetrode - 1) + k for tetrode in tetrodes for k in range(4)])
    header["id"] = places.astype(str)
    header["name"] = [f"{tetrode}{letter}" for tetrode in tetrodes for letter in _LETTERS]
    header["gain"] = [gains[place] for place in places]
    _take_channels(reader, places)


def _mend_intan(reader: Any) -> None:
    """Count slow channels as the files of one signal, or of one channel, hold them.

    There, Intan's software repeats each auxiliary and supply value for every sample of the
    amplifier; only within one file of all are they as slow as neo takes them to be.
    """
    if reader.file_format != "header-attached":
        rate = float(reader._global_info["sampling_rate"])
        reader.header["signal_channels"]["sampling_rate"] = rate


def _mend_maxwell(reader: Any) -> None:
    """Take the rows of the channels with electrodes; the older layout has others, too."""
    if reader._old_format:
        _take_channels(reader, reader.header["signal_channels"]["id"].astype(np.int64))


def _mend_plexon(reader: Any) -> None:
    """Find the samples of blocks that differ in size, and when they were taken.

    neo counts samples by the size of the wrong block, leaves out the last block at the end of
    traces, which an empty one behind it prevents, and lets traces begin at 0, whenever they do.
    """
    channels = reader.header["signal_channels"]
    rate = reader._global_ssampling_rate
    for channel, blocks in reader._data_blocks[5].items():
        counts = np.cumsum(blocks["size"]) // 2
        whole = np.append(blocks, np.zeros(1, blocks.dtype))
        whole["cumsum"][1:] = counts
        reader._data_blocks[5][channel] = whole
    starts_s, with_pauses = [], []
    for stream in reader.header["signal_streams"]:
        first = channels[channels["stream_id"] == stream["id"]][0]
        blocks = reader._data_blocks[5][int(first["id"])][:-1]
        samples = blocks["timestamp"] / rate * first["sampling_rate"]
        starts_s.append(float(blocks["timestamp"][0] / rate))
        if np.abs(samples - samples[0] - blocks["cumsum"]).max() > 1:
            with_pauses.append(str(stream["name"]))
    if with_pauses:
        told = ", ".join(with_pauses)
        msg = f"{reader.filename}: {told} paused; traces are joined, so later times are too early."
        warnings.warn(msg, UserWarning, stacklevel=2)
    reader._get_signal_t_start = lambda _block, _segment, stream: starts_s[stream]


def _mend_openephys(reader: Any) -> None:
    """Fill gaps, at whose borders neo leaves samples out; let spikes be found at all times.

    By default it takes limits in samples for seconds, and then finds no spikes.
    """
    if hasattr(reader, "_first_spk_timestamps"):
        n_segments = reader.header["nb_segment"][0]
        reader._first_spk_timestamps = [0.0] * n_segments
        reader._last_spk_timestamps = [SAMPLE_MAX / reader._spike_sampling_rate] * n_segments
    if not reader._gap_mode:
        return

    def chunk(
        _block: int, segment: int, start: int, stop: int, stream: int, channels: Any
    ) -> NDArray[np.int16]:
        header = reader.header["signal_channels"]
        of_stream = header["stream_id"] == reader.header["signal_streams"]["id"][stream]
        places = np.flatnonzero(of_stream)[slice(None) if channels is None else channels]
        traces = np.full((stop - start, len(places)), reader.fill_gap_value, np.int16)
        for k, place in enumerate(places):
            records = reader._sigs_memmap[segment][place]
            firsts = records["timestamp"] - reader._sig_timestamp0[segment]
            length = records["samples"].shape[1]
            from_, to = np.searchsorted(firsts, (start - length + 1, stop))
            for j in range(from_, to):
                first = int(firsts[j])
                piece = records["samples"][j][max(0, start - first) : stop - first]
                at = max(0, first - start)
                traces[at : at + len(piece), k] = piece
        return traces

    reader._get_analogsignal_chunk = chunk


MENDED: Mapping[str, Callable[[Any], None]] = MappingProxyType({
    "axona": _mend_axona,
    "intan": _mend_intan,
    "maxwell": _mend_maxwell,
    "openephys_legacy": _mend_openephys,
    "plexon": _mend_plexon,
})
"""What is to be done with the readers of each format that needs it."""
