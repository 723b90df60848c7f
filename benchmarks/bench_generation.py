"""The generators beside SpikeInterface: the first call of a process, and later ones.

    .venv/bin/python benchmarks/bench_generation.py            # all tasks, or name some

Each side does each task in processes of its own (`generation_tasks.py`), in turns. See
``README.md``.
"""

import argparse

from generation_tasks import LIMITS, TASKS
from measuring import PEER, answer_of, medians


def measure(task: str, n_runs: int) -> dict[str, dict[str, float]]:
    """Return the medians of each side."""
    sides = ["spikeloom", "spikeinterface", *(["limit"] if task in LIMITS else [])]
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for k in range(n_runs):
        for side in sides if k % 2 == 0 else sides[::-1]:
            runs[side].append(answer_of(side, "generation_tasks.py", side, task))
    return {side: medians(found) for side, found in runs.items()}


def row(task: str, found: dict[str, dict[str, float]]) -> str:
    """Return a row of the table."""
    ours, peer = found["spikeloom"], found["spikeinterface"]
    cells = [task]
    for name in ("cold_s", "first_s", "warm_s"):
        cells += [
            f"{1e3 * ours[name]:.1f} / {1e3 * peer[name]:.1f}",
            f"{peer[name] / ours[name]:.1f}x",
        ]
    cells.append(f"{peer['warm_cpu_s'] / max(ours['warm_cpu_s'], 1e-6):.1f}x")
    limit = found.get("limit")
    share = "" if limit is None else f"{limit['warm_cpu_s'] / max(ours['warm_cpu_s'], 1e-6):.0%}"
    cells.append(share)
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", help=f"of {', '.join(TASKS)}; all by default")
    parser.add_argument("--runs", type=int, default=3, help="processes for each side and task")
    options = parser.parse_args()
    if unknown := set(options.tasks) - set(TASKS):
        parser.error(f"unknown tasks: {', '.join(sorted(unknown))}")
    if not PEER.is_file():
        parser.error("the peer is not there: run scripts/peers")
    print("| task | cold ms | | first call ms | | warm ms | | CPU | limit |")
    print("|---|---|---|---|---|---|---|---|---|")
    for task in options.tasks or TASKS:
        print(row(task, measure(task, options.runs)), flush=True)


if __name__ == "__main__":
    main()
