import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference.moments import moments_of
from spikeloom.kernels.moments import add_moments


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
@given(st.integers(0, 30), st.integers(0, 5), st.integers(0, 99))
def test_moments_are_added(dtype, n_samples, n_channels, seed):
    rng = np.random.default_rng(seed)
    traces = rng.integers(0, 200, (n_samples, n_channels)).astype(dtype)
    centres = rng.integers(0, 200, n_channels).astype(np.float64)
    sums, squares = np.ones(n_channels), np.ones(n_channels)
    add_moments(traces, centres, sums, squares)
    np.testing.assert_array_equal([sums - 1, squares - 1], moments_of(traces, centres))
