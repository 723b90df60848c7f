"""Analyzers in a bucket and behind a web server."""

import functools
import http.server
import threading

import numpy as np
import pytest

from making.analyzers import Log, make_recording, make_saved_analyzer, register
from making.s3_server import served_bucket
from spikeloom.analyzer.creation import create_sorting_analyzer
from spikeloom.analyzer.loading import load_sorting_analyzer
from spikeloom.core.loading import load
from spikeloom.errors import MissingExtensionError, MissingFileError, ParameterError, WriteError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

QUIET = {"progress_bar": False}
CORE = ["random_spikes", "waveforms", "templates", "spike_amplitudes"]


@pytest.fixture(scope="module")
def backend():
    with served_bucket("analyzers") as found:
        yield {"storage_options": found}


@pytest.fixture(autouse=True)
def known_extensions(monkeypatch):
    register(monkeypatch)


@pytest.fixture
def here(tmp_path):
    return make_saved_analyzer(tmp_path, "zarr")


@pytest.fixture
def url(request, here, backend):
    name = "".join(c for c in request.node.name if c.isalnum())
    place = f"s3://analyzers/lab/{name}"
    create_sorting_analyzer(
        here.sorting, here.recording, "zarr", place, backend_options=backend, **QUIET
    )
    return f"{place}.zarr"


def test_what_is_computed_is_there_again(here, url, backend):
    analyzer = load_sorting_analyzer(url, backend_options=backend)
    assert (analyzer.format, analyzer.folder) == ("zarr", url)
    assert analyzer.has_recording()
    assert not analyzer.is_read_only()
    analyzer.compute(CORE, extension_params={"random_spikes": {"seed": 1}}, **QUIET)
    analyzer.compute("quality_metrics", metric_names=["num_spikes"])
    analyzer.set_sorting_property("score", [1.0, 2.0, 3.0])
    here.compute(CORE, extension_params={"random_spikes": {"seed": 1}}, **QUIET)
    for options in ({}, {"lazy": True}, {"load_extensions": False}):
        loaded = load_sorting_analyzer(url, backend_options=backend, **options)
        assert loaded.get_saved_extension_names() == sorted([*CORE, "quality_metrics"])
        assert bool(loaded.extensions) == (options == {})
        assert loaded.get_sorting_property("score").tolist() == [1.0, 2.0, 3.0]
        for name in CORE:
            expected = here.get_extension(name).data
            found = loaded.get_extension(name).data
            assert sorted(found) == sorted(expected)
            for key, values in expected.items():
                assert np.array_equal(found[key], values)
        table = loaded.get_extension("quality_metrics").get_data()
        assert table["num_spikes"].tolist() == [40, 40, 40]
    through_load = load(url, storage_options=backend["storage_options"])
    assert through_load.get_saved_extension_names() == sorted([*CORE, "quality_metrics"])


def test_what_becomes_invalid_goes_and_what_is_there_stays(url, backend):
    analyzer = load_sorting_analyzer(url, backend_options=backend)
    analyzer.compute(["numbers", "table", "remarks"])
    Log.runs = []
    loaded = load_sorting_analyzer(url, backend_options=backend, lazy=True)
    loaded.compute(["numbers", "table"], force_recompute=False)
    assert Log.runs == []
    with pytest.raises(RuntimeError, match="it fails"):
        loaded.compute("numbers", offset=3.0, fails=True)
    loaded.compute("numbers", offset=4.0, save=False)
    again = load_sorting_analyzer(url, backend_options=backend)
    assert again.get_saved_extension_names() == ["numbers", "remarks", "table"]
    assert again.get_extension("numbers").data["values"].tolist() == [0.5, 1.5, 2.5]
    again.compute("numbers", offset=5.0)
    assert load_sorting_analyzer(url, backend_options=backend).get_saved_extension_names() == [
        "numbers"
    ]


def test_read_only_it_refuses(url, backend):
    load_sorting_analyzer(url, backend_options=backend).compute("numbers")
    analyzer = load_sorting_analyzer(url, backend_options=backend, read_only=True)
    assert analyzer.is_read_only()
    for refused in (
        lambda: analyzer.compute("numbers", offset=1.0),
        lambda: analyzer.delete_extension("numbers"),
        lambda: analyzer.set_sorting_property("score", [1, 2, 3]),
    ):
        with pytest.raises(ParameterError, match="read-only"):
            refused()
    analyzer.compute("numbers", offset=1.0, save=False)
    kept = load_sorting_analyzer(url, backend_options=backend).get_extension("numbers")
    assert kept.params["offset"] == 0.5


def test_copies_go_both_ways(here, url, backend, tmp_path):
    here.compute(["numbers", "table"])
    place = url.replace(".zarr", "_copy")
    with pytest.raises(WriteError, match="exists already"):
        here.save_as("zarr", url, backend_options=backend)
    copied = here.save_as("zarr", place, backend_options=backend)
    assert copied.folder == f"{place}.zarr"
    back = load_sorting_analyzer(copied.folder, backend_options=backend).save_as(
        "binary_folder", tmp_path / "back"
    )
    assert back.get_saved_extension_names() == ["numbers", "table"]
    assert back.has_recording()
    assert copied.get_num_units() == 3


def test_what_is_not_there_is_said(backend, tmp_path):
    with pytest.raises(MissingFileError, match="no zarr folder"):
        load_sorting_analyzer("s3://analyzers/none.zarr", backend_options=backend)
    made = make_saved_analyzer(tmp_path)
    with pytest.raises(ParameterError, match="Zarr can go to URLs"):
        made.save_as("binary_folder", "s3://analyzers/folder")


# -- behind a web server ---------------------------------------------------------------------


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def web(tmp_path):
    pytest.importorskip("aiohttp", reason="aiohttp reaches web servers")
    handler = functools.partial(QuietHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_behind_a_web_server_it_is_read_only(here, web):
    here.compute(["numbers", "table", *CORE], **QUIET)
    analyzer = load_sorting_analyzer(f"{web}/analyzer.zarr", lazy=True)
    assert analyzer.is_read_only()
    assert analyzer.extensions == {}
    assert analyzer.get_saved_extension_names() == sorted(["numbers", "table", *CORE])
    for name, key in (("templates", "average"), ("waveforms", "waveforms")):
        found = analyzer.get_extension(name).data[key]
        assert np.array_equal(found, here.get_extension(name).data[key])
    with pytest.raises(ParameterError, match="read-only"):
        analyzer.compute("numbers", offset=2.0)
    analyzer.compute("numbers", offset=2.0, save=False)
    assert here.get_extension("numbers").params["offset"] == 0.5


def test_behind_a_web_server_the_recording_is_elsewhere(here, web, tmp_path):
    (tmp_path / "recording").rename(tmp_path / "moved")
    url = f"{web}/analyzer.zarr"
    analyzer = load_sorting_analyzer(url)
    assert not analyzer.has_recording()
    assert analyzer.recording_error is not None
    with pytest.raises(MissingExtensionError, match="could not be opened") as caught:
        analyzer.compute(["random_spikes", "waveforms"], save=False)
    assert "recording=recording" in str(caught.value)
    assert load_sorting_analyzer(url, base_folder=tmp_path / "x").recording_error is not None
    found = load_sorting_analyzer(url, recording=make_recording())
    assert found.has_recording()
