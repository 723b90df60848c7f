import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import mix_channels as twin
from spikeloom.kernels.mix_channels import mix_channels


def make(n_samples, n_channels, seed=0):
    stream = np.random.default_rng(seed)
    weights = np.zeros((-(-n_channels // 8) * 8, n_channels), np.float32)
    weights[:n_channels] = np.triu(stream.normal(size=(n_channels, n_channels)))
    return stream.normal(size=(n_samples, n_channels)).astype(np.float32), weights


@pytest.mark.parametrize("n_channels", [1, 2, 7, 8, 9, 20])
@pytest.mark.parametrize("n_samples", [0, 1, 5])
def test_mixtures_equal_the_twin(n_samples, n_channels):
    values, weights = make(n_samples, n_channels)
    expected = twin.mix_channels(values, weights)
    mix_channels(values, weights)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4)


@given(st.integers(0, 12))
def test_a_sample_comes_out_the_same_in_whichever_stretch_it_lies(cut):
    values, weights = make(12, 11)
    head, tail = values[:cut].copy(), values[cut:].copy()
    for part in (values, head, tail):
        mix_channels(part, weights)
    np.testing.assert_array_equal(np.concatenate([head, tail]), values)
