"""Units that were split are found and merged again."""

import numpy as np
import pytest

import spikeloom as si
from making.merged import QUIET, analyzer_of
from spikeloom.analyzer.merge_steps import PRESETS
from spikeloom.curation import (
    auto_merge_units,
    compute_merge_unit_groups,
    get_potential_auto_merge,
)
from spikeloom.errors import MissingExtensionError, ParameterError

SHORT = {
    "correlogram": {"corr_diff_thresh": 0.5},
    "presence_distance": {"presence_distance_thresh": 10.0},
}
"""Parameters for recordings of a minute."""


@pytest.fixture(scope="module")
def split():
    """Return recording and sorting of which two units were split, one of them in time."""
    recording, sorting = si.generate_ground_truth_recording(
        durations=[60.0], num_channels=16, num_units=6, seed=7
    )
    fs = sorting.sampling_frequency
    trains = {u: sorting.get_unit_spike_train(u) for u in sorting.unit_ids.tolist()}
    a, b = list(trains)[3:5]  # which are like no others
    rng = np.random.default_rng(0)
    is_first = rng.random(len(trains[a])) < 0.5
    trains["a0"], trains["a1"] = trains[a][is_first], trains[a][~is_first]
    is_early = trains[b] < 30 * fs
    trains["b0"], trains["b1"] = trains[b][is_early], trains[b][~is_early]
    del trains[a], trains[b]
    return recording, si.NumpySorting.from_unit_dict(trains, fs)


@pytest.fixture(scope="module")
def analyzer(split):
    recording, sorting = split
    settings = {
        "random_spikes": {"seed": 0},
        "templates": {},
        "noise_levels": {"random_slices_kwargs": {"seed": 0}},
        "template_similarity": {"method": "l1"},
        "unit_locations": {"method": "center_of_mass"},
        "correlograms": {},
        "spike_amplitudes": {},
        "spike_locations": {},
    }
    return analyzer_of(sorting, recording, settings, sparse=False)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("similarity_correlograms", [["a0", "a1"]]),
        ("x_contaminations", [["a0", "a1"], ["b0", "b1"]]),
        ("temporal_splits", [["b0", "b1"]]),
    ],
)
def test_presets_find_what_was_split(analyzer, preset, expected):
    params = {name: SHORT[name] for name in PRESETS[preset] if name in SHORT}
    groups, outs = compute_merge_unit_groups(
        analyzer, preset, steps_params=params, extra_outputs=True
    )
    # Units that were split in time, too, are found by some chance in correlograms so short.
    assert all(group in groups for group in expected)
    assert all(group in [["a0", "a1"], ["b0", "b1"]] for group in groups)
    assert outs["num_spikes"].shape == (8,)


def test_neighbouring_features_are_found(analyzer):
    pairs = compute_merge_unit_groups(analyzer, "feature_neighbors", resolve_graph=False)
    assert {("a0", "a1"), ("b0", "b1")} <= set(pairs)
    assert len(pairs) < 28


def test_slay_finds_what_was_split(analyzer):
    groups = compute_merge_unit_groups(analyzer, "slay")
    assert ["a0", "a1"] in groups


def test_pairs_instead_of_groups(analyzer):
    pairs = compute_merge_unit_groups(analyzer, steps=["num_spikes"], resolve_graph=False)
    assert len(pairs) == 28
    assert pairs[0] == tuple(analyzer.unit_ids[:2].tolist())
    assert len(compute_merge_unit_groups(analyzer, steps=["num_spikes"])) == 1
    old = get_potential_auto_merge(analyzer, steps=["num_spikes"], min_spikes=10**6)
    assert old == []


def test_the_analyzer_stays_as_it_is(split):
    recording, sorting = split
    settings = {"random_spikes": {"seed": 0}, "template_similarity": {}, "templates": {}}
    analyzer = analyzer_of(sorting, recording, settings, sparse=False)
    before = analyzer.get_extension("template_similarity").data["similarity"].copy()
    compute_merge_unit_groups(analyzer, **QUIET)
    assert set(analyzer.extensions) == set(settings)
    assert np.array_equal(before, analyzer.get_extension("template_similarity").data["similarity"])
    compute_merge_unit_groups(analyzer, steps=["correlogram"], force_copy=False, **QUIET)
    counts = analyzer.get_extension("correlograms").data["ccgs"]
    assert counts[:, :, 25].sum() > 0  # what the step censors is censored in a copy
    with pytest.raises(MissingExtensionError, match="unit_locations"):
        compute_merge_unit_groups(
            analyzer, steps=["unit_locations"], compute_needed_extensions=False
        )


def test_merging_what_was_found(analyzer):
    options = {"sparsity_overlap": 0.0, **QUIET}
    merged, resolved, groups, outs = auto_merge_units(
        analyzer, "x_contaminations", extra_outputs=True, recursive=True, **options
    )
    assert sorted(resolved.values()) == [["a0", "a1"], ["b0", "b1"]]
    assert groups == []  # of the last round
    assert len(outs) >= 2
    counts = analyzer.sorting.count_num_spikes_per_unit(outputs="dict")
    found = merged.sorting.count_num_spikes_per_unit(outputs="dict")
    for new, units in resolved.items():
        assert found[new] == sum(counts[unit] for unit in units)
    assert analyzer.get_num_units() == 8
    assert set(merged.extensions) >= set(analyzer.extensions)
    plain = auto_merge_units(analyzer, ["x_contaminations"], [None], **QUIET)
    assert plain.get_num_units() == merged.get_num_units()


def test_units_that_share_too_few_channels(split):
    recording, sorting = split
    options = {"sparsity_kwargs": {"method": "best_channels", "num_channels": 1}}
    analyzer = analyzer_of(sorting, recording, {"random_spikes": {}}, **options)
    with pytest.raises(ParameterError, match="too few channels"):
        auto_merge_units(analyzer, None, steps=["num_spikes"], raise_error=True, **QUIET)
    with pytest.warns(UserWarning, match="left as they are"):
        same = auto_merge_units(analyzer, None, steps=[["num_spikes"]], **QUIET)
    assert same.get_num_units() == 8


def test_what_makes_no_sense(analyzer):
    for kwargs, match in [
        ({"preset": "best"}, "preset is one of"),
        ({"steps": ["num_spikes", "odd"]}, "no steps odd"),
        ({"steps_params": {"num_spikes": {"n": 3}}}, "no parameter n"),
    ]:
        with pytest.raises(ParameterError, match=match):
            compute_merge_unit_groups(analyzer, **kwargs)
    with pytest.raises(ParameterError, match="No step has a parameter n"):
        get_potential_auto_merge(analyzer, n=3)
    with pytest.raises(ParameterError, match="parameters of 2"):
        auto_merge_units(analyzer, ["slay"], [None, None])
