"""What a session promises beside what its edits do."""

import threading

import numpy as np
import pytest

from making.sessions import labels_of, make_session, selected
from spikeloom.curation.codec import encode_edit
from spikeloom.curation.edits import Label
from spikeloom.errors import CurationError, JournalError


def test_an_edit_that_the_journal_refuses_has_not_happened():
    session = make_session([1, 2, 3], {"group": {1: "good"}})
    session.merge([1, 2])
    before, clusters = session.workspace, session.spike_clusters.copy()

    def refuse(_entry):
        raise JournalError(28, "No space left on device")

    session.log = refuse
    for act in (
        lambda: session.merge([4, 3]),
        lambda: session.split(np.array([0])),
        lambda: session.label("x", 1, cluster_ids=[3]),
        lambda: session.move("good", cluster_ids=[3]),
        session.undo,
    ):
        with pytest.raises(JournalError, match="No space left"):
            act()
        assert session.workspace is before
        np.testing.assert_array_equal(session.spike_clusters, clusters)


def test_every_edit_is_logged_before_it_takes_effect():
    session = make_session([1, 2, 3])
    seen = []
    session.log = lambda entry: seen.append((entry["kind"], session.workspace.revision))
    session.select([1, 2])
    session.merge()
    session.undo()
    session.redo()
    assert seen == [("edit", 1), ("undo", 2), ("redo", 3)]


def test_selections_and_tables_are_not_logged():
    session = make_session([1, 2, 3])
    session.log = lambda _entry: pytest.fail("logged")
    session.select([1], [2])
    session.sort("cluster", "id")
    session.filter("cluster", "id > 0")
    session.step("next")
    session.skip_masked(is_on=False)
    session.touch()


def test_a_replay_is_not_logged_and_the_log_is_back_afterwards():
    first = make_session([1, 2, 3])
    entries = []
    first.log = entries.append
    first.merge([1, 2])
    first.label("x", 1, cluster_ids=[3])
    again = make_session([1, 2, 3])
    logged = []
    again.log = logged.append
    assert again.replay(entries) == 2
    assert logged == []
    assert labels_of(again) == {"x": {3: 1}}
    again.undo()
    assert [entry["kind"] for entry in logged] == ["undo"]
    again.undo()
    assert again.spike_clusters.tolist() == [1, 2, 3]


def test_a_replay_that_fails_keeps_what_came_before_and_the_log():
    session = make_session([1, 2, 3])
    logged = []
    log = session.log = logged.append
    good = {
        "kind": "edit",
        "edit": encode_edit(Label("x", {1: 1})),
        "before": [[], []],
        "after": [[], []],
    }
    bad = {
        "kind": "edit",
        "edit": encode_edit(Label("x", {9: 1})),
        "before": [[], []],
        "after": [[], []],
    }
    with pytest.raises(CurationError):
        session.replay([good, bad])
    assert labels_of(session) == {"x": {1: 1}}
    assert session.log is log


def test_a_replay_gives_the_selections_back():
    first = make_session([1, 2, 3])
    entries = []
    first.log = entries.append
    first.select([1, 2], [3])
    first.merge([1, 2])
    again = make_session([1, 2, 3])
    again.replay(entries)
    assert selected(again) == ([4], [])
    again.undo()
    assert selected(again) == ([1, 2], [3])


@pytest.mark.parametrize("n_undone", [1, 2, 3])
def test_what_is_undone_after_a_save_is_recovered_and_can_be_redone(n_undone):
    session = make_session([1, 2, 3, 3], {"group": {1: "good", 2: "mua"}, "odd": {2: float("nan")}})
    session.merge([1, 2])
    session.label("note", "n", cluster_ids=[4])
    session.split(np.array([2]))
    saved_clusters, saved_labels = session.spike_clusters.copy(), labels_of(session)
    session.mark_saved(session.workspace)
    entries = []
    session.log = entries.append
    for _ in range(n_undone):
        session.undo()
    again = make_session(saved_clusters, saved_labels)
    again.replay(entries)
    np.testing.assert_array_equal(again.spike_clusters, session.spike_clusters)
    assert str(labels_of(again)) == str(labels_of(session))
    assert again.workspace.is_dirty
    for _ in range(n_undone):
        again.redo()
    np.testing.assert_array_equal(again.spike_clusters, saved_clusters)
    assert str(labels_of(again)) == str(saved_labels)
    assert not again.workspace.is_dirty


def test_what_is_redone_after_a_save_is_recovered():
    session = make_session([1, 2, 3])
    session.merge([1, 2])
    session.label("note", "n", cluster_ids=[4])
    session.undo()
    session.undo()
    session.mark_saved(session.workspace)
    entries = []
    session.log = entries.append
    session.redo()
    session.redo()
    again = make_session([1, 2, 3])
    again.replay(entries)
    assert again.spike_clusters.tolist() == [4, 4, 3]
    assert labels_of(again) == {"note": {4: "n"}}
    again.undo()
    again.undo()
    assert again.spike_clusters.tolist() == [1, 2, 3]


def test_many_threads_may_edit_at_once():
    session = make_session(np.repeat(np.arange(40), 3))

    def work(k):
        for i in range(5):
            session.label(f"note{k}", i, cluster_ids=[k * 5 + i])
            session.merge([k * 10, k * 10 + 1]) if i == 0 else None

    threads = [threading.Thread(target=work, args=(k,)) for k in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(session.workspace.history.done) == 12
    assert session.workspace.clustering_revision == 12
    numbers = [entry.number for entry in session.workspace.history.done]
    assert numbers == list(range(1, 13))
