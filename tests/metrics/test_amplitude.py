import numpy as np
import pytest

from making.sortings import sorting_of
from spikeloom.errors import ParameterError
from spikeloom.metrics.amplitude import amplitude_cutoffs, amplitude_medians, noise_cutoffs
from spikeloom.metrics.spikes import spikes_of_sorting


def one_unit(n_spikes):
    return spikes_of_sorting(sorting_of([{"a": np.arange(n_spikes)}]), [n_spikes])


def normal(n_spikes, seed=0):
    return np.random.default_rng(seed).normal(100, 10, n_spikes)


def test_medians_keep_their_sign_and_leave_out_what_is_no_number():
    spikes = spikes_of_sorting(sorting_of([{"a": [1, 3, 5], "b": [2], "c": []}]), [10])
    found = amplitude_medians(spikes, [-9.0, -50.0, np.nan, -11.0])
    assert found[:2].tolist() == [-10.0, -50.0]
    assert np.isnan(found[2])


@pytest.mark.parametrize("part", [0.05, 0.15, 0.3])
def test_the_cutoff_is_about_the_part_that_is_missing(part):
    every = np.sort(normal(200_000))
    seen = np.random.default_rng(1).permutation(every[int(part * every.size) :])
    found = amplitude_cutoffs(one_unit(seen.size), seen)
    assert found == pytest.approx([part], abs=0.03)


def test_the_cutoff_does_not_depend_on_sign_or_scale():
    values = np.sort(normal(3000))[200:]
    spikes = one_unit(values.size)
    expected = amplitude_cutoffs(spikes, values)
    assert amplitude_cutoffs(spikes, -values) == pytest.approx(expected)
    assert amplitude_cutoffs(spikes, values / 64) == pytest.approx(expected)


def test_the_cutoff_does_not_change_if_every_spike_is_there_several_times():
    # It would if smoothed counts were truncated to whole numbers, as SpikeInterface does.
    values = np.sort(normal(800))[60:]
    once = amplitude_cutoffs(one_unit(values.size), values)
    often = amplitude_cutoffs(one_unit(7 * values.size), np.repeat(values, 7))
    assert often == pytest.approx(once)
    assert once[0] > 0


def test_few_spikes_or_none_have_no_cutoff():
    assert np.isnan(amplitude_cutoffs(one_unit(499), normal(499)))
    assert np.isfinite(amplitude_cutoffs(one_unit(500), normal(500)))
    empty = spikes_of_sorting(sorting_of([{"a": []}]), [10])
    assert np.isnan(amplitude_cutoffs(empty, np.zeros(0)))
    assert np.isnan(np.stack(noise_cutoffs(empty, np.zeros(0)))).all()
    with pytest.raises(ParameterError, match="at least 1"):
        amplitude_cutoffs(empty, np.zeros(0), num_histogram_bins=0)


def test_the_noise_cutoff_compares_low_bins_with_high_ones():
    # 10 bins from 0 to 10: counts 6, 1, 1, 8, 1, 1, 1, 4, 2, 5.
    counts = [6, 1, 1, 8, 1, 1, 1, 4, 2, 5]
    values = np.repeat(np.arange(10) + 0.5, counts)
    values[0], values[-1] = 0.0, 10.0
    low, high = np.quantile(values, [0.3, 0.75])
    edges = np.linspace(0, 10, 11)
    low_counts = np.array(counts)[edges[1:] <= low]
    high_counts = np.array(counts)[edges[:-1] >= high]
    assert low_counts.size
    assert high_counts.size > 1
    found = noise_cutoffs(one_unit(values.size), values, low_quantile=0.3, n_bins=10)
    expected = (low_counts.mean() - high_counts.mean()) / high_counts.std()
    assert found.noise_cutoff == pytest.approx([expected])
    assert found.noise_ratio == pytest.approx([low_counts.mean() / 8])


def test_bins_without_a_reference_have_a_ratio_only():
    values = np.linspace(1, 2, 1000)
    found = noise_cutoffs(one_unit(1000), values)
    assert np.isnan(found.noise_cutoff)
    assert found.noise_ratio == pytest.approx([1.0])
    found = noise_cutoffs(one_unit(4), [1.0, 1.0, 1.0, 2.0])
    assert np.isnan(found.noise_cutoff)
    assert np.isnan(found.noise_ratio)
