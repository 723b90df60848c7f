"""``spikeloom convert``: write a file or folder in another format."""

from pathlib import Path

import typer

from spikeloom.cli.reading_options import (
    DTYPE_OPTION,
    N_CHANNELS_OPTION,
    SAMPLE_RATE_OPTION,
    SET_OPTION,
    STREAM_OPTION,
    reading_arguments,
)
from spikeloom.cli.reporting import console, errors_for_people, warn
from spikeloom.exporters.conversion import (
    Conversion,
    ConversionPlan,
    convert as run,
    plan_conversion,
)
from spikeloom.exporters.writer_registry import get_writers
from spikeloom.extractors.describing import describe_object
from spikeloom.storage.atomic import write_atomic

_N_FILES_SHOWN = 12


def convert(
    source: str = typer.Argument(..., help="A file or folder of any format that can be read."),
    target: Path = typer.Argument(..., help="File or folder to make."),
    *,
    to: str | None = typer.Option(
        None, help="Format, if the ending of the target does not say it; see --list."
    ),
    kind: str | None = typer.Option(
        None, help="What to read, if the source has several: recording, sorting, event, snippets."
    ),
    dry_run: bool = typer.Option(
        False, "--dry-run/--no-dry-run", help="Only say what would be done."
    ),
    overwrite: bool = typer.Option(
        False, "--overwrite/--no-overwrite", help="Replace what is at the target."
    ),
    checksums: Path | None = typer.Option(
        None, help="File to write the checksums to, as sha256sum --check reads them."
    ),
    n_jobs: int = typer.Option(1, help="Workers for traces; -1 for one a core."),
    stream: str | None = STREAM_OPTION,
    sample_rate: float | None = SAMPLE_RATE_OPTION,
    n_channels: int | None = N_CHANNELS_OPTION,
    dtype: str | None = DTYPE_OPTION,
    settings: list[str] | None = SET_OPTION,
    list_formats: bool = typer.Option(
        False,
        "--list",
        is_eager=True,
        callback=lambda asked: _list_formats() if asked else None,
        help="List the formats that can be written, and stop.",
    ),
) -> None:
    """Write a file or folder in another format, and compare the copy with it."""
    del list_formats
    with errors_for_people():
        arguments = reading_arguments(
            stream=stream,
            sample_rate=sample_rate,
            n_channels=n_channels,
            dtype=dtype,
            given=settings,
        )
        if dry_run:
            plan = plan_conversion(
                source, target, to=to, kind=kind, overwrite=overwrite, **arguments
            )
            _show_plan(plan)
            if plan.obstacles:
                raise typer.Exit(1)
            return
        done = run(
            source,
            target,
            to=to,
            kind=kind,
            overwrite=overwrite,
            on_step=lambda text: console.print(f"{text} …", soft_wrap=True, markup=False),
            job_kwargs={"n_jobs": n_jobs, "progress_bar": console.is_terminal},
            **arguments,
        )
        if checksums is not None:
            write_atomic(checksums.absolute(), done.format_checksums().encode())
    _show_done(done)


def _list_formats() -> None:
    for writer in get_writers():
        endings = ", ".join(end or "a folder" for end in writer.suffixes) or "a folder"
        typer.echo(f"{writer.name:<8}{writer.kind:<11}{endings:<20}{writer.description}")
    raise typer.Exit


def _show_plan(plan: ConversionPlan) -> None:
    lines = [("would write", str(plan.target)), ("as", plan.writer.description)]
    lines += list(describe_object(plan.source).items())
    typer.echo("\n".join(f"{name:<22}{fact}" for name, fact in lines))
    for text in plan.changes:
        warn(f"{text}.")
    for text in plan.obstacles:
        console.print(f"[bold red]Impossible:[/] {text}.", soft_wrap=True)


def _show_done(done: Conversion) -> None:
    for text in (*done.plan.changes, *done.notes):
        warn(f"{text}.")
    shown = done.format_checksums().splitlines()
    typer.echo("\n".join(shown[:_N_FILES_SHOWN]))
    if len(shown) > _N_FILES_SHOWN:
        typer.echo(f"… and {len(shown) - _N_FILES_SHOWN} more files (--checksums writes all)")
    typer.echo(f"{done.plan.target} is the same as the source, as {done.plan.writer.name}.")
