import json
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numcodecs import LZ4, Delta

from making import rich_objects as making
from making.hashes import folder_bytes
from making.processes import run_python
from spikeloom.core.binary_folder import BinaryFolderRecording
from spikeloom.core.jobs import get_global_tmp_folder, set_global_tmp_folder
from spikeloom.core.loading import load
from spikeloom.core.numpy_events import NumpyEvent
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.numpy_snippets import NumpySnippets
from spikeloom.core.numpy_sorting import NumpySorting
from spikeloom.core.recording import BaseRecordingSegment
from spikeloom.core.saving import save
from spikeloom.core.shared_memory import SharedMemoryRecording, SharedMemorySorting
from spikeloom.core.zarr_recording import ZarrRecordingExtractor
from spikeloom.engine.folders import reset_global_tmp_folder
from spikeloom.errors import ParameterError, WriteError

QUIET = {"progress_bar": False}

RECORDING_FORMATS = {
    "binary": {},
    "zarr": {},
    "zarr 3": {"format": "zarr", "zarr_format": 3},
    "zarr 3 in shards": {"format": "zarr", "zarr_format": 3, "shard_duration_s": 0.01},
    "zarr by channels": {"format": "zarr", "channel_chunk_size": 2, "chunk_size": 17},
    "memory": {},
    "numpy": {"format": "memory", "sharedmem": False},
}
SORTING_FORMATS = {
    "numpy_folder": {},
    "npz_folder": {},
    "zarr": {},
    "zarr 3": {"format": "zarr", "zarr_format": 3},
    "memory": {},
    "numpy": {"format": "memory", "sharedmem": False},
}


NUMBERS = count()


def places(tmp_path):
    """A new folder name; hypothesis calls a test often with the same tmp_path."""
    return tmp_path / f"place_{next(NUMBERS)}.of.dots"


def saved_as(extractor, name, formats, folder, **options):
    options = {"format": name} | formats[name] | options
    return extractor.save(folder=folder, **options)


def loaded(saved):
    """What a new process would see."""
    if saved.check_serializability("json"):
        where = saved._kwargs["folder_path"]
        return load(where)
    return saved


@pytest.mark.parametrize("name", RECORDING_FORMATS)
@settings(max_examples=15)
@given(recording=making.rich_recordings())
def test_recordings_stay_the_same(tmp_path, name, recording):
    saved = saved_as(recording, name, RECORDING_FORMATS, places(tmp_path), **QUIET)
    making.check_recordings(recording, saved)
    making.check_recordings(recording, loaded(saved))


@pytest.mark.parametrize("name", SORTING_FORMATS)
@settings(max_examples=15)
@given(sorting=making.rich_sortings())
def test_sortings_stay_the_same(tmp_path, name, sorting):
    saved = saved_as(sorting, name, SORTING_FORMATS, places(tmp_path))
    making.check_sortings(sorting, saved)
    making.check_sortings(sorting, loaded(saved))


def test_snippets_and_events_stay_the_same(tmp_path):
    rng = np.random.default_rng(0)
    snippets = NumpySnippets(
        [rng.normal(0, 9, (n, 12, 3)).astype("f4") for n in (4, 0)],
        [np.sort(rng.integers(0, 1000, n)) for n in (4, 0)],
        30_000.0,
        nbefore=5,
        channel_ids=["a", "b", "c"],
    )
    for key, values in making.all_properties(3).items():
        snippets.set_property(key, values)
    snippets.annotate(**making.ANNOTATIONS)
    snippets.set_probegroup(making.some_probes(3))
    for saved in (
        save(snippets, folder=tmp_path / "snippets"),
        load(tmp_path / "snippets"),
        save(snippets, "memory"),
    ):
        making.check_metadata(snippets, saved)
        assert saved.nbefore == 5
        assert saved.get_probegroup().to_dict(True) == snippets.get_probegroup().to_dict(True)
        for k in range(2):
            np.testing.assert_array_equal(
                saved.get_snippets(segment_index=k), snippets.get_snippets(segment_index=k)
            )
            np.testing.assert_array_equal(
                saved.get_frames(segment_index=k), snippets.get_frames(segment_index=k)
            )
    event = NumpyEvent.from_dict({"stim": [0.5, 1.5], "lick": []})
    for saved in (save(event, folder=tmp_path / "events"), save(event, format="memory")):
        assert saved.get_event_times("stim").tolist() == [0.5, 1.5]


def test_a_time_for_each_sample_of_one_segment_only(tmp_path):
    recording = NumpyRecording([np.zeros((9, 2), "i2"), np.zeros((5, 2), "i2")], 10.0)
    times = np.arange(5) ** 2 / 7
    recording.set_times(times, segment_index=1)
    for kind in ("binary", "zarr"):
        saved = load(recording.save(format=kind, folder=tmp_path / kind)._kwargs["folder_path"])
        assert [saved.has_time_vector(k) for k in range(2)] == [False, True]
        assert saved.get_times(1).tolist() == times.tolist()
        assert saved.get_times(0).tolist() == (np.arange(9) / 10).tolist()


def test_many_times_are_written_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeloom.core.writing._N_TIMES", 7)
    monkeypatch.setattr("spikeloom.core.zarr_writing._N_TIMES_PER_CHUNK", 7)
    recording = NumpyRecording([np.zeros((20, 1), "i2")], 10.0)
    recording.set_times(np.arange(20) ** 1.5)
    for kind in ("binary", "zarr"):
        saved = recording.save(format=kind, folder=tmp_path / kind)
        assert saved.get_times().tolist() == recording.get_times().tolist()


@pytest.mark.parametrize("name", RECORDING_FORMATS)
def test_another_number_type(tmp_path, name):
    traces = np.array([[0.4, -0.6, 1e6], [-1e6, 2.5, np.pi]], "f4")
    recording = NumpyRecording([traces], 100.0)
    saved = saved_as(recording, name, RECORDING_FORMATS, tmp_path / "s", dtype="int16")
    assert saved.dtype == np.int16
    assert saved.get_traces().tolist() == [[0, -1, 32767], [-32768, 2, 3]]
    again = saved_as(saved, name, RECORDING_FORMATS, tmp_path / "again", dtype=np.float64)
    assert again.get_traces().dtype == np.float64
    assert again.get_traces().tolist() == saved.get_traces().tolist()


@pytest.mark.parametrize("name", ["binary", "zarr", "zarr 3 in shards", "zarr by channels"])
def test_bytes_do_not_depend_on_workers(tmp_path, name):
    recording = making.rich_recording((5000, 3), 3).save(folder=tmp_path / "source", **QUIET)
    found = []
    for k, jobs in enumerate([
        {"n_jobs": 1},
        {"n_jobs": 2},
        {"n_jobs": 2, "pool_engine": "process"},
        {"n_jobs": 1, "pool_engine": "process"},
    ]):
        folder = tmp_path / str(k) / "saved"
        options = {"chunk_size": 700} | RECORDING_FORMATS[name] | jobs | QUIET
        saved = saved_as(recording, name, {name: {}}, folder, **{"format": name} | options)
        found.append(folder_bytes(Path(saved._kwargs["folder_path"])))
    assert found[0] == found[1] == found[2] == found[3]
    assert len(found[0]) > 5


def test_sizes_of_chunks_in_words(tmp_path):
    recording = making.rich_recording((500,), 2)
    for k, size in enumerate(("500MiB", "1K", "2KiB")):
        saved = recording.save(folder=tmp_path / str(k), chunk_memory=size, n_jobs=2, **QUIET)
        making.check_recordings(recording, saved)


def test_bytes_in_flat_files_do_not_depend_on_chunks(tmp_path):
    recording = making.rich_recording((5000, 3), 3)
    one = recording.save(folder=tmp_path / "a" / "saved", chunk_size=77, **QUIET)
    other = recording.save(folder=tmp_path / "b" / "saved", chunk_duration="1s", **QUIET)
    assert folder_bytes(tmp_path / "a") == folder_bytes(tmp_path / "b")
    making.check_recordings(one, other)


def test_memory_of_several_engines():
    recording = making.rich_recording((3000,), 3)
    for jobs in ({"n_jobs": 2}, {"n_jobs": 1, "pool_engine": "process"}):
        for shared in (True, False):
            saved = recording.save(
                format="memory", sharedmem=shared, chunk_size=500, **jobs, **QUIET
            )
            making.check_recordings(recording, saved)
            assert isinstance(saved, SharedMemoryRecording if shared else NumpyRecording)
    sorting = making.rich_sorting()
    assert isinstance(sorting.save(format="memory"), SharedMemorySorting)
    assert isinstance(sorting.save(format="memory", sharedmem=False), NumpySorting)


def test_names_with_dots(tmp_path):
    recording = making.rich_recording((50,), 2)
    (tmp_path / "rec_2024.05.zarr").mkdir()
    (tmp_path / "rec_2024.05.zarr" / "mine").write_text("precious")
    for name in ("rec_2024.05.01", "rec_2024.05.02.zarr"):
        saved = recording.save(format="zarr", folder=tmp_path / name, overwrite=True)
        assert Path(saved._kwargs["folder_path"]).name == f"{name.removesuffix('.zarr')}.zarr"
    assert (tmp_path / "rec_2024.05.zarr" / "mine").read_text() == "precious"
    recording.save(folder=tmp_path / "rec_2024.05.01")
    making.check_recordings(recording, load(tmp_path / "rec_2024.05.01"))


SAVERS = {
    "binary": lambda folder, **more: making.rich_recording((50,), 2).save(folder=folder, **more),
    "zarr": lambda folder, **more: making.rich_recording((50,), 2).save(
        format="zarr", folder=folder, **more
    ),
    "numpy_folder": lambda folder, **more: making.rich_sorting().save(folder=folder, **more),
    "npz_folder": lambda folder, **more: making.rich_sorting().save(
        format="npz_folder", folder=folder, **more
    ),
    "zarr sorting": lambda folder, **more: making.rich_sorting().save(
        format="zarr", folder=folder, **more
    ),
}


@pytest.mark.parametrize("kind", SAVERS)
def test_what_is_there_is_replaced_on_request_only(tmp_path, kind):
    folder = tmp_path / "saved.zarr"
    SAVERS[kind](folder)
    before = folder_bytes(folder)
    for error in (FileExistsError, ValueError, WriteError):
        with pytest.raises(error, match="overwrite=True"):
            SAVERS[kind](folder)
    assert folder_bytes(folder) == before
    SAVERS[kind](folder, overwrite=True)
    assert folder_bytes(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["saved.zarr"]


@pytest.mark.parametrize("kind", SAVERS)
def test_folders_of_others_are_never_replaced(tmp_path, kind):
    folder = tmp_path / "saved.zarr"
    folder.mkdir()
    (folder / "mine").write_text("precious")
    with pytest.raises(WriteError, match="does not look like"):
        SAVERS[kind](folder, overwrite=True)
    assert (folder / "mine").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["saved.zarr"]


class FailingSegment(BaseRecordingSegment):
    """Traces whose disk breaks after some samples."""

    def get_num_samples(self):
        return 1000

    def get_traces(self, start_frame=None, end_frame=None, channel_indices=None):
        if end_frame > 600:
            msg = "the disk broke"
            raise RuntimeError(msg)
        return np.zeros((end_frame - start_frame, 2), "i2")


@pytest.mark.parametrize("kind", ["binary", "zarr"])
def test_a_save_that_fails_leaves_the_old_one(tmp_path, kind):
    folder = tmp_path / "saved.zarr"
    SAVERS[kind](folder)
    before = folder_bytes(folder)
    failing = NumpyRecording([np.zeros((1000, 2), "i2")], 100.0)
    failing._segments = []
    failing.add_recording_segment(FailingSegment(100.0))
    for target in (folder, tmp_path / "new.zarr"):
        with pytest.raises(RuntimeError, match="the disk broke"):
            failing.save(format=kind, folder=target, overwrite=True, chunk_size=100, **QUIET)
    assert folder_bytes(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["saved.zarr"]


def test_over_its_own_source(tmp_path):
    recording = making.rich_recording((400,), 3)
    for kind in ("binary", "zarr"):
        folder = tmp_path / f"{kind}.zarr"
        saved = recording.save(format=kind, folder=folder)
        half = saved.frame_slice(100, 300)
        expected = half.get_traces().copy()
        again = half.save(format=kind, folder=folder, overwrite=True)
        np.testing.assert_array_equal(again.get_traces(), expected)


KILLED = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
import spikeloom as si
from spikeloom.core import binary, zarr_recording

source, target, kind, n_before = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
recording = si.load(source)
segment = recording.segments[0]
read, n_read = segment.get_traces, 0

def get_traces(*args):
    global n_read
    n_read += 1
    if n_read == n_before + 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(*args)

segment.get_traces = get_traces
recording.save(
    format=kind, folder=target, chunk_size=500, resume=True, progress_bar=False, dtype="int32"
)
print(n_read)
"""


@pytest.mark.parametrize("kind", ["binary", "zarr"])
def test_a_save_that_is_killed_can_be_resumed(tmp_path, kind):
    source = making.rich_recording((5000,), 3).save(folder=tmp_path / "source", **QUIET)
    target = tmp_path / "out" / "saved.zarr"
    arguments = [tmp_path / "source", target, kind]
    run_python(KILLED, *arguments, 6, code_expected=-9)
    assert not target.exists()
    with pytest.raises(OSError, match=r"nothing at|interrupted"):
        load(target)
    assert int(run_python(KILLED, *arguments, 100)) == 4  # of ten
    whole = source.save(
        format=kind, folder=tmp_path / "whole" / "saved.zarr", chunk_size=500, dtype="int32"
    )
    assert folder_bytes(target) == folder_bytes(Path(whole._kwargs["folder_path"]))
    assert [path.name for path in target.parent.iterdir()] == ["saved.zarr"]


def test_resuming_what_lives_in_memory(tmp_path):
    with pytest.raises(ParameterError, match="lives in memory"):
        making.rich_recording((50,), 2).save(folder=tmp_path / "saved", resume=True)


def test_a_disk_that_is_too_small(tmp_path, monkeypatch):
    recording = making.rich_recording((50,), 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(WriteError, match="free"):
        recording.save(folder=tmp_path / "saved")
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
import numpy as np
import spikeloom as si

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
traces = np.random.default_rng(0).integers(-9999, 9999, (50_000, 4)).astype("int16")
recording = si.NumpyRecording([traces], 30000.0)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    recording.save(format=sys.argv[2], folder=sys.argv[1], progress_bar=False)
except OSError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("kind", ["binary", "zarr"])
def test_a_disk_that_runs_full(tmp_path, kind):
    out = run_python(FULL, tmp_path / "saved", kind)
    assert out.startswith("WriteError Cannot write")
    assert list(tmp_path.iterdir()) == []


def test_unknown_formats_and_options(tmp_path):
    recording, sorting = making.rich_recording((50,), 2), making.rich_sorting()
    with pytest.raises(ValueError, match=r"recording can be saved as binary, zarr, memory"):
        recording.save(format="numpy_folder", folder=tmp_path / "x")
    with pytest.raises(ValueError, match=r"sorting can be saved as numpy_folder"):
        sorting.save(format="binary", folder=tmp_path / "x")
    with pytest.raises(ParameterError, match=r"no option compresor.*compressor_by_dataset"):
        recording.save(format="zarr", folder=tmp_path / "x", compresor=None)
    with pytest.raises(ParameterError, match=r"no option dtype.*mmap_mode"):
        sorting.save(folder=tmp_path / "x", dtype="i4")
    with pytest.raises(ParameterError, match="n_jobs"):
        sorting.save(folder=tmp_path / "x", n_jobs=0)
    with pytest.raises(ParameterError, match="2 or 3"):
        sorting.save(folder=tmp_path / "x", format="zarr", zarr_format=4)
    with pytest.raises(ParameterError, match="Zarr can go to URLs"):
        recording.save(folder="s3://bucket/x")
    assert list(tmp_path.iterdir()) == []
    # Job options are for everybody, so that a script has one set of them.
    sorting.save(folder=tmp_path / "x", n_jobs=2, chunk_duration="1s", progress_bar=False)


def test_older_names(tmp_path):
    recording, sorting = making.rich_recording((50,), 2), making.rich_sorting()
    assert isinstance(
        recording.save(format="binary_folder", folder=tmp_path / "a"), BinaryFolderRecording
    )
    making.check_recordings(recording, recording.save_to_folder(folder=tmp_path / "b"))
    making.check_recordings(recording, recording.save_to_zarr(folder=tmp_path / "c"))
    making.check_recordings(recording, recording.save_to_memory())
    making.check_sortings(sorting, sorting.save_to_folder(folder=tmp_path / "d"))
    making.check_sortings(sorting, sorting.save_to_zarr(folder=tmp_path / "e"))


def test_the_default_folder(tmp_path):
    set_global_tmp_folder(tmp_path)
    try:
        recording = making.rich_recording((50,), 2)
        one, other = recording.save(), recording.save()
        named = recording.save(name="mine", format="zarr")
        folders = [Path(each._kwargs["folder_path"]) for each in (one, other, named)]
        assert {folder.parent for folder in folders} == {get_global_tmp_folder()}
        assert folders[0] != folders[1]
        assert folders[2].name == "mine.zarr"
        with pytest.raises(FileExistsError):
            recording.save(name="mine", format="zarr")
    finally:
        reset_global_tmp_folder()


def test_a_name_is_saved_and_the_source_keeps_its_own(tmp_path):
    recording = making.rich_recording((50,), 2)
    saved = recording.save(folder=tmp_path / "x", name="first day")
    assert saved.name == load(tmp_path / "x").name == "first day"
    assert recording.get_annotation("name") is None
    assert recording.save(format="memory", name="second day").name == "second day"


def test_codecs(tmp_path):
    recording = making.rich_recording((500,), 3, times="some")
    recording.set_times(np.arange(500) / 7)
    saved = recording.save(
        format="zarr",
        folder=tmp_path / "x",
        compressor=LZ4(),
        compressor_by_dataset={"times": LZ4(acceleration=2)},
        filters_by_dataset={"traces": [Delta("<i2")]},
        channel_chunk_size=2,
        chunk_size=100,
    )
    making.check_recordings(recording, saved)
    folder = tmp_path / "x.zarr"
    traces = json.loads((folder / "traces_seg0" / ".zarray").read_bytes())
    times = json.loads((folder / "times_seg0" / ".zarray").read_bytes())
    assert traces["compressor"]["id"] == "lz4"
    assert traces["filters"][0]["id"] == "delta"
    assert traces["chunks"] == [100, 2]
    assert times["compressor"]["acceleration"] == 2
    assert times["filters"] is None


def test_what_cannot_be_saved_is_left_out_with_a_warning(tmp_path):
    recording = NumpyRecording([np.zeros((9, 2), "i2")], 10.0)
    recording.set_property("free", np.array([object(), 1], object))
    recording.annotate(strange=object(), fine=1)
    for kind in ("binary", "zarr"):
        with pytest.warns(UserWarning, match="left out") as warned:
            saved = recording.save(format=kind, folder=tmp_path / kind)
        assert {str(each.message).split("'")[1] for each in warned} == {"free", "strange"}
        assert saved.get_property("free") is None
        assert saved.get_annotation("fine") == 1


@settings(max_examples=10)
@given(data=st.data())
def test_provenance_leads_back(tmp_path, data):
    recording = making.rich_recording((300,), 4, times="starts")
    source = recording.save(folder=places(tmp_path))
    start = data.draw(st.integers(0, 100))
    view = source.frame_slice(start, 200).select_channels(source.channel_ids[[2, 0]])
    kind = data.draw(st.sampled_from(["binary", "zarr"]))
    saved = view.save(format=kind, folder=places(tmp_path))
    folder = Path(saved._kwargs["folder_path"])
    if kind == "binary":
        origin = load(folder / "provenance.json")
    else:
        origin = load(saved_attributes(folder)["provenance"])
    making.check_recordings(view, origin, has_metadata=False)
    making.check_recordings(view, saved)


def saved_attributes(folder):
    return json.loads((folder / ".zattrs").read_bytes())


@pytest.mark.parametrize("kind", ["binary", "zarr"])
def test_times_never_stand_in_text(tmp_path, kind):
    source = making.rich_recording((3000,), 2, times="none").save(folder=tmp_path / "source")
    source.set_times(np.random.default_rng(0).random(3000).cumsum())
    saved = source.frame_slice(0, 2500).save(format=kind, folder=tmp_path / "saved")
    assert saved.has_time_vector()
    texts = [p for p in Path(saved._kwargs["folder_path"]).rglob("*") if p.suffix != ".npy"]
    texts = [p for p in texts if p.name.endswith((".json", ".zattrs"))]
    assert texts
    assert all(path.stat().st_size < 20_000 for path in texts)


def test_folders_can_be_moved(tmp_path):
    recording = making.rich_recording((300,), 4)
    sorting = making.rich_sorting()
    (tmp_path / "old").mkdir()
    recording.save(folder=tmp_path / "old" / "binary")
    recording.save(format="zarr", folder=tmp_path / "old" / "zarr")
    sorting.save(folder=tmp_path / "old" / "numpy")
    sorting.save(format="npz_folder", folder=tmp_path / "old" / "npz")
    view = load(tmp_path / "old" / "binary").select_channels(recording.channel_ids[:2])
    view.save(folder=tmp_path / "old" / "view")
    (tmp_path / "old").rename(tmp_path / "new")
    for name in ("binary", "zarr.zarr"):
        making.check_recordings(recording, load(tmp_path / "new" / name))
    for name in ("numpy", "npz"):
        making.check_sortings(sorting, load(tmp_path / "new" / name))
    origin = load(tmp_path / "new" / "view" / "provenance.json")
    assert origin.get_traces(0).tolist() == recording.get_traces(0)[:, :2].tolist()


def test_memory_use(tmp_path):
    """Saving holds some chunks, never a segment."""
    n_samples, n_channels = 1_000_000, 16
    np.zeros((n_samples, n_channels), "i2").tofile(tmp_path / "x.raw")
    assert n_samples * n_channels * 2 > 30 << 20
    code = """
import resource, sys
import spikeloom as si
options = {"progress_bar": False, "n_jobs": 2, "chunk_size": 1000}
recording = si.read_binary(sys.argv[1], 30000.0, "int16", num_channels=16)
small = recording.frame_slice(0, 3000)
for kind in ("binary", "zarr"):
    small.save(format=kind, folder=f"{sys.argv[2]}/small_{kind}", **options)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for kind in ("binary", "zarr"):
    recording.save(format=kind, folder=f"{sys.argv[2]}/{kind}", **options)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    assert int(run_python(code, tmp_path / "x.raw", tmp_path)) < 16 << 10  # KiB


def test_zarr_is_what_it_says(tmp_path):
    saved = making.rich_recording().save(format="zarr", folder=tmp_path / "x")
    assert isinstance(saved, ZarrRecordingExtractor)
    ratio = ZarrRecordingExtractor(tmp_path / "x.zarr", load_compression_ratio=True)
    assert ratio.get_annotation("compression_ratio") > 0
    assert len(ratio.get_annotation("compression_ratio_segments")) == 3
