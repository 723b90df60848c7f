import math

import pytest
from hypothesis import given, strategies as st

from making.sessions import make_phy_example, make_session, selected
from spikeloom.curation.tables import sort_key, sort_rows
from spikeloom.errors import FilterSyntaxError, ParameterError


def sorted_values(values, *, is_descending=False):
    rows = {i: {"x": value} for i, value in enumerate(values)}
    return [values[i] for i in sort_rows(rows, "x", is_descending=is_descending)]


def test_numbers_in_text_are_sorted_as_numbers_before_other_text():
    assert sorted_values(["2", "10", "b", "1"]) == ["1", "2", "10", "b"]


def test_missing_values_come_last_whichever_way_a_column_is_sorted():
    values = [3, None, 1, 2]
    assert sorted_values(values) == [1, 2, 3, None]
    assert sorted_values(values, is_descending=True) == [3, 2, 1, None]


def test_what_is_not_a_number_is_missing():
    rows = {0: {"x": 2.0}, 1: {"x": math.nan}, 2: {"x": 1.0}}
    assert sort_rows(rows, "x", is_descending=False) == [2, 0, 1]
    assert sort_rows(rows, "x", is_descending=True) == [0, 2, 1]


def test_equal_values_keep_the_order_of_their_ids():
    rows = {7: {"x": 1}, 3: {"x": 1}, 5: {"x": 2}, 1: {"x": None}, 0: {"x": None}}
    assert sort_rows(rows, "x", is_descending=False) == [3, 7, 5, 0, 1]
    assert sort_rows(rows, "x", is_descending=True) == [5, 3, 7, 0, 1]


def test_a_row_without_the_column_is_missing():
    assert sort_rows({0: {}, 1: {"x": 5}}, "x", is_descending=False) == [1, 0]


cells = st.one_of(
    st.none(),
    st.integers(-(2**62), 2**62),
    st.floats(),
    st.text(max_size=4),
    st.sampled_from(["nan", "inf", "-inf", "NaN", "1e5", "10", "9" * 400, 10**400]),
)


@given(st.lists(cells, max_size=8), st.booleans())
def test_any_cells_are_sorted_the_same_way_whatever_their_order(values, is_descending):
    rows = {i: {"x": value} for i, value in enumerate(values)}
    order = sort_rows(rows, "x", is_descending=is_descending)
    assert sorted(order) == list(range(len(values)))
    keys = [sort_key(values[i]) for i in order if values[i] is not None and values[i] == values[i]]
    assert keys == sorted(keys, reverse=is_descending)


def test_tables_are_sorted_by_number_of_spikes_at_first():
    session = make_session([1, 2, 2, 3, 3, 3])
    assert session.rows.order(session.workspace, "cluster") == [3, 2, 1]


def test_a_click_on_a_header_sorts_up_and_a_second_one_down():
    session = make_phy_example()
    session.sort("cluster", "n_spikes")
    assert not session.workspace.cluster_table.is_descending
    session.sort("cluster", "n_spikes")
    assert session.workspace.cluster_table.is_descending
    session.sort("cluster", "id")
    assert not session.workspace.cluster_table.is_descending
    assert session.rows.order(session.workspace, "cluster") == [0, 1, 2, 10, 11, 20, 30]


def test_sorting_by_an_unknown_column_is_an_error_that_lists_the_known_ones():
    session = make_phy_example()
    with pytest.raises(ParameterError, match="Known: id, n_spikes, group"):
        session.sort("cluster", "nope")


def test_a_filter_shows_the_rows_that_pass():
    session = make_phy_example()
    session.filter("cluster", "5 <= id && id <= 20")
    assert session.rows.order(session.workspace, "cluster") == [20, 11, 10]
    session.filter("cluster", "!(group == 'good')")
    assert session.rows.order(session.workspace, "cluster") == [30, 20, 10, 2, 0]
    session.filter("cluster", "group == null")
    assert session.rows.order(session.workspace, "cluster") == [30, 20, 2]
    session.filter("cluster", "")
    assert len(session.rows.order(session.workspace, "cluster")) == 7


@pytest.mark.parametrize(
    "text", ["id ==", "nope > 3", "group =~ '('", "id > 3 &&", "group == 'good", "(" * 500]
)
def test_a_filter_that_cannot_be_read_is_an_error_and_the_old_one_stays(text):
    session = make_phy_example()
    session.filter("cluster", "id > 5")
    before = session.workspace
    with pytest.raises(FilterSyntaxError):
        session.filter("cluster", text)
    assert session.workspace is before
    assert session.rows.order(session.workspace, "cluster") == [30, 20, 11, 10]


def test_filters_survive_edits_and_new_labels():
    session = make_phy_example()
    session.filter("cluster", "group != 'noise'")
    session.sort("cluster", "id", is_descending=False)
    session.label("note", 3, cluster_ids=[2])
    session.merge([1, 2])
    assert session.workspace.cluster_table.sort_column == "id"
    assert session.rows.order(session.workspace, "cluster") == [10, 11, 20, 30, 31]
    session.filter("cluster", "note == 3")
    session.undo()
    session.undo()
    # The column is gone with its last value; the filter stays readable.
    assert session.rows.order(session.workspace, "cluster") == []


def test_the_similarity_view_is_sorted_and_filtered_by_itself():
    session = make_phy_example()
    session.select([30])
    assert session.rows.order(session.workspace, "similarity") == [20, 11, 10, 2, 1, 0]
    session.filter("similarity", "similarity > 5")
    assert session.rows.order(session.workspace, "similarity") == [20, 11, 10]
    session.sort("similarity", "id", is_descending=False)
    assert session.rows.order(session.workspace, "similarity") == [10, 11, 20]
    assert session.rows.order(session.workspace, "cluster") == [30, 20, 11, 10, 2, 1, 0]
    session.select([20])
    assert session.rows.order(session.workspace, "similarity") == [10, 11, 30]


def test_a_cluster_made_under_a_filter_is_shown_and_selected_if_it_passes():
    session = make_session([1, 2, 3], {"group": {1: "good", 2: "good"}})
    session.filter("cluster", "group == 'good'")
    session.select([1, 2])
    session.merge()
    assert session.rows.order(session.workspace, "cluster") == [4]
    assert selected(session) == ([4], [])


def test_columns_are_the_id_the_facts_the_group_and_labels_by_name():
    session = make_session([1, 2], {"zeta": {1: 1}, "alpha": {2: "x"}, "empty": {}})
    assert session.rows.columns(session.workspace) == ["id", "n_spikes", "group", "alpha", "zeta"]
    rows = session.rows.rows(session.workspace)
    assert rows[1] == {"id": 1, "n_spikes": 1, "group": None, "zeta": 1}


def test_a_column_of_a_file_that_is_called_id_does_not_hide_the_cluster():
    session = make_session([1, 2], {"id": {1: 77}})
    assert session.rows.rows(session.workspace)[1]["id"] == 1
    assert session.rows.columns(session.workspace)[0] == "id"


def test_facts_of_a_cluster_are_worked_out_once():
    asked = []

    def facts(cluster_id, spikes):
        asked.append(cluster_id)
        return {"n_spikes": spikes.size}

    session = make_session([1, 2, 3], facts=facts)
    session.rows.rows(session.workspace)
    session.merge([1, 2])
    session.rows.rows(session.workspace)
    session.undo()
    session.redo()
    session.rows.rows(session.workspace)
    assert sorted(asked) == [1, 2, 3, 4]


def test_no_cluster_at_all_is_an_empty_table():
    session = make_session([])
    assert session.rows.rows(session.workspace) == {}
    assert session.rows.columns(session.workspace) == ["id", "group"]
    assert session.rows.order(session.workspace, "cluster") == []
    assert session.rows.order(session.workspace, "similarity") == []
