"""Merged analyzers have what would have been computed for merged units."""

import copy
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from making.analyzers import make_analyzer, register
from making.merged import (
    QUIET,
    SETTINGS,
    MadeOfIt,
    NeverMerged,
    analyzer_of,
    assert_same_values,
    computed_anew,
    make_ground_truth,
)
from spikeloom.analyzer.extension import EXTENSIONS
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.analyzer.merging import as_groups
from spikeloom.errors import MissingExtensionError, ParameterError

OF_UNITS_AND_TRAINS = [
    "random_spikes",
    "waveforms",
    "templates",
    "noise_levels",
    "template_similarity",
    "unit_locations",
    "correlograms",
    "auto_correlograms",
    "isi_histograms",
]
"""What merged units have of their waveforms and trains."""

OF_SPIKES = ["spike_amplitudes", "spike_locations", "amplitude_scalings"]
"""What depends on the main channel or the template of a unit."""

LOOSE = {"sparsity_overlap": 0.0, **QUIET}


@pytest.fixture(scope="module")
def truth():
    return make_ground_truth()


@pytest.fixture(scope="module", params=["sparse", "dense"])
def analyzer(request, truth):
    recording, sorting = truth
    options = {"sparsity_kwargs": {"method": "radius", "radius_um": 60.0}}
    if request.param == "dense":
        options = {"sparse": False}
    return analyzer_of(sorting, recording, **options)


@pytest.fixture(scope="module")
def sparse(truth):
    recording, sorting = truth
    return analyzer_of(sorting, recording, sparsity_kwargs={"method": "radius", "radius_um": 60.0})


def neighbours(analyzer, n_units=2):
    """Return units that share many channels."""
    if analyzer.sparsity is None:
        return analyzer.unit_ids[:n_units].tolist()
    mask = analyzer.sparsity.mask.astype(int)
    shared = mask @ mask.T
    np.fill_diagonal(shared, 0)
    first = np.unravel_index(np.argmax(shared), shared.shape)[0]
    others = np.argsort(-shared[first], kind="stable")[: n_units - 1]
    return analyzer.unit_ids[[first, *others]].tolist()


def state_of(analyzer):
    return {
        "vector": analyzer.sorting.to_spike_vector().copy(),
        "ids": analyzer.unit_ids.tolist(),
        "data": {n: copy.deepcopy(dict(e.data)) for n, e in analyzer.extensions.items()},
    }


@pytest.mark.parametrize("censor_ms", [None, 2.0])
@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_compute_then_merge_is_merge_then_compute(analyzer, truth, mode, censor_ms):
    groups = [neighbours(analyzer)]
    merged = analyzer.merge_units(groups, censor_ms=censor_ms, merging_mode=mode, **LOOSE)
    fresh = computed_anew(merged, truth[0])
    assert set(merged.extensions) == set(SETTINGS)
    for name in OF_UNITS_AND_TRAINS + (OF_SPIKES if mode == "hard" else []):
        assert_same_values(merged.get_extension(name).data, fresh.get_extension(name).data)


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_values_of_spikes_of_other_units_do_not_change(sparse, mode):
    merged = sparse.merge_units([neighbours(sparse)], merging_mode=mode, censor_ms=1.0, **LOOSE)
    kept = [unit for unit in sparse.unit_ids.tolist() if unit in merged.unit_ids.tolist()]
    for name in ("spike_amplitudes", "spike_locations"):
        before = sparse.get_extension(name).get_data(outputs="by_unit", concatenated=True)
        after = merged.get_extension(name).get_data(outputs="by_unit", concatenated=True)
        for unit in kept:
            assert np.array_equal(before[unit], after[unit])


def test_a_soft_merge_takes_the_values_of_spikes_along(sparse):
    one, other = neighbours(sparse)
    merged, new_ids = sparse.merge_units([[one, other]], return_new_unit_ids=True, **LOOSE)
    before = sparse.get_extension("spike_amplitudes").get_data(outputs="by_unit", concatenated=True)
    after = merged.get_extension("spike_amplitudes").get_data(outputs="by_unit", concatenated=True)
    together = np.concatenate([before[one], before[other]])
    assert np.array_equal(np.sort(after[new_ids[0]]), np.sort(together))


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_principal_components_stay_and_projections_are_of_the_merged_waveforms(sparse, mode):
    merged = sparse.merge_units([neighbours(sparse)], merging_mode=mode, **LOOSE)
    pca = merged.get_extension("principal_components")
    old = sparse.get_extension("principal_components")
    assert np.array_equal(old.data["pca_model_components"], pca.data["pca_model_components"])
    spikes = merged.get_extension("random_spikes").get_random_spikes()
    projected = pca.project_new(spikes, merged.get_extension("waveforms").get_data())
    np.testing.assert_allclose(pca.get_data(), projected, rtol=1e-4, atol=1e-4)


def test_a_hard_merge_of_templates_without_waveforms_reads_the_traces(truth):
    recording, sorting = truth
    settings = {"random_spikes": {"method": "all"}, "templates": {}}
    options = {"sparsity_kwargs": {"method": "radius", "radius_um": 60.0}}
    analyzer = analyzer_of(sorting, recording, settings, **options)
    merged = analyzer.merge_units([neighbours(analyzer)], merging_mode="hard", **LOOSE)
    fresh = computed_anew(merged, recording, settings)
    for key, values in fresh.get_extension("templates").data.items():
        found = merged.get_extension("templates").data[key]
        np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-3)


def test_pooled_deviations_are_those_of_all_spikes_together(truth):
    recording, sorting = truth
    settings = {"random_spikes": {"method": "all"}, "templates": {}}
    analyzer = analyzer_of(sorting, recording, settings, sparse=False)
    merged = analyzer.merge_units([analyzer.unit_ids[:3].tolist()], **LOOSE)
    fresh = computed_anew(merged, recording, settings)
    for key in ("average", "std"):
        found, expected = (one.get_extension("templates").data[key] for one in (merged, fresh))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_nothing_of_the_old_analyzer_changes(sparse, mode):
    before = state_of(sparse)
    mask = sparse.sparsity.mask.copy()
    sparse.merge_units([neighbours(sparse)], merging_mode=mode, censor_ms=2.0, **LOOSE)
    after = state_of(sparse)
    assert before["ids"] == after["ids"]
    assert np.array_equal(before["vector"], after["vector"])
    assert np.array_equal(mask, sparse.sparsity.mask)
    for name, data in before["data"].items():
        assert_same_values(after["data"][name], data, rtol=0)


@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
@pytest.mark.filterwarnings("ignore:The recording lives in memory", "ignore:The recording is not")
def test_the_result_goes_to_a_folder(sparse, tmp_path, format):
    groups = [neighbours(sparse)]
    in_memory = sparse.merge_units(groups, censor_ms=1.0, merging_mode="hard", **LOOSE)
    kept = sparse.merge_units(
        groups,
        censor_ms=1.0,
        merging_mode="hard",
        format=format,
        folder=tmp_path / "merged",
        **LOOSE,
    )
    loaded = load_sorting_analyzer(kept.folder)
    assert np.array_equal(loaded.sorting.to_spike_vector(), in_memory.sorting.to_spike_vector())
    assert loaded.sparsity == in_memory.sparsity
    for name in SETTINGS:
        assert_same_values(loaded.get_extension(name).data, in_memory.get_extension(name).data)


def test_extensions_that_cannot_be_merged_are_left_out_by_name(monkeypatch, truth):
    for cls in (NeverMerged, MadeOfIt):
        monkeypatch.setitem(EXTENSIONS._things, cls.extension_name, cls)
    recording, sorting = truth
    names = {"random_spikes": {}, "never_merged": {}, "made_of_it": {}}
    analyzer = analyzer_of(sorting, recording, names)
    groups = [analyzer.unit_ids[:2].tolist()]
    with pytest.warns(UserWarning, match="never_merged, made_of_it do not know"):
        merged = analyzer.merge_units(groups, **LOOSE)
    assert set(merged.extensions) == {"random_spikes"}
    computed = analyzer.merge_units(groups, merging_mode="hard", **QUIET)
    assert len(computed.get_extension("never_merged").data["n_units"]) == len(analyzer.unit_ids) - 1
    assert computed.has_extension("made_of_it")


def test_without_a_recording_a_hard_merge_says_what_it_needs(sparse, tmp_path):
    alone = sparse.copy()
    alone._recording = None
    with pytest.raises(MissingExtensionError, match="recording"):
        alone.merge_units([neighbours(sparse)], merging_mode="hard", **LOOSE)
    merged = alone.merge_units([neighbours(sparse)], **LOOSE)
    assert set(merged.extensions) == set(SETTINGS)


# -- which units, which channels ---------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    register(monkeypatch)
    return make_analyzer(sparse=False)


def test_groups_as_arguments_of_their_own(truth):
    recording, sorting = truth
    analyzer = analyzer_of(sorting, recording, {"random_spikes": {}}, sparse=False)
    a, b, c, d, *_ = analyzer.unit_ids.tolist()
    one = analyzer.merge_units([a, b], [c, d], **QUIET)
    other = analyzer.merge_units([[a, b], [c, d]], **QUIET)
    assert one.unit_ids.tolist() == other.unit_ids.tolist()
    assert np.array_equal(one.sorting.to_spike_vector(), other.sorting.to_spike_vector())
    named = analyzer.merge_units([[a, b], [c, d]], ["x", "y"], **QUIET)
    assert named.unit_ids.tolist()[-2:] == ["x", "y"]


def test_arguments_that_are_no_groups():
    assert as_groups([[0, 1], [2, 3]], (["a", "b"], 0.5)) == ([[0, 1], [2, 3]], (["a", "b"], 0.5))
    assert as_groups(("a", "b"), ()) == ([["a", "b"]], ())
    assert as_groups(np.array([[0, 1]]), ())[0][0].tolist() == [0, 1]
    with pytest.raises(ParameterError, match="by its name"):
        as_groups([0, 1], ([2, 3], 0.5))


@pytest.mark.parametrize(
    ("strategy", "ids", "expected"),
    [
        ("append", ("a", "b", "01"), ["01", "merge0"]),
        ("take_first", ("a", "b", "01"), ["a", "01"]),
        ("join", ("a", "b", "01"), ["01", "a-b"]),
    ],
)
def test_ids_of_merged_units(small, strategy, ids, expected):
    merged, new = small.merge_units([ids[:2]], new_id_strategy=strategy, return_new_unit_ids=True)
    assert merged.unit_ids.tolist() == expected
    assert new == [next(one for one in expected if one != "01")]


def test_what_makes_no_sense(small):
    for groups, match in [
        ([], "nothing to merge"),
        ([["a"]], "at least two"),
        ([["a", "zz"]], "zz"),
        ([["a", "b"], ["b", "01"]], "twice"),
    ]:
        with pytest.raises(ParameterError, match=match):
            small.merge_units(groups)
    with pytest.raises(ParameterError, match="'soft' or 'hard'"):
        small.merge_units([["a", "b"]], merging_mode="medium")
    with pytest.raises(ParameterError, match="no job option overlap"):
        small.merge_units([["a", "b"]], overlap=3)


def test_dense_units_are_always_mergeable(small):
    mergeable, masks = small.are_units_mergeable([["a", "b"]], return_masks=True)
    assert mergeable == {("a", "b"): True}
    assert masks["a", "b"].tolist() == [True] * 4


def test_units_that_share_few_channels(monkeypatch):
    register(monkeypatch)
    radius = {"method": "radius", "radius_um": 50.0}
    analyzer = make_analyzer(sparsity_kwargs=radius)  # main channels 0, 2, 3, 40 um apart
    assert analyzer.sparsity.mask.astype(int).tolist() == [
        [1, 1, 0, 0],
        [0, 1, 1, 1],
        [0, 0, 1, 1],
    ]
    groups = [["a", "01"], ["b", "01"], ["a", "b"]]
    found, masks = analyzer.are_units_mergeable(groups, return_masks=True, sparsity_overlap=0.5)
    assert list(found.values()) == [False, True, False]
    assert masks["b", "01"].tolist() == [False, False, True, True]
    # A unit without channels is none, whatever the threshold.
    assert analyzer.are_units_mergeable(groups, sparsity_overlap=0.0)["a", "01"] is False
    hard, unions = analyzer.are_units_mergeable(groups, "hard", return_masks=True)
    assert all(hard.values())
    assert unions["a", "01"].all()
    with pytest.raises(ParameterError, match="merging_mode='hard'"):
        analyzer.merge_units([["a", "01"]])
    merged = analyzer.merge_units([["a", "01"]], merging_mode="hard")
    assert merged.sparsity.mask[merged.sorting.id_to_index("merge0")].all()


def test_groups_that_do_not_fit_can_stay_as_they_are(monkeypatch):
    register(monkeypatch)
    analyzer = make_analyzer(sparsity_kwargs={"method": "radius", "radius_um": 50.0})
    options = {"raise_error_if_overlap_fails": False, "return_new_unit_ids": True}
    with pytest.warns(UserWarning, match="They are not merged"):
        same, new_ids = analyzer.merge_units([["a", "01"]], **options)
    assert new_ids == []
    assert same is not analyzer
    assert same.unit_ids.tolist() == ["a", "b", "01"]


def test_the_main_channel_is_one_that_the_unit_has(monkeypatch):
    register(monkeypatch)
    analyzer = make_analyzer(sparsity_kwargs={"method": "radius", "radius_um": 50.0})
    counts = analyzer.sorting.count_num_spikes_per_unit(outputs="dict")
    assert counts["a"] == counts["b"]  # so that the first is taken, whose channel is lost
    merged = analyzer.merge_units([["a", "b"]], sparsity_overlap=0.25)
    row = merged.sorting.id_to_index("merge0")
    assert merged.sparsity.mask[row].tolist() == [False, True, False, False]
    hard = analyzer.merge_units([["a", "b"]], merging_mode="hard")
    channel = hard.main_channel_indices[hard.sorting.id_to_index("merge0")]
    assert hard.sparsity.mask[hard.sorting.id_to_index("merge0"), channel]


# -- laws --------------------------------------------------------------------------------------


def trains(analyzer, unit_id):
    return [
        analyzer.sorting.get_unit_spike_train(unit_id, segment_index=k).tolist()
        for k in range(analyzer.get_num_segments())
    ]


@settings(max_examples=15)
@given(order=st.permutations(["a", "b", "01"]))
def test_the_order_in_a_group_does_not_matter(order):
    analyzer = make_analyzer(sparse=False)
    expected = analyzer.merge_units([["a", "b", "01"]], ["all"])
    merged = analyzer.merge_units([order], ["all"])
    assert trains(merged, "all") == trains(expected, "all")


def test_one_merge_after_the_other_is_both_at_once(sparse):
    a, b, c = neighbours(sparse, 3)
    at_once = sparse.merge_units([[a, b, c]], ["x"], merging_mode="hard", **QUIET)
    steps = sparse.merge_units([[a, b]], ["w"], merging_mode="hard", **QUIET)
    steps = steps.merge_units([["w", c]], ["x"], merging_mode="hard", **QUIET)
    assert steps.unit_ids.tolist() == at_once.unit_ids.tolist()
    assert steps.sparsity == at_once.sparsity
    for name in OF_UNITS_AND_TRAINS:
        found, expected = (one.get_extension(name).data for one in (steps, at_once))
        assert_same_values(found, expected)


@settings(max_examples=15)
@given(censor_ms=st.floats(0.0, 30.0))
def test_counts_add_up_but_for_censored_spikes(censor_ms):
    analyzer = make_analyzer(sparse=False)
    counts = analyzer.sorting.count_num_spikes_per_unit(outputs="dict")
    merged = analyzer.merge_units([["a", "b"]], ["x"])
    found = merged.sorting.count_num_spikes_per_unit(outputs="dict")
    assert found["x"] == counts["a"] + counts["b"]
    assert found["01"] == counts["01"]
    censored = analyzer.merge_units([["a", "b"]], ["x"], censor_ms=censor_ms)
    gap = round(censor_ms * analyzer.sampling_frequency / 1000, 6)
    for all_samples, kept in zip(trains(merged, "x"), trains(censored, "x"), strict=True):
        samples = np.array(all_samples)
        assert samples[np.r_[True, np.diff(samples) >= gap]].tolist() == kept


def test_merging_says_nothing_when_all_is_well(sparse):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sparse.merge_units([neighbours(sparse)], **LOOSE)
