"""Time from a selection to the data of its views, beside phylib; time to open a dataset.

    .venv/bin/python benchmarks/bench_selection.py

Both sides answer the same selections in turn, in two processes on the same machine and files;
every selection is measured once, so that no side finds what it kept. See ``README.md`` beside.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from synthetic import Recipe, make_dataset

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VIEWS = ("waveforms", "features", "amplitudes", "correlograms")
AT_ONCE = "all at once"
SIZES = (1, 2, 5)
GOALS_MS = {1: 10, 2: 15, 5: 30}
GOAL_RATIO = 4

SELECTING = Recipe(n_spikes=2_000_000, n_clusters=100, duration_s=600)
OPENING = Recipe(n_spikes=10_000_000, n_clusters=500, duration_s=3600, has_values=False)


class Ours:
    """An open session, asked as the server asks it."""

    def __init__(self, params_path: Path) -> None:
        from spikeloom.app import sessions, view_frames, warm_up  # noqa: PLC0415 - timed elsewhere
        from spikeloom.engine.cancellation import CancelToken  # noqa: PLC0415

        self._frames, self._token = view_frames, CancelToken
        self._app = sessions.open_session(params_path)
        self._app.session.rows.rows(self._app.session.workspace)
        warm_up.warm_up(self._app).join()
        self._pool = ThreadPoolExecutor(len(VIEWS))

    def measure(self, clusters: list[int]) -> dict[str, float]:
        """Return the seconds that each view took, one after the other, encoding included."""
        self._forget_clusters()
        seconds = {}
        for view in VIEWS:
            start = time.perf_counter()
            self._frame(view, clusters)
            seconds[view] = time.perf_counter() - start
        return seconds

    def measure_at_once(self, clusters: list[int]) -> dict[str, float]:
        """Return the seconds until all views are there, computed at once as the server does."""
        self._forget_clusters()
        start = time.perf_counter()
        list(self._pool.map(self._frame, VIEWS, [clusters] * len(VIEWS)))
        return {AT_ONCE: time.perf_counter() - start}

    def _forget_clusters(self) -> None:
        """Forget what is kept of single clusters, so that each selection is one never seen.

        What is shown in grey stays: it is the same for many clusters, and read beforehand.
        """
        memo = self._app.catalog.memo
        for key in [key for key in memo._kept if not key[0].startswith("background")]:
            memo._n_bytes -= sum(array.nbytes for array in memo._kept.pop(key))

    def _frame(self, view: str, clusters: list[int]) -> bytes:
        request = self._frames.FrameRequest(view, tuple(clusters), 0, ())
        return self._frames.compute_frame(self._app.context(self._token()), request)


class Peer:
    """phylib in a process of its own."""

    def __init__(self, python: Path, params_path: Path) -> None:
        command = [str(python), str(HERE / "peer_phylib.py"), "serve", str(params_path)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def measure(self, clusters: list[int]) -> dict[str, float]:
        """Return the seconds that each view took."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(clusters) + "\n")
        self._process.stdin.flush()
        return self._answer()["seconds"]

    def measure_at_once(self, clusters: list[int]) -> dict[str, float]:
        """Return the seconds of all views; phy computes them one after the other."""
        return {AT_ONCE: sum(self.measure(clusters).values())}

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _answer(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            sys.exit("The process of the peer ended; its error is above.")
        return json.loads(line)


def draw_selections(n_clusters: int, n_rounds: int) -> list[list[int]]:
    """Return selections of each size in turn; a size takes all clusters before it repeats one."""
    rng = np.random.default_rng(1)
    left: dict[int, list[int]] = {size: [] for size in SIZES}
    selections = []
    for _ in range(n_rounds):
        for size in SIZES:
            if len(left[size]) < size:
                left[size] = rng.permutation(n_clusters).tolist()
            selections.append([left[size].pop() for _ in range(size)])
    return selections


def read_once(folder: Path) -> None:
    """Bring the files of a dataset into the page cache, but for those that are holes."""
    for path in folder.iterdir():
        if 512 * path.stat().st_blocks < path.stat().st_size // 2:
            continue
        with path.open("rb", buffering=0) as file:
            while file.read(1 << 24):
                pass


def compare_selections(params_path: Path, peer_python: Path | None, n_rounds: int) -> dict:
    """Measure both sides on the same selections, the one or the other first in turn."""
    read_once(params_path.parent)
    sides: dict[str, Ours | Peer] = {"ours": Ours(params_path)}
    if peer_python is not None:
        sides["peer"] = Peer(peer_python, params_path)
    results: dict = {side: {size: [] for size in SIZES} for side in sides}
    for side in sides.values():
        side.measure(list(range(max(SIZES))))
    for k, selection in enumerate(draw_selections(SELECTING.n_clusters, 2 * n_rounds)):
        n_round = k // len(SIZES)
        for name in sorted(sides, reverse=n_round % 4 >= 2):
            measure = sides[name].measure_at_once if n_round % 2 else sides[name].measure
            results[name][len(selection)].append(measure(selection))
    if isinstance(sides.get("peer"), Peer):
        sides["peer"].close()
    return results


def print_selections(results: dict) -> None:
    """Print medians and 90th percentiles of each view and of all of them."""
    goals = ", ".join(f"{goal} ms for {size}" for size, goal in GOALS_MS.items())
    print(f"\nGoals for all views, by clusters: {goals}; {GOAL_RATIO} times as fast as the peer.")
    print("\n| clusters | view | spikeloom median / p90 ms | phylib median / p90 ms | ratio |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        for row in (*VIEWS, "sum", AT_ONCE):
            cells, medians = [], []
            for side in results.values():
                times = _milliseconds(side[size], row)
                medians.append(np.median(times))
                cells.append(f"{medians[-1]:.2f} / {np.quantile(times, 0.9):.2f}")
            ratio = f"{medians[1] / medians[0]:.1f}x" if len(results) > 1 else ""
            print(f"| {size} | {row} | {' | '.join([*cells, ratio])} |")


def _milliseconds(measured: list[dict[str, float]], row: str) -> list[float]:
    """Return what was measured of one row of the table, for each selection."""
    if row == "sum":
        return [1000 * sum(seconds.values()) for seconds in measured if AT_ONCE not in seconds]
    return [1000 * seconds[row] for seconds in measured if row in seconds]


def open_ours(params_path: Path) -> None:
    """Open a dataset, print the seconds as JSON; runs in a process of its own."""
    from spikeloom.app.sessions import open_session  # noqa: PLC0415 - imports are not counted

    start = time.perf_counter()
    app = open_session(params_path)
    open_s = time.perf_counter() - start
    app.session.rows.rows(app.session.workspace)
    print(json.dumps({"open_s": open_s, "rows_s": time.perf_counter() - start}))


def compare_opening(params_path: Path, peer_python: Path | None, n_rounds: int) -> dict:
    """Open a dataset again and again, each time in a new process."""
    read_once(params_path.parent)
    results: dict = {"first": [], "second": [], "peer": []}
    command_of_ours = [sys.executable, __file__, "--open", str(params_path)]
    _run(command_of_ours)  # compiles kernels if they never were
    for _ in range(n_rounds):
        with tempfile.TemporaryDirectory() as cache:
            for name in ("first", "second"):
                results[name].append(_run(command_of_ours, SPIKELOOM_CACHE_DIR=cache))
        if peer_python is not None:
            command = [str(peer_python), str(HERE / "peer_phylib.py"), "open", str(params_path)]
            results["peer"].append(_run(command))
    return results


def print_opening(results: dict) -> None:
    """Print the median of each step."""
    labels = {
        ("first", "open_s"): "spikeloom, first opening: open",
        ("first", "rows_s"): "spikeloom, first opening: open and table",
        ("second", "open_s"): "spikeloom, later openings: open",
        ("second", "rows_s"): "spikeloom, later openings: open and table",
        ("peer", "load_s"): "phylib: load_model",
        ("peer", "group_s"): "phylib: load_model and spikes by cluster",
        ("peer", "open_s"): "phylib: load_model, spikes by cluster, best channels",
    }
    print("\n| opening | median s |\n|---|---|")
    for (name, step), label in labels.items():
        if results[name]:
            print(f"| {label} | {np.median([r[step] for r in results[name]]):.3f} |")


def _run(command: list[str], **environment: str) -> dict:
    everything = {**os.environ, **environment}
    everything.pop("PYTHONDONTWRITEBYTECODE", None)  # or what is imported is compiled every time
    done = subprocess.run(command, env=everything, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default_data = Path(tempfile.gettempdir()) / "spikeloom-benchmarks"
    peer = ROOT / ".peers" / "bin" / "python"
    parser.add_argument("--data", type=Path, default=default_data, help="where datasets are kept")
    parser.add_argument("--rounds", type=int, default=30, help="selections of each size")
    parser.add_argument("--openings", type=int, default=3, help="openings; 0 for none")
    parser.add_argument("--peer", type=Path, default=peer, help="Python that has phylib")
    parser.add_argument("--no-peer", action="store_true", help="measure spikeloom alone")
    parser.add_argument("--json", type=Path, help="file for all single measurements")
    parser.add_argument("--open", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Make the datasets, measure, print tables."""
    arguments = _arguments()
    if arguments.open:
        open_ours(arguments.open)
        return
    peer = None if arguments.no_peer else arguments.peer
    if peer is not None and not peer.is_file():
        sys.exit(f"There is no {peer}: run scripts/peers first, or pass --no-peer.")
    os.environ["SPIKELOOM_CACHE_DIR"] = str(arguments.data / "cache")
    results = {}
    if arguments.rounds:
        params_path = make_dataset(arguments.data / "selecting", SELECTING)
        results["selections"] = compare_selections(params_path, peer, arguments.rounds)
        print_selections(results["selections"])
    if arguments.openings:
        params_path = make_dataset(arguments.data / "opening", OPENING)
        results["opening"] = compare_opening(params_path, peer, arguments.openings)
        print_opening(results["opening"])
    if arguments.json:
        arguments.json.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
