"""A web server on this machine that gives parts of files, as those of archives do."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Served:
    """A folder behind a URL."""

    url: str = ""
    has_ranges: bool = True
    """Whether parts of files are given."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request that was answered with content."""
    n_bytes: int = 0
    """How much was sent."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, served: Served, *args: object) -> None:
        self.folder, self.served = folder, served
        super().__init__(*args)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def _answer(self, *, has_body: bool) -> None:
        path = self.folder / self.path.lstrip("/")
        if not path.is_file():
            self._send(404, b"", 0, has_body=has_body)
            return
        if "forbidden" in self.path:
            self._send(403, b"", 0, has_body=has_body)
            return
        content = path.read_bytes()
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if found is None or not self.served.has_ranges:
            self._send(200, content, len(content), has_body=has_body)
            return
        first, last = int(found[1]), min(int(found[2]), len(content) - 1)
        part = content[first : last + 1]
        self._send(206, part, len(content), has_body=has_body, first=first)

    def _send(
        self, status: int, body: bytes, n_whole: int, *, has_body: bool, first: int = 0
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.served.has_ranges:
            self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{n_whole}")
        self.end_headers()
        if has_body:
            self.served.requests.append((self.command, self.path))
            self.served.n_bytes += len(body)
            self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer(has_body=True)

    def do_HEAD(self) -> None:
        self._answer(has_body=False)


@contextmanager
def served_folder(folder: Path, *, has_ranges: bool = True) -> Iterator[Served]:
    """Serve the files of a folder on this machine."""
    served = Served(has_ranges=has_ranges)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, folder, served))
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
