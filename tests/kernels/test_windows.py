import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import filters, gather
from spikeloom.core.high_pass import HighPass
from spikeloom.kernels.windows import cut_filtered_windows

HIGH_PASS = HighPass(20_000.0)


def cut(raw, starts, channels, n_window, margin, n_lanes):
    windows = np.full((len(starts), n_window, len(channels)), np.nan, np.float32)
    n_rows = n_window + 2 * margin + 1 + 2 * len(HIGH_PASS.ends)
    scratch = np.zeros((n_rows, n_lanes), np.float32)
    arguments = (np.array(starts, np.int64), np.array(channels, np.int64))
    ends, n_level = HIGH_PASS.ends, HIGH_PASS.level_samples
    cut_filtered_windows(raw, *arguments, HIGH_PASS.sections, ends, n_level, scratch, windows)
    return windows


@given(
    st.lists(st.integers(-60, 350), max_size=7),
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.integers(1, 30),
    st.integers(0, 50),
    st.integers(1, 4),
)
def test_each_window_is_filtered_with_its_margins_whatever_lies_beside_it(
    starts, channels, n_window, margin, n_side_by_side
):
    raw = np.random.default_rng(1).normal(200, 100, (300, 5)).astype(np.int16)
    windows = cut(raw, starts, channels, n_window, margin, n_side_by_side * len(channels))
    wide = gather.gather_windows(
        raw, np.array(starts, int) - margin, channels, n_window + 2 * margin
    )
    for window, stretch in zip(windows, wide, strict=True):
        sos = filters.high_pass(20_000.0)
        filtered = filters.forward_backward(stretch, sos, HIGH_PASS.level_samples)
        expected = filtered[margin : margin + n_window]
        np.testing.assert_allclose(window, expected, rtol=0, atol=0.1)


@pytest.mark.parametrize("n_side_by_side", [2, 3, 8, 50])
def test_the_result_does_not_depend_on_how_many_lie_side_by_side(n_side_by_side):
    raw = np.random.default_rng(2).normal(0, 100, (500, 3)).astype(np.float32)
    starts = np.arange(-10, 490, 23)
    # Two lanes are not enough for the channel between them, so that those are picked one by one.
    alone = cut(raw, starts, [2, 0], 20, 40, 2)
    np.testing.assert_array_equal(cut(raw, starts, [2, 0], 20, 40, 2 * n_side_by_side), alone)
