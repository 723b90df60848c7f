"""Opening and reading files beside SpikeInterface, which reads most of them through neo.

    .venv/bin/python benchmarks/bench_reading.py            # all formats, or name some

Every measurement is a process of its own (`reading_tasks.py`); the sides take turns. See
``README.md`` beside.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

import spikeloom as si
from measuring import DEFAULT_DATA, HERE, answer_of, medians

sys.path.append(str(HERE.parent / "tests"))

from making.recording_files import random_traces, write_mda, write_openephys, write_spikeglx
from reference.mtscomp import write_cbin

RATE = 30_000
REAL = HERE.parents[1] / "shared" / "data"

OURS, THEIRS, LIMIT = "spikeloom", "spikeinterface", "limit"


def smooth_traces(duration_s, n_channels):
    """Return noise that can be compressed like that of a probe."""
    noise = np.random.default_rng(0).normal(0, 10, (duration_s * RATE, n_channels))
    return noise.astype("<i2")


def make_spikeglx(folder):
    write_spikeglx(folder, "x_g0_t0.imec0.ap", random_traces(20 * RATE, 385))
    return folder


def make_openephys(folder):
    write_openephys(folder / "experiment1/recording1", random_traces(20 * RATE, 384))
    return folder


def make_cbin(folder):
    traces = smooth_traces(4, 385)
    write_spikeglx(folder, "x_g0_t0.imec0.ap", traces, suffix=".cbin")
    write_cbin(folder / "x_g0_t0.imec0.ap.cbin", traces, RATE, chunk_samples=RATE)
    return folder


def make_nwb(folder):
    folder.mkdir()
    recording = si.NumpyRecording([smooth_traces(10, 64)], RATE)
    recording.set_channel_gains(0.195)
    recording.set_channel_offsets(0.0)
    si.export_recording_to_nwb(recording, folder / "x.nwb")
    return folder / "x.nwb"


def make_mda(folder):
    folder.mkdir()
    write_mda(folder / "raw.mda", random_traces(20 * RATE, 64).T)
    (folder / "params.json").write_text(f'{{"samplerate": {RATE}}}')
    (folder / "geom.csv").write_text("".join(f"0,{20 * k}\n" for k in range(64)))
    return folder


def make_npy(folder):
    folder.mkdir()
    np.save(folder / "x.npy", random_traces(20 * RATE, 64))
    return folder / "x.npy"


def make_kwik(folder):
    folder.mkdir()
    recording = si.NumpyRecording([smooth_traces(10, 64)], RATE)
    si.convert(recording, folder / "x.raw.kwd", to="kwik")
    return folder / "x.raw.kwd"


def make_phy(folder):
    folder.mkdir()
    rng = np.random.default_rng(0)
    np.save(folder / "spike_times.npy", np.sort(rng.integers(0, 3600 * RATE, 10_000_000)))
    np.save(folder / "spike_clusters.npy", rng.integers(0, 500, 10_000_000).astype(np.int32))
    rows = "".join(f"{k}\tgood\n" for k in range(500))
    (folder / "cluster_group.tsv").write_text(f"cluster_id\tgroup\n{rows}")
    (folder / "cluster_KSLabel.tsv").write_text(f"cluster_id\tKSLabel\n{rows}")
    (folder / "params.py").write_text(
        f"dat_path = 'x.dat'\nn_channels_dat = 64\ndtype = 'int16'\noffset = 0\n"
        f"sample_rate = {RATE}.\nhp_filtered = False\n"
    )
    return folder


def make_large_spikeglx(folder):
    write_spikeglx(folder, "x_g0_t0.imec0.ap", random_traces(10, 385))
    os.truncate(folder / "x_g0_t0.imec0.ap.bin", (100 << 30) // 770 * 770)
    return folder


def make_large_openephys(folder):
    inner = folder / "experiment1/recording1"
    write_openephys(inner, random_traces(10, 384))
    n_samples = (100 << 30) // 768
    os.truncate(inner / "continuous/Rhythm-100/continuous.dat", n_samples * 768)
    for name in ("sample_numbers.npy", "timestamps.npy"):
        path = inner / "continuous/Rhythm-100" / name
        head = path.read_bytes()[:128].replace(b"(10,)", f"({n_samples},)".encode())
        path.write_bytes(head[:127].rstrip(b"\n").ljust(127) + b"\n")
        os.truncate(path, 128 + 8 * n_samples)
    return folder


def make_spikeglx_500files(folder):
    for k in range(250):
        write_spikeglx(folder, f"x_g0_t{k}.imec0.ap", random_traces(10, 385), first_sample=10 * k)
    return folder


def make_openephys_500files(folder):
    for k in range(125):
        write_openephys(folder / f"experiment1/recording{k + 1}", random_traces(10, 384))
    return folder


def real(place):
    return lambda _: REAL / place


BOTH = (OURS, THEIRS)

FORMATS = {
    "spikeglx": (make_spikeglx, BOTH),
    "openephys": (make_openephys, BOTH),
    "cbin": (make_cbin, BOTH),
    "nwb": (make_nwb, (*BOTH, LIMIT)),
    "mearec": (real("mearec/nn32_12u_6s.h5"), (*BOTH, LIMIT)),
    "mda": (make_mda, BOTH),
    "npy": (make_npy, (OURS, LIMIT)),
    "kwik": (make_kwik, (OURS, LIMIT)),
    "intan": (real("intan_rhd/sampledata.rhd"), BOTH),
    "blackrock": (real("blackrock_repack/rat128.ns5"), BOTH),
    "phy": (make_phy, BOTH),
    "kilosort": (lambda folder: folder.with_name("phy"), BOTH),
    "spikeglx_100GB": (make_large_spikeglx, BOTH),
    "openephys_100GB": (make_large_openephys, BOTH),
    "spikeglx_500files": (make_spikeglx_500files, BOTH),
    "openephys_500files": (make_openephys_500files, BOTH),
}
"""How each file is made, and who can read it."""


def compare(name, folder, n_runs):
    """Measure all sides in turn, and print a row for each step."""
    make, sides = FORMATS[name]
    place = folder / name
    marker = folder / f"{name}.path"
    if not marker.exists():
        marker.write_text(str(make(place)))
    path = marker.read_text()
    if not Path(path).exists():
        print(f"| {name} | there is no {path} |", flush=True)
        return
    for side in sides:
        answer_of(side, "reading_tasks.py", side, name, path)  # bytecode, kernels, page cache
    runs = {side: [] for side in sides}
    for _ in range(n_runs):
        for side in sides:
            runs[side].append(answer_of(side, "reading_tasks.py", side, name, path))
    found = {side: medians(runs[side]) for side in sides}
    for step in (key.removesuffix(", ms") for key in found[OURS] if key.endswith(", ms")):
        wall = {side: found[side][f"{step}, ms"] for side in sides}
        cpu = {side: found[side][f"{step}, CPU ms"] for side in sides}
        cells = [name, step, *(f"{wall[s]:.1f}" if s in sides else "" for s in (OURS, THEIRS))]
        for measured in (wall, cpu):
            is_known = THEIRS in sides and measured[OURS] > 0
            cells.append(f"{measured[THEIRS] / measured[OURS]:.1f}x" if is_known else "")
        cells.append(f"{wall[LIMIT]:.1f}" if LIMIT in sides else "")
        print(f"| {' | '.join(cells)} |", flush=True)


def main():
    """Compare the formats asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("formats", nargs="*", choices=[*FORMATS, []], help="all by default")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder for the files")
    options = parser.parse_args()
    folder = options.data / "reading"
    folder.mkdir(parents=True, exist_ok=True)
    print(
        "| format | step | spikeloom ms | peer ms | ratio | CPU ratio | numpy or h5py alone ms |\n"
        "|---|---|---|---|---|---|---|"
    )
    for name in options.formats or FORMATS:
        compare(name, folder, options.runs)


if __name__ == "__main__":
    main()
