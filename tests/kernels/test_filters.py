import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import filters as twin
from spikeloom.core.high_pass import HighPass
from spikeloom.kernels.filters import filter_forward_backward


def filtered(block, high_pass, n_dropped=0):
    result = np.array(block, np.float32)
    ends, n_level = high_pass.ends, high_pass.level_samples
    state = np.empty((1 + 2 * len(ends), result.shape[1]), np.float32)
    filter_forward_backward(result, n_dropped, high_pass.sections, ends, n_level, state)
    return result


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 400),
    st.integers(0, 5),
    st.sampled_from([0.0, 100.0, -4000.0, 20_000.0]),
    st.sampled_from([15_000.0, 20_000.0, 24_414.0625, 30_000.0]),
)
def test_equals_scipy_forward_and_backward(seed, n_samples, n_channels, offset, rate):
    rng = np.random.default_rng(seed)
    block = (offset + rng.normal(0, 100, (n_samples, n_channels))).astype(np.float32)
    high_pass = HighPass(rate)
    expected = twin.forward_backward(block, twin.high_pass(rate), high_pass.level_samples)
    # Single precision against double: a part in 10^4 of what goes in.
    tolerance = 1e-4 * (abs(offset) + 400)
    np.testing.assert_allclose(filtered(block, high_pass), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("cutoff_hz", [10.0, 300.0, 3000.0])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_equals_scipy_at_other_cutoffs_and_orders(cutoff_hz, order):
    rng = np.random.default_rng(7)
    block = rng.normal(0, 100, (500, 3)).astype(np.float32)
    high_pass = HighPass(30_000.0, cutoff_hz=cutoff_hz, order=order)
    sos = twin.high_pass(30_000.0, cutoff_hz, order)
    expected = twin.forward_backward(block, sos, high_pass.level_samples)
    result = filtered(block, high_pass)
    np.testing.assert_allclose(result, expected, rtol=0, atol=0.5)


def test_a_constant_gives_zero_without_ringing():
    block = np.full((300, 2), 1234.0, np.float32)
    assert np.abs(filtered(block, HighPass(30_000.0))).max() < 1e-2


def test_channels_do_not_mix():
    rng = np.random.default_rng(0)
    block = rng.normal(0, 100, (200, 4)).astype(np.float32)
    alone = np.column_stack([filtered(block[:, [c]], HighPass(20_000.0)) for c in range(4)])
    np.testing.assert_array_equal(filtered(block, HighPass(20_000.0)), alone)


@pytest.mark.parametrize("n_dropped", [1, 37, 200])
def test_dropping_the_start_leaves_the_rest_as_it_is(n_dropped):
    block = np.random.default_rng(3).normal(0, 100, (200, 2)).astype(np.float32)
    rest = filtered(block, HighPass(20_000.0), n_dropped)[n_dropped:]
    np.testing.assert_array_equal(rest, filtered(block, HighPass(20_000.0))[n_dropped:])
