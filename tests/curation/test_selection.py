import pytest

from making.sessions import make_phy_example, make_session, selected
from spikeloom.curation.selection import Selection, click, select_best, select_similar
from spikeloom.errors import CurationError

ORDER = [30, 20, 11, 10, 2, 1, 0]


@pytest.mark.parametrize(
    ("before", "gesture", "row", "best"),
    [
        ((30, 20), "replace", 11, [11]),
        ((30, 20), "replace", 30, [30]),
        ((30, 20), "toggle", 11, [30, 20, 11]),
        ((30, 20), "toggle", 30, [20]),
        ((30,), "toggle", 30, []),
        ((20,), "range", 2, [20, 11, 10, 2]),
        ((2,), "range", 20, [2, 20, 11, 10]),
        ((1, 20), "range", 10, [1, 20, 11, 10]),
        ((20,), "range", 20, [20]),
        ((), "range", 11, [11]),
    ],
)
def test_clicks_in_the_cluster_view(before, gesture, row, best):
    after = click(Selection(before, (0,)), "cluster", row, gesture, order=ORDER)
    assert after == Selection(tuple(best))


@pytest.mark.parametrize(
    ("gesture", "row", "similar"),
    [
        ("replace", 11, [11]),
        ("toggle", 11, [20, 11]),
        ("toggle", 20, []),
        ("range", 10, [20, 11, 10]),
        ("replace", 30, []),
    ],
)
def test_clicks_in_the_similarity_view_keep_the_best_clusters(gesture, row, similar):
    after = click(Selection((30,), (20,)), "similarity", row, gesture, order=ORDER)
    assert after == Selection((30,), tuple(similar))


def test_a_range_from_a_row_that_is_not_shown_is_the_clicked_row():
    after = click(Selection((5,)), "cluster", 20, "range", order=ORDER)
    assert after.best == (20,)


def test_a_similar_cluster_is_promoted_before_the_reference():
    session = make_phy_example()
    session.select([10, 30], [20, 11, 1])
    session.click_row("similarity", 11, "transfer")
    assert selected(session) == ([10, 11, 30], [20, 1])
    assert session.workspace.selection.reference == 30
    assert 11 not in session.rows.order(session.workspace, "similarity")


def test_a_similar_cluster_that_is_not_selected_can_be_promoted_too():
    session = make_phy_example()
    session.select([30], [20])
    session.click_row("similarity", 2, "transfer")
    assert selected(session) == ([2, 30], [20])


def test_a_best_cluster_is_moved_to_the_similar_ones_unless_it_is_the_last():
    session = make_phy_example()
    session.select([10, 30], [20, 11])
    session.click_row("cluster", 10, "transfer")
    assert selected(session) == ([30], [20, 11, 10])
    session.click_row("cluster", 30, "transfer")
    assert selected(session) == ([30], [20, 11, 10])
    session.click_row("cluster", 1, "transfer")
    assert selected(session) == ([30], [20, 11, 10])


def test_promoting_a_cluster_that_is_best_already_or_without_any_best_changes_nothing():
    session = make_phy_example()
    session.click_row("similarity", 10, "transfer")
    assert selected(session) == ([], [])
    session.select([10, 30], [20])
    session.click_row("similarity", 10, "transfer")
    assert selected(session) == ([10, 30], [20])


def test_promoting_a_cluster_that_does_not_exist_is_an_error():
    session = make_phy_example()
    session.select([30])
    with pytest.raises(CurationError, match="99"):
        session.click_row("similarity", 99, "transfer")


def test_clicking_a_row_that_is_not_shown_does_nothing():
    session = make_phy_example()
    session.select([30])
    session.filter("cluster", "id > 15")
    outcome = session.click_row("cluster", 2, "replace")
    assert outcome.before is outcome.after
    outcome = session.click_row("cluster", 99, "toggle")
    assert outcome.before is outcome.after
    session.click_row("cluster", 20, "replace")
    assert selected(session) == ([20], [])


def test_a_range_is_that_of_the_table_as_sorted_and_filtered():
    session = make_phy_example()
    session.sort("cluster", "id", is_descending=False)
    session.filter("cluster", "id != 10")
    session.click_row("cluster", 1, "replace")
    session.click_row("cluster", 20, "range")
    assert selected(session) == ([1, 2, 11, 20], [])


def test_each_cluster_is_selected_once_in_the_order_given():
    assert select_best([3, 1, 3, 2, 1]) == Selection((3, 1, 2))
    assert select_similar(Selection((3,)), [1, 3, 1, 2]) == Selection((3,), (1, 2))
    assert Selection((3, 1), (2, 1)).all == (3, 1, 2)


def test_selecting_similar_ones_only_keeps_the_best_and_selecting_best_ones_clears_the_similar():
    session = make_phy_example()
    session.select([30], [20])
    session.select(None, [11])
    assert selected(session) == ([30], [11])
    session.select([2])
    assert selected(session) == ([2], [])


def test_selecting_what_is_selected_already_is_no_change():
    session = make_phy_example()
    session.select([30], [20])
    outcome = session.select([30], [20])
    assert outcome.before is outcome.after


def test_selections_are_no_edits():
    session = make_session([1, 2])
    session.select([1], [2])
    session.sort("cluster", "id")
    session.filter("cluster", "id > 0")
    session.skip_masked(is_on=False)
    assert not session.workspace.is_dirty
    assert session.workspace.history.done == ()
    assert session.workspace.clustering_revision == 0
    assert session.workspace.revision == 4
