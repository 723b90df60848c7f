"""The data addresses: every view, and every way to ask for nonsense."""

import concurrent.futures
import dataclasses
import threading
import time

import httpx
import msgspec
import numpy as np
import pytest

from making.pages import fetch_frame, http_client
from making.phy_folders import N_SPIKES
from spikeloom.app import routes
from spikeloom.viewdata.context import View
from spikeloom.viewdata.views import VIEWS


def error_of(client, path, **params):
    response = client.get(path, params=params)
    assert response.headers["content-type"] == "application/json"
    return response.status_code, response.json()


@pytest.mark.parametrize("view", list(VIEWS))
@pytest.mark.parametrize("cluster_ids", [[], [2], [4, 0, 3], [1, 1], list(range(6))])
def test_every_view_answers_with_the_fields_of_its_result(client, view, cluster_ids):
    meta, arrays = fetch_frame(client, view, cluster_ids)
    fields = set(VIEWS.get(view).result.__dataclass_fields__)
    assert set(meta) | set(arrays) == fields
    if "cluster_ids" in meta:
        assert meta["cluster_ids"] == cluster_ids


def test_every_parameter_of_every_view_can_be_given_as_text(client):
    for view in VIEWS:
        params = VIEWS.get(view).params
        given = {name: getattr(params(), name) for name in params.__struct_fields__}
        texts = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in given.items()}
        plain, plain_arrays = fetch_frame(client, view, [0, 1])
        meta, arrays = fetch_frame(client, view, [0, 1], **texts)
        assert meta == plain
        for name, array in plain_arrays.items():
            np.testing.assert_array_equal(arrays[name], array)


def test_parameters_have_an_effect(client):
    meta, _ = fetch_frame(client, "isi", [0], n_bins=7, max_ms=20)
    assert (meta["n_bins"], meta["high"]) == (7, 20.0)
    meta, _ = fetch_frame(client, "traces", [], is_filtered="false", shows_all_spikes="true")
    assert meta["n_channels"] == 8


def test_an_unknown_view_is_not_found_and_the_known_ones_are_listed(client):
    status, error = error_of(client, "/data/nope", clusters="0")
    assert status == 404
    assert error["kind"] == "UnknownNameError"
    assert "'nope'" in error["text"]
    assert "waveforms" in error["text"]


def test_a_cluster_that_does_not_exist_is_a_conflict(client):
    status, error = error_of(client, "/data/isi", clusters="0,99")
    assert status == 409
    assert "99" in error["text"]


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"nope": "1"}, "'nope'"),
        ({"n_bins": "many"}, "n_bins"),
        ({"n_bins": "1.5"}, "n_bins"),
        ({"max_ms": "nan"}, "max_ms"),
        ({"max_ms": "inf"}, "max_ms"),
        ({"clusters": "a"}, "whole numbers"),
        ({"clusters": "1,2;3"}, "whole numbers"),
        ({"revision": "x"}, "whole numbers"),
    ],
)
def test_parameters_that_make_no_sense_are_told(client, params, word):
    status, error = error_of(client, "/data/isi", **{"clusters": "0", **params})
    assert status == 400
    assert error["kind"] == "ParameterError"
    assert word in error["text"]


NUMBERS = ["-1", "0", "1", "-1000000000", "1000000000", "9223372036854775807", "1e300", "-1e300"]


@pytest.mark.parametrize("view", list(VIEWS))
@pytest.mark.parametrize(
    "value", [*NUMBERS, "nan", "inf", "-inf", "1e400", "", "true", "x", "²", "0,²,-1"]
)
def test_no_parameter_brings_the_server_to_its_knees(client, view, value):
    for name in VIEWS.get(view).params.__struct_fields__:
        response = client.get(f"/data/{view}", params={"clusters": "0,1", name: value})
        assert response.status_code in {200, 400}, (name, response.text)
        assert len(response.content) < 50_000_000


@pytest.mark.parametrize("name", ["n_spikes", "n_background"])
@pytest.mark.parametrize("view", ["waveforms", "amplitudes", "features", "correlograms"])
def test_a_negative_number_of_spikes_is_none(client, view, name):
    if name not in VIEWS.get(view).params.__struct_fields__:
        pytest.skip("no such parameter")
    meta, _ = fetch_frame(client, view, [0], **{name: "-5"})
    shown = (
        meta.get("n_background")
        if name == "n_background"
        else meta.get("n_shown", meta.get("n_used"))
    )
    assert shown in (0, [0])


def test_a_frame_is_computed_once(looking_server, client, monkeypatch):
    calls = []
    compute = routes.compute_frame
    monkeypatch.setattr(routes, "compute_frame", lambda *args: calls.append(args) or compute(*args))
    params = {"clusters": "3,1", "n_bins": "13", "revision": "5"}
    frames = {client.get("/data/isi", params=params).content for _ in range(3)}
    frames.add(client.get("/data/isi", params=dict(reversed(params.items()))).content)
    assert len(frames) == 1
    assert len(calls) == 1
    client.get("/data/isi", params=params | {"clusters": "1,3"})
    client.get("/data/isi", params=params | {"revision": "6"})
    assert len(calls) == 3


def test_errors_are_not_kept(client):
    for _ in range(2):
        assert client.get("/data/isi", params={"clusters": "99"}).status_code == 409


def test_many_views_may_be_asked_for_at_once(looking_server):
    def fetch(k):
        with http_client(looking_server) as client:
            view = list(VIEWS)[k % len(list(VIEWS))]
            meta, _ = fetch_frame(client, view, [k % 6], revision=str(1000 + k))
            return meta

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(fetch, range(28)))) == 28


class SlowParams(msgspec.Struct, frozen=True):
    pass


@dataclasses.dataclass
class Slow:
    n_checks: int


def test_work_is_given_up_when_the_page_goes_away(looking_server, client, monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    def compute(context, _cluster_ids, _params):
        begun.set()
        try:
            for _ in range(2000):
                context.cancel.check()
                time.sleep(0.01)
        finally:
            ended.set()
        return Slow(2000)

    monkeypatch.setitem(VIEWS._things, "slow", View(SlowParams, compute, Slow))
    with http_client(looking_server) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.get("/data/slow", timeout=0.2)
    assert begun.is_set()
    assert ended.wait(5)
    assert client.get("/data/isi", params={"clusters": "0"}).status_code == 200


def test_frames_hold_what_the_views_compute(looking_server, client):
    context = looking_server.app_session.context(None)
    view = VIEWS.get("correlograms")
    expected = view.compute(context, [0, 1], view.params())
    meta, arrays = fetch_frame(client, "correlograms", [0, 1])
    np.testing.assert_array_equal(arrays["counts"], expected.counts)
    assert meta["n_spikes"] == expected.n_spikes
    assert meta == {name: msgspec.to_builtins(getattr(expected, name)) for name in meta}


@pytest.mark.parametrize(
    "path", ["/nowhere", "/data", "/data/", "/data/isi/more", "/assets/", "/assets/absent.js"]
)
def test_other_addresses_are_not_found(client, path):
    assert client.get(path).status_code == 404


def test_a_dataset_says_who_it_is(looking_server):
    info = routes.dataset_info(looking_server.app_session.model, "template-gui")
    assert info.n_spikes == N_SPIKES
    assert info.n_channels == len(info.channel_positions) == len(info.channel_labels) == 8
    assert info.has_traces
    assert info.n_components == 3
    assert msgspec.json.encode(info)
