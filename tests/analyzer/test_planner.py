"""Extensions come in order, once; what becomes invalid goes, and what fails loses nothing."""

import os
import signal

import numpy as np
import pytest

from making.analyzers import (
    CountingRecording,
    Log,
    make_analyzer,
    make_recording,
    make_saved_analyzer,
    register,
)
from spikeloom.analyzer import folder_store, zarr_store
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.errors import MissingExtensionError, ParameterError, UnknownNameError

FORMATS = ["memory", "binary_folder", "zarr"]
ON_DISK = ["binary_folder", "zarr"]

QUIET = {"progress_bar": False}

posix = pytest.mark.skipif(os.name == "nt", reason="forks and signals")


@pytest.fixture(autouse=True)
def known_extensions(monkeypatch):
    register(monkeypatch)


@pytest.fixture(params=FORMATS)
def analyzer(request, tmp_path):
    with_recording = request.param != "memory"
    if with_recording:
        return make_saved_analyzer(tmp_path, request.param)
    return make_analyzer()


@pytest.fixture(params=ON_DISK)
def saved(request, tmp_path):
    return make_saved_analyzer(tmp_path, request.param)


def again(analyzer):
    return load_sorting_analyzer(analyzer.folder)


def values_of(analyzer):
    return analyzer.get_extension("numbers").data["values"].tolist()


# -- order and requests ----------------------------------------------------------------------


def test_whatever_the_order_parents_come_first(analyzer):
    assert analyzer.compute(["remarks", "table", "trace_sums", "numbers"], **QUIET) is None
    assert Log.runs == ["numbers", "table", "trace_sums", "remarks"]
    assert set(analyzer.get_loaded_extension_names()) == {
        *("numbers", "table", "trace_sums", "remarks")
    }


def test_requests_are_a_name_names_or_a_dictionary(analyzer):
    computed = analyzer.compute("numbers", offset=2.0)
    assert computed is analyzer.get_extension("numbers")
    assert computed.params == {"offset": 2.0, "fails": False}
    analyzer.compute({"numbers": {"offset": 3.0}, "table": None})
    assert values_of(analyzer) == [3.0, 4.0, 5.0]
    analyzer.compute(["numbers", "table"], extension_params={"numbers": {"offset": 4.0}})
    assert values_of(analyzer) == [4.0, 5.0, 6.0]
    for wrong in (
        lambda: analyzer.compute(["numbers"], offset=1.0),
        lambda: analyzer.compute(["numbers"], extension_params={"table": {}}),
        lambda: analyzer.compute("numbers", extension_params={"table": {}}),
        lambda: analyzer.compute("numbers", wrong=1),
        lambda: analyzer.compute(5),
    ):
        with pytest.raises(ParameterError):
            wrong()
    with pytest.raises(UnknownNameError, match="nonsense"):
        analyzer.compute("nonsense")
    with pytest.raises(UnknownNameError, match="nonsense"):
        analyzer.get_extension("nonsense")
    assert analyzer.get_extension("filled") is None


def test_missing_parents_are_named_and_nothing_is_computed(analyzer):
    with pytest.raises(MissingExtensionError, match="table requires numbers") as caught:
        analyzer.compute({"trace_sums": {}, "table": {}}, **QUIET)
    assert isinstance(caught.value, AssertionError)
    with pytest.raises(MissingExtensionError, match="numbers or trace_sums"):
        analyzer.compute("either")
    with pytest.raises(ParameterError, match="no parameter wrong"):
        analyzer.compute({"numbers": {}, "table": {"wrong": 1}})
    assert Log.runs == []
    assert analyzer.get_loaded_extension_names() == []


def test_a_parent_that_becomes_invalid_on_the_way_is_missing(analyzer):
    analyzer.compute(["numbers", "table"])
    with pytest.raises(MissingExtensionError, match="becomes invalid"):
        analyzer.compute({"numbers": {"offset": 2.0}, "remarks": {}})
    assert analyzer.has_extension("table")
    assert Log.runs == ["numbers", "table"]


# -- what becomes invalid --------------------------------------------------------------------


def test_what_was_made_of_it_goes(analyzer):
    analyzer.compute(["numbers", "table", "remarks", "trace_sums", "either"], **QUIET)
    analyzer.compute("numbers", offset=7.0)
    assert set(analyzer.get_loaded_extension_names()) == {"numbers", "trace_sums"}
    assert analyzer.get_extension("table") is None
    if analyzer.format != "memory":
        assert again(analyzer).get_saved_extension_names() == ["numbers", "trace_sums"]


def test_what_was_optionally_made_of_it_goes_too(analyzer):
    analyzer.compute(["numbers", "table", "remarks"])
    analyzer.compute("trace_sums", **QUIET)
    assert analyzer.has_extension("remarks"), "it was made when there were none"
    analyzer.compute("remarks")
    analyzer.compute("trace_sums", factor=2, **QUIET)
    assert not analyzer.has_extension("remarks")
    assert analyzer.has_extension("table")


def test_an_alternative_that_it_was_not_made_of_does_not_matter(analyzer):
    analyzer.compute("numbers")
    analyzer.compute("either")
    analyzer.compute("trace_sums", **QUIET)
    assert analyzer.has_extension("either")
    analyzer.compute("numbers")
    assert not analyzer.has_extension("either")


def test_children_of_something_deleted_go_when_it_is_back(analyzer):
    analyzer.compute(["numbers", "table"])
    analyzer.delete_extension("numbers")
    assert analyzer.has_extension("table")
    analyzer.compute("numbers", offset=9.0)
    assert not analyzer.has_extension("table")


def test_without_a_note_all_that_it_can_be_made_of_counts(saved):
    saved.compute(["numbers", "table", "trace_sums", "remarks"], **QUIET)
    for extension in saved.extensions.values():
        del extension.run_info["made_of"]
        saved.store.write_extension(extension)
    loaded = load_sorting_analyzer(saved.folder, load_extensions=False)
    loaded.compute("trace_sums", **QUIET)
    assert loaded.get_saved_extension_names() == ["numbers", "table", "trace_sums"]


# -- without saving --------------------------------------------------------------------------


def snapshot(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_without_saving_the_disk_is_not_touched(saved):
    saved.compute(["numbers", "table", "remarks"])
    before = snapshot(saved.folder)
    saved.compute("numbers", offset=30.0, save=False)
    assert values_of(saved) == [30.0, 31.0, 32.0]
    assert not saved.has_extension("table")
    assert snapshot(saved.folder) == before
    with pytest.warns(UserWarning, match="made of numbers"):
        saved.compute("table")
    assert snapshot(saved.folder) == before
    assert values_of(again(saved)) == [0.5, 1.5, 2.5]
    assert again(saved).has_extension("remarks")


def test_what_was_computed_without_saving_can_be_saved_later(saved):
    saved.compute(["numbers", "table", "remarks"])
    saved.compute("numbers", offset=30.0, save=False)
    saved.get_extension("numbers").save()
    assert again(saved).get_saved_extension_names() == ["numbers"]
    assert values_of(again(saved)) == [30.0, 31.0, 32.0]
    saved.compute("table")
    assert again(saved).get_saved_extension_names() == ["numbers", "table"]


def test_computing_again_with_saving_leaves_nothing_stale(saved):
    saved.compute(["numbers", "table"])
    saved.compute("numbers", offset=30.0, save=False)
    saved.compute("numbers", offset=40.0)
    assert again(saved).get_saved_extension_names() == ["numbers"]


# -- failures --------------------------------------------------------------------------------


def test_what_fails_leaves_the_old_result(analyzer):
    analyzer.compute(["numbers", "table", "trace_sums"], **QUIET)
    old = analyzer.get_extension("trace_sums").data["sums"].copy()
    with pytest.raises(RuntimeError, match="it fails"):
        analyzer.compute("numbers", offset=8.0, fails=True)
    with pytest.raises(RuntimeError, match="below zero"):
        analyzer.compute("trace_sums", factor=-1, **QUIET)
    for one in (analyzer, again(analyzer) if analyzer.format != "memory" else analyzer):
        assert values_of(one) == [0.5, 1.5, 2.5]
        assert one.has_extension("table")
        assert one.get_extension("trace_sums").data["sums"].tolist() == old.tolist()


def test_what_cannot_be_written_leaves_the_old_result(saved, monkeypatch):
    saved.compute(["numbers", "table"])

    def fail(*args, **kwargs):
        msg = "no space"
        raise OSError(28, msg)

    module = folder_store if saved.format == "binary_folder" else zarr_store
    monkeypatch.setattr(module, "flush_tree", fail)
    with pytest.raises(OSError, match="full"):
        saved.compute("numbers", offset=8.0)
    for one in (saved, again(saved)):
        assert values_of(one) == [0.5, 1.5, 2.5]
        assert one.has_extension("table")
    assert not (saved.folder / ".saving").exists()


@posix
@pytest.mark.parametrize("moment", ["flush_tree", "renamed"])
def test_what_is_killed_while_it_is_written_leaves_the_old_result(saved, moment, monkeypatch):
    saved.compute(["numbers", "table"])
    child = os.fork()
    if child == 0:

        def die(*args, **kwargs):
            os.kill(os.getpid(), signal.SIGKILL)

        module = folder_store if saved.format == "binary_folder" else zarr_store
        if moment == "flush_tree":
            module.flush_tree = die
        else:
            from spikeloom.storage import staged_saves

            staged_saves._replace = die
        saved.compute("numbers", offset=8.0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    loaded = again(saved)
    assert values_of(loaded) == [0.5, 1.5, 2.5]
    # A moment before it took its place, what was made of the old one went.
    assert loaded.has_extension("table") == (moment == "flush_tree")
    loaded.compute("numbers", offset=9.0)
    assert values_of(again(saved)) == [9.0, 10.0, 11.0]
    assert not (saved.folder / ".saving").exists()


# -- the pass over the recording -------------------------------------------------------------


def test_several_share_one_pass():
    analyzer = make_analyzer(recording=make_recording(CountingRecording))
    Log.n_reads = 0
    analyzer.compute(["trace_sums", "numbers", "other_sums"], chunk_size=1_000, **QUIET)
    assert Log.n_reads == 3 + 2, "each chunk of the two segments is read once"
    Log.n_reads = 0
    names = ["late_sums", "trace_sums", "other_sums"]
    analyzer.compute(names, chunk_size=1_000, **QUIET)
    assert Log.n_reads == 2 * (3 + 2), "one needs the result of another"


@pytest.mark.parametrize(
    "spread",
    [
        {"n_jobs": 1, "chunk_size": 100},
        {"n_jobs": 2, "chunk_size": 333},
        {"n_jobs": 4, "chunk_size": 1_000},
        {"n_jobs": 2, "pool_engine": "process", "chunk_size": 777},
        {"n_jobs": 1, "chunk_size": 100_000},
    ],
    ids=str,
)
def test_results_do_not_depend_on_how_the_work_is_spread(spread, tmp_path):
    analyzer = make_saved_analyzer(tmp_path)
    analyzer.compute(["trace_sums", "late_sums"], **spread, **QUIET)
    traces = [analyzer.recording.get_traces(segment_index=k) * 0.5 for k in (0, 1)]
    inner = sum(one.sum(axis=0) for one in traces)
    shifted = sum(one[:-3].sum(axis=0) for one in traces)
    for name in ("trace_sums", "late_sums"):
        found = analyzer.get_extension(name).get_data()
        assert np.array_equal(found, [inner, shifted])


def test_it_runs_alone_as_well(analyzer):
    from making.analyzers import Numbers

    extension = Numbers(analyzer)
    extension.set_params(offset=1.0)
    extension.run()
    assert values_of(analyzer) == [1.0, 2.0, 3.0]
    if analyzer.format != "memory":
        assert values_of(again(analyzer)) == [1.0, 2.0, 3.0]


# -- large results ---------------------------------------------------------------------------


@pytest.fixture
def is_small(monkeypatch):
    for module in (folder_store, zarr_store):
        monkeypatch.setattr(module, "IN_MEMORY_BYTES", 1_000)


@pytest.mark.usefixtures("is_small")
def test_large_results_are_filled_where_they_are_kept(saved):
    expected = np.repeat(np.arange(0, 1000, 100), 100)
    saved.compute("filled")
    assert Log.runs == ["memmap"]
    for one in (saved, again(saved)):
        assert np.array_equal(one.get_extension("filled").data["rows"][:, 3], expected)
    old = saved.get_extension("filled").data["rows"]
    with pytest.raises(RuntimeError, match="in the middle"):
        saved.compute("filled", n_rows=500, fails=True)
    saved.compute("filled", n_rows=600)
    assert again(saved).get_extension("filled").data["rows"].shape == (600, 4)
    assert np.array_equal(old[:, 0], expected), "what somebody holds stays as it is"
    assert not (saved.folder / ".saving").exists()


@pytest.mark.usefixtures("is_small")
def test_large_results_that_are_not_saved_are_in_memory(saved):
    before = snapshot(saved.folder)
    saved.compute("filled", save=False)
    assert Log.runs == ["ndarray"]
    assert snapshot(saved.folder) == before
