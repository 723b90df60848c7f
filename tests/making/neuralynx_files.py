"""Small folders as Neuralynx's Cheetah writes them: traces, events and spikes."""

from dataclasses import replace

import numpy as np

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 32_000.0
AD_BIT_VOLTS = 0.000000061037020770982053
RECORD_SIZE = 512
_HEADER_SIZE = 16_384

_RECORD = np.dtype([
    *[("timestamp", "<u8"), ("channel_id", "<u4"), ("sample_rate", "<u4"), ("nb_valid", "<u4")],
    ("samples", "<i2", RECORD_SIZE),
])

_EVENT = np.dtype([
    *[("reserved", "<i2"), ("system_id", "<i2"), ("data_size", "<i2"), ("timestamp", "<u8")],
    *[("event_id", "<i2"), ("ttl_input", "<i2"), ("crc_check", "<i2"), ("dummy1", "<i2")],
    *[("dummy2", "<i2"), ("extra", "<i4", 8), ("event_string", "S128")],
])


def _header(kind, name, channel, n_inputs=1, rate=RATE, is_inverted=False):
    volts = " ".join(["0.000000061037020770982053"] * n_inputs)
    lines = (
        "######## Neuralynx Data File Header",
        f"-FileType {kind}",
        "-FileVersion 3.4",
        "-RecordSize 1044",
        "-TimeCreated 2019/07/12 13:21:32",
        "-TimeClosed 2019/07/12 15:07:55",
        '-ApplicationName Cheetah "6.3.2 "',
        "-HardwareSubSystemName AcqSystem1",
        "-HardwareSubSystemType DigitalLynxSX",
        f"-SamplingFrequency {rate:.0f}",
        "-ADMaxValue 32767",
        f"-AcqEntName {name}",
        *(
            (
                f"-ADBitVolts {volts}",
                f"-NumADChannels {n_inputs}",
                f"-ADChannel {' '.join(str(channel + k) for k in range(n_inputs))}",
                f"-InputRange {' '.join(['2000'] * n_inputs)}",
            )
            if n_inputs
            else ()
        ),
        f"-InputInverted {is_inverted}",
        "-DSPLowCutFilterEnabled True",
        "-DspLowCutFrequency 0.1",
        "-DSPHighCutFilterEnabled True",
        "-DspHighCutFrequency 8000",
    )
    return "\r\n".join(lines).encode("latin-1").ljust(_HEADER_SIZE, b"\0")


def write_ncs(path, traces, starts_us, *, channel=0, rate=RATE, is_inverted=False):
    """Write traces of one channel: an array for each uninterrupted piece, and when it begins."""
    content = _header("NCS", path.stem, channel, rate=rate, is_inverted=is_inverted)
    for piece, start_us in zip(traces, starts_us, strict=True):
        n_records = -(-len(piece) // RECORD_SIZE)
        records = np.zeros(n_records, _RECORD)
        firsts = np.arange(n_records) * RECORD_SIZE
        records["timestamp"] = start_us + np.rint(firsts * 1e6 / rate)
        records["channel_id"] = channel
        records["sample_rate"] = rate
        records["nb_valid"] = np.minimum(RECORD_SIZE, len(piece) - firsts)
        whole = np.zeros(n_records * RECORD_SIZE, "<i2")
        whole[: len(piece)] = piece
        records["samples"] = whole.reshape(-1, RECORD_SIZE)
        content += records.tobytes()
    path.write_bytes(content)


def write_nev(path, times_us, ttls, labels):
    """Write events."""
    events = np.zeros(len(times_us), _EVENT)
    events["timestamp"], events["ttl_input"], events["event_string"] = times_us, ttls, labels
    path.write_bytes(_header("Event", "Events", 0, n_inputs=0) + events.tobytes())


def write_spikes(path, times_us, units, *, n_inputs=4):
    """Write spikes of a tetrode (.ntt) or of a single electrode (.nse)."""
    shape = (32, n_inputs) if n_inputs > 1 else (32,)
    spikes = np.zeros(
        len(times_us),
        np.dtype([
            *[("timestamp", "<u8"), ("channel_id", "<u4"), ("unit_id", "<u4")],
            *[("features", "<i4", 8), ("samples", "<i2", shape)],
        ]),
    )
    spikes["timestamp"], spikes["unit_id"] = times_us, units
    path.write_bytes(_header("Spike", path.stem, 0, n_inputs=n_inputs) + spikes.tobytes())


def make_neuralynx_session(folder):
    """Write a folder with traces, events, and spikes of a tetrode and of a single electrode."""
    sample = make_neuralynx(folder)
    times_us = [1_001_000, 1_002_000, 1_003_000, 1_030_000]
    write_nev(folder / "Events.nev", times_us, [0, 1, 0, 1], [b"off", b"on", b"off", b"on"])
    write_spikes(folder / "TT1.ntt", times_us, [0, 1, 1, 2])
    write_spikes(folder / "SE1.nse", times_us, [0, 1, 1, 2], n_inputs=1)
    return replace(sample, files=tuple(sorted(folder.iterdir())))


def make_neuralynx(folder, *, starts_us=(1_000_000,), n_samples=(1300,), n_channels=3):
    """Write a folder with traces of three channels."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [random_traces(n, n_channels, seed=k) for k, n in enumerate(n_samples)]
    for k in range(n_channels):
        path = folder / f"CSC{k + 1}.ncs"
        write_ncs(path, [piece[:, k] for piece in pieces], starts_us, channel=k)
    return NeoSample(
        path=folder,
        segments=tuple(pieces),
        ids=tuple(str(k) for k in range(n_channels)),
        names=tuple(f"CSC{k + 1}" for k in range(n_channels)),
        rate=RATE,
        gain_uV=AD_BIT_VOLTS * 1e6,
        t_starts=tuple((start - starts_us[0]) / 1e6 for start in starts_us),
        streams=(("stream0_32000Hz_2mVRange_DSPFilter0", "0"),),
        files=tuple(sorted(folder.glob("*.ncs"))),
    )
