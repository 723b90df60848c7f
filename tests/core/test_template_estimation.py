import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from making.units import make_units, windows_of
from spikeloom.core.spike_vector import minimum_spike_dtype
from spikeloom.core.template_estimation import (
    estimate_templates,
    estimate_templates_with_accumulator,
)
from spikeloom.errors import ParameterError

WINDOW = (6, 9)
MASK = np.array([[True, False, True, True], [False] * 4, [False, True, False, False]])


def averages(recording, sorting, *, spikes=None, window=WINDOW, **options):
    spikes = sorting.to_spike_vector() if spikes is None else spikes
    options = {"return_std": True, "progress_bar": False} | options
    return estimate_templates_with_accumulator(
        recording, spikes, sorting.unit_ids, *window, **options
    )


def expected_of(recording, spikes, n_units, window, statistic, **options):
    windows = windows_of(recording, spikes, *window, **options).astype(np.float64)
    result = np.zeros((n_units, *windows.shape[1:]))
    for unit in np.unique(spikes["unit_index"]):
        result[unit] = statistic(windows[spikes["unit_index"] == unit], axis=0)
    return result


@pytest.mark.parametrize("in_uV", [True, False])
@pytest.mark.parametrize("mask", [None, MASK], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64", ">f4"])
def test_averages_and_deviations(dtype, mask, in_uV):
    recording, sorting = make_units(dtype=dtype)
    spikes = sorting.to_spike_vector()
    mean, std = averages(recording, sorting, return_in_uV=in_uV, sparsity_mask=mask)
    assert mean.dtype == std.dtype == np.float32
    for ours, statistic in ((mean, np.mean), (std, np.std)):
        expected = expected_of(recording, spikes, 3, WINDOW, statistic, mask=mask, in_uV=in_uV)
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=12)
@given(st.integers(15, 5000), st.integers(1, 3), st.sampled_from(["int16", "float32", "float64"]))
def test_neither_workers_nor_chunks_matter(chunk_size, n_jobs, dtype):
    recording, sorting = make_units(dtype=dtype)
    whole = averages(recording, sorting)
    for ours, expected in zip(
        averages(recording, sorting, chunk_size=chunk_size, n_jobs=n_jobs), whole, strict=True
    ):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("mask", [None, MASK], ids=["dense", "sparse"])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_other_processes_do_not_matter(dtype, mask):
    recording, sorting = make_units(dtype=dtype)
    here = averages(recording, sorting, sparsity_mask=mask)
    there = averages(
        recording, sorting, sparsity_mask=mask, pool_engine="process", n_jobs=2, chunk_size=900
    )
    for ours, expected in zip(there, here, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_workers_without_memory_of_their_own_share(monkeypatch):
    recording, sorting = make_units(dtype="float32")
    expected = averages(recording, sorting)
    monkeypatch.setattr("spikeloom.core.template_estimation._SUMS_BYTES_MAX", 1)
    shared = averages(recording, sorting, n_jobs=3, chunk_size=100)
    np.testing.assert_array_equal(shared, expected)


def test_volts_are_averaged_as_well_as_microvolts():
    recording, sorting = make_units(dtype="float64", gain=None)
    small = recording.astype("float64")
    scale = 2.0**-20
    traces = [scale * recording.get_traces(k) for k in range(2)]
    small = type(recording)(traces, 10000.0, channel_ids=recording.channel_ids)
    for ours, expected in zip(averages(small, sorting), averages(recording, sorting), strict=True):
        np.testing.assert_array_equal(ours, scale * expected)


@pytest.mark.parametrize("mask", [None, MASK], ids=["dense", "sparse"])
def test_medians(mask, monkeypatch):
    recording, sorting = make_units()
    spikes = sorting.to_spike_vector()
    expected = expected_of(recording, spikes, 3, WINDOW, np.median, mask=mask, in_uV=True)
    options = {"operator": "median", "sparsity_mask": mask, "progress_bar": False}
    for limit in (1 << 30, 1):  # all at once, and a unit at a time
        monkeypatch.setattr("spikeloom.core.template_estimation._SUMS_BYTES_MAX", limit)
        medians = estimate_templates(recording, spikes, sorting.unit_ids, *WINDOW, **options)
        np.testing.assert_array_equal(medians, expected.astype(np.float32))


def test_the_average_is_one_of_the_operators():
    recording, sorting = make_units()
    given_ = (recording, sorting.to_spike_vector(), sorting.unit_ids, *WINDOW)
    ours = estimate_templates(*given_, return_scaled=False, progress_bar=False)
    mean, _ = averages(recording, sorting, return_in_uV=False)
    np.testing.assert_array_equal(ours, mean)
    with pytest.raises(ParameterError, match="operator must be"):
        estimate_templates(*given_, operator="mad")


def test_units_without_spikes_are_zero():
    recording, sorting = make_units()
    none = sorting.to_spike_vector()[:0]
    for ours in averages(recording, sorting, spikes=none):
        np.testing.assert_array_equal(ours, np.zeros((3, 15, 4)))
    some = sorting.to_spike_vector()
    some = some[some["unit_index"] == 2]
    mean, _ = averages(recording, sorting, spikes=some)
    assert mean.any(axis=(1, 2)).tolist() == [False, False, True]
    medians = estimate_templates(
        recording, some, sorting.unit_ids, *WINDOW, operator="median", progress_bar=False
    )
    assert medians.any(axis=(1, 2)).tolist() == [False, False, True]


def test_no_units_and_no_channels():
    recording, sorting = make_units()
    empty = estimate_templates_with_accumulator(
        recording, np.zeros(0, minimum_spike_dtype), [], *WINDOW, progress_bar=False
    )
    assert empty.shape == (0, 15, 4)
    bare = recording.select_channels([])
    assert averages(bare, sorting, return_in_uV=False)[0].shape == (3, 15, 0)
    mask = np.zeros((3, 4), bool)
    assert averages(recording, sorting, sparsity_mask=mask)[1].shape == (3, 15, 0)


def test_windows_longer_than_the_recording():
    recording, sorting = make_units(lengths=(9, 4))
    spikes = sorting.to_spike_vector()
    for ours, statistic in zip(
        averages(recording, sorting, window=(20, 30)), (np.mean, np.std), strict=True
    ):
        expected = expected_of(recording, spikes, 3, (20, 30), statistic, in_uV=True)
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)


def test_spikes_outside_the_recording_do_not_count():
    recording, sorting = make_units(lengths=(500, 500))
    spikes = sorting.to_spike_vector()
    more = np.concatenate([
        spikes,
        np.array([(-4, 0, 0), (500, 1, 0), (700, 2, 1)], minimum_spike_dtype),
    ])
    np.testing.assert_array_equal(
        averages(recording, sorting, spikes=more), averages(recording, sorting)
    )


def test_what_cannot_be_is_refused():
    recording, sorting = make_units()
    with pytest.raises(ParameterError, match="mask has shape"):
        averages(recording, sorting, sparsity_mask=np.ones((3, 3), bool))
    with pytest.raises(ParameterError, match="unit_index"):
        estimate_templates_with_accumulator(
            recording, sorting.to_spike_vector(), ["u0"], *WINDOW, progress_bar=False
        )
    wrong = sorting.to_spike_vector().copy()
    wrong["segment_index"] += 1
    with pytest.raises(ParameterError, match="segment_index"):
        averages(recording, sorting, spikes=wrong)
