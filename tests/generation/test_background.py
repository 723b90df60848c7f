import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.signal import butter, sosfiltfilt

from spikeloom.generation.background import BLOCK_SAMPLES, draw_background, fill_background
from spikeloom.generation.probes import two_column_probe

RATE = 30_000.0


def make_background(seed=0, n_channels=6, noise_uV=9.0):
    return draw_background(
        two_column_probe(n_channels),
        duration_s=3.0,
        sampling_frequency=RATE,
        noise_uV=noise_uV,
        seed=seed,
    )


def fill(background, indices):
    block = np.empty((BLOCK_SAMPLES, background.n_channels), np.float32)
    blocks = []
    for index in indices:
        block[:] = np.nan
        fill_background(background, index, block)
        blocks.append(block.copy())
    return np.concatenate(blocks)


@given(st.integers(0, 1000), st.permutations(range(4)))
def test_blocks_do_not_depend_on_the_order_they_are_made_in(seed, order):
    background = make_background(seed, n_channels=3)
    in_order, shuffled = fill(background, range(4)), fill(background, order)
    for position, index in enumerate(order):
        np.testing.assert_array_equal(
            shuffled[position * BLOCK_SAMPLES :][:BLOCK_SAMPLES],
            in_order[index * BLOCK_SAMPLES :][:BLOCK_SAMPLES],
        )


def test_seeds_and_blocks_differ():
    first, second = make_background(0), make_background(1)
    assert not np.array_equal(fill(first, [0]), fill(second, [0]))
    noise = fill(first, [0, 1]) - first.offsets_uV
    halves = np.diff(noise[:BLOCK_SAMPLES], axis=0), np.diff(noise[BLOCK_SAMPLES:], axis=0)
    assert abs(np.corrcoef(halves[0][:, 0], halves[1][:, 0])[0, 1]) < 0.1


def test_there_is_no_seam_between_blocks():
    background = make_background(4)
    traces = fill(background, range(10))
    steps = np.abs(np.diff(traces, axis=0))
    at_seams = steps[BLOCK_SAMPLES - 1 :: BLOCK_SAMPLES]
    assert at_seams.mean() < 1.5 * steps.mean()
    # Smoothing reaches over the seam: neighbours in time are as alike there as elsewhere.
    noise = traces - background.offsets_uV
    slow = np.cumsum(np.pad(noise, ((50, 50), (0, 0)), mode="edge"), axis=0)
    noise -= (slow[100:] - slow[:-100])[: len(noise)] / 100
    ends = np.arange(1, 10) * BLOCK_SAMPLES
    across = (noise[ends - 1] * noise[ends]).mean() / noise.var()
    assert across > 0.4


def test_above_300_hz_the_noise_is_as_strong_as_asked_for():
    background = make_background(2, noise_uV=10.0)
    traces = fill(background, range(10))
    sections = butter(3, 300, "highpass", fs=RATE, output="sos")
    filtered = sosfiltfilt(sections, traces.astype(np.float64), axis=0)[1000:-1000]
    levels_uV = filtered.std(axis=0)
    np.testing.assert_allclose(levels_uV, background.noise_uV, rtol=0.1)
    assert 8.5 < levels_uV.mean() < 10.5


def test_channels_share_noise_with_their_neighbours_and_slow_fields_with_all():
    background = make_background(3)
    traces = fill(background, range(10))
    sections = butter(3, 300, "highpass", fs=RATE, output="sos")
    fast = np.corrcoef(sosfiltfilt(sections, traces.astype(np.float64), axis=0).T)
    assert fast[0, 1] > 0.3
    assert abs(fast[0, 5]) < 0.05
    assert np.corrcoef(traces.T)[1, 2] > 0.8


def test_offsets_and_fields_are_what_filters_must_remove():
    background = make_background(5)
    traces = fill(background, range(10))
    assert np.abs(background.offsets_uV).max() > 50
    assert traces.std(axis=0).min() > 2 * background.noise_uV.max()
    assert background.field_uV[0].std() == pytest.approx(70, rel=1e-3)
