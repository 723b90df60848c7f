"""The lasso takes every spike inside, drawn or not, and moves none that it cannot place."""

import numpy as np
import pytest

from making.contexts import open_context
from making.phy_folders import RATE, make_arrays, write_phy_folder
from reference.polygons import is_inside
from spikeloom.errors import CurationError, ParameterError
from spikeloom.viewdata.amplitudes import AmplitudeParams, compute_amplitudes
from spikeloom.viewdata.features import FeatureParams, compute_features
from spikeloom.viewdata.lasso import Axis, Region, spikes_inside

TIME = Axis("time")
TEMPLATE = Axis("template")
EVERYWHERE = [(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6)]
BENT = [(0.2, -5.0), (1.7, -2.0), (1.0, 3.0), (1.8, 30.0), (0.1, 9.0), (0.6, 1.0)]


def coordinates(context, spikes, axis):
    """Return what an axis shows of spikes, one by one."""
    arrays = make_arrays()
    if axis.kind == "time":
        values = [context.dataset.spike_samples[s] / RATE for s in spikes]
    elif axis.kind == "template":
        largest = context.dataset.templates.main_magnitudes
        values = [arrays["amplitudes"][s] * largest[arrays["spike_templates"][s]] for s in spikes]
    else:
        listed = arrays["pc_feature_ind"]
        values = []
        for s in spikes:
            columns = listed[arrays["spike_templates"][s]].tolist()
            has = axis.channel in columns
            values.append(
                arrays["pc_features"][s, axis.component, columns.index(axis.channel)]
                if has
                else np.nan
            )
    return np.array(values, np.float32).astype(float)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (TIME, TEMPLATE),
        (TIME, Axis("feature", 3, 0)),
        (Axis("feature", 3, 0), Axis("feature", 3, 1)),
        (Axis("feature", 2, 0), Axis("feature", 5, 2)),
    ],
)
@pytest.mark.parametrize("vertices", [EVERYWHERE, BENT])
def test_counts_are_exact_over_all_spikes(context, x, y, vertices):
    region = Region(x, y, vertices)
    found, counts = spikes_inside(context, [4, 1, 0], [region])
    expected = []
    for k, i in enumerate([4, 1, 0]):
        spikes = context.spikes_of(i)
        points = zip(coordinates(context, spikes, x), coordinates(context, spikes, y), strict=True)
        points = list(points)
        inside = [s for s, (a, b) in zip(spikes, points, strict=True) if is_inside(a, b, vertices)]
        n_unplaced = sum(not (np.isfinite(a) and np.isfinite(b)) for a, b in points)
        assert counts.n_inside[k] == len(inside)
        assert counts.n_unplaced[k] == n_unplaced
        assert counts.n_spikes[k] == spikes.size
        expected += inside
    assert found.tolist() == sorted(expected)
    assert counts.cluster_ids == [4, 1, 0]


def test_a_lasso_in_the_raw_amplitude_takes_what_the_view_draws_there(context):
    shown = compute_amplitudes(context, [2], AmplitudeParams(kind="raw", n_spikes=10**6))
    middle = float(np.median(shown.values))
    upper = [(-1.0, middle), (9.0, middle), (9.0, 1e6), (-1.0, 1e6)]
    found, counts = spikes_inside(context, [2], [Region(TIME, Axis("raw"), upper)])
    assert counts.n_unplaced == [0]
    np.testing.assert_array_equal(found, context.spikes_of(2)[shown.values > middle])


def test_several_regions_take_what_is_inside_any_of_them(context):
    left = [(-1.0, -1e6), (0.5, -1e6), (0.5, 1e6), (-1.0, 1e6)]
    right = [(1.5, -1e6), (9.0, -1e6), (9.0, 1e6), (1.5, 1e6)]
    regions = [Region(TIME, TEMPLATE, part) for part in (left, right, left)]
    found, counts = spikes_inside(context, [2], regions)
    times = context.times_s(context.spikes_of(2))
    expected = context.spikes_of(2)[(times < 0.5) | (times > 1.5)]
    np.testing.assert_array_equal(found, expected)
    assert counts.n_inside == [expected.size]


def test_undrawn_spikes_are_taken_and_unplaced_ones_are_only_counted(tmp_path):
    # 5000 spikes, of which every tenth has features.
    rng = np.random.default_rng(0)
    with_features = np.arange(0, 5000, 10)
    folder = write_phy_folder(
        tmp_path,
        arrays={
            "spike_times": np.arange(5000) * 7,
            "spike_templates": np.zeros(5000, np.int32),
            "channel_map": np.arange(4),
            "channel_positions": np.column_stack([np.zeros(4), np.arange(4.0)]),
            "pc_features": rng.normal(size=(500, 3, 4)).astype(np.float32),
            "pc_feature_ind": np.arange(4)[None],
            "pc_feature_spike_ids": with_features,
        },
        has_raw=False,
        tables={},
    )
    context = open_context(folder)
    drawn = compute_features(context, [0], FeatureParams(n_spikes=100))
    assert drawn.n_shown == [100]
    feature = Axis("feature", 0, 0)
    found, counts = spikes_inside(
        context, [0], [Region(feature, Axis("feature", 1, 0), EVERYWHERE)]
    )
    assert counts.n_inside == [500]
    assert counts.n_unplaced == [4500]
    np.testing.assert_array_equal(found, with_features)
    # In another plot every spike has its place.
    _, counts = spikes_inside(context, [0], [Region(TIME, TIME, EVERYWHERE)])
    assert (counts.n_inside, counts.n_unplaced) == ([5000], [0])


def test_a_spike_inside_one_region_is_placed_even_if_another_cannot_place_it(context):
    listed = make_arrays()["pc_feature_ind"]
    channel = next(c for c in range(8) if c not in listed[2])
    nowhere = Region(TIME, Axis("feature", channel, 0), EVERYWHERE)
    left = [(-1.0, -1e6), (1.0, -1e6), (1.0, 1e6), (-1.0, 1e6)]
    _, counts = spikes_inside(context, [2], [nowhere, Region(TIME, TEMPLATE, left)])
    n_left = int((context.times_s(context.spikes_of(2)) < 1.0).sum())
    assert counts.n_inside == [n_left]
    assert counts.n_unplaced == [context.spikes_of(2).size - n_left]


@pytest.mark.parametrize("n", [0, 1, 2, 10_001])
def test_a_lasso_has_three_corners_or_more(context, n):
    with pytest.raises(ParameterError, match="corners"):
        spikes_inside(context, [2], [Region(TIME, TEMPLATE, [(0.0, 0.0)] * n)])


@pytest.mark.parametrize("channel", [-1, 8, 10**9])
def test_a_channel_that_does_not_exist_is_an_error(context, channel):
    with pytest.raises(ParameterError, match="channels 0 to 7"):
        spikes_inside(context, [2], [Region(TIME, Axis("feature", channel), EVERYWHERE)])


def test_a_cluster_that_does_not_exist_is_an_error(context):
    with pytest.raises(CurationError, match="99"):
        spikes_inside(context, [99], [Region(TIME, TEMPLATE, EVERYWHERE)])


def test_no_cluster_and_no_region_take_nothing(context):
    assert spikes_inside(context, [], [Region(TIME, TEMPLATE, EVERYWHERE)])[0].size == 0
    found, counts = spikes_inside(context, [2], [])
    assert found.size == 0
    assert counts.n_inside == counts.n_unplaced == [0]
