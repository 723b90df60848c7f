import functools
import http.server
import json
import threading
from typing import ClassVar

import numpy as np
import pytest
import zarr

from making import rich_objects as making
from spikeloom.core.loading import load
from spikeloom.core.numpy_recording import NumpyRecording
from spikeloom.core.zarr_reading import get_default_zarr_compressor, read_zarr
from spikeloom.core.zarr_recording import (
    ZarrArrayRecordingExtractor,
    ZarrRecordingExtractor,
    read_zarr_array,
    read_zarr_recording,
)
from spikeloom.errors import DataError, MissingFileError, ParameterError, ReadError

QUIET = {"progress_bar": False}


def test_urls_in_memory():
    recording = making.rich_recording(n_probes=2)
    url = "memory://core-recordings/rec_2024.05.01"
    saved = recording.save(format="zarr", folder=url, **QUIET)
    assert saved._kwargs["folder_path"] == f"{url}.zarr"
    making.check_recordings(recording, saved)
    making.check_recordings(recording, load(f"{url}.zarr"))
    making.check_recordings(recording, read_zarr(f"{url}.zarr"))
    view = saved.select_segments([0]).frame_slice(3, 30)
    making.check_recordings(view, load(view.to_dict(recursive=True)), has_metadata=False)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        recording.save(format="zarr", folder=url, **QUIET)
    part = recording.select_channels(recording.channel_ids[:2])
    making.check_recordings(
        part, part.save(format="zarr", folder=url, overwrite=True, zarr_format=3, **QUIET)
    )
    with pytest.raises(MissingFileError):
        load("memory://core-recordings/absent.zarr")
    sorting = making.rich_sorting()
    saved_sorting = sorting.save(format="zarr", folder="memory://core-recordings/sorting")
    making.check_sortings(sorting, saved_sorting)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    disable_nagle_algorithm = True  # which waits 40 ms in each answer

    asked: ClassVar[list[str]] = []

    def log_message(self, *_arguments):
        self.asked.append(self.path)


@pytest.fixture
def web_folder(tmp_path):
    """A folder, and its URL on a server of our own that also lists folders."""
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_urls_of_the_web(web_folder, zarr_format):
    folder, url = web_folder
    recording, sorting = making.rich_recording(), making.rich_sorting()
    recording.save(format="zarr", folder=folder / "rec", zarr_format=zarr_format, **QUIET)
    sorting.save(format="zarr", folder=folder / "sorting", zarr_format=zarr_format)
    QuietHandler.asked.clear()
    found = load(f"{url}/rec.zarr")
    documents = [path for path in QuietHandler.asked if "/." in path or "zarr.json" in path]
    assert documents
    assert max(map(documents.count, documents)) <= 2  # what there is not is asked for twice
    making.check_recordings(recording, found)
    making.check_sortings(sorting, load(f"{url}/sorting.zarr"))
    with pytest.raises(MissingFileError):
        load(f"{url}/absent.zarr")


def test_only_what_is_asked_for_is_read(tmp_path):
    recording = NumpyRecording([np.arange(6000, dtype="i2").reshape(1000, 6)], 1000.0)
    saved = recording.save(
        format="zarr", folder=tmp_path / "x", chunk_size=100, channel_chunk_size=2, **QUIET
    )
    folder = tmp_path / "x.zarr" / "traces_seg0"
    keys = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    assert len(keys) == 30
    for key in keys:
        if key not in {"3.1", "4.1"}:
            (folder / key).write_bytes(b"damaged")
    part = saved.get_traces(start_frame=350, end_frame=450, channel_ids=[3, 2])
    np.testing.assert_array_equal(part, recording.get_traces()[350:450, [3, 2]])
    with pytest.raises(ReadError):
        saved.get_traces(start_frame=350, end_frame=450)


def test_it_is_a_plain_zarr_store(tmp_path):
    recording = making.rich_recording((400,), 3)
    recording.save(format="zarr", folder=tmp_path / "two", **QUIET)
    recording.save(format="zarr", folder=tmp_path / "three", zarr_format=3, **QUIET)
    for name, zarr_format in (("two", 2), ("three", 3)):
        group = zarr.open_group(tmp_path / f"{name}.zarr", mode="r", use_consolidated=False)
        assert group.metadata.zarr_format == zarr_format
        np.testing.assert_array_equal(group["traces_seg0"][:], recording.get_traces())
        assert group.attrs["sampling_frequency"] == making.RATE


def test_compression(tmp_path):
    assert get_default_zarr_compressor(3).get_config() == {
        "id": "blosc",
        "cname": "zstd",
        "clevel": 3,
        "shuffle": 2,
        "blocksize": 0,
        **{
            key: value
            for key, value in get_default_zarr_compressor(3).get_config().items()
            if key not in {"id", "cname", "clevel", "shuffle", "blocksize"}
        },
    }
    recording = NumpyRecording([np.zeros((9000, 4), "i2"), np.zeros((0, 4), "i2")], 1000.0)
    recording.save(format="zarr", folder=tmp_path / "x", **QUIET)
    opened = ZarrRecordingExtractor(tmp_path / "x.zarr", load_compression_ratio=True)
    assert opened.get_annotation("compression_ratio") > 20
    first, second = opened.get_annotation("compression_ratio_segments")
    assert first > 20
    assert second == 1.0
    again = load(opened.to_dict(include_annotations=True))
    assert again.get_annotation("compression_ratio") == opened.get_annotation("compression_ratio")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_bare_arrays(tmp_path, zarr_format):
    traces = np.arange(60, dtype="i2").reshape(20, 3)
    zarr.save_array(tmp_path / "bare.zarr", traces, zarr_format=zarr_format)
    recording = read_zarr_array(
        tmp_path / "bare.zarr", 1000.0, gain_to_uV=0.5, offset_to_uV=1.0, is_filtered=True
    )
    assert isinstance(recording, ZarrArrayRecordingExtractor)
    recording.annotate(note="x")
    for each in (
        recording,
        load(recording.to_dict(include_annotations=True)),
        recording.clone(),
        load(json.loads(json.dumps({**recording.to_dict(), "properties": {}}))),
    ):
        np.testing.assert_array_equal(each.get_traces(), traces)
        np.testing.assert_array_equal(each.get_traces(return_in_uV=True), traces * 0.5 + 1)
        assert each.is_filtered()
    recording.dump(tmp_path / "x.json")
    np.testing.assert_array_equal(load(tmp_path / "x.json").get_traces(), traces)
    zarr.save_array(tmp_path / "flat.zarr", traces[:, 0], zarr_format=zarr_format)
    with pytest.raises(DataError, match=r"\(20,\)"):
        read_zarr_array(tmp_path / "flat.zarr", 1000.0)
    with pytest.raises(MissingFileError):
        read_zarr_array(tmp_path / "absent.zarr", 1000.0)


def test_stores_of_something_else(tmp_path):
    making.rich_sorting().save(format="zarr", folder=tmp_path / "sorting")
    with pytest.raises(DataError, match="holds no recording"):
        read_zarr_recording(tmp_path / "sorting.zarr")
    making.rich_recording((9,), 2).save(format="zarr", folder=tmp_path / "rec", **QUIET)
    assert read_zarr(tmp_path / "rec.zarr").get_num_samples() == 9
    group = zarr.open_group(tmp_path / "other.zarr", mode="w", zarr_format=2)
    group.create_array("x", shape=(3,), dtype="i2")
    with pytest.raises(DataError, match="neither a recording"):
        read_zarr(tmp_path / "other.zarr")
    with pytest.raises(ParameterError, match="path or URL"):
        ZarrRecordingExtractor()
    older = ZarrRecordingExtractor(root_path=tmp_path / "rec.zarr")
    assert older.get_num_channels() == 2


def test_times_are_read_when_they_are_looked_at(tmp_path):
    recording = NumpyRecording([np.zeros((1000, 1), "i2")], 10.0)
    times = np.arange(1000) + np.random.default_rng(0).random(1000)
    recording.set_times(times)
    saved = recording.save(format="zarr", folder=tmp_path / "x", **QUIET)
    vector = saved.segments[0].time_vector
    assert not isinstance(vector, np.ndarray)
    assert len(vector) == 1000
    assert vector[-1] == times[-1]
    np.testing.assert_array_equal(np.asarray(vector), times)
    np.testing.assert_array_equal(saved.sample_index_to_time([3, 999, 5]), times[[3, 999, 5]])
    np.testing.assert_array_equal(saved.time_to_sample_index(times[[7, 500]]), [7, 500])
    assert saved.frame_slice(10, 20).get_start_time() == times[10]
