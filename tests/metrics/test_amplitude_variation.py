import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.sortings import FS, UNIT_IDS, segments_lists, sorting_of
from reference.metrics import uncensored
from spikeloom.metrics.amplitude_variation import amplitude_cvs, sd_ratios
from spikeloom.metrics.spikes import spikes_of_sorting


def regular(n_spikes, step=10):
    train = np.arange(0, n_spikes * step, step)
    return spikes_of_sorting(sorting_of([{"a": train}]), [n_spikes * step])


def test_the_variation_is_that_within_bins_over_the_mean():
    amplitudes = np.random.default_rng(0).normal(-100, 9, 600)
    found = amplitude_cvs(regular(600), amplitudes)
    variations = amplitudes.reshape(12, 50).std(axis=1) / abs(amplitudes.mean())
    assert found.amplitude_cv_median == pytest.approx([np.median(variations)])
    expected = np.percentile(variations, 95) - np.percentile(variations, 5)
    assert found.amplitude_cv_range == pytest.approx([expected])


def test_means_are_those_of_each_segment():
    train = np.arange(0, 2000, 10)
    spikes = spikes_of_sorting(sorting_of([{"a": train}, {"a": train}]), [2000, 2000])
    amplitudes = np.tile([-90.0, -110.0], 200)
    amplitudes[200:] *= 3  # the second segment
    found = amplitude_cvs(spikes, amplitudes, average_num_spikes_per_bin=20)
    assert found.amplitude_cv_median == pytest.approx([0.1])
    assert found.amplitude_cv_range == pytest.approx([0.0])


def test_a_silent_bin_has_no_variation_and_spoils_nothing():
    # SpikeInterface gives NaN to units that are silent for the length of one bin.
    train = np.concatenate((np.arange(0, 3000, 10), np.arange(6000, 9000, 10)))
    spikes = spikes_of_sorting(sorting_of([{"a": train}]), [9000])
    amplitudes = np.tile([-90.0, -110.0], 300)
    found = amplitude_cvs(spikes, amplitudes, average_num_spikes_per_bin=20)
    assert found.amplitude_cv_median == pytest.approx([0.1], rel=0.01)


def test_few_bins_or_spikes_have_no_variation():
    assert np.isnan(amplitude_cvs(regular(400), np.ones(400)).amplitude_cv_median)
    empty = spikes_of_sorting(sorting_of([{"a": []}]), [10])
    assert np.isnan(amplitude_cvs(empty, np.zeros(0)).amplitude_cv_range)
    assert np.isnan(sd_ratios(empty, np.zeros(0), [1.0], [0]))


@given(segments_lists, st.integers(0, 15))
def test_censored_spikes_are_left_out_one_after_the_other(dicts, period):
    spikes = spikes_of_sorting(sorting_of(dicts), [60] * len(dicts))
    amplitudes = np.random.default_rng(0).normal(size=spikes.n_spikes)
    found = sd_ratios(
        spikes,
        amplitudes,
        [2.0],
        [0] * 4,
        censored_period_ms=period * 1000 / FS,
        correct_for_template_itself=False,
    )
    for u, unit in enumerate(UNIT_IDS):
        kept = [
            amplitudes[spikes.places(u, k)][uncensored(d[unit], period)]
            for k, d in enumerate(dicts)
        ]
        values = np.concatenate(kept)
        if values.size == 0:
            assert np.isnan(found[u])
        elif values.size == 1:
            assert found[u] == 0
        else:
            assert found[u] == pytest.approx(np.diff(values).std() / np.sqrt(2) / 2, abs=1e-12)


def test_the_template_itself_makes_noise():
    rng = np.random.default_rng(0)
    n_samples, template = 60_000, -80 * np.hanning(40)
    train = np.arange(100, n_samples - 100, 60)
    trace = rng.normal(0, 5, n_samples)
    for sample in train:
        trace[sample - 20 : sample + 20] += template
    spikes = spikes_of_sorting(sorting_of([{"a": train}]), [n_samples])
    arguments = (spikes, trace[train], [trace.std()], [0], template[None, :, None])
    assert sd_ratios(*arguments) == pytest.approx([1.0], abs=0.1)
    assert sd_ratios(*arguments, correct_for_template_itself=False)[0] < 0.3
    # More variance than the trace has: there is no answer.
    assert np.isnan(sd_ratios(*arguments[:2], [1.0], *arguments[3:]))


def test_differences_are_blind_to_drift():
    amplitudes = np.random.default_rng(0).normal(-100, 5, 3000) + np.linspace(0, 60, 3000)
    found = sd_ratios(regular(3000), amplitudes, [5.0], [0], correct_for_template_itself=False)
    assert found == pytest.approx([1.0], abs=0.05)
    drifting = sd_ratios(
        regular(3000),
        amplitudes,
        [5.0],
        [0],
        correct_for_drift=False,
        correct_for_template_itself=False,
    )
    assert drifting[0] > 3
