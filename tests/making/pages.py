"""A page as the server sees it: HTTP with a cookie, one WebSocket, and what it was told so far."""

import json
from contextlib import contextmanager

import httpx
from websockets.sync.client import connect

from spikeloom.app.frames import decode_frame

TIMEOUT_S = 20


def cookie_of(server):
    """Return the cookie that a visit of the entrance sets."""
    return f"spikeloom-{server.port}={server.token}"


def http_client(server, **headers):
    """Return a client that has visited the entrance."""
    return httpx.Client(
        base_url=server.address, headers={"cookie": cookie_of(server), **headers}, timeout=TIMEOUT_S
    )


class Page:
    """One connected page; remembers what updates tell it, as the real one does."""

    def __init__(self, socket):
        self.socket = socket
        self.n_requests = 0
        self.columns, self.rows = [], {}
        self.cluster_order, self.similarity_order, self.similarities = [], [], []
        self.status = {}
        self.n_updates = 0
        self.hello = self.receive()
        assert self.hello["type"] == "hello"
        self.receive()

    def receive(self):
        """Return the next message."""
        message = json.loads(self.socket.recv(timeout=TIMEOUT_S))
        if message["type"] == "update":
            self._apply(message)
        return message

    def ask(self, kind, **fields):
        """Send a command and return its reply."""
        self.n_requests += 1
        self.socket.send(json.dumps({"type": kind, "request": self.n_requests, **fields}))
        while (message := self.receive())["type"] != "reply":
            pass
        assert message["request"] == self.n_requests
        return message

    def do(self, kind, **fields):
        """Send a command that must succeed; return its reply."""
        reply = self.ask(kind, **fields)
        assert "error" not in reply, reply
        return reply

    def wait_for_revision(self, revision):
        """Receive until this page knows a revision."""
        while self.status["revision"] < revision:
            self.receive()

    def known(self):
        """Return all that this page shows."""
        status = {name: self.status[name] for name in self.status if name != "likely"}
        return (
            *(self.columns, self.rows, self.cluster_order),
            *(self.similarity_order, self.similarities, status),
        )

    def _apply(self, update):
        self.n_updates += 1
        if update.get("is_full"):
            self.rows = {}
        for name in ("columns", "cluster_order", "similarity_order", "similarities"):
            if name in update:
                setattr(self, name, update[name])
        for row in update.get("rows", []):
            self.rows[row["id"]] = row
        for cluster_id in update.get("removed", []):
            del self.rows[cluster_id]
        parts = {"type", "is_full", "columns", "rows", "removed", "cluster_order"}
        parts |= {"similarity_order", "similarities"}
        self.status = {name: value for name, value in update.items() if name not in parts}


@contextmanager
def open_page(server, **headers):
    """Connect a page to a server."""
    origin = server.address.rstrip("/")
    with connect(
        f"ws://127.0.0.1:{server.port}/socket",
        origin=origin,
        additional_headers={"Cookie": cookie_of(server), **headers},
        max_size=None,
        proxy=None,
    ) as socket:
        yield Page(socket)


def fetch_frame(client, view, cluster_ids, **params):
    """Return the plain values and arrays of a view."""
    query = {"clusters": ",".join(map(str, cluster_ids)), **params}
    response = client.get(f"/data/{view}", params=query)
    assert response.status_code == 200, response.text
    return decode_frame(response.content)
