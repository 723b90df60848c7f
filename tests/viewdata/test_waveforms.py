import numpy as np
import pytest

from making.contexts import open_context
from making.phy_folders import CHANNEL_MAP, RATE, make_arrays, make_raw, write_phy_folder
from reference import filters
from spikeloom.viewdata.sampling import even_sample
from spikeloom.viewdata.waveforms import WaveformParams, compute_waveforms

N_SAMPLES = 20
MARGIN, N_LEVEL = 100, 20


def unpack(shown):
    """Return the waveforms (n_shown, n_channels, n_samples) of each cluster, in `unit`."""
    blocks, start = [], 0
    for n, channels in zip(shown.n_shown, shown.channels, strict=True):
        size = n * len(channels) * shown.n_samples
        part = shown.values[start : start + size].astype(np.float64) * shown.scale
        blocks.append(part.reshape(n, len(channels), shown.n_samples))
        start += size
    assert start == shown.values.size
    return blocks


def snippets(samples, channels, *, is_filtered):
    """Cut snippets out of the raw data one by one, with scipy's filter."""
    raw = make_raw()[:, CHANNEL_MAP[channels]].astype(np.float64)
    margin = MARGIN if is_filtered else 0
    found = []
    for sample in samples:
        start = int(sample) - N_SAMPLES // 2
        rows = np.arange(start - margin, start + N_SAMPLES + margin)
        window = raw[np.clip(rows, 0, len(raw) - 1)]
        if is_filtered:
            window = filters.forward_backward(window, filters.high_pass(RATE), N_LEVEL)
            window = window[margin : margin + N_SAMPLES]
        else:
            window = window - np.median(window, axis=0)
        inside = (np.arange(start, start + N_SAMPLES) >= 0) & (
            np.arange(start, start + N_SAMPLES) < len(raw)
        )
        found.append(np.where(inside[:, None], window, 0).T)
    return np.array(found)


@pytest.mark.parametrize("is_filtered", [True, False])
def test_waveforms_are_snippets_of_the_raw_data_on_the_best_channels(context, is_filtered):
    shown = compute_waveforms(context, [3, 1], WaveformParams(is_filtered=is_filtered))
    assert shown.kind == "waveforms"
    for i, block in zip([3, 1], unpack(shown), strict=True):
        sample = even_sample(context.spikes_of(i), 100)
        best = context.best_channels(i)
        expected = snippets(context.dataset.spike_samples[sample], best, is_filtered=is_filtered)
        # What is sent is rounded to 16 bits; the filter to single precision.
        np.testing.assert_allclose(block, expected, rtol=0, atol=shown.scale + 0.05)
    assert shown.channels == [context.best_channels(i).tolist() for i in (3, 1)]
    assert shown.n_spikes == [context.spikes_of(i).size for i in (3, 1)]
    assert shown.largest == pytest.approx(shown.scale * 32767)
    assert (shown.unit, shown.note) == ("raw units", "")


def test_times_are_those_from_the_spike(context):
    shown = compute_waveforms(context, [3], WaveformParams())
    assert shown.n_samples == N_SAMPLES
    assert shown.sample_ms == 1000 / RATE
    assert shown.first_ms == -10 * shown.sample_ms


def test_at_most_so_many_spikes_of_at_most_eight_clusters_are_shown(context):
    shown = compute_waveforms(context, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3], WaveformParams(n_spikes=7))
    assert shown.cluster_ids == [0, 1, 2, 3, 4, 5, 0, 1]
    assert shown.n_shown == [7] * 8
    assert shown.opacity.tolist() == [1.0] * 56


def test_the_mean_is_that_of_the_waveforms_shown(context):
    several = unpack(compute_waveforms(context, [2], WaveformParams(n_spikes=30)))[0]
    shown = compute_waveforms(context, [2], WaveformParams(kind="mean_waveforms", n_spikes=30))
    assert shown.n_shown == [1]
    np.testing.assert_allclose(unpack(shown)[0][0], several.mean(axis=0), rtol=0, atol=0.1)


def test_templates_are_those_of_the_spikes_as_strong_as_they_are_frequent(shared_folder):
    from spikeloom.app.sessions import session_of
    from spikeloom.datasets.template_loading import load_template_model
    from spikeloom.engine.cancellation import CancelToken

    app_session = session_of(load_template_model(shared_folder))
    app_session.session.log = None
    app_session.session.merge([1, 4])
    context = app_session.context(CancelToken())
    shown = compute_waveforms(context, [6], WaveformParams(kind="templates"))
    sizes = np.bincount(make_arrays()["spike_templates"])[[1, 4]]
    np.testing.assert_allclose(shown.opacity, sizes / sizes.max(), rtol=1e-6)
    templates = context.dataset.templates
    for row, template_id in enumerate((1, 4)):
        expected = templates.dense(template_id, shown.channels[0]).T
        np.testing.assert_allclose(unpack(shown)[0][row], expected, rtol=0, atol=shown.scale)
    assert shown.channels == [templates.get(1 if sizes[0] >= sizes[1] else 4).channel_ids.tolist()]
    assert shown.unit == "template units"


def test_the_gain_makes_microvolts_of_raw_units(tmp_path, context):
    scaled = open_context(write_phy_folder(tmp_path, uV_per_bit=0.5))
    shown = compute_waveforms(scaled, [2], WaveformParams(n_spikes=5))
    plain = compute_waveforms(context, [2], WaveformParams(n_spikes=5))
    np.testing.assert_allclose(unpack(shown)[0], 0.5 * unpack(plain)[0], atol=shown.scale)
    assert shown.unit == "µV"


def test_spikes_at_the_ends_of_the_recording_are_zero_outside_of_it(tmp_path):
    arrays = make_arrays()
    arrays["spike_times"][:2] = [0, 3]
    arrays["spike_times"][-1] = 39_999
    context = open_context(write_phy_folder(tmp_path, arrays=arrays))
    for i in {int(context.dataset.spike_clusters[k]) for k in (0, 1, -1)}:
        block = unpack(compute_waveforms(context, [i], WaveformParams(n_spikes=10_000)))[0]
        best = context.best_channels(i)
        samples = context.dataset.spike_samples[context.spikes_of(i)]
        expected = snippets(samples, best, is_filtered=True)
        np.testing.assert_allclose(block, expected, rtol=0, atol=1.0)


def test_without_raw_data_the_waveforms_saved_beside_the_dataset_are_shown(tmp_path):
    folder = write_phy_folder(tmp_path, has_raw=False)
    spikes = np.arange(0, 400, 5)
    stored = np.random.default_rng(0).normal(size=(spikes.size, N_SAMPLES, 8))
    np.save(folder / "_phy_spikes_subset.waveforms.npy", stored)
    np.save(folder / "_phy_spikes_subset.channels.npy", np.tile(np.arange(8), (spikes.size, 1)))
    np.save(folder / "_phy_spikes_subset.spikes.npy", spikes)
    context = open_context(folder)
    shown = compute_waveforms(context, [2], WaveformParams())
    rows = np.flatnonzero(np.isin(spikes, context.spikes_of(2)))
    expected = stored[rows][:, :, context.best_channels(2)].transpose(0, 2, 1)
    np.testing.assert_allclose(unpack(shown)[0], expected, rtol=0, atol=shown.scale)


def test_what_cannot_be_shown_is_said_and_the_next_best_is_shown(tmp_path):
    folder = write_phy_folder(tmp_path / "a", has_raw=False)
    shown = compute_waveforms(open_context(folder), [2], WaveformParams())
    assert shown.kinds == ["templates"]
    assert shown.kind == "templates"
    arrays = {
        name: make_arrays()[name] for name in ("spike_times", "spike_templates", "channel_map")
    }
    bare = open_context(write_phy_folder(tmp_path / "b", arrays=arrays, has_raw=False))
    shown = compute_waveforms(bare, [2], WaveformParams())
    assert shown.kinds == []
    assert shown.n_shown == [0]
    assert shown.values.size == 0
    assert "recording.dat" in shown.note


def test_no_cluster_shows_nothing_and_says_nothing(context):
    shown = compute_waveforms(context, [], WaveformParams())
    assert shown.values.size == 0
    assert shown.note == ""
