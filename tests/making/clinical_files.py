"""Small files of clinical systems: EDF, BrainVision, Micromed and Elan."""

import struct

import numpy as np

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 1000.0


def make_edf(folder):
    """Write two seconds of three channels in records of one second."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(2000, 3)
    names = ("EEG A", "EEG B", "EEG C")
    fields = [("0", 8), ("X X X X", 80), ("Startdate 21-NOV-2020 X X X", 80), ("21.11.20", 8)]
    fields += [("12.00.00", 8), (str(256 * 4), 8), ("", 44), ("2", 8), ("1", 8), ("3", 4)]
    columns = (
        *((names, 16), (("",) * 3, 80), (("uV",) * 3, 8), (("-3276.8",) * 3, 8)),
        *((("3276.7",) * 3, 8), (("-32768",) * 3, 8), (("32767",) * 3, 8), (("",) * 3, 80)),
        *((("1000",) * 3, 8), (("",) * 3, 32)),
    )
    fields += [(value, width) for values, width in columns for value in values]
    head = "".join(value.ljust(width) for value, width in fields).encode()
    records = traces.reshape(2, 1000, 3).transpose(0, 2, 1)
    (folder / "x.edf").write_bytes(head + records.astype("<i2").tobytes())
    return NeoSample(
        path=folder / "x.edf",
        segments=(traces,),
        ids=("0", "1", "2"),
        names=names,
        rate=RATE,
        gain_uV=6553.5 / 65536,
        offset_uV=32768 * 6553.5 / 65536 - 3276.8,
        streams=(("stream ((1000.0,) Hz)", "0"),),
    )


def make_brainvision(folder, *, orientation="MULTIPLEXED"):
    """Write header, markers and traces of three channels."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(600, 3)
    lines = [
        *("Brain Vision Data Exchange Header File Version 1.0", "[Common Infos]"),
        *("Codepage=UTF-8", "DataFile=x.eeg", "MarkerFile=x.vmrk", "DataFormat=BINARY"),
        *(f"DataOrientation={orientation}", "NumberOfChannels=3", f"SamplingInterval={1e6 / RATE}"),
        *("[Binary Infos]", "BinaryFormat=INT_16", "[Channel Infos]"),
        *("Ch1=Fp1,,0.5,µV", "Ch2=Fp2,,0.5,µV", "Ch3=Oz,,0.5", ""),
    ]
    (folder / "x.vhdr").write_text("\n".join(lines), encoding="utf8")
    (folder / "x.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0\nMk2=Stimulus,S  1,101,1,0\nMk3=Stimulus,S  2,301,1,0\n"
    )
    ordered = traces if orientation == "MULTIPLEXED" else traces.T
    (folder / "x.eeg").write_bytes(ordered.tobytes())
    return NeoSample(
        path=folder / "x.vhdr",
        segments=(traces,),
        ids=("1", "2", "3"),
        names=("Fp1", "Fp2", "Oz"),
        rate=RATE,
        gain_uV=0.5,
        streams=(("Signals", "0"),),
        files=tuple(folder / f"x{suffix}" for suffix in (".vhdr", ".vmrk", ".eeg")),
    )


_ZONES = (
    *("ORDER", "LABCOD", "NOTE", "FLAGS", "TRONCA", "IMPED_B", "IMPED_E", "MONTAGE", "COMPRESS"),
    *("AVERAGE", "HISTORY", "DVIDEO", "EVENT A", "EVENT B", "TRIGGER"),
)


def make_micromed(folder):
    """Write traces of three channels of 16 bits, with two triggers."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = (random_traces(500, 3).astype(np.int32) + 32_768).astype("<u2")
    electrodes = b""
    for name in (b"A1", b"A2", b"A3"):
        one = struct.pack("<2s6s6s5ih", b"\1\0", name, b"G", 0, 65_535, 32_768, -3200, 3200, 0)
        electrodes += (one + bytes(8) + struct.pack("<H", 1)).ljust(128, b"\0")
    triggers = struct.pack("<IHIH", 100, 7, 300, 8) + b"\xff" * 6
    contents = {"ORDER": struct.pack("<3H", 0, 1, 2), "LABCOD": electrodes, "TRIGGER": triggers}
    position = 640
    table, body = b"", b""
    for zone in _ZONES:
        content = contents.get(zone, b"").ljust(512, b"\0")
        table += struct.pack("<8sII", zone.encode().ljust(8), position, len(content))
        position += len(content)
        body += content
    head = bytearray(640)
    head[:26] = b"* MICROMED  Brain-Quick * "
    struct.pack_into("<6b", head, 128, 21, 11, 120, 12, 0, 0)
    struct.pack_into("<IHHHH", head, 138, position, 3, 6, int(RATE), 2)
    head[175] = 4
    head[176 : 176 + len(table)] = table
    (folder / "x.trc").write_bytes(bytes(head) + body + traces.tobytes())
    gain = 6400 / 65_536
    return NeoSample(
        path=folder / "x.trc",
        segments=(traces,),
        ids=("0", "1", "2"),
        names=("A1", "A2", "A3"),
        rate=RATE,
        gain_uV=gain,
        offset_uV=-32_768 * gain,
        streams=(("Signals", "0"),),
    )


def make_elan(folder):
    """Write traces of two channels of 16 bits, and two events."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(400, 4)
    names = ("A", "B", "Num1", "Num2")
    columns = (
        *(names, ("EEG",) * 4, ("uV",) * 4, ("-3200",) * 4, ("3200",) * 4),
        *(("-32768",) * 4, ("32767",) * 4, ("none",) * 4),
    )
    lines = ["V3", "x", "x", "21-11-2020 12:00:00", "21-11-2020 12:00:00", "-1", "x", "x"]
    lines += [str(1 / RATE), "4", *(value for values in columns for value in values), ""]
    (folder / "x.eeg.ent").write_text("\n".join(lines))
    (folder / "x.eeg.pos").write_text("100 7 0\n300 8 0\n")
    (folder / "x.eeg").write_bytes(traces.astype(">i2").tobytes())
    gain = 6400 / 65_535
    return NeoSample(
        path=folder / "x.eeg",
        segments=(traces[:, :2],),
        ids=("0", "1"),
        names=names[:2],
        rate=RATE,
        gain_uV=gain,
        offset_uV=32_768 * gain - 3200,
        streams=(("Signals", "0"),),
        files=tuple(folder / f"x.eeg{suffix}" for suffix in ("", ".ent", ".pos")),
    )
