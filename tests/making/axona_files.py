"""Small recordings as Axona's DacqUSB writes them: .set, .bin, and a file for each tetrode."""

import numpy as np

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 48_000
_N_CHANNELS = 64
_GAIN = 500
_FULL_SCALE_MV = 1500


def _place_in_packet(channel):
    """Return where in a packet a channel of 64 is: groups of eight, odd ones in the second half."""
    group, within = divmod(channel, 8)
    half, place = (1, group // 2) if group % 2 == 0 else (0, group // 2)
    return half * 32 + place * 8 + within


def write_set(path, tetrodes):
    """Write the settings, with the tetrodes (counted from 1) that were recorded."""
    lines = [
        "trial_date Saturday, 21 Nov 2020",
        "trial_time 12:00:00",
        "experimenter x",
        "comments ",
        "duration 1",
        "sw_version 1.2.2.16",
        f"ADC_fullscale_mv {_FULL_SCALE_MV}",
        f"rawRate {RATE}",
        "pretrigSamps 10",
        "Spike2msMode 0",
        *(f"collectMask_{k} {int(k in tetrodes)}" for k in range(1, 17)),
        *(f"gain_ch_{k} {_GAIN}" for k in range(_N_CHANNELS)),
    ]
    path.write_bytes("\r\n".join([*lines, "data_start"]).encode() + b"\r\ndata_end\r\n")


def write_bin(path, traces):
    """Write packets of three samples of 64 channels."""
    packets = np.zeros(
        len(traces) // 3,
        [("head", "S32"), ("samples", "<i2", (3, _N_CHANNELS)), ("tail", "S16")],
    )
    packets["head"] = b"ADU1"
    order = [_place_in_packet(channel) for channel in range(_N_CHANNELS)]
    packets["samples"][:, :, order] = traces.reshape(-1, 3, _N_CHANNELS)
    path.write_bytes(packets.tobytes())


def write_tetrode(path, ticks):
    """Write spikes of a tetrode, at ticks of 96 kHz."""
    spikes = np.zeros((len(ticks), 4), [("time", ">i4"), ("samples", "i1", 50)])
    spikes["time"] = np.asarray(ticks)[:, None]
    lines = [
        "trial_date Saturday, 21 Nov 2020",
        "trial_time 12:00:00",
        "experimenter x",
        "comments ",
        "duration 1",
        "sw_version 1.2.2.16",
        "num_chans 4",
        "timebase 96000 hz",
        "bytes_per_timestamp 4",
        "samples_per_spike 50",
        "sample_rate 48000 hz",
        f"num_spikes {len(ticks)}",
    ]
    head = "\r\n".join([*lines, "data_start"]).encode()
    path.write_bytes(head + spikes.tobytes() + b"\r\ndata_end\r\n")


def make_axona(folder, *, tetrodes=(1, 2)):
    """Write traces of two tetrodes."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = random_traces(300, _N_CHANNELS)
    write_set(folder / "x.set", tetrodes)
    write_bin(folder / "x.bin", traces)
    channels = [4 * (tetrode - 1) + k for tetrode in tetrodes for k in range(4)]
    return NeoSample(
        path=folder / "x.set",
        segments=(traces[:, channels],),
        ids=tuple(str(channel) for channel in channels),
        names=tuple(f"{tetrode}{letter}" for tetrode in tetrodes for letter in "abcd"),
        rate=RATE,
        gain_uV=1000 * _FULL_SCALE_MV / (_GAIN * 2**15),
        streams=(("stream 0", "0"),),
        files=(folder / "x.set", folder / "x.bin"),
    )
