"""HDF5 files of each reader, and what a user does with them."""

import shutil
from pathlib import Path

import h5py
import numpy as np

import spikeloom as si
from making.kwik_datasets import klusta_dataset, viewa_dataset
from making.sorting_files import (
    RATE,
    write_cellexplorer,
    write_hdsort,
    write_mearec,
    write_nwb_units,
    write_spykingcircus,
)
from spikeloom import KwikModel
from spikeloom.errors import SpikeloomError
from spikeloom.extractors.peeking import Peek

DATA = Path(__file__).parents[3] / "shared" / "data"


def each(*tasks):
    """Do all tasks, also when one complains; complain at the end as the first did."""
    first = None
    for task in tasks:
        try:
            task()
        except SpikeloomError as error:
            first = first or error
    if first is not None:
        raise first


def look(path):
    """Look at a file as `spikeloom.read` does."""
    peek = Peek(path)
    return peek.hdf5_members, peek.hdf5_attributes


def use_nwb(path):
    """Return what reads all that an NWB file has."""

    series = si.NwbRecordingExtractor.fetch_available_electrical_series_paths(path)

    def traces():
        for one in series:
            recording = si.read_nwb_recording(path, electrical_series_path=one)
            recording.get_traces(0, max(0, recording.get_num_samples() - 3))

    tasks = [lambda: look(path), traces]
    with h5py.File(path) as file:
        if "units" in file:
            tasks.append(lambda: si.NwbSortingExtractor(path, sampling_frequency=RATE, t_start=0.0))
        if "intervals" in file:
            tasks.append(lambda: si.read_nwb_event(path))
    return lambda: each(*tasks)


def _copied(source, folder):
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    shutil.copyfile(source, target)
    return target


def nwb_made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = write_nwb_units(
        folder / "a.nwb", resolution=1 / RATE, series_rate=RATE, names=["a", "b", "c"]
    )
    with h5py.File(path, "a") as file:
        trials = file.create_group("intervals/trials")
        trials.attrs["colnames"] = np.array(
            ["start_time", "stop_time", "label"], h5py.string_dtype()
        )
        trials["id"] = np.arange(3)
        trials["start_time"] = np.arange(3.0)
        trials["stop_time"] = np.arange(3.0) + 0.5
        trials["label"] = np.array(["a", "bb", "ccc"], h5py.string_dtype())
        table = file.create_group("general/extracellular_ephys/electrodes")
        table.attrs["colnames"] = np.array(
            ["group_name", "location", "rel_x", "rel_y"], h5py.string_dtype()
        )
        table["id"] = np.arange(2)
        table["group_name"] = np.array(["g", "g"], h5py.string_dtype())
        table["location"] = np.array(["CA1", "CA3"], h5py.string_dtype())
        table["rel_x"] = np.zeros(2)
        table["rel_y"] = np.arange(2.0)
        series = file["acquisition/traces"]
        series["electrodes"] = np.arange(2)
        chunked = file.create_group("acquisition/chunked")
        chunked.attrs["neurodata_type"] = "ElectricalSeries"
        chunked.create_dataset(
            "data", data=np.zeros((500, 2), "i2"), chunks=(64, 2), compression="gzip"
        )
        chunked["starting_time"] = 0.0
        chunked["starting_time"].attrs["rate"] = RATE
    return [(path, use_nwb(path))]


def nwb_real(folder):
    path = _copied(next((DATA / "nwb_hdmfzarr").glob("*.nwb")), folder)
    return [(path, use_nwb(path))]


def nwb_saved(folder):
    path = _copied(DATA / "locust1_si_tdc2/locust_trial1.nwb", folder)
    return [(path, use_nwb(path))]


def _use_kwik(path):
    """Return what reads each of the files of a Kwik dataset, by suffix."""

    def arrays():
        model = KwikModel(path)
        for rows in (model.features, model.masks, model.waveforms, model.traces):
            if rows is not None:
                rows[:3]

    def spikes():
        model = KwikModel(path)
        return repr(model), model.metadata, model.cluster_metadata, model.cluster_labels

    kwd = path.with_suffix(".raw.kwd")
    return {
        ".kwik": lambda: each(
            lambda: look(path),
            spikes,
            lambda: si.read_kwik(path),
            lambda: si.read_kwik_event(path),
            *([lambda: si.read_kwik_recording(path)] if kwd.exists() else []),
        ),
        ".kwx": lambda: each(lambda: look(path.with_suffix(".kwx")), arrays),
        ".raw.kwd": lambda: each(
            lambda: look(kwd), lambda: si.read_kwik_recording(kwd).get_traces(0, 0, 10), arrays
        ),
    }


def _kwik_made(make):
    def cases(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path = make(folder)
        return [(path.with_suffix(suffix), use) for suffix, use in _use_kwik(path).items()]

    return cases


def kwik_real(folder):
    """Return real files of klusta and of Axona data."""
    found = []
    for name in ("kwik_hybrid10s", "axona_tt8_dev"):
        for source in sorted((DATA / name).iterdir()):
            if source.is_file():
                _copied(source, folder / name)
        path = next((folder / name).glob("*.kwik"))
        uses = _use_kwik(path)
        found += [(path.with_suffix(suffix), uses[suffix]) for suffix in (".kwik", ".kwx")]
    return found


def _use_mearec(path):
    return lambda: each(
        lambda: look(path),
        lambda: si.MEArecRecordingExtractor(path, all_annotations=True).get_traces(0, 0, 10),
        lambda: si.MEArecSortingExtractor(path).spike_table(),
    )


def mearec_made(folder):
    """Return a small simulation."""
    folder.mkdir(parents=True, exist_ok=True)
    path = write_mearec(folder / "simulation.h5")
    return [(path, _use_mearec(path))]


def mearec_real(folder):
    """Return a simulation that MEArec made."""
    path = _copied(DATA / "mearec/tetrode_8u_20s.h5", folder)
    return [(path, _use_mearec(path))]


def matlab(folder):
    folder.mkdir(parents=True, exist_ok=True)
    hdsort = write_hdsort(folder / "7.mat", version="7.3")
    cells = write_cellexplorer(folder / "cells", version="7.3")
    wave = folder / "times_a.mat"
    with h5py.File(wave, "w") as file:
        file["cluster_class"] = np.array([[1.0, 2, 1], [5.0, 7, 9]])
        file["par/sr"] = np.array([[RATE]])
    return [
        (hdsort, lambda: each(lambda: look(hdsort), lambda: si.read_hdsort(hdsort).spike_table())),
        (
            cells,
            lambda: each(lambda: look(cells), lambda: si.read_cellexplorer(cells).spike_table()),
        ),
        (wave, lambda: each(lambda: look(wave), lambda: si.read_waveclus(wave).spike_table())),
    ]


def spykingcircus(folder):
    write_spykingcircus(folder)
    path = folder / "rec" / "rec.result.hdf5"
    return [
        (
            path,
            lambda: each(lambda: look(path), lambda: si.read_spykingcircus(folder).spike_table()),
        )
    ]


MADE = {
    "nwb": nwb_made,
    "klusta": _kwik_made(klusta_dataset),
    "viewa": _kwik_made(viewa_dataset),
    "mearec": mearec_made,
    "matlab": matlab,
    "spykingcircus": spykingcircus,
}
"""What gives files and what uses them, by the name of their format."""

REAL = {
    "nwb_real": nwb_real,
    "nwb_saved": nwb_saved,
    "kwik_real": kwik_real,
    "mearec_real": mearec_real,
}
"""The same for real files."""

CASES = MADE | REAL
