"""The analyzer's whole chain, done by one side in a process of its own, step by step.

``analyzer_tasks.py SIDE TASK N_JOBS N_ROUNDS FOLDER`` runs with the interpreter of that side
(``spikeloom`` or ``spikeinterface``) and prints seconds, processor seconds and peak memory of each
step of each round as JSON. The first round is what a script pays that runs once, with all that is
loaded or compiled on the way; the second is what a session pays that goes on. Counts and other
results are left in FOLDER for the two sides to be compared.
"""

import contextlib
import importlib
import json
import shutil
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from measuring import cpu_s

RATE = 30_000.0
GAIN_uV = 0.195
N_CHANNELS = 64

EXTENSIONS = (
    "random_spikes",
    "waveforms",
    "templates",
    "noise_levels",
    "spike_amplitudes",
    "amplitude_scalings",
    "spike_locations",
    "unit_locations",
    "principal_components",
    "template_similarity",
    "correlograms",
    "auto_correlograms",
    "acgs_3d",
    "isi_histograms",
    "template_metrics",
    "valid_unit_periods",
    "quality_metrics",
    "spiketrain_metrics",
)

ROOMS = ("core", "postprocessing", "metrics", "exporters")


def load_side(name):
    """Import a library in its quickest form: the peer in parts, which collect less garbage."""
    if name == "spikeloom":
        library = importlib.import_module(name)
        return library, library.exporters.export_to_phy
    rooms = [importlib.import_module(f"{name}.{room}") for room in ROOMS]
    return rooms[0], rooms[-1].export_to_phy


class PeakMemory:
    """The most memory that this process holds, from one question to the next."""

    def restart(self):
        Path("/proc/self/clear_refs").write_text("5")

    def mib(self):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


class Chain:
    """What is done with a sorting, in the words that both libraries share."""

    def __init__(self, name, n_jobs, folder):
        self.name, self.folder, self.steps = name, folder, []
        self.jobs = {
            "n_jobs": n_jobs,
            "pool_engine": "thread",
            "chunk_duration": "1s",
            "progress_bar": False,
        }
        self.round, self.peak = 0, PeakMemory()
        with self.timed("import"):
            self.si, self.export_to_phy = load_side(name)

    @contextlib.contextmanager
    def timed(self, step):
        self.peak.restart()
        start, start_cpu = time.perf_counter(), cpu_s()
        yield
        wall_s, used_s = time.perf_counter() - start, cpu_s() - start_cpu
        peak = self.peak.mib()
        self.steps.append({
            "step": step,
            "round": self.round,
            "wall_s": wall_s,
            "cpu_s": used_s,
            "peak_mib": peak,
        })
        print(self.round, step, f"{wall_s:.3f} {used_s:.3f} {peak:.0f}", file=sys.stderr)

    def given(self):
        """Return the sorting and the recording, read from the files of both sides."""
        probeinterface = importlib.import_module("probeinterface")
        probe = probeinterface.read_probeinterface(self.folder / "probe.json").probes[0]
        recording = self.si.read_binary(self.folder / "traces.raw", RATE, "int16", N_CHANNELS)
        recording.set_channel_gains(GAIN_uV)
        recording.set_channel_offsets(0.0)
        recording.annotate(is_filtered=True)
        recording = recording.set_probe(probe) or recording
        spikes = np.load(self.folder / "spikes.npz")
        trains = [spikes["samples"]], [spikes["labels"]]
        return self.si.NumpySorting.from_samples_and_labels(*trains, RATE), recording

    def created(self, folder=None):
        sorting, recording = self.given()
        place = {"format": "binary_folder", "folder": folder} if folder else {"format": "memory"}
        # The peer passes options of jobs on only if they are given by this name.
        return self.si.create_sorting_analyzer(
            sorting, recording, sparse=True, job_kwargs=self.jobs, **place
        )

    def options(self, extension):
        """Return what an extension is computed with: its defaults."""
        return {"seed": 0} if extension == "random_spikes" else {}

    def chain(self, n_rounds):
        for self.round in range(n_rounds):
            place = self.place("analyzer")
            with self.timed("create_sorting_analyzer"):
                analyzer = self.created(place)
            for name in EXTENSIONS:
                with self.timed(name):
                    analyzer.compute(name, **self.options(name), **self.jobs)
            phy = self.place("phy")
            with self.timed("export_to_phy"):
                self.export_to_phy(analyzer, phy, verbose=False, **self.jobs)
            pair = self.pair()
            with self.timed("merge soft"):
                merged = analyzer.merge_units([pair], merging_mode="soft", **self.jobs)
            self.set_aside(place)
            with self.timed("load all"):
                self.si.load_sorting_analyzer(place, load_extensions=True)
            if self.name == "spikeloom" or self.round == 0:
                with self.timed("merge hard"):
                    merged = analyzer.merge_units([pair], merging_mode="hard", **self.jobs)
            self.keep_results(analyzer, merged)
            shutil.rmtree(phy)

    def load(self, n_rounds):
        """Load what `chain` has left, in a process that has done nothing else."""
        for self.round in range(n_rounds):
            with self.timed("load all, new process"):
                self.si.load_sorting_analyzer(self.kept("analyzer"), load_extensions=True)

    def together(self, n_rounds):
        """Compute all extensions in one call, in memory."""
        for self.round in range(n_rounds):
            analyzer = self.created()
            chosen = {name: self.options(name) for name in EXTENSIONS}
            with self.timed("all extensions in one call"):
                analyzer.compute(chosen, **self.jobs)

    def monopolar(self, n_rounds):
        """Place all spikes by monopolar triangulation."""
        for self.round in range(n_rounds):
            analyzer = self.created()
            analyzer.compute(["random_spikes", "templates"], **self.jobs)
            method = "monopolar_triangulation"
            with self.timed("spike_locations, monopolar"):
                analyzer.compute("spike_locations", method=method, **self.jobs)
            located = analyzer.get_extension("spike_locations").get_data()
            self.save("monopolar", {name: located[name] for name in located.dtype.names})

    def pair(self):
        """Return two units that are close to each other, by their ids."""
        return json.loads((self.folder / "pair.json").read_text())

    def kept(self, name):
        return self.folder / f"{self.name}-{name}"

    def place(self, name):
        shutil.rmtree(self.kept(name), ignore_errors=True)
        return self.kept(name)

    def save(self, name, arrays):
        np.savez(self.kept(f"{name}.npz"), **arrays)

    def set_aside(self, place):
        """Take away what the peer cannot load: it raises NotImplementedError."""
        if self.name == "spikeinterface":
            shutil.rmtree(place / "extensions" / "spiketrain_metrics")

    def keep_results(self, analyzer, merged):
        def data(name):
            return analyzer.get_extension(name).get_data()

        located = data("spike_locations")
        table = data("quality_metrics")
        self.save(
            "results",
            {
                "n_spikes": len(analyzer.sorting.to_spike_vector()),
                "random_spikes": data("random_spikes"),
                "sparsity": analyzer.sparsity.mask,
                "correlograms": data("correlograms")[0],
                "auto_correlograms": data("auto_correlograms")[0],
                "isi_histograms": data("isi_histograms")[0],
                "acgs_3d": data("acgs_3d")[0],
                "templates": data("templates"),
                "spike_amplitudes": data("spike_amplitudes"),
                "amplitude_scalings": data("amplitude_scalings"),
                "spike_locations": np.c_[located["x"], located["y"]],
                "unit_locations": data("unit_locations"),
                "template_similarity": data("template_similarity"),
                "n_units_merged": merged.get_num_units(),
                **{f"metric {c}": np.asarray(table[c], float) for c in table.columns},
            },
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    side, task, n_jobs, n_rounds, folder = sys.argv[1:]
    chain = Chain(side, int(n_jobs), Path(folder))
    getattr(chain, task)(int(n_rounds))
    print(json.dumps(chain.steps))
