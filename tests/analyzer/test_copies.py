"""Copies of analyzers hold the same, elsewhere or for some of the units."""

import numpy as np
import pandas as pd
import pytest

from making.analyzers import make_analyzer, make_saved_analyzer, register
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.errors import ParameterError, WriteError

FORMATS = ["memory", "binary_folder", "zarr"]
NAMES = ["numbers", "table", "remarks", "trace_sums"]
QUIET = {"progress_bar": False}


@pytest.fixture(autouse=True)
def known_extensions(monkeypatch):
    register(monkeypatch)


@pytest.fixture(params=FORMATS)
def analyzer(request, tmp_path):
    if request.param == "memory":
        made = make_analyzer()
    else:
        made = make_saved_analyzer(tmp_path, request.param)
    made.compute(NAMES, **QUIET)
    return made


def place(format, tmp_path):
    return None if format == "memory" else tmp_path / "copy"


def assert_same_data(one, other, rows=slice(None)):
    numbers, same = one.get_extension("numbers").data, other.get_extension("numbers").data
    assert np.array_equal(numbers["values"][rows], same["values"])
    table, other_table = (each.get_extension("table").data["table"] for each in (one, other))
    pd.testing.assert_frame_equal(table.iloc[rows], other_table, check_dtype=False)
    assert other.get_extension("remarks").params == one.get_extension("remarks").params


@pytest.mark.filterwarnings("ignore:The recording lives in memory")
@pytest.mark.parametrize("format", FORMATS)
def test_saved_elsewhere_it_is_the_same(analyzer, format, tmp_path):
    copied = analyzer.save_as(format=format, folder=place(format, tmp_path))
    loaded = copied if format == "memory" else load_sorting_analyzer(copied.folder)
    for one in (copied, loaded):
        assert one.format == format
        assert sorted(one.get_loaded_extension_names()) == sorted(NAMES)
        assert one.sparsity == analyzer.sparsity
        assert np.array_equal(one.sorting.to_spike_vector(), analyzer.sorting.to_spike_vector())
        assert_same_data(analyzer, one)
    assert copied.has_recording()
    # What was made of what is known in copies, too.
    copied.compute("numbers", offset=3.0)
    assert not copied.has_extension("table")
    assert analyzer.has_extension("table")
    assert analyzer.get_extension("numbers").data["values"][0] == 0.5


@pytest.mark.filterwarnings("ignore:The recording lives in memory")
def test_what_is_there_stays(analyzer, tmp_path):
    analyzer.sorting.save(folder=tmp_path / "copy")
    with pytest.raises(WriteError, match="overwrite"):
        analyzer.save_as(format="binary_folder", folder=tmp_path / "copy")
    with pytest.raises(ParameterError, match="folder"):
        analyzer.save_as(format="zarr")


@pytest.mark.filterwarnings("ignore:The recording lives in memory")
@pytest.mark.parametrize("format", FORMATS)
def test_some_units(analyzer, format, tmp_path):
    some = analyzer.select_units(["01", "a"], format=format, folder=place(format, tmp_path))
    assert some.unit_ids.tolist() == ["01", "a"]
    assert some.main_channel_indices.tolist() == [3, 0]
    assert some.sparsity.mask.tolist() == analyzer.sparsity.mask[[2, 0]].tolist()
    assert_same_data(analyzer, some, [2, 0])
    trains = [analyzer.sorting.get_unit_spike_train(u, segment_index=0) for u in ("01", "a")]
    for unit, train in zip(("01", "a"), trains, strict=True):
        assert np.array_equal(some.sorting.get_unit_spike_train(unit, segment_index=0), train)
    if format != "memory":
        loaded = load_sorting_analyzer(some.folder)
        assert_same_data(analyzer, loaded, [2, 0])
        source = loaded.get_sorting_provenance()
        if analyzer.format != "memory":
            assert source.unit_ids.tolist() == ["01", "a"]


def test_all_but_some_units(analyzer):
    assert analyzer.remove_units(["b"]).unit_ids.tolist() == ["a", "01"]
    assert analyzer.select_units([]).get_num_units() == 0
    with pytest.raises(ParameterError, match="nonsense"):
        analyzer.remove_units(["nonsense"])
    with pytest.raises(ParameterError, match="nonsense"):
        analyzer.select_units(["nonsense"])


def test_a_temporary_recording_goes_along():
    made = make_analyzer()
    recording = made.recording
    made._recording = None
    made.set_temporary_recording(recording)
    copied = made.copy()
    assert copied.has_temporary_recording()
    copied.compute("trace_sums", **QUIET)


def test_what_was_computed_without_saving_is_copied_as_it_is(tmp_path):
    made = make_saved_analyzer(tmp_path)
    made.compute(["numbers", "table"])
    made.compute("numbers", offset=9.0, save=False)
    copied = made.save_as(format="zarr", folder=tmp_path / "copy")
    assert copied.get_saved_extension_names() == ["numbers"]
    assert copied.get_extension("numbers").data["values"][0] == 9.0
