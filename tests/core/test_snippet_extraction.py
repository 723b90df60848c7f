import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.snippet_extraction import snippets_from_sorting
from spikeloom.errors import ParameterError

RATE = 1000.0


def make_recording(lengths=(300, 120), dtype=np.int16):
    rng = np.random.default_rng(0)
    traces = [rng.integers(-999, 999, (n, 3)).astype(dtype) for n in lengths]
    return NumpyRecording(traces, RATE, channel_ids=["a", "b", "c"]), traces


def slow_cut(traces, frame, nbefore, nafter):
    window = np.zeros((nbefore + nafter, traces.shape[1]), traces.dtype)
    for t in range(nbefore + nafter):
        if 0 <= frame - nbefore + t < len(traces):
            window[t] = traces[frame - nbefore + t]
    return window


@given(
    st.lists(st.integers(0, 299), max_size=20),
    st.lists(st.integers(0, 119), max_size=20),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from([1, 7, 64, 1000]),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_snippets_equal_windows_cut_one_by_one(
    first, second, nbefore, nafter, chunk_size, n_jobs, in_chunks
):
    recording, traces = make_recording()
    if in_chunks:  # traces in memory are cut one by one, others are read in stretches
        recording = recording.select_channels(["c", "a", "b"])
        traces = [each[:, [2, 0, 1]] for each in traces]
    frames = [np.sort(np.array(each, np.int64)) for each in (first, second)]
    sorting = NumpySorting.from_unit_dict([{0: each[::2], 1: each[1::2]} for each in frames], RATE)
    nafter += nbefore == nafter == 0
    snippets = snippets_from_sorting(
        *(recording, sorting, nbefore, nafter), chunk_size=chunk_size, n_jobs=n_jobs
    )
    assert (snippets.nbefore, snippets.nafter) == (nbefore, nafter)
    assert snippets.dtype == np.int16
    for k in range(2):
        np.testing.assert_array_equal(snippets.get_frames(segment_index=k), frames[k])
        expected = [slow_cut(traces[k], frame, nbefore, nafter) for frame in frames[k]]
        found = snippets.get_snippets(segment_index=k)
        np.testing.assert_array_equal(found, np.reshape(expected, found.shape))


def test_channels_keep_what_is_known_of_them():
    recording, _ = make_recording()
    recording.set_dummy_probe_from_locations([[0, 0], [0, 20], [0, 40]])
    recording.set_channel_gains(0.5)
    recording.set_channel_offsets([0.0, 1.0, 2.0])
    recording.annotate(name="rat 7", is_filtered=True)
    sorting = NumpySorting.from_unit_dict([{0: [10]}, {0: [20]}], RATE)
    snippets = snippets_from_sorting(recording, sorting)
    assert snippets.channel_ids.tolist() == ["a", "b", "c"]
    assert snippets.get_channel_locations()[:, 1].tolist() == [0, 20, 40]
    assert snippets.is_filtered()
    assert snippets.name == "NumpySnippets"
    np.testing.assert_allclose(
        snippets.get_snippets(segment_index=0, return_in_uV=True)[0, 20],
        recording.get_traces(0, 10, 11, return_in_uV=True)[0],
    )


def test_snippets_can_lie_in_a_file(tmp_path):
    recording, _ = make_recording()
    sorting = NumpySorting.from_unit_dict([{0: [0, 10]}, {0: [119]}], RATE)
    mapped = snippets_from_sorting(recording, sorting, 5, 6, wf_folder=tmp_path / "wf")
    inner = snippets_from_sorting(recording, sorting, 5, 6)
    for k in range(2):
        np.testing.assert_array_equal(mapped.get_snippets(None, k), inner.get_snippets(None, k))
    assert [path.name for path in (tmp_path / "wf").iterdir()] == ["waveforms_0.npy"]
    with pytest.raises(FileExistsError, match="exists already"):
        snippets_from_sorting(recording, sorting, wf_folder=tmp_path / "wf")


def test_what_does_not_go_together_is_refused():
    recording, _ = make_recording()
    with pytest.raises(ParameterError, match=r"2000\.0 Hz"):
        snippets_from_sorting(recording, NumpySorting.from_unit_dict([{}, {}], 2000.0))
    with pytest.raises(ParameterError, match="1 segments"):
        snippets_from_sorting(recording, NumpySorting.from_unit_dict([{0: [1]}], RATE))
    late = NumpySorting.from_unit_dict([{0: [1]}, {0: [5, 120]}], RATE)
    with pytest.raises(ParameterError, match="1 spikes of segment 1 lie outside"):
        snippets_from_sorting(recording, late)
    fine = NumpySorting.from_unit_dict([{0: [1]}, {0: [5]}], RATE)
    with pytest.raises(ParameterError, match="needs samples"):
        snippets_from_sorting(recording, fine, nbefore=0, nafter=0)
    with pytest.raises(ParameterError, match="no such job option"):
        snippets_from_sorting(recording, fine, n_job=2)
