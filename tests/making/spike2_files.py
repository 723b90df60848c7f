"""Small files as CED's Spike2 writes them (.smr): traces, events, markers and spikes."""

import numpy as np

from making.neo_sample import NeoSample, packed
from making.recording_files import random_traces

_BLOCK_SIZE = 512
_US_PER_TICK = 10
_TICKS_PER_SAMPLE = 20
RATE = 1e6 / _US_PER_TICK / _TICKS_PER_SAMPLE

_HEADER = np.dtype([
    *[("system_id", "<i2"), ("copyright", "S10"), ("creator", "S8"), ("us_per_time", "<i2")],
    *[("time_per_adc", "<i2"), ("file_state", "<i2"), ("first_data", "<i4"), ("channels", "<i2")],
    *[("chan_size", "<i2"), ("extra", "<i2"), ("buffer_size", "<i2"), ("os_format", "<i2")],
    *[("max_ftime", "<i4"), ("dtime_base", "<f8"), ("detail", "u1"), ("year", "<i2")],
    *[("pad", "S52"), ("comments", "V405")],
])

_CHANNEL = np.dtype([
    *[("del_size", "<i2"), ("next_del", "<i4"), ("first_block", "<i4"), ("last_block", "<i4")],
    *[("blocks", "<i2"), ("n_extra", "<i2"), ("pre_trig", "<i2"), ("free", "<i2")],
    *[("size", "<i2"), ("max_data", "<i2"), ("comment", "S72"), ("max_time", "<i4")],
    *[("divide", "<i4"), ("phy_chan", "<i2"), ("title", "S10"), ("ideal_rate", "<f4")],
    *[("kind", "u1"), ("unused", "i1"), ("scale", "<f4"), ("offset", "<f4"), ("unit", "S6")],
    ("interleave", "<i2"),
])

_BLOCK = np.dtype([
    *[("before", "<i4"), ("after", "<i4"), ("start", "<i4"), ("end", "<i4")],
    *[("channel", "<i2"), ("items", "<i2")],
])

KINDS = {"adc": 1, "rise": 3, "marker": 5, "spikes": 6, "text": 8}


def _counted(text):
    return bytes([len(text)]) + text


def write_smr(path, channels):
    """Write channels, each a dict: kind, title, blocks of (first tick, last tick, bytes, items)."""
    assert _HEADER.itemsize == 512
    first_block = 1 + -(-140 * len(channels) // _BLOCK_SIZE)
    table, data = b"", b""
    for k, channel in enumerate(channels):
        sizes = [-(-(20 + len(content)) // _BLOCK_SIZE) for _, _, content, _ in channel["blocks"]]
        places = first_block + np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        for j, (start, end, content, n_items) in enumerate(channel["blocks"]):
            head = packed(
                _BLOCK, before=places[j - 1] if j else -1, start=start, end=end, channel=k + 1,
                after=places[j + 1] if j + 1 < len(sizes) else -1, items=n_items,
            )  # fmt: skip
            data += (head + content).ljust(sizes[j] * _BLOCK_SIZE, b"\0")
        table += packed(
            _CHANNEL, first_block=places[0], blocks=len(sizes), divide=_TICKS_PER_SAMPLE,
            n_extra=channel.get("n_extra", 0), title=_counted(channel["title"]),
            kind=KINDS[channel["kind"]], scale=channel.get("scale", 1.0), unit=_counted(b"mV"),
            offset=channel.get("offset", 0.0), phy_chan=k, comment=_counted(b"x"),
        )  # fmt: skip
        first_block = int(places[-1])
    head = packed(
        _HEADER, system_id=9, copyright=b"(C) CED 87", creator=b"x", us_per_time=_US_PER_TICK,
        time_per_adc=1, channels=len(channels), dtime_base=1e-6,
    )  # fmt: skip
    path.write_bytes((head + table).ljust(-(-(512 + len(table)) // 512) * 512, b"\0") + data)


def traces_channel(title, pieces, starts, n_in_block=100):
    """Return a channel of traces: an array for each piece, and the tick at which it begins."""
    blocks = []
    for piece, first in zip(pieces, starts, strict=True):
        for k in range(0, len(piece), n_in_block):
            part = piece[k : k + n_in_block]
            start = first + k * _TICKS_PER_SAMPLE
            end = start + (len(part) - 1) * _TICKS_PER_SAMPLE
            blocks.append((start, end, part.tobytes(), len(part)))
    return {"kind": "adc", "title": title, "blocks": blocks, "scale": 2.0}


def listed_channel(kind, title, ticks, records, n_extra=0):
    """Return a channel of events, with the bytes that follow the time of each."""
    content = b"".join(
        np.int32(tick).tobytes() + record for tick, record in zip(ticks, records, strict=True)
    )
    blocks = [(ticks[0], ticks[-1], content, len(ticks))]
    return {"kind": kind, "title": title, "blocks": blocks, "n_extra": n_extra}


def make_spike2(folder, *, n_samples=(450,), starts=(0,)):
    """Write traces of two channels, rising edges, markers, texts, and spikes of two units."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [random_traces(n, 2, seed=k) for k, n in enumerate(n_samples)]
    marks = [np.int32(code).tobytes() for code in (1, 2)]
    channels = [
        traces_channel(b"left", [piece[:, 0] for piece in pieces], starts),
        traces_channel(b"right", [piece[:, 1] for piece in pieces], starts),
        listed_channel("rise", b"ttl", [100, 4000], [b"", b""]),
        listed_channel("marker", b"keys", [200, 3000], marks),
        listed_channel("text", b"notes", [300], [marks[0] + b"drug".ljust(8, b"\0")], 8),
        listed_channel("spikes", b"units", [600, 1200, 2400], [
            np.int32(unit).tobytes() + bytes(16) for unit in (1, 2, 1)
        ], 16),
    ]  # fmt: skip
    write_smr(folder / "x.smr", channels)
    return NeoSample(
        path=folder / "x.smr",
        segments=tuple(pieces),
        ids=("0", "1"),
        names=("left", "right"),
        rate=RATE,
        gain_uV=1e3 * 2.0 / 6553.6,
        t_starts=tuple(start * _US_PER_TICK / 1e6 for start in starts),
        streams=(("Signal stream 0", "0"),),
    )
