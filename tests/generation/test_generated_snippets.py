import numpy as np
import pytest

from spikeloom.generation.generated_snippets import generate_snippets
from spikeloom.generation.mock_recordings import generate_recording


@pytest.mark.parametrize("ndim", [2, 3])
def test_snippets_are_cut_around_spikes(ndim):
    snippets, sorting = generate_snippets(
        nbefore=20, nafter=40, num_channels=3, durations=[4.0, 2.0], ndim=ndim, seed=5
    )
    assert snippets.get_num_segments() == sorting.get_num_segments() == 2
    recording = generate_recording(3, durations=[4.0, 2.0], ndim=ndim, seed=5)
    assert snippets.has_probe()
    vectors = sorting.to_spike_vector(concatenated=False)
    for k in range(2):
        cut = snippets.get_snippets(segment_index=k)
        assert cut.shape == (vectors[k].size, 60, 3)
        traces = recording.get_traces(k)
        for snippet, sample in zip(cut, vectors[k]["sample_index"], strict=True):
            if 20 <= sample <= len(traces) - 40:
                np.testing.assert_array_equal(snippet, traces[sample - 20 : sample + 40])


def test_snippets_may_be_kept_in_a_folder_and_have_no_probe(tmp_path):
    snippets, _ = generate_snippets(
        durations=[2.0], set_probe=False, wf_folder=tmp_path / "kept", empty_units=["1"], n_jobs=1
    )
    assert not snippets.has_probe()
    assert any((tmp_path / "kept").iterdir())
