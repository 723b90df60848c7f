"""The socket: what every command does, and that all pages show the same."""

import contextlib
import json
import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from websockets.exceptions import ConnectionClosed

from making.pages import fetch_frame, http_client, open_page
from spikeloom import __version__
from spikeloom.app import commands, messages
from spikeloom.app.messages import AnyCommand
from spikeloom.app.server import AppServer
from spikeloom.app.sessions import open_session

BOX = [[-1e6, -1e6], [1e6, -1e6], [1e6, 1e6], [-1e6, 1e6]]


def region(kind_x="time", kind_y="template", vertices=BOX, **axis):
    return {"x": {"kind": kind_x}, "y": {"kind": kind_y, **axis}, "vertices": vertices}


def clusters(server):
    return server.app_session.session.spike_clusters


def test_the_first_messages_tell_everything(tab, server):
    hello = tab.hello
    assert hello["version"] == __version__
    assert hello["dataset"]["n_spikes"] == 400
    assert hello["dataset"]["app"] == "template-gui"
    assert set(tab.columns) == set(tab.rows[0]) | {"serial", "snr", "KSLabel"}
    assert {"id", "n_spikes", "amp", "fr", "ch", "depth", "group"} <= set(hello["column_help"])
    assert sorted(tab.cluster_order) == [0, 1, 2, 3, 4, 5]
    assert tab.similarity_order == []
    assert tab.status["best"] == []
    assert not tab.status["is_dirty"]
    assert "recovery" not in tab.status


def test_selecting_clusters_fills_the_similarity_view(tab):
    tab.do("select", cluster_ids=[2])
    assert tab.status["best"] == [2]
    assert sorted(tab.similarity_order) == [0, 1, 3, 4, 5]
    assert tab.similarities == sorted(tab.similarities, reverse=True)
    tab.do("select", similar_ids=[4])
    assert (tab.status["best"], tab.status["similar"]) == ([2], [4])
    tab.do("select", cluster_ids=[3, 1], similar_ids=[0])
    assert (tab.status["best"], tab.status["similar"]) == ([3, 1], [0])


def test_clicks_and_steps_select(tab):
    tab.do("sort", table="cluster", column="id", is_descending=False)
    tab.do("click_row", table="cluster", cluster_id=3, gesture="replace")
    tab.do("click_row", table="cluster", cluster_id=5, gesture="range")
    assert tab.status["best"] == [3, 4, 5]
    tab.do("wizard_step", step="first")
    assert tab.status["best"] == [0]
    tab.do("wizard_step", step="select_first_similar", n_similar=2)
    assert len(tab.status["similar"]) == 2
    tab.do("skip_masked", is_on=False)
    tab.do("wizard_step", step="next_best")
    assert tab.status["best"] == [1]


def test_merging_and_undoing(tab, server):
    before = clusters(server).copy()
    tab.do("select", cluster_ids=[0], similar_ids=[3])
    reply = tab.do("merge")
    assert "merge of 0, 3 into 6" in reply["text"]
    assert tab.status["best"] == [6]
    assert tab.status["is_dirty"]
    assert tab.status["can_undo"]
    assert 0 not in tab.rows
    assert tab.rows[6]["n_spikes"] == int(np.isin(before, [0, 3]).sum())
    tab.do("undo")
    assert (tab.status["best"], tab.status["similar"]) == ([0], [3])
    assert not tab.status["is_dirty"]
    np.testing.assert_array_equal(clusters(server), before)
    tab.do("redo")
    assert 6 in tab.rows
    tab.do("merge", cluster_ids=[1, 2])
    assert tab.status["best"] == [7]


def test_labels_and_groups(tab):
    tab.do("sort", table="cluster", column="id", is_descending=False)
    tab.do("select", cluster_ids=[4])
    tab.do("label", name=" note ", value="odd")
    assert tab.rows[4]["note"] == "odd"
    assert "note" in tab.columns
    tab.do("label", name="note", value=None)
    assert tab.rows[4].get("note") is None
    assert "note" not in tab.columns
    tab.do("move", group="good", which="best")
    assert tab.rows[4]["group"] == "good"
    assert tab.status["best"] == [5]
    tab.do("move", group="noise", cluster_ids=[5])
    assert tab.rows[5]["group"] == "noise"


def test_a_lasso_counts_and_splits(tab, server):
    tab.do("select", cluster_ids=[4])
    n_spikes = tab.rows[4]["n_spikes"]
    half = [[-1, -1e6], [1.0, -1e6], [1.0, 1e6], [-1, 1e6]]
    counts = tab.do("count_lasso", regions=[region(vertices=half)])["counts"]
    assert counts["cluster_ids"] == [4]
    assert counts["n_spikes"] == [n_spikes]
    assert 0 < counts["n_inside"][0] < n_spikes
    assert not tab.status["is_dirty"]
    tab.do("split", regions=[region(vertices=half)])
    assert tab.status["best"] == [6, 7]
    assert tab.rows[6]["n_spikes"] == counts["n_inside"][0]
    assert tab.rows[7]["n_spikes"] == n_spikes - counts["n_inside"][0]
    samples = server.app_session.model.spike_samples
    rate = server.app_session.model.sampling_frequency
    assert np.all(samples[clusters(server) == 6] / rate < 1.0)


def test_a_lasso_that_cannot_place_all_spikes_asks_before_it_leaves_them(tab, server):
    listed = server.app_session.model.features.channel_ids
    clusters_with = [i for i in range(6) if 3 in listed[i]]
    clusters_without = [i for i in range(6) if 3 not in listed[i]]
    tab.do("select", cluster_ids=[clusters_with[0], clusters_without[0]])
    n_without = tab.rows[clusters_without[0]]["n_spikes"]
    lasso = region("time", "feature", channel=3)
    reply = tab.ask("split", regions=[lasso])
    assert reply["error"]["kind"] == "UnplacedSpikes"
    assert f"{n_without:,} of" in reply["error"]["text"]
    assert reply["counts"]["n_unplaced"] == [0, n_without]
    assert sorted(tab.rows) == [0, 1, 2, 3, 4, 5]
    assert not tab.status["is_dirty"]
    tab.do("split", regions=[lasso], leaves_unplaced=True)
    # All of the one cluster was inside, none of the other: only the first has a new number.
    assert tab.rows[6]["n_spikes"] == int(
        (server.app_session.model.spike_clusters == clusters_with[0]).sum()
    )
    assert clusters_without[0] in tab.rows


def test_splitting_by_template_undoes_a_merge_that_the_sorter_did_not_make(tab, server):
    tab.do("merge", cluster_ids=[0, 1])
    tab.do("split_init")
    templates = server.app_session.model.spike_templates
    for new, template in ((7, 0), (8, 1)):
        np.testing.assert_array_equal(clusters(server) == new, templates == template)
    assert tab.status["best"] == [7, 8]


def test_what_there_is_nothing_for_says_so(tab):
    for kind, fields in (
        ("merge", {}),
        ("split", {"regions": []}),
        ("split_init", {}),
        ("move", {"group": "good"}),
        ("label", {"name": "x", "value": 1}),
    ):
        n_updates = tab.n_updates
        assert tab.do(kind, **fields)["text"]
        assert tab.n_updates == n_updates


def test_sorting_and_filtering(tab):
    tab.do("sort", table="cluster", column="id")
    assert tab.cluster_order == [0, 1, 2, 3, 4, 5]
    tab.do("sort", table="cluster", column="id")
    assert tab.cluster_order == [5, 4, 3, 2, 1, 0]
    tab.do("filter", table="cluster", text="id >= 2 && group != 'noise'")
    assert tab.cluster_order == [5, 4, 3]
    assert tab.status["cluster_table"]["filter_text"] == "id >= 2 && group != 'noise'"
    reply = tab.ask("filter", table="cluster", text="id >=")
    assert reply["error"]["kind"] == "FilterSyntaxError"
    assert reply["error"]["position"] == 5
    assert tab.cluster_order == [5, 4, 3]
    tab.do("filter", table="cluster", text="")
    assert len(tab.cluster_order) == 6


def test_a_filter_on_a_label_that_is_undone_leaves_the_page_alive(tab):
    tab.do("select", cluster_ids=[4])
    tab.do("label", name="note", value=3)
    tab.do("filter", table="cluster", text="note == 3")
    assert tab.cluster_order == [4]
    tab.do("undo")
    assert tab.cluster_order == []
    tab.do("filter", table="cluster", text="")
    assert len(tab.cluster_order) == 6


def test_saving_and_saving_over_somebody_else(tab, server):
    path = server.app_session.model.spike_clusters_path
    tab.do("merge", cluster_ids=[0, 1])
    assert tab.status["is_dirty"]
    assert "spike_clusters.npy" in tab.do("save")["text"]
    assert not tab.status["is_dirty"]
    np.testing.assert_array_equal(np.load(path), clusters(server))
    tab.do("undo")
    np.save(path, np.zeros(400, np.int32))
    reply = tab.ask("save")
    assert reply["error"]["kind"] == "ChangedOnDiskError"
    assert tab.status["is_dirty"]
    tab.do("save", overwrites_changes=True)
    np.testing.assert_array_equal(np.load(path), clusters(server))


def test_finding_spikes(tab, server):
    model = server.app_session.model
    samples = model.spike_samples[model.spike_clusters == 2]
    rate = model.sampling_frequency
    times = samples / rate
    assert tab.do("find_spike", cluster_id=2, time_s=times[3], step=1)["time_s"] == times[4]
    assert tab.do("find_spike", cluster_id=2, time_s=times[3], step=-1)["time_s"] == times[2]
    assert (
        tab.ask("find_spike", cluster_id=99, time_s=0.0, step=1)["error"]["kind"] == "CurationError"
    )


def test_the_layout_is_kept_for_the_next_page(tab, server):
    tab.do("keep_state", shared={"layout": {"a": [1]}}, local={"zoom": 2})
    with open_page(server) as second:
        assert second.hello["shared_state"] == {"layout": {"a": [1]}}
        assert second.hello["local_state"] == {"zoom": 2}


def test_two_pages_see_what_each_other_does(server):
    with open_page(server) as first, open_page(server) as second:
        first.do("select", cluster_ids=[0, 1])
        first.do("merge")
        second.wait_for_revision(first.status["revision"])
        assert second.known() == first.known()
        second.do("label", name="note", value="from the second")
        first.wait_for_revision(second.status["revision"])
        assert first.rows[6]["note"] == "from the second"
        assert second.known() == first.known()


def test_a_page_that_comes_late_is_told_everything(server):
    with open_page(server) as first:
        first.do("select", cluster_ids=[0, 1])
        first.do("merge")
        first.do("sort", table="cluster", column="id")
        with open_page(server) as second:
            assert second.known() == first.known()


ERRORS = [
    ("merge", {"cluster_ids": [0, 99]}, "CurationError", "99"),
    ("select", {"cluster_ids": [99]}, "CurationError", "99"),
    ("undo", {}, "CurationError", "nothing to undo"),
    ("redo", {}, "CurationError", "nothing to redo"),
    ("recover", {"accept": True}, "CurationError", "no unsaved edits"),
    ("sort", {"table": "cluster", "column": "nope"}, "ParameterError", "nope"),
    ("filter", {"table": "similarity", "text": "id =~ '('"}, "FilterSyntaxError", "regular"),
    ("find_spike", {"cluster_id": 0, "time_s": 0.0, "step": 5}, "ParameterError", "step"),
    ("nope", {}, "ParameterError", "nope"),
    ("merge", {"cluster_ids": "all"}, "ParameterError", "cluster_ids"),
    ("merge", {"unknown": 1}, "ParameterError", "unknown"),
    ("click_row", {"table": "cluster"}, "ParameterError", "cluster_id"),
    ("click_row", {"table": "no", "cluster_id": 1, "gesture": "replace"}, "ParameterError", "no"),
    ("move", {"group": "good", "which": "none"}, "ParameterError", "none"),
    ("keep_state", {"shared": [], "local": {}}, "ParameterError", "shared"),
]


@pytest.mark.parametrize(("kind", "fields", "error", "word"), ERRORS)
def test_a_command_that_cannot_be_carried_out_is_answered_and_nothing_is_changed(
    tab, kind, fields, error, word
):
    n_updates = tab.n_updates
    reply = tab.ask(kind, **fields)
    assert reply["error"]["kind"] == error
    assert word in reply["error"]["text"]
    assert "Errno" not in reply["error"]["text"]
    assert tab.n_updates == n_updates
    tab.do("select", cluster_ids=[2])


@pytest.mark.parametrize(
    ("name", "value"), [("id", 1), ("", 1), ("  ", 1), ("info", 1), ("a/b", 1), ("x" * 200, 1)]
)
def test_labels_that_could_not_be_saved_are_refused(tab, name, value):
    tab.do("select", cluster_ids=[2])
    assert tab.ask("label", name=name, value=value)["error"]["kind"] == "CurationError"


LASSO_FAULTS = [
    region(vertices=[[0, 0], [1, 1]]),
    region(vertices=[]),
    region("time", "feature", channel=99),
    region("time", "feature", channel=2**40),
    region("time", "feature", channel=-1),
]


@pytest.mark.parametrize("fault", LASSO_FAULTS, ids=str)
def test_a_lasso_that_makes_no_sense_is_refused(tab, fault):
    tab.do("select", cluster_ids=[2])
    for kind in ("count_lasso", "split"):
        assert tab.ask(kind, regions=[fault])["error"]["kind"] == "ParameterError"


@pytest.mark.parametrize("component", [-1, 3, 99, 2**40])
def test_a_component_that_does_not_exist_places_no_spike(tab, component):
    tab.do("select", cluster_ids=[2])
    lasso = region("time", "feature", channel=0, component=component)
    counts = tab.do("count_lasso", regions=[lasso])["counts"]
    assert counts["n_unplaced"] == counts["n_spikes"]


GARBAGE = [
    "",
    "null",
    "[]",
    "5",
    '"text"',
    "{",
    "{}",
    '{"type": 5}',
    '{"type": "merge", "request": "one"}',
    '{"type": "merge", "request": 1e99}',
    '{"type": "select", "cluster_ids": [1e400]}',
    '{"type": "select", "cluster_ids": [null]}',
    '{"type": "keep_state", "local": {}, "shared": ' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"type": "keep_state", "local": {}, "shared": {"a": '
    + '{"a":' * 50_000
    + "1"
    + "}" * 50_001
    + "}",
    "\x00",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_answered_and_the_page_goes_on(tab, text):
    tab.socket.send(text)
    reply = tab.receive()
    assert reply["type"] == "reply"
    assert "cannot be read" in reply["error"]["text"]
    tab.do("select", cluster_ids=[2])


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "merge", "request": 123456789012345678901234567890}',
        '{"type": "merge", "request": -5}',
        '{"type": "select", "cluster_ids": [99999999999999999999]}',
    ],
)
def test_numbers_beyond_reason_are_answered(tab, text):
    tab.socket.send(text)
    assert tab.receive()["type"] == "reply"
    tab.do("select", cluster_ids=[2])


def test_bytes_are_no_command_and_harm_no_other_page(server):
    with open_page(server) as other:
        with open_page(server) as rude:
            rude.socket.send(b"\x00\xff")
            with contextlib.suppress(ConnectionClosed):
                rude.receive()
        other.do("select", cluster_ids=[2])


def test_a_page_that_goes_without_a_word_harms_no_other_page(server):
    with open_page(server) as other:
        with open_page(server) as gone:
            gone.socket.socket.close()
        for k in range(5):
            other.do("select", cluster_ids=[k])


def test_pages_may_ask_at_the_same_time(server):
    def work(k):
        with open_page(server) as page:
            for i in range(5):
                page.do("label", name=f"page{k}", value=i) if i else page.do(
                    "select", cluster_ids=[k]
                )

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(server.app_session.session.workspace.history.done) == 16


def test_stopping_says_goodbye_to_all_pages(dataset):
    with AppServer(open_session(dataset)) as server:
        with open_page(server) as first, open_page(server) as second:
            first.socket.send(json.dumps({"type": "quit", "request": 1}))
            kinds = {first.receive()["type"], first.receive()["type"]}
            assert kinds == {"reply", "goodbye"}
            assert second.receive()["type"] == "goodbye"
        waiter = threading.Thread(target=server.wait)
        waiter.start()
        waiter.join(10)
        assert not waiter.is_alive()


def test_a_fault_of_ours_is_told_and_the_page_goes_on(tab, monkeypatch):
    def fail(_context, _command):
        raise ZeroDivisionError

    monkeypatch.setitem(commands._HANDLERS, messages.Undo, fail)
    reply = tab.ask("undo")
    assert reply["error"]["kind"] == "ZeroDivisionError"
    assert "fault of spikeloom" in reply["error"]["text"]
    tab.do("select", cluster_ids=[2])


@pytest.fixture
def crashed(dataset):
    """A dataset with two edits that were never saved."""
    app_session = open_session(dataset)
    app_session.session.merge([0, 1])
    app_session.session.label("note", "x", cluster_ids=[2])
    app_session.journal.close()
    return dataset


def test_unsaved_edits_are_offered_and_recovered_on_all_pages(crashed):
    with (
        AppServer(open_session(crashed)) as server,
        open_page(server) as first,
        open_page(server) as second,
    ):
        assert first.status["recovery"]["n_edits"] == 2
        assert first.status["recovery"]["problem"] is None
        assert first.ask("merge", cluster_ids=[2, 3])["error"]["kind"] == "CurationError"
        assert first.ask("save")["error"]["kind"] == "CurationError"
        assert sorted(first.rows) == [0, 1, 2, 3, 4, 5]
        assert "Recovered 2" in first.do("recover", accept=True)["text"]
        second.wait_for_revision(first.status["revision"])
        for page in (first, second):
            assert sorted(page.rows) == [2, 3, 4, 5, 6]
            assert page.rows[2]["note"] == "x"
            assert "recovery" not in page.status
            assert page.status["is_dirty"]
            assert page.status["n_edits"] == 2
        second.do("undo")
        second.do("undo")
        first.wait_for_revision(second.status["revision"])
        assert sorted(first.rows) == [0, 1, 2, 3, 4, 5]
        with open_page(server) as late:
            assert late.known() == first.known() == second.known()


def test_unsaved_edits_that_are_declined_are_set_aside(crashed):
    with AppServer(open_session(crashed)) as server, open_page(server) as page:
        text = page.do("recover", accept=False)["text"]
        assert "journal-set-aside-" in text
        assert "recovery" not in page.status
        assert not page.status["is_dirty"]
        page.do("merge", cluster_ids=[2, 3])
        assert page.ask("recover", accept=True)["error"]["kind"] == "CurationError"


def test_views_follow_the_clustering(tab, server):
    with http_client(server) as client:
        tab.do("merge", cluster_ids=[0, 1])
        meta, _ = fetch_frame(client, "isi", [6], revision=tab.status["clustering_revision"])
        assert meta["n_spikes"] == [tab.rows[6]["n_spikes"]]
        assert client.get("/data/isi", params={"clusters": "0"}).status_code == 409
        tab.do("undo")
        assert client.get("/data/isi", params={"clusters": "6", "n_bins": "3"}).status_code == 409
        assert client.get("/data/isi", params={"clusters": "0"}).status_code == 200


COMMANDS = st.one_of(
    st.tuples(
        st.just("select"),
        st.fixed_dictionaries({
            "cluster_ids": st.lists(st.integers(0, 9), max_size=3),
            "similar_ids": st.lists(st.integers(0, 9), max_size=2),
        }),
    ),
    st.tuples(
        st.just("wizard_step"),
        st.fixed_dictionaries({
            "step": st.sampled_from([
                "next",
                "previous",
                "next_best",
                "first",
                "last",
                "select_first_similar",
            ])
        }),
    ),
    st.tuples(
        st.just("click_row"),
        st.fixed_dictionaries({
            "table": st.sampled_from(["cluster", "similarity"]),
            "cluster_id": st.integers(0, 9),
            "gesture": st.sampled_from(["replace", "toggle", "range", "transfer"]),
        }),
    ),
    st.sampled_from([("merge", {}), ("undo", {}), ("redo", {}), ("split_init", {})]),
    st.tuples(
        st.just("label"),
        st.fixed_dictionaries({
            "name": st.sampled_from(["note", "group", "snr"]),
            "value": st.sampled_from([None, 1, 2.5, "x"]),
        }),
    ),
    st.tuples(
        st.just("move"),
        st.fixed_dictionaries({
            "group": st.sampled_from(["good", "noise", "unsorted"]),
            "which": st.sampled_from(["best", "similar", "all"]),
        }),
    ),
    st.tuples(
        st.just("sort"),
        st.fixed_dictionaries({
            "table": st.sampled_from(["cluster", "similarity"]),
            "column": st.sampled_from(["id", "group", "n_spikes", "note", "similarity"]),
        }),
    ),
    st.tuples(
        st.just("filter"),
        st.fixed_dictionaries({
            "table": st.sampled_from(["cluster", "similarity"]),
            "text": st.sampled_from([
                "",
                "id > 2",
                "group != 'noise'",
                "note == null",
                "snr > 1",
                "id >",
            ]),
        }),
    ),
    st.tuples(st.just("skip_masked"), st.fixed_dictionaries({"is_on": st.booleans()})),
)


@settings(max_examples=30)
@given(st.lists(COMMANDS, min_size=1, max_size=15))
def test_after_any_commands_a_page_knows_what_a_new_page_is_told(
    tmp_path_factory, shared_dataset, commands
):
    import shutil

    folder = tmp_path_factory.mktemp("any") / "phy"
    shutil.copytree(shared_dataset, folder, ignore=shutil.ignore_patterns("*.dat", ".spikeloom"))
    with (
        AppServer(open_session(folder)) as server,
        open_page(server) as page,
        open_page(server) as second,
    ):
        for kind, fields in commands:
            reply = page.ask(kind, **fields)
            assert reply.get("error", {}).get("kind") in {
                None,
                "CurationError",
                "ParameterError",
                "FilterSyntaxError",
            }
        second.wait_for_revision(page.status["revision"])
        with open_page(server) as late:
            assert late.known() == page.known() == second.known()
        workspace = server.app_session.session.workspace
        assert set(page.rows) == set(workspace.state.spikes)
    shutil.rmtree(folder.parent)


def test_every_command_is_tried_here():
    import inspect
    import sys
    import typing

    source = inspect.getsource(sys.modules[__name__])
    for command in typing.get_args(AnyCommand):
        assert f'"{command.__struct_config__.tag}"' in source, command
