import numpy as np
import pytest

from making.sessions import group_of, make_session


def merged(groups, sizes):
    """Merge all clusters of given sizes and groups; return the group of the result."""
    clusters = [i for i, size in sizes.items() for _ in range(size)]
    session = make_session(clusters, {"group": groups})
    session.merge(list(sizes))
    return group_of(session, max(sizes) + 1)


@pytest.mark.parametrize(
    ("groups", "sizes", "expected"),
    [
        ({1: "good", 2: "mua"}, {1: 1, 2: 3}, "mua"),
        ({1: "good", 2: "mua"}, {1: 3, 2: 1}, "good"),
        ({1: "good"}, {1: 1, 2: 5}, "good"),
        ({1: "good"}, {1: 5, 2: 1}, "good"),
        ({1: "good", 2: "mua"}, {1: 1, 2: 1, 3: 5}, None),
        ({1: "good", 2: "good"}, {1: 1, 2: 1, 3: 5}, "good"),
        ({1: "unsorted", 2: "good"}, {1: 5, 2: 1}, "unsorted"),
        ({}, {1: 1, 2: 1}, None),
        ({1: "good", 2: "mua"}, {1: 2, 2: 2}, "good"),
    ],
)
def test_a_merged_cluster_inherits_what_its_ancestors_agree_on_else_what_the_largest_has(
    groups, sizes, expected
):
    assert merged(groups, sizes) == expected


def test_every_part_of_a_split_cluster_inherits_and_undo_gives_the_parent_back():
    session = make_session([4, 4, 4, 9], {"group": {4: "good"}, "snr": {4: 2.5}, "note": {9: "x"}})
    session.split(np.array([0, 1]), np.array([0, 1]))
    state = session.workspace.state
    for child in (10, 11, 12):
        assert state.labels_of(child) == {"group": "good", "snr": 2.5}
    session.undo()
    assert session.workspace.state.labels_of(4) == {"group": "good", "snr": 2.5}
    assert session.workspace.state.labels_of(9) == {"note": "x"}


def test_a_part_inherits_only_from_the_clusters_that_its_spikes_came_from():
    session = make_session([1, 1, 2, 2, 3], {"group": {1: "good", 2: "mua", 3: "noise"}})
    session.split(np.array([0, 2, 4]), np.array([0, 0, 1]))
    assert group_of(session, 4) == "good"  # of clusters 1 and 2, equally large: the first
    assert group_of(session, 5) == "noise"
    assert group_of(session, 6) == "good"
    assert group_of(session, 7) == "mua"


def test_each_field_is_inherited_by_itself():
    labels = {"group": {1: "good"}, "a": {1: 1, 2: 2}, "b": {2: "x"}}
    session = make_session([1, 2, 2], labels)
    session.merge([1, 2])
    assert session.workspace.state.labels_of(3) == {"group": "good", "a": 2, "b": "x"}


def test_labels_of_a_merged_cluster_go_with_it_when_it_is_undone_and_come_back_with_redo():
    session = make_session([1, 2], {"group": {1: "good"}})
    session.merge([1, 2])
    session.label("note", "n", cluster_ids=[3])
    session.undo()
    session.undo()
    assert session.workspace.state.labels_of(1) == {"group": "good"}
    assert session.workspace.state.labels_of(2) == {}
    session.redo()
    assert session.workspace.state.labels_of(3) == {"group": "good"}
    session.redo()
    assert session.workspace.state.labels_of(3) == {"group": "good", "note": "n"}
