"""One task of the core library, done once by one side in a process of its own.

``core_tasks.py SIDE TASK SETTING FOLDER`` runs with the interpreter of that side (``spikeloom`` or
``spikeinterface``; ``limit`` is what the machine itself needs for the unavoidable part) and prints
seconds, processor seconds and peak memory as JSON. What a task needs before is not timed.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from measuring import cpu_s, peak_mib

RATE = 30_000
N_CHANNELS = 64
N_SPIKES, N_UNITS, N_HOUR_SAMPLES = 10_000_000, 500, 3600 * RATE
TRUTH = {"durations": [60.0], "sampling_frequency": 30_000.0, "num_channels": 32, "num_units": 32}


def job_kwargs(setting):
    """Return the options of jobs for ``serial``, ``threads`` or ``processes``."""
    n_jobs = 1 if setting == "serial" else 2
    engine = "process" if setting == "processes" else "thread"
    return {
        "n_jobs": n_jobs,
        "pool_engine": engine,
        "chunk_duration": "1s",
        "progress_bar": False,
    }


class Side:
    """The tasks, in the words that both libraries share."""

    def __init__(self, name, setting, folder):
        self.name, self.folder = name, folder
        self.jobs = job_kwargs(setting)
        self.si = importlib.import_module(
            "spikeloom" if name == "spikeloom" else "spikeinterface.core"
        )

    def recording(self):
        """Open the flat file as a recording."""
        recording = self.si.read_binary(self.folder / "traces.raw", RATE, "int16", N_CHANNELS)
        recording.set_channel_gains(0.195)
        recording.set_channel_offsets(0.0)
        return recording

    def save_binary(self):
        recording, out = self.recording(), self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        yield
        recording.save(folder=out, format="binary", **self.jobs)
        yield
        shutil.rmtree(out)

    def save_zarr(self):
        recording, out = self.recording(), self.folder / "out.zarr"
        shutil.rmtree(out, ignore_errors=True)
        yield
        recording.save(folder=out, format="zarr", **self.jobs)
        yield
        shutil.rmtree(out)

    def random_chunks(self):
        """Read a hundred random seconds in microvolts."""
        recording = self.recording()
        starts = np.random.default_rng(0).integers(0, recording.get_num_samples() - RATE, 100)
        recording.get_traces(start_frame=0, end_frame=10, return_in_uV=True)
        yield
        for start in starts.tolist():
            recording.get_traces(start_frame=start, end_frame=start + RATE, return_in_uV=True)

    def noise_levels(self):
        recording = self.recording()
        yield
        self.si.get_noise_levels(recording, return_in_uV=True, **self.jobs)

    def spikes(self):
        rng = np.random.default_rng(0)
        samples = np.sort(rng.integers(0, N_HOUR_SAMPLES, N_SPIKES))
        return samples, rng.integers(0, N_UNITS, N_SPIKES)

    def spike_vector(self):
        """Build a sorting of ten million spikes, and its spike vector."""
        samples, labels = self.spikes()
        yield
        sorting = self.si.NumpySorting.from_samples_and_labels([samples], [labels], RATE)
        sorting.to_spike_vector()

    def all_spike_trains(self):
        samples, labels = self.spikes()
        sorting = self.si.NumpySorting.from_samples_and_labels([samples], [labels], RATE)
        yield
        for unit_id in sorting.unit_ids:
            sorting.get_unit_spike_train(unit_id, segment_index=0)

    def ground_truth(self):
        """Make a minute of a known recording, and read it."""
        yield
        recording, _ = self.si.generate_ground_truth_recording(seed=1, **TRUTH)
        for start in range(0, recording.get_num_samples(), RATE):
            recording.get_traces(start_frame=start, end_frame=start + RATE)


def traces_of(folder):
    """Open the flat file as numpy does."""
    return np.memmap(folder / "traces.raw", "int16", "r").reshape(-1, N_CHANNELS)


def limit_save_binary(folder):
    yield
    shutil.copyfile(folder / "traces.raw", folder / "copy.raw")
    yield
    (folder / "copy.raw").unlink()


def limit_save_zarr(folder):
    numcodecs = importlib.import_module("numcodecs")
    numcodecs.blosc.use_threads = False
    codec = numcodecs.Blosc(cname="zstd", clevel=5, shuffle=numcodecs.Blosc.BITSHUFFLE)
    traces = traces_of(folder)
    yield
    for start in range(0, len(traces), RATE):
        codec.encode(np.ascontiguousarray(traces[start : start + RATE]))


def limit_random_chunks(folder):
    traces = traces_of(folder)
    starts = np.random.default_rng(0).integers(0, len(traces) - RATE, 100)
    out = np.empty((RATE, N_CHANNELS), np.float32)
    yield
    for start in starts.tolist():
        np.multiply(traces[start : start + RATE], np.float32(0.195), out=out)


def limit_noise_levels(folder):
    traces = traces_of(folder)
    yield
    for start in range(0, 20 * RATE, RATE):
        part = np.ascontiguousarray(traces[start : start + RATE // 2].T)
        np.partition(part, RATE // 4, axis=1)


def limit_spike_vector(folder):
    rng = np.random.default_rng(0)
    samples = np.sort(rng.integers(0, N_HOUR_SAMPLES, N_SPIKES))
    labels = rng.integers(0, N_UNITS, N_SPIKES)
    out = np.empty((N_SPIKES, 3), np.int64)
    yield
    out[:, 0], out[:, 1], out[:, 2] = samples, labels, 0


def limit_all_spike_trains(folder):
    labels = np.random.default_rng(0).integers(0, N_UNITS, N_SPIKES).astype(np.uint16)
    yield
    np.argsort(labels, kind="stable")  # a radix sort, for numbers of 16 bits


def limit_ground_truth(folder):
    rng = np.random.Generator(np.random.SFC64(0))
    yield
    for _ in range(60):
        rng.standard_normal((RATE, 32), np.float32)


def run(side, task, setting, folder):
    """Do a task; return seconds, processor seconds and peak memory."""
    if task == "import":
        steps = import_side(side)
    elif side == "limit":
        steps = globals()[f"limit_{task}"](folder)
    else:
        steps = getattr(Side(side, setting, folder), task)()
    next(steps)  # what it needs before
    start, start_cpu = time.perf_counter(), cpu_s()
    next(steps, None)
    wall_s, used_s = time.perf_counter() - start, cpu_s() - start_cpu
    peak = peak_mib()
    next(steps, None)  # cleaning up
    return {"wall_s": wall_s, "cpu_s": used_s, "peak_mib": peak}


def import_side(side):
    """Import a library as its users do, in a new interpreter."""
    what = {
        "spikeloom": "import spikeloom as si; si.NumpyRecording",
        "spikeinterface": "import spikeinterface.core",
        "limit": "import numpy",
    }
    yield
    subprocess.run([sys.executable, "-c", what[side]], check=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    side, task, setting, folder = sys.argv[1:]
    print(json.dumps(run(side, task, setting, Path(folder))))
