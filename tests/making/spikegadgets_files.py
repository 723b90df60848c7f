"""Small files as SpikeGadgets' Trodes writes them (.rec)."""

import numpy as np

from making.neo_sample import NeoSample
from making.recording_files import random_traces

RATE = 30_000


def make_spikegadgets(folder, *, n_chips=2, n_on_chip=4, aux=("AccelX", "AccelY")):
    """Write traces of chips whose channels are interleaved, and of two analog inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.rec"
    n_channels = n_chips * n_on_chip
    traces = random_traces(200, n_channels)
    inputs = random_traces(200, len(aux), seed=1)
    channels = "".join(
        f'<Channel id="{name}" dataType="analog" startByte="{2 + 2 * k}" bit="0" input="1"/>'
        for k, name in enumerate(aux)
    )
    trodes = "".join(
        f'<SpikeNTrode id="{k // 4 + 1}" spikeScalingToUv="0.195">'
        + "".join(f'<SpikeChannel hwChan="{j}"/>' for j in range(k, k + 4))
        + "</SpikeNTrode>"
        for k in range(0, n_channels, 4)
    )
    head = (
        '<?xml version="1.0"?>\n<Configuration>\n<GlobalConfiguration saveDisplayedChanOnly="1"/>\n'
        f'<HardwareConfiguration samplingRate="{RATE}" numChannels="{n_channels}">\n'
        f'<Device name="ECU" numBytes="{2 + 2 * len(aux)}" packetOrderPreference="10">'
        f'<Channel id="ECU_Din1" dataType="digital" startByte="0" bit="0"/>{channels}</Device>\n'
        "</HardwareConfiguration>\n"
        f'<SpikeConfiguration chanPerChip="{n_on_chip}">{trodes}</SpikeConfiguration>\n'
        "</Configuration>\n"
    )
    packets = np.zeros(
        len(traces),
        [
            *[("sync", "u1"), ("digital", "<u2"), ("inputs", "<i2", len(aux))],
            *[("time", "<u4"), ("samples", "<i2", n_channels)],
        ],
    )
    packets["sync"] = 0x55
    packets["time"] = np.arange(len(traces))
    packets["inputs"], packets["samples"] = inputs, traces
    path.write_bytes(head.encode() + packets.tobytes())
    order = [chip * n_on_chip + k for k in range(n_on_chip) for chip in range(n_chips)]
    return NeoSample(
        path=path,
        segments=(traces,),
        ids=tuple(str(channel) for channel in order),
        names=tuple(f"trode{channel // 4 + 1}chan{channel}" for channel in order),
        rate=RATE,
        gain_uV=0.195,
        options={"stream_id": "trodes"},
        streams=(("ECU", "ECU"), ("trodes", "trodes")),
    ), inputs


def make_spikegadgets_neuropixels(folder, *, n_channels=8):
    """Write traces of some electrodes of a Neuropixels 1.0 probe, listed in reverse."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.rec"
    traces = random_traces(200, n_channels)
    trodes = "".join(
        f'<SpikeNTrode id="1{2 * hw_chan + 1:03d}" spikeScalingToUv="0.018">'
        f'<SpikeChannel hwChan="{hw_chan}" coord_ml="1" coord_dv="2" coord_ap="3"/></SpikeNTrode>'
        for hw_chan in reversed(range(n_channels))
    )
    head = (
        '<?xml version="1.0"?>\n<Configuration>\n<GlobalConfiguration/>\n'
        f'<HardwareConfiguration samplingRate="{RATE}" numChannels="{n_channels}">'
        '<SourceOptions name="NeuroPixels1">'
        '<CustomOption name="APGainMode" data="500 "/></SourceOptions></HardwareConfiguration>\n'
        f'<SpikeConfiguration device="neuropixels1">{trodes}</SpikeConfiguration>\n'
        "</Configuration>\n"
    )
    packets = np.zeros(
        len(traces), [("sync", "u1"), ("time", "<u4"), ("samples", "<i2", n_channels)]
    )
    packets["sync"], packets["samples"] = 0x55, traces
    path.write_bytes(head.encode() + packets.tobytes())
    return NeoSample(
        path=path,
        segments=(traces,),
        ids=tuple(f"hwChan{k}" for k in range(n_channels)),
        names=tuple(f"probe0_chan{k}" for k in range(n_channels)),
        rate=RATE,
        gain_uV=0.018,
        streams=(("trodes", "trodes"),),
    )
