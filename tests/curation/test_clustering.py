"""Merging and splitting, as in phy's own tests."""

import numpy as np
import pytest

from making.sessions import make_session
from spikeloom.curation.edits import Label, Merge, Restore, Split
from spikeloom.errors import CurationError


def split(session, spikes, parts=None):
    return session.split(np.array(spikes), None if parts is None else np.array(parts))


def test_a_split_gives_new_ids_to_the_spikes_and_to_what_remains():
    session = make_session([2, 5, 3, 2, 7, 5, 2])
    change = split(session, [0]).change
    assert session.spike_clusters.tolist() == [8, 5, 3, 9, 7, 5, 9]
    assert change.description == "split"
    assert change.added == (8, 9)
    assert change.deleted == (2,)
    assert set(change.descendants) == {(2, 8), (2, 9)}


def test_ids_that_were_taken_back_are_never_used_again():
    session = make_session([2, 5, 3, 2, 7, 5, 2])
    split(session, [0])
    session.undo()
    assert session.spike_clusters.tolist() == [2, 5, 3, 2, 7, 5, 2]
    assert session.workspace.state.next_cluster_id == 10
    split(session, [3])
    assert session.spike_clusters.tolist() == [11, 5, 3, 10, 7, 5, 11]
    assert session.workspace.state.next_cluster_id == 12


def test_redo_gives_the_same_ids_again():
    session = make_session([2, 5, 3, 2, 7, 5, 2])
    split(session, [0])
    session.undo()
    change = session.redo().change
    assert session.spike_clusters.tolist() == [8, 5, 3, 9, 7, 5, 9]
    assert change.added == (8, 9)


def test_a_split_over_several_clusters_numbers_what_remains_in_the_order_of_the_old_ids():
    session = make_session([10, 10, 20, 20, 30, 30])
    change = split(session, [1, 2, 3, 4]).change
    assert session.spike_clusters.tolist() == [32, 31, 31, 31, 31, 33]
    assert set(change.descendants) == {(10, 31), (10, 32), (20, 31), (30, 31), (30, 33)}
    assert 20 not in session.workspace.state.spikes


def test_splitting_off_a_whole_cluster_is_a_merge():
    session = make_session([0, 0, 1])
    change = split(session, [0, 1]).change
    assert change.description == "merge"
    assert session.spike_clusters.tolist() == [2, 2, 1]
    assert (change.added, change.deleted) == ((2,), (0,))


def test_splitting_off_several_whole_clusters_merges_them():
    session = make_session([0, 0, 1, 2])
    change = split(session, [0, 1, 2]).change
    assert change.description == "merge"
    assert session.spike_clusters.tolist() == [3, 3, 3, 2]
    assert change.deleted == (0, 1)


def test_parts_are_numbered_without_gaps_in_their_order():
    # phy leaves gaps in the ids where the part numbers have some.
    session = make_session([0, 0, 0, 0, 1])
    split(session, [0, 1, 2], parts=[7, 5, 7])
    assert session.spike_clusters.tolist() == [3, 2, 3, 4, 1]


def test_merging_takes_the_next_id_each_time():
    session = make_session([0, 0, 1, 1, 1, 2])
    change = session.merge([0, 2]).change
    assert session.spike_clusters.tolist() == [3, 3, 1, 1, 1, 3]
    assert change.descendants == ((0, 3), (2, 3))
    session.undo()
    assert session.spike_clusters.tolist() == [0, 0, 1, 1, 1, 2]
    session.merge([0, 1])
    assert session.spike_clusters.tolist() == [4, 4, 4, 4, 4, 2]


@pytest.mark.parametrize(
    "act",
    [
        lambda session: session.merge([2]),
        lambda session: session.merge([2, 2]),
        lambda session: session.merge([]),
        lambda session: session.merge(),
        lambda session: split(session, []),
        lambda session: session.label("x", 1),
        lambda session: session.move("good"),
    ],
)
def test_what_is_too_little_does_nothing_and_says_so(act):
    session = make_session([2, 5, 2])
    before = session.workspace
    outcome = act(session)
    assert outcome.before is outcome.after is session.workspace is before
    assert outcome.change is None
    assert outcome.text
    assert not session.workspace.is_dirty
    assert session.workspace.history.done == ()


@pytest.mark.parametrize(
    "act",
    [
        lambda session: session.merge([2, 99]),
        lambda session: split(session, [0, 0]),
        lambda session: split(session, [0, 99]),
        lambda session: split(session, [-1]),
        lambda session: session.select([99]),
        lambda session: session.select([2], [99]),
        lambda session: session.label("x", 1, cluster_ids=[99]),
        lambda session: session.move("good", cluster_ids=[99]),
        lambda session: session.undo(),
        lambda session: session.redo(),
    ],
)
def test_what_makes_no_sense_is_an_error_and_changes_nothing(act):
    session = make_session([2, 5, 2])
    before, clusters = session.workspace, session.spike_clusters.copy()
    with pytest.raises(CurationError):
        act(session)
    assert session.workspace is before
    np.testing.assert_array_equal(session.spike_clusters, clusters)


@pytest.mark.parametrize(
    "edit",
    [
        Merge((2,)),
        Merge((2, 5), to=5),
        Merge((2, 5), to=-1),
        Merge((2, 5), to=2**31),
        Split((2,), np.zeros(0, np.int64)),
        Split((2, 5), np.array([0])),
        Split((5,), np.array([0])),
        Split((2,), np.array([0, 2]), np.array([0])),
        Split((2,), np.array([0]), first_id=5),
        Label("id", {2: 1}),
        Label("cluster_id", {2: 1}),
        Label("info", {2: 1}),
        Label("", {2: 1}),
        Label("a/b", {2: 1}),
        Label("a\tb", {2: 1}),
        Label("x" * 300, {2: 1}),
        Label("x", {99: 1}),
        Restore((99,), {}),
    ],
    ids=repr,
)
def test_edits_that_make_no_sense_are_refused_by_themselves(edit):
    state = make_session([2, 5, 2]).workspace.state
    with pytest.raises(CurationError) as caught:
        edit.apply(state)
    assert len(str(caught.value)) > 10


def test_an_edit_and_its_inverse_give_back_the_state():
    session = make_session([2, 5, 3, 2, 7, 5, 2], {"group": {2: "good"}})
    state = session.workspace.state
    edits = [
        Merge((2, 5)),
        Split((2,), np.array([0])),
        Split((2, 5), np.array([0, 1])),
        Label("group", {2: None, 5: "mua"}),
        Label("new", {2: 1}),
    ]
    for edit in edits:
        applied = edit.apply(state)
        back = applied.inverse.apply(applied.state).state
        assert {i: s.tolist() for i, s in back.spikes.items()} == {
            i: s.tolist() for i, s in state.spikes.items()
        }
        assert {n: dict(c) for n, c in back.labels.items() if c} == {"group": {2: "good"}}


def test_untouched_clusters_share_their_arrays_between_states():
    session = make_session([2, 5, 3, 2, 7, 5, 2])
    before = session.workspace.state
    session.merge([2, 5])
    after = session.workspace.state
    assert after.spikes[3] is before.spikes[3]
    assert after.spikes[7] is before.spikes[7]


def test_states_cannot_be_written_to():
    session = make_session([2, 5, 2], {"group": {2: "good"}})
    split(session, [0])
    state = session.workspace.state
    with pytest.raises(TypeError):
        state.spikes[99] = np.zeros(0)
    with pytest.raises(TypeError):
        state.labels["group"][2] = "noise"
    for spikes in state.spikes.values():
        with pytest.raises(ValueError, match="read-only"):
            spikes[:] = 0


def test_the_array_that_a_session_starts_from_is_never_written_to():
    clusters = np.array([2, 5, 2], np.int32)
    clusters.setflags(write=False)
    session = make_session(clusters)
    session.merge([2, 5])
    assert clusters.tolist() == [2, 5, 2]
    assert session.spike_clusters.tolist() == [6, 6, 6]


def test_sizes_in_the_status_line_are_those_of_the_new_clusters():
    session = make_session([2, 5, 2])
    assert session.merge([2, 5]).text == "merge of 2, 5 into 6 (3 spikes)."
    assert session.undo().text.startswith("Undid: ")
    assert session.redo().text.startswith("Did again: ")
    assert "group of 6 changed" in session.move("good", cluster_ids=[6]).text
