"""The core library beside SpikeInterface: saving, reading, spikes, made-up data.

    .venv/bin/python benchmarks/bench_core.py

Every measurement is a process of its own (`core_tasks.py`); the sides take turns. See ``README.md``
beside.
"""

import argparse
from pathlib import Path

import numpy as np

from measuring import DEFAULT_DATA, answer_of, medians

DURATION_S = 300
SERIAL, THREADS, PROCESSES = "serial", "threads", "processes"

TASKS = {
    "import": (SERIAL,),
    "save_binary": (SERIAL, THREADS, PROCESSES),
    "save_zarr": (SERIAL, THREADS, PROCESSES),
    "random_chunks": (SERIAL,),
    "noise_levels": (SERIAL, THREADS, PROCESSES),
    "spike_vector": (SERIAL,),
    "all_spike_trains": (SERIAL,),
    "ground_truth": (SERIAL,),
}
"""Tasks, and how jobs are spread in them; the peer's best counts."""


def make_traces(folder: Path) -> None:
    """Write 64 channels of noise for five minutes, once."""
    path = folder / "traces.raw"
    rows = DURATION_S * 30_000
    if path.exists() and path.stat().st_size == rows * 64 * 2:
        return
    print("Writing 1.1 GB of noise", flush=True)
    rng = np.random.Generator(np.random.SFC64(0))
    with path.open("wb") as file:
        for _ in range(DURATION_S):
            noise = rng.standard_normal((30_000, 64), np.float32) * 60
            file.write(noise.astype(np.int16).tobytes())


def compare(task: str, folder: Path, n_runs: int) -> None:
    """Measure both sides and the machine in turn, and print a row for each setting."""
    settings = TASKS[task]
    keys = [("limit", SERIAL)]
    keys += [(side, s) for side in ("spikeloom", "spikeinterface") for s in settings]
    runs: dict[tuple[str, str], list[dict[str, float]]] = {key: [] for key in keys}
    for _ in range(n_runs):
        for key in keys:
            side, setting = key
            runs[key].append(answer_of(side, "core_tasks.py", side, task, setting, folder))
    found = {key: medians(value) for key, value in runs.items()}
    best = min((found["spikeinterface", s] for s in settings), key=lambda f: f["wall_s"])
    limit = found["limit", SERIAL]
    for setting in settings:
        ours, theirs = found["spikeloom", setting], found["spikeinterface", setting]
        cells = [
            *(task, setting),
            *(f"{ours['wall_s']:.3f}", f"{theirs['wall_s']:.3f}"),
            f"{theirs['wall_s'] / ours['wall_s']:.1f}x",
            f"{best['wall_s'] / ours['wall_s']:.1f}x",
            f"{theirs['cpu_s'] / max(ours['cpu_s'], 1e-3):.1f}x",
            f"{ours['peak_mib']:.0f} / {theirs['peak_mib']:.0f}",
            f"{100 * limit['cpu_s'] / max(ours['cpu_s'], 1e-3):.0f} %",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Compare the tasks asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], help="all by default")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder for the data")
    options = parser.parse_args()
    folder = options.data / "core"
    folder.mkdir(parents=True, exist_ok=True)
    make_traces(folder)
    print(
        "| task | jobs | spikeloom s | peer s | ratio | to peer's best | CPU ratio "
        "| peak MiB | of the limit |\n|---|---|---|---|---|---|---|---|---|"
    )
    for task in options.tasks or TASKS:
        compare(task, folder, options.runs)


if __name__ == "__main__":
    main()
