from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikeloom.engine import executor
from spikeloom.errors import ParameterError
from spikeloom.generation.background import BLOCK_SAMPLES, fill_background
from spikeloom.generation.ground_truth import make_ground_truth
from spikeloom.generation.truth_traces import iterate_traces, make_traces

N_SAMPLES = 60_000


@pytest.fixture(scope="module")
def truth():
    return make_ground_truth(duration_s=2.0, seed=11, n_neurons=8, n_channels=5)


@pytest.fixture(scope="module")
def whole(truth):
    return make_traces(truth)


def test_traces_are_background_and_spikes_in_steps_of_the_gain(truth, whole):
    # The slow way: the whole background, then one spike after the other.
    expected = np.empty((8 * BLOCK_SAMPLES, 5), np.float32)
    for index in range(8):
        fill_background(truth.background, index, expected[index * BLOCK_SAMPLES :][:BLOCK_SAMPLES])
    padded = np.pad(expected[:N_SAMPLES].astype(np.float64), ((41, 41), (0, 0)))
    for sample, unit, scale in zip(
        truth.spike_samples, truth.spike_units, truth.spike_scales, strict=True
    ):
        padded[sample : sample + 82] += scale * truth.templates_uV[unit].astype(np.float64)
    expected_steps = padded[41:-41] / truth.gain_uV
    assert whole.dtype == np.int16
    assert whole.shape == (N_SAMPLES, 5)
    assert np.abs(whole - expected_steps).max() < 0.51
    assert truth.spike_samples.size > 50


@settings(max_examples=20)
@given(chunk_samples=st.one_of(st.integers(500, 100_000), st.just(BLOCK_SAMPLES)))
def test_the_size_of_chunks_does_not_matter(truth, whole, chunk_samples):
    chunks = list(iterate_traces(truth, chunk_samples=chunk_samples))
    assert all(len(chunk) == chunk_samples for chunk in chunks[:-1])
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


@given(st.integers(0, N_SAMPLES), st.integers(0, N_SAMPLES))
def test_any_stretch_is_the_same_as_in_the_whole(truth, whole, first, last):
    start, end = sorted((first, last))
    np.testing.assert_array_equal(make_traces(truth, start, end), whole[start:end])


@pytest.mark.parametrize("n_cpus", [1, 2, 4])
def test_the_number_of_threads_does_not_matter(truth, whole, monkeypatch, n_cpus):
    monkeypatch.setattr(executor, "n_usable_cpus", lambda: n_cpus)
    np.testing.assert_array_equal(make_traces(truth), whole)


def test_what_does_not_fit_into_the_samples_is_clipped(truth):
    loud = replace(truth, templates_uV=truth.templates_uV * np.float32(1000))
    traces = make_traces(loud)
    assert traces.min() == np.iinfo(np.int16).min
    assert traces.max() == np.iinfo(np.int16).max


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (7, 6), (0, N_SAMPLES + 1)])
def test_stretches_outside_the_recording_are_refused(truth, start, end):
    with pytest.raises(ParameterError, match=f"Samples {start} to {end}.*60000 samples"):
        make_traces(truth, start, end)


def test_chunks_have_samples(truth):
    with pytest.raises(ParameterError, match="chunk_samples=0"):
        next(iterate_traces(truth, chunk_samples=0))
