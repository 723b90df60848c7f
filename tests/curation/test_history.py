import numpy as np

from making.sessions import make_phy_example, make_session, selected


def test_undo_and_redo_bring_the_selection_back():
    session = make_phy_example()
    session.select([30], [20])
    session.merge()
    assert selected(session) == ([31], [])
    session.undo()
    assert selected(session) == ([30], [20])
    session.redo()
    assert selected(session) == ([31], [])


def test_a_second_undo_brings_back_the_selection_before_the_first_action():
    session = make_session([1, 1, 2, 3])
    session.select([1, 2])
    session.merge()
    session.select([4, 3])
    session.split(np.array([0]))
    session.undo()
    assert selected(session) == ([4, 3], [])
    session.undo()
    assert selected(session) == ([1, 2], [])


def test_redo_brings_back_the_selection_that_there_was_before_the_undo():
    session = make_session([1, 2, 3])
    session.select([1, 2])
    session.merge()
    session.select([4], [3])
    session.undo()
    session.select([3])
    session.redo()
    assert selected(session) == ([4], [3])


def test_after_a_split_all_new_clusters_are_selected_in_the_order_of_their_ids():
    session = make_session([1, 1, 2, 2])
    session.select([2], [1])
    session.split(np.array([0, 2]))
    assert selected(session) == ([3, 4, 5], [])


def test_each_action_is_one_change_of_the_workspace():
    session = make_session([1, 2, 3])
    for act in (
        lambda: session.select([1, 2]),
        session.merge,
        session.undo,
        session.redo,
        lambda: session.move("good"),
    ):
        revision = session.workspace.revision
        outcome = act()
        assert outcome.after.revision == revision + 1
        assert session.workspace is outcome.after


def test_doing_something_new_leaves_nothing_to_redo():
    session = make_session([1, 2, 3])
    session.merge([1, 2])
    session.undo()
    assert session.workspace.history.undone
    session.label("x", 1, cluster_ids=[3])
    assert not session.workspace.history.undone


def test_a_session_is_dirty_until_saved_and_again_after_the_next_edit():
    session = make_session([1, 2, 3])
    assert not session.workspace.is_dirty
    session.merge([1, 2])
    assert session.workspace.is_dirty
    session.mark_saved(session.workspace)
    assert not session.workspace.is_dirty
    session.label("x", 1, cluster_ids=[3])
    assert session.workspace.is_dirty


def test_undoing_back_to_what_was_saved_is_clean_again():
    session = make_session([1, 2, 3])
    session.merge([1, 2])
    session.undo()
    assert not session.workspace.is_dirty
    session.redo()
    session.mark_saved(session.workspace)
    session.label("x", 1, cluster_ids=[3])
    session.undo()
    assert not session.workspace.is_dirty
    session.undo()
    assert session.workspace.is_dirty
    session.redo()
    assert not session.workspace.is_dirty


def test_another_action_at_the_same_depth_is_not_what_was_saved():
    session = make_session([1, 2, 3])
    session.merge([1, 2])
    session.mark_saved(session.workspace)
    session.undo()
    session.merge([2, 3])
    assert session.workspace.is_dirty


def test_an_edit_made_while_saving_stays_unsaved():
    session = make_session([1, 2, 3])
    session.merge([1, 2])
    being_saved = session.workspace
    session.label("x", 1, cluster_ids=[3])
    session.mark_saved(being_saved)
    assert session.workspace.is_dirty
    session.undo()
    assert not session.workspace.is_dirty
