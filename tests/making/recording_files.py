"""Small recordings as SpikeGLX, Open Ephys, MountainSort and Multi Channel Systems write them."""

import json
import struct

import numpy as np

RATE = 30_000.0


def random_traces(n_samples, n_channels, seed=0):
    """Return traces of int16, shape (n_samples, n_channels)."""
    rng = np.random.default_rng(seed)
    return rng.integers(-500, 500, (n_samples, n_channels)).astype("<i2")


def write_spikeglx(folder, name, traces, *, n_sync=1, first_sample=0, fields=(), suffix=".bin"):
    """Write a pair of files of a stream; `name` is that of the run with gate, trigger, device."""
    folder.mkdir(parents=True, exist_ok=True)
    n_channels = traces.shape[1]
    n_traces = n_channels - n_sync
    lines = {
        "nSavedChans": n_channels,
        "firstSample": first_sample,
        "fileName": f"D:/data/{name}.bin",
        "fileSizeBytes": traces.nbytes,
    }
    if ".nidq" in name:
        names = [f"XA{k}" for k in range(n_channels - 1)] + ["XD0"]
        lines |= {
            "niSampRate": 25_000,
            "niAiRangeMax": 5,
            "niMNGain": 1,
            "niMAGain": 1,
            "snsMnMaXaDw": f"0,0,{n_channels - 1},1",
            "typeThis": "nidq",
            "niXDChans1": "0:7",
        }
    else:
        band = "LF" if ".lf" in name else "AP"
        names = [f"{band}{k}" for k in range(n_traces)] + [f"SY{k}" for k in range(n_sync)]
        table = "".join(f"({k} 0 0 500 250 1)" for k in range(n_traces))
        lines |= {
            "imSampRate": 2_500 if band == "LF" else RATE,
            "imAiRangeMax": 0.6,
            "imMaxInt": 512,
            "imDatPrb_type": 0,
            "imDatPrb_pn": "NP1000",
            "typeThis": "imec",
            "snsApLfSy": f"0,{n_traces},{n_sync}" if band == "LF" else f"{n_traces},0,{n_sync}",
            "snsSaveChanSubset": f"0:{n_traces - 1},384",
            "~imroTbl": f"(0,{n_traces}){table}",
        }
    channel_map = "".join(f"({label};{k}:{k})" for k, label in enumerate(names))
    lines["~snsChanMap"] = f"({n_traces},0,{n_sync}){channel_map}"
    lines |= dict(fields)
    (folder / f"{name}.meta").write_text("".join(f"{k}={v}\n" for k, v in lines.items()))
    if suffix == ".bin":
        traces.tofile(folder / f"{name}.bin")


def write_openephys(folder, traces, *, stream="Rhythm-100", names=None, first=0, rate=RATE):
    """Write a recording of one stream in the binary format, into its folder."""
    n_channels = traces.shape[1]
    names = names or [f"CH{k + 1}" for k in range(n_channels)]
    channels = [
        {"channel_name": name, "bit_volts": 0.195 if "CH" in name else 0.001, "units": ""}
        for name in names
    ]
    path = folder / "structure.oebin"
    known = json.loads(path.read_text()) if path.exists() else {"continuous": [], "events": []}
    known["continuous"].append({
        "folder_name": f"{stream}/",
        "sample_rate": rate,
        "num_channels": n_channels,
        "channels": channels,
    })
    inner = folder / "continuous" / stream
    inner.mkdir(parents=True)
    path.write_text(json.dumps(known))
    traces.tofile(inner / "continuous.dat")
    np.save(inner / "sample_numbers.npy", first + np.arange(len(traces)))
    np.save(inner / "timestamps.npy", 1.0 + (first + np.arange(len(traces))) / rate)


def write_mda(path, array, code=None):
    """Write an array to an MDA file."""
    codes = {"<f4": -3, "<i2": -4, "<i4": -5, "<u2": -6, "<f8": -7, "<u4": -8, "|u1": -2}
    code = codes[array.dtype.str] if code is None else code
    head = struct.pack(f"<{3 + array.ndim}i", code, array.itemsize, array.ndim, *array.shape)
    path.write_bytes(head + array.tobytes(order="F"))


def write_mcs_raw(path, traces, rate):
    """Write the raw file of MC_DataTool, of values around 0."""
    labels = ";".join(f"El_{k:02d}" for k in range(traces.shape[1]))
    head = (
        "MC_DataTool binary conversion\r\nVersion 2.6.15\r\nMC_REC file = 'x.mcd'\r\n"
        f"Sample rate = {rate:.0f}\r\nADC zero = 0\r\nEl = 0.1667µV/AD\r\nStreams = {labels}\r\n"
        "EOH\r\n"
    )
    path.write_bytes(head.encode("latin-1") + traces.tobytes())
