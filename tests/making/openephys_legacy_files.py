"""Small folders in the legacy format of Open Ephys: .continuous, .events and .spikes."""

import struct

import numpy as np

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 30_000
_RECORD_SIZE = 1024
_MARKER = bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 255])


def _header(description, channel, kind, bit_volts=0.195, more=""):
    text = (
        "header.format = 'Open Ephys Data Format';\nheader.version = 0.4;\n"
        f"header.header_bytes = 1024;\nheader.description = '{description}';\n"
        "header.date_created = '21-Nov-2020 120000';\n"
        f"header.channel = '{channel}';\nheader.channelType = '{kind}';\n"
        f"header.sampleRate = {RATE};\nheader.blockLength = 1024;\nheader.bufferSize = 1024;\n"
        f"header.bitVolts = {bit_volts};\n{more}"
    )
    return text.encode().ljust(1024)


def write_continuous(path, channel, traces, starts, bit_volts=0.195):
    """Write records of 1024 samples; `starts` is the sample at which each begins."""
    content = _header("x", channel, "Continuous", bit_volts)
    for k, start in enumerate(starts):
        content += struct.pack("<qHH", start, _RECORD_SIZE, 0)
        content += traces[k * _RECORD_SIZE : (k + 1) * _RECORD_SIZE].astype(">i2").tobytes()
        content += _MARKER
    path.write_bytes(content)


def write_openephys_legacy(folder, traces):
    """Write a ``.continuous`` file for each channel, of whole records of 1024 samples."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(traces), _RECORD_SIZE)
    for k in range(traces.shape[1]):
        path = folder / f"100_CH{k + 1}.continuous"
        write_continuous(path, f"CH{k + 1}", traces[:, k], starts)


def write_events(path, samples, channels):
    """Write TTL events (of type 3), which switch lines on."""
    content = _header("x", "Events", "Event")
    for sample, channel in zip(samples, channels, strict=True):
        content += struct.pack("<qhBBBBH", sample, 0, 3, 100, 1, channel, 0)
    path.write_bytes(content)


def write_spikes(path, samples, units, *, n_channels=4, n_samples=40):
    """Write spikes of an electrode."""
    content = _header("x", path.stem, "Electrode", more=f"header.num_channels = {n_channels};\n")
    for sample, unit in zip(samples, units, strict=True):
        content += struct.pack("<Bqq6H", 4, sample, 0, 0, n_channels, n_samples, unit, 0, 0)
        content += struct.pack("<3B2fH", 0, 0, 0, 0.0, 0.0, RATE)
        content += np.full(n_channels * n_samples, 32768, "<u2").tobytes()
        content += np.full(n_channels, 5000, "<f4").tobytes()
        content += bytes(2 * n_channels) + struct.pack("<H", 0)
    path.write_bytes(content)


def make_openephys_legacy(folder, *, gap=0, first=2048, n_records=5):
    """Write traces of three electrodes and an ADC channel; `gap` samples are lost in between."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(n_records * _RECORD_SIZE, 3)
    starts = [first + k * _RECORD_SIZE + (gap if k else 0) for k in range(n_records)]
    for k in range(3):
        name = f"CH{k + 1}"
        write_continuous(folder / f"100_{name}.continuous", name, traces[:, k], starts)
    write_continuous(folder / "100_ADC1.continuous", "ADC1", traces[:, 0], starts, 0.0001525)
    expected = np.zeros((len(traces) + gap, 3), "<i2")
    expected[:_RECORD_SIZE] = traces[:_RECORD_SIZE]
    expected[_RECORD_SIZE + gap :] = traces[_RECORD_SIZE:]
    return NeoSample(
        path=folder,
        segments=(expected,),
        ids=("1", "2", "3"),
        names=("CH1", "CH2", "CH3"),
        rate=RATE,
        gain_uV=0.195,
        t_starts=(first / RATE,),
        options={"stream_id": "CH"},
        streams=(("Signals CH", "CH"), ("Signals ADC", "ADC")),
        files=tuple(sorted(folder.glob("*.continuous"))),
    )
