"""Run the local server: bind a port, serve until asked to stop."""

import secrets
import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn

from spikeloom.app.commands import CommandContext
from spikeloom.app.kept_state import KeptState
from spikeloom.app.routes import Service, make_app
from spikeloom.app.security import Guard
from spikeloom.app.sessions import AppSession
from spikeloom.errors import ParameterError

DEFAULT_HOST = "127.0.0.1"

_START_TIMEOUT_S = 30.0
_BACKLOG = 128


class AppServer:
    """A server for one open dataset, in a thread of its own.

    Parameters
    ----------
    app_session : AppSession
        The dataset.
    app_name : str, default "template-gui"
        Name of the app, which layouts are kept by.
    host : str, default "127.0.0.1"
        Address to bind. Anything but a loopback address lets others on the network try the token.
    port : int, default 0
        Port to bind; 0 for any free one.

    Raises
    ------
    ParameterError
        If the address cannot be bound.
    """

    def __init__(
        self,
        app_session: AppSession,
        *,
        app_name: str = "template-gui",
        host: str = DEFAULT_HOST,
        port: int = 0,
    ) -> None:
        self.app_session = app_session
        self.token = secrets.token_urlsafe(32)
        self._host = host
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        kept_state = KeptState.of(app_name, app_session.model.folder)
        service = Service(
            CommandContext(app_session, kept_state), app_name=app_name, stop=self.stop
        )
        guarded = Guard(make_app(service), token=self.token, host=host)
        config = uvicorn.Config(
            guarded,
            log_level="warning",
            access_log=False,  # addresses bear the token
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="spikeloom-server", daemon=True)

    @property
    def address(self) -> str:
        """Address of the server, without the token."""
        is_any = self._host in {"0.0.0.0", "::"}
        host = socket.gethostname() if is_any else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    @property
    def entrance(self) -> str:
        """Address of the first visit, with the token."""
        return f"{self.address}?token={self.token}"

    def start(self) -> None:
        """Start serving; return when the server answers.

        Raises
        ------
        ParameterError
            If it does not start.
        """
        self._thread.start()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                msg = f"The server could not be started on {self.address}."
                raise ParameterError(msg)
            time.sleep(0.005)

    def wait(self) -> None:
        """Serve until somebody stops the server."""
        while self._thread.is_alive():
            self._thread.join(0.2)  # short, so that Ctrl+C is noticed

    def stop(self) -> None:
        """Ask the server to stop."""
        self._server.should_exit = True

    def close(self) -> None:
        """Stop the server, wait until it has, and let others curate the dataset."""
        self.stop()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        self._socket.close()
        self.app_session.journal.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(_BACKLOG)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        msg = (
            f"Cannot listen on {host}, port {port}: {error.strerror or error}. "
            "Choose another with --host and --port; --port 0 takes any free one."
        )
        raise ParameterError(msg) from error
    return bound
