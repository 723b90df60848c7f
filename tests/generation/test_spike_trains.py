import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import ParameterError
from spikeloom.generation.spike_trains import (
    Firing,
    burst_scales,
    draw_clock_train,
    draw_spike_train,
)

RATE = 30_000.0


def draw(firing, seed, duration_s):
    return draw_spike_train(
        firing,
        np.random.default_rng(seed),
        n_samples=round(duration_s * RATE),
        sampling_frequency=RATE,
    )


@given(
    rate_hz=st.floats(0.1, 80),
    refractory_ms=st.floats(0, 5),
    burst_share=st.floats(0, 0.6),
    duration_s=st.floats(0.01, 20),
    seed=st.integers(0, 1000),
)
def test_trains_increase_keep_the_refractory_period_and_stay_inside(
    rate_hz, refractory_ms, burst_share, duration_s, seed
):
    firing = Firing(rate_hz=rate_hz, refractory_ms=refractory_ms, burst_share=burst_share)
    train = draw(firing, seed, duration_s)
    assert train.dtype == np.int64
    assert (train >= 0).all()
    assert (train < round(duration_s * RATE)).all()
    assert (np.diff(train) >= refractory_ms * RATE / 1000).all()


@pytest.mark.parametrize("burst_share", [0.0, 0.5])
@pytest.mark.parametrize("rate_hz", [2.0, 40.0])
def test_the_rate_is_the_one_asked_for_to_the_end(rate_hz, burst_share):
    train = draw(Firing(rate_hz=rate_hz, burst_share=burst_share), 0, 2000)
    # Renewal processes as bursty as these vary less than three times as much as Poisson's.
    tolerance = 3 * 4 * math.sqrt(1000 * rate_hz)
    for first, last in ((0, 1000), (1000, 2000)):
        n_spikes = np.count_nonzero((train >= first * RATE) & (train < last * RATE))
        assert abs(n_spikes - 1000 * rate_hz) < tolerance


def test_bursts_are_intervals_of_a_few_ms():
    share = {}
    for burst_share in (0.0, 0.5):
        train = draw(Firing(rate_hz=5.0, burst_share=burst_share), 1, 1000)
        share[burst_share] = np.mean(np.diff(train) < 15 * RATE / 1000)
    assert share[0.0] < 0.1
    assert 0.45 < share[0.5] < 0.6


@pytest.mark.parametrize(
    "options",
    [
        {"rate_hz": 0.0},
        {"rate_hz": 5.0, "refractory_ms": -1.0},
        {"rate_hz": 5.0, "burst_share": 1.0},
        {"rate_hz": 500.0, "refractory_ms": 2.5},
    ],
)
def test_impossible_firing_is_refused(options):
    with pytest.raises(ParameterError, match=r"makes no sense|cannot fire at 500.0 Hz"):
        Firing(**options)


@given(st.integers(0, 100), st.floats(0.05, 20))
def test_a_clock_train_keeps_to_the_clock(seed, duration_s):
    n_samples = round(duration_s * RATE)
    train = draw_clock_train(
        20.0, np.random.default_rng(seed), n_samples=n_samples, sampling_frequency=RATE
    )
    assert (np.diff(train) > 0).all()
    assert ((train >= 0) & (train < n_samples)).all()
    phase = (train + 300) % 600 - 300
    assert (np.abs(phase) <= 3).all()


def test_a_clock_train_uses_about_one_tick_in_eight():
    train = draw_clock_train(
        20.0, np.random.default_rng(0), n_samples=30_000 * 800, sampling_frequency=RATE
    )
    assert abs(train.size - 5000) < 5 * math.sqrt(5000)


@given(st.lists(st.integers(1, 10_000), max_size=30), st.floats(0, 0.9))
def test_spikes_are_smaller_the_sooner_they_follow(intervals, fatigue):
    train = np.cumsum([0, *intervals])
    scales = burst_scales(train, fatigue=fatigue, sampling_frequency=RATE)
    assert scales[0] == 1
    assert ((scales <= 1) & (scales >= 1 - fatigue)).all()
    order = np.argsort(intervals, kind="stable")
    assert (np.diff(scales[1:][order]) >= 0).all()
