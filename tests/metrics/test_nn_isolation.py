import numpy as np
import pytest

from spikeloom.errors import ParameterError
from spikeloom.metrics.nn_isolation import nn_isolation, nn_noise_overlap


def waveforms_of(n_spikes, height, seed):
    rng = np.random.default_rng(seed)
    shape = -np.hanning(20)[:, None] * np.array([1.0, 0.5])
    return rng.normal(size=(n_spikes, 20, 2)) + height * shape


def test_the_worst_unit_counts():
    waveforms = [waveforms_of(80, h, k) for k, h in enumerate([30.0, 30.0, 200.0])]
    found = nn_isolation(waveforms, [[0, 1]] * 3, seed=0)
    assert found.nn_isolation[:2] == pytest.approx([0.5, 0.5], abs=0.1)
    assert found.nn_isolation[2] == 1.0
    assert found.nn_unit_index[:2].tolist() == [1, 0]


def test_only_units_on_enough_of_the_channels_are_compared_with():
    waveforms = [waveforms_of(80, 30.0, k) for k in range(3)]
    channels = [[0, 1], [1, 2], [4, 5]]
    found = nn_isolation(waveforms, channels, seed=0)
    assert found.nn_unit_index.tolist() == [1, 0, -1]
    assert found.nn_isolation[2] == 1
    assert (
        nn_isolation(waveforms, channels, min_spatial_overlap=0.6).nn_isolation.tolist() == [1] * 3
    )


def test_common_channels_are_found_by_position():
    # The second channel of the first unit is the first one of the second, where both look alike.
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 60, 20, 2))
    one[:, :, 0] += 500
    other[:, :, 1] -= 500
    found = nn_isolation([one, other], [[0, 1], [1, 2]], seed=0)
    assert found.nn_isolation == pytest.approx([0.5, 0.5], abs=0.1)


def test_units_with_few_spikes_have_none_and_are_not_compared_with():
    waveforms = [waveforms_of(n, 30.0, n) for n in (50, 9, 0)]
    found = nn_isolation(waveforms, [[0, 1]] * 3, seed=0)
    assert found.nn_isolation[0] == 1
    assert np.isnan(found.nn_isolation[1:]).all()
    noise, templates = np.random.default_rng(0).normal(size=(50, 20, 2)), np.ones((3, 20, 2))
    overlaps = nn_noise_overlap(waveforms, [[0, 1]] * 3, noise, templates, seed=0)
    assert np.isfinite(overlaps).tolist() == [True, False, False]
    slow = nn_isolation(waveforms, [[0, 1]] * 3, firing_rates=[0.1, 1, 1], min_fr=0.5)
    assert np.isnan(slow.nn_isolation).all()


def test_noise_is_mixed_up_with_noise_and_spikes_are_not():
    noise = np.random.default_rng(9).normal(size=(100, 20, 5))
    templates = np.zeros((2, 20, 5))
    templates[:, 10, 3] = -5
    # On another channel of all there is a larger value, which is not the unit's: taking the peak
    # there would weigh noise by what is not even on the unit's channels.
    templates[:, 3, 0] = 90
    waveforms = [waveforms_of(80, 60.0, 0), waveforms_of(80, 0.0, 1)]
    found = nn_noise_overlap(waveforms, [[3, 4]] * 2, noise, templates, seed=0)
    assert found[0] < 0.05
    assert found[1] == pytest.approx(0.5, abs=0.1)
    same = nn_noise_overlap(waveforms, [[3, 4]] * 2, noise, templates, seed=0)
    assert np.array_equal(found, same)


def test_the_peak_is_looked_for_on_the_units_channels():
    noise = np.random.default_rng(9).normal(size=(100, 20, 5))
    waveforms = [waveforms_of(80, 3.0, 0)]
    templates = np.zeros((1, 20, 5))
    templates[:, 10, 3] = -5
    expected = nn_noise_overlap(waveforms, [[3, 4]], noise, templates, seed=0)
    templates[:, 3, 0] = 90
    assert nn_noise_overlap(waveforms, [[3, 4]], noise, templates, seed=0) == expected


def test_equal_waveforms_are_each_others_neighbours():
    waveforms = [np.full((30, 20, 1), value) for value in (1.0, 2.0)]
    assert nn_isolation(waveforms, [[0]] * 2, seed=0).nn_isolation.tolist() == [1.0, 1.0]


def test_shapes_have_to_fit():
    with pytest.raises(ParameterError, match="do not fit"):
        nn_noise_overlap([], [], np.zeros((5, 20, 3)), np.zeros((1, 21, 3)))
