"""``spikeloom template-gui``: curate a KiloSort, SpyKING CIRCUS or phy dataset."""

from pathlib import Path

import typer

from spikeloom.app.kept_state import KeptState
from spikeloom.app.sessions import open_session
from spikeloom.cli.reporting import console, errors_for_people, warn
from spikeloom.cli.serving import BROWSER_OPTION, HOST_OPTION, PORT_OPTION, serve
from spikeloom.storage.cache import clear_cache as delete_cache


def template_gui(
    params_path: Path = typer.Argument(..., help="params.py of the dataset, or its folder."),
    *,
    clear_state: bool = typer.Option(
        False, "--clear-state/--no-clear-state", help="Forget the layout and settings."
    ),
    clear_cache: bool = typer.Option(
        False, "--clear-cache/--no-clear-cache", help="Delete the cache, then make it anew."
    ),
    trust_params: bool = typer.Option(
        False,
        "--trust-params/--no-trust-params",
        help="Run params.py as Python, as phy does. Only for files whose author you trust.",
    ),
    browser: bool = BROWSER_OPTION,
    host: str = HOST_OPTION,
    port: int = PORT_OPTION,
) -> None:
    """Look at and curate a dataset in the browser (KiloSort, SpyKING CIRCUS, phy)."""
    with errors_for_people():
        if clear_cache:
            delete_cache()
        with console.status("Opening the dataset…"):
            app_session = open_session(params_path, trust_params=trust_params)
        if clear_state:
            KeptState.of("template-gui", app_session.model.folder).clear()
        for text in app_session.model.warnings:
            warn(text)
        serve(app_session, host=host, port=port, opens_browser=browser)
