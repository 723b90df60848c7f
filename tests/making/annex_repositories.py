"""git repositories with annexed content, made with or without git-annex, and a server for them.

The server speaks git's smart protocol (or only hands out files, as a plain web server does) and
imitates the raw addresses of GIN. It can be told to break off, to lie and to refuse.
"""

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from making.absence import absent
from spikeloom.extractors.git_commands import find_program, git_environment

IDENTITY = {
    "GIT_AUTHOR_NAME": "maker",
    "GIT_AUTHOR_EMAIL": "maker@localhost",
    "GIT_COMMITTER_NAME": "maker",
    "GIT_COMMITTER_EMAIL": "maker@localhost",
}


def require_git_annex() -> None:
    """Skip where git-annex is absent, but fail where everything is supposed to be there."""
    if find_program("git-annex") is None:
        absent("git-annex is not installed.")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=git_environment() | IDENTITY,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def key_of(content: bytes, name: str) -> str:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return f"MD5E-s{len(content)}--{digest}{Path(name).suffix}"


def new_repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=master")
    return folder


def commit(folder: Path, message: str = "more") -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def add_by_hand(folder: Path, path: str, content: bytes, *, unlocked: bool = False) -> None:
    """Add what git-annex would: a link or a pointer. The content itself is not kept."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    key = key_of(content, path)
    if unlocked:
        place.write_text(f"/annex/objects/{key}\n")
    else:
        up = "../" * (len(Path(path).parts) - 1)
        place.symlink_to(f"{up}.git/annex/objects/Xx/0z/{key}/{key}")


def add_with_git_annex(
    folder: Path, path: str, content: bytes, *, unlocked: bool = False, backend: str = "MD5E"
) -> None:
    if not (folder / ".git" / "annex").exists():
        git(folder, "annex", "init", "--quiet", "there")
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.write_bytes(content)
    addunlocked = f"annex.addunlocked={str(unlocked).lower()}"
    git(folder, "-c", addunlocked, "annex", "add", "--quiet", f"--backend={backend}", path)


class RepositoryServer:
    """One repository at ``{url}``, with raw files at ``{url}/raw/master/...``."""

    def __init__(self, repository: Path, contents: dict[str, bytes]) -> None:
        self.repository = repository
        self.contents = contents
        self.requests: list[tuple[str, str]] = []
        """What was asked for: path and range."""
        self.n_bytes_before_break: int | None = None
        """After so many bytes of a raw file the connection is closed."""
        self.understands_ranges = True
        self.has_git = True
        self.url = ""

    def raw_requests(self) -> list[tuple[str, str]]:
        return [request for request in self.requests if "/raw/" in request[0]]


class _Handler(BaseHTTPRequestHandler):
    server_of_repository: RepositoryServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server_of_repository.requests.append((path, self.headers.get("Range", "")))
        below = path.removeprefix("/lab/data").removeprefix(".git")
        if below.startswith("/raw/master/"):
            self._send_raw(below.removeprefix("/raw/master/"))
        elif below == "/config":
            self.send_error(404)
        elif self.server_of_repository.has_git:
            self._ask_git(b"")
        else:
            self._send_file(self.server_of_repository.repository / ".git" / below.strip("/"))

    def do_POST(self) -> None:
        self._ask_git(self.rfile.read(int(self.headers["Content-Length"])))

    def _send_file(self, file: Path) -> None:
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_raw(self, path: str) -> None:
        served = self.server_of_repository
        content = served.contents.get(path)
        if content is None:
            self.send_error(404)
            return
        start = 0
        asked = self.headers.get("Range")
        if asked and served.understands_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        n_sent = served.n_bytes_before_break
        self.wfile.write(content[start:] if n_sent is None else content[start : start + n_sent])
        self.close_connection = True

    def _ask_git(self, body: bytes) -> None:
        url = urlsplit(self.path)
        environment = os.environ | {
            "GIT_PROJECT_ROOT": str(self.server_of_repository.repository / ".git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(url.path).removeprefix("/lab/data").removeprefix(".git"),
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run(
            ["git", "http-backend"], env=environment, input=body, capture_output=True, check=False
        )
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@contextmanager
def serving(repository: Path, contents: dict[str, bytes]) -> Iterator[RepositoryServer]:
    served = RepositoryServer(repository, contents)
    handler = type("Handler", (_Handler,), {"server_of_repository": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_address[1]}/lab/data"
        yield served
        server.shutdown()
        thread.join()
