"""Views of sortings that are merged, split and curated step by step."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikeloom as si
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.curation import (
    CurationSorting,
    MergeUnitsSorting,
    SplitUnitSorting,
    curation_sorting,
    merge_units_sorting,
    split_unit_sorting,
)
from spikeloom.errors import ParameterError

FS = 30000.0


def made():
    sorting = NumpySorting.from_unit_dict(
        [{"a": [10, 400], "b": [12, 90], "c": [5]}, {"a": [7], "b": [7, 50], "c": []}], FS
    )
    sorting.set_property("group", np.array([1, 1, 2]))
    sorting.set_property("quality", np.array(["good", "mua", "mua"]))
    return sorting


def trains(sorting):
    return {
        unit: [sorting.get_unit_spike_train(unit, segment_index=k).tolist() for k in (0, 1)]
        for unit in sorting.unit_ids.tolist()
    }


def test_spikes_that_were_found_twice_are_there_once():
    merged = MergeUnitsSorting(made(), [["a", "b"]], new_unit_ids=["d"])
    assert trains(merged) == {"c": [[5], []], "d": [[10, 90, 400], [7, 50]]}
    everything = merge_units_sorting(made(), ["a", "b"], ["d"], delta_time_ms=None)
    assert trains(everything)["d"] == [[10, 12, 90, 400], [7, 7, 50]]


def test_what_units_have_in_common_is_kept():
    merged = MergeUnitsSorting(made(), [["a", "b"]])
    assert merged.get_property("group").tolist() == [2, 1]
    assert merged.get_property("quality").tolist() == ["mua", ""]
    bare = MergeUnitsSorting(made(), [["a", "b"]], properties_policy="remove")
    assert bare.get_property("quality").tolist() == ["mua", ""]
    assert "group" not in bare.get_property_keys()


def test_parts_have_their_spikes_and_properties():
    split = split_unit_sorting(made(), "a", [[1, 0], [1]], new_unit_ids=["x", "y"])
    assert trains(split) == {
        "b": [[12, 90], [7, 50]],
        "c": [[5], []],
        "x": [[400], []],
        "y": [[10], [7]],
    }
    assert split.get_property("quality").tolist() == ["mua", "mua", "good", "good"]


@pytest.mark.parametrize("kind", ["merge", "split"])
def test_views_come_back_from_a_description(kind, tmp_path):
    sorting = made().save(folder=tmp_path / "sorting")
    view = (
        MergeUnitsSorting(sorting, [["a", "b"]])
        if kind == "merge"
        else SplitUnitSorting(sorting, "a", [[1, 0], [1]])
    )
    view.dump(tmp_path / "view.json")
    again = si.load(tmp_path / "view.json")
    assert trains(again) == trains(view)
    assert again.get_property("quality").tolist() == view.get_property("quality").tolist()


def test_splitting_what_was_merged_gives_the_units_back():
    merged = MergeUnitsSorting(made(), [["a", "b"]], ["d"], delta_time_ms=None)
    back = SplitUnitSorting(merged, "d", [[0, 1, 1, 0], [0, 1, 1]], new_unit_ids=["a", "b"])
    assert trains(back) == trains(made())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 300), max_size=30),
    st.lists(st.integers(0, 300), max_size=30),
    st.integers(0, 20),
)
def test_a_merged_unit_has_a_spike_unless_the_one_before_is_near_and_of_the_other(one, two, delta):
    sorting = NumpySorting.from_unit_dict({0: sorted(one), 1: sorted(two)}, 1000.0)
    merged = MergeUnitsSorting(sorting, [[0, 1]], delta_time_ms=float(delta))
    both = sorted([(t, 0) for t in one] + [(t, 1) for t in two])
    expected = [
        t
        for k, (t, unit) in enumerate(both)
        if k == 0 or both[k - 1][1] == unit or t - both[k - 1][0] > delta
    ]
    assert merged.get_unit_spike_train(2).tolist() == expected


def test_steps_are_undone_and_done_again():
    curated = curation_sorting(made())
    curated.merge(["a", "b"], new_unit_id="ab")
    curated.split("ab", [[0, 1, 0], [1, 0]])
    assert curated.sorting.unit_ids.tolist() == ["c", "0", "1"]
    curated.rename(["x", "y", "z"])
    curated.remove_unit("x")
    assert curated.sorting.unit_ids.tolist() == ["y", "z"]
    assert not curated.redo_available()
    for _ in range(9):
        curated.undo()
    assert trains(curated.sorting) == trains(made())
    assert not curated.undo_available()
    curated.redo()
    assert curated.sorting.unit_ids.tolist() == ["c", "ab"]
    curated.remove_empty_units()
    assert not curated.redo_available()


def test_ids_are_never_used_again():
    sorting = NumpySorting.from_unit_dict({3: [1, 77], 5: [9], 6: [300]}, FS)
    curated = CurationSorting(sorting)
    curated.merge([5, 6])
    assert curated.sorting.unit_ids.tolist() == [3, 7]
    curated.remove_unit(7)
    curated.split(3, [0, 1])
    assert curated.sorting.unit_ids.tolist() == [8, 9]


def test_the_graph_says_what_became_of_what():
    pytest.importorskip("networkx")
    curated = CurationSorting(made(), make_graph=True)
    curated.merge(["a", "b"], "d")
    edges = set(curated.graph.edges)
    assert edges == {(("a", 0), ("d", 1)), (("b", 0), ("d", 1)), (("c", 0), ("c", 1))}
    curated.undo()
    assert not curated.graph.edges


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: MergeUnitsSorting(s, [["a", "nobody"]]), "nobody"),
        (lambda s: MergeUnitsSorting(s, [["a", "b"]], delta_time_ms=-1.0), "delta_time_ms"),
        (lambda s: MergeUnitsSorting(s, [["a", "b"]], properties_policy="x"), "properties_policy"),
        (lambda s: SplitUnitSorting(s, "a", [[0], [1]]), "a part for each spike"),
        (lambda s: SplitUnitSorting(s, "a", [[0, 1], [1]], ["b", "x"]), "b"),
        (lambda s: CurationSorting(s).graph, "make_graph"),
    ],
)
def test_what_makes_no_sense_is_said(act, message):
    pytest.importorskip("networkx")
    with pytest.raises(ParameterError, match=message):
        act(made())
