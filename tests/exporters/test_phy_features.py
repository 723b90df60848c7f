import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikeloom.core.raw_traces import RawTraces
from spikeloom.datasets.templates import cosine
from spikeloom.exporters.phy_features import (
    N_COMPONENTS,
    compute_phy_features,
    local_channels,
    most_similar,
    principal_axes,
)

N_WINDOW = 82
N_CHANNELS = 16
POSITIONS = np.column_stack([np.zeros(N_CHANNELS), 20.0 * np.arange(N_CHANNELS)])


def spike_shape(channel, depth):
    """Return a spike without slow parts, (N_WINDOW, N_CHANNELS)."""
    t = np.arange(N_WINDOW) - N_WINDOW // 2
    wave = np.cos(2 * np.pi * t / 25) * np.exp(-0.5 * (t / 8) ** 2)
    profile = np.exp(-np.abs(np.arange(N_CHANNELS) - channel) / 2)
    return -depth * wave[:, None] * profile


@pytest.fixture(scope="module")
def made():
    """Spikes of clusters 0, 1 and 3 (there is no 2) in nearly silent traces."""
    rng = np.random.default_rng(0)
    n_spikes = 150
    samples = 300 + 200 * np.arange(n_spikes)
    clusters = rng.choice([0, 1, 3], n_spikes).astype(np.int32)
    scales = rng.uniform(0.7, 1.3, n_spikes)
    shapes = {0: spike_shape(3, 4000), 1: spike_shape(4, 2500), 3: spike_shape(12, 3000)}
    raw = rng.normal(200, 3, (31_000, N_CHANNELS))
    for sample, cluster, scale in zip(samples, clusters, scales, strict=True):
        raw[sample - 41 : sample + 41] += scale * shapes[int(cluster)]
    traces = RawTraces((np.rint(raw).astype(np.int16),), np.arange(N_CHANNELS), 30_000.0)
    seen = []
    features = compute_phy_features(
        traces,
        samples,
        clusters,
        channel_positions=POSITIONS,
        n_window_samples=N_WINDOW,
        on_progress=seen.append,
    )
    return features, clusters, scales, shapes, seen


def test_templates_are_mean_waveforms_without_the_offset(made):
    features, clusters, scales, shapes, _ = made
    assert features.templates.shape == (4, N_WINDOW, N_CHANNELS)
    assert not features.templates[2].any()
    for cluster, shape in shapes.items():
        expected = shape * scales[clusters == cluster].mean()
        # The high-pass filter takes little of a spike like this.
        assert np.abs(features.templates[cluster] - expected).max() < 0.04 * np.abs(expected).max()


def test_amplitudes_are_factors_of_the_template(made):
    features, clusters, scales, _, _ = made
    assert features.amplitudes.dtype == np.float64
    for cluster in (0, 1, 3):
        is_own = clusters == cluster
        expected = scales[is_own] / scales[is_own].mean()
        np.testing.assert_allclose(features.amplitudes[is_own], expected, atol=0.01)


def test_channels_are_those_around_the_main_one_by_falling_amplitude(made):
    features = made[0]
    assert features.pc_feature_ind.dtype == np.int32
    assert features.pc_feature_ind.shape == (4, 12)
    assert features.pc_feature_ind[0, 0] == 3
    assert set(features.pc_feature_ind[0, 1:3]) == {2, 4}
    assert set(features.pc_feature_ind[3]) == set(range(4, 16))
    for template_id in (0, 1, 3):
        listed = features.pc_feature_ind[template_id]
        amplitudes = np.ptp(features.templates[template_id], axis=0)[listed]
        assert (np.diff(amplitudes) <= 0).all()


def test_the_first_component_goes_with_the_size_of_the_spike(made):
    features, clusters, scales, shapes, _ = made
    assert features.pc_features.shape == (150, N_COMPONENTS, 12)
    assert features.pc_features.dtype == np.float32
    for cluster in (0, 1, 3):
        is_own = clusters == cluster
        first = features.pc_features[is_own, 0, 0]
        norm = np.linalg.norm(shapes[cluster], axis=0).max()
        np.testing.assert_allclose(first, scales[is_own] * norm, rtol=0.03)
        assert np.abs(features.pc_features[is_own, 1:, 0]).max() < 0.1 * first.min()


def test_template_features_are_projections_on_similar_templates(made):
    features, clusters, scales, shapes, _ = made
    assert features.template_feature_ind.tolist()[0][:2] == [0, 1]
    assert features.template_feature_ind[:, 0].tolist() == [0, 1, 2, 3]
    is_first = clusters == 0
    column = features.template_feature_ind[0].tolist().index(1)
    own, other = features.template_features[is_first][:, [0, column]].T
    np.testing.assert_allclose(own, scales[is_first] * np.linalg.norm(shapes[0]), rtol=0.03)
    np.testing.assert_allclose(other / own, features.similarity[0, 1], atol=0.03)


def test_similarity_is_the_cosine(made):
    features = made[0]
    flat = [features.templates[i].ravel().astype(np.float64) for i in (0, 1)]
    expected = flat[0] @ flat[1] / np.linalg.norm(flat[0]) / np.linalg.norm(flat[1])
    assert features.similarity[0, 1] == pytest.approx(expected, abs=1e-5)
    assert features.similarity[2].tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(np.diag(features.similarity)[[0, 1, 3]], 1, atol=1e-6)


def test_progress_grows_to_one(made):
    seen = made[4]
    assert seen == sorted(seen)
    assert len(seen) == 3
    assert seen[-1] == 1


@given(st.integers(0, 500), st.integers(3, 12))
def test_axes_are_orthonormal_and_leave_the_least_behind(seed, n_samples):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (40, n_samples)) * rng.uniform(0.2, 5, n_samples)
    axes = principal_axes(rows.T @ rows).astype(np.float64)
    np.testing.assert_allclose(axes.T @ axes, np.eye(N_COMPONENTS), atol=1e-5)
    kept = ((rows @ axes) ** 2).sum()
    best = (np.linalg.svd(rows, compute_uv=False)[:N_COMPONENTS] ** 2).sum()
    assert kept == pytest.approx(best, rel=1e-4)
    largest = np.abs(axes).argmax(axis=0)
    assert (axes[largest, range(N_COMPONENTS)] < 0).all()


@given(st.integers(0, 500), st.integers(1, 30))
def test_similar_templates_come_in_order_and_only_once(seed, n_templates):
    rows = np.random.default_rng(seed).normal(0, 1, (n_templates, 4)).astype(np.float32)
    rows[0] = 0
    similarity = cosine(rows)
    listed = most_similar(similarity)
    assert listed.shape == (n_templates, min(16, n_templates))
    assert listed[:, 0].tolist() == list(range(n_templates))
    for template_id, others in enumerate(listed):
        assert len(set(others.tolist())) == others.size
        assert (np.diff(similarity[template_id, others[1:]]) <= 0).all()


def test_on_small_probes_all_channels_are_local():
    templates = np.random.default_rng(0).normal(0, 1, (2, 5, 3)).astype(np.float32)
    channels = local_channels(templates, POSITIONS[:3])
    assert np.sort(channels, axis=1).tolist() == [[0, 1, 2], [0, 1, 2]]
