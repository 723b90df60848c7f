"""Curations change units as they say, and nothing that they were applied to."""

import numpy as np
import pytest

from making.curations import SORTINGVIEW, curation_v1, curation_v2, make_sorting, trains_of
from making.merged import QUIET, analyzer_of, make_ground_truth
from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.curation import apply_curation, apply_curation_labels, curation_from_dict
from spikeloom.errors import CurationError, ParameterError

IDS = (1, 2, 3, 6, 10, 14)


def make_analyzer():
    recording, sorting = make_ground_truth(num_units=6)
    renamed = sorting.rename_units(np.array(IDS))
    settings = {"random_spikes": {"method": "all"}, "templates": {}, "correlograms": {}}
    return analyzer_of(renamed, recording, settings, sparse=False)


def sorted_together(trains, units):
    return [sorted(sample for u in units for sample in trains[u][k]) for k in range(2)]


def test_version_1_of_a_sorting():
    sorting = make_sorting()
    before = trains_of(sorting)
    curated = apply_curation(sorting, curation_v1())
    assert curated.unit_ids.tolist() == [3, 10, 14, 15]
    assert trains_of(curated)[15] == sorted_together(before, [1, 2])
    assert curated.get_property("quality").tolist() == ["", "", "", "good"]
    assert curated.get_property("excitatory").tolist() == [True, False, False, True]
    assert curated.get_property("pyramidal").tolist() == [False, False, False, True]
    # What was given is as it was.
    assert sorting.get_property_keys() == []
    assert trains_of(sorting) == before


def test_version_2_of_a_sorting():
    sorting = make_sorting()
    before = trains_of(sorting)
    curated = apply_curation(sorting, curation_v2())
    assert curated.unit_ids.tolist() == [15, 16, 17, 18, 19]
    trains = trains_of(curated)
    assert trains[15] == sorted_together(before, [1, 2])
    assert trains[16] == sorted_together(before, [10, 3])
    counts = curated.count_num_spikes_per_unit(outputs="dict")
    assert [counts[u] for u in (17, 18, 19)] == [3, 3, 54]
    assert trains[17][0] == [before[14][0][i] for i in (0, 5, 7)]
    assert trains[18][1] == [before[14][1][29]]
    # Parts have the labels of their unit; merged units those that all agree on.
    assert curated.get_property("quality").tolist() == ["", "", "MUA", "MUA", "MUA"]
    assert curated.get_property("excitatory").tolist() == [True, False, False, False, False]


def test_labels_alone_make_a_new_sorting():
    sorting = make_sorting()
    given = {**curation_v1(), "merge_unit_groups": [], "removed_units": []}
    curated = apply_curation(sorting, given)
    assert curated is not sorting
    assert sorting.get_property("quality") is None
    assert curated.get_property("quality").tolist() == ["good", "good", "", "", "", ""]
    apply_curation_labels(sorting, given)
    assert sorting.get_property("quality").tolist() == ["good", "good", "", "", "", ""]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("append", ["77", "78", "79", "80", "81"]),
        ("take_first", ["1", "77", "78", "79", "80"]),
        ("join", ["1-2", "77", "14-split0", "14-split1", "14-split2"]),
        ("split", ["78", "77", "14-0", "14-1", "14-2"]),
    ],
)
def test_ids_that_are_left_open_follow_the_strategy(strategy, expected):
    ids = tuple(str(u) for u in IDS)
    given = curation_v2(ids)
    given["merges"][1]["new_unit_id"] = "77"
    curated = apply_curation(make_sorting(ids), given, new_id_strategy=strategy)
    assert sorted(curated.unit_ids.tolist()) == sorted(expected)


def test_labels_of_spikes_tell_parts():
    sorting = make_sorting()
    labels = np.arange(60) % 3
    given = {
        "format_version": "2",
        "unit_ids": list(IDS),
        "splits": [
            {"unit_id": 2, "mode": "labels", "labels": labels.tolist(), "new_unit_ids": [7, 8, 9]}
        ],
    }
    curated = apply_curation(sorting, given)
    whole = np.concatenate(trains_of(sorting)[2])
    assert np.concatenate(trains_of(curated)[8]).tolist() == whole[1::3].tolist()


def test_an_analyzer_and_its_sorting_are_curated_alike():
    analyzer = make_analyzer()
    before = trains_of(analyzer.sorting)
    given = {**curation_v2(), "splits": []}
    given["splits"] = [{"unit_id": 14, "mode": "indices", "indices": [[0, 3, 4, 9]]}]
    curated = apply_curation(analyzer, given, censor_ms=1.0, merging_mode="hard", **QUIET)
    sorting = apply_curation(analyzer.sorting, given, censor_ms=1.0)
    assert isinstance(curated, SortingAnalyzer)
    assert trains_of(curated.sorting) == trains_of(sorting)
    assert set(curated.extensions) == set(analyzer.extensions)
    for name in ("quality", "excitatory"):
        labels = sorting.get_property(name).tolist()
        assert curated.get_sorting_property(name).tolist() == labels
    assert trains_of(analyzer.sorting) == before
    assert analyzer.get_sorting_property("quality") is None


def test_groups_that_cannot_be_merged_keep_their_labels():
    recording, sorting = make_ground_truth(num_units=6)
    options = {"sparsity_kwargs": {"method": "best_channels", "num_channels": 1}}
    analyzer = analyzer_of(sorting, recording, {"random_spikes": {}}, **options)
    channels = analyzer.main_channel_indices
    one = 0
    other = int(np.flatnonzero(channels != channels[0])[0])
    ids = [analyzer.unit_ids[k].item() for k in (one, other)]
    given = {
        "format_version": "2",
        "unit_ids": analyzer.unit_ids.tolist(),
        "label_definitions": {"q": {"label_options": ["x", "y"], "exclusive": True}},
        "manual_labels": [{"unit_id": ids[0], "q": ["x"]}, {"unit_id": ids[1], "q": ["y"]}],
        "merges": [ids],
    }
    with pytest.warns(UserWarning, match="They are not merged"):
        curated = apply_curation(analyzer, given, raise_error_if_overlap_fails=False, **QUIET)
    assert curated.unit_ids.tolist() == analyzer.unit_ids.tolist()
    labels = dict(zip(curated.unit_ids.tolist(), curated.sorting.get_property("q"), strict=True))
    assert (labels[ids[0]], labels[ids[1]]) == ("x", "y")


def test_steps_one_after_the_other():
    sorting = make_sorting((1, 2, 3))
    steps = [
        {
            "format_version": "2",
            "unit_ids": [1, 2, 3],
            "merges": [{"unit_ids": [1, 2], "new_unit_id": 20}],
        },
        {"format_version": "2", "unit_ids": [3, 20], "removed": [3]},
    ]
    curated = apply_curation(sorting, steps)
    assert trains_of(curated) == {20: sorted_together(trains_of(sorting), [1, 2])}
    again = apply_curation(sorting, [curation_from_dict(step) for step in steps])
    assert trains_of(again) == trains_of(curated)


def test_sortingview():
    curated = apply_curation(make_sorting(), SORTINGVIEW)
    assert curated.unit_ids.tolist() == [6, 14, 15, 16]
    assert curated.get_property("accept").tolist() == [True, False, False, True]


def test_what_does_not_fit():
    sorting = make_sorting()
    with pytest.raises(CurationError, match="for other units: \\[99\\]"):
        apply_curation(sorting, {**curation_v1(), "unit_ids": [*IDS, 99]})
    splits = [{"unit_id": 14, "indices": [[0], [1], [2]], "new_unit_ids": [50, 51, 52]}]
    with pytest.raises(CurationError, match="4 parts"):
        apply_curation(sorting, {**curation_v2(), "splits": splits})
    with pytest.raises(ParameterError, match="sorting or an analyzer"):
        apply_curation(3, curation_v1())
