"""Nodes give the same results however the work is spread, and empty ones of the right type."""

import numpy as np
import pytest
import zarr

from spikeloom.core.node_pipeline import run_node_pipeline
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.peak_retrieval import PeakRetriever, SpikeRetriever, sorting_to_peaks
from spikeloom.core.pipeline_nodes import (
    PeakDetector,
    PipelineNode,
    check_graph,
    find_parent_of_type,
    find_parents_of_type,
)
from spikeloom.core.spike_vector import base_peak_dtype, spike_peak_dtype
from spikeloom.core.waveform_nodes import (
    ExtractDenseWaveforms,
    ExtractSparseWaveforms,
    WaveformsNode,
)
from spikeloom.errors import ParameterError, WriteError
from spikeloom.storage.zarr_opening import create_zarr

FS = 10_000.0
N_SAMPLES = (2_500, 900)
QUIET = {"progress_bar": False}
SPREADS = [
    {"n_jobs": 1, "chunk_size": 100_000},
    {"n_jobs": 1, "chunk_size": 41},
    {"n_jobs": 3, "chunk_size": 333},
    {"n_jobs": 2, "chunk_size": 500, "pool_engine": "process"},
]


@pytest.fixture(scope="module")
def recording():
    rng = np.random.default_rng(0)
    traces = [rng.integers(-100, 100, (n, 5)).astype(np.int16) for n in N_SAMPLES]
    made = NumpyRecording(traces, FS)
    made.set_dummy_probe_from_locations(np.stack([np.zeros(5), 30.0 * np.arange(5)], axis=1))
    return made


@pytest.fixture(scope="module")
def sorting(recording):
    rng = np.random.default_rng(1)
    dicts = [
        {unit: np.sort(rng.choice(n, 40, replace=False)) for unit in ("a", "b", "c")}
        for n in N_SAMPLES
    ]
    made = NumpySorting.from_unit_dict(dicts, FS)
    made.set_property("main_channel_id", recording.channel_ids[[0, 2, 4]])
    return made


class Threshold(PeakDetector):
    """Finds samples that are below those before and after them."""

    def __init__(self, recording, threshold=-97, **kwargs):
        PeakDetector.__init__(self, recording, **kwargs)
        self.threshold = threshold

    def get_margin(self):
        return 1

    def compute(self, traces, start_frame, end_frame, segment_index, max_margin):
        inner = traces[1:-1]
        is_peak = (inner < self.threshold) & (inner < traces[:-2]) & (inner <= traces[2:])
        rows, channels = np.nonzero(is_peak)
        peaks = np.zeros(rows.size, base_peak_dtype)
        peaks["sample_index"] = rows + 1
        peaks["channel_index"] = channels
        peaks["amplitude"] = inner[rows, channels]
        peaks["segment_index"] = segment_index
        return (peaks,)


class Sums(PipelineNode):
    """Makes two things of waveforms, and notes where the chunk is."""

    _compute_has_extended_signature = True

    def compute(self, traces, start, end, segment_index, margin, peaks, waveforms):
        assert len(traces) == end - start + 2 * margin
        assert np.all(
            (peaks["sample_index"] >= margin) & (peaks["sample_index"] < margin + end - start)
        )
        return waveforms.sum(axis=(1, 2), dtype=np.int64), waveforms[:, 0]


class WideNode(PipelineNode):
    def get_margin(self):
        return 20

    def compute(self, traces, peaks):
        return peaks["in_margin"]


def padded(recording, segment_index, margin=50):
    return np.pad(recording.get_traces(segment_index), ((margin, margin), (0, 0)))


def expected_waveforms(recording, peaks, nbefore, nafter):
    windows = []
    for peak in peaks:
        first = peak["sample_index"] + 50 - nbefore
        windows.append(padded(recording, peak["segment_index"])[first : first + nbefore + nafter])
    return np.array(windows)


def detected(recording, threshold=-97):
    parts = []
    for segment_index in (0, 1):
        chunk = padded(recording, segment_index, 1)
        peaks = Threshold(recording, threshold).compute(chunk, 0, 0, segment_index, 1)[0]
        peaks["sample_index"] -= 1
        parts.append(peaks)
    return np.concatenate(parts)


@pytest.mark.parametrize("spread", SPREADS, ids=str)
def test_results_do_not_depend_on_how_the_work_is_spread(recording, spread):
    source = Threshold(recording)
    waveforms = ExtractDenseWaveforms(
        recording, nbefore=7, ms_after=1.2, parents=[source], return_output=True
    )
    sums = Sums(recording, return_output=(True, False), parents=[source, waveforms])
    peaks, found, summed = run_node_pipeline(
        recording, [source, waveforms, sums], {**spread, **QUIET}
    )
    expected = detected(recording)
    assert expected.size > 20
    assert np.array_equal(peaks, expected)
    assert np.array_equal(found, expected_waveforms(recording, expected, 7, 12))
    assert found.dtype == np.int16
    assert np.array_equal(summed, found.sum(axis=(1, 2)))


@pytest.mark.parametrize("spread", SPREADS[:3], ids=str)
@pytest.mark.parametrize("sign", ["neg", "pos", "both"])
def test_spikes_of_a_sorting_go_in(recording, sorting, spread, sign):
    options = {"channel_from_template": False, "radius_um": 40.0, "peak_sign": sign}
    source = SpikeRetriever(sorting, recording, **options)
    source.return_output = True
    waveforms = ExtractSparseWaveforms(
        recording, nbefore=3, nafter=4, parents=[source], radius_um=30, return_output=True
    )
    peaks, found = run_node_pipeline(recording, [source, waveforms], {**spread, **QUIET})
    spikes = sorting.to_spike_vector()
    for name in ("sample_index", "segment_index", "unit_index"):
        assert np.array_equal(peaks[name], spikes[name])
    for k in range(0, peaks.size, 7):
        main = [0, 2, 4][spikes["unit_index"][k]]
        near = [c for c in (main - 1, main, main + 1) if 0 <= c < 5]
        values = recording.get_traces(spikes["segment_index"][k])[spikes["sample_index"][k], near]
        strength = {"neg": -1.0 * values, "pos": 1.0 * values, "both": np.abs(1.0 * values)}[sign]
        channel = near[int(np.argmax(strength))]
        assert peaks["channel_index"][k] == channel
        assert peaks["amplitude"][k] == values[np.argmax(strength)]
        around = [c for c in (channel - 1, channel, channel + 1) if 0 <= c < 5]
        expected = expected_waveforms(recording, peaks[k : k + 1], 3, 4)[0][:, around]
        assert np.array_equal(found[k, :, : len(around)], expected)
        assert not found[k, :, len(around) :].any()


def test_spikes_of_margins_can_come_along(recording, sorting):
    source = SpikeRetriever(sorting, recording, include_spikes_in_margin=True)
    source.return_output = True
    margin = WideNode(recording, return_output=False, parents=[source])
    nodes, jobs = [source, margin], {"chunk_size": 100, **QUIET}
    found = run_node_pipeline(recording, nodes, jobs, slices=[(0, 100, 200), (1, 0, 100)])
    spikes = sorting.to_spike_vector()
    expected = [
        spike
        for segment, start, end in ((0, 80, 220), (1, -20, 120))
        for spike in spikes
        if spike["segment_index"] == segment and start <= spike["sample_index"] < end
    ]
    assert found["sample_index"].tolist() == [spike["sample_index"] for spike in expected]
    inner = np.where(found["segment_index"] == 0, 100, 0)
    is_out = (found["sample_index"] < inner) | (found["sample_index"] >= inner + 100)
    assert np.array_equal(found["in_margin"], is_out)
    assert is_out.any()


def test_peaks_go_in(recording):
    peaks = detected(recording, -90)
    source = PeakRetriever(recording, peaks)
    source.return_output = True
    found = run_node_pipeline(recording, [source], {"chunk_size": 77, **QUIET})
    assert np.array_equal(found, peaks)
    with pytest.raises(ParameterError, match="not in order"):
        PeakRetriever(recording, peaks[::-1])
    with pytest.raises(ParameterError, match="segment_index"):
        PeakRetriever(recording, np.zeros(2, [("sample_index", "i8"), ("channel_index", "i8")]))


# -- fewer peaks -----------------------------------------------------------------------------


@pytest.mark.parametrize("spread", SPREADS[:3], ids=str)
@pytest.mark.parametrize("n_peaks", [0, 1, 17, 10_000])
def test_it_stops_after_so_many_peaks(recording, spread, n_peaks):
    source = Threshold(recording)
    waveforms = ExtractDenseWaveforms(
        recording, nbefore=2, nafter=2, parents=[source], return_output=True
    )
    peaks, found = run_node_pipeline(
        recording, [source, waveforms], {**spread, **QUIET}, skip_after_n_peaks=n_peaks
    )
    expected = detected(recording)[:n_peaks]
    assert np.array_equal(peaks, expected)
    assert found.shape == (expected.size, 4, 5)


class Delicate(PipelineNode):
    """Cannot take no peaks."""

    def get_dtype(self):
        return np.float32

    def compute(self, traces, peaks):
        return np.full(peaks.size, peaks["amplitude"].max(), np.float32)


@pytest.mark.parametrize("mode", ["memory", "npy", "zarr"])
def test_no_peaks_give_empty_arrays_of_the_right_type(recording, sorting, mode, tmp_path):
    for k, source in enumerate((
        Threshold(recording, threshold=-1_000),
        SpikeRetriever(sorting.select_units([]), recording),
        PeakRetriever(recording, np.zeros(0, base_peak_dtype)),
    )):
        source.return_output = True
        nodes = [
            source,
            ExtractSparseWaveforms(
                recording, nbefore=2, nafter=3, parents=[source], return_output=True, radius_um=30
            ),
        ]
        if mode != "zarr":
            nodes.append(Delicate(recording, parents=[source]))
        names = ["peaks", "waveforms", "delicate"][: len(nodes)]
        dest = None if mode == "memory" else tmp_path / f"{k}.zarr"
        if k == 0 and mode != "zarr":
            nodes.pop()  # a detector has its children called in any case
            names.pop()
        found = run_node_pipeline(recording, nodes, QUIET, gather_mode=mode, dest=dest, names=names)
        assert found[0].shape == (0,)
        assert found[0].dtype == (spike_peak_dtype if k == 1 else base_peak_dtype)
        assert found[1].shape == (0, 5, 3)
        assert found[1].dtype == np.int16
        if len(nodes) > 2:
            assert (found[2].shape, found[2].dtype) == ((0,), np.float32)


# -- where results go ------------------------------------------------------------------------


@pytest.fixture
def nodes(recording):
    source = Threshold(recording)
    waveforms = ExtractDenseWaveforms(
        recording, nbefore=2, nafter=3, parents=[source], return_output=True
    )
    return [source, waveforms]


def test_npy_files(recording, nodes, tmp_path):
    jobs = {"chunk_size": 200, **QUIET}
    expected = run_node_pipeline(recording, nodes, jobs)
    options = {"gather_mode": "npy", "names": ["peaks", "waveforms"]}
    found = run_node_pipeline(recording, nodes, jobs, dest=tmp_path / "out", **options)
    paths = [tmp_path / "out" / "peaks.npy", tmp_path / "out" / "waveforms.npy"]
    for values, mapped, path in zip(expected, found, paths, strict=True):
        assert np.array_equal(mapped, values)
        assert np.array_equal(np.load(path), values)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("peaks.npy", "waveforms.npy")
    ]
    with pytest.raises(WriteError, match="exist_ok"):
        run_node_pipeline(recording, nodes, jobs, dest=tmp_path / "out", **options)
    files = [tmp_path / "a" / "first.npy", tmp_path / "b" / "second.npy"]
    run_node_pipeline(recording, nodes, jobs, gather_mode="npy", dest=files)
    assert np.array_equal(np.load(files[1]), expected[1])
    again = {"gather_kwargs": {"exist_ok": True, "npy_header_size": 512}, **options}
    with pytest.warns(FutureWarning, match="dest"):
        run_node_pipeline(recording, nodes, jobs, folder=tmp_path / "out", **again)
    assert np.array_equal(np.load(paths[0]), expected[0])


def test_zarr_arrays(recording, nodes, tmp_path):
    jobs = {"chunk_size": 200, **QUIET}
    expected = run_node_pipeline(recording, nodes, jobs)
    options = {"gather_mode": "zarr", "names": ["peaks", "waveforms"]}
    small = {"zarr_target_chunk_bytes": 400}
    found = run_node_pipeline(
        recording, nodes, jobs, dest=tmp_path / "out.zarr", gather_kwargs=small, **options
    )
    for values, array in zip(expected, found, strict=True):
        assert np.array_equal(array[:], values)
    assert found[1].chunks == (8, 5, 5)
    with pytest.raises(WriteError, match="overwrite"):
        run_node_pipeline(recording, nodes, jobs, dest=tmp_path / "out.zarr", **options)
    create_zarr(tmp_path / "there.zarr").create_group("deep").write_array("x", np.arange(3))
    array = zarr.open_group(tmp_path / "there.zarr").create_array(
        "more", shape=(0, 5, 5), chunks=(10, 5, 5), dtype="int16"
    )
    places = [tmp_path / "there.zarr" / "deep" / "peaks", array]
    found = run_node_pipeline(recording, nodes, jobs, gather_mode="zarr", dest=places)
    assert np.array_equal(found[0][:], expected[0])
    assert np.array_equal(array[:], expected[1])
    assert zarr.open_array(tmp_path / "there.zarr" / "deep" / "x")[:].tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", ["npy", "zarr"])
def test_what_fails_leaves_no_files(recording, mode, tmp_path):
    class Failing(Threshold):
        def compute(self, traces, start_frame, end_frame, segment_index, max_margin):
            if segment_index == 1:
                msg = "it fails"
                raise RuntimeError(msg)
            return super().compute(traces, start_frame, end_frame, segment_index, max_margin)

    dest = tmp_path / "out.zarr"
    options = {"gather_mode": mode, "dest": dest, "names": ["peaks"]}
    with pytest.raises(RuntimeError, match="it fails"):
        run_node_pipeline(recording, [Failing(recording)], QUIET, **options)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_makes_no_sense_is_refused(recording, nodes, tmp_path):
    source, waveforms = nodes
    for wrong, match in (
        (lambda: run_node_pipeline(recording, [waveforms, source]), "put it there"),
        (lambda: run_node_pipeline(recording, []), "at least one"),
        (lambda: run_node_pipeline(recording, ["x"]), "PipelineNode"),
        (lambda: check_graph([Sums(recording)]), "PeakSource"),
        (lambda: run_node_pipeline(recording, nodes, QUIET, gather_mode="csv"), "gather_mode"),
        (lambda: run_node_pipeline(recording, nodes, QUIET, gather_kwargs={"x": 1}), "gather_k"),
        (lambda: run_node_pipeline(recording, nodes, QUIET, gather_mode="npy"), "dest"),
        (
            lambda: run_node_pipeline(
                recording, nodes, QUIET, gather_mode="npy", dest=tmp_path / "o", names=["one"]
            ),
            "2 outputs",
        ),
        (
            lambda: run_node_pipeline(
                recording, nodes, QUIET, gather_mode="zarr", dest=[tmp_path / "x", "y"]
            ),
            "no place in a zarr store",
        ),
        (lambda: run_node_pipeline(recording, nodes, QUIET, skip_after_n_peaks=-1), "number of"),
        (lambda: run_node_pipeline(recording, nodes, {"jobs": 1}), "jobs"),
        (lambda: WaveformsNode(recording, ms_before=1.0), "ms_after or nafter"),
        (lambda: WaveformsNode(recording, ms_before=1.0, nbefore=2, nafter=1), "ms_before or"),
        (lambda: SpikeRetriever(NumpySorting.from_unit_dict({0: [1]}, FS), recording), "main_ch"),
    ):
        with pytest.raises(ParameterError, match=match):
            wrong()


def test_small_helpers(recording, sorting, nodes):
    assert find_parent_of_type(nodes, WaveformsNode) is nodes[1]
    assert find_parent_of_type(None, WaveformsNode) is None
    assert find_parents_of_type(nodes, PeakDetector) == [nodes[0]]
    peaks = sorting_to_peaks(sorting, [4, 3, 2])
    assert peaks.dtype == spike_peak_dtype
    assert np.array_equal(peaks["channel_index"], 4 - peaks["unit_index"])
    given = SpikeRetriever(sorting, recording, extremum_channel_inds={"a": 4, "b": 3, "c": 2})
    assert given.main_channel_indices.tolist() == [4, 3, 2]
    node = WaveformsNode(recording, nbefore=5, ms_after=0.34)
    assert (node.ms_before, node.nafter) == (0.5, 3)
