import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import spike_windows as twin
from spikeloom.kernels import spike_windows as kernels

N_UNITS, N_CHANNELS = 3, 4

FIRST = np.array([0, 2, 2, 5])
COLUMNS = np.array([1, 3, 0, 2, 3])


def make_case(seed, n_spikes, n_samples, n_window, dtype=np.int16, order="C"):
    rng = np.random.default_rng(seed)
    traces = np.asarray(rng.integers(0, 200, (n_samples, N_CHANNELS)), dtype, order=order)
    starts = rng.integers(-n_window - 2, n_samples + 3, n_spikes)
    return traces, starts, rng.integers(0, N_UNITS, n_spikes), rng.permutation(n_spikes)


def columns_of(units, *, is_dense):
    if is_dense:
        return [np.arange(N_CHANNELS)] * len(units)
    return [COLUMNS[FIRST[unit] : FIRST[unit + 1]] for unit in units]


sizes = st.tuples(st.integers(0, 1000), st.integers(0, 8), st.integers(0, 20), st.integers(1, 7))


@given(sizes)
def test_windows_are_copied(size):
    traces, starts, units, places = make_case(*size)
    shape = (len(starts), size[3], N_CHANNELS)
    for is_dense in (True, False):
        windows = np.zeros(shape, np.int16)
        if is_dense:
            kernels.copy_all(traces, starts, places, windows)
        else:
            kernels.copy_some(traces, starts, places, units, FIRST, COLUMNS, windows)
        chosen = columns_of(units, is_dense=is_dense)
        expected = twin.windows_of(traces, starts, places, chosen, shape, np.int16)
        np.testing.assert_array_equal(windows, expected)


@given(sizes)
def test_windows_are_scaled_as_numpy_scales_traces(size):
    traces, starts, units, places = make_case(*size)
    scale = np.array([[0.3, 0.7, 1.1, 2.3], [0.0, -5.3, 0.1, 7.0]], np.float32)
    scaled = traces.astype(np.float32) * scale[0] + scale[1]
    shape = (len(starts), size[3], N_CHANNELS)
    for is_dense in (True, False):
        windows = np.zeros(shape, np.float32)
        if is_dense:
            kernels.scale_all(traces, starts, places, scale, windows)
        else:
            kernels.scale_some(traces, starts, places, units, FIRST, COLUMNS, scale, windows)
        chosen = columns_of(units, is_dense=is_dense)
        expected = twin.windows_of(scaled, starts, places, chosen, shape, np.float32)
        np.testing.assert_array_equal(windows, expected)


@given(sizes)
def test_windows_are_added_up(size):
    traces, starts, units, _ = make_case(*size)
    shape = (N_UNITS, size[3], N_CHANNELS)
    for is_dense in (True, False):
        sums, squares = np.zeros(shape), np.zeros(shape)
        chosen = columns_of(units, is_dense=is_dense)
        if is_dense:
            kernels.add_all(traces, starts, units, 0.0, sums)
            kernels.add_squares_all(traces, starts, units, 0.0, squares)
        else:
            kernels.add_some(traces, starts, units, FIRST, COLUMNS, 0.0, sums)
            kernels.add_squares_some(traces, starts, units, FIRST, COLUMNS, 0.0, squares)
        np.testing.assert_array_equal(sums, twin.sums_of(traces, starts, units, chosen, shape))
        expected = twin.sums_of(traces, starts, units, chosen, shape, power=2)
        np.testing.assert_array_equal(squares, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_traces_of_any_type_and_layout_are_taken(dtype, order):
    traces, starts, units, places = make_case(1, 9, 30, 5, dtype, order)
    shape = (9, 5, N_CHANNELS)
    windows = np.zeros(shape, dtype)
    kernels.copy_all(traces, starts, places, windows)
    chosen = columns_of(units, is_dense=True)
    expected = twin.windows_of(traces, starts, places, chosen, shape, dtype)
    np.testing.assert_array_equal(windows, expected)


@given(st.permutations(range(12)), st.integers(0, 100))
def test_rounded_sums_do_not_depend_on_the_order(order, seed):
    rng = np.random.default_rng(seed)
    traces = (rng.normal(0, 100, (12, 3)) * 10.0 ** rng.integers(-6, 1, (12, 1))).astype("f4")
    rounder = 1.5 * 2.0**52 * 2.0 ** (9 - 30)
    sums = np.zeros((2, 1, 1, 3))
    for total, rows in zip(sums, (range(12), order), strict=True):
        units = np.zeros(12, np.int64)
        kernels.add_all(traces, np.array(rows), units, rounder, total)
    np.testing.assert_array_equal(sums[0], sums[1])
    np.testing.assert_allclose(sums[0, 0, 0], traces.sum(axis=0, dtype="f8"), atol=12 * 2.0**-22)
