"""Serve an open dataset to a browser until the user stops."""

import typer
from rich.markup import escape

from spikeloom.app.browser import open_page
from spikeloom.app.security import LOOPBACK_HOSTS
from spikeloom.app.server import AppServer
from spikeloom.app.sessions import AppSession
from spikeloom.app.warm_up import warm_up
from spikeloom.cli.reporting import console, warn

BROWSER_OPTION = typer.Option(True, "--browser/--no-browser", help="Open the page in a browser.")
HOST_OPTION = typer.Option("127.0.0.1", help="Address to listen on.")
PORT_OPTION = typer.Option(0, help="Port to listen on; 0 takes any free one.")


def serve(
    app_session: AppSession,
    *,
    host: str,
    port: int,
    opens_browser: bool,
    app_name: str = "template-gui",
) -> None:
    """Serve a dataset; return when the page or Ctrl+C ends it."""
    if host not in LOOPBACK_HOSTS:
        warn(
            f"Listening on {host}: others on the network can reach this server. The token in the "
            "address keeps them out, but travels unencrypted; an ssh tunnel is safer."
        )
    with AppServer(app_session, app_name=app_name, host=host, port=port) as server:
        try:
            warm_up(app_session)
            _announce(app_session, server, opens_browser=opens_browser)
            server.wait()
        except KeyboardInterrupt:
            console.print()
    workspace = app_session.session.workspace
    if workspace.is_dirty:
        console.print(
            f"{len(workspace.history.done)} edits are not saved to the dataset yet. They are safe "
            f"in {escape(str(app_session.journal.folder))} and will be offered next time.",
            soft_wrap=True,
        )


def _announce(app_session: AppSession, server: AppServer, *, opens_browser: bool) -> None:
    """Say where the page is, and open it in a browser if that is wanted and possible."""
    console.print(f"[bold]{escape(app_session.model.name)}[/] is open at")
    # Alone on its line and never wrapped, so that it can be copied.
    console.print(f"  {server.entrance}", soft_wrap=True, markup=False)
    if not (opens_browser and open_page(server.entrance)):
        console.print(
            "Open this address in a browser. On another computer, first run there\n"
            f"  ssh -L {server.port}:127.0.0.1:{server.port} THIS_COMPUTER",
            soft_wrap=True,
        )
    console.print("Press Ctrl+C here to stop.")
