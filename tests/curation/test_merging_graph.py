import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.curation import resolve_merging_graph, resolve_pairs
from spikeloom.errors import ParameterError

SORTING = NumpySorting.from_unit_dict({unit: [10] for unit in range(12)}, 1000.0)


@given(
    pairs=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=12),
    seed=st.integers(0, 3),
)
def test_groups_are_connected_components(pairs, seed):
    import scipy.sparse as sp

    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    graph = sp.coo_array((np.ones(len(pairs)), (rows, columns)), shape=(12, 12))
    _, labels = sp.csgraph.connected_components(graph, directed=False)
    expected = [
        np.flatnonzero(labels == k).tolist()
        for k in dict.fromkeys(labels.tolist())
        if (labels == k).sum() > 1
    ]
    assert resolve_merging_graph(SORTING, pairs) == expected
    shuffled = np.random.default_rng(seed).permutation(len(pairs))
    again = [pairs[i][::-1] for i in shuffled]
    assert resolve_merging_graph(SORTING, again) == expected


def test_unknown_units():
    with pytest.raises(ParameterError):
        resolve_merging_graph(SORTING, [(0, 99)])


def test_nested_merges():
    merges = resolve_pairs(None, {12: [0, 1], 13: [2, 3]})
    merges = resolve_pairs(merges, {14: [12, 13], 15: [4, 5]})
    assert merges == {14: [0, 1, 2, 3], 15: [4, 5]}
