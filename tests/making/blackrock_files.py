"""Small files as Blackrock's Central writes them: .ns1 to .ns6 of four versions, and .nev."""

import struct
from dataclasses import replace

import numpy as np

from making.neo_sample import NeoSample, packed
from making.recording_files import random_traces

TICKS_PER_S = 30_000

_BASIC = np.dtype([
    *[("file_id", "S8"), ("major", "u1"), ("minor", "u1"), ("bytes_in_headers", "<u4")],
    *[("label", "S16"), ("comment", "S256"), ("period", "<u4"), ("resolution", "<u4")],
    *[("date", "<u2", 8), ("n_channels", "<u4")],
])

_CHANNEL = np.dtype([
    *[("type", "S2"), ("electrode", "<u2"), ("label", "S16"), ("connector", "u1"), ("pin", "u1")],
    *[("min_digital", "<i2"), ("max_digital", "<i2"), ("min_analog", "<i2")],
    *[("max_analog", "<i2"), ("units", "S16"), ("filters", "V20")],
])

_NEV = np.dtype([
    *[("file_id", "S8"), ("major", "u1"), ("minor", "u1"), ("flags", "<u2")],
    *[("bytes_in_headers", "<u4"), ("bytes_in_packets", "<u4"), ("resolution", "<u4")],
    *[("waveform_resolution", "<u4"), ("date", "<u2", 8), ("application", "S32")],
    *[("comment", "S256"), ("n_extended", "<u4")],
])

_DATE = (2020, 11, 6, 21, 12, 0, 0, 0)


def write_nsx(path, pieces, starts, *, version=(2, 3), period=30, resolution=TICKS_PER_S):
    """Write traces: an array for each uninterrupted piece, and the tick at which it begins."""
    n_channels = pieces[0].shape[1]
    n_bytes = _BASIC.itemsize + n_channels * _CHANNEL.itemsize
    if version == (2, 1):
        content = packed(
            np.dtype([("file_id", "S8"), ("label", "S16"), ("period", "<u4"), ("n", "<u4")]),
            file_id=b"NEURALSG", label=b"1 kS/s", period=period, n=n_channels,
        )  # fmt: skip
        content += np.arange(1, n_channels + 1, dtype="<u4").tobytes()
        path.write_bytes(content + pieces[0].tobytes())
        return
    content = packed(
        _BASIC, file_id=b"NEURALCD" if version[0] == 2 else b"BRSMPGRP", major=version[0],
        minor=version[1], bytes_in_headers=n_bytes, label=b"1 kS/s", period=period,
        resolution=resolution, date=_DATE, n_channels=n_channels,
    )  # fmt: skip
    for k in range(n_channels):
        content += packed(
            _CHANNEL, type=b"CC", electrode=k + 1, label=b"elec%d" % (k + 1), min_digital=-32764,
            max_digital=32764, min_analog=-8191, max_analog=8191, units=b"uV",
        )  # fmt: skip
    stamp = "I" if version[0] == 2 else "Q"
    for piece, start in zip(pieces, starts, strict=True):
        if resolution == TICKS_PER_S:
            content += struct.pack(f"<B{stamp}I", 1, start, len(piece)) + piece.tobytes()
            continue
        for k, row in enumerate(piece):
            time = start + round(k * period / TICKS_PER_S * resolution)
            content += struct.pack("<BQI", 1, time, 1) + row.tobytes()
    path.write_bytes(content)


def write_nev(path, spikes, digital, *, version=(2, 3), n_electrodes=2):
    """Write spikes as (tick, electrode, unit), and values of the digital port as (tick, value)."""
    packet_size = 8 + 2 * 48
    extended = b""
    for k in range(n_electrodes):
        extended += struct.pack("<8sHBBHHhhBB", b"NEUEVWAV", k + 1, 1, k + 1, 250, 0, 0, 0, 1, 2)
        extended += bytes(10)
        extended += struct.pack("<8sH16s6s", b"NEUEVLBL", k + 1, b"elec%d" % (k + 1), b"")
    n_extended = len(extended) // 32
    content = packed(
        _NEV, file_id=b"NEURALEV" if version[0] == 2 else b"BREVENTS", major=version[0],
        minor=version[1], flags=1, bytes_in_headers=_NEV.itemsize + 32 * n_extended,
        bytes_in_packets=packet_size + (4 if version[0] == 3 else 0), resolution=TICKS_PER_S,
        waveform_resolution=TICKS_PER_S, date=_DATE, application=b"x", n_extended=n_extended,
    )  # fmt: skip
    stamp = "I" if version[0] == 2 else "Q"
    packets = [
        (tick, struct.pack(f"<{stamp}HBB", tick, electrode, unit, 0) + bytes(96))
        for tick, electrode, unit in spikes
    ]
    packets += [
        (tick, (struct.pack(f"<{stamp}HBBH", tick, 0, 1, 0, value)).ljust(
            packet_size + (4 if version[0] == 3 else 0), b"\0"))
        for tick, value in digital
    ]  # fmt: skip
    packets.sort(key=lambda one: one[0])
    path.write_bytes(content + extended + b"".join(packet for _, packet in packets))


def make_blackrock_session(folder):
    """Write a .ns2 file and a .nev file."""
    sample = make_blackrock(folder)
    spikes = [(300, 1, 0), (600, 1, 1), (900, 2, 1), (1200, 2, 255)]
    write_nev(folder / "x.nev", spikes, [(450, 7), (750, 0)])
    return replace(sample, files=(folder / "x.ns2", folder / "x.nev"))


def make_blackrock(folder, *, version=(2, 3), starts=(0,), n_samples=(500,), period=30):
    """Write a .ns2 file of three channels; files of version 2.1 say neither names nor scales."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = tuple(random_traces(n, 3, seed=k) for k, n in enumerate(n_samples))
    write_nsx(folder / "x.ns2", pieces, starts, version=version, period=period)
    return NeoSample(
        path=folder / "x.ns2",
        # neo leaves out the last sample of files of version 2.1.
        segments=pieces if version > (2, 1) else (pieces[0][:-1],),
        ids=("1", "2", "3"),
        names=tuple(f"{'elec' if version > (2, 1) else 'chan'}{k}" for k in (1, 2, 3)),
        rate=TICKS_PER_S / period,
        gain_uV=8191 / 32_764 if version > (2, 1) else None,
        t_starts=tuple(start / TICKS_PER_S for start in starts),
        streams=(("nsx2", "2"),),
    )
