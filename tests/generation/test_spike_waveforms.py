import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.errors import ParameterError
from spikeloom.generation import spike_waveforms
from spikeloom.generation.spike_waveforms import (
    SpikePhases,
    delayed_waveforms,
    fine_waveforms,
    generate_single_fake_waveform,
    window_times_ms,
)


@given(
    st.sampled_from([10_000.0, 24_414.0625, 25_000.0, 30_000.0, 32_000.0]),
    st.floats(0.08, 0.3),
    st.floats(0.3, 1.0),
    st.floats(0.02, 0.09),
)
def test_the_trough_is_where_it_should_be(rate, depolarization_ms, repolarization_ms, smooth_ms):
    waveform = generate_single_fake_waveform(
        rate,
        ms_before=1.0,
        ms_after=3.0,
        depolarization_ms=depolarization_ms,
        repolarization_ms=repolarization_ms,
        smooth_ms=smooth_ms,
    )
    n_before = round(rate / 1000)
    assert waveform.shape == (n_before + round(3 * rate / 1000),)
    assert waveform.argmin() == n_before
    assert waveform[n_before] == pytest.approx(-1.0)
    assert 0.05 < waveform.max() < 0.4
    assert waveform[0] == waveform[-1] == 0
    assert waveform.dtype == np.float32


def test_the_shape_does_not_depend_on_the_sampling_frequency():
    slow, fast = (generate_single_fake_waveform(rate, dtype="float64") for rate in (1e4, 1e5))
    np.testing.assert_allclose(slow, fast[::10], atol=1e-12)


def test_phases_last_as_long_as_they_should():
    waveform = generate_single_fake_waveform(
        100_000.0, ms_before=1.0, repolarization_ms=0.5, recovery_ms=1.0, smooth_ms=0.0
    )
    assert np.flatnonzero(waveform)[0] == pytest.approx(90, abs=1)
    assert waveform.argmax() == 150
    assert np.flatnonzero(waveform)[-1] == pytest.approx(250, abs=1)
    assert np.all(np.diff(waveform[101:150]) > 0)


def test_amplitudes_may_be_others():
    waveform = generate_single_fake_waveform(
        30_000.0, negative_amplitude=-80.0, positive_amplitude=20.0
    )
    assert waveform.min() == pytest.approx(-80.0)
    assert 20 < waveform.max() < 30  # smoothing takes more of the sharp trough


@given(
    st.sampled_from([10_000.0, 24_414.0625, 30_000.0]),
    st.lists(st.tuples(st.floats(-0.5, 5.0), st.floats(-0.5, 5.0)), min_size=1, max_size=4),
)
def test_delays_are_exact(rate, delays_ms):
    n_steps = 20
    phases = SpikePhases(recovery_ms=np.linspace(1, 1.5, len(delays_ms)))
    waveforms = fine_waveforms(phases, step_ms=1000 / rate / n_steps)
    times_ms = window_times_ms(rate, 1.0, 3.0)
    delayed = delayed_waveforms(
        waveforms,
        np.array(delays_ms),
        n_before=round(rate / 1000),
        n_samples=times_ms.size,
        n_steps=n_steps,
    )
    for unit, (own, channels_ms) in enumerate(zip(delayed, delays_ms, strict=True)):
        for channel, delay_ms in zip(own.T, channels_ms, strict=True):
            expected = waveforms.at(times_ms - delay_ms, unit)
            np.testing.assert_allclose(channel, expected, atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_compiled_and_plain_waveforms_are_the_same(dtype, monkeypatch):
    phases = SpikePhases(recovery_ms=np.linspace(1, 1.5, 5))
    waveforms = fine_waveforms(phases, step_ms=1 / 480, dtype=dtype)
    found = []
    for compiled in (False, True):
        monkeypatch.setattr(spike_waveforms, "uses_kernels", lambda *_, is_so=compiled: is_so)
        delays_ms = np.random.default_rng(1).uniform(-0.5, 4.0, (5, 9))
        size = {"n_before": 30, "n_samples": 120, "n_steps": 16}
        gains = np.random.default_rng(2).uniform(0, 300, (5, 9))
        found.append(delayed_waveforms(waveforms, delays_ms, **size, gains=gains))
    assert found[0].dtype == dtype
    np.testing.assert_array_equal(*found)


def test_units_together_are_as_each_alone():
    columns = {"smooth_ms": [0.0, 0.03, 0.07], "depolarization_ms": [0.3, 0.1, 0.2]}
    together = fine_waveforms(SpikePhases(**{k: np.array(v) for k, v in columns.items()}))
    times_ms = np.linspace(-1, 4, 777)
    for unit in range(3):
        alone = fine_waveforms(SpikePhases(**{k: v[unit] for k, v in columns.items()}))
        np.testing.assert_allclose(together.at(times_ms, unit), alone.at(times_ms), atol=1e-7)


def test_smoothing_is_a_gaussian_mean():
    sharp, smooth = (fine_waveforms(SpikePhases(smooth_ms=ms)) for ms in (0.0, 0.05))
    times_ms = np.linspace(-1, 3, 2001)
    offsets_ms = np.linspace(-0.3, 0.3, 601)
    weights = np.exp(-0.5 * (offsets_ms / 0.05) ** 2)
    shift_ms = (smooth.troughs[0] - round((0.1 + 6 * 0.05) / 0.002) - 1) * 0.002
    means = np.array([
        np.average(sharp.at(time_ms + shift_ms - offsets_ms), weights=weights)
        for time_ms in times_ms
    ])
    np.testing.assert_allclose(smooth.at(times_ms), means / -means.min(), atol=3e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ms_before": 0.05}, "ms_before"),
        ({"ms_after": 1.0}, "ms_after"),
        ({"depolarization_ms": 0.0}, "makes no sense"),
        ({"smooth_ms": -1.0}, "makes no sense"),
    ],
)
def test_what_does_not_fit_is_refused(options, said):
    with pytest.raises(ParameterError, match=said):
        generate_single_fake_waveform(30_000.0, **options)


def test_a_sampling_frequency_is_needed():
    with pytest.raises(ParameterError, match="sampling_frequency"):
        generate_single_fake_waveform()
