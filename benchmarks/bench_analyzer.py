"""The sorting analyzer beside SpikeInterface: its whole chain, merges, loading, export to phy.

    .venv/bin/python benchmarks/bench_analyzer.py

Each side does the chain in a process of its own (`analyzer_tasks.py`). The peer takes minutes, so
what was measured of it is kept and used again; ``--peer`` measures it anew. See ``README.md``.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import probeinterface

import spikeloom as si
from measuring import DEFAULT_DATA, PEER, answer_of, medians

DURATION_S = 300.0
GAIN_uV = 0.195
TRUTH = {
    "durations": [DURATION_S],
    "sampling_frequency": 30_000.0,
    "num_channels": 64,
    "num_units": 80,
    "generate_sorting_kwargs": {"firing_rates": (0.6, 10.4), "refractory_period_ms": 4.0},
    "seed": 0,
}

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Linear algebra would use both cores with one job, too."""

TASKS = ("chain", "load", "together", "monopolar")
WITHOUT_PEER = ("together",)
WHEN = ("cold", "warm")
SETTINGS = ("ours", "threads", "peer")
N_ROUNDS = 2

EXACT = (
    *("n_spikes", "random_spikes", "correlograms", "auto_correlograms"),
    *("isi_histograms", "n_units_merged", "metric num_spikes"),
)
"""Results that have to be the same number for number."""


def make_data(folder: Path) -> None:
    """Write the recording, its spikes and its probe, and which units are merged, once."""
    recipe = folder / "recipe.json"
    if recipe.is_file() and recipe.read_text() == json.dumps(TRUTH):
        return
    print("Writing 1.1 GB of a known recording", flush=True)
    recording, sorting = si.generate_ground_truth_recording(**TRUTH)
    with (folder / "traces.raw").open("wb") as file:
        for start in range(0, recording.get_num_samples(), 30_000):
            traces = recording.get_traces(start_frame=start, end_frame=start + 30_000)
            file.write(np.rint(traces / GAIN_uV).astype(np.int16).tobytes())
    spikes = sorting.to_spike_vector()
    np.savez(folder / "spikes.npz", samples=spikes["sample_index"], labels=spikes["unit_index"])
    probeinterface.write_probeinterface(folder / "probe.json", recording.get_probe())
    (folder / "pair.json").write_text(json.dumps(closest_pair(sorting)))
    recipe.write_text(json.dumps(TRUTH))


def closest_pair(sorting: si.BaseSorting) -> list[int]:
    """Return the two units that are closest to each other, of those with one main channel."""
    places = np.asarray(sorting.get_property("gt_unit_locations"))
    main = np.asarray(sorting.get_property("main_channel_id"))
    distances = np.linalg.norm(places[:, np.newaxis] - places, axis=2)
    distances[(main[:, np.newaxis] != main) | np.eye(len(main), dtype=bool)] = np.inf
    return [int(k) for k in np.unravel_index(distances.argmin(), distances.shape)]


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of a process: modules are compiled ahead, in a place of their own."""
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def compile_modules(folder: Path) -> None:
    """Compile the modules of both sides to bytecode, once: installers do not always do it."""
    done = folder / "compiled" / "done"
    if done.is_file():
        return
    print("Compiling modules", flush=True)
    for python in (sys.executable, PEER):
        where = "import site; print(*site.getsitepackages())"
        found = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
        command = [python, "-m", "compileall", "-q", *found.stdout.split()]
        subprocess.run(
            command, env={**os.environ, **environment(folder)}, capture_output=True, check=False
        )
    done.write_text("")


def measure(setting: str, task: str, folder: Path) -> dict[str, dict[str, float]]:
    """Do a task in a new process; return what each step took, in its first and second round."""
    side = "spikeinterface" if setting == "peer" else "spikeloom"
    n_jobs = 2 if setting == "threads" else 1
    env = environment(folder) | ({} if setting == "threads" else ONE_THREAD)
    args = (side, task, n_jobs, N_ROUNDS, folder)
    found: dict[str, dict[str, float]] = {}
    for step in answer_of(side, "analyzer_tasks.py", *args, env=env):
        which = "cold" if step["round"] == 0 else "warm"
        values = {f"{which}_{name}": step[name] for name in ("wall_s", "cpu_s", "peak_mib")}
        found.setdefault(step["step"], {}).update(values)
    return found


def measure_peer(task: str, folder: Path, *, anew: bool) -> dict[str, dict[str, float]]:
    """Return what the peer takes, from the last time that it was measured if that is kept."""
    if task in WITHOUT_PEER:
        return {}
    kept = folder / f"peer-{task}.json"
    if anew or not kept.is_file():
        print(f"Measuring the peer: {task}", flush=True)
        date = time.strftime("%Y-%m-%d %H:%M")
        kept.write_text(json.dumps({"date": date, "steps": measure("peer", task, folder)}))
    found = json.loads(kept.read_text())
    print(f"The peer was measured on {found['date']}: {task}", flush=True)
    steps: dict[str, dict[str, float]] = found["steps"]
    return steps


def ratio(theirs: float | None, ours: float) -> str:
    """Return how often ours fits into theirs, in words of a table."""
    return "" if theirs is None else f"{theirs / max(ours, 1e-3):.1f}x"


def seconds(value: float | None) -> str:
    """Return seconds in words of a table."""
    return "" if value is None else f"{value:.3f}"


def print_rows(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print a row for each step, and the sum."""
    ours, threads, peer = (found[setting] for setting in SETTINGS)
    for step in ours:
        print_row(step, ours[step], threads[step], peer.get(step, {}))
    if len(ours) < 3:
        return
    sums = []
    for one in (ours, threads, peer):
        steps = [s for s in one if s in ours and s in peer and s != "merge hard"]
        names = ("cold_wall_s", "cold_cpu_s", "warm_wall_s", "warm_cpu_s")
        total = {name: sum(one[s].get(name, 0.0) for s in steps) for name in names}
        peaks = {f"{w}_peak_mib": max(one[s].get(f"{w}_peak_mib", 0) for s in steps) for w in WHEN}
        sums.append(total | peaks)
    print_row("sum, hard merge left out", *sums)


HEAD = (
    "| step | cold: spikeloom CPU s | peer CPU s | ratio | warm: spikeloom CPU s | peer CPU s "
    "| ratio | wall s | wall s, 2 threads | peer wall s | peak MiB |\n|" + "---|" * 11
)


def print_row(
    step: str, ours: dict[str, float], threads: dict[str, float], peer: dict[str, float]
) -> None:
    """Print a row: processor seconds of both rounds, seconds with threads, memory."""
    cells = [step]
    for when in WHEN:
        name = f"{when}_cpu_s"
        mine, theirs = ours.get(name), peer.get(name)
        of = "" if mine is None else ratio(theirs, mine)
        cells += [seconds(mine), seconds(theirs), of]
    last = "warm" if "warm_wall_s" in ours else "cold"
    cells += [seconds(one.get(f"{last}_wall_s")) for one in (ours, threads, peer)]
    cells.append(" / ".join(f"{one.get('cold_peak_mib', 0):.0f}" for one in (ours, peer)))
    print(f"| {' | '.join(cells)} |", flush=True)


def compare_results(folder: Path) -> None:
    """Print where the results of the sides differ; exit if a count does."""
    with (
        np.load(folder / "spikeloom-results.npz") as ours,
        np.load(folder / "spikeinterface-results.npz") as peer,
        np.load(folder / "spikes.npz") as spikes,
    ):
        differing = [name for name in EXACT if not np.array_equal(ours[name], peer[name])]
        # The peer estimates main channels from other spikes each time.
        is_same = (ours["sparsity"] == peer["sparsity"]).all(axis=1)
        print(f"Units with the same channels on both sides: {is_same.sum()} of {is_same.size}.")
        kept = {len(is_same): is_same, len(spikes["labels"]): is_same[spikes["labels"]]}
        for name in sorted({*ours.files} & {*peer.files} - {*EXACT, "sparsity"}):
            mine, theirs = ours[name], peer[name]
            if mine.shape == theirs.shape:
                rows = kept[len(mine)]
                print(f"{name}: {difference(mine[rows], theirs[rows])}")
            else:
                print(f"{name}: of other shapes, {mine.shape} and {theirs.shape}")
    if differing:
        raise SystemExit(f"The sides differ in {', '.join(differing)}.")
    print(f"The same on both sides: {', '.join(EXACT)}.")


def difference(ours: np.ndarray, peer: np.ndarray) -> str:
    """Return how far two arrays are from each other, in words."""
    mine, theirs = np.asarray(ours, float), np.asarray(peer, float)
    apart = np.abs(mine - theirs)
    if np.isnan(apart).all():
        return "nan everywhere"
    n_nan = np.count_nonzero(np.isnan(mine) != np.isnan(theirs))
    median, most = np.nanmedian(apart), np.nanquantile(apart, 0.99)
    size = np.nanmedian(np.abs(theirs))
    more = f"; nan on one side only: {n_nan}" if n_nan else ""
    return f"median difference {median:.3g}, 99 % below {most:.3g}, of a median of {size:.3g}{more}"


def main() -> None:
    """Compare the tasks asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], help="all by default")
    parser.add_argument("--runs", type=int, default=3, help="of ours; the peer has one")
    parser.add_argument("--peer", action="store_true", help="measure the peer anew")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder for the data")
    options = parser.parse_args()
    folder = options.data / "analyzer"
    folder.mkdir(parents=True, exist_ok=True)
    make_data(folder)
    compile_modules(folder)
    for task in options.tasks or TASKS:
        found = {"peer": measure_peer(task, folder, anew=options.peer)}
        measure("ours", task, folder)  # compiles kernels, if there are new ones
        for setting in ("ours", "threads"):
            runs = [measure(setting, task, folder) for _ in range(options.runs)]
            found[setting] = {step: medians([run[step] for run in runs]) for step in runs[0]}
        print(HEAD, flush=True)
        print_rows(found)
    if "chain" in (options.tasks or TASKS):
        compare_results(folder)


if __name__ == "__main__":
    main()
