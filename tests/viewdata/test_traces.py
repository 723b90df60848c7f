import numpy as np
import pytest
from hypothesis import given, strategies as st

from making.contexts import open_context
from making.phy_folders import CHANNEL_MAP, N_SAMPLES, RATE, make_raw, write_phy_folder
from reference import filters
from reference.envelopes import envelope as slow_envelope
from spikeloom.errors import CurationError, ParameterError
from spikeloom.viewdata.traces import MAX_INTERVAL_S, TraceParams, compute_traces, spike_beside


def test_unfiltered_traces_are_the_raw_data_around_their_median(context):
    params = TraceParams(start_s=0.5, end_s=0.51, is_filtered=False)
    shown = compute_traces(context, [], params)
    raw = make_raw()[10_000:10_200, CHANNEL_MAP].astype(np.float64)
    expected = (raw - np.median(raw, axis=0)).T
    assert shown.values.shape == (8, 200)
    np.testing.assert_allclose(shown.values * shown.scale, expected, rtol=0, atol=shown.scale)
    assert (shown.start_s, shown.end_s) == (0.5, 0.51)
    assert not shown.is_envelope
    assert shown.n_columns == 200


@pytest.mark.parametrize("start_s", [0.0, 0.5, 1.99])
def test_filtered_traces_are_those_of_scipy_over_the_interval_and_its_margins(context, start_s):
    shown = compute_traces(context, [], TraceParams(start_s=start_s, end_s=start_s + 0.01))
    start, end = round(shown.start_s * RATE), round(shown.end_s * RATE)
    first, last = max(0, start - 100), min(N_SAMPLES, end + 100)
    raw = make_raw()[first:last, CHANNEL_MAP]
    wide = filters.forward_backward(raw, filters.high_pass(RATE), n_level=20)
    expected = wide[start - first : end - first].T
    np.testing.assert_allclose(shown.values * shown.scale, expected, rtol=0, atol=shown.scale + 0.1)


def test_neighbouring_intervals_join_without_a_seam(context):
    whole = compute_traces(context, [], TraceParams(start_s=0.5, end_s=0.6, n_columns=5000))
    halves = [
        compute_traces(context, [], TraceParams(start_s=a, end_s=a + 0.05, n_columns=5000))
        for a in (0.5, 0.55)
    ]
    joined = np.concatenate([h.values * h.scale for h in halves], axis=1)
    # The filter has all but settled within its margins: a few hundredths of the noise (100).
    np.testing.assert_allclose(joined, whole.values * whole.scale, rtol=0, atol=4.0)


def test_long_intervals_are_reduced_to_the_extremes_in_each_column(context):
    params = TraceParams(start_s=0.2, end_s=1.2, n_columns=300, is_filtered=False)
    shown = compute_traces(context, [], params)
    assert shown.is_envelope
    assert shown.values.shape == (8, 300, 2)
    block = make_raw()[4000:24_000, CHANNEL_MAP].astype(np.float32)
    block = block - np.median(block, axis=0)
    edges = np.linspace(0, 20_000, 301).astype(int)
    expected = slow_envelope(block, edges)
    np.testing.assert_allclose(shown.values * shown.scale, expected, rtol=0, atol=shown.scale)


def test_channels_are_ordered_from_the_lowest_on_the_probe(tmp_path):
    from making.phy_folders import make_arrays

    positions = np.column_stack([[0, 20, 0, 20, 0, 20, 0, 20], [70, 70, 10, 10, 50, 30, 30, 0]])
    arrays = make_arrays() | {"channel_positions": positions.astype(float)}
    context = open_context(write_phy_folder(tmp_path, arrays=arrays))
    assert compute_traces(context, [], TraceParams()).order == [7, 2, 3, 6, 5, 4, 0, 1]


@given(
    st.floats(-5, 5, allow_nan=False), st.floats(-5, 20, allow_nan=False), st.integers(-3, 10**5)
)
def test_any_interval_is_cut_to_the_recording(shared_context, start_s, end_s, n_columns):
    shown = compute_traces(shared_context, [1], TraceParams(start_s, end_s, n_columns))
    assert 0 <= shown.start_s < shown.end_s <= shown.duration_s + 1 / RATE
    assert shown.end_s - shown.start_s <= MAX_INTERVAL_S
    assert np.abs(shown.values).max() <= 32767
    assert np.isfinite(shown.scale)


@pytest.fixture(scope="module")
def shared_context(shared_folder):
    return open_context(shared_folder)


def test_spikes_of_selected_clusters_are_marked_where_they_are_large(context):
    shown = compute_traces(context, [2, 4], TraceParams(start_s=0.3, end_s=0.8))
    samples = context.dataset.spike_samples
    clusters = context.dataset.spike_clusters
    expected = np.flatnonzero((samples >= 6000) & (samples < 16_000) & np.isin(clusters, [2, 4]))
    np.testing.assert_array_equal(shown.spike_times_s, samples[expected] / RATE)
    np.testing.assert_array_equal(shown.spike_clusters, clusters[expected])
    position = 0
    for cluster, n in zip(shown.spike_clusters, shown.spike_n_channels, strict=True):
        template = context.dataset.templates.get(int(cluster))
        large = template.channel_ids[template.amplitudes >= 0.5 * template.amplitudes[0]]
        np.testing.assert_array_equal(shown.spike_channels[position : position + n], large)
        position += n
    assert position == shown.spike_channels.size


def test_spikes_of_all_clusters_can_be_marked(context):
    shown = compute_traces(context, [], TraceParams(start_s=0.3, end_s=0.8, shows_all_spikes=True))
    samples = context.dataset.spike_samples
    assert shown.spike_times_s.size == int(((samples >= 6000) & (samples < 16_000)).sum())
    assert compute_traces(context, [], TraceParams(0.3, 0.8)).spike_times_s.size == 0


def test_without_raw_data_the_reason_and_the_spikes_are_shown(tmp_path):
    context = open_context(write_phy_folder(tmp_path, has_raw=False))
    shown = compute_traces(context, [2], TraceParams(start_s=0.0, end_s=1.0))
    assert "recording.dat" in shown.note
    assert shown.values.size == 0
    assert shown.spike_times_s.size > 0


def test_the_gain_makes_microvolts_of_raw_units(tmp_path, context):
    scaled = open_context(write_phy_folder(tmp_path, uV_per_bit=0.5))
    shown, plain = (compute_traces(c, [], TraceParams()) for c in (scaled, context))
    np.testing.assert_allclose(
        shown.values * shown.scale, 0.5 * plain.values * plain.scale, atol=0.1
    )
    assert (shown.unit, plain.unit) == ("µV", "raw units")
    assert shown.spread == pytest.approx(0.5 * plain.spread, rel=1e-3)


def test_the_next_spike_is_the_first_one_after_and_goes_round(context_of):
    context = context_of([100, 200, 300, 350], [0, 0, 0, 1], rate=1000.0)
    for time_s, forward, backward in (
        (0.05, 0.1, 0.3),
        (0.1, 0.2, 0.3),
        (0.15, 0.2, 0.1),
        (0.2, 0.3, 0.1),
        (0.3, 0.1, 0.2),
        (9.9, 0.1, 0.3),
        (-5.0, 0.1, 0.3),
    ):
        assert spike_beside(context, 0, time_s, step=1) == forward
        assert spike_beside(context, 0, time_s, step=-1) == backward
    assert spike_beside(context, 1, 0.35, step=1) == 0.35


def test_going_through_all_spikes_visits_each_once(context):
    spikes = context.spikes_of(3)
    times = context.times_s(spikes)
    time_s, visited = times[0], []
    for _ in range(spikes.size):
        time_s = spike_beside(context, 3, time_s, step=1)
        visited.append(time_s)
    assert visited == [*np.unique(times)[1:], times[0]]


def test_a_step_is_forward_or_backward_and_a_cluster_exists(context):
    with pytest.raises(ParameterError, match="step=2"):
        spike_beside(context, 0, 0.0, step=2)
    with pytest.raises(CurationError, match="99"):
        spike_beside(context, 99, 0.0, step=1)
