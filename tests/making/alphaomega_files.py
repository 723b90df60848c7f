"""Small folders as Alpha Omega's systems write them (.mpx, version 4)."""

import struct

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 22_000.0
_GAIN_100 = 2000
_N_IN_BLOCK = 50


def _block(kind, body):
    return struct.pack("<Hc", len(body) + 3, kind) + body


def make_alphaomega(folder, *, n_channels=2):
    """Write traces of raw channels and edges on a digital line."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(430, n_channels)
    n_samples = len(traces)
    first = 1000
    head = struct.pack(
        "<xlhBBBBBBHBxddlB10s4sxl",
        *(0, 1, 12, 0, 0, 0, 21, 11, 2020, 6, first / RATE, (first + n_samples) / RATE),
        *(0, 4, b"AlphaMap", b"\0\0\0\1", 0),
    )
    content = _block(b"h", head)
    for k in range(n_channels):
        name = f"RAW {k + 1:02d}".encode() + b"\0"
        body = struct.pack("<xlhhh3B", 0, 1, 1, 10_000 + k, 0, 0, 0)
        body = body.ljust(15, b"\0")
        body += struct.pack("<hffhh", 0, 38.147, RATE / 1000, 0, 0)
        body += struct.pack("<fh", 0.0, _GAIN_100)
        content += _block(b"2", body + name)
    body = struct.pack("<xlhhh3B", 0, 0, 1, 11_000, 0, 0, 0).ljust(15, b"\0")
    body += struct.pack("<fhfh", RATE / 1000, 0, 0.0, 0)
    content += _block(b"2", body + b"TTL 01\0")
    for start in range(0, n_samples, _N_IN_BLOCK):
        for k in range(n_channels):
            part = traces[start : start + _N_IN_BLOCK, k].tobytes()
            place = struct.pack("<L", first + start)
            content += _block(b"5", struct.pack("<ch", b"\0", 10_000 + k) + part + place)
    for sample, value in ((1100, 1), (1200, 0)):
        content += _block(
            b"5", struct.pack("<ch", b"\0", 11_000) + struct.pack("<Lh", sample, value)
        )
    content += struct.pack("<Hc", 65_535, b"\0")
    (folder / "x.mpx").write_bytes(content)
    return NeoSample(
        path=folder,
        segments=(traces,),
        ids=tuple(str(10_000 + k) for k in range(n_channels)),
        names=tuple(f"RAW {k + 1:02d}" for k in range(n_channels)),
        rate=RATE,
        gain_uV=None,
        t_starts=(first / RATE,),
        streams=(("Raw Analog", "RAW"),),
        files=(folder / "x.mpx",),
    )
