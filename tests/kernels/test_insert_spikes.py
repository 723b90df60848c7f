import numpy as np
from hypothesis import given, strategies as st

from reference import insert_spikes as twin
from spikeloom.kernels.insert_spikes import insert_spikes

spike_lists = st.lists(st.tuples(st.integers(-9, 30), st.integers(0, 3)), max_size=40)


def insert(spikes, more):
    columns = [
        np.array([spike[k] for spike in each], dtype)
        for each in (spikes, more)
        for k, dtype in enumerate((np.int64, np.int32))
    ]
    n_all = len(spikes) + len(more)
    samples, units = np.full(n_all, -777), np.full(n_all, -7, np.int32)
    places = np.full(len(more), -1)
    are_in_order = insert_spikes(*columns, samples, units, places)
    merged = list(zip(samples.tolist(), units.tolist(), strict=True))
    return are_in_order, merged, places.tolist()


@given(spike_lists.map(sorted), spike_lists.map(sorted))
def test_spikes_are_put_where_the_twin_puts_them(spikes, more):
    assert insert(spikes, more) == (True, *twin.insert_spikes(spikes, more))


def test_units_out_of_order_are_told():
    assert not insert([(3, 1), (3, 0)], [(2, 0)])[0]
    assert insert([(3, 1), (4, 0)], [])[0]
