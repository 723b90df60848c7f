"""Small files of patch-clamp programs: Axon ABF 2, AxoGraph, WinEDR and WinWCP."""

import struct

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 10_000.0
_BLOCK_SIZE = 512

_SECTIONS = (
    *("Protocol", "ADC", "DAC", "Epoch", "ADCPerDAC", "EpochPerDAC", "UserList", "StatsRegion"),
    *("Math", "Strings", "Data", "Tag", "Scope", "Delta", "VoiceTag", "SynchArray", "Annotation"),
    "Stats",
)


def make_axon(folder, *, n_sweeps=2):
    """Write an ABF 2 file with two channels of 16 bits, a sweep a segment."""
    folder.mkdir(parents=True, exist_ok=True)
    sweeps = tuple(random_traces(300, 2, seed=k) for k in range(n_sweeps))
    interval_us = 1e6 / RATE
    protocol = bytearray(512)
    struct.pack_into("<hf", protocol, 0, 5, interval_us)
    struct.pack_into("<f", protocol, 14, 1.0)  # unit of the times of sweeps, microseconds
    struct.pack_into("<f", protocol, 110, 10.0)  # range of the converter in V
    struct.pack_into("<i", protocol, 118, 32_768)
    # Texts begin with the name of the program; channels and units follow, counted from 1.
    texts = b"\0\0" + b"\0".join([b"Clampex", b"left", b"mV", b"right", b"mV", b""])
    strings = (b"SSCH" + struct.pack("<5I", 1, 6, 8, len(texts), 0)).ljust(44, b"\0") + texts
    inputs = b""
    for k in range(2):
        one = bytearray(128)
        struct.pack_into("<h", one, 0, k)
        struct.pack_into("<f", one, 28, 1.0)  # programmable gain
        struct.pack_into("<f", one, 40, 0.01)  # instrument: V per mV
        struct.pack_into("<f", one, 48, 1.0)  # signal gain
        struct.pack_into("<ii", one, 74, 2 + 2 * k, 3 + 2 * k)
        inputs += bytes(one)
    data = b"".join(sweep.tobytes() for sweep in sweeps)
    starts_us = [1_000_000 * k for k in range(n_sweeps)]
    table = b"".join(struct.pack("<ii", start, 600) for start in starts_us)
    tag = struct.pack("<i56shh", 5_000, b"drug", 1, 0)
    parts = {
        "Protocol": (protocol, 512, 1), "ADC": (inputs, 128, 2),
        "Strings": (strings, len(strings), 6), "Data": (data, 2, len(data) // 2),
        "Tag": (tag, 64, 1),
        "SynchArray": (table, 8, n_sweeps),
    }  # fmt: skip
    head = bytearray(_BLOCK_SIZE)
    struct.pack_into("<4s4BII", head, 0, b"ABF2", 0, 0, 0, 2, 512, n_sweeps)
    struct.pack_into("<II", head, 16, 20_200_102, 3_600_000)
    body, block = b"", 1
    for k, name in enumerate(_SECTIONS):
        if name in parts:
            content, size, count = parts[name]
            struct.pack_into("<IIq", head, 76 + 16 * k, block, size, count)
            padded = bytes(content).ljust(-(-len(content) // _BLOCK_SIZE) * _BLOCK_SIZE, b"\0")
            body += padded
            block += len(padded) // _BLOCK_SIZE
    (folder / "x.abf").write_bytes(bytes(head) + body)
    return NeoSample(
        path=folder / "x.abf",
        segments=sweeps,
        ids=("0", "1"),
        names=("left", "right"),
        rate=RATE,
        gain_uV=1e3 * 10 / 32_768 / 0.01,
        t_starts=tuple(start / 1e6 for start in starts_us),
        streams=(("Signals", "0"),),
    )


def make_axograph(folder):
    """Write an AxoGraph X file (version 6) with times and two columns of scaled integers."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(400, 2)

    def text(value):
        encoded = value.encode("utf-16-be")
        return struct.pack(">l", len(encoded)) + encoded

    content = b"axgx" + struct.pack(">ll", 6, 3)
    content += struct.pack(">ll", 400, 9) + text("Time (s)") + struct.pack(">dd", 0.0, 1 / RATE)
    for k, name in enumerate(("left (mV)", "right (mV)")):
        content += struct.pack(">ll", 400, 10) + text(name) + struct.pack(">dd", 0.01, 0.0)
        content += traces[:, k].astype(">i2").tobytes()
    content += text("comment") + text("")
    (folder / "x.axgx").write_bytes(content)
    return NeoSample(
        path=folder / "x.axgx",
        segments=(traces,),
        ids=("1", "2"),
        names=("left", "right"),
        rate=RATE,
        gain_uV=10.0,
        streams=(("Signals", "0"),),
    )


def make_winedr(folder):
    """Write a file of WinEDR with two channels."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(500, 2)
    lines = [
        *("VER=6.4", "CTIME=21/11/2020 12:00:00", "NC=2", f"NP={traces.size}", "NBH=2048"),
        *("ADCMAX=32767", f"DT={1 / RATE}", "AD=10"),
    ]
    for k, name in enumerate(("Vm", "Im")):
        lines += [f"YN{k}={name}", f"YU{k}=mV", f"YCF{k}=0.01", f"YAG{k}=1"]
        lines += [f"YZ{k}=0", f"YO{k}={k}"]
    head = "\r\n".join([*lines, ""]).encode().ljust(2048, b"\0")
    (folder / "x.edr").write_bytes(head + traces.tobytes())
    return NeoSample(
        path=folder / "x.edr",
        segments=(traces,),
        ids=("0", "1"),
        names=("Vm", "Im"),
        rate=RATE,
        gain_uV=1e3 * 10 / (0.01 * 32_768),
        streams=(("stream 0", "0"),),
    )


def make_winwcp(folder):
    """Write a file of WinWCP with two records of two channels."""
    folder.mkdir(parents=True, exist_ok=True)
    records = tuple(random_traces(256, 2, seed=k) for k in range(2))
    n_sectors = records[0].nbytes // 512
    lines = [
        *("VER=9", "RTIME=21/11/2020 12:00:00", "NC=2", "NR=2", "NBH=2", "NBA=2"),
        *(f"NBD={n_sectors}", "ADCMAX=32767", "NP=256", f"DT={1 / RATE}", "AD=10"),
    ]
    for k, name in enumerate(("Vm", "Im")):
        lines += [f"YN{k}={name}", f"YU{k}=mV", f"YG{k}=0.01", f"YO{k}={k}"]
    content = "\r\n".join([*lines, ""]).encode().ljust(1024, b"\0")
    for record in records:
        analysis = struct.pack("<8s4s3f8f", b"ACCEPTED", b"TEST", 1, 0, 1 / RATE, *([10.0] * 8))
        content += analysis.ljust(1024, b"\0") + record.tobytes()
    (folder / "x.wcp").write_bytes(content)
    return NeoSample(
        path=folder / "x.wcp",
        segments=records,
        ids=("0", "1"),
        names=("Vm", "Im"),
        rate=RATE,
        gain_uV=1e3 * 10 / 32_767 / 0.01,
        t_starts=(0.0, 0.0),
        streams=(("stream 0", "0"),),
    )
