"""``spikeloom describe``: say what a file or folder is."""

import json

import typer

from spikeloom.cli.reading_options import (
    DTYPE_OPTION,
    N_CHANNELS_OPTION,
    SAMPLE_RATE_OPTION,
    SET_OPTION,
    STREAM_OPTION,
    reading_arguments,
)
from spikeloom.cli.reporting import errors_for_people, with_options
from spikeloom.extractors.describing import describe_path


def describe(
    path: str = typer.Argument(..., help="A file or folder of any format, or a URL of zarr."),
    *,
    kind: str | None = typer.Option(
        None, help="What you want of it: recording, sorting, event, snippets, analyzer, dataset."
    ),
    reader: str | None = typer.Option(None, help="Name of the format, if you know better."),
    stream: str | None = STREAM_OPTION,
    sample_rate: float | None = SAMPLE_RATE_OPTION,
    n_channels: int | None = N_CHANNELS_OPTION,
    dtype: str | None = DTYPE_OPTION,
    settings: list[str] | None = SET_OPTION,
    as_json: bool = typer.Option(False, "--json/--no-json", help="Print JSON for programs."),
) -> None:
    """Say what a file or folder is: its format, channels, units, duration, probe."""
    with errors_for_people():
        facts = describe_path(
            path,
            kind=kind,
            reader=reader,
            **reading_arguments(
                stream=stream,
                sample_rate=sample_rate,
                n_channels=n_channels,
                dtype=dtype,
                given=settings,
            ),
        )
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    if "to open it" in facts:
        facts["to open it"] = with_options(facts["to open it"])
    width = max(len(name) for name in facts) + 2
    typer.echo("\n".join(f"{name:<{width}}{fact}" for name, fact in facts.items()))
