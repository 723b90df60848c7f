"""Small files as Plexon writes them (.plx): traces, spikes and events."""

import numpy as np

from making.neo_sample import NeoSample, packed
from making.recording_files import random_traces

TICKS_PER_S = 40_000
RATE = 1000.0

_GLOBAL = np.dtype([
    *[("magic", "S4"), ("version", "<i4"), ("comment", "S128"), ("ad_frequency", "<i4")],
    *[("n_dsp", "<i4"), ("n_events", "<i4"), ("n_slow", "<i4"), ("n_points", "<i4")],
    *[("n_pre", "<i4"), ("date", "<i4", 6), ("fast_read", "<i4"), ("waveform_freq", "<i4")],
    *[("last", "<f8"), ("trodalness", "u1"), ("data_trodalness", "u1"), ("bits_spike", "u1")],
    *[("bits_slow", "u1"), ("spike_max_mV", "<u2"), ("slow_max_mV", "<u2"), ("pre_gain", "<u2")],
    *[("software", "S18"), ("processing", "S18"), ("padding", "S10"), ("ts_counts", "<i4", 650)],
    *[("wf_counts", "<i4", 650), ("ev_counts", "<i4", 512)],
])

_DSP = np.dtype([
    *[("name", "S32"), ("sig_name", "S32"), ("channel", "<i4"), ("rate", "<i4"), ("sig", "<i4")],
    *[("ref", "<i4"), ("gain", "<i4"), ("rest", "V936")],
])

_EVENT = np.dtype([("name", "S32"), ("channel", "<i4"), ("rest", "V260")])

_SLOW = np.dtype([
    *[("name", "S32"), ("channel", "<i4"), ("rate", "<i4"), ("gain", "<i4"), ("enabled", "<i4")],
    *[("pre_gain", "<i4"), ("spike_channel", "<i4"), ("rest", "V240")],
])

_BLOCK = np.dtype([
    *[("type", "<u2"), ("upper", "<u2"), ("time", "<u4"), ("channel", "<u2"), ("unit", "<u2")],
    *[("n_waveforms", "<u2"), ("n_words", "<u2")],
])


def _block(kind, time, channel, unit=0, samples=None):
    sizes = (0, 0) if samples is None else (1, len(samples))
    head = packed(
        _BLOCK, type=kind, upper=time >> 32, time=time & 0xFFFFFFFF, channel=channel, unit=unit,
        n_waveforms=sizes[0], n_words=sizes[1],
    )  # fmt: skip
    return head + (b"" if samples is None else np.asarray(samples, "<i2").tobytes())


def write_plx(path, traces, *, spikes=(), events=(), first=0, n_in_block=100, names=("WB", "WB")):
    """Write traces of channels, spikes as (tick, channel, unit) and events as (tick, code)."""
    n_channels = traces.shape[1]
    step = int(TICKS_PER_S // RATE)
    content = packed(
        _GLOBAL, magic=b"PLEX", version=106, ad_frequency=TICKS_PER_S, n_dsp=2, n_events=1,
        n_slow=n_channels, n_points=8, date=(2020, 1, 2, 3, 4, 5), waveform_freq=TICKS_PER_S,
        bits_spike=16, bits_slow=16, spike_max_mV=3000, slow_max_mV=5000, pre_gain=1000,
    )  # fmt: skip
    for k in (1, 2):
        content += packed(_DSP, name=b"sig%03d" % k, channel=k, gain=1, rate=10)
    content += packed(_EVENT, name=b"Strobed", channel=257)
    for k in range(n_channels):
        name = f"{names[k]}{k + 1:02d}".encode()
        content += packed(_SLOW, name=name, channel=k, rate=RATE, gain=10, pre_gain=100)
    blocks = [
        (first + start * step, _block(5, first + start * step, k, 0, part))
        for k in range(n_channels)
        for start in range(0, len(traces), n_in_block)
        for part in [traces[start : start + n_in_block, k]]
    ]
    blocks += [(tick, _block(1, tick, channel, unit, [0] * 8)) for tick, channel, unit in spikes]
    blocks += [(tick, _block(4, tick, 257, code)) for tick, code in events]
    blocks.sort(key=lambda one: one[0])
    path.write_bytes(content + b"".join(block for _, block in blocks))


def make_plexon(folder, *, first=0, **options):
    """Write a file with traces of two channels, spikes of three units and events."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(450, 2)
    spikes = [(400, 1, 0), (800, 1, 1), (900, 2, 1), (2000, 1, 1), (16_000, 2, 1)]
    events = [(1000, 3), (17_000, 5)]
    write_plx(folder / "x.plx", traces, spikes=spikes, events=events, first=first, **options)
    return NeoSample(
        path=folder / "x.plx",
        segments=(traces,),
        ids=("WB01", "WB02"),
        names=(),
        rate=RATE,
        gain_uV=1e3 * 5000 / (0.5 * 2**16 * 10 * 100),
        t_starts=(first / TICKS_PER_S,),
        streams=(("WB-Wideband", "WB"),),
    )
