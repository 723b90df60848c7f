"""Small files of high-density arrays in HDF5: MaxWell (both layouts), 3Brain Biocam 3 and 4."""

import json

import h5py
import numpy as np

from making.neo_sample import NeoSample

RATE = 20_000.0


def random_uint16(n_samples, n_channels, seed=0, high=4096):
    """Return traces of uint16, shape (n_samples, n_channels)."""
    return np.random.default_rng(seed).integers(0, high, (n_samples, n_channels)).astype("<u2")


def _mapping(channels):
    mapping = np.zeros(
        len(channels), [("channel", "<i4"), ("electrode", "<i4"), ("x", "<f8"), ("y", "<f8")]
    )
    mapping["channel"] = channels
    mapping["electrode"] = np.arange(len(channels)) + 100
    mapping["x"] = 17.5 * np.arange(len(channels))
    return mapping


def make_maxwell(folder, *, n_wells=1, recordings=("rec0000",), filters=None):
    """Write a file of the newer layout, of MaxTwo: a stream for each well."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.raw.h5"
    n_channels = 4
    with h5py.File(path, "w") as file:
        file["version"] = np.array([b"20190530"])
        for k in range(n_wells):
            for name in recordings:
                traces = random_uint16(1000, n_channels, seed=k)
                group = file.create_group(f"wells/well{k:03d}/{name}")
                group["settings/sampling"] = [RATE]
                group["settings/lsb"] = [3.14e-6]
                group["settings/mapping"] = _mapping(np.arange(n_channels) * 2)
                group.create_dataset("groups/routed/raw", data=traces.T, **(filters or {}))
                group["groups/routed/channels"] = np.arange(n_channels) * 2
    return NeoSample(
        path=path,
        segments=(random_uint16(1000, n_channels),),
        ids=("0", "2", "4", "6"),
        names=("ch0 elec100", "ch2 elec101", "ch4 elec102", "ch6 elec103"),
        rate=RATE,
        gain_uV=3.14,
        streams=tuple((f"well{k:03d}", f"well{k:03d}") for k in range(n_wells)),
    )


def make_maxwell_old(folder):
    """Write a file of the older layout, of MaxOne, with a row that belongs to no electrode."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.raw.h5"
    traces = random_uint16(1000, 6)
    channels = [0, 2, -1, 3]
    with h5py.File(path, "w") as file:
        file["version"] = np.array([b"20160704"])
        file["settings/gain"] = [512.0]
        file["mapping"] = _mapping(channels)
        file["sig"] = traces.T
    return NeoSample(
        path=path,
        segments=(traces[:, [0, 2, 3]],),
        ids=("0", "2", "3"),
        names=("ch0 elec100", "ch2 elec101", "ch3 elec103"),
        rate=RATE,
        gain_uV=3.3 / (1024 * 512) * 1e6,
        streams=(("well000", "well000"),),
    )


def make_biocam3(folder, *, inversion=1, version=101):
    """Write a file of BrainWave 3, of four electrodes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.brw"
    traces = random_uint16(500, 4)
    with h5py.File(path, "w") as file:
        known = file.create_group("3BRecInfo/3BRecVars")
        for name, value in {
            "BitDepth": np.uint8(12), "MaxVolt": 4125.0, "MinVolt": -4125.0, "NRecFrames": 500,
            "SamplingRate": RATE, "SignalInversion": float(inversion),
        }.items():  # fmt: skip
            known[name] = [value]
        places = np.zeros(4, [("Row", "<i2"), ("Col", "<i2")])
        places["Row"], places["Col"] = [1, 1, 2, 2], [1, 2, 1, 2]
        file["3BRecInfo/3BMeaStreams/Raw/Chs"] = places
        file["3BRecInfo/3BMeaChip/Layout"] = np.ones((64, 64), bool)
        file["3BRecInfo/3BMeaChip/NRows"] = [64]
        file["3BRecInfo/3BMeaChip/NCols"] = [64]
        file["3BRecInfo/3BMeaChip/ROIs"] = np.zeros(0)
        file["3BData/Raw"] = traces if version == 100 else traces.reshape(-1)
        file["3BData"].attrs["Version"] = version
    return NeoSample(
        path=path,
        segments=(traces if inversion == 1 else 4096 - traces,),
        ids=("1", "2", "3", "4"),
        names=("ch1-1", "ch1-2", "ch2-1", "ch2-2"),
        rate=RATE,
        gain_uV=8250 / 4096,
        offset_uV=-4125.0,
        streams=(("Signals", "0"),),
    )


def make_biocam4(folder, *, is_sparse=False):
    """Write a file of BrainWave 4, raw or with the events alone, of four electrodes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.brw"
    traces = random_uint16(500, 4)
    settings = {
        "ValueConverter": {
            "MaxAnalogValue": 4125.0, "MinAnalogValue": -4125.0, "MaxDigitalValue": 4095,
            "MinDigitalValue": 0, "ScaleFactor": 1.0,
        },
        "TimeConverter": {"FrameRate": RATE},
        "MeaPlate": {"Model": "Accura HD-MEA"},
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        file["ExperimentSettings"] = np.array([json.dumps(settings).encode()])
        file["TOC"] = np.array([[0, 300], [300, 400], [400, 500]])
        file["Well_A1/StoredChIdxs"] = [0, 1, 64, 65]
        if is_sparse:
            kept = np.full((500, 4), 2048, "<u2")
            content = b""
            for channel, (start, end) in {0: (10, 40), 2: (100, 103)}.items():
                kept[start:end, channel] = traces[start:end, channel]
                piece = np.array([start, end], "<i8").tobytes()
                piece += traces[start:end, channel].tobytes()
                content += np.array([channel, len(piece)], "<i4").tobytes() + piece
            file["Well_A1/EventsBasedSparseRaw"] = np.frombuffer(content, "u1")
            file["Well_A1/EventsBasedSparseRawTOC"] = [0, len(content), len(content)]
            traces = kept
        else:
            file["Well_A1/Raw"] = traces.reshape(-1)
    return NeoSample(
        path=path,
        segments=(traces,),
        ids=("1", "2", "3", "4"),
        names=("ch1-1", "ch1-2", "ch2-1", "ch2-2"),
        rate=RATE,
        gain_uV=8250 / 4095,
        offset_uV=-4125.0,
        streams=(("Signals", "0"),),
    )
