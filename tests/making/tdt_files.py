"""Small tanks as Tucker-Davis' OpenEx and Synapse write them."""

import numpy as np

from making.neo_sample import NeoSample

RATE = 24414.0625
_N_POINTS = 64
_STREAM, _SNIP, _STRON = 0x8101, 0x8201, 0x0101
START_S = 1_600_000_000.0

_ROW = np.dtype([
    *[("size", "<i4"), ("type", "<i4"), ("name", "S4"), ("channel", "<u2"), ("sort", "<u2")],
    *[("time", "<f8"), ("offset", "<i8"), ("format", "<i4"), ("rate", "<f4")],
])


def _store(name, kind, n_channels, n_points, data_format, rate):
    fields = {
        "StoreName": ("S", name), "HeadName": ("S", f"{name}|x"), "Enabled": ("L", 1),
        "CircType": ("L", 0), "NumChan": ("L", n_channels), "StrobeMode": ("L", 0),
        "TankEvType": ("L", kind), "NumPoints": ("L", n_points), "DataFormat": ("L", data_format),
        "SampleFreq": ("D", rate),
    }  # fmt: skip
    lines = "".join(
        f"NAME={key};TYPE={one};VALUE={value};\r\n" for key, (one, value) in fields.items()
    )
    return f"[STOREHDRITEM]\r\n{lines}"


def write_block(folder, tank, block, pieces, *, start_s=START_S, spikes=(), events=()):
    """Write a block: traces (n_samples, n_channels), spikes as (s, unit), events as (s, code)."""
    inner = folder / block
    inner.mkdir(parents=True, exist_ok=True)
    stem = inner / f"{tank}_{block}"
    n_channels = pieces.shape[1]
    text = _store("Wave", _STREAM, n_channels, _N_POINTS, 0, RATE)
    text += _store("Snip", _SNIP, 1, 16, 0, RATE) + _store("Tick", _STRON, 1, 0, 4, 0)
    # The first item begins the file, as what is before it is a group, too.
    text = text.removeprefix("[STOREHDRITEM]\r\n")
    stem.with_suffix(".Tbk").write_text(f"{text}[USERNOTEDELIMITER]\r\nx\r\n")
    rows = [(0, 0, b"", 0, 0, 0.0, 0, 0, 0.0), (0, 0x8801, b"\x01", 0, 0, start_s, 0, 0, 0.0)]
    data = b""
    for start in range(0, len(pieces), _N_POINTS):
        for k in range(n_channels):
            part = pieces[start : start + _N_POINTS, k].astype("<f4").tobytes()
            time = start_s + start / RATE
            rows.append((len(part) // 4 + 10, _STREAM, b"Wave", k + 1, 0, time, len(data), 0, RATE))
            data += part
    for time_s, unit in spikes:
        rows.append((26, _SNIP, b"Snip", 1, unit, start_s + time_s, len(data), 0, RATE))
        data += bytes(64)
    for time_s, code in events:
        rows.append((10, _STRON, b"Tick", 0, 0, start_s + time_s, code, 4, 0.0))
    rows.append((0, 0x8801, b"\x02", 0, 0, start_s + len(pieces) / RATE, 0, 0, 0.0))
    np.array(rows, _ROW).tofile(stem.with_suffix(".tsq"))
    stem.with_suffix(".tev").write_bytes(data)
    stem.with_suffix(".tdx").write_bytes(b"")


def make_tdt(folder, *, n_blocks=1):
    """Write a tank with traces of three channels, spikes of two units and events."""
    tank = folder / "tank"
    pieces = [
        np.random.default_rng(k).normal(0, 50, (5 * _N_POINTS, 3)).astype("<f4")
        for k in range(n_blocks)
    ]
    for k, piece in enumerate(pieces):
        write_block(
            tank, "tank", f"Block-{k + 1}", piece, start_s=START_S + 100 * k,
            spikes=[(0.001, 1), (0.002, 2), (0.003, 1)], events=[(0.004, 7)],
        )  # fmt: skip
    return NeoSample(
        path=tank,
        segments=tuple(pieces),
        ids=("1", "2", "3"),
        names=("Wave 1", "Wave 2", "Wave 3"),
        rate=RATE,
        gain_uV=1.0,
        t_starts=tuple(100.0 * k for k in range(n_blocks)),
        streams=(("Wave", "0"),),
        files=tuple(sorted(path for path in tank.rglob("*") if path.is_file())),
    )
