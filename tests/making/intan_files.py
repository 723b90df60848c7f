"""Small files as Intan's programs write them (.rhd and .rhs)."""

import struct

import numpy as np

from making.neo_sample import NeoSample

RATE = 20_000.0
_N_IN_BLOCK = 128


def _text(value):
    encoded = value.encode("utf-16-le")
    return struct.pack("<I", len(encoded)) + encoded


def _group(name, prefix, channels, *, is_rhs):
    content = _text(name) + _text(prefix) + struct.pack("<hhh", 1, len(channels), len(channels))
    for order, (native, kind) in enumerate(channels):
        numbers = (order, order, kind, 1, order, 0, *((0,) if is_rhs else ()), 0, 0, 0, 0)
        content += _text(native) + _text(native) + struct.pack(f"<{len(numbers)}h", *numbers)
        content += struct.pack("<ff", 1e5, -30.0)
    return content


def _blocks(n_blocks, fields):
    dtype = [("time", "<i4", _N_IN_BLOCK)]
    dtype += [(str(k), "<u2", _N_IN_BLOCK) for k in range(len(fields))]
    blocks = np.zeros(n_blocks, dtype)
    blocks["time"] = np.arange(n_blocks * _N_IN_BLOCK).reshape(n_blocks, -1)
    for k, values in enumerate(fields):
        blocks[str(k)] = values.reshape(n_blocks, -1)
    return blocks.tobytes()


def _random(n_blocks, n_channels, high=65_536):
    shape = (n_blocks * _N_IN_BLOCK, n_channels)
    return np.random.default_rng(0).integers(0, high, shape).astype("<u2")


def make_rhd(folder, *, n_blocks=3):
    """Write two amplifier channels and two digital inputs, which share a word, into one file."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = _random(n_blocks, 2)
    lines = _random(n_blocks, 2, high=2)
    content = struct.pack("<Ihhf", 0xC6912702, 3, 0, RATE) + struct.pack("<h6f", 1, *([1.0] * 6))
    content += struct.pack("<hff", 0, 1000.0, 1000.0) + 3 * _text("") + struct.pack("<hh", 0, 0)
    content += _text("n/a") + struct.pack("<h", 2)
    content += _group("Port A", "A", [("A-000", 0), ("A-001", 0)], is_rhs=False)
    digital = [("DIGITAL-IN-01", 4), ("DIGITAL-IN-02", 4)]
    content += _group("Board Digital Inputs", "DIN", digital, is_rhs=False)
    word = lines[:, 0] | (lines[:, 1] << 1)
    content += _blocks(n_blocks, [traces[:, 0], traces[:, 1], word])
    (folder / "x.rhd").write_bytes(content)
    return _sample(folder / "x.rhd", traces, "RHD2000 amplifier channel", "4"), lines


def make_rhs(folder, *, n_blocks=3):
    """Write two amplifier channels with their stimulation, and two digital inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = _random(n_blocks, 2)
    lines = _random(n_blocks, 2, high=2)
    stimuli = _random(n_blocks, 2, high=256)
    content = struct.pack("<Ihhf", 0xD69127AC, 3, 0, RATE) + struct.pack("<h8f", 1, *([1.0] * 8))
    content += struct.pack("<hffhhfff", 0, 1000.0, 1000.0, 0, 0, 1e-6, 1e-9, 0.0) + 3 * _text("")
    content += struct.pack("<hh", 0, 0) + _text("n/a") + struct.pack("<h", 2)
    content += _group("Port A", "A", [("A-000", 0), ("A-001", 0)], is_rhs=True)
    digital = [("DIGITAL-IN-01", 5), ("DIGITAL-IN-02", 5)]
    content += _group("Board Digital Inputs", "DIN", digital, is_rhs=True)
    word = lines[:, 0] | (lines[:, 1] << 1)
    fields = [traces[:, 0], traces[:, 1], stimuli[:, 0], stimuli[:, 1], word]
    (folder / "x.rhs").write_bytes(content + _blocks(n_blocks, fields))
    more = (("Stim channel", "11"),)
    return _sample(folder / "x.rhs", traces, "RHS2000 amplifier channel", "5", more), lines, stimuli


def _sample(path, traces, name, digital, more=()):
    return NeoSample(
        path=path,
        segments=(traces,),
        ids=("A-000", "A-001"),
        names=("A-000", "A-001"),
        rate=RATE,
        gain_uV=0.195,
        offset_uV=-32_768 * 0.195,
        options={"stream_id": "0"},
        streams=((name, "0"), ("USB board digital input channel", digital), *more),
    )
