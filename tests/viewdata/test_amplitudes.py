from itertools import pairwise

import numpy as np
import pytest

from making.contexts import open_context
from making.phy_folders import CHANNEL_MAP, N_SPIKES, RATE, make_arrays, make_raw, write_phy_folder
from reference import filters
from spikeloom.viewdata.amplitudes import AmplitudeParams, compute_amplitudes
from spikeloom.viewdata.sampling import even_sample


def unwhitened(template_id):
    arrays = make_arrays()
    return arrays["templates"][template_id].astype(np.float64) @ arrays["whitening_mat_inv"]


def main_channel(template_id):
    return int(np.argmax(np.ptp(unwhitened(template_id), axis=0)))


def parts_of(shown):
    """Return the background, then the values of each cluster."""
    edges = np.cumsum([shown.n_background, *shown.n_shown])
    return np.split(shown.values.astype(np.float64), edges[:-1])


def test_template_amplitudes_are_those_of_the_sorter_times_the_template(context):
    shown = compute_amplitudes(context, [3, 1], AmplitudeParams())
    arrays = make_arrays()
    for i, part in zip([3, 1], parts_of(shown)[1:], strict=True):
        spikes = context.spikes_of(i)
        largest = np.abs(unwhitened(i)[:, main_channel(i)]).max()
        np.testing.assert_allclose(part, arrays["amplitudes"][spikes] * largest, rtol=1e-5)
    assert shown.kinds == ["template", "raw", "feature"]
    assert shown.unit == "template units"
    spikes = np.concatenate([context.spikes_of(i) for i in (3, 1)])
    np.testing.assert_allclose(
        shown.times_s[shown.n_background :], context.dataset.spike_samples[spikes] / RATE, rtol=1e-6
    )


def test_raw_amplitudes_are_peak_to_peak_on_the_main_channel_after_the_filter(context):
    params = AmplitudeParams(kind="raw", n_spikes=100)
    shown = compute_amplitudes(context, [2], params)
    sample = even_sample(context.spikes_of(2), 20)
    assert shown.n_shown == [20]
    assert shown.n_background == 0
    raw = make_raw()[:, CHANNEL_MAP[main_channel(2)]].astype(np.float64)
    expected = []
    for spike in context.dataset.spike_samples[sample]:
        rows = np.clip(np.arange(spike - 110, spike + 110), 0, raw.size - 1)
        window = filters.forward_backward(raw[rows][:, None], filters.high_pass(RATE), n_level=20)
        expected.append(np.ptp(window[100:120]))
    np.testing.assert_allclose(parts_of(shown)[1], expected, rtol=0, atol=0.5)
    assert shown.unit == "raw units"


def test_features_are_an_amplitude_too(context):
    shown = compute_amplitudes(
        context, [2], AmplitudeParams(kind="feature", channel=5, component=1)
    )
    spikes = context.spikes_of(2)
    arrays = make_arrays()
    listed = arrays["pc_feature_ind"][2].tolist()
    expected = np.full(spikes.size, np.nan)
    if 5 in listed:
        expected = arrays["pc_features"][spikes, 1, listed.index(5)]
    np.testing.assert_allclose(parts_of(shown)[1], expected, rtol=1e-6)
    assert shown.label == f"feature {CHANNEL_MAP[5]}B"
    assert shown.channel == 5
    automatic = compute_amplitudes(context, [2], AmplitudeParams(kind="feature"))
    assert automatic.channel == main_channel(2)
    assert automatic.unit == "PC units"


def test_the_background_are_spikes_of_other_clusters_seen_on_the_main_channel(context):
    shown = compute_amplitudes(context, [2], AmplitudeParams())
    neighbours = [i for i in (0, 1, 3, 4, 5) if main_channel(2) in context.best_channels(i)]
    spikes = np.concatenate([context.spikes_of(i) for i in neighbours])
    assert shown.n_background == spikes.size
    np.testing.assert_allclose(
        np.sort(shown.times_s[: spikes.size]),
        np.sort(context.dataset.spike_samples[spikes] / RATE),
        rtol=1e-6,
    )
    few = compute_amplitudes(context, [2], AmplitudeParams(n_background=11))
    assert few.n_background == 11
    assert compute_amplitudes(context, [2], AmplitudeParams(n_background=0)).n_background == 0


@pytest.mark.parametrize("n_max", [1, 10, 57, 200])
def test_as_many_grey_spikes_as_asked_for_whichever_cluster_is_selected(context, n_max):
    params = AmplitudeParams(n_background=n_max)
    for selected in context.state.cluster_ids:
        shown = compute_amplitudes(context, [selected], params)
        neighbours = [
            context.spikes_of(i)
            for i in context.state.cluster_ids
            if i != selected and main_channel(selected) in context.best_channels(i)
        ]
        spikes = np.concatenate([*neighbours, np.zeros(0, np.int32)])
        assert shown.n_background == min(n_max, spikes.size)
        found = shown.times_s[: shown.n_background]
        assert np.isin(found, (context.dataset.spike_samples[spikes] / RATE).astype("f4")).all()


def test_histograms_count_the_spikes_shown(context):
    shown = compute_amplitudes(context, [3, 1], AmplitudeParams(n_spikes=40))
    edges = np.linspace(shown.low, shown.high, shown.n_bins + 1)
    for part, counts in zip(parts_of(shown)[1:], shown.histograms, strict=True):
        expected = [
            int(((part >= a) & ((part < b) | ((k == 99) & (part == b)))).sum())
            for k, (a, b) in enumerate(pairwise(edges))
        ]
        assert np.abs(counts - expected).sum() <= 2  # float32 at the edges
        assert counts.sum() >= 0.99 * part.size
    assert shown.low == 0.0
    assert shown.high > shown.values[shown.n_background :].max() * 0.99


def test_spikes_of_a_template_that_no_file_holds_have_no_amplitude(tmp_path):
    arrays = make_arrays()
    arrays["spike_templates"][7] = 60
    arrays["spike_clusters"][7] = 60
    arrays["spike_clusters"][8] = 61
    arrays["spike_templates"][8] = 61
    context = open_context(write_phy_folder(tmp_path, arrays=arrays, has_raw=False))
    shown = compute_amplitudes(context, [60, 2], AmplitudeParams())
    assert np.isnan(parts_of(shown)[1]).all()
    assert np.isfinite(parts_of(shown)[2]).all()
    assert shown.histograms[0].sum() == 0
    assert np.isfinite([shown.low, shown.high]).all()


def test_amplitudes_that_are_all_zero_have_an_axis_all_the_same(tmp_path):
    arrays = make_arrays() | {"amplitudes": np.zeros(N_SPIKES)}
    context = open_context(write_phy_folder(tmp_path, arrays=arrays, has_raw=False))
    shown = compute_amplitudes(context, [2], AmplitudeParams())
    assert (shown.low, shown.high) == (0.0, 1.0)


def test_what_cannot_be_shown_is_said_and_the_next_best_is_shown(tmp_path):
    arrays = make_arrays()
    del arrays["amplitudes"]
    context = open_context(write_phy_folder(tmp_path / "a", arrays=arrays, has_raw=False))
    shown = compute_amplitudes(context, [2], AmplitudeParams())
    assert (shown.kind, shown.kinds, shown.note) == ("feature", ["feature"], "")
    bare = {name: arrays[name] for name in ("spike_times", "spike_templates", "channel_map")}
    context = open_context(write_phy_folder(tmp_path / "b", arrays=bare, has_raw=False))
    shown = compute_amplitudes(context, [2], AmplitudeParams())
    assert shown.kinds == []
    assert "amplitudes.npy" in shown.note


@pytest.mark.parametrize("kind", ["template", "raw", "feature"])
def test_no_cluster_shows_nothing(context, kind):
    shown = compute_amplitudes(context, [], AmplitudeParams(kind=kind))
    assert shown.values.size == 0
    assert shown.histograms.shape == (0, 100)
