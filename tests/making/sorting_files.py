"""Small files of other programs' sortings, as those programs write them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat

TRAINS: dict[int, list[int]] = {3: [10, 40, 900], 1: [20, 40], 12: [5, 2000, 2001, 3000]}
"""Samples by unit."""

RATE = 20_000.0


def columns() -> tuple[np.ndarray, np.ndarray]:
    """Return samples and units of all spikes in the order of time."""
    pairs = sorted((sample, unit) for unit, train in TRAINS.items() for sample in train)
    samples, units = zip(*pairs, strict=True)
    return np.array(samples), np.array(units)


def write_phy(folder: Path, *, has_params: bool = True, **tables: dict[int, Any]) -> Path:
    """Write spikes and tables of clusters, by the name of their field."""
    folder.mkdir(parents=True)
    samples, units = columns()
    np.save(folder / "spike_times.npy", samples.astype(np.uint64)[:, np.newaxis])
    np.save(folder / "spike_clusters.npy", units.astype(np.int32))
    if has_params:
        (folder / "params.py").write_text(
            f"dat_path = 'raw.dat'\nn_channels_dat = 4\ndtype = 'int16'\noffset = 0\n"
            f"sample_rate = {RATE}\nhp_filtered = False\n"
        )
    for field, values in tables.items():
        rows = "".join(f"{cluster}\t{value}\n" for cluster, value in values.items())
        (folder / f"cluster_{field}.tsv").write_text(f"cluster_id\t{field}\n{rows}")
    return folder


def write_waveclus(path: Path) -> Path:
    """Write classes and times in milliseconds."""
    samples, units = columns()
    classes = np.where(units == 12, 0, units)
    table = np.column_stack([classes, samples / (RATE / 1000)])
    savemat(path, {"cluster_class": table, "par": {"sr": RATE}})
    return path


def write_hdsort(path: Path, *, version: str) -> Path:
    """Write an array of structures; the unit 2000 is noise."""
    trains = {**TRAINS, 2000: [7, 8]}
    if version == "5":
        kind = [(name, object) for name in ("ID", "spikeTrain", "footprint", "cutLeft")]
        units = np.zeros((1, len(trains)), kind)
        for k, (unit, train) in enumerate(trains.items()):
            values = (float(unit), np.array([train], float) + 100, np.ones((3, 2)), 1.0)
            units[0, k] = values
        savemat(
            path,
            {
                "Units": units,
                "MultiElectrode": {"electrodeNumbers": np.arange(2.0)},
                "samplingRate": RATE,
                "sortingInfo": {"startTimes": 100.0},
            },
        )
        return path
    with h5py.File(path, "w") as file:
        fields: dict[str, list[h5py.Reference]] = {"ID": [], "spikeTrain": [], "cutLeft": []}
        for k, (unit, train) in enumerate(trains.items()):
            for name, values in (
                ("ID", [[float(unit)]]),
                ("spikeTrain", np.array(train, float)[:, np.newaxis] + 100),
                ("cutLeft", [[1.0]]),
            ):
                fields[name].append(file.create_dataset(f"#refs#/{name}{k}", data=values).ref)
        for name, references in fields.items():
            data = np.array(references, h5py.ref_dtype)[:, np.newaxis]
            file.create_dataset(f"Units/{name}", data=data, dtype=h5py.ref_dtype)
        file["MultiElectrode/electrodeNumbers"] = np.arange(2.0)
        file["samplingRate"] = np.array([[RATE]])
        file["sortingInfo/startTimes"] = np.array([[100.0]])
    return path


def write_cellexplorer(folder: Path, *, version: str, has_rate: bool = True) -> Path:
    """Write spike times in seconds in cells; the rate is in another file, if not in this."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rat.spikes.cellinfo.mat"
    trains = [np.array(train)[:, np.newaxis] / RATE for train in TRAINS.values()]
    if version == "5":
        cells = np.empty((1, len(trains)), object)
        cells[0, :] = trains
        spikes = {"UID": np.array([list(TRAINS)], float), "times": cells, "shankID": [[1.0, 2, 2]]}
        savemat(path, {"spikes": spikes | ({"sr": RATE} if has_rate else {})})
    else:
        with h5py.File(path, "w") as file:
            found = [
                file.create_dataset(f"#refs#/{k}", data=train.T).ref
                for k, train in enumerate(trains)
            ]
            data = np.array(found, h5py.ref_dtype)[:, np.newaxis]
            file.create_dataset("spikes/times", data=data, dtype=h5py.ref_dtype)
            file["spikes/UID"] = np.array(list(TRAINS), float)[:, np.newaxis]
            if has_rate:
                file["spikes/sr"] = np.array([[RATE]])
    if not has_rate:
        savemat(folder / "rat.session.mat", {"session": {"extracellular": {"sr": RATE}}})
    return path


def write_mclust(folder: Path, suffix: str = ".t", *, is_wide: bool = False) -> Path:
    """Write a file of times in tenths of milliseconds for each unit."""
    folder.mkdir(parents=True)
    kind = ">u8" if is_wide or suffix.endswith("64") else ">u4"
    ticks_per_s = RATE if suffix.startswith(".raw") else 10_000
    for unit, train in TRAINS.items():
        ticks = np.rint(np.array(train) / RATE * ticks_per_s).astype(kind)
        header = b"%%BEGINHEADER\n% Program: MClust\n%%ENDHEADER\n"
        (folder / f"TT1_{unit:02d}{suffix}").write_bytes(header + ticks.tobytes())
    return folder


def write_spykingcircus(folder: Path) -> Path:
    """Write parameters, and results in the folder of their name."""
    inner = folder / "rec"
    inner.mkdir(parents=True)
    (folder / "rec.params").write_text(
        f"[data]\nfile_format = raw_binary\nsampling_rate  = {RATE:g}   # Hz\n"
    )
    with h5py.File(inner / "rec.result.hdf5", "w") as file:
        for unit, train in TRAINS.items():
            file[f"spiketimes/temp_{unit}"] = np.array(train, np.uint32)
    return folder


def write_alf(folder: Path, *, part: str = "", has_samples: bool = True) -> Path:
    """Write ALF files of clusters 0 to 12, as IBL's pipeline does."""
    folder.mkdir(parents=True)
    samples, units = columns()
    np.save(folder / f"spikes.clusters{part}.npy", units.astype(np.uint16))
    np.save(folder / f"spikes.times{part}.npy", samples / 30_000.0)
    if has_samples:
        np.save(folder / f"spikes.samples{part}.npy", samples)
    np.save(folder / f"clusters.channels{part}.npy", np.arange(13, dtype=np.uint16))
    rows = "".join(f"{k},{k / 10},{'' if k == 4 else 1}\n" for k in range(13))
    (folder / f"clusters.metrics{part}.csv").write_text("cluster_id,firing_rate,label\n" + rows)
    return folder


def write_mearec(path: Path) -> Path:
    """Write a small simulation: noise on four channels, and the true spikes."""
    with h5py.File(path, "w") as file:
        file["recordings"] = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
        file["recordings"].attrs["gain_to_uV"] = 1.0
        file["channel_positions"] = np.column_stack([np.zeros(4), np.arange(4.0), np.arange(4) % 2])
        file["info/recordings/fs"] = RATE
        file["info/recordings/noise_mode"] = "uncorrelated"
        for name, value in (
            *(("electrode_name", "square"), ("description", "Four."), ("plane", "yz")),
            *(("shape", "circle"), ("size", 7.5), ("sortlist", "null")),
        ):
            file[f"info/electrodes/{name}"] = value
        for k, train in enumerate(TRAINS.values()):
            file[f"spiketrains/{k}/times"] = np.array(train) / RATE
            file[f"spiketrains/{k}/annotations/cell_type"] = "E"
    return path


def write_nwb_units(path, *, resolution=None, series_rate=None, names=None):
    """Write a table of units, perhaps with the rate, and with traces that begin at half a ms."""
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.6.0"
        units = file.create_group("units")
        units.attrs["colnames"] = np.array(["spike_times", "quality"], h5py.string_dtype())
        units["id"] = np.array(list(TRAINS))
        units["spike_times"] = np.concatenate([np.array(one) / RATE for one in TRAINS.values()])
        units["spike_times_index"] = np.cumsum([len(one) for one in TRAINS.values()])
        units["quality"] = np.array(["good", "mua", "noise"], h5py.string_dtype())
        if names:
            units["unit_name"] = np.array(names, h5py.string_dtype())
        if resolution:
            units["spike_times"].attrs["resolution"] = resolution
        if series_rate:
            series = file.create_group("acquisition/traces")
            series.attrs["neurodata_type"] = "ElectricalSeries"
            series["data"] = np.zeros((100, 2), np.int16)
            series["starting_time"] = 0.0005
            series["starting_time"].attrs["rate"] = series_rate
    return path
