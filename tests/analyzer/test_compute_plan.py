"""What is there is not computed again; what is missing is; what becomes invalid is told."""

import logging
import subprocess
import sys
import time

import numpy as np
import pytest

from making.analyzers import (
    Log,
    make_analyzer,
    make_recording,
    make_saved_analyzer,
    register,
)
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.errors import MissingExtensionError, UnknownNameError

FORMATS = ["memory", "binary_folder", "zarr"]
ON_DISK = ["binary_folder", "zarr"]

QUIET = {"progress_bar": False}


@pytest.fixture(autouse=True)
def known_extensions(monkeypatch):
    register(monkeypatch)


@pytest.fixture(params=FORMATS)
def analyzer(request, tmp_path):
    if request.param != "memory":
        return make_saved_analyzer(tmp_path, request.param)
    return make_analyzer()


@pytest.fixture(params=ON_DISK)
def saved(request, tmp_path):
    return make_saved_analyzer(tmp_path, request.param)


def compute(analyzer, *request, force_recompute=False, compute_parents=True, **kwargs):
    """Compute what is not there yet."""
    switches = {"force_recompute": force_recompute, "compute_parents": compute_parents}
    return analyzer.compute(*request, **switches, **kwargs)


def runs():
    done, Log.runs = Log.runs, []
    return done


# -- what is there ---------------------------------------------------------------------------


def test_what_is_there_with_the_same_parameters_is_kept(analyzer, caplog):
    caplog.set_level(logging.INFO)
    first = compute(analyzer, "numbers", offset=2)
    compute(analyzer, ["table", "remarks"])
    runs()
    caplog.clear()
    assert compute(analyzer, "numbers", offset=2.0) is first
    compute(analyzer, {"remarks": {"text": "hello"}, "numbers": {"offset": np.float32(2)}})
    assert runs() == []
    assert "numbers is there with these parameters" in caplog.text
    assert analyzer.has_extension("table")
    compute(analyzer, "numbers", offset=2.0, force_recompute=True)
    assert runs() == ["numbers"]
    assert not analyzer.has_extension("table")


def test_other_parameters_are_computed(analyzer):
    compute(analyzer, {"numbers": {"offset": 1.0}, "table": {}})
    runs()
    compute(analyzer, {"numbers": {"offset": 1.5}, "table": {}})
    assert runs() == ["numbers", "table"]
    compute(analyzer, {"numbers": {"offset": 1.5}, "table": {}, "remarks": {"more": [1, 2]}})
    assert runs() == ["remarks"]
    compute(analyzer, "remarks", more=(1, 3))
    assert runs() == ["remarks"]


def test_what_was_made_of_something_else_is_computed(analyzer):
    compute(analyzer, ["numbers", "table", "remarks"])
    compute(analyzer, "trace_sums", **QUIET)
    runs()
    compute(analyzer, "remarks")
    assert runs() == ["remarks"], "it can be made of the sums, too, which are there now"


def test_it_is_known_again_after_loading(saved):
    compute(saved, ["numbers", "table", "trace_sums"], **QUIET)
    runs()
    for options in ({}, {"load_extensions": False}, {"lazy": True}):
        loaded = load_sorting_analyzer(saved.folder, **options)
        compute(loaded, ["table", "trace_sums", "numbers"], **QUIET)
        assert compute(loaded, "table").data["table"].shape == (3, 5)
    copied = saved.save_as()
    compute(copied, ["table", "numbers"])
    assert runs() == []


def test_without_a_note_it_is_computed(saved):
    compute(saved, ["numbers", "table"])
    for name in ("numbers", "table"):
        extension = saved.get_extension(name)
        del extension.run_info["hash"]
        extension.save()
    runs()
    loaded = load_sorting_analyzer(saved.folder)
    compute(loaded, "table")
    assert runs() == ["table"]
    compute(loaded, "table")
    assert runs() == []


def test_parameters_of_parents_count_even_without_a_note(saved):
    compute(saved, ["numbers", "table"])
    runs()
    numbers = saved.get_extension("numbers")
    del numbers.run_info["hash"]
    numbers.params["offset"] = 70.0  # as another program would have computed it anew
    numbers.save()
    compute(load_sorting_analyzer(saved.folder), "table")
    assert runs() == ["table"]


def test_what_was_carried_over_is_computed_when_asked_for(analyzer):
    compute(analyzer, ["numbers", "trace_sums"], **QUIET)
    fewer = analyzer.select_units(["01", "a"])
    runs()
    assert fewer.get_extension("numbers").data["values"].tolist() == [2.5, 0.5]
    compute(fewer, "numbers")
    assert runs() == ["numbers"]
    assert fewer.get_extension("numbers").data["values"].tolist() == [0.5, 1.5]


def test_data_that_were_set_are_not_what_was_computed(analyzer):
    compute(analyzer, "numbers").set_data("values", np.zeros(3))
    runs()
    assert compute(analyzer, "numbers").data["values"].tolist() == [0.5, 1.5, 2.5]
    assert runs() == ["numbers"]


def test_what_was_not_saved_is_saved_when_asked_for_again(saved):
    compute(saved, "numbers", offset=5.0, save=False)
    compute(saved, "numbers", offset=5.0)
    assert runs() == ["numbers"]
    loaded = load_sorting_analyzer(saved.folder)
    assert loaded.get_extension("numbers").data["values"].tolist() == [5.0, 6.0, 7.0]


def test_other_traces_are_computed():
    analyzer = make_analyzer()
    compute(analyzer, ["trace_sums", "numbers"], **QUIET)
    runs()
    without = analyzer.copy()
    without._recording = None
    compute(without, "numbers")
    assert runs() == []
    louder = make_recording()
    louder.segments[0]._traces = louder.get_traces(segment_index=0) * 2
    without.set_temporary_recording(louder)
    for _ in range(2):
        compute(without, ["trace_sums", "numbers"], **QUIET)
    assert runs() == ["trace_sums"]


def test_what_was_drawn_without_a_seed_stays():
    analyzer = make_analyzer()
    names = ["random_spikes", "noise_levels", "templates"]
    slices = {"num_chunks_per_segment": 2, "chunk_size": 50}
    params = {
        "random_spikes": {"max_spikes_per_unit": 5},
        "noise_levels": {"random_slices_kwargs": slices},
    }
    compute(analyzer, names, extension_params=params, **QUIET)
    before = {name: analyzer.get_extension(name) for name in names}
    compute(analyzer, names, extension_params=params, **QUIET)
    assert all(analyzer.get_extension(name) is before[name] for name in names)
    compute(analyzer, names, extension_params=params, force_recompute=True, **QUIET)
    drawn = before["random_spikes"].get_data().tolist()
    assert analyzer.get_extension("random_spikes").get_data().tolist() != drawn
    seeds = [
        one.params["random_slices_kwargs"]["seed"]
        for one in (before["noise_levels"], analyzer.get_extension("noise_levels"))
    ]
    assert seeds[0] != seeds[1]
    slices["seed"] = seeds[0]
    compute(analyzer, "noise_levels", random_slices_kwargs=slices, **QUIET)
    again = analyzer.get_extension("noise_levels").get_data()
    assert np.array_equal(again, before["noise_levels"].get_data())


def test_metrics_are_known_again():
    analyzer = make_analyzer()
    first = compute(analyzer, "quality_metrics", metric_names=["num_spikes"])
    assert compute(analyzer, "quality_metrics", metric_names=["num_spikes"]) is first
    both = compute(analyzer, "quality_metrics", metric_names=["firing_rate"])
    assert list(both.get_data().columns) == ["num_spikes", "firing_rate"]
    assert compute(analyzer, "quality_metrics", metric_names=["firing_rate"]) is both


# -- what is missing -------------------------------------------------------------------------


def test_missing_parents_are_computed_with_their_defaults(analyzer, caplog):
    compute(analyzer, "remarks", text="bye")
    assert runs() == ["numbers", "table", "remarks"]
    assert analyzer.get_extension("numbers").params["offset"] == 0.5
    assert "remarks needs table, which is computed first" in caplog.text
    assert "table needs numbers, which is computed first, with its default" in caplog.text
    compute(analyzer, "either")
    assert runs() == ["either"], "one of the two is there"


def test_what_becomes_invalid_on_the_way_is_computed_as_it_was(analyzer, caplog):
    compute(analyzer, {"numbers": {}, "table": {}, "remarks": {"text": "x"}})
    extension = analyzer.get_extension("table")
    extension.params["fails"] = False
    runs()
    caplog.clear()
    compute(analyzer, {"numbers": {"offset": 9.0}, "remarks": {"text": "y"}})
    assert runs() == ["numbers", "table", "remarks"]
    assert "as before (fails=False)" in caplog.text
    assert "not valid any more" not in caplog.text, "all of it was computed anew"


def test_of_alternatives_one_is_taken_that_needs_no_recording(caplog):
    analyzer = make_analyzer()
    analyzer._recording = None
    compute(analyzer, "either")
    assert runs() == ["numbers", "either"]
    with pytest.raises(MissingExtensionError, match="trace_sums, which late_sums needs, requires"):
        compute(analyzer, "late_sums", **QUIET)
    with pytest.raises(MissingExtensionError, match="set_temporary_recording"):
        compute(analyzer, "waveforms", **QUIET)
    assert runs() == []
    assert analyzer.get_loaded_extension_names() == ["numbers", "either"]


def test_operators_that_need_waveforms_get_them():
    analyzer = make_analyzer()
    compute(analyzer, "spike_amplitudes", **QUIET)
    assert set(analyzer.extensions) == {"random_spikes", "templates", "spike_amplitudes"}
    compute(analyzer, "templates", operators=["average", "median"], **QUIET)
    assert set(analyzer.extensions) == {"random_spikes", "waveforms", "templates"}


def test_metrics_that_are_asked_for_by_name_get_what_they_are_made_of():
    analyzer = make_analyzer()
    names = ["num_spikes", "amplitude_median"]
    compute(analyzer, "quality_metrics", metric_names=names, **QUIET)
    made = {"random_spikes", "templates", "spike_amplitudes", "quality_metrics"}
    assert set(analyzer.extensions) == made
    analyzer = make_analyzer()
    compute(analyzer, "quality_metrics", metric_names=[*names, "d_prime"], skip_pc_metrics=True)
    assert set(analyzer.extensions) == made
    with pytest.raises(MissingExtensionError, match="spike_amplitudes"):
        compute(make_analyzer(), "quality_metrics", metric_names=names, compute_parents=False)


def test_unknown_parents_are_named(monkeypatch):
    from making.analyzers import Table

    monkeypatch.setattr(Table, "depend_on", ["from_elsewhere"])
    with pytest.raises(UnknownNameError, match="from_elsewhere"):
        compute(make_analyzer(), "table")


# -- what becomes invalid --------------------------------------------------------------------


def test_what_becomes_invalid_is_told(analyzer, caplog):
    compute(analyzer, ["numbers", "table", "remarks"])
    compute(analyzer, "numbers", offset=3.0, save=False)
    assert "numbers was computed anew" in caplog.text
    assert "not valid any more: table, remarks." in caplog.text
    assert ("stays as it is" in caplog.text) == (analyzer.format != "memory")


def test_metrics_go_with_templates():
    analyzer = make_analyzer()
    slices = {"num_chunks_per_segment": 2, "chunk_size": 50}
    compute(analyzer, {"templates": {}, "noise_levels": {"random_slices_kwargs": slices}}, **QUIET)
    metrics = {"quality_metrics": ["snr"], "template_metrics": ["half_width"]}
    compute(analyzer, {name: {"metric_names": names} for name, names in metrics.items()})
    compute(analyzer, "templates", ms_before=0.5, **QUIET)
    assert not analyzer.has_extension("quality_metrics")
    assert not analyzer.has_extension("template_metrics")
    compute(analyzer, "quality_metrics", metric_names=["num_spikes"])
    compute(analyzer, "templates", ms_before=0.7, **QUIET)
    assert analyzer.has_extension("quality_metrics"), "spikes do not depend on templates"


# -- killed in the middle --------------------------------------------------------------------

SLOW = """
import sys, time
from spikeloom.analyzer.extension import AnalyzerExtension, register_result_extension
from spikeloom.analyzer.loading import load_sorting_analyzer

@register_result_extension
class Slow(AnalyzerExtension):
    extension_name = "filled"
    def _set_params(self, n_rows=1000, fails=False):
        return {"n_rows": n_rows, "fails": fails}
    def _run(self, verbose=False):
        array = self.create_array("rows", (20_000_000, 1), "float32")
        array[:] = 1
        sys.stdout.write("filling\\n")
        sys.stdout.flush()
        time.sleep(60)

load_sorting_analyzer(sys.argv[1], load_extensions=False).compute("filled", n_rows=7)
"""


def test_a_process_that_is_killed_while_it_computes_leaves_the_old_result(saved):
    compute(saved, {"filled": {"n_rows": 300}, "numbers": {}})
    with subprocess.Popen(
        [sys.executable, "-c", SLOW, str(saved.folder)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"filling\n"
        process.kill()
    assert process.returncode != 0
    loaded = load_sorting_analyzer(saved.folder)
    assert loaded.get_saved_extension_names() == ["filled", "numbers"]
    rows = loaded.get_extension("filled").data["rows"]
    assert rows[:, 0].tolist() == np.repeat([0.0, 100.0, 200.0], 100).tolist()
    compute(loaded, "filled", n_rows=400)
    deadline = time.monotonic() + 5
    while (saved.folder / ".saving").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    again = load_sorting_analyzer(saved.folder).get_extension("filled")
    assert again.data["rows"].shape == (400, 4)
