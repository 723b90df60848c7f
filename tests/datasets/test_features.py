import numpy as np
import pytest
from hypothesis import given, strategies as st

from reference.sparse_rows import from_sparse
from spikeloom.datasets.features import SparseFeatures
from spikeloom.errors import ParameterError


def make_features(data, columns, *, spike_ids=None, n_spikes=None, n_channels=24):
    """Return features of one component; each row has a template of its own."""
    data = np.array(data, np.float32)[:, None, :]
    n_spikes = len(data) if n_spikes is None else n_spikes
    return SparseFeatures(
        data,
        None if columns is None else np.array(columns, np.int64),
        None if spike_ids is None else np.array(spike_ids, np.int64),
        np.arange(n_spikes, dtype=np.int32) % max(1, len(data)),
        n_channels,
    )


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([19, 21], [[np.nan, 2], [4, 3]]),
        ([21, 19], [[2, np.nan], [3, 4]]),
        ([0], [[np.nan], [np.nan]]),
        ([21, 21], [[2, 2], [3, 3]]),
    ],
)
def test_features_are_read_from_the_columns_that_list_a_channel(channels, expected):
    features = make_features([[0, 1, 2], [3, 4, 5]], [[20, 23, 21], [21, 19, 22]])
    found = features.get(np.array([0, 1]), channels)
    np.testing.assert_array_equal(found[:, 0, :], np.array(expected, np.float32))


@given(
    st.lists(st.permutations(range(6)).map(lambda p: p[:3]), min_size=1, max_size=6),
    st.lists(st.integers(0, 5), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
)
def test_equals_a_plain_look_up(columns, channels, seed):
    data = np.random.default_rng(seed).integers(0, 100, (len(columns), 3))
    features = make_features(data, columns, n_channels=6)
    spikes = np.arange(len(columns))
    expected = np.array(from_sparse(data.tolist(), columns, channels), np.float32)
    np.testing.assert_array_equal(features.get(spikes, channels)[:, 0, :], expected)


def test_dense_features_have_a_column_for_every_channel():
    features = make_features([[0, 1, 2], [3, 4, 5]], None, n_channels=3)
    assert features.get(np.array([1, 0]), [2, 0])[:, 0, :].tolist() == [[5, 3], [2, 0]]


def test_only_some_spikes_have_features_and_rows_may_come_in_any_order():
    features = make_features([[1], [2], [3]], [[7]] * 3, spike_ids=[40, 10, 20], n_spikes=50)
    found = features.get(np.array([10, 11, 20, 40, 49]), [7])[:, 0, 0]
    np.testing.assert_array_equal(found, [2, np.nan, 3, 1, np.nan])
    assert features.rows_of(np.array([10, 11, 20, 40])).tolist() == [1, -1, 2, 0]
    assert features.n_stored_spikes == 3


def test_no_spike_may_have_features():
    features = make_features(np.zeros((0, 2)), np.zeros((1, 2)), spike_ids=[], n_spikes=5)
    assert np.isnan(features.get(np.arange(5), [0])).all()


def test_a_channel_listed_twice_is_read_from_its_first_column():
    features = make_features([[5, 6]], [[3, 3]])
    assert features.get(np.array([0]), [3])[0, 0, 0] == 5


@pytest.mark.parametrize("channel", [-1, 24, 10**9])
@pytest.mark.parametrize("is_dense", [True, False])
def test_a_channel_that_does_not_exist_is_an_error_and_reads_no_memory(channel, is_dense):
    columns = None if is_dense else [[0] * 24]
    features = make_features(np.zeros((1, 24)), columns)
    with pytest.raises(ParameterError, match="channels 0 to 23"):
        features.get(np.array([0]), [channel])
