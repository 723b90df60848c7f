"""Small extensions, and analyzers to compute them for."""

from typing import ClassVar

import numpy as np
import pandas as pd

from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.extension import EXTENSIONS, AnalyzerExtension
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting

FS = 10_000.0
N_SAMPLES = (3_000, 1_700)
UNIT_IDS = ("a", "b", "01")


class Log:
    """What happened, for tests to look at."""

    runs: ClassVar = []
    n_reads = 0


class SumTask:
    """Sums traces of chunks with margins; the same whatever the chunks are."""

    margin = 3

    def __init__(self, factor):
        self.factor = factor
        self.total = 0
        self.chunks = []

    def compute(self, block):
        first = block.margin
        traces = np.asarray(block.traces, np.float64)
        inner = traces[first : first + block.chunk.n_samples]
        shifted = traces[first - 3 : first - 3 + block.chunk.n_samples]
        # Whole numbers, whose sums do not depend on their order.
        return self.factor * np.stack([inner.sum(axis=0), shifted.sum(axis=0)])

    def put(self, chunk, result):
        self.chunks.append(tuple(chunk))
        self.total = self.total + result

    def finish(self):
        assert self.chunks == sorted(self.chunks)
        return self.total


class Small(AnalyzerExtension):
    """What the extensions here share."""

    def _get_data(self):
        return next(iter(self.data.values()))

    def _rows(self, unit_ids):
        return self.sorting_analyzer.sorting.ids_to_indices(list(unit_ids))


class TraceSums(Small):
    extension_name = "trace_sums"
    need_recording = True
    use_nodepipeline = True
    need_job_kwargs = True

    def _set_params(self, factor=1):
        return {"factor": factor}

    def _get_chunk_tasks(self):
        return [SumTask(self.params["factor"])]

    def _finish_chunk_tasks(self, results):
        Log.runs.append(self.extension_name)
        if self.params["factor"] < 0:
            msg = "a factor below zero"
            raise RuntimeError(msg)
        self.data["sums"] = results[0]

    def _select_units_extension_data(self, unit_ids):
        return self.data


class OtherSums(TraceSums):
    extension_name = "other_sums"


class LateSums(TraceSums):
    """Needs another pass, as it is made of one."""

    extension_name = "late_sums"
    depend_on: ClassVar = ["trace_sums"]


class Numbers(Small):
    extension_name = "numbers"

    def _set_params(self, offset=0.5, fails=False):
        return {"offset": offset, "fails": fails}

    def _get_data(self):
        return self.data["values"]

    def _run(self, verbose=False, **job_kwargs):
        Log.runs.append(self.extension_name)
        if self.params["fails"]:
            msg = "it fails"
            raise RuntimeError(msg)
        n_units = len(self.sorting_analyzer.unit_ids)
        self.data["values"] = np.arange(n_units) + self.params["offset"]
        self.data["records"] = np.zeros(n_units, [("x", "f4"), ("y", "i2")])

    def _select_units_extension_data(self, unit_ids):
        return {name: values[self._rows(unit_ids)] for name, values in self.data.items()}


class Table(Small):
    extension_name = "table"
    depend_on: ClassVar = ["numbers"]

    def _set_params(self, fails=False):
        return {"fails": fails}

    def _run(self, verbose=False, **job_kwargs):
        Log.runs.append(self.extension_name)
        numbers = self.sorting_analyzer.get_extension("numbers").get_data()
        n_units = len(numbers)
        self.data["table"] = pd.DataFrame(
            {
                "z_value": numbers / 3,
                "count": np.arange(n_units),
                "maybe": pd.array([1, None, 3][:n_units], dtype="Int64"),
                "is_good": [True, False, True][:n_units],
                "label": ["x", None, "y,z"][:n_units],
            },
            index=pd.Index(self.sorting_analyzer.unit_ids),
        )

    def _select_units_extension_data(self, unit_ids):
        return {"table": self.data["table"].loc[list(unit_ids)]}


class Remarks(Small):
    extension_name = "remarks"
    depend_on: ClassVar = ["table"]
    optional_depend_on: ClassVar = ["trace_sums"]

    def _set_params(self, text="hello", **more):
        return {"text": text, **more}

    def _run(self, verbose=False, **job_kwargs):
        Log.runs.append(self.extension_name)
        self.data["remarks"] = {"text": self.params["text"], "nan": float("nan"), "n": [1, 2]}
        self.data["listed"] = ["p", "q"]
        self.data["one"] = 5

    def _select_units_extension_data(self, unit_ids):
        return self.data


class Either(Small):
    extension_name = "either"
    depend_on: ClassVar = ["numbers|trace_sums"]

    def _set_params(self):
        return {}

    def _run(self, verbose=False, **job_kwargs):
        Log.runs.append(self.extension_name)
        self.data["value"] = np.arange(3)


class Filled(Small):
    """Fills an array piece by piece."""

    extension_name = "filled"

    def _set_params(self, n_rows=1000, fails=False):
        return {"n_rows": n_rows, "fails": fails}

    def _run(self, verbose=False, **job_kwargs):
        array = self.create_array("rows", (self.params["n_rows"], 4), "float32")
        Log.runs.append(type(array).__name__)
        for start in range(0, len(array), 100):
            array[start : start + 100] = start
        if self.params["fails"]:
            msg = "in the middle"
            raise RuntimeError(msg)


ALL = (TraceSums, OtherSums, LateSums, Numbers, Table, Remarks, Either, Filled)


def register(monkeypatch):
    """Let the extensions be known for a test."""
    for cls in ALL:
        monkeypatch.setitem(EXTENSIONS._things, cls.extension_name, cls)
    Log.runs = []


class CountingRecording(NumpyRecording):
    """Counts how many samples are read."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for segment in self.segments:
            self._count(segment)

    def _count(self, segment):
        get_traces = segment.get_traces

        def counted(start, end, channels):
            Log.n_reads += 1
            return get_traces(start, end, channels)

        segment.get_traces = counted


def make_traces(n_channels=4, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(-100, 100, (n, n_channels)).astype(np.int16) for n in N_SAMPLES]


def make_recording(cls=NumpyRecording, n_channels=4, **kwargs):
    recording = cls(make_traces(n_channels), FS, **kwargs)
    recording.set_channel_gains(0.5)
    recording.set_channel_offsets(0.0)
    recording.set_dummy_probe_from_locations(
        np.stack([np.zeros(n_channels), 40.0 * np.arange(n_channels)], axis=1)
    )
    recording.annotate(is_filtered=True)
    return recording


def make_sorting(unit_ids=UNIT_IDS):
    rng = np.random.default_rng(1)
    dicts = [
        {unit: np.sort(rng.choice(n - 200, 20, replace=False)) + 100 for unit in unit_ids}
        for n in N_SAMPLES
    ]
    sorting = NumpySorting.from_unit_dict(dicts, FS)
    sorting = NumpySorting.from_sorting(sorting.select_units(list(unit_ids)), with_metadata=True)
    sorting.set_property("quality", ["good", "mua", "noise"][: len(unit_ids)])
    sorting.annotate(name="made up")
    return sorting


def make_analyzer(format="memory", folder=None, recording=None, **kwargs):
    recording = make_recording() if recording is None else recording
    options = {"main_channel_indices": [0, 2, 3], "progress_bar": False, **kwargs}
    return create_sorting_analyzer(make_sorting(), recording, format, folder, **options)


def make_saved_analyzer(folder, format="binary_folder", **kwargs):
    """Return an analyzer in a folder, with its recording and its sorting beside it."""
    recording = make_recording().save(folder=folder / "recording", progress_bar=False)
    sorting = make_sorting().save(folder=folder / "sorting")
    options = {"main_channel_indices": [0, 2, 3], "progress_bar": False, **kwargs}
    return create_sorting_analyzer(sorting, recording, format, folder / "analyzer", **options)
