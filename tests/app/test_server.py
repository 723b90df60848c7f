import socket

import httpx
import pytest

from making.pages import cookie_of, open_page
from spikeloom.app.hub import N_QUEUED_MAX, Hub
from spikeloom.app.messages import Goodbye
from spikeloom.app.server import AppServer
from spikeloom.app.sessions import open_session
from spikeloom.app.warm_up import warm_up
from spikeloom.engine.cancellation import CancelToken
from spikeloom.errors import ParameterError
from spikeloom.storage.journal import Journal
from spikeloom.viewdata.amplitudes import AmplitudeParams, compute_amplitudes


def test_each_server_has_a_port_and_a_token_of_its_own(dataset):
    with AppServer(open_session(dataset)) as first, AppServer(open_session(dataset)) as second:
        assert first.port != second.port
        assert first.token != second.token
        for server, cookie, status in (
            (first, cookie_of(first), 200),
            (second, cookie_of(second), 200),
            (first, cookie_of(second), 403),
        ):
            answer = httpx.get(f"{server.address}data/isi", headers={"cookie": cookie})
            assert answer.status_code == status


def test_a_port_that_is_taken_is_an_error_for_people(dataset):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ParameterError, match=f"Cannot listen on 127.0.0.1, port {port}.*--port"
        ):
            AppServer(open_session(dataset), port=port)


def test_a_host_that_does_not_exist_is_an_error_for_people(dataset):
    with pytest.raises(ParameterError, match="--host"):
        AppServer(open_session(dataset), host="no.such.host.invalid")


def test_only_loopback_is_bound_by_default(looking_server):
    assert looking_server.address.startswith("http://127.0.0.1:")
    with pytest.raises(OSError, match="refused"), socket.socket() as other:
        other.connect(("127.0.0.2", looking_server.port))


def test_closing_lets_others_curate(dataset):
    with AppServer(open_session(dataset)) as server, open_page(server) as page:
        page.do("merge", cluster_ids=[0, 1])
    with Journal(dataset / ".spikeloom" / "journal.jsonl") as journal:
        assert len(journal.entries) == 2


def test_closing_twice_or_without_a_start_does_no_harm(dataset):
    server = AppServer(open_session(dataset))
    server.close()
    server = AppServer(open_session(dataset))
    server.start()
    server.close()
    server.close()


def test_kernels_and_backgrounds_can_be_loaded_ahead(dataset):
    session = open_session(dataset)
    thread = warm_up(session)
    thread.join(60)
    assert not thread.is_alive()
    ahead = set(session.catalog.memo._kept)
    for cluster_id in session.session.workspace.state.cluster_ids:
        compute_amplitudes(session.context(CancelToken()), [cluster_id], AmplitudeParams())
    read_later = set(session.catalog.memo._kept) - ahead
    assert {key[0] for key in ahead} == {"background amplitudes"}
    assert {key[0] for key in read_later} == {"amplitudes"}


def test_a_page_that_does_not_read_is_told_to_go():
    hub = Hub()
    slow, quick = hub.join(), hub.join()
    for _ in range(N_QUEUED_MAX):
        hub.broadcast(Goodbye())
        quick.queue.get_nowait()
    assert slow.queue.full()
    hub.broadcast(Goodbye())
    assert slow.queue.get_nowait() is None
    assert quick.queue.get_nowait() is not None
    hub.leave(slow)
    hub.leave(slow)
    hub.close()
    assert quick.queue.get_nowait() is None
