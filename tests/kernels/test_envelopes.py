import numpy as np
from hypothesis import given, strategies as st

from reference import envelopes as twin
from spikeloom.kernels.envelopes import fill_envelope


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 20), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_each_column_holds_the_extremes_of_its_samples(seed, lengths, n_channels):
    edges = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    block = np.random.default_rng(seed).normal(0, 1, (edges[-1], n_channels)).astype(np.float32)
    envelope = np.empty((n_channels, len(lengths), 2), np.float32)
    fill_envelope(block, edges, envelope)
    np.testing.assert_array_equal(envelope, twin.envelope(block, edges))
