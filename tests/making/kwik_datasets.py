"""Kwik datasets in both dialects, made up."""

import h5py
import numpy as np

import spikeloom as si
from spikeloom.extractors.kwik_contents import KwikRecording

RATE = 20_000.0

CHANNELS = (4, 3, 2, 0)
"""Those that were kept, in descending order, as klusta's tests have them."""

LENGTHS = (3000, 5000)


def raw_traces(n_channels=6, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(-500, 500, (n, n_channels)).astype(np.int16) for n in LENGTHS]


def raw_recording(**kwargs):
    return si.NumpyRecording(raw_traces(**kwargs), RATE)


def group_data(seed=1, n_spikes=80, channels=CHANNELS, **changes):
    """Return spikes of two recordings, in the order of time within each."""
    rng = np.random.default_rng(seed)
    numbers = np.sort(rng.integers(0, 2, n_spikes))
    samples = np.concatenate([
        np.sort(rng.integers(0, LENGTHS[k], int((numbers == k).sum()))) for k in (0, 1)
    ])
    contents = {
        "channels": channels,
        "time_samples": samples,
        "recording_numbers": numbers,
        "clusterings": {
            "main": rng.integers(2, 7, n_spikes),
            "original": rng.integers(2, 12, n_spikes),
        },
        "cluster_groups": {2: 0, 3: 1, 4: 2, 5: 4},
        "group_names": {4: "Odd"},
        "positions_um": np.column_stack([10.0 * np.arange(len(channels)), np.zeros(len(channels))]),
        "features": rng.normal(size=(n_spikes, len(channels), 3)).astype(np.float32),
        "masks": rng.random((n_spikes, len(channels))).astype(np.float32),
    }
    return si.KwikChannelGroupData(**{**contents, **changes})


METADATA = {
    "filter_low": 500.0,
    "filter_high_factor": 0.475,
    "filter_butter_order": 3,
    "extract_s_before": 15,
    "extract_s_after": 25,
    "voltage_gain": 10.0,
    "detect_spikes": "negative",
    "raw_data_files": ["a.dat", "b.dat"],
    "use_single_threshold": True,
}

EVENTS = {
    "stimulus": {"time_samples": [10, 200, 30], "recording": [0, 0, 1], "code": [1, 2, 1]},
    "notes": {"time_samples": [5], "recording": [1], "Text": ["hello µ"]},
}


def klusta_dataset(folder, name="session", *, has_raw=True, groups=None, **arguments):
    """Write a dataset as klusta 3 does; return the ``.kwik`` file."""
    folder.mkdir(parents=True, exist_ok=True)
    recordings = () if has_raw else [KwikRecording(k, sampling_frequency=RATE) for k in (0, 1)]
    arguments = {
        "metadata": METADATA,
        "kk2_metadata": {"num_starting_clusters": 100},
        "recordings": recordings,
        "raw_recording": raw_recording() if has_raw else None,
        "events": EVENTS,
        **arguments,
    }
    return si.write_kwik(
        folder / f"{name}.kwik", groups or {1: group_data()}, sampling_frequency=RATE, **arguments
    )


def text(value):
    return np.array([value.encode()])


def viewa_dataset(folder, name="old"):
    """Write a dataset in the dialect of KlustaViewa and Open Ephys; return the ``.kwik`` file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.kwik"
    data = group_data()
    with h5py.File(path, "w") as file:
        file.attrs.update({"kwik_version": np.array([2]), "name": text(name)})
        file.create_group("user_data")
        detection = file.create_group("application_data/spikedetekt")
        detection.attrs["nchannels"] = 6
        detection.attrs["sample_rate"] = np.array([RATE])
        detection.attrs["nfeatures_per_channel"] = 3
        detection.attrs["nothing"] = h5py.Empty("f8")
        group = file.create_group("channel_groups/0")
        group.attrs["channel_order"] = np.array(CHANNELS, np.int32)
        group.attrs["name"] = np.array([b"shank"], "S8")
        for channel in (0, 2, 3, 4, 5):
            node = group.create_group(f"channels/{channel}")
            node.attrs["name"] = text(f"ch{channel}")
            node.create_group("application_data/klustaviewa")
        spikes = group.create_group("spikes")
        chunks = {"chunks": (16,), "maxshape": (None,), "compression": "gzip"}
        samples = np.asarray(data.time_samples).astype(np.uint64)
        spikes.create_dataset("time_samples", data=samples, **chunks)
        spikes.create_dataset(
            "recording", data=np.asarray(data.recording_numbers).astype(np.uint16), **chunks
        )
        main = np.asarray(data.clusterings["main"]).astype(np.uint32)
        spikes.create_dataset("clusters/main", data=main, **chunks)
        spikes.create_group("features_masks").attrs["hdf5_path"] = text("{kwx}/channel_groups/0")
        for cluster in np.unique(main).tolist():
            node = group.create_group(f"clusters/main/{cluster}")
            node.attrs["cluster_group"] = "good" if cluster == 4 else np.array([cluster % 4])
            node.create_group("application_data/klustaviewa").attrs["color"] = 3
            node.create_group("user_data").attrs["depth"] = 10.0 * cluster
        for number, what in enumerate(["Noise", "MUA", "Good", "Unsorted"]):
            group.create_group(f"cluster_groups/main/{number}").attrs["name"] = text(what)
        for k in (0, 1):
            node = file.create_group(f"recordings/{k}")
            node.attrs.update({"sample_rate": np.array([RATE]), "bit_depth": 16})
            node.attrs["start_time"] = 0.5 * k
            node.attrs["start_sample"] = 0
            node.create_group("raw").attrs["hdf5_path"] = text(f"{{raw.kwd}}/recordings/{k}")
        events = file.create_group("event_types/ttl/events")
        events.create_dataset("time_samples", data=np.array([7, 90], np.uint64))
        events.create_dataset("recording", data=np.array([0, 1], np.uint16))
    with h5py.File(path.with_suffix(".kwx"), "w") as file:
        flat = np.asarray(data.features).reshape(len(samples), -1)
        file.create_dataset(
            "channel_groups/0/features_masks",
            data=np.dstack([flat, np.repeat(np.asarray(data.masks), 3, axis=1)]),
            chunks=(8, 12, 2),
            maxshape=(None, 12, 2),
        )
    write_open_ephys_kwd(path.with_suffix(".raw.kwd"))
    return path


def write_open_ephys_kwd(path, gains=None):
    with h5py.File(path, "w") as file:
        file.attrs["kwik_version"] = 2
        for k, traces in enumerate(raw_traces()):
            node = file.create_group(f"recordings/{k}")
            node.attrs.update({"sample_rate": np.array([RATE]), "bit_depth": np.array([16])})
            node.attrs["start_time"] = np.array([k * 40_000], np.uint64)  # in samples
            node.create_dataset("data", data=traces, chunks=(1024, 6), maxshape=(None, 6))
            if gains is not None:
                node.create_group("application_data").attrs["channel_bit_volts"] = gains
