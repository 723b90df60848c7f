"""``spikeloom traces``: look at raw data."""

from pathlib import Path

import typer

from spikeloom.app.kept_state import KeptState
from spikeloom.app.sessions import session_of
from spikeloom.cli.reading_options import STREAM_OPTION, chosen_stream
from spikeloom.cli.reporting import console, errors_for_people, warn
from spikeloom.cli.serving import BROWSER_OPTION, HOST_OPTION, PORT_OPTION, serve
from spikeloom.datasets.raw import open_raw_dataset

APP_NAME = "traces"
"""What the layout is kept by."""


def traces(
    paths: list[Path] = typer.Argument(
        ..., help="Files of raw data in the order of time, of any format that can be read."
    ),
    *,
    n_channels: int | None = typer.Option(None, min=1, help="Channels of flat binary files."),
    dtype: str | None = typer.Option(None, help="Type of their values, such as int16."),
    sample_rate: float | None = typer.Option(None, help="Their samples per second (Hz)."),
    offset: int = typer.Option(0, min=0, help="Bytes before their values."),
    fortran: bool = typer.Option(
        False, "--fortran/--no-fortran", help="The samples of a channel lie together in them."
    ),
    gain_to_uv: float | None = typer.Option(None, help="Their microvolts per step."),
    probe: Path | None = typer.Option(
        None, help="Where channels are: a .prb file, or a .json file of ProbeInterface."
    ),
    stream: str | None = STREAM_OPTION,
    clear_state: bool = typer.Option(
        False, "--clear-state/--no-clear-state", help="Forget the layout and settings."
    ),
    browser: bool = BROWSER_OPTION,
    host: str = HOST_OPTION,
    port: int = PORT_OPTION,
) -> None:
    """Look at raw data in the browser: one file, or several one after the other."""
    with errors_for_people():
        with console.status("Opening the files…"):
            dataset = open_raw_dataset(
                paths,
                n_channels=n_channels,
                dtype=dtype,
                sample_rate=sample_rate,
                offset=offset,
                fortran=fortran,
                gain_to_uV=gain_to_uv,
                probe=probe,
                **chosen_stream(stream),
            )
            app_session = session_of(dataset)
        if clear_state:
            KeptState.of(APP_NAME, dataset.folder).clear()
        for text in dataset.warnings:
            warn(text)
        serve(app_session, host=host, port=port, opens_browser=browser, app_name=APP_NAME)
