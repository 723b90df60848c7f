import numpy as np
import pytest

from making.contexts import open_context
from making.phy_folders import N_SPIKES, RATE, make_arrays, write_phy_folder
from reference.sparse_rows import from_sparse
from spikeloom.viewdata.features import (
    FeatureParams,
    chosen_channels,
    compute_features,
    feature_values,
)


def look_up(spikes, channels, component):
    """Return features one by one, nan where a spike's template does not list the channel."""
    arrays = make_arrays()
    data = arrays["pc_features"][spikes, component]
    listed = arrays["pc_feature_ind"][arrays["spike_templates"][spikes]]
    return np.array(from_sparse(data.tolist(), listed.tolist(), channels)).reshape(
        -1, len(channels)
    )


def test_every_value_is_that_of_the_file(context):
    shown = compute_features(context, [2, 0], FeatureParams())
    spikes = np.concatenate([np.arange(N_SPIKES), context.spikes_of(2), context.spikes_of(0)])
    assert shown.n_background == N_SPIKES
    assert shown.n_shown == shown.n_spikes == [context.spikes_of(i).size for i in (2, 0)]
    for component in range(3):
        expected = look_up(spikes, shown.channels, component)
        np.testing.assert_array_equal(shown.values[:, :, component], expected.astype(np.float32))
    np.testing.assert_allclose(
        shown.times_s, context.dataset.spike_samples[spikes] / RATE, rtol=1e-6
    )
    own = shown.values[N_SPIKES:]
    assert shown.largest == np.nanmax(np.abs(own))
    for k, (start, end) in enumerate(
        zip([0, shown.n_shown[0]], np.cumsum(shown.n_shown), strict=True)
    ):
        assert shown.n_without[k] == int(np.isnan(own[start:end, :, 0]).any(axis=1).sum())


def test_a_sample_is_fixed_and_so_is_the_background(context):
    params = FeatureParams(n_spikes=10, n_background=50)
    first, second = (compute_features(context, [2, 0], params) for _ in range(2))
    np.testing.assert_array_equal(first.values, second.values)
    assert first.n_shown == [10, 10]
    assert first.n_background == 50
    step = N_SPIKES // 50
    np.testing.assert_allclose(
        first.times_s[:50], context.dataset.spike_samples[::step][:50] / RATE, rtol=1e-6
    )


def test_channels_are_those_of_the_first_cluster_the_shared_ones_first(context):
    best = {i: context.best_channels(i).tolist() for i in range(6)}
    for ids in ([2], [2, 4], [5, 0, 3]):
        shared = set.intersection(*(set(best[i]) for i in ids))
        expected = [c for c in best[ids[0]] if c in shared] + [
            c for c in best[ids[0]] if c not in shared
        ]
        assert chosen_channels(context, ids, "") == expected[:2]
    assert chosen_channels(context, [2], "7,1") == [7, 1]
    assert chosen_channels(context, [2], "7") == [7, best[2][0]]
    assert chosen_channels(context, [2], "99,-1,x,²,3") == [3, best[2][0]]


def test_with_features_of_some_spikes_only_those_are_drawn_and_all_are_counted(tmp_path):
    arrays = make_arrays()
    with_features = np.arange(0, N_SPIKES, 4)
    arrays["pc_features"] = arrays["pc_features"][with_features]
    arrays["pc_feature_spike_ids"] = with_features
    context = open_context(write_phy_folder(tmp_path, arrays=arrays))
    shown = compute_features(context, [2], FeatureParams())
    own = np.intersect1d(context.spikes_of(2), with_features)
    assert shown.n_shown == [own.size]
    assert shown.n_spikes == [context.spikes_of(2).size]
    assert shown.n_background == with_features.size
    np.testing.assert_array_equal(
        shown.values[shown.n_background :, :, 0], look_up(own, shown.channels, 0).astype(np.float32)
    )


def test_single_features_are_nan_where_there_is_none(context):
    spikes = context.spikes_of(2)
    np.testing.assert_array_equal(
        feature_values(context, spikes, 3, 1), look_up(spikes, [3], 1)[:, 0]
    )
    for component in (-1, 3, 10**9):
        assert np.isnan(feature_values(context, spikes, 3, component)).all()


def test_what_cannot_be_shown_is_said(tmp_path, context):
    arrays = make_arrays()
    del arrays["pc_features"]
    without = open_context(write_phy_folder(tmp_path, arrays=arrays, has_raw=False))
    shown = compute_features(without, [2, 3], FeatureParams())
    assert "pc_features.npy" in shown.note
    assert "template_features" not in shown.note
    assert shown.n_shown == [0, 0]
    assert shown.n_spikes == [without.spikes_of(i).size for i in (2, 3)]
    assert np.isnan(feature_values(without, without.spikes_of(2), 0, 0)).all()
    assert compute_features(context, [], FeatureParams()).note == ""


@pytest.mark.parametrize("n", [0, -5])
def test_no_spikes_and_no_background_can_be_asked_for(context, n):
    shown = compute_features(context, [2], FeatureParams(n_spikes=n, n_background=n))
    assert shown.n_shown == [0]
    assert shown.n_background == 0
    assert shown.largest == 0.0
