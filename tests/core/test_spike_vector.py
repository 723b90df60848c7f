import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.spikes import N_SEGMENTS, columns_of, spikes_lists, spikes_of, table_of
from reference import spike_vector as twin
from spikeloom.core.spike_vector import (
    N_BLOCK,
    SpikeTable,
    base_peak_dtype,
    base_period_dtype,
    blocks,
    is_in_order,
    minimum_spike_dtype,
    spike_peak_dtype,
    ties_are_in_order,
    unit_period_dtype,
)
from spikeloom.errors import DataError, ParameterError


def test_dtypes_are_those_of_files_and_users():
    spike = ["sample_index", "unit_index", "segment_index"]
    peak = ["sample_index", "channel_index", "amplitude", "segment_index"]
    period = ["segment_index", "start_sample_index", "end_sample_index"]
    assert list(minimum_spike_dtype.names) == spike
    assert list(base_peak_dtype.names) == peak
    assert list(spike_peak_dtype.names) == [*peak, "unit_index"]
    assert list(base_period_dtype.names) == period
    assert list(unit_period_dtype.names) == [*period, "unit_index"]
    assert minimum_spike_dtype.itemsize == 24
    assert {spike_peak_dtype[name] for name in spike} == {np.dtype(np.int64)}
    assert base_peak_dtype["amplitude"] == np.float64


@given(spikes_lists)
def test_the_spike_vector_has_all_spikes_in_order(spikes):
    vector = table_of(spikes).to_spike_vector()
    assert vector.dtype == minimum_spike_dtype
    found = [(int(s), int(t), int(u)) for t, u, s in vector.tolist()]
    assert found == twin.in_order(spikes)


def test_a_long_spike_vector_is_filled_to_its_end():
    n_spikes = 2 * N_BLOCK + 5
    table = SpikeTable(
        np.arange(n_spikes), np.arange(n_spikes) % 7, np.array([0, N_BLOCK + 3, n_spikes])
    )
    vector = table.to_spike_vector()
    assert np.array_equal(vector["sample_index"], table.sample_index)
    assert np.array_equal(vector["unit_index"], table.unit_index)
    assert np.array_equal(vector["segment_index"], np.arange(n_spikes) >= N_BLOCK + 3)


@given(spikes_lists, st.integers(0, N_SEGMENTS - 1), st.integers(-25, 65), st.integers(-25, 65))
def test_a_window_has_the_spikes_from_its_start_to_before_its_end(spikes, segment, start, end):
    table = table_of(spikes)
    found = spikes_of(table)[table.window(segment, start, end)]
    expected = [x for x in sorted(spikes) if x[0] == segment and start <= x[1] < end]
    assert found == expected
    assert table.window(segment) == table.segment_slice(segment)


@given(spikes_lists)
def test_the_last_spike_of_each_segment_is_known(spikes):
    table = table_of(spikes)
    for segment in range(N_SEGMENTS):
        samples = [sample for s, sample, _ in spikes if s == segment]
        assert table.last_spike_frame(segment) == max(samples, default=0)


@pytest.mark.parametrize("segment_index", [-1, 3])
def test_an_unknown_segment_is_refused(segment_index):
    with pytest.raises(ParameterError, match="there are 3 segments"):
        table_of([]).segment_slice(segment_index)


@given(spikes_lists)
def test_order_and_ties_are_recognised(spikes):
    samples, units, _ = columns_of(spikes)
    assert is_in_order(samples) == (samples.tolist() == sorted(samples.tolist()))
    pairs = list(zip(samples.tolist(), units.tolist(), strict=True))
    follow = all(a[1] <= b[1] for a, b in pairwise(pairs) if a[0] == b[0])
    assert ties_are_in_order(samples, units) == follow


@pytest.mark.parametrize("place", [1, N_BLOCK - 1, N_BLOCK, N_BLOCK + 1, 2 * N_BLOCK])
def test_disorder_between_blocks_is_seen(place):
    samples = np.arange(2 * N_BLOCK + 1)
    assert is_in_order(samples)
    samples[place] = samples[place - 1] - 1
    assert not is_in_order(samples)
    same, units = np.zeros_like(samples), np.arange(samples.size)
    assert ties_are_in_order(same, units)
    units[place] = units[place - 1] - 1
    assert not ties_are_in_order(same, units)


def test_blocks_follow_each_other():
    parts = list(blocks(slice(5, 5 + 2 * N_BLOCK + 1)))
    assert [part.stop - part.start for part in parts] == [N_BLOCK, N_BLOCK, 1]
    assert list(blocks(slice(3, 3))) == []


def test_a_table_takes_memory_maps_and_fields_without_a_copy(tmp_path):
    vector = np.zeros(10, minimum_spike_dtype)
    np.save(tmp_path / "spikes.npy", vector)
    mapped = np.load(tmp_path / "spikes.npy", mmap_mode="r")
    table = SpikeTable(mapped["sample_index"], mapped["unit_index"], np.array([0, 10]), mapped)
    assert np.shares_memory(table.sample_index, mapped)
    assert table.to_spike_vector() is mapped
    assert table.nbytes == 240


def test_a_unit_index_out_of_range_is_told():
    with pytest.raises(DataError, match="unit index 4; with 4 units it is 0 to 3"):
        table_of([(0, 1, 4)])
    with pytest.raises(DataError, match="unit index -1"):
        table_of([(0, 1, -1)])


def test_numba_is_not_loaded_for_few_spikes():
    code = (
        "import sys\n"
        "from spikeloom.core import random_spikes, spike_building, unit_changes\n"
        "table, ids = spike_building.table_from_samples_and_labels([[3, 1]], [[5, 4]])\n"
        "unit_changes.merge_units(table, ids, [[4, 5]], censor_samples=1)\n"
        "random_spikes.random_spike_indices(table, 2, seed=0)\n"
        "sys.exit('numba' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
