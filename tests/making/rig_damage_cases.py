"""Files of rigs and of their sorters that are damaged, and what is done with them."""

import h5py
import numpy as np

import spikeloom as si
from making.bids_folders import write_bids
from making.damage_cases import (
    case,
    files_below,
    look_at_event,
    look_at_recording,
    look_at_sorting,
)
from making.hdf5_array_files import make_maxwell_old
from making.hdf5_cases import each, look
from making.neuroscope_files import make_neuroscope, write_clusters
from making.nwb_makers import make_nwb
from making.phy_folders import write_phy_folder
from making.recording_files import random_traces
from making.rig_files import write_mcs_hdf5, write_sinaps, write_sinaps_hdf5, write_xclust
from making.sorter_folders import (
    write_combinato,
    write_herdingspikes,
    write_tridesclous,
    write_yass,
)
from spikeloom.extractors.describing import describe_object


def neuroscope(folder):
    make_neuroscope(folder / "x")
    write_clusters(folder / "x", "x", 1, [5, 9, 20, 21], [2, 0, 1, 2])
    files = files_below(folder, but=("x.dat",))
    return case(files, lambda: si.read_neuroscope_sorting(folder / "x"), look_at_sorting)


def xclust(folder):
    write_xclust(folder / "x", {1: [10, 40, 900], 2: [5]}, rate=30_000.0)
    return case(
        files_below(folder), lambda: si.read_xclust(folder / "x", sampling_frequency=3e4),
        look_at_sorting,
    )  # fmt: skip


def sinaps(folder):
    path = write_sinaps(folder / "x")

    def read_all(_):
        for name in ("filt", "aux"):
            look_at_recording(si.read_sinaps_research_platform(path, name))

    return case(path.with_name("metadata_rec.txt"), lambda: None, read_all)


def kilosort_analyzer(folder):
    write_phy_folder(folder / "x", has_raw=False)
    names = ("params", "spike_times", "spike_clusters", "spike_templates", "templates",
             "channel_map", "channel_positions", "whitening_mat_inv")  # fmt: skip
    rng = np.random.default_rng(0)
    np.save(folder / "x/spike_positions.npy", rng.uniform(0, 9, (400, 2)).astype("f4"))
    files = [path for path in files_below(folder) if path.stem in {*names, "spike_positions"}]

    def use(analyzer):
        for name in analyzer.get_loaded_extension_names():
            analyzer.get_extension(name).get_data()
        look_at_sorting(analyzer.sorting)

    return case(files, lambda: si.read_kilosort_as_analyzer(folder / "x", gain_to_uV=2.0), use)


def tridesclous(folder):
    write_tridesclous(folder / "x")
    return case(
        files_below(folder / "x"), lambda: si.read_tridesclous(folder / "x"), look_at_sorting
    )


def yass(folder):
    write_yass(folder / "x")
    return case(files_below(folder / "x"), lambda: si.read_yass(folder / "x"), look_at_sorting)


def bids(folder):
    """The tables; the file has a case of its own."""
    write_bids(folder / "x")

    def look_at_all(recordings):
        for recording in recordings:
            look_at_recording(recording)

    return case(sorted((folder / "x").glob("*.tsv")), lambda: si.read_bids(folder / "x"),
                look_at_all)  # fmt: skip


CASES = {
    one.__name__: one
    for one in (neuroscope, xclust, sinaps, kilosort_analyzer, tridesclous, yass, bids)
}
"""Makers of cases by name; each takes a new folder."""


def mcs(folder):
    path = write_mcs_hdf5(
        folder / "x.h5", random_traces(500, 4), stamps=[[0, 0, 99], [9, 100, 499]]
    )
    return path, lambda: look_at_recording(si.read_mcsh5(path))


def sinaps_hdf5(folder):
    path = write_sinaps_hdf5(folder / "x.h5")
    return path, lambda: each(
        *(
            lambda name=name: look_at_recording(si.read_sinaps_research_platform_h5(path, name))
            for name in ("filt", "raw", "aux")
        )
    )


def maxwell_events(folder):
    path = make_maxwell_old(folder / "x").path
    with h5py.File(path, "a") as file:
        file["bits"] = np.array([(5, 1), (9, 0)], [("frameno", "<i8"), ("bits", "<i4")])
    return path, lambda: look_at_event(si.read_maxwell_event(path))


def nwb_timeseries(folder):
    maker = make_nwb(folder, "hdf5")
    maker.group("acquisition/speed", neurodata_type="TimeSeries")
    maker.array("acquisition/speed/data", random_traces(300, 1)[:, 0], unit="cm/s", conversion=2.0)
    maker.array("acquisition/speed/starting_time", 0.5, rate=100.0)
    return maker.path, lambda: look_at_recording(si.read_nwb_timeseries(maker.path))


def herdingspikes(folder):
    path = folder / "x.hdf5"
    write_herdingspikes(path)
    return path, lambda: look_at_sorting(si.read_herdingspikes(path))


def combinato(folder):
    write_combinato(folder / "CSC1")
    path = folder / "CSC1/sort_neg_simple/sort_cat.h5"
    return path, lambda: look_at_sorting(si.read_combinato(folder / "CSC1"))


def combinato_times(folder):
    write_combinato(folder / "CSC1")
    path = folder / "CSC1/data_CSC1.h5"
    return path, lambda: look_at_sorting(si.read_combinato(folder / "CSC1"))


def mearec_templates(folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "templates.h5"
    with h5py.File(path, "w") as file:
        rng = np.random.default_rng(1)
        file["templates"] = rng.normal(size=(5, 4, 30))
        for name in ("locations", "rotations"):
            file[name] = rng.normal(size=(5, 3))
        file["celltypes"] = [b"L5_MC", b"L5_BP", b"L5_MC", b"L5_ChC", b"L5_TTPC1"]
        for name, value in {"dt": 0.1, "cut_out": [1, 2], "probe": "tetrode", "n": 5}.items():
            file[f"info/params/{name}"] = value
    return path, lambda: describe_object(si.read_mearec_templates(path))


def _looked_at(make):
    def made(folder):
        path, use = make(folder)
        return path, lambda: each(lambda: look(path), use)

    return made


HDF5_CASES = {
    one.__name__: _looked_at(one)
    for one in (
        mcs,
        sinaps_hdf5,
        maxwell_events,
        nwb_timeseries,
        herdingspikes,
        combinato,
        combinato_times,
        mearec_templates,
    )
}
"""Makers of HDF5 files by name: the file, and what reads it."""
