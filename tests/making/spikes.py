"""Spikes for tests: lists of (segment, sample, unit), as tables and back."""

import numpy as np
from hypothesis import strategies as st

from spikeloom.core.spike_building import table_from_columns

N_UNITS = 4
N_SEGMENTS = 3

spikes_lists = st.lists(
    st.tuples(st.integers(0, N_SEGMENTS - 1), st.integers(-20, 60), st.integers(0, N_UNITS - 1)),
    max_size=60,
)


def columns_of(spikes):
    """Return the samples, units and segments of spikes."""
    array = np.array(spikes, np.int64).reshape(-1, 3)
    return array[:, 1], array[:, 2], array[:, 0]


def table_of(spikes, n_units=N_UNITS, n_segments=N_SEGMENTS):
    return table_from_columns(*columns_of(spikes), n_units=n_units, n_segments=n_segments)


def spikes_of(table):
    """Return the spikes of a table."""
    columns = (table.segment_index(), table.sample_index, table.unit_index)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def many_spikes(n_spikes, n_units=300, seed=0):
    """Return samples and units of many spikes in no order, some of them at one sample."""
    rng = np.random.default_rng(seed)
    return rng.integers(-1000, n_spikes * 4, n_spikes), rng.integers(0, n_units, n_spikes)
