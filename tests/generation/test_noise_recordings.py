import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st
from probeinterface import generate_linear_probe

from making.round_trips import digest, digest_in_another_process, through_json
from spikeloom.errors import DataError, ParameterError
from spikeloom.generation.noise_recordings import (
    NoiseGeneratorRecording,
    generate_noise,
    mixing_weights,
    noise_generator_recording,
)

RATE = 1000.0
STRATEGIES = ["tile_pregenerated", "on_the_fly"]
COVARIANCES = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 1.0]])


def make(strategy="on_the_fly", n_channels=3, durations=(2.0, 0.7), **options):
    options = {"seed": 5, "noise_block_size": 300, **options}
    return NoiseGeneratorRecording(n_channels, RATE, durations, strategy=strategy, **options)


@pytest.mark.parametrize("covariances", [None, COVARIANCES])
@pytest.mark.parametrize("strategy", STRATEGIES)
@given(data=st.data())
def test_any_window_is_a_slice_of_the_whole(strategy, covariances, data):
    recording = make(strategy, cov_matrix=covariances, noise_levels=[1.0, 2.5, 0.3])
    segment = data.draw(st.integers(0, 1))
    whole = recording.get_traces(segment)
    start, end = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2)))
    channels = data.draw(st.one_of(st.none(), st.permutations(["0", "1", "2"])))
    if channels is not None:
        channels = channels[: data.draw(st.integers(0, 3))]
    window = recording.get_traces(segment, start, end, channel_ids=channels)
    picked = slice(None) if channels is None else [int(channel) for channel in channels]
    np.testing.assert_array_equal(window, whole[start:end][:, picked])
    assert window.dtype == np.float32


def test_parallel_and_single_stretches_agree():
    recording = make(n_channels=40, durations=[60.0])
    whole = recording.get_traces()  # large enough for threads
    assert whole.size > 1 << 20
    for start in range(0, 60_000, 7777):
        np.testing.assert_array_equal(
            recording.get_traces(start_frame=start, end_frame=start + 100),
            whole[start : start + 100],
        )


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_levels_are_standard_deviations(strategy):
    levels = np.array([1.0, 5.0, 20.0])
    options = {"durations": [60.0], "noise_block_size": 50_000}
    traces = make(strategy, noise_levels=levels, **options).get_traces()
    np.testing.assert_allclose(traces.std(axis=0), levels, rtol=0.02)
    np.testing.assert_allclose(traces.mean(axis=0), 0, atol=0.02 * levels.max())
    assert np.abs(np.corrcoef(traces.T)[np.triu_indices(3, k=1)]).max() < 0.02
    assert abs(np.corrcoef(traces[:-1, 0], traces[1:, 0])[0, 1]) < 0.02
    alike = make(strategy, noise_levels=4.0, **options).get_traces()
    np.testing.assert_allclose(alike.std(axis=0), 4.0, rtol=0.02)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_covariances_are_those_asked_for(strategy):
    recording = make(strategy, cov_matrix=COVARIANCES, durations=[100.0], noise_block_size=100_000)
    np.testing.assert_allclose(np.cov(recording.get_traces().T), COVARIANCES, atol=0.06)
    louder = make(cov_matrix=COVARIANCES, durations=[100.0], noise_levels=2.0)
    np.testing.assert_allclose(np.cov(louder.get_traces().T), 4 * COVARIANCES, atol=0.25)


def test_channels_may_depend_on_each_other_entirely():
    traces = make(cov_matrix=np.ones((3, 3))).get_traces(0)
    np.testing.assert_allclose(traces, np.repeat(traces[:, :1], 3, axis=1), atol=1e-3)
    assert 0.9 < traces.std() < 1.1


def test_tiles_repeat_and_the_rest_does_not():
    tiled, other = (make(strategy).get_traces(0) for strategy in STRATEGIES)
    np.testing.assert_array_equal(tiled[:300], tiled[300:600])
    np.testing.assert_array_equal(tiled[:300], other[:300])
    assert not np.isin(other[300:600], other[:300]).any()


def test_segments_seeds_and_none_differ():
    first, second = make(), make(seed=6)
    assert not np.array_equal(first.get_traces(0)[:700], first.get_traces(1))
    assert not np.array_equal(first.get_traces(0), second.get_traces(0))
    np.testing.assert_array_equal(first.get_traces(0), make().get_traces(0))
    fresh = make(seed=None)
    assert not np.array_equal(fresh.get_traces(0), make(seed=None).get_traces(0))
    np.testing.assert_array_equal(fresh.get_traces(0), through_json(fresh).get_traces(0))


def test_doubles_are_the_same_numbers():
    traces = make(dtype="float64").get_traces(0)
    assert traces.dtype == np.float64
    np.testing.assert_array_equal(traces, make().get_traces(0))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_in_another_process(strategy, tmp_path):
    recording = make(strategy, cov_matrix=COVARIANCES, noise_levels=[1.0, 2.0, 3.0])
    expected = digest(recording)
    assert digest_in_another_process(recording, tmp_path) == expected
    assert digest(pickle.loads(pickle.dumps(recording))) == expected
    assert digest(recording.clone()) == expected
    assert recording.check_serializability("json")


def test_traces_belong_to_the_caller():
    recording = make("tile_pregenerated")
    traces = recording.get_traces(0)
    before = traces.copy()
    traces[:] = 0
    np.testing.assert_array_equal(recording.get_traces(0), before)


def test_ids_are_strings():
    assert make().channel_ids.tolist() == ["0", "1", "2"]
    assert make().get_num_segments() == 2
    assert make().get_num_samples(1) == 700
    assert noise_generator_recording is NoiseGeneratorRecording


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "int16"},
        {"strategy": "sometimes"},
        {"noise_levels": [1.0, 2.0]},
        {"cov_matrix": np.eye(2)},
        {"cov_matrix": [[1.0, 2.0, 0], [2.0, 1.0, 0], [0, 0, 1.0]]},
        {"cov_matrix": [[1.0, 0.5, 0], [0.2, 1.0, 0], [0, 0, 1.0]]},
        {"noise_block_size": 0},
        {"durations": [-1.0]},
        {"n_channels": -1},
        {"seed": -3},
    ],
)
def test_what_makes_no_sense_is_refused(options):
    with pytest.raises(ParameterError):
        make(**options)


def test_seeds_of_spikeinterface_are_refused():
    description = make().to_dict()
    description["class"] = "spikeinterface.generation.noise_tools.NoiseGeneratorRecording"
    with pytest.raises(DataError, match="draws other numbers"):
        NoiseGeneratorRecording.from_dict(description)


def test_noise_of_a_probe_is_alike_on_close_channels():
    probe = generate_linear_probe(4, ypitch=20)
    noise = generate_noise(
        probe, RATE, [100.0], noise_levels=(5.0, 9.0), spatial_decay=40.0, seed=1
    )
    traces = noise.get_traces()
    assert 4.8 < traces.std(axis=0).min() < traces.std(axis=0).max() < 9.2
    expected = np.exp(-20 * np.abs(np.subtract.outer(range(4), range(4))) / 40)
    np.testing.assert_allclose(np.corrcoef(traces.T), expected, atol=0.03)


@given(st.integers(0, 9), st.integers(0, 100))
def test_weights_make_the_covariance(n_channels, seed):
    root = np.random.default_rng(seed).normal(size=(n_channels, max(1, n_channels // 2)))
    covariances = root @ root.T  # of half the rank
    weights = mixing_weights(covariances, n_channels)
    assert weights.shape[0] % 8 == 0
    np.testing.assert_array_equal(np.tril(weights[:n_channels], k=-1), 0)
    np.testing.assert_allclose(weights.T @ weights, covariances, atol=1e-5)
