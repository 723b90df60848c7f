"""``spikeloom kwik-describe``: tell what a Kwik dataset holds."""

from pathlib import Path

import typer

from spikeloom.cli.reporting import errors_for_people, warn
from spikeloom.datasets.kwik import KwikModel


def kwik_describe(
    kwik_path: Path = typer.Argument(..., help="The .kwik file."),
    *,
    channel_group: int | None = typer.Option(
        None, "--channel-group", help="Channel group (shank); the first one by default."
    ),
    clustering: str | None = typer.Option(
        None, "--clustering", help="Clustering; main by default."
    ),
) -> None:
    """Tell what a Kwik dataset holds."""
    with errors_for_people():
        model = KwikModel(kwik_path, channel_group, clustering)
        described = model.describe()
    for text in model.warnings:
        warn(text)
    typer.echo(str(described))
