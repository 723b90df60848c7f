"""Small HDF5 files of rigs, laid out as their programs write them."""

import h5py
import numpy as np

MCS_FIELDS = [
    *(("ChannelID", "<i4"), ("RowIndex", "<i4"), ("GroupID", "<i4"), ("Label", "S8")),
    *(("RawDataType", "S8"), ("Unit", "S4"), ("Exponent", "<i4"), ("ADZero", "<i4")),
    *(("Tick", "<i8"), ("ConversionFactor", "<i8"), ("ADCBits", "<i4")),
]
"""Of the table of channels of Multi Channel Systems."""


def write_mcs_hdf5(path, traces, *, number=0, stamps=None, rows=None, **kwargs):
    """Write, or add, an analogue stream of Multi Channel Systems; traces are (samples, channels).

    `stamps` are rows of time in microseconds, first and last sample; `rows` are where in the file
    each channel is; further arguments are columns of the table of channels.
    """
    n_samples, n_channels = traces.shape
    rows = np.arange(n_channels) if rows is None else np.asarray(rows)
    columns = {
        "ChannelID": np.arange(n_channels) + 10,
        "RowIndex": rows,
        "Label": [f"A{k + 1}" for k in range(n_channels)],
        "RawDataType": "Int",
        "Unit": "V",
        "Exponent": -12,
        "ADZero": 0,
        "Tick": 50,
        "ConversionFactor": 381_470,
        "ADCBits": 24,
    }
    table = np.zeros(n_channels, MCS_FIELDS)
    for name, values in (columns | kwargs).items():
        table[name] = values
    stored = np.empty(traces.T.shape, traces.dtype)
    stored[rows] = traces.T
    with h5py.File(path, "a") as file:
        file.attrs["McsHdf5ProtocolType"] = "RawData"
        file.attrs["McsHdf5ProtocolVersion"] = 3
        stream = file.create_group(f"Data/Recording_0/AnalogStream/Stream_{number}")
        stream.attrs["Label"] = f"Filter {number}"
        stream.create_dataset("ChannelData", data=stored, chunks=(1, 200), compression="gzip")
        stream["ChannelDataTimeStamps"] = np.array(stamps or [[0, 0, n_samples - 1]], "i8")
        stream["InfoChannel"] = table
    return path


SINAPS = {
    "probeType": "p4s1",
    "nbElectrodes": 4,
    "samplingFreq": 20_000,
    "nbADCLevels": 4096,
    "nbHWAux": 1,
    "numberUserAUX": 2,
    "voltageConverter": "4,5",
    "voltageAUXConverter": 100,
}
"""Settings of a recording of SiNAPS with four electrodes and three auxiliary inputs."""


def sinaps_traces(n_samples=300, seed=0):
    """Return raw and filtered traces and auxiliary inputs, of uint16 and 12 bits."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.integers(0, 4096, (n_samples, n)).astype(np.uint16)
        for name, n in (("raw", 4), ("filt", 4), ("aux", 3))
    }


def write_sinaps(folder, *, suffix=".bin", **settings):
    """Write a flat file of SiNAPS with its settings; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    traces = sinaps_traces()
    names = ("raw", "filt", "aux") if suffix == ".bin" else ("raw",)
    np.hstack([traces[name] for name in names]).tofile(folder / f"rec{suffix}")
    lines = [f"{key}={value}" for key, value in (SINAPS | settings).items()]
    text = "\n".join(["*** Recording ***", *lines, ""])
    (folder / "metadata_rec.txt").write_text(text)
    return folder / f"rec{suffix}"


def write_sinaps_hdf5(path):
    """Write an HDF5 file of SiNAPS; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    traces = sinaps_traces()
    with h5py.File(path, "w") as file:
        for name, place in (
            ("filt", "RealTimeProcessedData/FilteredData"),
            ("raw", "RawData/ElectrodeArrayData"),
            ("aux", "RawData/AuxData"),
        ):
            file.create_dataset(place, data=traces[name].T, chunks=(2, 100))
        for name, value in (
            ("Parameters/SamplingFrequency", 20_000.0),
            ("Parameters/VoltageConverter", 4.5),
            ("Parameters/VoltageConverterAUX", 100.0),
            ("Advanced Recording Parameters/DAQ/nbADCLevels", 4096),
        ):
            file[name] = np.array([value])
        file["Advanced Recording Parameters/Probe/probeType"] = "p4s1"
    return path


def write_xclust(folder, trains, *, rate, fields="id time peak"):
    """Write a file for each cluster of a session, ``S~1.CEL``; `trains` are samples."""
    folder.mkdir(parents=True, exist_ok=True)
    for cluster, train in trains.items():
        head = ["%%BEGINHEADER", "% Program: xclust3", f"% Cluster: {cluster}",
                f"% Fields: {fields}", "%%ENDHEADER"]  # fmt: skip
        rows = [f"{k} {sample / rate:.6f} {k * 1.5}" for k, sample in enumerate(train)]
        (folder / f"S~{cluster}.CEL").write_text("\n".join([*head, *rows, ""]))
    return folder
