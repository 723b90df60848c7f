import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from reference import count_medians as twin
from spikeloom.kernels.count_medians import count_values, median_deviations, value_ranges

traces_of_16_bits = arrays(
    np.int16, st.tuples(st.integers(1, 12), st.integers(1, 4)), elements=st.integers(-40, 40)
)


@given(traces_of_16_bits)
def test_values_are_counted(traces):
    ranges = np.empty((traces.shape[1], 2), np.int64)
    value_ranges(traces, ranges)
    np.testing.assert_array_equal(ranges, twin.value_ranges(traces))
    n_values = int(np.ptp(ranges, axis=1).max()) + 1
    counts = np.zeros((traces.shape[1], n_values), np.int32)
    count_values(traces, np.ascontiguousarray(ranges[:, 0]), counts)
    np.testing.assert_array_equal(counts, twin.count_values(traces, ranges[:, 0], n_values))
    deviations = np.empty(traces.shape[1])
    median_deviations(counts, len(traces), deviations)
    np.testing.assert_array_equal(deviations, twin.median_deviations(traces))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint16, np.int32, np.uint32])
def test_numbers_of_all_sizes_are_taken(dtype):
    high = np.iinfo(dtype).max
    traces = np.array([[high, 3], [high - 2, 7], [high - 1, 3]], dtype)
    ranges = np.empty((2, 2), np.int64)
    value_ranges(traces, ranges)
    np.testing.assert_array_equal(ranges, [[high - 2, high], [3, 7]])
    counts = np.zeros((2, 5), np.int32)
    count_values(traces, np.ascontiguousarray(ranges[:, 0]), counts)
    np.testing.assert_array_equal(counts, [[1, 1, 1, 0, 0], [2, 0, 0, 0, 1]])
