"""Small files of NeuroExplorer (.nex) and of NeuroNexus' Allego (.xdat)."""

import json
import struct

import numpy as np

from making.neo_sample import NeoSample, packed
from making.recording_files import random_traces

TICKS_PER_S = 40_000
RATE = 1000.0

_HEADER = np.dtype([
    *[("signature", "S4"), ("version", "<i4"), ("comment", "S256"), ("freq", "<f8")],
    *[("begin", "<i4"), ("end", "<i4"), ("n_variables", "<i4"), ("rest", "V260")],
])

_VARIABLE = np.dtype([
    *[("type", "<i4"), ("version", "<i4"), ("name", "S64"), ("offset", "<u4"), ("n", "<i4")],
    *[("wire", "<i4"), ("unit", "<i4"), ("gain", "<i4"), ("filter", "<i4"), ("x", "<f8")],
    *[("y", "<f8"), ("rate", "<f8"), ("to_mV", "<f8"), ("n_points", "<i4"), ("n_markers", "<i4")],
    *[("marker_length", "<i4"), ("offset_mV", "<f8"), ("before_s", "<f8"), ("rest", "V52")],
])


def make_neuroexplorer(folder):
    """Write a channel of traces, two units, events, intervals and markers."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(700, 1)
    ticks = {
        "unit": np.array([400, 800, 12_000], "<i4"), "other": np.array([900], "<i4"),
        "ttl": np.array([100, 200], "<i4"), "trial": np.array([1000, 8000], "<i4"),
        "code": np.array([300, 500], "<i4"),
    }  # fmt: skip
    ends = np.array([2000, 9000], "<i4")
    labels = b"Value".ljust(64, b"\0") + b"017\0" + b"018\0"
    variables = [
        ({"type": 5, "name": b"lfp", "n": 1, "rate": RATE, "to_mV": 0.01, "n_points": 700},
         struct.pack("<ii", 0, 0) + traces.tobytes()),
        *(({"type": 0, "name": name.encode(), "n": len(ticks[name])}, ticks[name].tobytes())
          for name in ("unit", "other")),
        ({"type": 1, "name": b"ttl", "n": 2}, ticks["ttl"].tobytes()),
        ({"type": 2, "name": b"trial", "n": 2}, ticks["trial"].tobytes() + ends.tobytes()),
        ({"type": 6, "name": b"code", "n": 2, "n_markers": 1, "marker_length": 4},
         ticks["code"].tobytes() + labels),
    ]  # fmt: skip
    assert _HEADER.itemsize == 544
    content = packed(
        _HEADER, signature=b"NEX1", version=104, freq=TICKS_PER_S, end=28_000,
        n_variables=len(variables),
    )  # fmt: skip
    place = len(content) + _VARIABLE.itemsize * len(variables)
    data = b""
    for fields, body in variables:
        content += packed(_VARIABLE, version=102, offset=place + len(data), **fields)
        data += body
    (folder / "x.nex").write_bytes(content + data)
    return NeoSample(
        path=folder / "x.nex",
        segments=(traces,),
        ids=("0",),
        names=("lfp",),
        rate=RATE,
        gain_uV=10.0,
        streams=(("lfp", "0"),),
    )


def make_neuronexus(folder):
    """Write settings, traces in microvolts, and timestamps."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = np.random.default_rng(0).normal(0, 50, (600, 4)).astype("<f4")
    settings = {
        "status": {
            "samp_freq": 30_000, "shape": [600, 4], "timestamp_range": [1000, 1599],
            "t_range": [0.5, 0.5 + 600 / 30_000], "start_time": "2024-07-01T13:04:49.4972245-04:00",
        },
        "sapiens_base": {"biointerface_map": {
            "chan_name": ["pri_0", "pri_1", "aux_0", "din_0"],
            "ntv_chan_name": ["A-000", "A-001", "AUX-0", "DIN-0"],
            "chan_type": ["ai0", "ai0", "ai1", "din"],
        }},
    }  # fmt: skip
    (folder / "x.xdat.json").write_text(json.dumps(settings))
    traces.tofile(folder / "x_data.xdat")
    np.arange(1000, 1600, dtype="<i8").tofile(folder / "x_timestamp.xdat")
    return NeoSample(
        path=folder / "x.xdat.json",
        segments=(traces[:, :2],),
        ids=("A-000", "A-001"),
        names=("pri_0", "pri_1"),
        rate=30_000,
        gain_uV=1.0,
        t_starts=(0.5,),
        options={"stream_id": "ai-pri"},
        streams=(
            ("NeuroNexus Allego Analog (pri) Data", "ai-pri"),
            ("NeuroNexus Allego Auxiliary (aux) Data", "aux"),
            ("NeuroNexus Allego Digital-in (din) Data", "din"),
        ),
        files=tuple(folder / name for name in ("x.xdat.json", "x_data.xdat", "x_timestamp.xdat")),
    )
