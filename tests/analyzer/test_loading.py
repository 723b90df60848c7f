"""Saved analyzers are opened again, with their recording wherever it went, or without it."""

import json
import shutil

import numpy as np
import pytest

import spikeloom as si
from making.analyzers import make_recording, make_saved_analyzer, register
from spikeloom.analyzer.analyzer import SortingAnalyzer
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.extension import EXTENSIONS
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.errors import (
    DataError,
    MissingExtensionError,
    MissingFileError,
    ParameterError,
    UnknownNameError,
)

ON_DISK = ["binary_folder", "zarr"]
QUIET = {"progress_bar": False}


@pytest.fixture(autouse=True)
def known_extensions(monkeypatch):
    register(monkeypatch)


@pytest.fixture(params=ON_DISK)
def saved(request, tmp_path):
    return make_saved_analyzer(tmp_path / "home", request.param)


def snapshot(folder):
    return {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_all_is_there_again_and_nothing_is_written(saved):
    saved.compute("numbers")
    before = snapshot(saved.folder)
    for loaded in (
        load_sorting_analyzer(saved.folder),
        load_sorting_analyzer(saved.folder, format=saved.format),
        load_sorting_analyzer(str(saved.folder), lazy=True),
        si.load(saved.folder),
        SortingAnalyzer.load(saved.folder),
    ):
        assert loaded.format == saved.format
        assert loaded.folder == saved.folder
        assert loaded.unit_ids.tolist() == saved.unit_ids.tolist()
        assert loaded.channel_ids.tolist() == saved.channel_ids.tolist()
        assert loaded.channel_ids.dtype.kind == saved.channel_ids.dtype.kind
        assert np.array_equal(loaded.sorting.to_spike_vector(), saved.sorting.to_spike_vector())
        assert loaded.get_sorting_property("quality").tolist() == ["good", "mua", "noise"]
        assert loaded.sorting.get_annotation("name") == "made up"
        assert loaded.sparsity == saved.sparsity
        assert loaded.settings == saved.settings
        assert loaded.return_in_uV
        assert loaded.main_channel_indices.tolist() == [0, 2, 3]
        assert np.array_equal(loaded.get_channel_locations(), saved.get_channel_locations())
        assert loaded.recording_info.to_dict() == saved.recording_info.to_dict()
        assert loaded.recording_error is None
        traces = loaded.recording.get_traces(segment_index=1)
        assert np.array_equal(traces, saved.recording.get_traces(segment_index=1))
        assert loaded.get_extension("numbers").data["values"][0] == 0.5
        source = loaded.get_sorting_provenance()
        assert np.array_equal(source.to_spike_vector(), saved.sorting.to_spike_vector())
    assert snapshot(saved.folder) == before


def test_extensions_can_wait(saved):
    saved.compute("numbers")
    loaded = load_sorting_analyzer(saved.folder, load_extensions=False)
    assert loaded.get_loaded_extension_names() == []
    assert loaded.get_saved_extension_names() == ["numbers"]
    assert loaded.has_extension("numbers")
    assert loaded.get_extension("numbers").params == {"offset": 0.5, "fails": False}


def test_unknown_extensions_are_listed_and_left_alone(saved, monkeypatch):
    saved.compute(["numbers", "table"])
    monkeypatch.delitem(EXTENSIONS._things, "table")
    with pytest.warns(UserWarning, match="unknown here.*table"):
        loaded = load_sorting_analyzer(saved.folder)
    assert loaded.get_loaded_extension_names() == ["numbers"]
    assert loaded.get_saved_extension_names() == ["numbers", "table"]
    with pytest.raises(UnknownNameError, match="import the package"):
        loaded.get_extension("table")
    loaded.compute("trace_sums", **QUIET)
    with pytest.warns(UserWarning, match="without table"):
        assert loaded.copy().get_loaded_extension_names() == ["numbers", "trace_sums"]


# -- the recording ---------------------------------------------------------------------------


def test_moved_together_all_is_found(saved, tmp_path):
    shutil.move(tmp_path / "home", tmp_path / "away")
    loaded = load_sorting_analyzer(tmp_path / "away" / saved.folder.name)
    assert loaded.recording_error is None
    assert loaded.has_recording()
    assert loaded.get_sorting_provenance() is not None


def test_without_its_recording_it_says_why(saved, tmp_path):
    saved.compute("numbers")
    shutil.move(tmp_path / "home" / "recording", tmp_path / "elsewhere")
    loaded = load_sorting_analyzer(saved.folder)
    assert not loaded.has_recording()
    assert "recording" in loaded.recording_error
    assert loaded.main_channel_indices.tolist() == [0, 2, 3]
    assert loaded.get_num_samples(0) == 3_000
    with pytest.raises(MissingExtensionError, match="could not be opened"):
        _ = loaded.recording
    with pytest.raises(MissingExtensionError, match="requires the recording"):
        loaded.compute("trace_sums", **QUIET)
    loaded.compute("table")
    assert "has recording" not in repr(loaded)


def test_moved_recordings_are_found_with_a_map(saved, tmp_path):
    old, new = tmp_path / "home" / "recording", tmp_path / "elsewhere" / "recording"
    new.parent.mkdir()
    shutil.move(old, new)
    for path_map in (
        {old: new},
        {str(old): str(new)},
        {"../recording": new},
        {tmp_path / "home": tmp_path / "elsewhere"},
    ):
        loaded = load_sorting_analyzer(saved.folder, path_map=path_map)
        assert loaded.recording_error is None, path_map
        assert loaded.has_recording()
    base = tmp_path / "elsewhere" / "any"
    assert load_sorting_analyzer(saved.folder, base_folder=base).has_recording()
    given = si.load(new)
    assert load_sorting_analyzer(saved.folder, recording=given).recording is given
    assert si.load(saved.folder, recording=given).recording is given
    temporary = load_sorting_analyzer(saved.folder)
    temporary.set_temporary_recording(given)
    temporary.compute("trace_sums", **QUIET)
    assert temporary.has_temporary_recording()


def test_another_recording_does_not_fit(saved):
    other = make_recording(n_channels=3)
    with pytest.raises(ParameterError, match="does not fit"):
        load_sorting_analyzer(saved.folder, recording=other)
    with pytest.raises(ParameterError, match="does not fit"):
        saved.set_temporary_recording(other)
    floats = saved.recording.astype("float32")
    with pytest.raises(ParameterError, match="float32"):
        saved.set_temporary_recording(floats)
    saved.set_temporary_recording(floats, check_dtype=False)


def test_what_was_replaced_by_another_recording_is_not_taken_for_it(saved, tmp_path):
    shutil.rmtree(tmp_path / "home" / "recording")
    other = make_recording().select_segments([0])
    other.save(folder=tmp_path / "home" / "recording", **QUIET)
    loaded = load_sorting_analyzer(saved.folder)
    assert not loaded.has_recording()
    assert "does not fit" in loaded.recording_error


def test_where_the_recording_was_stays_known_in_copies(saved, tmp_path):
    shutil.move(tmp_path / "home" / "recording", tmp_path / "elsewhere")
    loaded = load_sorting_analyzer(saved.folder)
    for format in ON_DISK:
        copied = loaded.save_as(format=format, folder=tmp_path / f"copy_{format}")
        path_map = {tmp_path / "home" / "recording": tmp_path / "elsewhere"}
        assert load_sorting_analyzer(copied.folder, path_map=path_map).has_recording()


@pytest.mark.parametrize("format", ON_DISK)
def test_times_set_in_memory_are_kept(format, tmp_path):
    recording = make_recording().save(folder=tmp_path / "recording", **QUIET)
    times_s = [np.cumsum(np.full(n, 1e-4)) + 3.0 for n in (3_000, 1_700)]
    for k in (0, 1):
        recording.set_times(times_s[k], segment_index=k)
    analyzer = make_saved_analyzer(tmp_path / "other", format)
    analyzer = create_sorting_analyzer(
        analyzer.sorting, recording, format=format, folder=tmp_path / "timed", **QUIET
    )
    loaded = load_sorting_analyzer(analyzer.folder)
    assert loaded.recording_error is None
    for k in (0, 1):
        assert np.array_equal(loaded.recording.get_times(segment_index=k), times_s[k])


# -- what others wrote, or nobody ------------------------------------------------------------


def test_what_is_no_analyzer_is_refused(tmp_path):
    with pytest.raises(MissingFileError):
        load_sorting_analyzer(tmp_path / "nothing")
    with pytest.raises(MissingFileError):
        load_sorting_analyzer(tmp_path / "nothing.zarr")
    with pytest.raises(DataError, match="no analyzer"):
        load_sorting_analyzer(tmp_path)
    make_saved_analyzer(tmp_path).sorting.save(folder=tmp_path / "some", format="zarr")
    with pytest.raises(DataError, match="no analyzer"):
        load_sorting_analyzer(tmp_path / "some.zarr")
    with pytest.raises(ParameterError, match="format"):
        load_sorting_analyzer(tmp_path, format="memory")
    with pytest.raises(ParameterError, match="zarr"):
        load_sorting_analyzer("s3://bucket/analyzer", format="binary_folder")


def test_older_folders_are_read(tmp_path):
    analyzer = make_saved_analyzer(tmp_path)
    analyzer.compute("numbers")
    settings = analyzer.folder / "settings.json"
    settings.write_text(json.dumps({"return_scaled": False}))
    (analyzer.folder / "extensions" / "numbers" / "run_info.json").unlink()
    loaded = load_sorting_analyzer(analyzer.folder)
    assert not loaded.return_in_uV
    assert (loaded.peak_sign, loaded.peak_mode) == ("both", "extremum")
    assert loaded.get_extension("numbers").get_data()[0] == 0.5
    settings.unlink()
    assert load_sorting_analyzer(analyzer.folder).return_in_uV
    assert not settings.exists()


def test_a_pickled_recording_is_not_opened(tmp_path):
    analyzer = make_saved_analyzer(tmp_path)
    (analyzer.folder / "recording.json").unlink()
    (analyzer.folder / "recording.pickle").write_bytes(b"cos\nsystem\n.")
    loaded = load_sorting_analyzer(analyzer.folder)
    assert not loaded.has_recording()
    assert "pickle" in loaded.recording_error
