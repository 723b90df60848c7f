import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference import filters
from spikeloom.core import raw_traces
from spikeloom.core.high_pass import HighPass
from spikeloom.core.raw_traces import RawTraces
from spikeloom.engine import executor
from spikeloom.errors import DataError, ParameterError

RATE = 20_000.0


def make_raw(n_samples=2000, n_channels=6, dtype=np.int16):
    noise = np.random.default_rng(n_samples).normal(300, 100, (n_samples, n_channels))
    return noise.astype(dtype)


def traces_of(raw, lengths=(), channels=None):
    """Return traces of `raw`, cut into pieces of the given lengths and a rest."""
    pieces = np.split(raw, np.cumsum(lengths)) if lengths else [raw]
    channels = np.arange(raw.shape[1]) if channels is None else np.array(channels)
    return RawTraces(tuple(pieces), channels, RATE)


@given(st.integers(-10, 130), st.integers(-10, 130), st.sampled_from([(), (30,), (30, 1, 50)]))
def test_an_interval_is_read_from_one_or_several_files_and_cut_to_the_recording(start, end, cuts):
    raw = make_raw(100)
    traces = traces_of(raw, cuts, channels=[4, 0])
    expected = raw[max(0, start) : max(0, start, end)][:, [4, 0]]
    np.testing.assert_array_equal(traces.read(start, end), expected)
    np.testing.assert_array_equal(traces.read(start, end, [1]), expected[:, [1]])


def test_the_length_is_that_of_all_files():
    traces = traces_of(make_raw(100), (30, 50))
    assert traces.n_samples == 100
    assert traces.edges.tolist() == [0, 30, 80, 100]
    assert traces.n_channels == 6


@given(st.integers(-20, 120), st.integers(1, 40), st.sampled_from([(), (30,), (30, 1, 50)]))
def test_a_window_without_filter_is_centred_on_its_median_and_zero_outside(start, n, cuts):
    raw = make_raw(100)
    windows = traces_of(raw, cuts).cut_windows(np.array([start]), n, [3, 1])
    rows = np.arange(start, start + n)
    window = raw[np.clip(rows, 0, 99)][:, [3, 1]].astype(np.float32)
    window -= np.median(window, axis=0)
    window[(rows < 0) | (rows >= 100)] = 0
    np.testing.assert_array_equal(windows, window[None])


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.float32, np.float64])
def test_a_filtered_window_equals_the_filtered_recording(dtype):
    raw = make_raw(4000, dtype=dtype)
    starts = np.array([900, 1500, 2210], np.int64)
    windows = traces_of(raw).cut_windows(starts, 50, [5, 2], high_pass=HighPass(RATE))
    whole = filters.forward_backward(raw[:, [5, 2]], filters.high_pass(RATE), n_level=20)
    for start, window in zip(starts, windows, strict=True):
        # The margins let the filter settle to a few hundredths of the noise.
        tolerance = 0.03 * whole.std()
        np.testing.assert_allclose(window, whole[start : start + 50], rtol=0, atol=tolerance)


def test_a_filtered_window_is_that_of_scipy_over_the_window_and_its_margins():
    raw = make_raw(4000)
    high_pass = HighPass(RATE)
    m = high_pass.margin_samples
    windows = traces_of(raw).cut_windows(np.array([1000]), 40, high_pass=high_pass)
    wide = filters.forward_backward(raw[1000 - m : 1040 + m], filters.high_pass(RATE), n_level=20)
    np.testing.assert_allclose(windows[0], wide[m : m + 40], rtol=0, atol=0.1)


@pytest.mark.parametrize("start", [-45, -10, 0, 1950, 1985, 5000])
def test_a_filtered_window_over_the_end_is_zero_outside_and_sees_no_step(start):
    raw = make_raw(2000)
    windows = traces_of(raw).cut_windows(np.array([start]), 50, high_pass=HighPass(RATE))
    rows = np.arange(start, start + 50)
    outside = (rows < 0) | (rows >= 2000)
    assert np.all(windows[0][outside] == 0)
    assert np.abs(windows).max() < 600  # the offset of 300 does not ring


def test_windows_do_not_depend_on_where_files_end():
    raw = make_raw(2000)
    starts = np.arange(-30, 2030, 37)
    whole = traces_of(raw).cut_windows(starts, 50, high_pass=HighPass(RATE))
    parted = traces_of(raw, (333, 500, 1, 2)).cut_windows(starts, 50, high_pass=HighPass(RATE))
    np.testing.assert_array_equal(parted, whole)


def test_windows_do_not_depend_on_the_number_of_threads(monkeypatch):
    raw, starts = make_raw(2000), np.arange(0, 1900, 3)
    monkeypatch.setattr(raw_traces, "_WINDOWS_PER_THREAD_MIN", 1)
    results = []
    for n_threads in (1, 2, 4):
        monkeypatch.setattr(executor, "n_usable_cpus", lambda n=n_threads: n)
        results.append(traces_of(raw).cut_windows(starts, 30, high_pass=HighPass(RATE)))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("dtype", [">i2", ">f4", "<f2", "?"])
def test_raw_data_of_another_byte_order_or_of_rare_types_are_read_alike(dtype):
    raw = (make_raw(500) > 300).astype(dtype) if dtype == "?" else make_raw(500).astype(dtype)
    starts = np.array([-5, 100, 490], np.int64)
    expected = traces_of(raw.astype(np.float64)).cut_windows(starts, 20, [2, 0])
    np.testing.assert_allclose(traces_of(raw).cut_windows(starts, 20, [2, 0]), expected)
    np.testing.assert_allclose(traces_of(raw).read(5, 9), raw[5:9].astype(np.float32))


def test_no_windows_or_no_channels_give_empty_arrays():
    traces = traces_of(make_raw(100))
    assert traces.cut_windows(np.zeros(0, np.int64), 10).shape == (0, 10, 6)
    assert traces.cut_windows(np.array([1, 2]), 10, []).shape == (2, 10, 0)
    high_pass = HighPass(RATE)
    assert traces.cut_windows(np.array([1]), 10, [], high_pass=high_pass).shape == (1, 10, 0)


@pytest.mark.parametrize("channel", [6, -1, 1000])
def test_a_channel_map_that_leads_out_of_the_file_is_an_error_that_says_what_to_check(channel):
    with pytest.raises(DataError, match="n_channels_dat"):
        traces_of(make_raw(100), channels=[0, channel])


def test_traces_need_a_file():
    with pytest.raises(ParameterError, match="at least one file"):
        RawTraces((), np.arange(2), RATE)


@pytest.mark.parametrize("shapes", [[(100, 6), (50, 5)], [(100, 6), (0, 6)], [(100,)], [(0, 6)]])
def test_files_that_do_not_fit_together_are_an_error(shapes):
    pieces = tuple(np.zeros(shape, np.int16) for shape in shapes)
    with pytest.raises(DataError, match=r"\(n_samples, n_channels\)"):
        RawTraces(pieces, np.arange(5), RATE)
