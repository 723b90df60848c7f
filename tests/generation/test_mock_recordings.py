import json
import pickle
import subprocess

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.round_trips import digest, digest_in_another_process, through_json
from spikeloom.errors import ParameterError
from spikeloom.generation.mock_recordings import (
    MockRecording,
    generate_recording,
    generate_recording_by_size,
)

STRATEGIES = ["tile_pregenerated", "on_the_fly"]


def make(strategy="tile_pregenerated", **options):
    options = {"seed": 3, "noise_block_size": 130, "durations": [1.0, 0.25], **options}
    return MockRecording(3, 1000.0, strategy=strategy, **options)


@pytest.mark.parametrize("strategy", STRATEGIES)
@given(data=st.data())
def test_any_window_is_a_slice_of_the_whole(strategy, data):
    recording = make(strategy)
    segment = data.draw(st.integers(0, 1))
    whole = recording.get_traces(segment)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2)))
    channels = data.draw(st.permutations(range(3)))[: data.draw(st.integers(0, 3))]
    window = recording.get_traces(segment, start, end, [str(channel) for channel in channels])
    np.testing.assert_array_equal(window, whole[start:end, channels])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_in_another_process(strategy, tmp_path):
    recording = make(strategy)
    expected = digest(recording)
    assert digest_in_another_process(recording, tmp_path) == expected
    assert digest(pickle.loads(pickle.dumps(recording))) == expected


def test_noise_has_variance_1():
    traces = MockRecording(4, 1000.0, [50.0], seed=0, noise_block_size=50_000).get_traces()
    np.testing.assert_allclose(traces.std(axis=0), 1, rtol=0.02)


def test_generated_recordings_have_what_their_users_know():
    recording = generate_recording(
        num_channels=4, durations=[1.0, 0.5], t_starts=[10.0, 20], seed=1
    )
    assert recording.channel_ids.tolist() == ["0", "1", "2", "3"]
    assert recording.get_annotation("is_filtered") is True
    assert recording.name == "SyntheticRecording"
    assert recording.dtype == np.float32
    assert recording.get_channel_locations()[:, 1].tolist() == [0, 20, 40, 60]
    assert [recording.get_start_time(k) for k in range(2)] == [10.0, 20.0]
    np.testing.assert_array_equal(recording.get_property("group"), [0, 0, 0, 0])
    again = through_json(recording)
    assert [again.get_start_time(k) for k in range(2)] == [10.0, 20.0]
    assert again.has_probe()
    np.testing.assert_array_equal(again.get_traces(1), recording.get_traces(1))


def test_probes_may_be_three_dimensional_or_absent():
    assert generate_recording(ndim=3).has_3d_probe()
    assert not generate_recording(set_probe=False).has_probe()


def test_sizes_are_those_asked_for():
    recording = generate_recording_by_size(0.5, seed=0)
    assert 0.5 * 2**30 - 384 * 4 < recording.get_total_memory_size() <= 0.5 * 2**30
    assert recording.get_num_channels() == 384


@pytest.mark.parametrize("size", [0, -1.0, float("nan")])
def test_sizes_that_make_no_sense_are_refused(size):
    with pytest.raises(ParameterError):
        generate_recording_by_size(size)


def test_each_segment_needs_a_start():
    with pytest.raises(ParameterError, match="t_starts"):
        generate_recording(t_starts=[1.0])


PEER = """
import json, sys, warnings
warnings.simplefilter("ignore")
import spikeinterface as si
from spikeinterface.core.core_tools import SIJsonEncoder
answers = []
for description in json.load(open(sys.argv[1])):
    recording = si.load(description)
    answers.append([recording.get_traces(k).tolist() for k in range(recording.get_num_segments())])
ours = si.generate_recording(num_channels=2, durations=[0.02, 0.01], seed=11)
answers.append([ours.get_traces(k).tolist() for k in range(2)])
answers.append(json.loads(json.dumps(ours.to_dict(), cls=SIJsonEncoder)))
json.dump(answers, open(sys.argv[2], "w"))
"""


@pytest.mark.peer
def test_spikeinterface_has_the_same_noise(peer_python, tmp_path):
    recordings = [
        make(strategy, durations=[0.4, 0.1], dtype=dtype)
        for strategy in STRATEGIES
        for dtype in ("float32", "float64")
    ]
    asked, answered = tmp_path / "asked.json", tmp_path / "answered.json"
    asked.write_text(json.dumps([recording.to_dict() for recording in recordings]))
    subprocess.run([peer_python, "-c", PEER, asked, answered], check=True)
    *answers, theirs, description = json.loads(answered.read_text())
    for recording, answer in zip(recordings, answers, strict=True):
        for k in range(2):
            np.testing.assert_array_equal(recording.get_traces(k), answer[k])
    for ours in (
        generate_recording(num_channels=2, durations=[0.02, 0.01], seed=11),
        MockRecording.from_dict(description),
    ):
        for k in range(2):
            np.testing.assert_array_equal(ours.get_traces(k), theirs[k])


def test_windows_of_repeated_noise_are_those_of_its_traces():
    recording = MockRecording(3, 1000.0, [0.1, 0.004], seed=2, noise_block_size=7)
    for k, n_window_samples in ((0, 5), (0, 7), (0, 20), (1, 3)):
        segment = recording.segments[k]
        starts = np.arange(0, recording.get_num_samples(k) - n_window_samples + 1)[::-1].copy()
        windows = np.full((starts.size, n_window_samples, 3), np.nan, np.float32)
        assert segment.cut_windows(starts, windows)
        traces = recording.get_traces(k)
        expected = [traces[start : start + n_window_samples] for start in starts]
        np.testing.assert_array_equal(windows, expected)
