"""Open and read one file with one side, in a process of its own.

``reading_tasks.py SIDE FORMAT PATH`` runs with the interpreter of that side (``spikeloom`` or
``spikeinterface``; ``limit`` is numpy or h5py alone) and prints milliseconds as JSON: of importing
the package and the first opening, of later ones, of a second of traces somewhere, and of all there
is, second by second. Of a sorting, it is the first spike vector and the trains of all units.
"""

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np

RATE = 30_000
N_AGAIN = 7

FUNCTIONS = {
    "spikeglx": ("read_spikeglx", {"stream_id": "imec0.ap"}),
    "openephys": ("read_openephys", {}),
    "cbin": ("read_cbin_ibl", {}),
    "nwb": ("read_nwb_recording", {}),
    "mearec": ("read_mearec", {}),
    "mda": ("read_mda_recording", {}),
    "npy": ("read_npy_recording", {"sampling_frequency": RATE}),
    "kwik": ("read_kwik_recording", {}),
    "phy": ("read_phy", {}),
    "kilosort": ("read_kilosort", {}),
    "intan": ("read_intan", {"stream_id": "0"}),
    "blackrock": ("read_blackrock", {}),
}


class Traces:
    """What is an array in a file, as numpy or h5py open it, in the words of a recording."""

    def __init__(self, name, path):
        if name == "npy":
            self.traces = np.load(path, mmap_mode="r")
        else:
            h5py = importlib.import_module("h5py")
            inside = {"kwik": "recordings/0/data", "nwb": "acquisition/ElectricalSeries/data",
                      "mearec": "recordings"}  # fmt: skip
            self.traces = h5py.File(path)[inside[name]]

    def get_num_samples(self, _):
        return len(self.traces)

    def get_traces(self, _, start, stop):
        return np.asarray(self.traces[start:stop])


def opener(side, name, path):
    """Return what opens the file."""
    if side == "limit":
        return lambda: Traces(name, path)
    function, kwargs = FUNCTIONS[name.partition("_")[0]]
    package = "spikeloom" if side == "spikeloom" else "spikeinterface.extractors"
    module = importlib.import_module(package)

    def open_it():
        if side == "spikeloom" and name not in {"cbin", "kilosort"}:
            # By content, as people do; these two are told from others by their function alone.
            kind = "sorting" if name.startswith("phy") else "recording"
            opened = module.read(path, kind=kind, **kwargs)
        else:
            opened = getattr(module, function)(path, **kwargs)
        return opened[0] if isinstance(opened, tuple) else opened

    return open_it


def timed(task):
    """Return what a task gives, and its milliseconds: by the clock, and of processors."""
    start, start_cpu = time.perf_counter(), time.process_time()
    given = task()
    used_s = time.process_time() - start_cpu
    return given, np.array([time.perf_counter() - start, used_s]) * 1e3


def read_all(recording):
    """Read all traces, a second at a time."""
    for segment in range(getattr(recording, "get_num_segments", lambda: 1)()):
        n_samples = recording.get_num_samples(segment)
        for start in range(0, n_samples, RATE):
            recording.get_traces(segment, start, min(start + RATE, n_samples)).max()


def measure(side, name, path):
    """Return the milliseconds of each step, by the clock and of processors."""
    open_it, imported = timed(lambda: opener(side, name, path))
    opened, first = timed(open_it)
    told = {
        "import and open": imported + first,
        "open again": median(timed(open_it)[1] for _ in range(N_AGAIN)),
    }
    if name in {"phy", "kilosort"}:
        _, told["spike vector"] = timed(opened.to_spike_vector)
        _, told["all trains"] = timed(
            lambda: [opened.get_unit_spike_train(unit, segment_index=0) for unit in opened.unit_ids]
        )
    elif "_" not in name:  # the large and the many are opened only
        last = max(opened.get_num_samples(0) - RATE, 0)
        places = np.random.default_rng(0).integers(0, last + 1, N_AGAIN).tolist()
        told["read a second"] = median(
            timed(lambda place=place: opened.get_traces(0, place, place + RATE).max())[1]
            for place in places
        )
        _, told["read all"] = timed(lambda: read_all(opened))
    return {f"{step}, {what}": value
            for step, values in told.items()
            for what, value in zip(("ms", "CPU ms"), values.tolist(), strict=True)}  # fmt: skip


def median(measured):
    """Return the median of measurements, each by clock and processors."""
    return np.median(list(measured), axis=0)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
