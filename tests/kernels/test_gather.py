import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import gather as twin
from spikeloom.kernels.gather import (
    blank_outside,
    gather_items,
    gather_scaled,
    gather_windows,
    mean_by_channel,
)

starts_lists = st.lists(st.integers(-20, 40), max_size=6)


@given(st.lists(st.integers(0, 11), max_size=20), st.sampled_from(["i4", "i8", "u4"]))
def test_items_are_those_that_indexing_gives(items, dtype):
    values = np.random.default_rng(4).integers(-(2**60), 2**60, 12)
    chosen = np.array(items, dtype)
    gathered = np.full(chosen.size, -1)
    gather_items(values, chosen, gathered)
    assert gathered.tolist() == values[chosen].tolist()


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_windows_are_copied_from_raw_data_of_any_type(dtype, order):
    rng = np.random.default_rng(3)
    raw = np.asarray(rng.integers(0, 1000, (30, 5)), dtype, order=order)
    starts, channels = np.array([-3, 0, 12, 28], np.int64), np.array([4, 0, 2])
    windows = np.empty((4, 7, 3), np.float32)
    gather_windows(raw, starts, channels, windows)
    np.testing.assert_array_equal(windows, twin.gather_windows(raw, starts, channels, 7))


@given(starts_lists, st.integers(1, 9), st.integers(1, 30))
def test_outside_the_recording_the_nearest_sample_is_repeated(starts, n_window, n_samples):
    raw = np.arange(2 * n_samples, dtype=np.int16).reshape(n_samples, 2)
    windows = np.empty((len(starts), n_window, 2), np.float32)
    gather_windows(raw, np.array(starts, np.int64), np.array([1, 0]), windows)
    expected = twin.gather_windows(raw, starts, [1, 0], n_window)
    np.testing.assert_array_equal(windows, expected)


@given(starts_lists, st.integers(1, 9), st.integers(1, 30))
def test_what_lies_outside_the_recording_is_blanked(starts, n_window, n_samples):
    windows = np.ones((len(starts), n_window, 2), np.float32)
    expected = twin.blank_outside(windows, starts, n_samples)
    blank_outside(windows, np.array(starts, np.int64), n_samples)
    np.testing.assert_array_equal(windows, expected)


@pytest.mark.parametrize("dtype", ["i8", "f4", "f8"])
@pytest.mark.parametrize("index_dtype", ["i4", "i8"])
@pytest.mark.parametrize("scaled_dtype", ["f4", "f8"])
def test_values_of_items_are_scaled(dtype, index_dtype, scaled_dtype):
    values = np.arange(0, 90, 3).astype(dtype)
    items = np.array([29, 0, 7, 7], index_dtype)
    scaled = np.empty(4, scaled_dtype)
    gather_scaled(values, items, 2.5, 7.0, scaled)
    expected = twin.gather_scaled(values.tolist(), items.tolist(), 2.5, 7.0)
    assert scaled.tolist() == np.array(expected, scaled_dtype).tolist()


@given(st.integers(0, 5))
def test_windows_are_averaged(n_windows):
    windows = np.random.default_rng(n_windows).normal(0, 1, (n_windows, 4, 3)).astype(np.float32)
    mean = np.full((4, 3), 9.0)
    mean_by_channel(windows, mean)
    expected = windows.astype(np.float64).mean(axis=0) if n_windows else np.zeros((4, 3))
    np.testing.assert_allclose(mean, expected, rtol=0, atol=1e-12)
