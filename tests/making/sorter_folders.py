"""Small results of tridesclous, HerdingSpikes, Combinato and YASS, as these programs write them."""

import json
import pickle

import h5py
import numpy as np

RATE = 20_000.0
TRAINS = ({3: [10, 40, 900], 7: [25]}, {3: [5], 7: [100, 2000]})
"""Spikes of the units of two segments."""

_SPIKE = [("index", "<i8"), ("cluster_label", "<i8"), ("jitter", "<f8")]

_CLUSTER = [
    *[("cluster_label", "<i8"), ("cell_label", "<i8"), ("extremum_channel", "<i8")],
    *[("extremum_amplitude", "<f8"), ("waveform_rms", "<f8"), ("nb_peak", "<i8")],
    *[("tag", "<U16"), ("annotations", "<U32"), ("color", "<u4")],
]


def _write_collection(folder, name, array):
    folder.mkdir(parents=True, exist_ok=True)
    array.tofile(folder / f"{name}.raw")
    described = {"dtype": array.dtype.descr, "shape": list(array.shape), "annotations": {}}
    (folder / "arrays.json").write_text(json.dumps({name: described}))


def write_tridesclous(folder, trains=TRAINS, *, groups=(0,)):
    """Write a working folder; -1 and -11 are the labels of noise and of what fits no cluster."""
    folder.mkdir()
    source = {"total_channel": 4, "nb_segment": len(trains), "sample_rate": RATE}
    (folder / "info.json").write_text(
        json.dumps({"tridesclous_version": "1.6.9", "datasource_info": source})
    )
    labels = sorted(set().union(*trains))
    clusters = np.zeros(len(labels) + 1, _CLUSTER)
    clusters["cluster_label"] = [*labels, -1]
    clusters["tag"] = [*(["good"] * len(labels)), "trash"]
    clusters["extremum_channel"] = np.arange(len(clusters))
    for group in groups:
        inner = folder / f"channel_group_{group}"
        _write_collection(inner / "catalogues/initial", "clusters", clusters)
        (inner / "catalogues/initial/catalogue.pickle").write_bytes(pickle.dumps({"chan_grp": 0}))
        for k, segment in enumerate(trains):
            rows = [(sample, unit, 0.0) for unit, train in segment.items() for sample in train]
            rows += [(12, -11, 0.0)]
            spikes = np.array(sorted(rows), _SPIKE)
            _write_collection(inner / f"segment_{k}", "spikes", spikes)


def write_herdingspikes(path, trains=TRAINS[0], *, rate=RATE):
    """Write a file of clusters."""
    rows = sorted((sample, unit) for unit, train in trains.items() for sample in train)
    with h5py.File(path, "w") as file:
        file["times"] = np.array([sample for sample, _ in rows])
        file["cluster_id"] = np.array([unit for _, unit in rows])
        file["centres"] = np.arange(2.0 * len(trains)).reshape(-1, 2)
        file["Sampling"] = rate


def write_combinato(folder, *, rate=RATE):
    """Write a channel: negative spikes of two units, and of a group of artefacts."""
    inner = folder / "sort_neg_simple"
    inner.mkdir(parents=True)
    samples = np.array([10, 40, 100, 200, 300, 900])
    with h5py.File(folder / f"data_{folder.stem}.h5", "w") as file:
        file["neg/times"] = samples / rate * 1000
    with h5py.File(inner / "sort_cat.h5", "w") as file:
        file["index"] = np.arange(6)
        file["classes"] = np.array([1, 2, 3, 1, 4, 5])
        file["groups"] = np.array([[1, 1], [2, 1], [3, 2], [4, 0], [5, 3]])
        file["types"] = np.array([[0, -1], [1, 2], [2, 1], [3, 0]])
    with h5py.File(folder.with_name(f"{folder.name}.h5"), "w") as file:
        file["sr"] = [rate]


def write_yass(folder, trains=TRAINS[0]):
    """Write a working folder."""
    output = folder / "tmp/output"
    output.mkdir(parents=True)
    rows = sorted((sample, unit) for unit, train in trains.items() for sample in train)
    np.save(output / "spike_train.npy", np.array(rows))
    (folder / "config.yaml").write_text(
        f"data:\n  recordings: x.bin\nrecordings:\n  sampling_rate: {RATE:.0f}  # Hz\n"
    )
