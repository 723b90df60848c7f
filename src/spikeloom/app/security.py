"""Who may talk to the server: a guard around the whole application.

The server edits files of its user, so it answers nobody else.

* Each run makes a token. The first visit, ``/?token=…``, exchanges it for a cookie and goes on to
  ``/``, so that the token leaves the address bar. Everything else needs the cookie.
* The Host header must be a loopback name (any port: tunnels change it), which stops DNS rebinding.
* An Origin header must name that very host and port, and a WebSocket must have one: cookies are
  shared by all ports of a host, so the cookie alone does not tell pages apart.
* Whatever fails gets a bare 403.
* Every answer carries a content security policy: scripts, styles and data come from here only.
"""

import secrets
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})

ANY_HOST = frozenset({"0.0.0.0", "::", "[::]"})

_CONTENT_POLICY = "; ".join([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
])

_HEADERS = [
    (b"content-security-policy", _CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cache-control", b"no-store"),
]

_ENTRANCE = b"""<!doctype html>
<meta http-equiv="refresh" content="0;url=/">
<link rel="icon" href="/favicon.svg">
<title>spikeloom</title>
"""
_CLOSE_FORBIDDEN = 4403


class Guard:
    """ASGI middleware that lets only the user's own page through.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    token : str
        Secret of this run.
    host : str, default "127.0.0.1"
        Address that the server is bound to; its name is then allowed in the Host header.
    """

    def __init__(self, app: ASGIApp, *, token: str, host: str = "127.0.0.1") -> None:
        self._app = app
        self._token = token
        self._hosts = LOOPBACK_HOSTS | {host, f"[{host}]"}
        self._allows_any_host = host in ANY_HOST

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or pass the request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin1"): value.decode("latin1") for name, value in scope["headers"]
        }
        if self._is_entrance(scope, headers):
            await self._enter(headers, send)
        elif self._is_allowed(scope, headers):
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _CLOSE_FORBIDDEN})
        else:
            await _answer(send, 403, [(b"content-type", b"text/plain")], b"Forbidden")

    def _is_allowed(self, scope: Scope, headers: dict[str, str]) -> bool:
        origin = headers.get("origin")
        if origin is None and scope["type"] == "websocket":
            return False
        return (
            self._is_known_host(headers)
            and (origin is None or origin.partition("://")[2] == headers.get("host"))
            and headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
            and self._has_cookie(headers)
        )

    def _is_known_host(self, headers: dict[str, str]) -> bool:
        if self._allows_any_host:
            return True
        host, separator, port = headers.get("host", "").rpartition(":")
        return (host if separator and port.isdigit() else headers.get("host")) in self._hosts

    def _has_cookie(self, headers: dict[str, str]) -> bool:
        # By hand: a cookie parser gives up at the first cookie that is ill-formed, and programs on
        # other ports of this host set whatever they like.
        pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
        own_name = _cookie_name(headers)
        return any(name == own_name and self._is_token(value) for name, _, value in pairs)

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())

    def _is_entrance(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Tell whether this is a first visit: a navigation that knows the token."""
        if scope["type"] != "http" or scope["path"] != "/" or "origin" in headers:
            return False
        given = parse_qs(scope["query_string"].decode("latin1")).get("token", [""])[0]
        is_page = headers.get("sec-fetch-mode", "navigate") == "navigate"
        return self._is_known_host(headers) and is_page and self._is_token(given)

    async def _enter(self, headers: dict[str, str], send: Send) -> None:
        # Not a redirect: after one, a browser that came from elsewhere would hold the strict
        # cookie back. The page that this one goes on to is asked for by our own origin.
        cookie = f"{_cookie_name(headers)}={self._token}; Path=/; HttpOnly; SameSite=Strict"
        extra = [(b"content-type", b"text/html"), (b"set-cookie", cookie.encode()), *_HEADERS]
        await _answer(send, 200, extra, _ENTRANCE)


def _cookie_name(headers: dict[str, str]) -> str:
    # Cookies are shared by all ports of a host: the port keeps two datasets apart.
    return "spikeloom-" + headers.get("host", "").rpartition(":")[2]


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message["headers"]}
            added = [header for header in _HEADERS if header[0] not in known]
            message["headers"] = [*message["headers"], *added]
        await send(message)

    return send_with_headers


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
