import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference.leaks import leak_twice as twin
from spikeloom.kernels.leaks import leak_twice


@given(
    st.lists(st.floats(-10, 10), max_size=30),
    st.floats(-1, 1),
    st.floats(-0.9, 0.9),
)
def test_a_leak_adds_the_weighted_past(values, first, second):
    series = np.array(values)
    leak_twice(series, first, second)
    assert series.tolist() == pytest.approx(twin(values, first, second), rel=1e-9, abs=1e-9)
