"""The keyboard wizard, as in phy's own tests: seven clusters sorted by falling id."""

import pytest

from making.sessions import group_of, make_phy_example, make_session, selected


@pytest.fixture
def session():
    return make_phy_example()


def steps(session, step, n):
    best = []
    for _ in range(n):
        session.step(step)
        best += selected(session)[0]
    return best


def test_next_best_skips_noise_and_mua(session):
    assert steps(session, "next_best", 6) == [30, 20, 11, 2, 1, 1]


def test_next_best_stops_everywhere_if_nothing_is_skipped(session):
    session.skip_masked(is_on=False)
    assert steps(session, "next_best", 8) == [30, 20, 11, 10, 2, 1, 0, 0]


def test_previous_best_goes_back(session):
    session.select([1])
    assert steps(session, "previous_best", 5) == [2, 11, 20, 30, 30]


def test_best_steps_go_on_from_the_first_selected_cluster_and_clear_the_similar_ones(session):
    session.select([20, 2], [11])
    session.step("next_best")
    assert selected(session) == ([11], [])


def test_a_masked_cluster_that_is_selected_is_a_place_to_go_on_from(session):
    session.select([10])
    session.step("next_best")
    assert selected(session) == ([2], [])


def test_first_and_last_are_those_of_the_table_as_shown(session):
    session.step("last")
    assert selected(session) == ([1], [])
    session.step("first")
    assert selected(session) == ([30], [])
    session.step("last")
    session.step("reset_wizard")
    assert selected(session) == ([30], [])
    session.sort("cluster", "id", is_descending=False)
    session.step("first")
    assert selected(session) == ([1], [])


def test_next_starts_with_the_first_cluster_then_goes_through_similar_ones(session):
    found = []
    for _ in range(7):
        session.step("next")
        found.append(selected(session))
    assert found == [
        ([30], []),
        ([30], [20]),
        ([30], [11]),
        ([30], [2]),
        ([30], [1]),
        ([30], [1]),
        ([30], [1]),
    ]


def test_previous_goes_back_through_similar_ones_and_starts_at_the_first(session):
    session.select([30])
    session.step("previous")
    assert selected(session) == ([30], [20])
    session.select([30], [2])
    session.step("previous")
    assert selected(session) == ([30], [11])


def test_next_goes_on_from_the_first_of_several_similar_ones(session):
    session.select([30], [11, 1])
    session.step("next")
    assert selected(session) == ([30], [2])


def test_without_clusters_or_rows_steps_lead_nowhere(session):
    session.filter("cluster", "id == 99")
    session.filter("similarity", "id == 99")
    for step in ("next", "previous", "next_best", "previous_best", "first", "last"):
        outcome = session.step(step)
        assert outcome.before is outcome.after
    session.select([30])
    for step in ("next", "previous", "first", "last", "next_best"):
        session.step(step)
        assert selected(session) == ([30], [])


def test_the_first_similar_ones_are_selected_together(session):
    session.select([30])
    session.sort("similarity", "id", is_descending=False)
    session.step("select_first_similar", n_similar=2)
    assert selected(session) == ([30], [1, 2])
    session.skip_masked(is_on=False)
    session.step("select_first_similar", n_similar=2)
    assert selected(session) == ([30], [0, 1])
    session.step("select_first_similar", n_similar=99)
    assert selected(session) == ([30], [0, 1, 2, 10, 11, 20])
    session.filter("similarity", "id > 99")
    session.step("select_first_similar", n_similar=2)
    assert selected(session) == ([30], [])


def test_similar_clusters_are_unselected(session):
    session.select([30, 20], [11])
    session.step("unselect_similar")
    assert selected(session) == ([30, 20], [])


def test_moving_similar_clusters_goes_on_to_the_next_similar_one(session):
    session.select([30], [20])
    session.move("noise", "similar")
    assert selected(session) == ([30], [11])
    session.move("mua", "similar")
    assert selected(session) == ([30], [2])
    session.move("good", "similar")
    assert selected(session) == ([30], [1])
    assert [group_of(session, i) for i in (20, 11, 2)] == ["noise", "mua", "good"]
    session.move("good", "similar")
    assert selected(session) == ([30], [1])  # the last one


def test_moving_the_best_cluster_goes_on_to_the_next_best(session):
    session.select([30], [20, 2])
    session.move("good", "best")
    assert selected(session) == ([20], [])
    session.move("noise", "best")
    assert selected(session) == ([11], [])


def test_moving_all_goes_on_to_the_next_best_and_its_first_similar_one(session):
    session.select([30], [20])
    session.move("noise", "all")
    assert selected(session) == ([11], [2])
    assert [group_of(session, i) for i in (30, 20)] == ["noise", "noise"]
    session.undo()
    assert selected(session) == ([30], [20])
    assert [group_of(session, i) for i in (30, 20)] == [None, None]


def test_moving_all_without_similar_ones_goes_on_to_the_next_best(session):
    session.select([30])
    session.move("good", "all")
    assert selected(session) == ([20], [])


def test_moving_the_last_cluster_keeps_it_selected(session):
    session.select([1])
    session.move("good", "best")
    assert selected(session) == ([1], [])


def test_moving_several_best_goes_on_behind_the_first_to_one_that_was_not_moved(session):
    session.select([30, 20])
    session.move("good", "best")
    assert selected(session) == ([11], [])


def test_next_is_the_row_below_as_it_was_shown_even_if_the_moved_row_jumps(session):
    # The table is sorted by group: moving 11 to noise would put it elsewhere.
    session.sort("cluster", "group", is_descending=False)
    order = session.rows.order(session.workspace, "cluster")
    assert order == [1, 11, 10, 0, 2, 20, 30]
    session.skip_masked(is_on=False)
    session.select([11])
    session.move("unsorted", "best")
    assert selected(session) == ([10], [])


def test_moving_a_cluster_that_is_not_selected_keeps_the_selection(session):
    session.select([30], [20])
    session.move("noise", cluster_ids=[2])
    assert selected(session) == ([30], [20])
    assert group_of(session, 2) == "noise"


def test_moving_goes_on_even_where_the_filter_hides_the_moved_cluster(session):
    session.filter("cluster", "group != 'noise'")
    session.select([30])
    session.move("noise", "best")
    assert selected(session) == ([20], [])
    assert 30 not in session.rows.order(session.workspace, "cluster")


def test_a_label_keeps_the_selection(session):
    session.select([30], [20])
    session.label("note", "odd")
    assert selected(session) == ([30], [20])
    session.label("note", "even", which="similar")
    assert session.workspace.state.labels["note"] == {30: "odd", 20: "even"}


def test_labelling_the_group_is_moving(session):
    session.select([30])
    session.label("group", "good")
    assert group_of(session, 30) == "good"
    session.label("group", None, cluster_ids=[2])
    assert group_of(session, 2) == "unsorted"
    assert group_of(session, 20) is None


def test_the_reference_of_similarity_is_the_last_best_cluster():
    similar_to = {0: {1: 0.9, 2: 0.1}, 1: {0: 0.9, 2: 0.5}, 2: {1: 0.5, 0: 0.1}}
    session = make_session([0, 1, 2], similarity=lambda reference, _state: similar_to[reference])
    session.select([0])
    assert session.rows.order(session.workspace, "similarity") == [1, 2]
    session.select([0, 2])
    assert session.rows.order(session.workspace, "similarity") == [1]
    session.select([1, 0])
    assert session.rows.order(session.workspace, "similarity") == [2]
    assert session.rows.similar(session.workspace) == {2: 0.1}
