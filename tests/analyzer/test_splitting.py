"""Split analyzers have what would have been computed for the parts."""

import numpy as np
import pytest

from making.analyzers import make_analyzer
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
from spikeloom.errors import ParameterError

OF_SPIKES = ["spike_amplitudes", "spike_locations", "amplitude_scalings"]
EXACT = [name for name in SETTINGS if name not in {"principal_components", *OF_SPIKES}]


@pytest.fixture(scope="module")
def truth():
    return make_ground_truth()


@pytest.fixture(scope="module", params=["sparse", "dense"])
def analyzer(request, truth):
    recording, sorting = truth
    return analyzer_of(sorting, recording, sparse=request.param == "sparse")


def halves(analyzer, unit_id, seed=0):
    n_spikes = analyzer.sorting.count_num_spikes_per_unit(outputs="dict")[unit_id]
    order = np.random.default_rng(seed).permutation(n_spikes)
    return [np.sort(order[: n_spikes // 3]), np.sort(order[n_spikes // 3 :])]


def test_compute_then_split_is_split_then_compute(analyzer, truth):
    unit = analyzer.unit_ids[1].item()
    split = analyzer.split_units({unit: halves(analyzer, unit)}, **QUIET)
    fresh = computed_anew(split, truth[0])
    assert set(split.extensions) == set(SETTINGS)
    for name in EXACT:
        assert_same_values(split.get_extension(name).data, fresh.get_extension(name).data)
    for name in OF_SPIKES:  # as they were measured for the unit
        assert_same_values(split.get_extension(name).data, analyzer.get_extension(name).data)


def test_a_split_and_a_merge_of_its_parts_give_the_unit_back(analyzer):
    unit = analyzer.unit_ids[2].item()
    split, new_ids = analyzer.split_units(
        {unit: halves(analyzer, unit)}, return_new_unit_ids=True, **QUIET
    )
    back = split.merge_units(new_ids, [unit], **QUIET)
    same = analyzer.select_units(back.unit_ids.tolist())
    assert back.sparsity == same.sparsity
    for k in range(analyzer.get_num_segments()):
        for one in analyzer.unit_ids.tolist():
            found, expected = (
                each.sorting.get_unit_spike_train(one, segment_index=k) for each in (back, same)
            )
            assert np.array_equal(found, expected)
    for name in SETTINGS:
        extension = same.get_extension(name)
        data, found = extension.data, back.get_extension(name).data
        if hasattr(extension, "_by_unit"):
            for one in same.unit_ids.tolist():
                a, b = (
                    each.get_extension(name).get_data(outputs="by_unit", concatenated=True)[one]
                    for each in (same, back)
                )
                assert np.array_equal(a, b)
        elif name not in {"random_spikes", "waveforms", "principal_components"}:
            assert_same_values(found, data)


def test_several_units_of_text_ids(tmp_path):
    analyzer = make_analyzer(sparsity_kwargs={"method": "radius", "radius_um": 50.0})
    n_spikes = 40
    halves = [np.arange(0, n_spikes, 2), np.arange(1, n_spikes, 2)]
    split, new_ids = analyzer.split_units(
        {"b": halves, "a": halves}, new_id_strategy="split", return_new_unit_ids=True
    )
    assert new_ids == [["b-0", "b-1"], ["a-0", "a-1"]]
    assert split.unit_ids.tolist() == ["01", "b-0", "b-1", "a-0", "a-1"]
    for part in ("b-0", "b-1"):
        row = split.sorting.id_to_index(part)
        assert split.sparsity.mask[row].tolist() == analyzer.sparsity.mask[1].tolist()
        assert split.main_channel_indices[row] == 2
    counts = split.sorting.count_num_spikes_per_unit(outputs="dict")
    assert counts["a-0"] + counts["a-1"] == n_spikes


@pytest.mark.filterwarnings("ignore:The recording lives in memory", "ignore:The recording is not")
@pytest.mark.parametrize("format", ["binary_folder", "zarr"])
def test_the_result_goes_to_a_folder(analyzer, tmp_path, format):
    unit = analyzer.unit_ids[0].item()
    parts = {unit: halves(analyzer, unit)}
    in_memory = analyzer.split_units(parts, **QUIET)
    kept = analyzer.split_units(parts, format=format, folder=tmp_path / "split", **QUIET)
    loaded = load_sorting_analyzer(kept.folder)
    assert loaded.unit_ids.tolist() == in_memory.unit_ids.tolist()
    for name in SETTINGS:
        assert_same_values(loaded.get_extension(name).data, in_memory.get_extension(name).data)


def test_extensions_that_cannot_be_split_are_left_out_by_name(monkeypatch, truth):
    for cls in (NeverMerged, MadeOfIt):
        monkeypatch.setitem(EXTENSIONS._things, cls.extension_name, cls)
    recording, sorting = truth
    analyzer = analyzer_of(sorting, recording, {"random_spikes": {}, "never_merged": {}})
    unit = analyzer.unit_ids[0].item()
    with pytest.warns(UserWarning, match="never_merged do not know how units are split"):
        split = analyzer.split_units({unit: halves(analyzer, unit)}, **QUIET)
    assert set(split.extensions) == {"random_spikes"}


def test_what_makes_no_sense():
    analyzer = make_analyzer(sparse=False)
    for splits, match in [
        ({}, "nothing to split"),
        ({"a": [[0, 1]]}, "at least two"),
        ({"a": [[0, 1], [2]]}, "each of its 40 spikes once"),
        ({"zz": [[0], [1]]}, "zz"),
    ]:
        with pytest.raises(ParameterError, match=match):
            analyzer.split_units(splits)
    with pytest.raises(ParameterError, match="no job option mode"):
        analyzer.split_units({"a": [[0], np.arange(1, 40)]}, mode="hard")
