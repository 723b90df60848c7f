"""Another page in the same browser, even one with the user's cookie, sees and does nothing."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from browser.conftest import OpenPage
from conftest import CopyDataset
from spikeloom.app.server import AppServer

TRY_EVERYTHING = """async (port) => {
    const base = `http://127.0.0.1:${port}`;
    const found = {};
    try {
        const answer = await fetch(base + "/data/isi?clusters=", { credentials: "include" });
        found.fetch = await answer.text();
    } catch (error) { found.fetch = "refused"; }
    const opaque = await fetch(base + "/", { mode: "no-cors", credentials: "include" });
    found.opaque = opaque.type + (await opaque.text());
    found.socket = await new Promise((resolve) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
        socket.onmessage = (event) => resolve("message " + event.data);
        socket.onclose = (event) => resolve("closed");
        setTimeout(() => resolve("silence"), 3000);
    });
    return found;
}"""


@pytest.fixture
def foreign_page() -> Iterator[str]:
    """Serve a page of somebody else, on another port of the same host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_page_of_another_origin_gets_nothing(
    copy_dataset: CopyDataset,
    serve: Callable[[Path], AppServer],
    open_page: OpenPage,
    foreign_page: str,
) -> None:
    server = serve(copy_dataset("phy_template_phydata") / "params.py")
    gui = open_page(server.entrance)
    assert "token" not in gui.page.url
    other = gui.page.context.new_page()
    other.goto(foreign_page)
    found = other.evaluate(TRY_EVERYTHING, server.port)
    assert found == {"fetch": "refused", "opaque": "opaque", "socket": "closed"}


def test_without_the_token_there_is_only_a_403(
    copy_dataset: CopyDataset, serve: Callable[[Path], AppServer], open_page: OpenPage
) -> None:
    server = serve(copy_dataset("phy_template_phydata") / "params.py")
    gui = open_page(server.address, is_ready=False)
    assert gui.page.locator("body").inner_text() == "Forbidden"
    gui.faults.clear()  # the browser notes the 403
