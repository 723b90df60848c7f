import gc

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from spikeloom.core import noise_levels
from spikeloom.core.noise_levels import get_noise_levels, median_deviation
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.errors import ParameterError

SLICES = {"chunk_size": 2000, "num_chunks_per_segment": 5, "seed": 0}


def deviations_of(traces):
    values = traces.astype(np.float64)
    return np.median(np.abs(values - np.median(values, axis=0)), axis=0)


def make_recording(dtype="int16", *, n_channels=3):
    rng = np.random.default_rng(5)
    spread = 20.0 + 10 * np.arange(n_channels)
    traces = [rng.normal(7, spread, (n, n_channels)) for n in (20000, 16000)]
    return NumpyRecording([each.astype(dtype) for each in traces], 30000.0)


def scaled(recording, *, gain=0.5, offset=30.0):
    recording.set_channel_gains(gain)
    recording.set_channel_offsets(offset)
    return recording


@given(
    arrays(np.int32, st.tuples(st.integers(1, 9), st.integers(0, 20)), elements=st.integers(-9, 9))
)
def test_median_deviations_are_exact(traces):
    expected = deviations_of(traces)
    for dtype in ("i1", "i2", "i4", "i8", ">i2", "f4", "f8", "f2"):
        np.testing.assert_array_equal(median_deviation(traces.astype(dtype)), expected)


def test_values_too_different_to_be_counted_are_selected():
    traces = np.random.default_rng(1).integers(-(2**31), 2**31, (101, 3)).astype(np.int32)
    np.testing.assert_array_equal(median_deviation(traces), deviations_of(traces))


def test_a_missing_value_is_not_hidden():
    traces = np.random.default_rng(1).normal(0, 1, (50, 3))
    traces[7, 1] = np.nan
    assert np.isnan(median_deviation(traces)).tolist() == [False, True, False]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("method", ["mad", "std"])
def test_the_noise_is_found(dtype, method):
    recording = scaled(make_recording(dtype))
    levels = get_noise_levels(recording, method=method, random_slices_kwargs=SLICES)
    assert levels.dtype == np.float32
    np.testing.assert_allclose(levels, [10, 15, 20], rtol=0.07)
    raw = get_noise_levels(recording, False, method, random_slices_kwargs=SLICES)
    np.testing.assert_allclose(raw, 2 * levels, rtol=1e-6)


def test_root_mean_squares_see_offsets_and_do_not_overflow():
    recording = scaled(NumpyRecording([np.full((1000, 1), 30000, np.int16)], 30000.0))
    levels = get_noise_levels(recording, method="rms", random_slices_kwargs={"chunk_size": 100})
    np.testing.assert_allclose(levels, [15030.0])


def test_negative_gains_have_noise_too():
    recording = scaled(make_recording(), gain=-0.5)
    assert np.all(get_noise_levels(recording, random_slices_kwargs=SLICES) > 5)


def test_the_recording_stays_as_it_is():
    recording = scaled(make_recording("float32"))
    before = recording.get_property_keys()
    first = get_noise_levels(recording)
    assert recording.get_property_keys() == before
    # Without a seed another call would choose other pieces; but it is remembered.
    np.testing.assert_array_equal(get_noise_levels(recording), first)
    assert not np.array_equal(get_noise_levels(recording, force_recompute=True), first)
    first[:] = 0
    assert get_noise_levels(recording).all()


def test_what_is_remembered_depends_on_what_was_asked():
    recording = scaled(make_recording())
    levels = get_noise_levels(recording)
    recording.set_channel_gains(5.0)
    np.testing.assert_allclose(get_noise_levels(recording) / levels, 10, rtol=0.1)
    assert not np.array_equal(
        get_noise_levels(recording, random_slices_kwargs=SLICES),
        get_noise_levels(recording, random_slices_kwargs=SLICES | {"seed": 1}),
    )


def test_it_is_forgotten_with_the_recording():
    recording = make_recording("float32")
    get_noise_levels(recording)
    n_known = len(noise_levels._known)
    del recording
    gc.collect()
    assert len(noise_levels._known) < n_known


def test_levels_that_a_file_brought_are_used_unless_pieces_are_asked_for():
    recording = scaled(make_recording())
    recording.set_property("noise_level_mad_scaled", [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(get_noise_levels(recording), [1, 2, 3])
    np.testing.assert_array_equal(get_noise_levels(recording, return_scaled=True), [1, 2, 3])
    for others in (
        get_noise_levels(recording, False),
        get_noise_levels(recording, force_recompute=True),
        get_noise_levels(recording, random_slices_kwargs=SLICES),
        get_noise_levels(recording, method="std"),
    ):
        assert np.all(others > 5)


def test_older_calls_mean_the_same():
    recording = scaled(make_recording())
    ours = get_noise_levels(recording, random_slices_kwargs=SLICES)
    older = get_noise_levels(recording, force_recompute=True, progress_bar=False, **SLICES)
    np.testing.assert_array_equal(older, ours)
    with pytest.raises(ParameterError, match="seed stand beside it"):
        get_noise_levels(recording, random_slices_kwargs=SLICES, seed=0)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_workers_do_not_matter(dtype):
    recording = make_recording(dtype)
    levels = [
        get_noise_levels(
            recording,
            return_in_uV=False,
            force_recompute=True,
            random_slices_kwargs=SLICES,
            n_jobs=n_jobs,
        )
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*levels)


def test_what_cannot_be_is_refused():
    recording = make_recording()
    with pytest.raises(ParameterError, match="gains and offsets are not known"):
        get_noise_levels(recording)
    with pytest.raises(ParameterError, match="method must be one of"):
        get_noise_levels(recording, method="iqr")
    assert get_noise_levels(recording.select_channels([]), False).shape == (0,)
